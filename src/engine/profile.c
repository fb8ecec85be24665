/* SPDX-License-Identifier: MIT */
/* Which words do two tasks touch, one of them writing?
 *
 * Randomised strategies choose only at ops on such words.  So that a run stays
 * a pure function of its schedule, the answer comes from a fixed set of runs
 * made when the variant is loaded: run-to-block from each task, and random
 * walks with fixed seeds that choose at every op. */
#include <string.h>

#include "engine.h"
#include "hot.h"

struct hd_profile hd_profile;

enum { SEEN_MANY = 0x40, SEEN_WRITE = 0x80, BOTH = 0xc0, TELLING = 1 << 16 };

u8 hd_shared[HD_WORDS + 1];
static u8 seen[HD_WORDS + 1]; /* task + 1, SEEN_MANY, SEEN_WRITE */
static u8 telling[TELLING];
static bool counting;
static u32 decisions;

/* HD_WORDS: none. */
static __always_inline u32 word_of(u64 addr)
{
	u64 off = addr - (u64)__start_hd_data;

	if (likely(hd_in_heap(addr)))
		return (u32)((addr - HD_HEAP_BASE) / 4);
	if (hd_in_statics(addr) && off / 4 < HD_STATIC_WORDS)
		return HD_HEAP_WORDS + (u32)(off / 4);
	return HD_WORDS;
}

static u64 address_of(u32 word)
{
	if (word < HD_HEAP_WORDS)
		return HD_HEAP_BASE + word * 4ull;
	return (u64)__start_hd_data + (word - HD_HEAP_WORDS) * 4ull;
}

bool hd_is_shared(const struct hd_op *op)
{
	u32 w, end;

	if (!op->size || op->kind == HD_FREE)
		return op->size;
	end = word_of(op->addr + op->size - 1);
	for (w = word_of(op->addr); w < end; w++)
		if (hd_shared[w])
			return true;
	return hd_shared[end];
}

static void count(const struct hd_op *op, u32 task)
{
	u32 i;

	for (i = 0; i < hd_profile.nshared; i++)
		if (hd_profile.word[i] == (op->addr & ~3ull))
			hd_profile.count[i][task]++;
}

/* Note who touched the op's words; true if one became shared by it. */
static bool mark_words(const struct hd_op *op, u32 task)
{
	bool fresh = false;
	u32 w, end;

	if (word_of(op->addr) == HD_WORDS || !op->size)
		return false;
	end = word_of(op->addr + op->size - 1);
	for (w = word_of(op->addr); w <= end && w < HD_WORDS; w++) {
		u8 s = seen[w];

		if (!s)
			s = (u8)(task + 1) & 0x3f;
		else if ((s & 0x3f) != ((task + 1) & 0x3f))
			s |= SEEN_MANY;
		if (op->flags & HD_WRITE)
			s |= SEEN_WRITE;
		seen[w] = s;
		fresh |= !hd_shared[w] && (s & BOTH) == BOTH;
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
	for (w = word_of(op->addr); w <= end && w < HD_WORDS; w++)
		hd_shared[w] |= (seen[w] & BOTH) == BOTH;
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
	memset(hd_shared, 0, sizeof(hd_shared));
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
	for (i = 0; i < HD_WORDS; i++) {
		if ((seen[i] & BOTH) != BOTH)
			continue;
		hd_shared[i] = 1;
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
