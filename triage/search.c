/* SPDX-License-Identifier: MIT */
/* What is the smallest schedule that shows this signature, and is that proved?
 *
 * Reduction: the run is written as edits over run-to-block (one per switch or interrupt);
 * delta debugging removes edits, then single edits are moved, retargeted and
 * removed in pairs as long as the cost falls.  Proof: an exhaustive search with
 * one preemption less, and no more other choices, does not show the signature;
 * where it does, its witness is the new candidate.  Then a search at the number
 * of preemptions so found picks the run with the fewest other verdicts. */
#include "search.h"

#include <string.h>

#include "sym.h"

/* --- signatures ---------------------------------------------------------- */

/* The field of the object, or the variable (race_verdict.c); NULL: no name. */
static const char *word_of(const struct hd_verdict *v, char *buf, size_t size)
{
	if (v->type)
		return sym_field(v->type, v->off, buf, size);
	if ((v->kind == HD_V_DATA_RACE || v->kind == HD_V_ASSERT_RACE) &&
	    v->off)
		return sym_data((u64)__start_hd_data + v->off - 1, buf, size);
	return NULL;
}

void verdict_signature(const struct hd_verdict *v, char *buf, size_t size)
{
	char word[128];

	hd_verdict_signature(v, word_of(v, word, sizeof(word)), buf, size);
}

void verdict_title(const struct hd_verdict *v, char *buf, size_t size)
{
	const char *task = v->task < W->ntasks ? W->tasks[v->task].name : NULL;
	char word[128], sig[160];
	int at = snprintf(buf, size, "%s", hd_verdict_title(v->kind));
	u32 i;

	for (i = 0; i < v->nnames && (size_t)at < size; i++)
		at += snprintf(buf + at, size - (size_t)at, "%s %s",
			       i ? "," : ":", v->names[i]);
	if ((v->type || word_of(v, word, sizeof(word))) && (size_t)at < size) {
		verdict_signature(v, sig, sizeof(sig));
		at += snprintf(buf + at, size - (size_t)at, "%s %s",
			       v->nnames ? "," : ":", strrchr(sig, ' ') + 1);
	}
	if (task && (size_t)at < size)
		snprintf(buf + at, size - (size_t)at, ", task %s", task);
}

/* --- a run as edits ------------------------------------------------------ */

static bool is_decision(const struct hd_record *r)
{
	return r->ev.task < W->ntasks && r->ev.n &&
	       (r->ev.op.kind < HD_EV_ACQUIRE ||
		r->ev.op.kind == HD_EV_BAD_ACCESS);
}

static void keep_choices(const struct hd_schedule *from,
			 struct hd_schedule *out)
{
	u32 i;

	for (i = 0; from && i < from->nedits; i++)
		if (from->edit[i].kind == HD_EDIT_CHOOSE ||
		    from->edit[i].kind == HD_EDIT_FAIL ||
		    from->edit[i].kind == HD_EDIT_SIGNAL)
			hd_schedule_add(out, from->edit[i]);
}

/* Is it the coming of a handler that interrupts the task? */
static bool comes_on(const struct hd_record *r, u32 task)
{
	const struct hd_task *h = &W->tasks[r->ev.task];

	return h->irq && h->host == task && r->ev.n == 1;
}

void realised_schedule(struct hd_schedule *out)
{
	static struct hd_schedule s;
	u32 i, task = 0, n = 0; /* the run begins as if task 0 had run */

	hd_schedule_clear(&s);
	keep_choices(hd_eng.schedule, &s);
	for (i = 0; i < hd_eng.nlog; i++) {
		const struct hd_record *r = &hd_eng.log[i];

		if (!is_decision(r))
			continue;
		if (r->ev.task != task) {
			struct hd_edit e = { HD_EDIT_SWITCH, (u8)task,
					     (u16)(n + 1), r->ev.task };

			if (comes_on(r, task))
				e.kind = HD_EDIT_IRQ;
			hd_schedule_add(&s, e);
		}
		task = r->ev.task;
		n = r->ev.n;
	}
	*out = s;
}

/* --- cost ---------------------------------------------------------------- */

struct cost cost_of(const struct hd_outcome *o)
{
	return (struct cost){ o->preemptions, o->choices, o->nverdicts,
			      o->switches, o->ops };
}

bool cheaper(const struct cost *a, const struct cost *b)
{
	if (a->preemptions != b->preemptions)
		return a->preemptions < b->preemptions;
	if (a->choices != b->choices)
		return a->choices < b->choices;
	if (a->others != b->others)
		return a->others < b->others;
	if (a->switches != b->switches)
		return a->switches < b->switches;
	return a->ops < b->ops;
}

