/* SPDX-License-Identifier: MIT */
/* What does the exhaustive search of one variant find, and is that what the
 * variant declares?
 *
 * With a bound K the searches with 0, 1 ... K preemptions are made one after
 * the other, so that each signature is seen first at its smallest number. */
#include "exploration.h"

#include <stdlib.h>
#include <string.h>

#include "report.h"

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
		if (!want_matches(e->o.want, v))
			continue;
		if (!e->first)
			e->first = e->runs + x->runs;
		e->wanted = true;
	}
	/* without a bound there is no smaller number to wait for */
	return !interrupted && !(e->o.want && e->wanted && e->bound < 0);
}

static void tick(struct hd_explore *x, void *arg)
{
	struct exploration *e = arg;

	if (interrupted)
		x->stop = true;
	progress_about(e->runs + x->runs, x->done, e->findings.n);
}

void explore_bound(struct exploration *e, int bound)
{
	struct hd_explore x = {
		.bound = bound,
		.max_runs = e->o.max_schedules,
		.max_failures = (u32)e->o.fail,
		.max_signals = (u32)e->o.signals,
		.found = found,
		.progress = tick,
		.arg = e,
	};

	e->bound = bound;
	hd_explore_run(&x);
	progress_end();
	e->runs += x.runs;
	e->cut += x.cut;
	e->states += x.states;
	e->spared += x.spared;
	e->hashes += x.hashes;
	e->marks |= x.marks;
	e->complete = x.complete;
	e->limited |= x.limited;
}

void explore_all(struct exploration *e,
		 void (*told)(struct exploration *e, u64 runs, u64 cut))
{
	int k;

	if (e->o.preemptions < 0)
		explore_bound(e, -1);
	for (k = 0; k <= e->o.preemptions && !interrupted; k++) {
		u64 runs = e->runs, cut = e->cut;

		explore_bound(e, k);
		if (told)
			told(e, e->runs - runs, e->cut - cut);
		/* a limit does not stop a search, it only spoils it */
		if ((!e->complete && !e->limited) || (e->o.want && e->wanted))
			break;
	}
}

/* --- what the variant declares ------------------------------------------- */

int declared_at(const struct heddle_variant *v, u8 kind)
{
	u32 i;

	for (i = 0; i < HD_MAX_EXPECT; i++)
		if (v->expect[i].verdict == kind)
			return v->expect[i].at;
	return -1;
}

int seen_at(const struct exploration *e, u8 kind)
{
	int best = -1;
	u32 i;

	for (i = 0; i < e->findings.n; i++)
		if (e->findings.at[i].kind == kind &&
		    (best < 0 || (int)e->findings.at[i].preemptions < best))
			best = (int)e->findings.at[i].preemptions;
	return best;
}

bool finding_agrees(const struct exploration *e, const struct finding *f)
{
	int at = declared_at(e->target.variant, f->kind);

	return f->kind != HD_V_LIMIT &&
	       variant_expects(e->target.variant, f->kind) &&
	       (at < 0 || e->bound < 0 || (u32)at <= f->preemptions);
}

bool declared_differs(const struct exploration *e,
		      const struct heddle_expect *x)
{
	int at = seen_at(e, x->verdict);

	if (e->bound >= 0 && x->at > e->bound)
		return false;
	return at < 0 || (e->bound >= 0 && x->at >= 0 && x->at != at);
}

bool as_declared(const struct exploration *e)
{
	const struct heddle_expect *x = e->target.variant->expect;
	bool good = true;
	u32 i;

	for (i = 0; i < e->findings.n; i++)
		good &= finding_agrees(e, &e->findings.at[i]);
	for (i = 0; i < HD_MAX_EXPECT && x[i].verdict; i++)
		good &= !declared_differs(e, &x[i]);
	return good;
}

/* --- goals --------------------------------------------------------------- */

u32 count_goals(const struct exploration *e, u32 *met, bool say)
{
	const char *const *g = e->target.variant->goals ?
				       e->target.variant->goals :
				       e->target.scenario->goals;
	u32 n, missed = 0;

	*met = 0;
	for (n = 0; g && g[n]; n++)
		*met += e->marks >> n & 1;
	if (!say || !n)
		return n;
	printf("goals: %u of %u reached", *met, n);
	for (n = 0; g[n]; n++)
		if (!(e->marks >> n & 1))
			printf("%s%s", missed++ ? ", " : "; not reached: ",
			       g[n]);
	printf("\n");
	return n;
}

bool is_vacuous(const struct exploration *e)
{
	u32 met, goals = count_goals(e, &met, false);

	return !findings_bugs(&e->findings) && e->complete && goals && !met;
}

static const char relative[] =
	"sequential consistency, fair awaits, rwsems whose waiting writers hold "
	"back new readers, data choices all, ";

void tell_relative(const struct heddle_scenario *s, const struct options *o,
		   const char *events)
{
	struct page p;
	u32 i;

	page_init(&p, 80);
	page_wrap(&p, 2, "relative to: %s%s", relative, events);
	if (o->lockdep == LOCKDEP_EXACT)
		page_line(&p, "  lock orders judged by the exact rules, not "
			  "the kernel's");
	if (s->not_modelled)
		page_wrap(&p, 2, "not modelled: %s", s->not_modelled);
	for (i = 0; i < p.n; i++)
		printf("%s\n", p.line[i]);
	page_free(&p);
}

void write_relative(FILE *out, const struct heddle_scenario *s,
		    const struct options *o)
{
	fprintf(out, "relative %sfailures up to %lld, signals up to %lld\n",
		relative, (long long)o->fail, (long long)o->signals);
	if (s->not_modelled)
		fprintf(out, "not-modelled %s\n", s->not_modelled);
}
