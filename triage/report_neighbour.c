/* SPDX-License-Identifier: MIT */
/* What is the nearest run that passes, and what is the one difference?
 *
 * The run is written as edits over run-to-block.  One edit is dropped, or moved
 * by a few ops; the nearest such run that does not show the verdict is
 * described by the two ops that changed their order, with the values that they
 * then have.  Later edits are tried first: they are nearer to the verdict. */
#include <stdlib.h>
#include <string.h>

#include "report.h"
#include "search.h"

enum { FARTHEST = 12 };

struct try {
	const struct story *s;
	struct hd_schedule base, now;
	char words[400];
};

static bool shows_signature(const struct story *s, const struct hd_outcome *o)
{
	char sig[160];
	u32 i;

	for (i = 0; i < o->nverdicts; i++) {
		verdict_signature(&o->verdicts[i], sig, sizeof(sig));
		if (!strcmp(sig, s->signature))
			return true;
	}
	return false;
}

/* --- the ops that changed their order ------------------------------------ */

static u32 op_of(const struct hd_record *log, u32 nlog, u32 task, u32 n)
{
	u32 i;

	for (i = 0; i < nlog; i++)
		if (log[i].ev.task == task && log[i].ev.n == n &&
		    is_op(&log[i]))
			return i;
	return nlog;
}

/* In the run that passes: is op a executed before op b? */
static bool now_before(const struct story *s, u32 a, u32 b)
{
	u32 x = op_of(hd_eng.log, hd_eng.nlog, s->log[a].ev.task,
		      s->log[a].ev.n);
	u32 y = op_of(hd_eng.log, hd_eng.nlog, s->log[b].ev.task,
		      s->log[b].ev.n);

	return x < hd_eng.nlog && x < y;
}

static void name_op(const struct story *s, u32 i, char *buf, size_t size)
{
	struct statement st;
	struct sym_site site;

	statement_make(&s->log[i], &st);
	if (statement_place(&s->log[i], &site) &&
	    strcmp(site.function, s->task_fn[s->log[i].ev.task]))
		snprintf(buf, size, "%s's %s%s%s in %s",
			 story_task(s, s->log[i].ev.task), st.verb,
			 st.object[0] ? " " : "", st.object, site.function);
	else
		snprintf(buf, size, "%s's %s%s%s",
			 story_task(s, s->log[i].ev.task), st.verb,
			 st.object[0] ? " " : "", st.object);
}

/* What the op did in the run that passes, if it is the same op there. */
static void new_values(const struct story *s, u32 i, char *buf, size_t size)
{
	u32 j = op_of(hd_eng.log, hd_eng.nlog, s->log[i].ev.task,
		      s->log[i].ev.n);
	struct statement st;

	buf[0] = 0;
	if (j == hd_eng.nlog || hd_eng.log[j].ev.op.pc != s->log[i].ev.op.pc)
		return;
	statement_make(&hd_eng.log[j], &st);
	if (st.values[0])
		snprintf(buf, size, "%s", st.values);
}

/* x ran after y in the story, and now runs before it. */
static void describe(struct try *t, u32 x, u32 y, const struct hd_outcome *o)
{
	char a[200], b[200], va[96], vb[96], then[240] = "";

	name_op(t->s, x, a, sizeof(a));
	name_op(t->s, y, b, sizeof(b));
	new_values(t->s, x, va, sizeof(va));
	new_values(t->s, y, vb, sizeof(vb));
	if (va[0] && vb[0])
		snprintf(then, sizeof(then), " (%s, then %s)", va, vb);
	snprintf(t->words, sizeof(t->words), "%s if %.120s runs before "
		 "%.120s%.100s", o->nverdicts ? "goes away" : "passes", a, b,
		 then);
}

/* --- trying -------------------------------------------------------------- */

/* Two conflicting ops of different tasks that swapped; the pair that stands
 * earliest in the run that passes. */
static bool find_swap(const struct story *s, u32 *x, u32 *y)
{
	u32 best = UINT32_MAX, i, j;

	for (i = 0; i < s->n; i++) {
		if (!(s->flag[i] & REC_SHARED))
			continue;
		j = story_conflict(s, i, false);
		/* j ran before i; now i before j? */
		if (j < s->n && now_before(s, i, j)) {
			u32 at = op_of(hd_eng.log, hd_eng.nlog,
				       s->log[i].ev.task, s->log[i].ev.n);

			if (at < best) {
				best = at;
				*x = i;
				*y = j;
			}
		}
	}
	return best != UINT32_MAX;
}

static bool passes(struct try *t, bool any)
{
	struct hd_outcome o = hd_run(&t->now);
	u32 x, y;

	if (any ? shows_signature(t->s, &o) : o.nverdicts)
		return false;
	o = hd_run_with_log(&t->now);
	if (!find_swap(t->s, &x, &y))
		return false;
	describe(t, x, y, &o);
	return true;
}

static bool move(struct try *t, u32 i, int by, bool any)
{
	struct hd_edit e = t->base.edit[i];
	int anchor = (int)e.anchor + by;

	if ((e.kind != HD_EDIT_SWITCH && e.kind != HD_EDIT_IRQ) || anchor < 1 || anchor > 65535)
		return false;
	t->now = t->base;
	hd_schedule_remove(&t->now, i);
	if (by) {
		e.anchor = (u16)anchor;
		hd_schedule_add(&t->now, e);
	}
	return passes(t, any);
}

static bool search(struct try *t, bool any)
{
	int by;
	u32 i;

	for (by = 1; by <= FARTHEST; by++)
		for (i = t->base.nedits; i-- > 0;)
			if (move(t, i, by, any) || move(t, i, -by, any))
				return true;
	for (i = t->base.nedits; i-- > 0;)
		if (move(t, i, 0, any))
			return true;
	return false;
}

bool neighbour_describe(const struct story *s, char *buf, size_t size)
{
	struct try *t = calloc(1, sizeof(*t));
	bool ok;

	if (!t)
		return false;
	t->s = s;
	hd_run_with_log(&s->report->schedule);
	realised_schedule(&t->base);
	ok = t->base.nedits <= 64 && (search(t, false) || search(t, true));
	snprintf(buf, size, "%s", t->words);
	free(t);
	return ok;
}
