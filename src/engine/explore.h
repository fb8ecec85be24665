/* SPDX-License-Identifier: MIT */
/* Exhaustive search, depth-first, with snapshots of the world at branches.
 *
 * Unbounded: source sets (Abdulla, Aronsson, Jonsson, Sagonas, "Optimal Dynamic
 * Partial Order Reduction", POPL 2014) say who must be tried where, and sleep sets
 * (Godefroid, "Partial-Order Methods for the Verification of Concurrent Systems",
 * 1996) that no equivalence class is run twice: one complete run per class.  Paths
 * that are begun although they are covered elsewhere are cut; with source sets
 * there are few.  What a transition touched is known after it ran, notes of checks
 * and lock-order edges included; what a task that cannot go on would do, and who
 * was let go on by whom, is part of the order.  An attempt at a mutex or spinlock
 * that is taken and a wait until it is free are the same, so the attempt is made
 * only where nobody else can go on.  With interrupt handlers every task is tried
 * everywhere, and only the sleep sets reduce.
 *
 * Bounded by preemptions: no sleep sets (they lose states under a bound), but
 * state caching: a state is expanded again only if it is reached with more
 * preemptions left.  A state is all that decides the future: memory, what each
 * task has seen, the oracles' state, the verdicts so far, and the running task
 * where leaving it would cost.  States are told apart by a 64-bit hash. */
#ifndef ENGINE_EXPLORE_H
#define ENGINE_EXPLORE_H

#include "engine.h"

struct hd_explore {
	/* in */
	int bound;          /* preemptions; -1: unbounded */
	u64 max_runs;       /* 0: no limit */
	u64 max_states;     /* 0: no limit */
	u32 max_failures, max_signals; /* of one run */
	bool unreduced;     /* no reduction at all (for tests) */
	bool all_turns;     /* sleep sets without source sets (for tests) */
	bool all_runs;      /* found() after runs without a verdict, too */
	/* With a bound: what of the past is part of the state, besides what
	 * decides the future; NULL: nothing. */
	u64 (*past)(void *arg);
	/* Called at the end of each run that raised a verdict; the world is in
	 * its final state.  Returns false to stop the search. */
	bool (*found)(struct hd_explore *x, void *arg);
	/* Called every now and then, within runs too; may set stop. */
	void (*progress)(struct hd_explore *x, void *arg);
	void *arg;
	bool stop;
	double done; /* in progress(): an estimate of the share that is done */
	/* out */
	u64 runs;    /* complete runs: with sleep sets, equivalence classes */
	u64 cut;     /* paths ended by the reduction */
	u64 states;  /* transitions executed */
	u64 spared;  /* not executed again: those that had led to a snapshot */
	u64 marks;   /* reach goals met in any run */
	u64 hashes;  /* sum over the runs' trace hashes, mixed */
	u32 depth;   /* longest path */
	bool complete;
	bool limited; /* some run ended in a limit verdict */
};

void hd_explore_run(struct hd_explore *x);
/* In found(): the schedule of this run, edits over run-to-block. */
void hd_explore_schedule(struct hd_schedule *s);

#endif
