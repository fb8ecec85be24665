/* SPDX-License-Identifier: MIT */
/* What the parts of a campaign share.  Data flows one way:
 *
 *   campaign_plan.c    which job next?
 *   campaign_worker.c  a process for it: pipe, time, death
 *   campaign_job.c     what that process does, and tells
 *   campaign_found.c   each distinct signature once, with its witnesses
 *   campaign_folder.c  all of it on disk, whole or not at all
 *   campaign_state.c   ... and back, at the next start
 *   campaign_status.c, campaign_html.c   the pages for people
 *
 * Only the supervisor writes to the folder, through folder_put(); what workers
 * know they tell it through their pipes.  (libFuzzer writes its own corpus;
 * campaign_corpus.c removes what was cut short.) */
#ifndef TRIAGE_CAMPAIGN_H
#define TRIAGE_CAMPAIGN_H

#include <sys/types.h>

#include "fuzz_target.h"
#include "search.h"

/* Who searches: exhaustively without a bound, the portfolio of `run`,
 * exhaustively with 0, 1, 2 ... preemptions, libFuzzer. */
enum engine { EXPLORE, PORTFOLIO, BOUNDED, LIBFUZZER, ENGINES };
extern const char *const engine_names[ENGINES];

/* What the unbounded search of a variant says. */
enum proof { OPEN, COMPLETE, VACUOUS, LIMITED, PROOFS };
extern const char *const proof_names[PROOFS];

enum { MAX_BOUND = 64 };

struct effort {
	u32 slices;    /* done; the next one is twice as long as the last */
	u64 schedules;
	double seconds;
	u32 deaths;    /* crashed, or killed because it hung */
	bool busy;
};

/* One variant of the campaign. */
struct entry {
	struct target target;
	char name[160];        /* scenario:variant */
	char slug[160];        /* scenario.variant, for files */
	char fuzzer[2200];     /* its fuzz target; "": there is none */
	struct effort effort[ENGINES];
	u64 next;              /* the portfolio's next schedule */
	int bound;             /* most preemptions exhausted; -1: none */
	u8 proof;
	bool stuck;            /* a bounded search has no room for more */
	u32 limits;            /* limit verdicts seen: heddle's, no bugs */
	u64 marks;             /* goals reached in any run, a bit each */
	u32 corpus;            /* inputs that libFuzzer keeps */
	u32 canary;            /* a planted bug: engines that found it, a bit each */
	u8 *seen;              /* bitmap of trace hashes, shared with workers */
	u64 distinct;          /* an estimate from it */
};

/* Does the variant declare the verdict?  What it declares is about so many
 * preemptions; a buggy one may show more with more of them. */
enum agreement { EXPECTED, DEEPER, UNEXPECTED, AGREEMENTS };
extern const char *const agreement_names[AGREEMENTS];

/* One witness, as it was found. */
struct sighting {
	u32 entry;
	u8 engine;
	u8 agrees;
	u64 schedules;         /* that the engine had run of it until then */
	double when;           /* second of the campaign */
	u8 *data;              /* the schedule, binary form */
	u32 size;
};

/* A distinct signature of a scenario: one folder. */
struct bug {
	char signature[160], title[200];
	char folder[400];      /* findings/<scenario>.<signature as file name> */
	struct sighting *seen;
	u32 nseen;
	u32 chosen;            /* the sighting that is minimised and reported */
	u32 attempts;          /* of minimising it, each with a higher limit */
	u32 failures;          /* ... that ended in a crash or hang */
	bool minimised, proved, busy;
	u32 preemptions;
};

/* What a fuzz target told of.  It knows no names of fields, so another worker
 * runs the input and says what it shows. */
struct input {
	char signature[160];   /* the target's own; each is taken once */
	u32 entry;
	u64 schedules;
	u8 *data;
	u32 size;
	bool named;
};

/* What a worker is to do. */
enum job_kind { JOB_SEARCH, JOB_NAME, JOB_MINIMISE };
struct job {
	u8 kind, engine;
	u32 entry;
	double seconds;
	u32 which;             /* the input, or the bug */
};

/* Memory that a worker shares with the supervisor: how far it is, and, should it
 * crash or hang, at what. */
struct slot {
	volatile u64 schedules, limits;
	volatile int bound;
	volatile bool complete, vacuous, limited, stuck;
	volatile bool loaded;  /* the runs of the profile are over */
	volatile bool running; /* now is what it runs */
	volatile u64 marks;
	struct hd_schedule now;
};

struct worker {
	pid_t pid;             /* 0: idle */
	int fd, log;           /* pipe; what it said on stderr, in memory */
	struct job job;
	struct slot *slot;
	double began, deadline;
	bool hung, stopped;    /* killed, because of itself or at the end */
	u32 news;              /* signatures that are new */
	struct lines lines;
	char *sched, *report, *page; /* of JOB_MINIMISE; page: HTML */
	u32 preemptions;
	bool proved;
};

struct point {
	double when;
	u64 schedules, distinct;
	u32 bugs;
};
enum { MAX_POINTS = 240 };

enum { MAX_CRASHES = 64 };

struct campaign {
	const char *dir;
	double budget;         /* --time */
	u32 njobs;
	struct entry *entry;
	u32 nentries;
	struct bug **bug;
	u32 nbugs;
	struct input *input;
	u32 ninputs;
	struct worker *worker;
	struct point point[MAX_POINTS];
	u32 npoints;
	double every;          /* seconds between points */
	char crash[MAX_CRASHES][200]; /* of workers, the first ones in words */
	u32 ncrashes;
	double began;          /* on the clock */
	double before;         /* seconds of the campaign before this start */
	double night;          /* second at which this night, of --time, began */
	bool ended;            /* the time is over, or nothing is left to do */
	bool unkept;           /* bitmaps are not on disk */
};

