/* SPDX-License-Identifier: MIT */
/* What cmd_run.c and its table over seeds (run_seeds.c) share. */
#ifndef TRIAGE_CMD_RUN_H
#define TRIAGE_CMD_RUN_H

#include "options.h"
#include "triage.h"

/* Schedule number i of a search: made and run.  strategy -1: the portfolio. */
struct hd_outcome run_one(struct hd_schedule *s, int strategy, u32 seed, u64 i,
			  const struct options *o);
/* What is there to choose?  Of models one run tells; done with schedule 0, and by
 * those who begin with another one. */
void run_begin(void);
int run_seeds(const struct target *t, const struct options *o, int strategy);

#endif
