/* SPDX-License-Identifier: MIT */
/* The composition root: schedule + scenario + oracles in, verdicts out.
 *
 *   bytes -> schedule -> engine -> kernel, mm -> events -> oracles -> verdict
 *
 * Everything flows to the right, and only this file knows all of it: it tells
 * the engine which oracles and checks subscribe to its events, runs one
 * schedule of the loaded variant, and hands out what they said. */
#include "run.h"

#include "engine/engine.h"
#include "kernel/kernel.h"
#include "mm/check.h"
#include "oracle/oracle.h"
#include "posix/program.h"

static void start_oracles(void)
{
	hd_lockdep_start();
	hd_progress_start();
	mm_checks_start(); /* may know a freed object by its own name */
	hd_lifetime_start();
	hd_race_start();
}

static void start_daemons(void)
{
	hd_boot_daemons();
	hd_race_tasks();
}

const char *hd_open(const struct heddle_scenario *s,
		    const struct heddle_variant *v)
{
	static const struct hd_parts parts = {
		.oracles = start_oracles,
		.primitives = hd_boot_primitives,
		.daemons = start_daemons,
	};

	const char *why;

	hd_eng.shared_stack = HD_NO_STACK;
	hd_eng.program = HD_NO_PROGRAM;
	hd_eng.many_reads = NULL; /* of the program's set-up */
	if (s->tasks != hd_program_table)
		return hd_load(s, v, &parts);
	hd_eng.shared_stack = HD_STACK_BASE;
	hd_eng.program = HD_COUNTS_THREADS;
	hd_program_all_tasks();
	why = hd_load(s, v, &parts);
	if (why)
		return why;
	hd_program_cut_tasks();
	hd_eng.program = HD_PROGRAM;
	return hd_load(s, v, &parts);
}

static struct hd_outcome outcome(void)
{
	struct hd_outcome o = {
		.verdicts = W->verdicts,
		.nverdicts = W->nverdicts,
		.hash = W->hash,
		.ops = W->ops,
		.preemptions = W->preemptions,
		.switches = W->switches,
		.choices = W->choices,
	};

	return o;
}

struct hd_outcome hd_run(const struct hd_schedule *s)
{
	hd_run_schedule(s);
	return outcome();
}

struct hd_outcome hd_run_with_log(const struct hd_schedule *s)
{
	hd_run_recorded(s);
	return outcome();
}
