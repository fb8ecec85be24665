/* SPDX-License-Identifier: MIT */
/* heddle run: does one of these schedules show a verdict?
 *
 * Schedule i has the seed mix(--seed, i), so that any of them can be made
 * again alone.  Data choices, and failures and signals if asked for, are edits
 * drawn from the same seed.  Of programs the first HD_WARM_UP schedules have none,
 * and are what the profile of the others is learnt from. */
#include <stdlib.h>
#include <string.h>

#include "../src/base/hash.h"
#include "boot.h"
#include "options.h"
#include "search.h"
#include "cmd_run.h"

/* --- schedules ----------------------------------------------------------- */

/* How many choices, fallible operations and ops each task had at most in the
 * runs so far: where edits can apply. */
static struct room {
	u32 choices, fallible, ops;
} room[HD_MAX_TASKS];

static void note_room(void)
{
	u32 i;

	for (i = 0; i < W->ntasks; i++) {
		const struct hd_task *t = &W->tasks[i];

		if (t->nchoices > room[i].choices)
			room[i].choices = t->nchoices;
		if (t->nfallible > room[i].fallible)
			room[i].fallible = t->nfallible;
		if (t->n > room[i].ops)
			room[i].ops = t->n;
	}
}

static void add_choices(struct hd_schedule *s)
{
	u32 i, j;

	for (i = 0; i < W->ntasks; i++)
		for (j = 1; j <= room[i].choices && j <= 64; j++) {
			u64 draw = hd_draw(s->seed, i, j, 100);
			struct hd_edit e = { HD_EDIT_CHOOSE, (u8)i, (u16)j,
					     (u16)(draw >> 40) };

			if (draw & 1)
				hd_schedule_add(s, e);
		}
}

/* Up to max edits of kind fail or signal, somewhere where they can apply. */
static void add_events(struct hd_schedule *s, u8 kind, u32 max)
{
	u32 i, k = max ? hd_below(hd_draw(s->seed, kind, 0, 101), max + 1) : 0;

	for (i = 0; i < k; i++) {
		u32 t = hd_below(hd_draw(s->seed, kind, i, 102), W->nuser);
		u32 n = kind == HD_EDIT_FAIL ? room[t].fallible : room[t].ops;
		struct hd_edit e = { kind, (u8)t, 0, 0 };

		if (!n)
			continue;
		e.anchor = (u16)(1 + hd_below(hd_draw(s->seed, kind, i, 103),
					      n));
		hd_schedule_add(s, e);
	}
}

void run_schedule_make(struct hd_schedule *s, int strategy, u32 seed, u64 i,
		       const struct options *o)
{
	hd_search_schedule(s, strategy, seed, i);
	if (hd_eng.program && i < HD_WARM_UP)
		return; /* the profile is made of these: strategy and seed are all */
	add_choices(s);
	add_events(s, HD_EDIT_FAIL, (u32)o->fail);
	add_events(s, HD_EDIT_SIGNAL, (u32)o->signals);
}

/* The profile with which schedule i ran. */
static void profile_of(int strategy, u32 seed, u64 i)
{
	if (hd_eng.program)
		hd_profile_search((struct hd_origin){
			strategy, seed, i < HD_WARM_UP ? (u32)i : HD_WARM_UP });
}

void run_begin(void)
{
	static struct hd_schedule empty;

	memset(room, 0, sizeof(room));
	if (hd_eng.program)
		return;
	hd_schedule_clear(&empty);
	hd_run(&empty);
	note_room();
}

struct hd_outcome run_one(struct hd_schedule *s, int strategy, u32 seed, u64 i,
			  const struct options *o)
{
	struct hd_outcome out;

	profile_of(strategy, seed, i);
	if (!i)
		run_begin();
	run_schedule_make(s, strategy, seed, i, o);
	out = hd_run(s);
	note_room();
	return out;
}

/* --- the search ---------------------------------------------------------- */

struct search {
	struct target target;
	const struct options *o;
	int strategy;
	struct findings findings;
	u64 schedules, first; /* run, and index of the wanted one (from 1) */
	char signature[160];  /* of the wanted verdict */
	struct hd_schedule schedule;
	u32 boot;             /* reports over all runs */
	bool lost;            /* something could not be saved */
	double began;
};

/* Note all verdicts; true if the search is over. */
static bool note(struct search *x, const struct hd_outcome *o,
		 const struct hd_schedule *s)
{
	bool hit = false;
	u32 i;

	for (i = 0; i < o->nverdicts; i++) {
		const struct hd_verdict *v = &o->verdicts[i];
		struct finding *f = findings_note(&x->findings, v,
						  x->schedules);

		if (!f->schedule) {
			f->schedule = malloc(sizeof(*s));
			if (f->schedule)
				*f->schedule = *s;
		}
		if (hit || !want_matches(x->o->want, v))
			continue;
		hit = true;
		if (x->first)
			continue;
		x->first = x->schedules;
		snprintf(x->signature, sizeof(x->signature), "%s",
			 f->signature);
		x->schedule = *s;
	}
	return hit && !x->o->keep_going;
}

static void search(struct search *x)
{
	static struct hd_schedule s;
	u64 i;

	for (i = 0; i < x->o->schedules && !interrupted; i++) {
		struct hd_outcome o = run_one(&s, x->strategy,
					      (u32)x->o->seed, i, x->o);

		x->schedules = i + 1;
		seen_add(o.hash);
		if (x->o->lockdep == LOCKDEP_BOOT && boot_join(&s, i + 1) &&
		    !x->o->want && !x->o->keep_going)
			break;
		if (o.nverdicts && note(x, &o, &s))
			break;
		if (!(i & 1023))
			progress(i, x->o->schedules, x->findings.n);
	}
	progress_end();
}

