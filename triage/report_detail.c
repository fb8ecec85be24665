/* SPDX-License-Identifier: MIT */
/* Where was the verdict raised, and which values did the run change?  What
 * became of the object: report_lifetime.c. */
#include <string.h>

#include "report.h"

enum { MAX_STACK = 24 };

/* --- the stack of the verdict -------------------------------------------- */

static bool has_stack(const struct story *s, u32 i, const struct hd_verdict *v)
{
	const struct hd_record *r = &s->log[i];

	return r->ev.task == v->task && r->nframes && r->frames[0] &&
	       sym_is_model(r->frames[0]);
}

/* A record whose frames end like those of the verdict: made at its place, or
 * by the last event in the function of v->pc. */
static bool frames_of_verdict(const struct story *s, struct hd_record *out)
{
	const struct hd_verdict *v = story_verdict(s);
	u32 i, k;

	for (i = s->last < s->n ? s->last + 1 : s->n; i-- > 0;) {
		if (!has_stack(s, i, v))
			continue;
		*out = s->log[i];
		if (!v->pc || out->ev.op.pc == v->pc)
			return true;
		for (k = 0; k < out->nframes; k++) {
			if (!sym_same_function(out->frames[k], v->pc))
				continue;
			memmove(out->frames, out->frames + k,
				(out->nframes - k) * sizeof(out->frames[0]));
			out->nframes -= (u8)k;
			out->frames[0] = v->pc;
			return true;
		}
		break;
	}
	memset(out, 0, sizeof(*out));
	out->frames[0] = v->pc;
	out->nframes = v->pc != 0;
	return v->pc != 0;
}

static void print_stack(const struct story *s, struct page *p)
{
	const struct hd_verdict *v = story_verdict(s);
	struct sym_site site[MAX_STACK];
	struct hd_record rec;
	u32 i, n;

	if (!frames_of_verdict(s, &rec))
		return;
	n = statement_stack(&rec, site, MAX_STACK);
	if (!n)
		return;
	report_bad_access(s, p, site[0].function);
	page_line(p, "%s", "");
	page_line(p, "raised in %s", v->task < s->ntasks ?
					     story_task(s, v->task) :
					     "the end check");
	for (i = 0; i < n; i++)
		page_place(p, 2, site[i].function, &site[i]);
}

/* --- values -------------------------------------------------------------- */

static bool has_value(const struct story *s, u32 i)
{
	const struct hd_event *ev = &s->log[i].ev;

	return (s->flag[i] & REC_SHARED) && ev->op.size <= 8 &&
	       (ev->op.kind == HD_LOAD || ev->op.kind == HD_STORE ||
		ev->op.kind == HD_RMW);
}

static bool seen_before(const struct story *s, u32 i)
{
	u32 j;

	for (j = 0; j < i; j++)
		if (has_value(s, j) &&
		    s->log[j].ev.op.addr == s->log[i].ev.op.addr)
			return true;
	return false;
}

static bool last_value(const struct story *s, u32 i, u64 *v)
{
	u32 j;

	*v = s->log[i].ev.val;
	for (j = i; j < s->n; j++)
		if (has_value(s, j) &&
		    s->log[j].ev.op.addr == s->log[i].ev.op.addr)
			*v = s->log[j].ev.val;
	return *v != s->log[i].ev.old;
}

static void print_values(const struct story *s, struct page *p)
{
	char line[800] = "", name[80], old[64], val[64], change[100];
	u64 v;
	u32 i;

	for (i = 0; i < s->n && strlen(line) < 600; i++) {
		const struct hd_record *r = &s->log[i];

		if (!has_value(s, i) || seen_before(s, i) ||
		    !last_value(s, i, &v))
			continue;
		object_text(r, name, sizeof(name));
		value_text(r->ev.old, r->ev.op.size, old, sizeof(old));
		value_text(v, r->ev.op.size, val, sizeof(val));
		change_text(old, val, change, sizeof(change));
		snprintf(line + strlen(line), sizeof(line) - strlen(line),
			 "%s%s %s", line[0] ? ", " : "", name, change);
	}
	if (!line[0])
		return;
	page_line(p, "%s", "");
	page_wrap(p, 2, "values before and at the verdict: %s", line);
}

void report_detail(const struct story *s, struct page *p)
{
	u8 kind;

	if (!story_verdict(s))
		return;
	kind = story_verdict(s)->kind;
	/* else it says who waits where, or where what is left comes from */
	if (verdict_of_race(kind))
		report_race(s, p);
	else if (!verdict_of_progress(kind) && kind != HD_V_LEAK &&
		 kind != HD_V_REFCOUNT_LEAK)
		print_stack(s, p);
	report_lifetime(s, p);
	print_values(s, p);
}
