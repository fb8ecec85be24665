/* SPDX-License-Identifier: MIT */
/* Which C statements of model code are ops, and how many?  (Instrumented code
 * can be tested only as a model, so this test of ../engine/access.c stands
 * here.)
 *
 * Counted by what an opponent gets in between: a lost increment was two ops, a
 * copy of which any number of words is new was one op a word; and by the limit
 * on the ops of a run. */
#include <string.h>

#include "../base/twin.h"

struct pair {
	u32 x, y;
};
struct big {
	u64 word[4];
};

static struct {
	struct mutex lock;
	struct pair pair, copy;
	struct big big, other;
	volatile u32 v;
	u32 u;
	u8 bytes[8];
	u16 shorts[2];
	u64 wide;
	struct {
		u32 low : 4, high : 4;
	} bits;
} *w;

static void setup(void)
{
	w = heddle_alloc_type("struct twin", sizeof(*w));
	mutex_init(&w->lock);
}

/* --- read, then write: plain increments are two ops -------------------- */

static void increments(void *arg)
{
	(void)arg;
	if (!buggy())
		mutex_lock(&w->lock);
	switch (heddle_choose(5)) {
	case 0:
		w->u++;
		break;
	case 1:
		w->v++;
		break;
	case 2:
		w->bytes[3]++;
		break;
	case 3:
		w->shorts[1]++;
		break;
	case 4:
		w->wide++;
		break;
	}
	if (!buggy())
		mutex_unlock(&w->lock);
}

static u64 sum(void)
{
	return w->u + w->v + w->bytes[3] + w->shorts[1] + w->wide;
}

static void sum_check(void)
{
	heddle_assert(sum() == 2);
}
#define inc_setup setup
TWIN_TASKS(inc, { "a", increments }, { "b", increments });
TWIN_VARIANTS(inc, SHOWS(ASSERT), SHOWS(DATA_RACE));
TWIN(inc, "access/an increment is a load and a store", .check = sum_check);

/* Two members of one word: a store to one writes back the other. */
static void sets_low(void *arg)
{
	(void)arg;
	if (!buggy())
		mutex_lock(&w->lock);
	w->bits.low = 3;
	if (!buggy())
		mutex_unlock(&w->lock);
}

static void sets_high(void *arg)
{
	(void)arg;
	if (!buggy())
		mutex_lock(&w->lock);
	w->bits.high = 5;
	if (!buggy())
		mutex_unlock(&w->lock);
}

static void bits_check(void)
{
	heddle_assert(w->bits.low == 3 && w->bits.high == 5);
}
#define bits_setup setup
TWIN_TASKS(bits, { "low", sets_low }, { "high", sets_high });
TWIN_VARIANTS(bits, SHOWS(ASSERT), SHOWS(DATA_RACE));
TWIN(bits, "access/bit-fields share a word", .check = bits_check);

/* --- struct copies, memset, memcpy, memmove: words ------------------------ */

static void copies(void *arg)
{
	struct big local;

	(void)arg;
	if (!buggy())
		mutex_lock(&w->lock);
	switch (heddle_choose(3)) {
	case 0:
		local = w->big;
		break;
	case 1:
		memcpy(&local, &w->big, sizeof(local));
		break;
	default:
		memmove(&local, &w->big, sizeof(local));
		break;
	}
	if (!buggy())
		mutex_unlock(&w->lock);
	heddle_assert(local.word[0] == local.word[3]);
}

static void fills(void *arg)
{
	(void)arg;
	if (!buggy())
		mutex_lock(&w->lock);
	if (heddle_choose(2))
		memset(&w->big, 0x55, sizeof(w->big));
	else
		w->big = w->other;
	if (!buggy())
		mutex_unlock(&w->lock);
}

static void copy_setup(void)
{
	setup();
	w->other.word[0] = w->other.word[3] = 7;
}
TWIN_TASKS(copy, { "fills", fills }, { "copies", copies });
TWIN_VARIANTS(copy, SHOWS(ASSERT), SHOWS(DATA_RACE));
TWIN(copy, "access/copies are torn");

