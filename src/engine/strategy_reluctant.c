/* SPDX-License-Identifier: MIT */
/* Reluctant: a random walk that, of tasks that are passed over before an RMW, holds
 * three of ten (holds.h), and gives a yield, after which there is all to read again,
 * eight times the weight.  What a task has read grows old before it acts on it.
 *
 * Lock-free code reads, computes, and commits by an exchange or a compare-and-swap.
 * Its bugs (ABA, a put-back that comes too late) need others to do much in between,
 * and that several times in one run.  Of the protocol of
 * triage/bench/programs/safe_stack.c, with each atomic op and yield a choice among
 * three threads, a uniform walk hits 1 run in 1,340,000; with a fifth of the weight
 * for RMWs, and twice as much for yields, it is 1 in 97,000, and this here 1 in
 * 66,000 (20 million runs of a simulation each; with 2, 4 or 5 of ten held, or other
 * weights, 61,000 to 84,000).  To hold at every op makes it worse (1 in 700,000).
 * Locks are no RMWs: without these and yields this is the uniform walk. */
#include "../base/hash.h"
#include "holds.h"

enum { TENTHS = 3, YIELD_WEIGHT = 8 };

static struct hd_holds holds;
static u32 seed;

static void new_run(u32 s)
{
	seed = s;
	holds.held = 0;
}

static __always_inline u32 weight(u32 task)
{
	return W->tasks[task].op.flags & HD_YIELD ? YIELD_WEIGHT : 1;
}

static u32 walk(hd_tasks on, u32 cur)
{
	u32 total = 0, k;
	hd_tasks m;

	for (m = on; m; m = hd_rest(m))
		total += weight(hd_lowest(m));
	k = hd_below(hd_draw(seed, cur, W->tasks[cur].n, 14), total);
	for (m = on; k >= weight(hd_lowest(m)); m = hd_rest(m))
		k -= weight(hd_lowest(m));
	return hd_lowest(m);
}

static u32 pick(hd_tasks on, u32 cur)
{
	hd_tasks m = hd_holds_free(&holds, on);
	u32 next = walk(m, cur);

	for (; m; m = hd_rest(m)) {
		u32 i = hd_lowest(m);

		if (i != next && W->tasks[i].op.kind == HD_RMW &&
		    hd_below(hd_draw(seed, i, W->ops, 19), 10) < TENTHS)
			hd_add(&holds.held, i);
	}
	return next;
}

static void done(u32 task)
{
	hd_holds_done(&holds, task);
}

const struct hd_strategy hd_reluctant = { "reluctant", new_run, pick, done };