static void list_findings(const struct search *x)
{
	u32 i;

	for (i = 0; i < x->findings.n; i++) {
		const struct finding *f = &x->findings.at[i];

		printf("%-40s %8llu times, first in schedule %llu%s\n",
		       f->signature, (unsigned long long)f->count,
		       (unsigned long long)f->first,
		       f->kind == HD_V_LIMIT ? "  (no bug: a limit of heddle)" :
					       "");
	}
}

/* --- handing out --------------------------------------------------------- */

/* Minimise and report one, which run number first showed; save it if asked. */
static void hand_out(struct search *x, const char *signature,
		     const struct hd_schedule *s, u64 first, bool print)
{
	static struct min_result m;
	static struct report r;
	static struct sched_file f;

	profile_of(x->strategy, (u32)x->o->seed, first - 1);
	if (!minimise(&x->target, signature, s, &m)) {
		fprintf(stderr, "heddle: fault: %s did not show again\n",
			signature);
		exit(EXIT_FAULT);
	}
	report_from_min(&r, &x->target, signature, &m);
	if (print) {
		report_text(stdout, &r, color_wanted());
		printf("\n");
		min_describe(stdout, &m);
	}
	if (!x->o->out)
		return;
	sched_from_min(&f, &x->target, signature, &m);
	if (save_finding(x->o->out, &f, &r))
		return;
	x->lost = true; /* on disk: so print it, nothing is lost */
	if (!print)
		report_text(stdout, &r, false);
	sched_write("-", &f);
}

static void hand_out_all(struct search *x)
{
	u32 i;

	for (i = 0; i < x->findings.n; i++)
		if (x->findings.at[i].kind != HD_V_LIMIT &&
		    x->findings.at[i].schedule)
			hand_out(x, x->findings.at[i].signature,
				 x->findings.at[i].schedule,
				 x->findings.at[i].first, false);
}

static void result_line(const struct search *x)
{
	char name[160];
	bool full;
	u32 seen = seen_count(&full);

	target_name(&x->target, name, sizeof(name));
	printf("result: scenario=%s schedules=%llu verdicts=%u complete=no "
	       "bound=none signatures=", name,
	       (unsigned long long)x->schedules, findings_bugs(&x->findings));
	findings_print(stdout, &x->findings);
	if (x->first)
		printf(" first=%llu", (unsigned long long)x->first);
	else
		printf(" first=-");
	if (x->o->lockdep == LOCKDEP_BOOT)
		printf(" boot=%u", x->boot);
	printf(" interleavings=%u%s seconds=%.3f\n", seen, full ? "+" : "",
	       seconds_now() - x->began);
}

static int status(const struct search *x)
{
	if (x->lost)
		return EXIT_USAGE;
	if (x->o->want)
		return x->first ? EXIT_VERDICT : EXIT_CLEAN;
	if (findings_bugs(&x->findings) || x->boot)
		return EXIT_VERDICT;
	/* only limits: nothing is known about what lies behind them */
	return x->findings.n || interrupted ? EXIT_INCOMPLETE : EXIT_CLEAN;
}

static int search_and_tell(const struct target *t, const struct options *o,
			   int strategy)
{
	static struct search x;

	x.target = *t;
	x.o = o;
	x.strategy = strategy;
	x.began = seconds_now();
	if (o->lockdep == LOCKDEP_BOOT)
		boot_start();
	search(&x);
	if (o->lockdep == LOCKDEP_BOOT)
		x.boot = boot_tell(t, o->out);
	if (x.first && !o->keep_going)
		hand_out(&x, x.signature, &x.schedule, x.first, true);
	if (x.findings.n && (o->keep_going || o->want || !x.first))
		list_findings(&x);
	if (o->keep_going && o->out)
		hand_out_all(&x);
	if (findings_bugs(&x.findings) && !o->out)
		printf("to save it: %s run ... --out=DIR\n", program);
	if (interrupted)
		printf("interrupted\n");
	if (!x.findings.n && !x.boot)
		printf("no verdict in %llu schedules of this %s\n"
		       "(a search, not a proof: see %s explore)\n",
		       (unsigned long long)x.schedules,
		       is_program(t->scenario) ? "program" : "model", program);
	result_line(&x);
	return status(&x);
}

int cmd_run(int argc, char **argv)
{
	struct options o;
	struct target t;
	int strategy = -1;

	if (!options_parse(argc, argv, V_RUN, &o) ||
	    !target_argument(argv[0], &o, &t) || !want_check(argv[0], o.want))
		return EXIT_USAGE;
	if (o.strategy && strcmp(o.strategy, "portfolio")) {
		strategy = hd_strategy_id(o.strategy);
		if (strategy < 0) {
			fprintf(stderr, "heddle run: no strategy is called %s "
				"(%s run --help names them)\n", o.strategy,
				program);
			return EXIT_USAGE;
		}
	}
	if (o.seeds && !o.want) {
		fprintf(stderr, "heddle run: --seeds needs --want=VERDICT\n");
		return EXIT_USAGE;
	}
	options_settle(&o, t.variant);
	if (!target_open(&t))
		return EXIT_USAGE;
	catch_interrupt();
	if (o.seeds)
		return run_seeds(&t, &o, strategy);
	return search_and_tell(&t, &o, strategy);
}
