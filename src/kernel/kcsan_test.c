/* SPDX-License-Identifier: MIT */
/* What a model says about its accesses: data_race(), claims of exclusive access,
 * seqcount sections.  Are races silent where they shall be, and only there? */
#include "../base/twin.h"

static struct {
	int data, other, flag;
	u8 bytes[8];
	u32 flags;
	seqcount_t seq;
	struct mutex lock;
} *w;

static void setup(void)
{
	w = heddle_alloc_type("struct twin", sizeof(*w));
	mutex_init(&w->lock);
	seqcount_init(&w->seq);
}

static void writes(void *arg)
{
	(void)arg;
	WRITE_ONCE(w->data, 1);
}

/* --- data_race() --------------------------------------------------------- */

static void intended(void *arg)
{
	int v = buggy() ? w->data : data_race(w->data);

	(void)arg;
	heddle_assert(v < 2);
}

#define intended_setup setup
TWIN_TASKS(intended, { "write", writes }, { "read", intended });
TWIN_VARIANTS(intended, SHOWS(DATA_RACE));
TWIN(intended, "kcsan/data_race");

/* It ends with its expression. */
static void one_of_two(void *arg)
{
	int v = data_race(w->other) + (buggy() ? w->data : READ_ONCE(w->data));

	(void)arg;
	heddle_assert(v < 3);
}

static void writes_two(void *arg)
{
	(void)arg;
	WRITE_ONCE(w->other, 1);
	WRITE_ONCE(w->data, 1);
}

#define ends_setup setup
TWIN_TASKS(ends, { "write", writes_two }, { "read", one_of_two });
TWIN_VARIANTS(ends, SHOWS(DATA_RACE));
TWIN(ends, "kcsan/data_race ends");

/* What it lets through still releases and acquires. */
static void releases(void *arg)
{
	(void)arg;
	w->data = 1;
	if (buggy())
		WRITE_ONCE(w->flag, 1);
	else
		(void)data_race(({ smp_store_release(&w->flag, 1); 0; }));
}

static void acquires(void *arg)
{
	(void)arg;
	if (data_race(smp_load_acquire(&w->flag)))
		heddle_assert(w->data == 1);
}

#define orders_setup setup
TWIN_TASKS(orders, { "write", releases }, { "read", acquires });
TWIN_VARIANTS(orders, SHOWS(DATA_RACE));
TWIN(orders, "kcsan/data_race keeps order");

/* --- claims -------------------------------------------------------------- */

static void claims_writer(void *arg)
{
	(void)arg;
	mutex_lock(&w->lock);
	ASSERT_EXCLUSIVE_WRITER(w->data);
	WRITE_ONCE(w->data, 2);
	mutex_unlock(&w->lock);
}

/* Marked, so that it is no data race: only the claim tells. */
static void reads_or_writes(void *arg)
{
	(void)arg;
	if (buggy())
		WRITE_ONCE(w->data, 3);
	else
		heddle_assert(READ_ONCE(w->data) < 4);
}

#define writer_setup setup
TWIN_TASKS(writer, { "claim", claims_writer }, { "other", reads_or_writes });
TWIN_VARIANTS(writer, SHOWS(ASSERT_RACE));
TWIN(writer, "kcsan/ASSERT_EXCLUSIVE_WRITER");

static void claims_access(void *arg)
{
	(void)arg;
	mutex_lock(&w->lock);
	ASSERT_EXCLUSIVE_ACCESS(w->data);
	WRITE_ONCE(w->data, 2);
	mutex_unlock(&w->lock);
}

static void reads_under_lock(void *arg)
{
	(void)arg;
	if (!buggy())
		mutex_lock(&w->lock);
	heddle_assert(READ_ONCE(w->data) < 4);
	if (!buggy())
		mutex_unlock(&w->lock);
}

#define access_setup setup
TWIN_TASKS(access, { "claim", claims_access }, { "other", reads_under_lock });
TWIN_VARIANTS(access, SHOWS(ASSERT_RACE));
TWIN(access, "kcsan/ASSERT_EXCLUSIVE_ACCESS");

