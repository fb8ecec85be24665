/* SPDX-License-Identifier: MIT */
/* Which two accesses race?  In the words and the form of KCSAN
 * (kernel/kcsan/report.c, Documentation/dev-tools/kcsan.rst, 6.12): a title with
 * both functions, then for each access what it did, to what, by whom, and its
 * stack.  Addresses and CPUs are left out: the field and the task say more.
 * Instead it says which order is missing. */
#include <stdlib.h>
#include <string.h>

#include "report.h"

enum { MAX_STACK = 24 };

bool verdict_of_race(u8 kind)
{
	return kind == HD_V_DATA_RACE || kind == HD_V_ASSERT_RACE;
}

/* --- the two accesses ---------------------------------------------------- */

/* The access at which the verdict was raised.  A store's record comes with the
 * next step of its task, and nobody is in between. */
u32 report_race_later(const struct story *s, const struct hd_verdict *v)
{
	u32 i;

	for (i = 0; i < s->n; i++) {
		const struct hd_event *ev = &s->log[i].ev;

		if (ev->step >= v->step && ev->task == v->task &&
		    ev->op.pc == v->pc &&
		    (is_op(&s->log[i]) || is_claim(&s->log[i])))
			return i;
	}
	return s->n;
}

/* A claim has the number of the op that follows it. */
static u32 claim_before(const struct story *s, u32 op)
{
	u32 i;

	for (i = op; i-- > 0;) {
		if (s->log[i].ev.task != s->log[op].ev.task)
			continue;
		if (is_claim(&s->log[i]))
			return i;
		if (is_op(&s->log[i]))
			break;
	}
	return op;
}

u32 report_race_earlier(const struct story *s, const struct hd_verdict *v)
{
	bool claim = false;
	u32 i, last = report_race_later(s, v);

	for (i = 0; i < v->nnames; i++)
		claim |= !strcmp(v->names[i], "assert");
	if (last < s->n && is_claim(&s->log[last]))
		claim = false;
	for (i = 0; i < last && i < s->n; i++) {
		const struct hd_event *ev = &s->log[i].ev;

		if (ev->task != v->other_task)
			continue;
		if (is_op(&s->log[i]) && ev->n == v->other_n)
			return claim ? claim_before(s, i) : i;
		if (claim && is_claim(&s->log[i]) && ev->step && i + 1 < s->n &&
		    s->log[i].ev.n + 1 == v->other_n)
			return i;
	}
	return s->n;
}

/* --- words --------------------------------------------------------------- */

static const char *type_of(const struct hd_record *r)
{
	const struct hd_op *op = &r->ev.op;
	bool plain = op->flags & HD_PLAIN;

	if (is_claim(r))
		return strstr(r->ev.text, "ACCESS") ? "assert no accesses" :
							"assert no writes";
	if (op->kind == HD_FREE)
		return "assert no accesses (free)";
	if ((op->flags & HD_READ) && (op->flags & HD_WRITE))
		return "read-write (marked)";
	if (op->flags & HD_WRITE)
		return plain ? "write" : "write (marked)";
	return plain ? "read" : "read (marked)";
}

static void function_of(const struct hd_record *r, char *buf, size_t size)
{
	struct sym_site site[MAX_STACK];

	snprintf(buf, size, "%s", statement_stack(r, site, MAX_STACK) ?
					  site[0].function : "?");
}

static void field_of(const struct hd_verdict *v, const struct hd_record *r,
		     char *buf, size_t size)
{
	char sig[200];

	if (v->type) {
		verdict_signature(v, sig, sizeof(sig));
		snprintf(buf, size, "%s", strrchr(sig, ' ') + 1);
		return;
	}
	object_text(r, buf, size);
	if (!buf[0])
		snprintf(buf, size, "static data");
}

void report_race_title(const struct story *s, char *buf, size_t size)
{
	const struct hd_verdict *v = story_verdict(s);
	u32 a = report_race_later(s, v), b = report_race_earlier(s, v);
	char f[80] = "?", g[80] = "?", field[120];
	bool swap;

	if (a == s->n || b == s->n)
		return;
	function_of(&s->log[a], f, sizeof(f));
	function_of(&s->log[b], g, sizeof(g));
	field_of(v, &s->log[a], field, sizeof(field));
	swap = strcmp(f, g) > 0; /* as KCSAN does: one title for both orders */
	snprintf(buf, size, "%s in %s / %s: %s",
		 v->kind == HD_V_DATA_RACE ? "data-race" : "assert: race",
		 swap ? g : f, swap ? f : g, field);
}

