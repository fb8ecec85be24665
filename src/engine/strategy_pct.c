/* SPDX-License-Identifier: MIT */
/* PCT: Burckhardt et al., "A Randomized Scheduler with Probabilistic
 * Guarantees of Finding Bugs", ASPLOS 2010.
 *
 * Random distinct priorities; the highest runs; at d-1 random decisions the
 * running task falls below all others.  The depth d cycles through 2, 3, 5, 10
 * with the seed; k, the number of decisions, comes from the profile.
 * Deviation: a task that waits in an await loop also falls, else it could
 * starve the task it waits for. */
#include "../base/hash.h"
#include "engine.h"

enum { MAX_DEPTH = 10 };

static s64 priority[HD_MAX_TASKS];
static u32 change[MAX_DEPTH], nchanges, decision;
static s64 lowest;

static void new_run(u32 seed)
{
	static const u32 depths[] = { 2, 3, 5, 10 };
	u32 k = hd_profile.decisions ? hd_profile.decisions : 1, i;

	for (i = 0; i < W->ntasks; i++)
		priority[i] = (s64)(hd_draw(seed, i, 0, 2) >> 2) + 1;
	nchanges = depths[seed & 3] - 1;
	for (i = 0; i < nchanges; i++)
		change[i] = 1 + hd_below(hd_draw(seed, i, 0, 3), k);
	decision = 0;
	lowest = 0;
}

static u32 highest(hd_tasks on)
{
	u32 best = hd_lowest(on);

	for (; on; on = hd_rest(on)) {
		u32 i = hd_lowest(on);

		if (priority[i] > priority[best])
			best = i;
	}
	return best;
}

static u32 pick(hd_tasks on, u32 cur)
{
	u32 i;

	decision++;
	if (W->tasks[cur].op.flags & HD_YIELD)
		priority[cur] = --lowest;
	for (i = 0; i < nchanges; i++)
		if (change[i] == decision)
			priority[highest(on)] = --lowest;
	return highest(on);
}

const struct hd_strategy hd_pct = { "pct", new_run, pick, NULL };
