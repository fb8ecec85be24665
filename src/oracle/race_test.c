/* SPDX-License-Identifier: MIT */
/* Which accesses race, if nothing orders them?  Bytes and sizes, marked and plain
 * ones, frees; each safe twin is clean, the buggy one shows exactly the race.
 * What orders accesses: race_clock_test.c.
 *
 * Covers race.c, race_history.c, race_claim.c, race_cell.c, race_verdict.c and
 * race_hash.c. */
#include "../base/twin.h"

static struct {
	int data, flag, other;
	int *ptr;
	atomic_t count;
	refcount_t refs;
	struct mutex mutex;
	u8 bytes[8];
	u64 wide;
} *w;

static void setup(void)
{
	w = heddle_alloc_type("struct twin", sizeof(*w));
	mutex_init(&w->mutex);
	refcount_set(&w->refs, 2);
}

/* The buggy form shows a data race and nothing else. */
#define RACE(id, text)                       \
	TWIN_VARIANTS(id, SHOWS(DATA_RACE)); \
	TWIN(id, "race/" text)

/* --- bytes --------------------------------------------------------------- */

/* Neighbours in one word are different memory. */
static void writes_byte(void *arg)
{
	u32 i = arg ? 1 : buggy() ? 1 : 0;

	w->bytes[i] = 1;
}

#define neighbour_setup setup
TWIN_TASKS(neighbour, { "a", writes_byte, "" }, { "b", writes_byte });
RACE(neighbour, "neighbours in one word");

/* Two sizes overlap. */
static void writes_part(void *arg)
{
	u32 *half = (u32 *)&w->wide;

	(void)arg;
	if (buggy())
		half[1] = 1;
	else
		w->data = 1;
}

static void writes_wide(void *arg)
{
	(void)arg;
	WRITE_ONCE(w->wide, 1);
}

#define overlap_setup setup
TWIN_TASKS(overlap, { "part", writes_part }, { "wide", writes_wide });
RACE(overlap, "overlapping sizes");

/* Three tasks in one word, and the one that races is not the last. */
static void three_bytes(void *arg)
{
	switch ((uintptr_t)arg) {
	case 0:
		w->bytes[0] = 1;
		break;
	case 1:
		w->bytes[1] = 1;
		break;
	default:
		heddle_assert(w->bytes[buggy() ? 0 : 2] < 2);
	}
}

#define three_setup setup
TWIN_TASKS(three, { "a", three_bytes, (void *)0 }, { "b", three_bytes, (void *)1 },
	   { "c", three_bytes, (void *)2 });
RACE(three, "three bytes of a word");

/* --- marked and plain ---------------------------------------------------- */

static void marks(void *arg)
{
	(void)arg;
	WRITE_ONCE(w->data, READ_ONCE(w->data) + 1);
}

static void looks(void *arg)
{
	(void)arg;
	if (buggy())
		heddle_assert(w->data < 3);
	else
		heddle_assert(READ_ONCE(w->data) < 3);
}

#define marked_setup setup
TWIN_TASKS(marked, { "a", marks }, { "b", marks }, { "look", looks });
RACE(marked, "marked accesses do not race");

/* Two marked writes hide no plain one that came before them. */
static void plain_then_marked(void *arg)
{
	(void)arg;
	if (buggy())
		w->data = 1;
	else
		WRITE_ONCE(w->data, 1);
	WRITE_ONCE(w->data, 2);
	smp_store_release(&w->flag, 1);
}

static void looks_late(void *arg)
{
	(void)arg;
	if (READ_ONCE(w->flag)) /* no acquire */
		heddle_assert(READ_ONCE(w->data) == 2);
}

#define hidden_setup setup
TWIN_TASKS(hidden, { "write", plain_then_marked }, { "look", looks_late });
RACE(hidden, "a marked write hides no plain one");

/* Reads of one word by several tasks are all remembered. */
static void reads_alone(void *arg)
{
	(void)arg;
	if (buggy() || !arg)
		heddle_assert(w->data < 2);
	smp_store_release(arg ? &w->flag : &w->other, 1);
}

static void writes_after_one(void *arg)
{
	(void)arg;
	if (smp_load_acquire(&w->other))
		w->data = 1;
}

#define reads_setup setup
TWIN_TASKS(reads, { "r1", reads_alone, "" }, { "r2", reads_alone },
	   { "write", writes_after_one });
RACE(reads, "several readers");

/* --- frees --------------------------------------------------------------- */

static void refs_setup(void)
{
	setup();
	w->ptr = kzalloc(sizeof(int), GFP_KERNEL | __GFP_NOFAIL);
	*w->ptr = 1;
}

/* The other use is over in this run: but what says so? */
static void uses_and_puts(void *arg)
{
	(void)arg;
	heddle_assert(*w->ptr == 1);
	if (buggy()) {
		if (atomic_inc_return_relaxed(&w->count) == 2)
			kfree(w->ptr);
	} else if (refcount_dec_and_test(&w->refs)) {
		kfree(w->ptr);
	}
}

TWIN_TASKS(refs, { "a", uses_and_puts }, { "b", uses_and_puts });
TWIN_VARIANTS(refs, SHOWS(ASSERT_RACE));
TWIN(refs, "race/free that is not ordered");

/* --- static data --------------------------------------------------------- */

static int counter;

static void counts(void *arg)
{
	(void)arg;
	if (!buggy())
		mutex_lock(&w->mutex);
	counter++;
	if (!buggy())
		mutex_unlock(&w->mutex);
}

#define statics_setup setup
TWIN_TASKS(statics, { "a", counts }, { "b", counts });
RACE(statics, "static data");
