/* SPDX-License-Identifier: MIT */
/* heddle explore: which verdicts does any interleaving show, and with how few
 * preemptions?  exploration.c searches and judges, this file tells. */
#include "exploration.h"

#include <string.h>

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

static void tell_finding(const struct exploration *e, const struct finding *f)
{
	int at = declared_at(e->target.variant, f->kind);

	printf("%-36s %s%u preemption%s  ", f->signature,
	       e->bound < 0 ? "at most " : "", f->preemptions,
	       plural(f->preemptions));
	if (f->kind == HD_V_LIMIT)
		printf("no bug: a limit of heddle\n");
	else if (is_program(e->target.scenario))
		printf("found\n");
	else if (!variant_expects(e->target.variant, f->kind))
		printf("NOT EXPECTED of this variant\n");
	else if (at < 0 || e->bound < 0 || (u32)at == f->preemptions)
		printf("expected\n");
	else if (seen_at(e, f->kind) == at)
		printf("expected (another of its kind at %d)\n", at);
	else
		printf("EXPECTED at %d\n", at);
	if (f->schedule)
		tell_witness(f->schedule);
}

/* What the variant declares and the search did not see. */
static void tell_missed(const struct exploration *e)
{
	const struct heddle_expect *x = e->target.variant->expect;
	u32 i;

	for (i = 0; i < HD_MAX_EXPECT && x[i].verdict; i++)
		if (declared_differs(e, &x[i]) && seen_at(e, x[i].verdict) < 0)
			printf("MISSED: %s, which this variant is expected to "
			       "show\n", hd_verdict_name(x[i].verdict));
}

/* --- the end ------------------------------------------------------------- */

static void tell_scope(const struct exploration *e)
{
	const char *what = e->findings.n ? "every" : "no violation in any";
	const char *it = is_program(e->target.scenario) ? "program" : "model";
	char events[80];

	if (!e->complete)
		printf("incomplete: %s\n",
		       e->limited ? "a run hit a limit" :
		       interrupted ? "interrupted" :
		       e->wanted && e->o.want ? "stopped at --want" :
						 "stopped at --max-schedules");
	else if (e->bound < 0)
		printf("complete: %s interleaving of this %s\n", what, it);
	else
		printf("complete: %s interleaving of this %s with at most "
		       "%d preemption%s\n", what, it, e->bound,
		       plural((u64)e->bound));
	snprintf(events, sizeof(events), "failures up to %lld, signals up to "
		 "%lld", (long long)e->o.fail, (long long)e->o.signals);
	tell_relative(e->target.scenario, &e->o, events);
}

/* What it took.  Without snapshots of the world each branch would begin with the
 * set-up again. */
static void tell_search(const struct exploration *e)
{
	double times = e->states ? (double)(e->states + e->spared) /
					   (double)e->states : 1;

	printf("search: %llu %s, %llu path%s cut\n", (unsigned long long)e->runs,
	       e->bound < 0 ? "equivalence classes, one run each" : "runs",
	       (unsigned long long)e->cut, plural(e->cut));
	printf("  %llu transitions, %.1f times as many without snapshots\n",
	       (unsigned long long)e->states, times);
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
	       as_declared(e) ? "yes" : "no",
	       seconds_now() - e->began);
}

static const struct finding *to_report(const struct exploration *e)
{
	u32 i;

	for (i = 0; i < e->findings.n; i++) {
		const struct finding *f = &e->findings.at[i];

		if (f->schedule && want_matches_signature(e->o.want, f->kind,
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
		if (save_finding(e->o.out, &s, &r))
			continue;
		e->lost = true; /* on disk: so print it, nothing is lost */
		sched_write("-", &s);
	}
}

static int status(const struct exploration *e, bool vacuous)
{
	if (e->lost)
		return EXIT_USAGE;
	if (e->o.against)
		return e->differs ? EXIT_VERDICT : EXIT_CLEAN;
	if (e->o.check && !as_declared(e))
		return EXIT_VERDICT;
	if (!e->o.check &&
	    (e->o.want ? e->wanted : findings_bugs(&e->findings) > 0))
		return EXIT_VERDICT;
	return e->complete && !vacuous ? EXIT_CLEAN : EXIT_INCOMPLETE;
}

static struct certificate certificate; /* --against */

static int finish(struct exploration *e)
{
	bool vacuous = is_vacuous(e);
	u32 i, met, goals;

	for (i = 0; i < e->findings.n; i++)
		tell_finding(e, &e->findings.at[i]);
	tell_missed(e);
	goals = count_goals(e, &met, true);
	if (vacuous)
		printf("vacuous: no goal was reached, so nothing was tested\n");
	tell_scope(e);
	tell_search(e);
	if (e->o.report)
		report_one(e);
	if (e->o.out)
		save_all(e);
	if (e->o.certificate && !certificate_write(e->o.certificate, e))
		e->lost = true;
	if (e->o.against)
		e->differs = !certificate_holds(&certificate, e);
	result_line(e, vacuous, met, goals);
	return status(e, vacuous);
}

/* --check without :VARIANT is about the whole scenario. */
static bool whole_scenario(const struct options *o)
{
	return o->check && (!o->nargs || !strchr(o->args[0], ':'));
}

/* What a search of many variants cannot do. */
static bool is_for_one(const struct options *o)
{
	const char *option = o->want ? "want" : o->out ? "out" :
			     o->report ? "report" :
			     o->certificate ? "certificate" : NULL;

	if (option)
		fprintf(stderr, "heddle explore: --%s is for one VARIANT, "
			"--check without one is for all\n", option);
	return option != NULL;
}

/* --check of what no search ends. */
static bool is_sampled(const struct exploration *e)
{
	const struct heddle_variant *v = e->target.variant;

	if (!e->o.check || !v->sampled || e->o.preemptions != NOT_GIVEN ||
	    e->o.max_schedules)
		return false;
	fprintf(stderr, "heddle explore: %s:%s is too large to be searched; "
		"heddle run samples it\n", e->target.scenario->name, v->name);
	return true;
}

/* What is to be searched stands in the certificate, and there alone. */
static bool take_certificate(const char *verb, int argc, struct options *o)
{
	static char *name;

	if (!o->against)
		return true;
	if (argc > 3 || o->nargs) {
		fprintf(stderr, "heddle %s: --against=FILE takes no SCENARIO and "
			"no other option\n", verb);
		return false;
	}
	if (!certificate_read(o->against, &certificate, o))
		return false;
	name = certificate.scenario;
	o->args = &name;
	o->nargs = 1;
	return true;
}

int cmd_explore(int argc, char **argv)
{
	static struct exploration e;

	if (!options_parse(argc, argv, V_EXPLORE, &e.o) ||
	    !take_certificate(argv[0], argc, &e.o) ||
	    !target_argument(argv[0], &e.o, &e.target) ||
	    !want_check(argv[0], e.o.want))
		return EXIT_USAGE;
	if (whole_scenario(&e.o))
		return is_for_one(&e.o) ? EXIT_USAGE :
			check_scenario(e.target.scenario, &e.o);
	if (is_sampled(&e))
		return EXIT_INCOMPLETE;
	options_settle(&e.o, e.target.variant);
	if (!target_open(&e.target))
		return EXIT_USAGE;
	catch_interrupt();
	e.began = seconds_now();
	printf("%s:%s  %s\n", e.target.scenario->name, e.target.variant->name,
	       e.target.variant->title ? e.target.variant->title : "");
	explore_all(&e, tell_bound);
	return finish(&e);
}
