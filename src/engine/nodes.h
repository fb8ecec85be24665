/* SPDX-License-Identifier: MIT */
/* The points of the path that the exhaustive search stands on, and what is still
 * to be tried at each.
 *
 * A node is a point where a turn is given away, or where the transition under way
 * asks for an answer.  It says who or what is to be tried there, from which
 * snapshot, and what need not be tried because it is covered elsewhere. */
#ifndef ENGINE_NODES_H
#define ENGINE_NODES_H

#include "explore.h"
#include "path.h"

struct node {
	u64 snapshot;      /* position in the arena */
	u32 touches;       /* used when the node was made */
	u32 events;        /* on the path when the node was made */
	hd_tasks can;      /* tasks that can be chosen */
	hd_tasks on;       /* of these, tasks worth choosing: see hd_in_vain() */
	hd_tasks wanted;   /* tasks (or answers) that must be tried */
	hd_tasks todo;     /* of these, still to be tried */
	hd_tasks sleep;    /* tasks not to be tried: covered elsewhere */
	struct touches *by_task; /* of sleeping and finished tasks */
	struct touches partial; /* asking: what the transition did so far */
	struct hd_op op;   /* with which the transition began */
	struct hd_touch_sum *sum; /* what it touched, with all answers */
	u32 cur;           /* who ran last */
	u32 cur_n;
	u32 preemptions;
	u16 nchoices, nfallible; /* of cur, for schedules */
	u8 asking;         /* 0: whose turn; else enum HD_ASK_* */
	u8 chosen;
	u8 failures, signals;
	u8 usual;          /* whose turn it is without an edit */
	u8 tried;          /* of the wanted ones */
	bool cur_on, cur_yields;
	bool late;         /* only tasks for which time has to pass */
	bool interrupts;   /* chosen: a handler that comes on cur's CPU */
	bool asked;        /* the chosen transition stopped to ask */
	bool in_vain;      /* and this is what it was */
};

/* --- source sets -----------------------------------------------------------------
 *
 * Unbounded, one task is tried at first, and another one only where a race found
 * later asks for it (path.h).  Handlers depend on more than what they touch: with
 * them every task is tried, and the sleep sets alone reduce. */

static inline bool hd_sleeps(const struct hd_explore *x)
{
	return x->bound < 0 && !x->unreduced;
}

static inline bool hd_by_sources(const struct hd_explore *x)
{
	return hd_sleeps(x) && !x->all_turns && !hd_eng.handlers;
}

extern struct node *hd_nodes;
extern u32 hd_depth;

void hd_nodes_clear(void);
/* The world stands at a new point: make it a node, with what is to be tried; did:
 * the transition that led there.  NULL: nothing is. */
struct node *hd_node_push(struct hd_explore *x, const struct touches *did);
void hd_node_pop(void);
void hd_node_restore(const struct node *n);
/* The world stands at n: is choosing the task a preemption? */
u32 hd_node_cost(const struct node *n, u32 task);
/* The task (or answer) to try first: stay, else the lowest number. */
u32 hd_node_first(const struct node *n, hd_tasks tasks);
/* Of the tasks that can be chosen: without those in vain, unless there are no
 * others: their owners are blocked as well then, and a deadlock is to be seen. */
hd_tasks hd_worth_choosing(const struct hd_explore *x, hd_tasks can);
/* These must be tried at n as well. */
void hd_node_want(struct node *n, hd_tasks tasks);
void hd_nodes_reverse(const struct hd_reversal *r, u32 n);
/* An estimate of the share of the search that is behind it, 0 to 1. */
double hd_nodes_done(void);

#endif