double campaign_now(const struct campaign *c); /* second of the campaign */
u64 campaign_schedules(const struct campaign *c);
u64 campaign_distinct(const struct campaign *c);
/* Engines that a canary must be found by and was not, a bit each. */
u32 canary_missing(const struct campaign *c);
bool canary_found(const struct campaign *c);
u32 bugs_unexpected(const struct campaign *c);
bool bug_unexpected(const struct bug *b);

/* --- campaign_plan.c --------------------------------------------------------- */

/* What an idle worker is to do; false: nothing now. */
bool plan_next(struct campaign *c, struct job *job);
/* The job could not be begun. */
void plan_again(struct campaign *c, const struct job *job);
/* Second at which the last worker must have ended. */
double plan_end(const struct campaign *c);
/* Runs that a proof may take in the n-th attempt (from 0). */
u64 plan_limit(u32 n);

/* --- campaign_worker.c ------------------------------------------------------- */

bool worker_start(struct campaign *c, struct worker *w, const struct job *job);
/* Something can be read of its pipe. */
void worker_hear(struct campaign *c, struct worker *w);
/* Kill those that are over their time, and at the end of the night all but first
 * reductions. */
void workers_check(struct campaign *c);
void workers_stop(struct campaign *c);

/* --- campaign_job.c ---------------------------------------------------------- */

/* In the worker's process: do the job, tell of it through fd, exit. */
void job_run(struct campaign *c, const struct job *job, struct slot *slot,
	     int fd) __attribute__((noreturn));

/* --- campaign_found.c -------------------------------------------------------- */

/* Known of this variant? */
bool found_known(const struct campaign *c, u32 entry, const char *signature);
/* A new witness; takes over data.  True if its signature is new. */
bool found_note(struct campaign *c, const struct job *job, u64 schedules,
		const char *signature, u8 *data, u32 size);
/* The chosen witness was minimised. */
void found_minimised(struct campaign *c, struct bug *b, const char *sched,
		     const char *report, const char *page);
/* Save found.txt anew. */
void found_save(struct campaign *c, const struct bug *b);
/* Read what earlier starts have found. */
void found_load(struct campaign *c);

/* --- campaign_folder.c ------------------------------------------------------- */

/* Make DIR and lock it; false: one line on stderr has said why. */
bool folder_open(struct campaign *c);
/* In a worker: the lock is the supervisor's. */
void folder_leave(void);
struct blob {
	const char *name; /* in the folder */
	const void *data;
	size_t size;
};
/* One file of DIR, whole or not at all.  If it cannot be written it is kept in
 * memory, and tried again. */
void folder_put(struct campaign *c, const char *name, const void *data,
		size_t size);
/* A folder of DIR with these files, whole or not at all. */
void folder_put_all(struct campaign *c, const char *name,
		    const struct blob *file, u32 n);
/* Try again what could not be written; at most every two seconds unless now. */
void folder_retry(struct campaign *c, bool now);
u32 folder_pending(void);
/* Print what could not be written. */
void folder_print_pending(FILE *out);
/* A file of DIR, with a 0 behind it; NULL: there is none. */
char *folder_get(const struct campaign *c, const char *name, size_t *size);

/* --- campaign_state.c -------------------------------------------------------- */

/* False: DIR is of another build, one line on stderr says so. */
bool state_load(struct campaign *c);
void state_save(struct campaign *c);
/* Map the bitmap of what the portfolio saw; before its first slice. */
void seen_map(struct campaign *c, struct entry *e);
/* In a worker. */
void seen_mark(u8 *seen, u64 hash);
u64 seen_estimate(const u8 *seen);
/* Add a point to the plot, if it is time. */
void points_add(struct campaign *c);

/* --- campaign_corpus.c ------------------------------------------------------- */

/* Remove what libFuzzer did not write to its end; the number of whole inputs. */
u32 corpus_check(const char *folder);
void sha1_hex(const void *data, size_t size, char out[41]);

/* --- campaign_status.c, campaign_html.c -------------------------------------- */

/* status.txt and status.html. */
void status_save(struct campaign *c);
void status_text(FILE *out, const struct campaign *c);
void status_html(FILE *out, const struct campaign *c);
/* The live line: on a terminal; else one on standard output every minute. */
void status_line(const struct campaign *c);
void status_wipe(void); /* before something else is printed */

/* Numbers and words that both pages have. */
struct summary {
	u32 searched, vacuous; /* variants, in every interleaving */
	u32 buggy, missing;    /* that declare verdicts; that have not shown all */
	u32 minimised, proved; /* signatures */
};
struct summary campaign_summary(const struct campaign *c);
const char *campaign_words(const struct campaign *c);
void canary_words(const struct campaign *c, char *buf, size_t size);
void number_words(u64 n, char *buf, size_t size);
void time_words(double seconds, char *buf, size_t size);
/* How far it was searched: "all", "to 3". */
void entry_words(const struct entry *e, char *buf, size_t size);
u64 entry_schedules(const struct entry *e);
/* How many goals it has; how many were reached; the names of the others. */
u32 entry_goals(const struct entry *e, u32 *met, char *buf, size_t size);
/* Signatures that it shows. */
u32 entry_found(const struct campaign *c, u32 entry, u32 *unexpected);
/* The declared verdicts that were not seen, with commas; "" if none. */
void entry_missed(const struct campaign *c, u32 entry, char *buf, size_t size);
/* "3 preemptions, proved minimal (v6)" */
void bug_words(const struct campaign *c, const struct bug *b, char *buf,
	       size_t size);

#endif
