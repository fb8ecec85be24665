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
	u64 drawn = hd_draw(seed, cur, W->cur->n, 1);

	return hd_nth(on, hd_below(drawn, hd_count(on)));
}

/* Inline is what nearly always is asked: one of few tasks. */
static noinline u32 pick_of_many(hd_tasks on, u32 cur)
{
	return draw(on, cur);
}

static u32 pick(hd_tasks on, u32 cur)
{
	return likely(!(on >> 64)) ? draw((u64)on, cur) : pick_of_many(on, cur);
}

const struct hd_strategy hd_random_walk = { "random", new_run, pick, NULL };
