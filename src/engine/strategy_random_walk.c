/* SPDX-License-Identifier: MIT */
/* Random walk: each decision uniform over the tasks that can go. */
#include "../base/hash.h"
#include "engine.h"

static u32 seed;

static void new_run(u32 s)
{
	seed = s;
}

static __always_inline u32 draw(u64 on, u32 cur)
{
	u32 n = (u32)__builtin_popcountll(on);
	u32 k = hd_below(hd_draw(seed, cur, W->tasks[cur].n, 1), n), i;

	for (i = 0; i < 3; i++) /* no branch: k is random */
		on = i < k ? on & (on - 1) : on;
	for (; unlikely(i < k); i++)
		on &= on - 1;
	return (u32)__builtin_ctzll(on);
}

static noinline u32 pick_profiling(u64 on, u32 cur)
{
	hd_profile_decision();
	return draw(on, cur);
}

static u32 pick(u64 on, u32 cur)
{
	return unlikely(hd_eng.profiling) ? pick_profiling(on, cur) :
					    draw(on, cur);
}

const struct hd_strategy hd_random_walk = { "random", new_run, pick, NULL };
