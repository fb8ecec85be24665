/* SPDX-License-Identifier: MIT */
/* heddle explore SCENARIO --check: what does the mail ask, what is heddle's
 * answer, and is every variant that it rests on as declared?
 *
 * Each variant is searched as it declares: its failures, signals and bound.  The
 * answers are the scenario's; what stands below them was found in these
 * searches, now. */
#include <stdlib.h>
#include <string.h>

#include "declared.h"
#include "exploration.h"
#include "report.h"

enum { WIDTH = 80 };

struct checked {
	const struct heddle_variant *variant;
	bool sure; /* finished, and as declared */
	char found[DECLARED_ROOM];
};

struct check {
	const struct heddle_scenario *scenario;
	struct checked *at;
	u32 n, differ, unfinished, verdicts;
	u64 runs;
};

static void print_page(struct page *p)
{
	u32 i;

	for (i = 0; i < p->n; i++)
		printf("%s\n", p->line[i]);
	fflush(stdout);
	page_free(p);
}

/* --- what was found ------------------------------------------------------ */

/* Kinds by fewest preemptions. */
static u32 kinds_found(const struct exploration *e, u8 *kind, u32 max)
{
	u32 i, j, n = 0;

	for (i = 0; i < e->findings.n && n < max; i++) {
		u8 k = e->findings.at[i].kind;

		if (memchr(kind, k, n))
			continue;
		for (j = n++; j && seen_at(e, kind[j - 1]) > seen_at(e, k); j--)
			kind[j] = kind[j - 1];
		kind[j] = k;
	}
	return n;
}

static void clean_text(const struct exploration *e, char *buf, size_t size)
{
	u32 met, goals = count_goals(e, &met, false);
	size_t n;

	if (is_vacuous(e))
		snprintf(buf, size, "vacuous: no goal was reached");
	else if (!e->complete)
		snprintf(buf, size, "clean so far");
	else if (e->bound < 0)
		snprintf(buf, size, "clean, complete, no bound");
	else
		snprintf(buf, size, "clean to %d preemption%s", e->bound,
			 e->bound == 1 ? "" : "s");
	n = strlen(buf);
	if (met && met < goals)
		snprintf(buf + n, size - n, "; %u of %u goals reached", met,
			 goals);
}

static void verdicts_text(const struct exploration *e, char *buf, size_t size)
{
	u8 kind[HD_V_COUNT];
	u32 i, n = kinds_found(e, kind, HD_V_COUNT);
	size_t at = 0;

	for (i = 0; i < n && at < size; i++)
		at += (size_t)snprintf(buf + at, size - at, "%s%s\t%s%d",
				       i ? ", " : "", hd_verdict_name(kind[i]),
				       e->bound < 0 ? "<=" : "",
				       seen_at(e, kind[i]));
	if (at < size && e->target.variant->bound)
		snprintf(buf + at, size - at, "; nothing else to\t%d",
			 e->bound);
}

static void found_text(const struct exploration *e, char *buf, size_t size)
{
	struct heddle_variant with = { .fail = (int)e->o.fail,
				       .signals = (int)e->o.signals };
	char events[80];
	size_t n;

	if (e->findings.n)
		verdicts_text(e, buf, size);
	else
		clean_text(e, buf, size);
	declared_events(&with, events, sizeof(events));
	n = strlen(buf);
	snprintf(buf + n, size - n, "%s%s%s", events[0] ? "; " : "", events,
		 e->complete ? "" : "; NOT FINISHED");
}

static void tell_differences(const struct exploration *e, struct page *p)
{
	const struct heddle_expect *x = e->target.variant->expect;
	u32 i;

	for (i = 0; i < e->findings.n; i++) {
		const struct finding *f = &e->findings.at[i];

		if (!finding_agrees(e, f))
			page_wrap(p, 8, "    NOT DECLARED: %s with %u "
				  "preemption%s", f->signature, f->preemptions,
				  f->preemptions == 1 ? "" : "s");
	}
	for (i = 0; i < HD_MAX_EXPECT && x[i].verdict; i++)
		if (declared_differs(e, &x[i]))
			page_line(p, "    DECLARED: %s at %d, NOT SEEN THERE",
				  hd_verdict_name(x[i].verdict), x[i].at);
}

/* --- a variant ----------------------------------------------------------- */

static u32 longest_name(const struct heddle_scenario *s)
{
	const struct heddle_variant *v;
	u32 n = 0;

	for (v = s->variants; v->name; v++)
		if (strlen(v->name) > n)
			n = (u32)strlen(v->name);
	return n;
}

static void forget(struct exploration *e)
{
	u32 i;

	for (i = 0; i < e->findings.n; i++)
		free(e->findings.at[i].schedule);
	free(e->findings.at);
}

