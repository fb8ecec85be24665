/* SPDX-License-Identifier: MIT */
/* Random walk: each decision uniform over the tasks that can go. */
#include "../base/hash.h"
#include "engine.h"

static u32 seed;

static void new_run(u32 s)
{
	seed = s;
}

static __always_inline u32 draw(hd_tasks on, u32 cur)
{
	u64 drawn = hd_draw(seed, cur, W->tasks[cur].n, 1);

	return hd_nth(on, hd_below(drawn, hd_count(on)));
}

static noinline u32 pick_at_length(hd_tasks on, u32 cur)
{
	if (hd_eng.profiling)
		hd_profile_decision();
	return draw(on, cur);
}

/* Inline is what nearly always is asked: one of few tasks, in a search. */
static u32 pick(hd_tasks on, u32 cur)
{
	if (unlikely(hd_eng.profiling || on >> 64))
		return pick_at_length(on, cur);
	return draw((u64)on, cur);
}

const struct hd_strategy hd_random_walk = { "random", new_run, pick, NULL };
