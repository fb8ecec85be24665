/* SPDX-License-Identifier: MIT */
/* Private to the reports: one recorded run, what of it matters for one
 * verdict, and the words for it.
 *
 *   report.c            the story: records, verdict, what is left out
 *   report_statement.c  one op in words
 *   picture*.c          rows, in columns
 *   report_locks.c      locks held and waited for at the verdict
 *   report_splat.c      what lockdep found, and where it comes from
 *   report_witness.c    the deadlock behind a lock-order report
 *   report_race.c       the two accesses of a race
 *   report_detail.c     where the verdict was raised, and changed values
 *   report_neighbour.c  the nearest run that passes
 *   report_lifetime.c   objects: allocated, freed, grace periods, lives
 *   report_left.c       objects and references left at the end
 *   report_spans.c      who held which lock from when to when
 *   page.c              lines of text, wrapped
 *
 * Nothing here knows a bug: all that is printed are values, branches and
 * remarks of this run. */
#ifndef TRIAGE_REPORT_H
#define TRIAGE_REPORT_H

#include "sym.h"
#include "triage.h"

/* --- report_statement.c -------------------------------------------------- */

struct statement {
	char verb[48];    /* "dec_and_test", in the API's words */
	char object[72];  /* "vm_refcnt" */
	char values[96];  /* "2->1", "= 0", "waits" */
};
/* Which function of the model is rec in?  In the API's inline helpers that is
 * their caller.  False: in none. */
bool statement_place(const struct hd_record *rec, struct sym_site *site);
/* Frames of a record, inlined ones included, innermost first; only model
 * code, and no helpers of the API. */
u32 statement_stack(const struct hd_record *rec, struct sym_site *site,
		    u32 max);
bool is_interrupted(const struct hd_record *rec);
void statement_make(const struct hd_record *rec, struct statement *s);
void statement_print(const struct statement *s, char *buf, size_t size);
void value_text(u64 v, u32 size, char *buf, size_t room);
void change_text(const char *old, const char *val, char *buf, size_t size);
/* "vm_refcnt", "vm_area_struct#1+8", "counter"; "" if addr names nothing. */
void object_text(const struct hd_record *rec, char *buf, size_t size);
bool is_op(const struct hd_record *rec);
bool is_lock_op(u8 kind);
/* ASSERT_EXCLUSIVE_*: a remark about a word. */
bool is_claim(const struct hd_record *rec);
/* What kfree_rcu() queued: no code of the model frees it, the place is the call's. */
bool is_rcu_free(const struct hd_record *rec);
/* An annotation that the model wrote by hand, not part of a lock's own op. */
bool is_manual_annotation(const struct hd_record *rec);

/* --- report.c ------------------------------------------------------------ */

enum record_flag {
	REC_SHOWN = 1,   /* in the picture */
	REC_WAITS = 2,   /* a lock op that did not get the lock at once */
	REC_SHARED = 4,  /* another task conflicts with it in this run */
	REC_AFTER = 8,   /* after the verdict */
	REC_FAILED = 16, /* a trylock that failed */
	REC_GOT = 32,    /* a trylock that succeeded */
	REC_FRESH = 64,  /* on an object that no other task has seen yet */
};

/* --- report_splat.c --------------------------------------------------------- */

struct splat_edge {
	const char *from, *to; /* classes */
	u32 step, task;        /* where it was recorded */
	u8 dep;
};
/* What lockdep found in this run; verdict 0: nothing. */
struct splat {
	u8 verdict, bit, excl, prev_read, next_read;
	bool sleeps;             /* wait-context: not under PREEMPT_RT alone */
	const char *prev, *next; /* the new dependency */
	const char *nest;
	u32 nclasses, nedges, nback;
	const char *class[16];
	struct splat_edge edge[16], back[16];
};
void splat_keep(struct splat *k); /* of the run that was just made */
/* buf has the verdict's title. */
struct story;
void splat_title(const struct story *s, char *buf, size_t size);

struct story {
	const struct report *report;
	struct splat splat;
	const struct heddle_scenario *scenario;
	const struct heddle_variant *variant;
	struct hd_record *log;
	u8 *flag;
	u32 n;
	u32 ntasks, nuser;
	char task[HD_MAX_TASKS][24];
	char task_fn[HD_MAX_TASKS][48]; /* the scenario's function */
	struct hd_verdict verdicts[HD_MAX_VERDICTS];
	u32 nverdicts;
	u32 at;              /* which of them is explained */
	u32 last;            /* record at which it was raised, or n */
	u32 preemptions, switches, choices, ops;
	u64 hash;
	char title[200], signature[160];
	bool all;            /* leave nothing out */
};

/* Run and record.  False: the schedule raises no verdict that matches want;
 * the story then tells the run without one (at == nverdicts). */
