/* SPDX-License-Identifier: MIT */
/* The list of strategies, and which one is next in a search.  Numbers are part of
 * the schedule format. */
#include <string.h>

#include "../base/hash.h"
#include "engine.h"

static const struct hd_strategy *const by_id[] = {
	&hd_run_to_block, &hd_random_walk, &hd_pct, &hd_pos, &hd_surw,
	&hd_rf, &hd_reluctant, &hd_urw, &hd_hold, &hd_eager,
};

const struct hd_strategy *hd_strategy_by_id(u8 id)
{
	return by_id[id % ARRAY_SIZE(by_id)];
}

int hd_strategy_id(const char *name)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(by_id); i++)
		if (!strcmp(by_id[i]->name, name))
			return (int)i;
	return -1;
}

u32 hd_weighted(const u32 *weight, hd_tasks mask, u64 drawn)
{
	u32 total = 0, k;
	hd_tasks m;

	for (m = mask; m; m = hd_rest(m))
		total += weight[hd_lowest(m)];
	k = hd_below(drawn, total ? total : 1);
	for (m = mask; m; m = hd_rest(m)) {
		u32 i = hd_lowest(m);

		if (!total || k < weight[i])
			return i;
		k -= weight[i];
	}
	return 0;
}

/* --- a search ------------------------------------------------------------- */

enum { PCT = 2, SURW = 4, RF = 5, RELUCTANT = 6, HOLD = 8, EAGER = 9 };
static const u8 of_model[] = { HOLD, RF, HOLD, SURW, HOLD, RF,
			       HOLD, PCT, RF, HOLD, EAGER, RF };
/* Where there are few orders eager is the quickest, so as many schedules of it come
 * before the others' turns. */
enum { OPENING = 4 };
/* Few schedules are enough for most bugs of programs, and reads-from steering then
 * needs fewest; each of the others finds something that it does not. */
static const u8 of_program[] = { RF, RF, HOLD, RF, RF, SURW,
				 RF, RF, HOLD, RELUCTANT };

/* What a program does not show in as many schedules needs a long run of luck, and no
 * strategy leads to it: of the schedules beyond, four of five are of the walk that has
 * most of it. */
enum { MANY = 2000, SHARE = 5 };

static u8 in_turn(u64 i)
{
	if (!hd_eng.program && i < OPENING)
		return EAGER;
	if (!hd_eng.program)
		return of_model[(i - OPENING) % ARRAY_SIZE(of_model)];
	if (i >= MANY && i % SHARE)
		return RELUCTANT;
	if (i >= MANY)
		i /= SHARE;
	return of_program[i % ARRAY_SIZE(of_program)];
}

void hd_search_schedule(struct hd_schedule *s, int strategy, u32 seed, u64 i)
{
	hd_schedule_clear(s);
	s->strategy = strategy < 0 ? in_turn(i) : (u8)strategy;
	s->seed = (u32)hd_mix(((u64)seed << 32) + i + 1);
}
