/* SPDX-License-Identifier: MIT */
/* POS, partial order sampling: Yuan, Yang, Gu, "Partial Order Aware
 * Concurrency Sampling", CAV 2018.
 *
 * Every pending op has a random priority; the highest runs; then the op that
 * ran and all pending ops that conflict with it draw anew. */
#include "../base/hash.h"
#include "engine.h"

static u64 priority[HD_MAX_TASKS]; /* 0: to be drawn */
static u8 redrawn[HD_MAX_TASKS]; /* times, for the op pending now */
static u32 seed;

static void new_run(u32 s)
{
	u32 i;

	seed = s;
	for (i = 0; i < W->ntasks; i++)
		priority[i] = redrawn[i] = 0;
}

u64 hd_pos_priority(u32 task)
{
	if (!priority[task])
		priority[task] = hd_draw(seed, task, W->tasks[task].n,
					 redrawn[task] << 8 | 4) | 1;
	return priority[task];
}

static u32 pick(hd_tasks on, u32 cur)
{
	u32 best = hd_lowest(on);

	(void)cur;
	for (; on; on = hd_rest(on)) {
		u32 i = hd_lowest(on);

		if (hd_pos_priority(i) > priority[best])
			best = i;
	}
	return best;
}

static void done(u32 task)
{
	const struct hd_op *op = &W->tasks[task].op;
	u32 i;

	priority[task] = redrawn[task] = 0;
	if (!op->size)
		return;
	for (i = 0; i < W->ntasks; i++)
		if (priority[i] && hd_conflict(&W->tasks[i].op, op)) {
			priority[i] = 0;
			redrawn[i]++;
		}
}

const struct hd_strategy hd_pos = { "pos", new_run, pick, done };
