/* SPDX-License-Identifier: MIT */
/* What the parts of a fuzz target share: harness.c runs inputs, feedback.c
 * turns events into features, conflicts.c finds what could have come the other way
 * round, mutator.c makes new inputs, serve.c hands them to other engines, findings.c
 * hands verdicts over, engine.c is main() where we own it. */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include "../src/engine/engine.h"
#include "../src/run.h"

/* --- conflicts.c ------------------------------------------------------------- */

/* Two ops of two tasks on one word, one of them writing.  first was executed
 * before second, and only the word was in the way of the other order. */
struct fuzz_conflict {
	u16 first_n, second_n; /* op numbers, from 1 */
	u8 first, second;      /* tasks */
	u32 first_pc, second_pc;
};

/* What the mutator wants to know about the run of an input. */
enum { FUZZ_MAX_CONFLICTS = 64 };
struct fuzz_trace {
	u64 key; /* fuzz_key() of the input, 0: none */
	u32 nconflicts; /* kept */
	u32 met;        /* seen; beyond the room a fixed sample is kept */
	struct fuzz_conflict conflict[FUZZ_MAX_CONFLICTS];
	u32 ntasks;
	u16 ops[HD_MAX_TASKS], choices[HD_MAX_TASKS], fallible[HD_MAX_TASKS];
};

/* Who wrote a word last; pc 0: nobody. */
struct fuzz_writer {
	u32 pc;
	bool other; /* another task */
};

void fuzz_conflicts_begin(void);
/* t executed op; addr: of one of the words that it is about; at_once: t executed
 * the op before this one, too. */
struct fuzz_writer fuzz_conflicts_op(const struct hd_op *op,
				     const struct hd_task *t, u64 addr,
				     bool at_once);
/* t synchronised by something else than a word. */
void fuzz_conflicts_sync(const struct hd_task *t);
void fuzz_conflicts_end(struct fuzz_trace *trace);
/* Were two such ops executed the other way round, in any run so far? */
bool fuzz_seen_reversed(const struct fuzz_conflict *c);

/* --- feedback.c -------------------------------------------------------------- */

/* FRESH: report only features that this process never reported.  Known ones
 * cost libFuzzer 50-80 ns each and tell it nothing new.  ALL: each feature of
 * the run, once (merging, engines that count paths).  NONE: no features, the
 * trace alone.  UNCOUNTED: as FRESH, but nothing counts as reported:
 * libFuzzer executes the empty input once without looking at the counters. */
enum fuzz_report { FUZZ_NONE, FUZZ_FRESH, FUZZ_ALL, FUZZ_UNCOUNTED };

void fuzz_feedback_start(void); /* after hd_open() */
void fuzz_feedback_begin(enum fuzz_report report);
/* Number of features reported for this run; fills trace. */
u32 fuzz_feedback_end(struct fuzz_trace *trace);

/* --- harness.c --------------------------------------------------------------- */

/* Load a scenario variant, once per process; NULL variant: the first.  One
 * line on stderr and false if it cannot be run. */
bool fuzz_open(const char *scenario, const char *variant);
/* Run an input for its trace alone. */
void fuzz_trace_input(const u8 *data, size_t size, struct fuzz_trace *trace);
/* As fuzz_trace_input(), from the cache if it is there. */
const struct fuzz_trace *fuzz_trace_of(const u8 *data, size_t size);
u64 fuzz_key(const u8 *data, size_t size);
extern u64 fuzz_runs; /* so far, those for traces included */

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

/* --- mutator.c --------------------------------------------------------------- */

enum { FUZZ_MAX_EDITS = 16 }; /* more explain nothing that fewer do not */
extern bool fuzz_mutate_bytes; /* leave it to LLVMFuzzerMutate(), if there */

size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t max_size,
			       unsigned int seed);
size_t LLVMFuzzerCustomCrossOver(const u8 *data1, size_t size1,
				 const u8 *data2, size_t size2, u8 *out,
				 size_t max_size, unsigned int seed);

/* --- serve.c ----------------------------------------------------------------- */

_Noreturn void fuzz_serve(void);

/* --- findings.c -------------------------------------------------------------- */

/* dir: where each new signature is saved; "": nowhere; NULL: the first verdict aborts.
 * fd: the supervisor's pipe, -1: none.  want: kind of verdict, 0: any. */
void fuzz_findings_start(const char *dir, int fd, int want);
/* Look at the verdicts of the run of data that has just ended. */
void fuzz_findings_look(const struct hd_outcome *o, const u8 *data,
			size_t size);

#endif