static bool has_signature(const struct hd_verdict *v, u32 n,
			  const char *signature)
{
	u32 i;

	for (i = 0; i < n; i++)
		if (!strncmp(signature, hd_verdict_name(v[i].kind),
			     strlen(hd_verdict_name(v[i].kind))) &&
		    want_matches(signature, &v[i]))
			return true;
	return false;
}

struct reduction {
	const char *signature;
	struct hd_schedule best;
	struct cost cost;
	u32 replays;
};

/* Does s show the signature?  Its cost in c. */
static bool shows(struct reduction *r, const struct hd_schedule *s,
		  struct cost *c)
{
	struct hd_outcome o = hd_run(s);

	r->replays++;
	*c = cost_of(&o);
	return has_signature(o.verdicts, o.nverdicts, r->signature);
}

/* Take s if it is cheaper, or as cheap with fewer edits. */
static bool offer(struct reduction *r, const struct hd_schedule *s)
{
	struct cost c;

	if (!shows(r, s, &c) || cheaper(&r->cost, &c))
		return false;
	if (!cheaper(&c, &r->cost) && s->nedits >= r->best.nedits)
		return false;
	r->best = *s;
	r->cost = c;
	return true;
}

/* --- reduction ----------------------------------------------------------- */

static bool keep_cut(const struct hd_schedule *s, void *arg)
{
	struct reduction *r = arg;
	struct cost c;

	if (!shows(r, s, &c) || c.preemptions > r->cost.preemptions ||
	    (c.preemptions == r->cost.preemptions &&
	     c.choices > r->cost.choices))
		return false;
	r->best = *s;
	r->cost = c;
	return true;
}

/* Put e in the place of edit i. */
static bool try_instead(struct reduction *r, u32 i, struct hd_edit e)
{
	static struct hd_schedule s;

	s = r->best;
	hd_schedule_remove(&s, i);
	return hd_schedule_add(&s, e) && offer(r, &s);
}

static bool move_one(struct reduction *r)
{
	u32 i, u;

	for (i = 0; i < r->best.nedits; i++) {
		struct hd_edit e = r->best.edit[i], f = e;

		f.anchor = e.anchor - 1;
		if (e.anchor > 1 && try_instead(r, i, f))
			return true;
		f.anchor = e.anchor + 1;
		if (e.anchor < UINT16_MAX && try_instead(r, i, f))
			return true;
		f = e;
		for (u = 0; (e.kind == HD_EDIT_SWITCH ||
			     e.kind == HD_EDIT_IRQ) && u < W->ntasks; u++) {
			f.arg = (u16)u;
			if (u != e.arg && try_instead(r, i, f))
				return true;
		}
	}
	return false;
}

static bool drop_some(struct reduction *r)
{
	static struct hd_schedule s;
	u32 i, j;

	for (i = 0; i < r->best.nedits; i++) {
		s = r->best;
		hd_schedule_remove(&s, i);
		if (offer(r, &s))
			return true;
	}
	if (r->best.nedits > 24)
		return false;
	for (i = 1; i < r->best.nedits; i++)
		for (j = 0; j < i; j++) {
			s = r->best;
			hd_schedule_remove(&s, i);
			hd_schedule_remove(&s, j);
			if (offer(r, &s))
				return true;
		}
	return false;
}

/* The same run as plain switches; false if it cannot be written so. */
static bool normalise(struct reduction *r)
{
	static struct hd_schedule s;
	struct cost c;

	hd_run_with_log(&r->best);
	realised_schedule(&s);
	if (!shows(r, &s, &c) || cheaper(&r->cost, &c))
		return false;
	r->best = s;
	r->cost = c;
	return true;
}

static void polish(struct reduction *r)
{
	static struct hd_schedule s;
	u32 rounds = 0;

	do {
		normalise(r);
		s = r->best;
		ddmin(&s, keep_cut, r);
	} while (++rounds < 100 && (move_one(r) || drop_some(r)));
}

static bool reduce(struct reduction *r, const struct hd_schedule *start)
{
	if (!shows(r, start, &r->cost))
		return false;
	r->best = *start;
	polish(r);
	return true;
}

/* --- proof --------------------------------------------------------------- */

struct pick {
	struct reduction *r;
	struct cost cost;          /* must be cheaper than that */
	bool first;                /* the first one will do */
	u32 max_preemptions;
	bool found;
	struct hd_schedule schedule;
};

