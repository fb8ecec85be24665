/* SPDX-License-Identifier: MIT */
/* What a scenario is, and what scenario code may call.
 *
 * A scenario is a situation to test: tasks, a set-up, an end check, and its
 * variants (buggy, fixed and questioned forms), each with the set of verdicts
 * that it is expected to show.  Model and scenario code is compiled by clang
 * with the flags of the Makefile, so that its plain C accesses to the world
 * are ops. */
#ifndef HEDDLE_HEDDLE_H
#define HEDDLE_HEDDLE_H

#include <heddle/op.h>
#include <heddle/types.h>
#include <heddle/verdict.h>

/* Of programs.  Scenarios have fewer: what the kernel API keeps of tasks in the
 * objects of a model (who waits, who reads) is one word, a bit for each. */
enum { HD_MAX_TASKS = 128, HD_KERNEL_TASKS = 64, HD_MAX_EXPECT = 12 };

/* An interrupt handler is a task that the schedule may let run on the CPU of
 * another one: see irq.h.  It comes at most once, or not at all; one that may
 * come twice is declared twice.  The first task of a scenario is none. */
enum heddle_irq { HEDDLE_HARDIRQ = 1, HEDDLE_SOFTIRQ = 2 };

struct heddle_task {
	const char *name;
	void (*fn)(void *arg);
	void *arg;
	u8 irq;         /* enum heddle_irq; 0: an ordinary task */
	const char *on; /* handlers: name of the task that they interrupt */
};

/* Verdicts that a bounded or unbounded search of the variant shows.  at is the
 * fewest preemptions with which the verdict appears. */
struct heddle_expect {
	u8 verdict; /* enum hd_verdict_kind */
	s8 at;      /* preemptions, -1: not stated */
};

struct heddle_variant {
	const char *name;
	const char *title;  /* one line: what this form is */
	const void *data;   /* for the set-up: heddle_variant_data() */
	struct heddle_expect expect[HD_MAX_EXPECT]; /* empty: clean */
	/* Preemptions that make test exhausts.  0: clean ones without a bound,
	 * others up to the largest at of their verdicts. */
	int bound;
	const char *const *goals; /* instead of the scenario's */
	const char *source; /* mail or commit of this form; NULL: scenario's */
	const char *kernel; /* releases that have it: "6.4", "6.4-6.13", "posted" */
	int fail; /* allocations and the like that may fail in a run (--fail) */
	int signals; /* signals that may come in a run (--signals) */
	u32 sampled; /* too large to be searched: make test runs so many
		      * schedules of the portfolio instead */
};

/* A question of the mail, and what heddle says to it.  evidence names the
 * variants whose verdicts show the answer: "v4, merged". */
struct heddle_question {
	const char *question;
	const char *answer;
	const char *evidence;
};

struct heddle_scenario {
	const char *name;   /* what meets what: fault_vs_munmap */
	const char *title;
	const char *source; /* message-id, commit or CVE that it models */
	const char *not_modelled;
	const char *seed;   /* "000" to "004": the mail that heddle comes from */
	const char *bug;    /* of the library of real bugs: "CVE-2023-3269" */
	/* of the kernel's code; see the heads of the model files for theirs */
	const char *copied, *simplified, *different;
	const struct heddle_question *questions; /* ends with question == NULL */
	const struct heddle_variant *variants; /* ends with name == NULL */
	const struct heddle_task *tasks;       /* ends with name == NULL */
	void (*setup)(void); /* builds the world, before any task runs */
	void (*check)(void); /* after all tasks ended; may be NULL */
	const char *const *goals; /* reach goals: marks, ends with NULL */
	const char *const *calls; /* that --calls may keep to; ends with NULL */
	bool canary;         /* planted bug: a campaign must find it */
};

/* Put a scenario on the list of the program that it is linked into. */
#define HEDDLE_SCENARIO(s)                                             \
	static const struct heddle_scenario s;                         \
	static const struct heddle_scenario *const s##_on_the_list     \
		__attribute__((section("hd_scenarios"), used)) = &s;   \
	static const struct heddle_scenario s

/* The variant that runs. */
const struct heddle_variant *heddle_variant(void);
/* --calls did not leave it out: one of the scenario's calls.  In the set-up. */
bool heddle_allows(const char *call);
/* The tasks of its scenario. */
const struct heddle_task *heddle_tasks(void);
static inline const void *heddle_variant_data(void)
{
	return heddle_variant()->data;
}

/* Allocate from the world.  The type's name is what reports print and what
 * DWARF is asked for; objects are zeroed.  Never NULL. */
void *heddle_alloc_type(const char *type, u32 size);
#define heddle_alloc(type) ((type *)heddle_alloc_type(#type, sizeof(type)))
/* The object may outlive the run: no leak. */
void heddle_keep(const void *p);

/* A data choice: 0 .. n-1, part of the schedule (edit kind choose). */
u32 heddle_choose(u32 n);
/* Does this fallible operation fail?  Part of the schedule (edit kind fail). */
bool heddle_fail(const char *what);

/* A verdict of the scenario's own. */
#define heddle_assert(cond)                                            \
	do {                                                           \
		if (unlikely(!(cond)))                                 \
			heddle_assert_failed(#cond);                   \
	} while (0)
void heddle_assert_failed(const char *cond);
/* The model's own table is full: verdict limit, never a bug of the protocol; the
 * run ends.  what must be a literal. */
void heddle_limit(const char *what);

/* Say to the reader why this branch was taken; stands behind the last op of
 * this task in reports.  text must be a literal. */
void heddle_remark(const char *text);

/* This spot was reached.  Scenarios name marks as reach goals: a complete
 * search that reached none of them is vacuous, not clean. */
struct hd_mark {
	const char *name;
};
void hd_mark_hit(const struct hd_mark *mark);
#define heddle_mark(text)                                              \
	do {                                                           \
		static const struct hd_mark hd__mark                   \
			__attribute__((section("hd_marks"))) = {text}; \
		hd_mark_hit(&hd__mark);                                \
	} while (0)

/* Feedback for fuzzers: a small number that tells abstract states apart. */
void heddle_state(u32 hash);

#endif
