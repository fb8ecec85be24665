/* SPDX-License-Identifier: MIT */
/* A replay under gdb: what its python file (heddle-gdb.py) reads of this
 * process, and how gdb is started. */
#ifndef TRIAGE_DEBUGGER_H
#define TRIAGE_DEBUGGER_H

#include "options.h"
#include "triage.h"

/* An op in the words of the reports; or a lock is announced, by its op or by
 * hand: then op is "". */
struct debug_step {
	u64 lock;  /* its lockdep_map, or 0 */
	u32 step;  /* event of the run; 0: not executed in it */
	u32 n;     /* n-th op of the task */
	u32 task;
	char op[124], values[96], place[116]; /* "READ_ONCE x", "= 0", "a.c:7" */
};

/* Debuggers do not see macros, and the words are made before the run that they
 * watch: nothing has to be called in the middle of it. */
struct heddle_debug {
	volatile bool attached; /* set by heddle-gdb.py */
	volatile bool live;     /* the run to look at is under way */
	const struct hd_world *world;
	u64 stacks, stack_size;
	u32 nverdicts, stop_at; /* the verdict to stop at, from 0 */
	bool stuck;             /* the last one: nobody could go on */
	u8 verdict_task[HD_MAX_VERDICTS];
	char verdict[HD_MAX_VERDICTS][200];
	char task[HD_MAX_TASKS][24];
	u32 nsteps;
	struct debug_step *step; /* in the order of execution */
};
extern struct heddle_debug heddle_debug;

/* Run the schedule as the file of a replay says, under the debugger's eye if
 * there is one. */
struct hd_outcome debug_replay(const struct sched_file *f);
/* Become gdb on this program, to replay path; the options are replay's, args
 * are gdb's own.  Returns an exit status, after one line on stderr. */
int debug_start(const struct options *o, const char *path, char **args,
		int nargs);

#endif
