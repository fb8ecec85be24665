/* SPDX-License-Identifier: MIT */
/* heddle explore: which verdicts does any interleaving show, and with how few
 * preemptions?
 *
 * With a bound K the searches with 0, 1 ... K preemptions are made one after
 * the other, so that each signature is seen first at its smallest number. */
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "search.h"

struct exploration {
	struct target target;
	const struct options *o;
	struct findings findings;
	u64 runs, cut, marks;
	int bound;          /* of the search under way; -1: none */
	bool complete, limited, wanted, lost;
	u64 first;          /* run that first showed a (the wanted) verdict */
	double began;
};

/* --- one search ---------------------------------------------------------- */

static void keep_witness(struct finding *f)
{
	if (f->preemptions < W->preemptions ||
	    (f->preemptions == W->preemptions && f->others <= W->nverdicts))
		return;
	if (!f->schedule)
		f->schedule = malloc(sizeof(*f->schedule));
	if (!f->schedule)
		return;
	f->preemptions = W->preemptions;
	f->others = W->nverdicts;
	hd_explore_schedule(f->schedule);
}

static bool found(struct hd_explore *x, void *arg)
{
	struct exploration *e = arg;
	u32 i;

	for (i = 0; i < W->nverdicts; i++) {
		const struct hd_verdict *v = &W->verdicts[i];

		keep_witness(findings_note(&e->findings, v, e->runs + x->runs));
		if (!want_matches(e->o->want, v))
			continue;
		if (!e->first)
			e->first = e->runs + x->runs;
		e->wanted = true;
	}
	/* without a bound there is no smaller number to wait for */
	return !interrupted && !(e->o->want && e->wanted && e->bound < 0);
}

static void tick(struct hd_explore *x, void *arg)
{
	struct exploration *e = arg;

	if (interrupted)
		x->stop = true;
	progress(e->runs + x->runs, 0, e->findings.n);
}

static void search(struct exploration *e, int bound)
{
	struct hd_explore x = {
		.bound = bound,
		.max_runs = e->o->max_schedules,
		.max_failures = (u32)e->o->fail,
		.max_signals = (u32)e->o->signals,
		.found = found,
		.progress = tick,
		.arg = e,
	};

	e->bound = bound;
	hd_explore_run(&x);
	progress_end();
	e->runs += x.runs;
	e->cut += x.cut;
	e->marks |= x.marks;
	e->complete = x.complete;
	e->limited |= x.limited;
}

/* --- telling ------------------------------------------------------------- */

static const char *plural(u64 n)
{
	return n == 1 ? "" : "s";
}

/* One line per bound: what is new. */
static void tell_bound(struct exploration *e, u64 runs, u64 cut)
{
	u32 i, n = 0;

	printf("%d preemption%s: ", e->bound, plural((u64)e->bound));
	for (i = 0; i < e->findings.n; i++) {
		struct finding *f = &e->findings.at[i];

		if (!f->is_new)
			continue;
		printf("%s%s (NEW)", n++ ? ", " : "", f->signature);
		f->is_new = false;
	}
	printf("%s  runs=%llu cut=%llu%s\n", n ? "" : "nothing new",
	       (unsigned long long)runs, (unsigned long long)cut,
	       e->complete ? "" : "  NOT EXHAUSTED");
	fflush(stdout);
}

/* The edits as a .sched would have them. */
static void tell_witness(const struct hd_schedule *s)
{
	enum { MOST = 24, WIDTH = 79 };
	u8 order[MOST];
	u32 i, n = edits_in_order(s, order, MOST);
	int at;

	at = printf("    witness:%s", n ? "" : " every task runs on until it "
						"blocks");
	for (i = 0; i < n; i++) {
		char text[160];

		edit_text(&s->edit[order[i]], text, sizeof(text));
		if (at + (int)strlen(text) + 2 > WIDTH)
			at = printf("\n            ") - 1;
		at += printf(" %s%s", text, i + 1 < n ? ";" : "");
	}
	printf("%s\n", s->nedits > n ? "; ..." : "");
}

static int expected_at(const struct heddle_variant *v, u8 kind)
{
	u32 i;

	for (i = 0; i < HD_MAX_EXPECT; i++)
		if (v->expect[i].verdict == kind)
			return v->expect[i].at;
	return -1;
}

/* Does the finding agree with what the variant declares? */
static bool agrees(const struct exploration *e, const struct finding *f)
{
	int at = expected_at(e->target.variant, f->kind);

	return f->kind != HD_V_LIMIT &&
	       variant_expects(e->target.variant, f->kind) &&
	       (at < 0 || e->bound < 0 || (u32)at <= f->preemptions);
}

