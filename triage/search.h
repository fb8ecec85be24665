/* SPDX-License-Identifier: MIT */
/* What the verbs that search share among themselves: the wanted verdict, what
 * was found so far, progress, saving, the result line. */
#ifndef TRIAGE_SEARCH_H
#define TRIAGE_SEARCH_H

#include "triage.h"

/* --- findings.c ---------------------------------------------------------- */

struct finding {
	char signature[160];
	u8 kind;
	u64 count, first;    /* runs that showed it; the first, from 1 */
	u32 preemptions;     /* fewest so far */
	u32 others;          /* other verdicts in the witness */
	bool is_new;         /* found under the present bound */
	struct hd_schedule *schedule; /* witness with that many, or NULL */
};
struct findings {
	struct finding *at;
	u32 n, room;
};
/* Count the verdict, found by run number first.  The result is valid until
 * the next call. */
struct finding *findings_note(struct findings *f, const struct hd_verdict *v,
			      u64 run);
struct finding *findings_find(struct findings *f, const char *signature);
/* Signatures that are bugs: a limit is never one. */
u32 findings_bugs(const struct findings *f);
/* Comma-separated, blanks as colons; "-" if there are none. */
void findings_print(FILE *out, const struct findings *f);

/* A verdict's name or a whole signature.  False, and one line on stderr, if no
 * verdict is called that. */
bool want_check(const char *verb, const char *want);
bool want_matches(const char *want, const struct hd_verdict *v);
bool want_matches_signature(const char *want, u8 kind, const char *signature);

/* --- progress.c ---------------------------------------------------------- */

double seconds_now(void); /* since an arbitrary start */
/* A line on stderr if that is a terminal; call as often as you like, it looks
 * at the clock by itself.  total 0: unknown. */
void progress(u64 done, u64 total, u32 verdicts);
/* The same where it is only estimated which share is done. */
void progress_about(u64 done, double share, u32 verdicts);
void progress_end(void); /* wipe the line */
extern volatile int interrupted; /* Ctrl-C was typed */
void catch_interrupt(void);
bool color_wanted(void); /* on standard output */
/* Distinct trace hashes. */
void seen_clear(void);
void seen_add(u64 hash);
u32 seen_count(bool *full);

/* --- save.c -------------------------------------------------------------- */

/* DIR/<slug>.sched and .txt.  False: one line on stderr says why; nothing is
 * left behind and nothing that was there is harmed. */
bool save_finding(const char *dir, struct sched_file *f,
		  const struct report *r);
/* As a file name. */
void signature_slug(const char *signature, char *buf, size_t size);
void sched_from_min(struct sched_file *f, const struct target *t,
		    const char *signature, const struct min_result *m);
void min_describe(FILE *out, const struct min_result *m);
/* DIR/SCENARIO.VARIANT/<slug>/min.sched and report.txt, a mail.  What is there stays,
 * with a line on stderr, unless replace. */
bool save_regress(const char *dir, struct sched_file *f, bool replace);
/* want NULL: what the file wants. */
void report_from_file(struct report *r, const char *path,
		      const struct sched_file *f, const char *want);
void report_from_min(struct report *r, const struct target *t,
		     const char *signature, const struct min_result *m);

/* --- search.c ------------------------------------------------------------ */

struct cost {
	u32 preemptions, choices, others, switches, ops;
};
struct cost cost_of(const struct hd_outcome *o);
bool cheaper(const struct cost *a, const struct cost *b);
/* Like minimise(), with a limit on the runs of the proof (0: none). */
bool minimise_within(const struct target *t, const char *signature,
		     const struct hd_schedule *start, u64 limit,
		     struct min_result *out);

/* --- scenario.c: target_parse() without a word on stderr ----------------- */

bool target_find(const char *arg, struct target *t);
/* Keep to these, with commas; false: the scenario does not have one of them. */
bool target_calls(struct target *t, const char *list);
void target_name(const struct target *t, char *buf, size_t size);

/* --- ddmin.c ------------------------------------------------------------- */

/* Remove edits as long as keep() is true for what remains. */
void ddmin(struct hd_schedule *s,
	   bool (*keep)(const struct hd_schedule *s, void *arg), void *arg);

/* --- sched_anchor.c: anchors by site ------------------------------------- */

struct anchor {
	bool at_end;        /* the task had ended */
	char site[96];      /* function#ordinal, "" if unknown */
	u32 time;           /* k-th time there by this task */
	char word[48];      /* what kind of op stands there */
	char statement[120];
	u32 order;          /* when it came about; UINT32_MAX: never */
};
/* About the last recorded run. */
void anchor_describe(u32 task, u32 n, struct anchor *a);
/* The task's op that stands at a's site for the a->time-th time; 0: none. */
u32 anchor_find(u32 task, const struct anchor *a);
/* "switch first 4 second" */
void edit_text(const struct hd_edit *e, char *buf, size_t size);
/* The indices of the first (at most 32) edits in the order in which they act;
 * runs the schedule. */
u32 edits_in_order(const struct hd_schedule *s, u8 *order, u32 max);
bool anchor_matches(const struct anchor *a, const struct anchor *b);
/* sched_site.c: function#ordinal of the op whose place is pc. */
bool site_name(u32 pc, char *buf, size_t size);
/* Names of tasks, made unique. */
const char *task_label(u32 task, char *buf, size_t size);
int task_by_label(const char *label);

#endif
