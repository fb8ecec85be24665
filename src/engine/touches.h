/* SPDX-License-Identifier: MIT */
/* What has a transition touched, and does the order of two of them matter?
 *
 * Lists of memory ranges and of keys that oracles order on, in an arena that the
 * search keeps like a stack.  Two transitions are dependent if their lists have
 * a common byte that one of them writes, unless both only add to the same
 * range. */
#ifndef ENGINE_TOUCHES_H
#define ENGINE_TOUCHES_H

#include "engine.h"

struct touches {
	u32 at, n;     /* in the arena */
	bool all;      /* conflicts with everything */
	u64 any, written; /* a hash of the words, a bit each: most lists that
			   * have nothing in common differ there */
};

/* Where the arena ends; hd_touches_cut() takes it back to there. */
u32 hd_touches_used(void);
void hd_touches_cut(u32 used);
/* Keep what the transition under way has touched (hd_eng.touch). */
struct touches hd_touches_keep(void);
/* Go on with a transition that was kept when it stopped to ask. */
void hd_touches_take_up(const struct touches *t);
/* What a transition touches that asks, over all answers; no arena. */
struct hd_touch_sum {
	struct hd_touch touch[256];
	u32 n;
	bool all;
};
void hd_touches_clear_sum(struct hd_touch_sum *s);
void hd_touches_add(struct hd_touch_sum *s, const struct touches *t);
struct touches hd_touches_of_sum(const struct hd_touch_sum *s);
/* What the task's op would touch, which is pending and cannot be chosen: its
 * range, and for an await the words it watches.  Nothing is kept. */
struct touches hd_touches_of_pending(const struct hd_task *t);
/* Is the pending op an attempt at a lock that is taken, by a task that can then only
 * wait?  That it came before the unlock makes no difference to anybody, and it
 * writes nothing. */
bool hd_in_vain(const struct hd_task *t);
void hd_touches_forget_write(u64 addr);
bool hd_dependent(const struct touches *a, const struct touches *b);

#endif