static void tell_finding(const struct exploration *e, const struct finding *f)
{
	int at = expected_at(e->target.variant, f->kind);

	printf("%-36s %s%u preemption%s  ", f->signature,
	       e->bound < 0 ? "at most " : "", f->preemptions,
	       plural(f->preemptions));
	if (f->kind == HD_V_LIMIT)
		printf("no bug: a limit of heddle\n");
	else if (!variant_expects(e->target.variant, f->kind))
		printf("NOT EXPECTED of this variant\n");
	else if (at < 0 || e->bound < 0 || (u32)at == f->preemptions)
		printf("expected\n");
	else if ((u32)at < f->preemptions)
		printf("expected (another of its kind at %d)\n", at);
	else
		printf("EXPECTED at %d\n", at);
	if (f->schedule)
		tell_witness(f->schedule);
}

/* Fewest preemptions at which the kind was seen; -1: not seen. */
static int seen_at(const struct exploration *e, u8 kind)
{
	int best = -1;
	u32 i;

	for (i = 0; i < e->findings.n; i++)
		if (e->findings.at[i].kind == kind &&
		    (best < 0 || (int)e->findings.at[i].preemptions < best))
			best = (int)e->findings.at[i].preemptions;
	return best;
}

/* Is the set of verdicts the variant's own?  Numbers count where the search
 * had a bound, and verdicts that need more than the bound are not missed. */
static bool as_expected(const struct exploration *e, bool say)
{
	const struct heddle_expect *x = e->target.variant->expect;
	bool good = true;
	u32 i;

	for (i = 0; i < e->findings.n; i++)
		good &= agrees(e, &e->findings.at[i]);
	for (i = 0; i < HD_MAX_EXPECT && x[i].verdict; i++) {
		int at = seen_at(e, x[i].verdict);

		if (e->bound >= 0 && x[i].at > e->bound)
			continue;
		if (at >= 0 && (e->bound < 0 || x[i].at < 0 || x[i].at == at))
			continue;
		good = false;
		if (say && at < 0)
			printf("MISSED: %s, which this variant is expected to "
			       "show\n", hd_verdict_name(x[i].verdict));
	}
	return good;
}

/* --- goals --------------------------------------------------------------- */

extern const struct hd_mark __start_hd_marks[] __attribute__((weak));
extern const struct hd_mark __stop_hd_marks[] __attribute__((weak));

/* A name may stand at several places. */
static bool goal_met(u64 marks, const char *name)
{
	u64 i, n = (u64)(__stop_hd_marks - __start_hd_marks);

	for (i = 0; i < n && i < HD_MAX_MARKS; i++)
		if ((marks >> i & 1) && !strcmp(__start_hd_marks[i].name, name))
			return true;
	return false;
}

static u32 count_goals(const struct exploration *e, u32 *met, bool say)
{
	const char *const *g = e->target.variant->goals ?
				       e->target.variant->goals :
				       e->target.scenario->goals;
	u32 n = 0, missed = 0;

	for (*met = 0; g && g[n]; n++)
		*met += goal_met(e->marks, g[n]);
	if (!say || !n)
		return n;
	printf("goals: %u of %u reached", *met, n);
	for (n = 0; g[n]; n++)
		if (!goal_met(e->marks, g[n]))
			printf("%s%s", missed++ ? ", " : "; not reached: ",
			       g[n]);
	printf("\n");
	return n;
}

/* --- the end ------------------------------------------------------------- */

static void tell_scope(const struct exploration *e)
{
	const struct heddle_scenario *s = e->target.scenario;
	const char *what = e->findings.n ? "every" : "no violation in any";

	if (!e->complete)
		printf("incomplete: %s\n",
		       e->limited ? "a run hit a limit" :
		       interrupted ? "interrupted" :
		       e->wanted && e->o->want ? "stopped at --want" :
						 "stopped at --max-schedules");
	else if (e->bound < 0)
		printf("complete: %s interleaving of this model\n", what);
	else
		printf("complete: %s interleaving of this model with at most "
		       "%d preemption%s\n", what, e->bound,
		       plural((u64)e->bound));
	printf("relative to: sequential consistency, fair awaits, rwsems whose "
	       "waiting writers\n  hold back new readers, data choices all, "
	       "failures up to %llu, signals up to %llu\n",
	       (unsigned long long)e->o->fail,
	       (unsigned long long)e->o->signals);
	if (e->o->lockdep == LOCKDEP_EXACT)
		printf("  lock orders judged by the exact rules, not the "
		       "kernel's\n");
	if (s->not_modelled)
		printf("not modelled: %s\n", s->not_modelled);
}