/* A claim is about its own bytes. */
static void claims_byte(void *arg)
{
	(void)arg;
	ASSERT_EXCLUSIVE_ACCESS(w->bytes[0]);
	WRITE_ONCE(w->bytes[0], 1);
}

static void uses_neighbour(void *arg)
{
	(void)arg;
	WRITE_ONCE(w->bytes[buggy() ? 0 : 1], 1);
}

#define bytes_setup setup
TWIN_TASKS(bytes, { "claim", claims_byte }, { "other", uses_neighbour });
TWIN_VARIANTS(bytes, SHOWS(ASSERT_RACE));
TWIN(bytes, "kcsan/claim of a byte");

static void claims_bits(void *arg)
{
	(void)arg;
	heddle_assert(!(READ_ONCE(w->flags) & 1));
	ASSERT_EXCLUSIVE_BITS(w->flags, 1);
}

static void sets_bit(void *arg)
{
	u32 bit = buggy() ? 1 : 2;

	if (arg)
		hd_atomic_rmw(&w->flags, 4, HD_RMW_OR, 4, 0, HD_RELAXED);
	else
		WRITE_ONCE(w->flags, bit);
}

#define bits_setup setup
TWIN_TASKS(bits, { "claim", claims_bits }, { "set", sets_bit },
	   { "set4", sets_bit, "" });
TWIN_VARIANTS(bits, SHOWS(ASSERT_RACE), SHOWS(ASSERT));
TWIN(bits, "kcsan/ASSERT_EXCLUSIVE_BITS");

/* What comes and goes within the scope is ordered with both of its ends. */
static void claims_scope(void *arg)
{
	(void)arg;
	ASSERT_EXCLUSIVE_WRITER_SCOPED(w->data);
	smp_store_release(&w->flag, 1);
	if (buggy())
		heddle_assert(smp_load_acquire(&w->other) < 2);
}

static void writes_between(void *arg)
{
	(void)arg;
	if (smp_load_acquire(&w->flag) == 1 + !buggy()) {
		WRITE_ONCE(w->data, 1);
		smp_store_release(&w->other, 1);
	}
}

#define scope_setup setup
TWIN_TASKS(scope, { "claim", claims_scope }, { "write", writes_between });
TWIN_VARIANTS(scope, SHOWS(ASSERT_RACE));
TWIN(scope, "kcsan/ASSERT_EXCLUSIVE_WRITER_SCOPED");

/* The scope's end is its end. */
static void claims_block(void *arg)
{
	(void)arg;
	{
		ASSERT_EXCLUSIVE_ACCESS_SCOPED(w->data);
		WRITE_ONCE(w->data, 2);
	}
	if (buggy())
		WRITE_ONCE(w->flag, 1);
	else
		smp_store_release(&w->flag, 1);
}

static void uses_later(void *arg)
{
	(void)arg;
	if (smp_load_acquire(&w->flag))
		heddle_assert(READ_ONCE(w->data) == 2);
}

#define block_setup setup
TWIN_TASKS(block, { "claim", claims_block }, { "use", uses_later });
TWIN_VARIANTS(block, SHOWS(ASSERT_RACE));
TWIN(block, "kcsan/ASSERT_EXCLUSIVE_ACCESS_SCOPED");

/* --- seqcounts ----------------------------------------------------------- */

static void seq_writes(void *arg)
{
	(void)arg;
	write_seqcount_begin(&w->seq);
	w->data = 1;
	w->other = 1;
	write_seqcount_end(&w->seq);
}

/* Plain accesses in the section; behind the retry they are plain again. */
static void seq_reads(void *arg)
{
	unsigned seq;
	int a, b;

	(void)arg;
	do {
		seq = read_seqcount_begin(&w->seq);
		a = w->data;
		b = w->other;
	} while (read_seqcount_retry(&w->seq, seq));
	heddle_assert(a == b);
	if (buggy())
		heddle_assert(w->data < 2);
}

#define seq_setup setup
TWIN_TASKS(seq, { "write", seq_writes }, { "read", seq_reads });
TWIN_VARIANTS(seq, SHOWS(DATA_RACE));
TWIN(seq, "kcsan/seqcount sections");
