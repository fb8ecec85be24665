/* SPDX-License-Identifier: MIT */
/* Does a set of tasks hold what was put into it, on both sides of the 64th? */
#include "tasks.h"

#include "../base/hash.h"
#include "../base/tap.h"

/* The same set, in a form that cannot go wrong. */
static bool in[HD_MAX_TASKS];

static hd_tasks fill(u32 seed, u32 one_in)
{
	hd_tasks set = 0;
	u32 i;

	for (i = 0; i < HD_MAX_TASKS; i++) {
		in[i] = hd_draw(seed, i, 0, 0) % one_in == 0;
		if (in[i])
			set |= hd_bit(i);
	}
	return set;
}

static bool has_all(hd_tasks set)
{
	u32 i;

	for (i = 0; i < HD_MAX_TASKS; i++)
		if (hd_has(set, i) != in[i])
			return false;
	return true;
}

/* Lowest, rest, nth and count, by going through it. */
static bool goes_through(hd_tasks set)
{
	hd_tasks m = set;
	u32 i, k = 0;

	for (i = 0; i < HD_MAX_TASKS; i++) {
		if (!in[i])
			continue;
		if (!m || hd_lowest(m) != i || hd_nth(set, k) != i ||
		    hd_is_single(m) != (k + 1 == hd_count(set)))
			return false;
		m = hd_rest(m);
		k++;
	}
	return !m && hd_count(set) == k;
}

static bool adds_and_removes(hd_tasks set)
{
	u32 i;

	for (i = 0; i < HD_MAX_TASKS; i++) {
		hd_tasks with = set, without = set;

		hd_add(&with, i);
		hd_remove(&without, i);
		if (with != (set | hd_bit(i)) || without != (set & ~hd_bit(i)))
			return false;
	}
	return true;
}

static void random_sets(u32 one_in, const char *what)
{
	bool has = true, through = true, changes = true;
	u32 seed;

	for (seed = 0; seed < 200; seed++) {
		hd_tasks set = fill(seed, one_in);

		has &= has_all(set);
		through &= goes_through(set);
		changes &= adds_and_removes(set);
	}
	tap_ok(has, "%s: who is in it", what);
	tap_ok(through, "%s: lowest, n-th, rest, count, single", what);
	tap_ok(changes, "%s: one more, one less", what);
}

static void borders(void)
{
	static const u32 at[] = { 0, 1, 62, 63, 64, 65, 126, 127 };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(at); i++) {
		hd_tasks set = hd_bit(at[i]);

		tap_ok(hd_lowest(set) == at[i] && hd_has(set, at[i]) &&
			       hd_is_single(set) && hd_count(set) == 1 &&
			       !hd_rest(set),
		       "a set of task %u alone", at[i]);
	}
	tap_ok(!hd_is_single(hd_bit(0) | hd_bit(64)) &&
		       !hd_is_single(hd_bit(64) | hd_bit(127)),
	       "two tasks, one of them above 63, or both: not single");
	tap_ok(hd_is_single(0) && !hd_count(0), "the empty set has none");
	tap_ok(_Alignof(hd_tasks) == 8, "aligned as a u64");
}

int main(void)
{
	borders();
	random_sets(1, "all tasks");
	random_sets(2, "half of them");
	random_sets(20, "a few");
	return tap_done();
}