static bool pick_found(struct hd_explore *x, void *arg)
{
	struct pick *p = arg;
	struct cost c = { W->preemptions, W->choices, W->nverdicts,
			  W->switches, W->ops };

	(void)x;
	if (interrupted)
		return false;
	if (c.preemptions > p->max_preemptions ||
	    c.choices > p->r->cost.choices || !cheaper(&c, &p->cost) ||
	    !has_signature(W->verdicts, W->nverdicts, p->r->signature))
		return true;
	p->cost = c;
	p->found = true;
	hd_explore_schedule(&p->schedule);
	return !p->first;
}

static void show_progress(struct hd_explore *x, void *arg)
{
	(void)arg;
	if (interrupted)
		x->max_runs = x->runs; /* ends it */
	progress(x->runs, x->max_runs, 0);
}

static u32 count_kind(const struct hd_schedule *s, u8 kind)
{
	u32 i, n = 0;

	for (i = 0; i < s->nedits; i++)
		n += s->edit[i].kind == kind;
	return n;
}

/* Of a large scenario few paths become runs; a search of it must end, too. */
enum { STATES_PER_RUN = 5 };

static struct hd_explore search_at(struct pick *p, u32 bound, u64 limit)
{
	struct hd_explore x = {
		.bound = (int)bound,
		.max_runs = limit,
		.max_states = STATES_PER_RUN * limit,
		.max_failures = count_kind(&p->r->best, HD_EDIT_FAIL),
		.max_signals = count_kind(&p->r->best, HD_EDIT_SIGNAL),
		.found = pick_found,
		.progress = show_progress,
		.arg = p,
	};

	p->max_preemptions = bound;
	p->found = false;
	p->cost = p->r->cost;
	hd_explore_run(&x);
	progress_end();
	return x;
}

/* The search's witness as the new best; it must replay. */
static bool adopt(struct reduction *r, const struct pick *p)
{
	struct cost c;

	if (!p->found || !shows(r, &p->schedule, &c) ||
	    !cheaper(&c, &r->cost))
		return false;
	r->best = p->schedule;
	r->cost = c;
	return true;
}

static void prove(struct reduction *r, u64 limit, struct min_result *out)
{
	static struct pick p;
	struct hd_explore x;

	p.r = r;
	p.first = true;
	out->proved = true;
	while (r->cost.preemptions) {
		out->exhausted = r->cost.preemptions - 1;
		x = search_at(&p, out->exhausted, limit);
		out->proof_runs = x.runs; /* of the one that counts */
		if (adopt(r, &p))
			continue;
		out->proved = x.complete && !p.found;
		snprintf(out->why_not, sizeof(out->why_not), "%s",
			 out->proved ? "" : p.found ? "witness did not replay" :
			 interrupted ? "interrupted" :
			 x.limited ? "a run hit a limit" : "limit");
		break;
	}
	p.first = false;
	search_at(&p, r->cost.preemptions, limit);
	if (adopt(r, &p))
		polish(r);
}

/* --- all of it ----------------------------------------------------------- */

static bool first_witness(struct reduction *r, u64 limit)
{
	static struct pick p;
	u32 bound;

	r->cost = (struct cost){ UINT32_MAX, UINT32_MAX, UINT32_MAX,
				 UINT32_MAX, UINT32_MAX };
	p.r = r;
	p.first = true;
	for (bound = 0; bound < 8 && !p.found && !interrupted; bound++)
		search_at(&p, bound, limit);
	return p.found && reduce(r, &p.schedule);
}

bool minimise_within(const struct target *t, const char *signature,
		     const struct hd_schedule *start, u64 limit,
		     struct min_result *out)
{
	static struct reduction r;
	double began = seconds_now();

	memset(out, 0, sizeof(*out));
	memset(&r, 0, sizeof(r));
	r.signature = signature;
	if (!target_open(t))
		return false;
	if (!(start ? reduce(&r, start) : first_witness(&r, limit)))
		return false;
	out->reduced = r.cost.preemptions;
	out->replays = r.replays;
	out->reduce_seconds = seconds_now() - began;
	began = seconds_now();
	prove(&r, limit, out);
	out->proof_seconds = seconds_now() - began;
	out->schedule = r.best;
	out->preemptions = r.cost.preemptions;
	out->choices = r.cost.choices;
	out->switches = r.cost.switches;
	out->ops = r.cost.ops;
	return true;
}

bool minimise(const struct target *t, const char *signature,
	      const struct hd_schedule *start, struct min_result *out)
{
	return minimise_within(t, signature, start, 200000, out);
}
