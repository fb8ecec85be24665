/* SPDX-License-Identifier: MIT */
/* Can what lockdep reported become a deadlock in this scenario?
 *
 * The scenario is searched for a deadlock on locks of the reported classes:
 * with 0, 1 ... preemptions, so that the witness is small, then without a
 * bound.  Three answers: yes, with the schedule drawn; no, when the whole space
 * was searched; or that the search was not finished. */
#include <stdlib.h>
#include <string.h>

#include "../src/oracle/lockdep.h"
#include "report.h"
#include "search.h"

enum { MAX_BOUND = 4, MAX_STATES = 1000000 }; /* of one search */

struct witness {
	const struct story *s;
	struct hd_schedule schedule;
	char signature[160];
	bool found;
};

static bool is_in_cycle(const struct splat *k, const char *name)
{
	u32 i;

	for (i = 0; i < k->nclasses; i++) {
		size_t n = strcspn(k->class[i], "/"); /* without subclass */

		if (!strncmp(k->class[i], name, n) && !name[n])
			return true;
	}
	return false;
}

static bool is_class(const char *name)
{
	u32 i;

	for (i = 0; i < lockdep_nclasses(); i++)
		if (!strcmp(lockdep->class[i].name, name))
			return true;
	return false;
}

/* Who waits for the readers of a class (lock_sync) sleeps, and the deadlock names
 * what it sleeps on. */
static bool has_sync(const struct story *s)
{
	u32 i;

	for (i = 0; i < s->n; i++)
		if (s->log[i].ev.op.kind == HD_EV_LOCK_SYNC && s->log[i].ev.text &&
		    is_in_cycle(&s->splat, s->log[i].ev.text))
			return true;
	return false;
}

static bool fits(const struct story *s, const struct hd_verdict *v)
{
	u32 i;

	if (v->kind != HD_V_DEADLOCK || !v->nnames)
		return false;
	for (i = 0; i < v->nnames; i++)
		if (!is_in_cycle(&s->splat, v->names[i]) &&
		    (is_class(v->names[i]) || !has_sync(s)))
			return false;
	return true;
}

static bool found(struct hd_explore *x, void *arg)
{
	struct witness *w = arg;
	u32 i;

	(void)x;
	for (i = 0; i < W->nverdicts && !w->found; i++) {
		if (!fits(w->s, &W->verdicts[i]))
			continue;
		w->found = true;
		hd_explore_schedule(&w->schedule);
		verdict_signature(&W->verdicts[i], w->signature,
				  sizeof(w->signature));
	}
	return !w->found;
}

static void limit(struct hd_explore *x, void *arg)
{
	(void)arg;
	x->stop |= x->states > MAX_STATES;
}

static u32 edits_of(const struct hd_schedule *s, u8 kind)
{
	u32 i, n = 0;

	for (i = 0; i < s->nedits; i++)
		n += s->edit[i].kind == kind;
	return n;
}

static struct hd_explore search(struct witness *w, int bound)
{
	const struct hd_schedule *mine = &w->s->report->schedule;
	struct hd_explore x = {
		.bound = bound,
		.max_failures = edits_of(mine, HD_EDIT_FAIL),
		.max_signals = edits_of(mine, HD_EDIT_SIGNAL),
		.found = found, .progress = limit, .arg = w,
	};

	hd_explore_run(&x);
	return x;
}

static void tell_edits(const struct hd_schedule *s, struct page *p)
{
	char line[900] = "";
	u8 order[16];
	u32 i, n = edits_in_order(s, order, ARRAY_SIZE(order));

	for (i = 0; i < n; i++) {
		char text[160];

		edit_text(&s->edit[order[i]], text, sizeof(text));
		snprintf(line + strlen(line), sizeof(line) - strlen(line),
			 "%s%s", i ? "; " : "", text);
	}
	page_wrap(p, 2, "schedule: %s%s",
		  n ? line : "every task runs on until it blocks",
		  s->nedits > n ? "; ..." : "");
}

static void draw(const struct witness *w, struct page *p)
{
	struct report r = *w->s->report;
	struct story s;

	tell_edits(&w->schedule, p);
	page_line(p, "%s", "");
	r.schedule = w->schedule;
	snprintf(r.want, sizeof(r.want), "%s", w->signature);
	if (story_tell(&s, &r)) {
		picture_draw(&s, p);
		report_locks(&s, p);
	}
	story_free(&s);
}

void report_witness(const struct story *s, struct page *p)
{
	const struct hd_verdict *v = story_verdict(s);
	struct witness *w;
	struct hd_explore x = { 0 };
	int bound;

	if (!v || v->kind != s->splat.verdict ||
	    (v->kind != HD_V_CIRCULAR && v->kind != HD_V_RECURSIVE &&
	     v->kind != HD_V_INCONSISTENT && v->kind != HD_V_IRQ_INVERSION &&
	     v->kind != HD_V_IRQ_ORDER))
		return;
	w = calloc(1, sizeof(*w));
	if (!w)
		return;
	w->s = s;
	for (bound = 0; bound <= MAX_BOUND && !w->found; bound++) {
		x = search(w, bound);
		if (!x.complete && !w->found)
			break;
	}
	bound--;
	if (!w->found)
		x = search(w, -1);
	page_line(p, "%s", "");
	if (w->found && x.bound >= 0)
		page_wrap(p, 2, "it can deadlock here, with %d preemption%s",
			  bound, bound == 1 ? "" : "s");
	else if (w->found)
		page_wrap(p, 2, "it can deadlock here");
	else if (x.complete)
		page_wrap(p, 2, "no deadlock on these locks in any interleaving "
			  "of this scenario (complete, no bound: %llu run%s, "
			  "one for each that differs)",
			  (unsigned long long)x.runs, x.runs == 1 ? "" : "s");
	else
		page_wrap(p, 2, "no deadlock on these locks was found; the "
			  "search was not finished (%llu runs)",
			  (unsigned long long)x.runs);
	if (w->found)
		draw(w, p);
	free(w);
}
