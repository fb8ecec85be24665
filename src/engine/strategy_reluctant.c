/* SPDX-License-Identifier: MIT */
/* Reluctant: a random walk in which an RMW has a fifth of the weight of any other
 * op, and a yield, after which there is all to read again, twice as much.  What a
 * task has read grows old before it acts on it.
 *
 * Lock-free code reads, computes, and commits by an exchange or a compare-and-swap.
 * Its bugs (ABA, a put-back that comes too late) need others to do much in between,
 * and that several times in one run.  Of the protocol of
 * triage/bench/programs/safe_stack.c, with each atomic op and yield a choice among
 * three threads, a uniform walk hits 1 run in 1,340,000; with weights of a half, a
 * fourth, a fifth and a tenth for RMWs it is 1 in 267,000, 129,000, 120,000 and
 * 139,000; with a fifth, and the weight of yields, 1 in 107,000 (computed over the
 * protocol's states, not sampled).  Less weight for stores, too, made it worse; so
 * did staying with a task.  Locks are no RMWs: without these and yields this is the
 * uniform walk. */
#include "../base/hash.h"
#include "engine.h"

enum { RMW_WEIGHT = 1, WEIGHT = 5, YIELD_WEIGHT = 10 };

static u32 seed;

static void new_run(u32 s)
{
	seed = s;
}

static __always_inline u32 weight(u32 task)
{
	const struct hd_op *op = &W->tasks[task].op;

	if (op->kind == HD_RMW)
		return RMW_WEIGHT;
	return op->flags & HD_YIELD ? YIELD_WEIGHT : WEIGHT;
}

static u32 pick(hd_tasks on, u32 cur)
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

const struct hd_strategy hd_reluctant = { "reluctant", new_run, pick, NULL };
