/* SPDX-License-Identifier: MIT */
/* Hold: URW, but some of the tasks that are passed over are held (holds.h).
 *
 * URW makes all orders equally likely, and of long runs nearly all are fine-grained:
 * that one task gets far while another stands still, or that two sections come one
 * after the other, is rare.  Here each op on a shared word is one to be held at or
 * not, with a chance that is drawn for the run: from URW to runs in which whoever is
 * passed over waits until it matters.  Over 80 buggy variants (geometric means) URW
 * needs 60 schedules, this 17, as reads-from steering; of the 12 that need most
 * 6,700, 190 and 530.
 *
 * Eager: the same with the cubes of what tasks have left as weights, and where only
 * those before a write are held.  Whoever has most before it goes ahead, the others
 * stand before what they are about to do with what they read.  Where there are few
 * orders no other strategy is as quick: workload (c) of `make bench` needs 5 schedules
 * (URW 9, hold 12, rf 17).  For deep bugs it is no good (1,200 for those 12). */
#include "../base/hash.h"
#include "holds.h"

static struct hd_holds holds;
static u32 seed, percent;
static bool eager;

static void new_run(u32 s)
{
	eager = hd_eng.strategy == &hd_eager;
	hd_urw.new_run(s);
	seed = s;
	percent = hd_below(hd_draw(s, 0, 0, 16), 100);
	holds.held = 0;
}

static bool is_to_be_held(u32 task)
{
	const struct hd_task *t = &W->tasks[task];

	return hd_is_choice(t) && (!eager || t->op.flags & HD_WRITE) &&
	       hd_below(hd_draw(seed, task, t->n, 17), 100) < percent;
}

/* Before an op that is no choice every other task goes at once: to let them always go
 * would be blind for what depends on who was waiting. */
static bool goes_at_once(u32 task)
{
	const struct hd_task *t = &W->tasks[task];

	return !hd_is_choice(t) && !hd_has(W->to_come, task) &&
	       hd_draw(seed, task, t->n, 19) >> 63;
}

static u32 pick(hd_tasks on, u32 cur)
{
	hd_tasks free = hd_holds_free(&holds, on), m;
	u32 next;

	for (m = free; m; m = hd_rest(m))
		if (goes_at_once(hd_lowest(m)))
			return hd_lowest(m);
	next = hd_urw_draw(free, cur, eager ? 3 : 1);
	for (m = free; m; m = hd_rest(m))
		if (hd_lowest(m) != next && is_to_be_held(hd_lowest(m)))
			hd_add(&holds.held, hd_lowest(m));
	return next;
}

static void done(u32 task)
{
	hd_urw.done(task);
	hd_holds_done(&holds, task);
}

const struct hd_strategy hd_hold = { "hold", new_run, pick, done };
const struct hd_strategy hd_eager = { "eager", new_run, pick, done };
