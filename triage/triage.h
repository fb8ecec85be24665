/* SPDX-License-Identifier: MIT */
/* What the verbs share: finding scenarios, running, files, the result line. */
#ifndef TRIAGE_TRIAGE_H
#define TRIAGE_TRIAGE_H

#include <heddle/heddle.h>
#include <heddle/program.h>
#include <stdio.h>

#include "../src/engine/engine.h"
#include "../src/engine/explore.h"
#include "../src/run.h"

enum { EXIT_CLEAN = 0, EXIT_VERDICT = 1, EXIT_USAGE = 2, EXIT_INCOMPLETE = 3,
       EXIT_FAULT = 70 };

/* --- scenario.c: SCENARIO[:VARIANT][+CALL,CALL...] --------------------------- */
struct target {
	const struct heddle_scenario *scenario;
	const struct heddle_variant *variant;
	char calls[96]; /* all that the scenario may call; "": no limit */
};
bool only_one_scenario(void); /* then verbs need not be told which */
/* Iterate the linked scenarios; NULL at the end. */
const struct heddle_scenario *scenario_at(u32 i);
/* Linked in beside them, for campaigns of what heddle-cc built; or NULL. */
const struct heddle_scenario *hidden_canary(void);
/* One line on stderr and false if there is no such thing.  Without :VARIANT the
 * first variant is taken. */
bool target_parse(const char *arg, struct target *t);
bool target_open(const struct target *t); /* hd_open(), line on stderr */
bool variant_expects(const struct heddle_variant *v, u8 verdict);
/* The preemptions that show, or fail to show, what the variant declares; -1: no
 * bound. */
int declared_bound(const struct heddle_variant *v);
/* The mail or commit of this form, else of the scenario; may be NULL. */
/* Not a model of something, but the thing itself (heddle-cc of a main()). */
static inline bool is_program(const struct heddle_scenario *s)
{
	return s->tasks == hd_program_table;
}
const char *variant_source(const struct heddle_scenario *s,
			   const struct heddle_variant *v);

/* --- sched_text.c: the text form of a schedule (.sched, version 1) ------------ */
struct sched_file {
	struct target target;
	char scenario[64], variant[64];
	struct hd_schedule schedule;
	u64 model_id;
	bool has_record;        /* verdicts and hash below were recorded */
	u64 hash;
	u32 nsignatures;
	char signature[HD_MAX_VERDICTS][160];
	char want[160];         /* the wanted signature, may be empty */
	/* how it was found and what was proved, free text lines kept verbatim */
	char proof[256];
	/* Not read for this alone: an edit's place is nowhere in this build.  What
	 * is above is the file's, and the schedule goes up to that edit. */
	bool moved;
};
/* Read FILE ("-": stdin): text, or the binary form for the given target.
 * One line on stderr, false on anything wrong (version, names, numbers,
 * anchors).  Re-anchors drifted edits by their site and says so on stderr. */
bool sched_read(const char *path, struct sched_file *f);
/* Write through a temporary file and rename; path "-": stdout; a path that ends
 * in .bin gets the binary form.  Runs the
 * schedule (recorded) to fill in statements, sites, verdicts and hash. */
bool sched_write(const char *path, struct sched_file *f);
/* The same text to an open file. */
bool sched_print(FILE *out, struct sched_file *f);

/* --- search.c ------------------------------------------------------------------ */
/* Signature of a verdict with field names. */
void verdict_signature(const struct hd_verdict *v, char *buf, size_t size);
/* Title line, e.g. "lock held when returning to user space: vm_lock, task fault" */
void verdict_title(const struct hd_verdict *v, char *buf, size_t size);
/* Turn what the last hd_run_with_log() did into edits over run-to-block. */
void realised_schedule(struct hd_schedule *out);
struct min_result {
	struct hd_schedule schedule;
	u32 preemptions, choices, switches, ops;
	u32 reduced;          /* preemptions after reduction, before the proof */
	bool proved;          /* fewer preemptions exhausted */
	u32 exhausted;        /* ... up to this many (preemptions - 1) */
	char why_not[80];
	u32 replays;
	u64 proof_runs;
	double reduce_seconds, proof_seconds;
};
/* Smallest schedule that still shows signature; orders by (preemptions,
 * choices, other verdicts, switches, ops).  start may be NULL. */
bool minimise(const struct target *t, const char *signature,
	      const struct hd_schedule *start, struct min_result *out);

/* --- report.c and out_*.c: reports of one schedule ------------------------------- */
struct report {
	struct target target;
	struct hd_schedule schedule;
	const char *file;     /* what `heddle replay` is to be given, or NULL */
	char want[160];       /* the verdict to explain: a signature or empty (first) */
	bool min_known;       /* the lines about fewer preemptions can be printed */
	bool proved;
	u32 exhausted;
};
/* Does its run raise the wanted verdict, or is none wanted? */
bool report_shows(const struct report *r);
/* Runs the schedule recorded and prints. */
void report_text(FILE *out, const struct report *r, bool color);
void report_mail(FILE *out, const struct report *r); /* 72 columns, ASCII */
void report_json(FILE *out, const struct report *r);
void report_html(FILE *out, const struct report *r); /* one page, UTF-8 */
void report_chrome(FILE *out, const struct report *r); /* trace events, JSON */
void report_ftrace(FILE *out, const struct report *r);
void report_c(FILE *out, const struct report *r); /* heddle export --c */

/* --- report_statement.c -------------------------------------------------------- */
/* One recorded op in words: "dec_and_test vm_refcnt 2->1".  Values that point
 * at objects are named after the world as it is now. */
void op_statement(const struct hd_record *rec, char *buf, size_t size);

/* --- verbs ------------------------------------------------------------------------ */
int cmd_list(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_explore(int argc, char **argv);
int cmd_diff(int argc, char **argv);
int cmd_fuzz(int argc, char **argv);
int cmd_campaign(int argc, char **argv);
int cmd_replay(int argc, char **argv);
int cmd_min(int argc, char **argv);
int cmd_regress(int argc, char **argv);
int cmd_bisect(int argc, char **argv);
int cmd_show(int argc, char **argv);
int cmd_dedup(int argc, char **argv);
int cmd_export(int argc, char **argv);
int cmd_new(int argc, char **argv);
int cmd_mutate(int argc, char **argv);
int cmd_lockdep(int argc, char **argv);
/* What a user types: "heddle", or "./mine" for a program of heddle-cc. */
extern const char *program;
/* A help text, with the program's own name and arguments in its usage line. */
void usage_of(FILE *f, const char *text);

#endif
