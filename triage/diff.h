/* SPDX-License-Identifier: MIT */
/* Private to `heddle diff`: the runs of two variants, in words that both have.
 *
 *   cmd_diff.c      the verb: searches both, and tells
 *   diff_runs.c     accesses, and the runs as rows of them
 *   diff_classes.c  which runs are one class, and which classes both have
 *   diff_groups.c   what makes the classes of one side impossible on the other
 *   diff_words.c    all that in words
 *
 * An access is named by what it does, not by where it stands: task, kind of op,
 * word, and which of the task's accesses of this kind to the word it is.  An
 * object that was made within the run is the n-th of its type. */
#ifndef TRIAGE_DIFF_H
#define TRIAGE_DIFF_H

#include "options.h"
#include "search.h"

enum diff_limit { DIFF_ACCESSES = 8192, DIFF_CLASSES = 1 << 20,
		  DIFF_FACTS = 1 << 15 };
enum { DIFF_WAITS = HD_EV_BLOCKED }; /* kind: begins to wait for a lock */

/* --- diff_runs.c ---------------------------------------------------------- */

struct access {
	u64 name;       /* the same in both variants */
	u64 kin;        /* the same for all k */
	u64 word, size; /* hd_address_id() */
	u32 n;          /* the task's n-th op, where it was seen first */
	u32 k;          /* the k-th of its kind */
	u8 task, kind;
	bool writes, commutes, seen[2]; /* HD_WRITE, HD_COMMUTES */
	char who[24], verb[48], what[72], object[40];
};

/* Runs of one side in which the same accesses came in the same order, with the
 * same verdicts. */
struct run_kept {
	u64 key;       /* hash of all that */
	u64 at;        /* in bytes: accesses (u16), then edits */
	u64 verdicts;  /* bit i: findings.at[i] */
	u16 naccesses, nedits;
	u32 preemptions;
};

struct side {
	struct target target;
	struct run_kept *runs;
	u32 nruns, slots; /* slots: of table */
	u32 *table;       /* by key: index in runs, plus 1 */
	u8 *bytes;
	u64 used, room;
	u64 searched, verdicts, marks;
	bool complete, limited, full;
};

struct diff {
	struct options *o;
	struct side side[2];
	struct access *access;
	u32 naccesses;
	u64 (*conflicts)[DIFF_ACCESSES / 64]; /* of each access with which */
	struct findings findings; /* of both */
};

/* Search one side; its variant is loaded.  What was found stays in d. */
void diff_search(struct diff *d, u32 side);
const u16 *run_accesses(const struct side *s, const struct run_kept *r);
void run_schedule(const struct side *s, const struct run_kept *r,
		  struct hd_schedule *out);
/* Are they of different tasks, with a common byte that one of them writes, and is
 * their order not all the same? */
static inline bool accesses_conflict(const struct diff *d, u32 x, u32 y)
{
	return d->conflicts[x][y / 64] >> y % 64 & 1;
}

/* --- diff_classes.c -------------------------------------------------------- */

/* What can be said of a run: that x came before y, or that x came or not. */
enum fact_kind { FACT_ORDER, FACT_CAME, FACT_MISSING };
struct fact {
	u8 kind;
	u16 x, y; /* accesses */
};

struct class {
	u64 hash;
	u64 verdicts;
	u64 extra;       /* those that the other side does not show for it */
	const struct run_kept *witness; /* with the fewest preemptions */
	u64 *facts;      /* a set: words of 64 */
	bool common;     /* the other side has it, too */
	u32 group;       /* from 1; 0: in none yet */
};

struct classes {
	struct class *at;
	u32 n;
	u32 *of_run; /* by run of the side: index in at */
};

struct comparison {
	struct diff *d;
	bool *shared;    /* accesses that are compared */
	u32 nshared, nwords;
	struct fact *fact;
	u32 nfacts, words;
	struct classes side[2];
	u32 common, changed; /* changed: of these, with other verdicts */
	u32 only[2];
};

/* Is r the better witness of what a class or a group shows? */
static inline bool tells_more(const struct run_kept *r,
			      const struct run_kept *old)
{
	if (!r->verdicts != !old->verdicts)
		return r->verdicts;
	return r->preemptions < old->preemptions;
}
/* Zeroed; n may be 0. */
void *diff_allot(u64 n, u64 size);
/* False: there are more facts or classes than can be compared. */
bool compare(struct comparison *c, struct diff *d);
/* What is to be explained, and what the explanation must not fit. */
struct question {
	struct classes own, other;
};
/* The classes that only this side has; the other side's. */
void ask_what_only(const struct comparison *c, u32 side, struct question *q);
/* Common classes that show more on this side (verdicts is what more); those that
 * do not. */
void ask_what_more(const struct comparison *c, u32 side, struct question *q);
static inline bool class_has(const struct class *c, u32 fact)
{
	return c->facts[fact / 64] >> fact % 64 & 1;
}

/* --- diff_groups.c --------------------------------------------------------- */

/* Classes that all have certain facts, which no other class has together. */
enum { GROUP_FACTS = 16, MOST_GROUPS = 32 };
struct group {
	u32 fact[GROUP_FACTS], nfacts; /* more than there is room for: one class */
	u32 nclasses;
	u64 some, all;   /* verdicts that some, that all of them show */
	const struct run_kept *witness;
};
struct groups {
	struct group at[MOST_GROUPS]; /* those with most classes first */
	u32 n, left;                  /* left: classes in none of them */
};
void group(const struct comparison *c, struct question *q, struct groups *g);

/* --- diff_words.c ---------------------------------------------------------- */

enum { DIFF_TEXT = 4000 }; /* the size of every text that is appended to */
void append(char *text, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* "fault's 2nd READ_ONCE vm_lock_seq"; word: with what it is on. */
void access_text(const struct diff *d, const struct access *a, bool word,
		 char *text);
void fact_text(const struct diff *d, const struct fact *f, char *text);
/* When does the fact become true in the run?  What came or not, at its end. */
u32 fact_moment(const struct side *s, const struct run_kept *r,
		const struct fact *f);
void signatures_text(const struct diff *d, u64 set, char *text);
void verdicts_text(const struct diff *d, u64 set, char *text); /* by name */
/* Of set, without those that other has one of the same name of. */
u64 verdicts_beside(const struct diff *d, u64 set, u64 other);

#endif
