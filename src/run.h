/* SPDX-License-Identifier: MIT */
/* One run, from the outside.  The outcome lies in the world: it is valid until
 * the next run. */
#ifndef SRC_RUN_H
#define SRC_RUN_H

#include <heddle/heddle.h>

#include "engine/schedule.h"

struct hd_outcome {
	const struct hd_verdict *verdicts; /* in the order they were raised */
	u32 nverdicts;
	u64 hash;  /* trace hash: over the events, never PCs or addresses */
	u32 ops, preemptions, switches, choices;
};

/* Load a variant; NULL, or one line that says why it cannot be run. */
const char *hd_open(const struct heddle_scenario *s,
		    const struct heddle_variant *v);
struct hd_outcome hd_run(const struct hd_schedule *s);
/* The same, and hd_eng.log holds every event with its stack. */
struct hd_outcome hd_run_with_log(const struct hd_schedule *s);

#endif
