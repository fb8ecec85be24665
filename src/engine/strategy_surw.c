/* SPDX-License-Identifier: MIT */
/* SURW, selectively uniform random walk: Zhao et al., "Selectively Uniform
 * Concurrency Testing", ASPLOS 2025.
 *
 * One shared word is drawn per run; the order of the ops on it is sampled
 * uniformly (a task is chosen in proportion to the ops it has left), all else
 * by random priorities.  Counts come from the profile; wrong counts skew the
 * sampling and break nothing. */
#include <string.h>

#include "../base/hash.h"
#include "engine.h"

static u64 word;
static u32 left[HD_MAX_TASKS], seed, intend;
static u64 priority[HD_MAX_TASKS];

static bool selected(u32 task)
{
	const struct hd_op *op = &W->tasks[task].op;

	return op->size && hd_is_choice(&W->tasks[task]) &&
	       op->addr < word + 4 && word < op->addr + op->size;
}

static u32 weighted(hd_tasks mask, u32 after)
{
	return hd_weighted(left, mask,
			   hd_draw(seed, after, W->tasks[after].n, 5));
}

static void new_run(u32 s)
{
	u32 i, k;

	seed = s;
	intend = 0;
	memset(left, 0, sizeof(left[0]) * W->ntasks);
	word = 0;
	if (hd_profile.nshared) {
		k = hd_below(hd_draw(s, 0, 0, 6), hd_profile.nshared);
		word = hd_profile.word[k];
		memcpy(left, hd_profile.count[k], sizeof(left[0]) * W->ntasks);
	}
	for (i = 0; i < W->ntasks; i++)
		priority[i] = hd_draw(s, i, 0, 7);
	intend = weighted(W->ready, 0);
}

static u32 by_priority(hd_tasks mask)
{
	u32 best = hd_lowest(mask);

	for (; mask; mask = hd_rest(mask)) {
		u32 i = hd_lowest(mask);

		if (priority[i] > priority[best])
			best = i;
	}
	return best;
}

static u32 pick(hd_tasks on, u32 cur)
{
	hd_tasks candidates = 0, waiting = 0, m;

	for (m = on; m; m = hd_rest(m)) {
		u32 i = hd_lowest(m);

		if (!selected(i) || i == intend)
			hd_add(&candidates, i);
		else
			hd_add(&waiting, i);
	}
	if (candidates)
		return by_priority(candidates);
	intend = weighted(waiting, cur);
	return intend;
}

static void done(u32 task)
{
	if (selected(task)) {
		if (left[task])
			left[task]--;
		intend = weighted(W->ready | hd_bit(task), task);
	}
	priority[task] = hd_draw(seed, task, W->tasks[task].n, 8);
}

const struct hd_strategy hd_surw = { "surw", new_run, pick, done };