static void result_line(const struct exploration *e, bool vacuous, u32 met,
			u32 goals)
{
	char name[160], bound[16] = "none";

	target_name(&e->target, name, sizeof(name));
	if (e->bound >= 0)
		snprintf(bound, sizeof(bound), "%d", e->bound);
	printf("result: scenario=%s schedules=%llu verdicts=%u complete=%s "
	       "bound=%s signatures=", name, (unsigned long long)e->runs,
	       findings_bugs(&e->findings),
	       vacuous ? "vacuous" : e->complete ? "yes" : "no", bound);
	findings_print(stdout, &e->findings);
	if (e->first)
		printf(" first=%llu", (unsigned long long)e->first);
	else
		printf(" first=-");
	printf(" cut=%llu goals=%u/%u expected=%s seconds=%.3f\n",
	       (unsigned long long)e->cut, met, goals,
	       as_expected(e, false) ? "yes" : "no",
	       seconds_now() - e->began);
}

static const struct finding *to_report(const struct exploration *e)
{
	u32 i;

	for (i = 0; i < e->findings.n; i++) {
		const struct finding *f = &e->findings.at[i];

		if (f->schedule && want_matches_signature(e->o->want, f->kind,
							  f->signature))
			return f;
	}
	return NULL;
}

/* With a bound the witness has the fewest preemptions already: no proof. */
static void report_one(const struct exploration *e)
{
	const struct finding *f = to_report(e);
	static struct min_result m;
	static struct report r;

	if (!f || !minimise(&e->target, f->signature, f->schedule, &m))
		return;
	report_from_min(&r, &e->target, f->signature, &m);
	report_text(stdout, &r, color_wanted());
	printf("\n");
	min_describe(stdout, &m);
}

static void save_all(struct exploration *e)
{
	static struct min_result m;
	static struct report r;
	static struct sched_file s;
	u32 i;

	for (i = 0; i < e->findings.n; i++) {
		struct finding *f = &e->findings.at[i];

		if (!f->schedule || f->kind == HD_V_LIMIT ||
		    !minimise(&e->target, f->signature, f->schedule, &m))
			continue;
		report_from_min(&r, &e->target, f->signature, &m);
		sched_from_min(&s, &e->target, f->signature, &m);
		if (save_finding(e->o->out, &s, &r))
			continue;
		e->lost = true; /* on disk: so print it, nothing is lost */
		sched_write("-", &s);
	}
}

static int finish(struct exploration *e)
{
	u32 i, met, goals, bugs = findings_bugs(&e->findings);
	bool vacuous, expected;

	for (i = 0; i < e->findings.n; i++)
		tell_finding(e, &e->findings.at[i]);
	expected = as_expected(e, true);
	goals = count_goals(e, &met, true);
	vacuous = !bugs && e->complete && goals && !met;
	if (vacuous)
		printf("vacuous: no goal was reached, so nothing was tested\n");
	tell_scope(e);
	if (e->o->report)
		report_one(e);
	if (e->o->out)
		save_all(e);
	result_line(e, vacuous, met, goals);
	if (e->lost)
		return EXIT_USAGE;
	if (e->o->check)
		return expected && e->complete && !vacuous ? EXIT_CLEAN :
		       expected ? EXIT_INCOMPLETE : EXIT_VERDICT;
	if (e->o->want ? e->wanted : bugs > 0)
		return EXIT_VERDICT;
	return e->complete && !vacuous ? EXIT_CLEAN : EXIT_INCOMPLETE;
}

static void all_bounds(struct exploration *e)
{
	int k;

	for (k = 0; k <= e->o->preemptions && !interrupted; k++) {
		u64 runs = e->runs, cut = e->cut;

		search(e, k);
		tell_bound(e, e->runs - runs, e->cut - cut);
		/* a limit does not stop a search, it only spoils it */
		if ((!e->complete && !e->limited) || (e->o->want && e->wanted))
			break;
	}
}

int cmd_explore(int argc, char **argv)
{
	static struct exploration e;
	static struct options o;

	if (!options_parse(argc, argv, V_EXPLORE, &o) ||
	    !target_argument(argv[0], &o, &e.target) ||
	    !want_check(argv[0], o.want))
		return EXIT_USAGE;
	if (!target_open(&e.target))
		return EXIT_USAGE;
	catch_interrupt();
	e.o = &o;
	e.began = seconds_now();
	printf("%s:%s  %s\n", e.target.scenario->name, e.target.variant->name,
	       e.target.variant->title ? e.target.variant->title : "");
	if (o.preemptions < 0)
		search(&e, -1);
	else
		all_bounds(&e);
	return finish(&e);
}
