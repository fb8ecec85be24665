/* SPDX-License-Identifier: MIT */
/* What came before what on the path of the unbounded search, and which other
 * orders must be tried?
 *
 * The path is a row of events, the transitions that were executed.  An event
 * happens before a later one if both are of one task, if they are dependent, or
 * if it made the later one possible; and so on transitively (vector clocks).
 * Two events are in a race if they are dependent and nothing between them orders
 * them: then the later one, with all that does not come after the earlier one,
 * must be tried in the earlier one's place (source sets: Abdulla, Aronsson,
 * Jonsson, Sagonas, "Optimal Dynamic Partial Order Reduction", POPL 2014,
 * algorithm 1).  Locks: what a task would do that cannot go on takes part in
 * races like an event (the same authors, "Source Sets", JACM 64(4), 2017,
 * section on blocking). */
#ifndef ENGINE_PATH_H
#define ENGINE_PATH_H

#include "touches.h"

/* In node (as given to hd_path_add()) one of these tasks must be tried: each
 * can begin a way on which task does its op before what was chosen there. */
struct hd_reversal {
	u32 node;
	u32 task;
	hd_tasks initials;
};

void hd_path_clear(void);
u32 hd_path_length(void);
/* Take the path back to its first n events. */
void hd_path_cut(u32 n);
/* A transition, to be the next event: what is known of it once it was executed. */
struct hd_transition {
	u32 task, node; /* chosen there */
	struct hd_op op; /* with which it began */
	struct touches did;
	hd_tasks woke;  /* tasks that could not go on before */
	bool barrier;   /* it comes after all that came before and before all
			 * that comes after */
	bool in_vain;   /* hd_in_vain() */
};
void hd_path_add(const struct hd_transition *t);
/* The races of the last event. */
const struct hd_reversal *hd_path_races(u32 *n);
/* The races of the task's pending op, which cannot be chosen: it is the task of
 * the last event. */
const struct hd_reversal *hd_path_pending_races(const struct hd_task *t, u32 *n);

#endif