/* A single word is not. */
static void word_reader(void *arg)
{
	u64 v;

	(void)arg;
	if (buggy()) {
		struct pair p = w->pair; /* two loads of four bytes */

		v = (u64)p.y << 32 | p.x;
	} else {
		v = READ_ONCE(w->wide);
	}
	heddle_assert((u32)v == (u32)(v >> 32));
}

static void word_writer(void *arg)
{
	(void)arg;
	if (buggy()) {
		w->pair.x = 1;
		w->pair.y = 1;
	} else {
		WRITE_ONCE(w->wide, 1ull << 32 | 1);
	}
}
#define word_setup setup
TWIN_TASKS(word, { "writer", word_writer }, { "reader", word_reader });
TWIN_VARIANTS(word, SHOWS(ASSERT), SHOWS(DATA_RACE));
TWIN(word, "access/an aligned word is one op");

/* --- how many ops ------------------------------------------------------------- *
 *
 * The opponent writes the words in ascending order; the copy sees as many of
 * them as were written before each of its own loads. */
static void steps(void *arg)
{
	u32 i;

	(void)arg;
	for (i = 0; i < 4; i++) /* ascending: a copy may see a prefix */
		data_race(w->big.word[i] = 1);
}

static void sees(void *arg)
{
	struct big local = w->big;
	u32 i, ones = 0;

	(void)arg;
	for (i = 0; i < 4; i++)
		ones += local.word[i] == 1;
	if (ones == 0)
		heddle_mark("0 of 4 words");
	if (ones == 1)
		heddle_mark("1 of 4 words");
	if (ones == 2)
		heddle_mark("2 of 4 words");
	if (ones == 3)
		heddle_mark("3 of 4 words");
	if (ones == 4)
		heddle_mark("4 of 4 words");
}

static const char *const sees_goals[] = { "0 of 4 words", "1 of 4 words",
					  "2 of 4 words", "3 of 4 words",
					  "4 of 4 words", NULL };
#define sees_setup setup
TWIN_TASKS(sees, { "steps", steps }, { "sees", sees });
TWIN_SAFE_ONLY(sees);
TWIN(sees, "access/a copy of four words is four loads", .goals = sees_goals);

/* --- what is no op ------------------------------------------------------------- *
 *
 * More accesses than a run may have ops (that ends in the limit verdict). */
static const u32 table[4] = { 1, 2, 3, 4 };

static void own_memory(void *arg)
{
	volatile u32 local[4] = { 0 };
	u32 i;

	(void)arg;
	for (i = 0; i < 30000; i++)
		local[i & 3] += table[i & 3];
	heddle_assert(local[0] == 7500);
}
#define own_setup setup
TWIN_TASKS(own, { "a", own_memory });
TWIN_SAFE_ONLY(own);
TWIN(own, "access/the own stack and constants are no ops");

/* Static data of a model belongs to the world: ops, and reset for each run. */
static u32 counter;

static void bumps(void *arg)
{
	(void)arg;
	if (buggy())
		counter++;
	else
		hd_atomic_rmw(&counter, 4, HD_RMW_ADD, 1, 0, HD_FULL);
}

static void counter_check(void)
{
	heddle_assert(counter == 2);
}
#define statics_setup setup
TWIN_TASKS(statics, { "a", bumps }, { "b", bumps });
TWIN_VARIANTS(statics, SHOWS(ASSERT), SHOWS(DATA_RACE));
TWIN(statics, "access/static data", .check = counter_check);

/* --- memory that is not there ------------------------------------------- */

static void wild(void *arg)
{
	static const u64 nowhere[] = { 0x7fff00000000, 0x6b6b6b6b6b6b6b6b };
	u32 *p = (u32 *)(uintptr_t)nowhere[heddle_choose(2)];

	(void)arg;
	w->u = 1;
	if (buggy())
		*p = w->u;
}

#define wild_setup setup
TWIN_TASKS(wild, { "wild", wild });
TWIN_VARIANTS(wild, SHOWS(WILD_ACCESS));
TWIN(wild, "access/unmapped memory");
