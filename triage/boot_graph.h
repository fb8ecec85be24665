/* SPDX-License-Identifier: MIT */
/* Lock orders of many runs in one graph; see boot_graph.c. */
#ifndef TRIAGE_BOOT_GRAPH_H
#define TRIAGE_BOOT_GRAPH_H

#include <heddle/types.h>

struct lockdep_order {
	const char *from, *to; /* classes: to was taken while from was held */
	u32 run;               /* that showed it first, from 1 */
};

struct lockdep_cycle {
	u8 verdict;            /* circular, irq-inversion ... */
	const char *class;     /* the first that takes part */
	u32 n;
	struct lockdep_order edge[17]; /* the last one closed the cycle */
};

void lockdep_boot_start(void);
/* Add the orders of the run that was just made; *is_new: it brought some.
 * false: they and those of
 * earlier runs make a report, which is then in *cycle; nothing is added any
 * more. */
bool lockdep_boot_join(u32 run, struct lockdep_cycle *cycle, bool *is_new);

#endif