bool story_tell(struct story *s, const struct report *r);
void story_free(struct story *s);
const char *story_task(const struct story *s, u32 task);
const struct hd_verdict *story_verdict(const struct story *s);
/* Is the verdict about locks, as lockdep sees them? */
bool verdict_of_lockdep(u8 kind);
bool verdict_of_lifetime(u8 kind);
bool verdict_of_progress(u8 kind);
bool verdict_of_race(u8 kind);
bool verdict_refuses_lock(u8 kind); /* the last lock is wanted, not held */
/* The next op record of the same task after i, or s->n. */
u32 story_next_op(const struct story *s, u32 i);
/* The nearest op of another task, later or earlier, that conflicts with i's, or
 * s->n. */
u32 story_conflict(const struct story *s, u32 i, bool later);
extern bool report_all; /* --all */

/* --- page.c -------------------------------------------------------------- */

struct page {
	char **line;
	u32 n;
	u32 width;
};
void page_init(struct page *p, u32 width);
void page_free(struct page *p);
void page_line(struct page *p, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* One paragraph, wrapped at blanks; further lines are indented. */
void page_wrap(struct page *p, u32 indent, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Text left and place right ("vma_start_read    src/mm/x.c:12"). */
void page_place(struct page *p, u32 indent, const char *what,
		const struct sym_site *site);
/* Wrap text to width; returns the number of pieces, at most max. */
u32 wrap_text(const char *text, u32 width, char piece[][160], u32 max);

/* --- the parts of a report, each appends to the page --------------------- */

/* The op at i, with what its lock made of it: "mutex_lock a waits". */
void story_statement(const struct story *s, u32 i, struct statement *st);
void picture_draw(const struct story *s, struct page *p);
/* The verdict as it stands under the picture, in at most width columns. */
void picture_verdict(const struct story *s, u32 width, char *buf, size_t size);
void report_splat(const struct story *s, struct page *p);
void report_locks(const struct story *s, struct page *p);
/* Searches: the world no longer holds the story's run. */
void report_witness(const struct story *s, struct page *p);
void report_detail(const struct story *s, struct page *p);
/* What the bad access is, in KASAN's words; function: where. */
void report_bad_access(const struct story *s, struct page *p,
		       const char *function);
/* Objects and references of the verdict, from the recorded run.  Reads headers
 * of objects: the world must still be that of the story. */
void report_lifetime(const struct story *s, struct page *p);
/* Is the op at i to be shown for what it does to a reference count? */
bool lifetime_shows(const struct story *s, u32 i);
void report_race(const struct story *s, struct page *p);
/* Unchanged if the accesses were not found. */
void report_race_title(const struct story *s, char *buf, size_t size);
/* The record of the access that raised v, or s->n. */
u32 report_race_later(const struct story *s, const struct hd_verdict *v);
u32 report_race_earlier(const struct story *s, const struct hd_verdict *v);
/* The nearest run without the verdict, in words; false if none was found.
 * Runs other schedules: the world no longer holds the story's run. */
bool neighbour_describe(const struct story *s, char *buf, size_t size);

/* --- out_text.c ---------------------------------------------------------- */

/* The report but for its picture.  The world is the story's again. */
struct report_parts {
	struct page head;   /* title, model, bound */
	struct page after;  /* behind the picture: what passes, what is left out */
	struct page detail; /* blocks, an empty line before each */
};
void report_parts(const struct story *s, u32 width, struct report_parts *parts);
/* All of it. */
void report_page(const struct story *s, struct page *p);

/* --- html.c --------------------------------------------------------------- */

void html_text(FILE *out, const char *s); /* escaped */
void html_printf(FILE *out, const char *fmt, ...) /* escaped as a whole */
	__attribute__((format(printf, 2, 3)));

/* --- report_spans.c: locks over time -------------------------------------- */

/* from, got, to are records, of the locks' ops where they have one. */
struct lock_span {
	const char *name;
	u64 map;
	u32 task;
	u32 from;
	u32 got;  /* later than from if the task had to wait */
	u32 to;
	u8 read, subclass;
	bool ended; /* released, or downgraded: then another span follows */
};
/* Before record end, where what was not released ends, too; to be freed by the
 * caller. */
u32 lock_spans(const struct story *s, u32 end, struct lock_span **spans);
bool span_holds(const struct lock_span *sp, u32 task, u32 rec);
/* "vm_lock (R)" */
void span_text(const struct lock_span *sp, char *buf, size_t size);
/* What the task holds after rec, "vm_lock (R), ptl (W)", or "". */
void held_text(const struct lock_span *spans, u32 n, u32 task, u32 rec,
	       char *buf, size_t size);

#endif
