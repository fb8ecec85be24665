/* SPDX-License-Identifier: MIT */
/* For strategies: tasks that are held back where they are.
 *
 * A task that is held goes on only after another one has done something that is in
 * conflict with its pending op, or when nobody else can go: what it did before has
 * grown old by then.  To let it go sooner would be the order that is tried where it
 * is not held: this is the sleep set of partial-order reduction (Godefroid, 1996),
 * by chance instead of for all. */
#ifndef ENGINE_HOLDS_H
#define ENGINE_HOLDS_H

#include "engine.h"

struct hd_holds {
	hd_tasks held;
};

/* Of the tasks in on, those that are not held; if all are, all are let go. */
static inline hd_tasks hd_holds_free(struct hd_holds *h, hd_tasks on)
{
	if (!(on & ~h->held))
		h->held = 0;
	return on & ~h->held;
}

/* The task's pending op is executed now: it lets go of those it conflicts with. */
static inline void hd_holds_done(struct hd_holds *h, u32 task)
{
	hd_tasks m;

	hd_remove(&h->held, task);
	for (m = h->held; m; m = hd_rest(m))
		if (hd_conflict(&W->tasks[hd_lowest(m)].op,
				&W->tasks[task].op))
			hd_remove(&h->held, hd_lowest(m));
}

#endif