static bool check_variant(struct check *c, const struct heddle_variant *v,
			  const struct options *o)
{
	struct exploration e = { .target = { c->scenario, v }, .o = *o };
	struct checked *k = &c->at[c->n];
	u32 name = longest_name(c->scenario);
	bool finished;
	struct page p;

	if (v->sampled && e.o.preemptions == NOT_GIVEN && !e.o.max_schedules) {
		printf("%-*s  not searched: too large (heddle run samples it)\n",
		       (int)name, v->name);
		c->n++;
		c->unfinished++;
		k->variant = v;
		snprintf(k->found, sizeof(k->found), "not searched");
		return true;
	}
	options_settle(&e.o, v);
	if (!target_open(&e.target))
		return false;
	explore_all(&e, NULL);
	c->n++;
	c->runs += e.runs;
	c->verdicts += findings_bugs(&e.findings);
	finished = e.complete && !is_vacuous(&e);
	c->unfinished += !finished;
	c->differ += !as_declared(&e);
	k->variant = v;
	k->sure = finished && as_declared(&e);
	found_text(&e, k->found, sizeof(k->found));
	page_init(&p, WIDTH);
	page_wrap(&p, name + 2, "%-*s  %s", (int)name, v->name, k->found);
	tell_differences(&e, &p);
	print_page(&p);
	forget(&e);
	return true;
}

/* --- questions and answers ----------------------------------------------- */

static void tell_questions(const struct heddle_scenario *s)
{
	const struct heddle_question *q = s->questions;
	struct page p;
	u32 n = 0;

	page_init(&p, WIDTH);
	page_wrap(&p, 2, "%s: %s", s->name, s->title ? s->title : "");
	if (s->bug)
		page_wrap(&p, 2, "bug: %s", s->bug);
	if (s->source)
		page_wrap(&p, 2, "source: %s", s->source);
	for (; q && q->question; q++)
		page_wrap(&p, 2, "question %u: %s", ++n, q->question);
	page_line(&p, "%s", "");
	print_page(&p);
}

static const struct checked *find(const struct check *c, const char *name)
{
	u32 i;

	for (i = 0; i < c->n; i++)
		if (!strcmp(c->at[i].variant->name, name))
			return &c->at[i];
	return NULL;
}

/* An answer is worth what the searches below it are. */
static bool confirmed(const struct check *c, const char *list)
{
	bool sure = true;
	char name[64];
	u32 n = 0;

	for (; evidence_next(&list, name, sizeof(name)); n++)
		sure &= find(c, name) && find(c, name)->sure;
	return sure && n;
}

static void tell_evidence(const struct check *c, const char *list,
			  struct page *p)
{
	u32 width = longest_name(c->scenario);
	const struct checked *k;
	char name[64];

	while (evidence_next(&list, name, sizeof(name))) {
		k = find(c, name);
		page_wrap(p, width + 4, "  %-*s  %s", (int)width, name,
			  k ? k->found : "not searched");
	}
}

static void tell_answers(const struct check *c)
{
	const struct heddle_question *q = c->scenario->questions;
	struct page p;
	u32 n = 0;

	page_init(&p, WIDTH);
	for (; q && q->question; q++) {
		page_line(&p, "%s", "");
		page_wrap(&p, 2, "answer %u%s: %s", ++n,
			  confirmed(c, q->evidence) ? "" : ", NOT CONFIRMED",
			  q->answer ? q->answer : "none");
		tell_evidence(c, q->evidence, &p);
	}
	page_line(&p, "%s", "");
	print_page(&p);
}

int check_scenario(const struct heddle_scenario *s, const struct options *o)
{
	struct check c = { .scenario = s };
	const struct heddle_variant *v;
	double began = seconds_now();
	u32 n = 0;

	while (s->variants[n].name)
		n++;
	c.at = calloc(n + 1, sizeof(*c.at));
	catch_interrupt();
	tell_questions(s);
	for (v = s->variants; v->name && !interrupted; v++)
		if (!check_variant(&c, v, o)) {
			free(c.at);
			return EXIT_USAGE;
		}
	tell_answers(&c);
	tell_relative(s, o, "failures and signals none but where a line above "
		      "names them");
	printf("to see a run: %s run %s:VARIANT --want=VERDICT\n", program,
	       s->name);
	free(c.at);
	printf("result: scenario=%s variants=%u schedules=%llu verdicts=%u "
	       "complete=%s expected=%s differ=%u seconds=%.3f\n", s->name,
	       c.n, (unsigned long long)c.runs, c.verdicts,
	       c.unfinished || c.n < n ? "no" : "yes",
	       c.differ ? "no" : "yes", c.differ, seconds_now() - began);
	if (c.differ)
		return EXIT_VERDICT;
	return c.unfinished || c.n < n ? EXIT_INCOMPLETE : EXIT_CLEAN;
}
