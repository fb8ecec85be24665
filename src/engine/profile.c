/* SPDX-License-Identifier: MIT */
/* Which words do two tasks touch, one of them writing?
 *
 * Randomised strategies choose only at ops on such words.  So that a run stays
 * a pure function of its schedule, the answer comes from a fixed set of runs
 * made when the variant is loaded: run-to-block from each task, and random
 * walks with fixed seeds that choose at every op. */
#include <string.h>

#include "engine.h"

struct hd_profile hd_profile;

/* Words of the heap, then words of static data (its first 64 KiB). */
enum { HEAP_WORDS = HD_HEAP_SIZE / 8, STATIC_WORDS = 8192,
       WORDS = HEAP_WORDS + STATIC_WORDS,
       SEEN_MANY = 0x40, SEEN_WRITE = 0x80, BOTH = 0xc0,
       TELLING = 1 << 16 };

static u8 seen[WORDS + 1]; /* task + 1, SEEN_MANY, SEEN_WRITE */
static u8 shared[WORDS + 1];
static u8 telling[TELLING];
static bool counting;
static u32 decisions;

/* WORDS: none. */
static __always_inline u32 word_of(u64 addr)
{
	u64 off = addr - (u64)__start_hd_data;

	if (likely(hd_in_heap(addr)))
		return (u32)((addr - HD_HEAP_BASE) / 8);
	if (hd_in_statics(addr) && off / 8 < STATIC_WORDS)
		return HEAP_WORDS + (u32)(off / 8);
	return WORDS;
}

static u64 address_of(u32 word)
{
	return word < HEAP_WORDS ? HD_HEAP_BASE + word * 8ull :
				   (u64)__start_hd_data +
					   (word - HEAP_WORDS) * 8ull;
}

bool hd_is_shared(const struct hd_op *op)
{
	if (unlikely(op->size > 8))
		return op->kind == HD_FREE;
	return op->size && shared[word_of(op->addr)];
}

static void count(const struct hd_op *op, u32 task)
{
	u32 i;

	for (i = 0; i < hd_profile.nshared; i++)
		if (hd_profile.word[i] == (op->addr & ~7ull))
			hd_profile.count[i][task]++;
}

/* Note who touched the op's words; true if one became shared by it. */
static bool mark_words(const struct hd_op *op, u32 task)
{
	bool fresh = false;
	u32 w, end;

	if (word_of(op->addr) == WORDS || !op->size)
		return false;
	end = word_of(op->addr + op->size - 1);
	for (w = word_of(op->addr); w <= end && w < WORDS; w++) {
		u8 s = seen[w];

		if (!s)
			s = (u8)(task + 1) & 0x3f;
		else if ((s & 0x3f) != ((task + 1) & 0x3f))
			s |= SEEN_MANY;
		if (op->flags & HD_WRITE)
			s |= SEEN_WRITE;
		seen[w] = s;
		fresh |= !shared[w] && (s & BOTH) == BOTH;
	}
	return fresh;
}

void hd_profile_note(const struct hd_op *op, u32 task)
{
	if (counting)
		count(op, task);
	else
		mark_words(op, task);
}

bool hd_profile_learn(const struct hd_op *op, u32 task)
{
	u32 w, end;

	if (!mark_words(op, task))
		return false;
	end = word_of(op->addr + op->size - 1);
	for (w = word_of(op->addr); w <= end && w < WORDS; w++)
		shared[w] |= (seen[w] & BOTH) == BOTH;
	return true;
}

bool hd_is_telling(const struct hd_op *op)
{
	return telling[op->pc % TELLING];
}

bool hd_telling_learn(const struct hd_op *op)
{
	if (hd_is_telling(op))
		return false;
	telling[op->pc % TELLING] = 1;
	return true;
}

void hd_profile_decision(void)
{
	decisions++;
}

void hd_profile_clear(void)
{
	memset(seen, 0, sizeof(seen));
	memset(shared, 0, sizeof(shared));
	memset(telling, 0, sizeof(telling));
	memset(&hd_profile, 0, sizeof(hd_profile));
}

static void runs(void)
{
	static struct hd_schedule s;
	u32 i;

	for (i = 0; i < W->ntasks; i++) {
		struct hd_edit first = { HD_EDIT_SWITCH, 0, 1, (u16)i };

		hd_schedule_clear(&s);
		hd_schedule_add(&s, first);
		hd_run_schedule(&s);
	}
	for (i = 0; i < HD_PROFILE_RUNS; i++) {
		hd_schedule_clear(&s);
		s.strategy = 1;
		s.seed = 0x68656464 + i;
		decisions = 0;
		hd_run_schedule(&s);
		if (decisions > hd_profile.decisions)
			hd_profile.decisions = decisions;
	}
}

void hd_profile_run(void)
{
	u32 total = HD_PROFILE_RUNS + W->ntasks, i, t;

	hd_eng.profiling = true;
	hd_eng.all_choice = true;
	runs();
	for (i = 0; i < WORDS; i++) {
		if ((seen[i] & BOTH) != BOTH)
			continue;
		shared[i] = 1;
		if (hd_profile.nshared < HD_MAX_SHARED)
			hd_profile.word[hd_profile.nshared++] =
				address_of(i);
	}
	hd_eng.all_choice = false;
	counting = true;
	hd_profile.decisions = 0;
	runs();
	counting = false;
	for (i = 0; i < hd_profile.nshared; i++)
		for (t = 0; t < W->ntasks; t++)
			hd_profile.count[i][t] =
				(hd_profile.count[i][t] + total - 1) / total;
	hd_eng.profiling = false;
}