/* --- the blocks ---------------------------------------------------------- */

static void print_access(const struct story *s, struct page *p, u32 i,
			 const char *field)
{
	const struct hd_record *r = &s->log[i];
	struct sym_site site[MAX_STACK];
	u32 k, n = statement_stack(r, site, MAX_STACK);
	char object[80];

	if (r->ev.op.kind == HD_FREE) {
		snprintf(object, sizeof(object), "%.*s",
			 (int)strcspn(field, ".+"), field);
		field = object;
	}
	page_line(p, "%s", "");
	page_wrap(p, 2, "%s to %s of %u byte%s by task %s:", type_of(r), field,
		  r->ev.op.size, r->ev.op.size == 1 ? "" : "s",
		  story_task(s, r->ev.task));
	for (k = 0; k < n; k++)
		page_place(p, 1, site[k].function, &site[k]);
}

/* Under KCSAN the value that changed while it waited: that of the write. */
static void print_change(const struct story *s, struct page *p, u32 a, u32 b)
{
	const struct hd_event *ev = &s->log[b].ev;
	char old[64], val[64];

	if (!(ev->op.flags & HD_WRITE) || ev->op.size > 8)
		ev = &s->log[a].ev;
	if (!(ev->op.flags & HD_WRITE) || ev->op.size > 8 || !ev->op.size)
		return;
	page_line(p, "%s", "");
	if (ev->old == ev->val) {
		page_line(p, "value unchanged: 0x%llx",
			  (unsigned long long)ev->val);
		return;
	}
	value_text(ev->old, ev->op.size, old, sizeof(old));
	value_text(ev->val, ev->op.size, val, sizeof(val));
	if (strchr(old, '#') || strchr(val, '#')) /* addresses say nothing */
		page_line(p, "value changed: %s -> %s", old, val);
	else
		page_line(p, "value changed: 0x%llx -> 0x%llx",
			  (unsigned long long)ev->old,
			  (unsigned long long)ev->val);
}

static bool releases(const struct hd_record *r)
{
	return is_op(r) && r->ev.op.order >= HD_RELEASE &&
	       ((r->ev.op.flags & HD_WRITE) || r->ev.op.kind == HD_RCU_CALL);
}

/* What the earlier one's task released after it, the later one's has not
 * acquired: else the two were ordered. */
static void print_order(const struct story *s, struct page *p, u32 a, u32 b)
{
	const char *by = story_task(s, s->log[b].ev.task);
	char text[200];
	u32 i;

	page_line(p, "%s", "");
	for (i = b; i < a; i++)
		if (s->log[i].ev.task == s->log[b].ev.task &&
		    releases(&s->log[i]))
			break;
	if (i == a) {
		page_wrap(p, 2, "not ordered: %s released nothing between the "
			  "two", by);
		return;
	}
	op_statement(&s->log[i], text, sizeof(text));
	page_wrap(p, 2, "not ordered: %s released (%s), but %s did not acquire "
		  "that before its access", by, text,
		  story_task(s, s->log[a].ev.task));
}

void report_race(const struct story *s, struct page *p)
{
	const struct hd_verdict *v = story_verdict(s);
	char title[300], field[120];
	u32 a, b;

	if (!v || !verdict_of_race(v->kind))
		return;
	a = report_race_later(s, v);
	b = report_race_earlier(s, v);
	if (a == s->n || b == s->n)
		return;
	field_of(v, &s->log[a], field, sizeof(field));
	report_race_title(s, title, sizeof(title));
	*strrchr(title, ':') = 0;
	page_line(p, "%s", "");
	page_wrap(p, 2, "BUG: KCSAN: %s", title);
	print_access(s, p, a, field);
	print_access(s, p, b, field);
	print_change(s, p, a, b);
	print_order(s, p, a, b);
}
