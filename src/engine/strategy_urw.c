/* SPDX-License-Identifier: MIT */
/* URW, uniform random walk: the base of SURW in Zhao et al., "Selectively Uniform
 * Concurrency Testing", ASPLOS 2025.
 *
 * At each decision a task is chosen in proportion to the ops on shared words that
 * it has left, which makes all orders of these ops equally likely where tasks do
 * not block and counts are right.  A task before another op goes at once: that
 * decides nothing, unless it is a handler's coming.  Counts come from the profile;
 * a task that has used up its own counts as if it had one left. */
#include <string.h>

#include "../base/hash.h"
#include "engine.h"

static u32 left[HD_MAX_TASKS], seed;

static void new_run(u32 s)
{
	u32 i, t;

	seed = s;
	memset(left, 0, sizeof(left));
	for (i = 0; i < hd_profile.nshared; i++)
		for (t = 0; t < W->ntasks; t++)
			left[t] += hd_profile.count[i][t];
	for (t = 0; t < W->ntasks; t++)
		left[t] += !left[t];
}

static u32 power_of(u32 x, u32 n)
{
	return n == 1 ? x : x * power_of(x, n - 1);
}

u32 hd_urw_draw(hd_tasks on, u32 cur, u32 power)
{
	enum { MOST = 255 }; /* the cubes of all tasks add up to less than 2^32 */
	u32 weight[HD_MAX_TASKS];
	hd_tasks m;

	for (m = on; m; m = hd_rest(m)) {
		u32 i = hd_lowest(m), x = left[i];

		weight[i] = power_of(power > 1 && x > MOST ? MOST : x, power);
	}
	return hd_weighted(weight, on, hd_draw(seed, cur, W->tasks[cur].n, 15));
}

static u32 pick(hd_tasks on, u32 cur)
{
	hd_tasks m;

	for (m = on & ~W->to_come; m; m = hd_rest(m))
		if (!hd_is_choice(&W->tasks[hd_lowest(m)]))
			return hd_lowest(m);
	return hd_weighted(left, on, hd_draw(seed, cur, W->tasks[cur].n, 15));
}

static void done(u32 task)
{
	if (left[task] > 1 && hd_is_choice(&W->tasks[task]))
		left[task]--;
}

const struct hd_strategy hd_urw = { "urw", new_run, pick, done };
