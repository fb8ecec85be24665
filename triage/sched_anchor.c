/* SPDX-License-Identifier: MIT */
/* Where in the model does the n-th op of a task stand?
 *
 * An anchor is (task, n) and, against drift, (site, k-th time there): the
 * site is function#ordinal, which survives edits elsewhere.  Everything here is
 * about the last recorded run; an op that was published and never chosen counts
 * as standing there. */
#include <string.h>

#include "report.h"
#include "search.h"

/* --- tasks --------------------------------------------------------------- */

/* Which of the tasks with this name is it, from 1? */
static u32 namesake(u32 task)
{
	u32 i, k = 1;

	for (i = 0; i < task; i++)
		k += !strcmp(W->tasks[i].name, W->tasks[task].name);
	return k;
}

const char *task_label(u32 task, char *buf, size_t size)
{
	u32 k = namesake(task);

	if (k > 1)
		snprintf(buf, size, "%s~%u", W->tasks[task].name, k);
	else
		snprintf(buf, size, "%s", W->tasks[task].name);
	return buf;
}

int task_by_label(const char *label)
{
	char buf[64];
	u32 i;

	for (i = 0; i < W->ntasks; i++)
		if (!strcmp(task_label(i, buf, sizeof(buf)), label))
			return (int)i;
	return -1;
}

/* --- ops of the last recorded run ---------------------------------------- */

static const struct hd_record *record_of(u32 task, u32 n)
{
	u32 i;

	for (i = 0; i < hd_eng.nlog; i++) {
		const struct hd_record *r = &hd_eng.log[i];

		if (r->ev.task == task && r->ev.n == n &&
		    r->ev.op.kind < HD_EV_ACQUIRE)
			return r;
	}
	return NULL;
}

static void name_object(struct hd_record *r)
{
	u64 addr = r->ev.op.addr;
	const struct hd_object *o;

	if (!hd_in_heap(addr) || addr >= HD_HEAP_BASE + W->heap_used)
		return;
	o = hd_object_at(addr);
	if (!o)
		return;
	r->type = o->type;
	r->type_off = (u32)(addr - (u64)(o + 1));
	snprintf(r->object, sizeof(r->object), "%s#%u", o->type, o->instance);
}

/* The op that the task had published when the run ended, as a record.  What
 * the progress oracle resumed a sleeper for is not it: it told that before. */
static bool pending_op(u32 task, struct hd_record *out)
{
	u32 i;

	if (W->tasks[task].state == HD_DONE)
		return false;
	memset(out, 0, sizeof(*out));
	out->ev.op = W->tasks[task].op;
	for (i = hd_eng.nlog; i > 0; i--) {
		const struct hd_record *r = &hd_eng.log[i - 1];

		if (r->ev.task == task && r->ev.op.kind == HD_EV_BLOCKED) {
			out->ev.op = r->ev.op;
			out->ev.op.kind = W->tasks[task].op.kind;
			break;
		}
	}
	out->ev.task = (u8)task;
	name_object(out);
	return true;
}

static bool op_at(u32 task, u32 n, struct hd_record *out)
{
	const struct hd_record *r = record_of(task, n);

	if (r) {
		*out = *r;
		return true;
	}
	return n == W->tasks[task].n + 1 && pending_op(task, out);
}

/* --- describing ---------------------------------------------------------- */

static bool site_at(u32 task, u32 n, char *buf, size_t size)
{
	struct hd_record r;

	return op_at(task, n, &r) && site_name(r.ev.op.pc, buf, size);
}

/* In the reports' words, without values: the op has not been executed yet. */
static void describe_op(const struct hd_record *r, struct anchor *a)
{
	struct statement s;
	char *p;

	memset(&s, 0, sizeof(s));
	statement_make(r, &s);
	snprintf(a->statement, sizeof(a->statement), "%s%s%s", s.verb,
		 s.object[0] ? " " : "", s.object);
	snprintf(a->word, sizeof(a->word), "%s", s.verb[0] ? s.verb : "op");
	for (p = a->word; *p; p++)
		if (*p == ' ')
			*p = '-';
}

static u32 times_at(u32 task, u32 n, const char *site)
{
	char s[96];
	u32 i, k = 0;

	for (i = 1; i <= n; i++)
		if (site_at(task, i, s, sizeof(s)))
			k += !strcmp(s, site);
	return k;
}

/* The decision before op n falls when op n - 1 is over. */
static u32 order_of(u32 task, u32 n)
{
	u32 i, last = UINT32_MAX;

	if (n <= 1)
		return 0;
	for (i = 0; i < hd_eng.nlog; i++)
		if (hd_eng.log[i].ev.task == task &&
		    hd_eng.log[i].ev.n == n - 1 &&
		    hd_eng.log[i].ev.op.kind < HD_EV_ACQUIRE)
			last = i;
	return last;
}

void anchor_describe(u32 task, u32 n, struct anchor *a)
{
	struct hd_record r;

	memset(a, 0, sizeof(*a));
	a->order = order_of(task, n);
	if (W->tasks[task].state == HD_DONE && n == W->tasks[task].n + 1) {
		a->at_end = true;
		snprintf(a->statement, sizeof(a->statement), "its end");
		return;
	}
	if (!op_at(task, n, &r))
		return;
	describe_op(&r, a);
	if (!site_name(r.ev.op.pc, a->site, sizeof(a->site)))
		return;
	a->time = times_at(task, n, a->site);
}

u32 anchor_find(u32 task, const struct anchor *a)
{
	u32 n, k = 0, end = W->tasks[task].n + 1;
	char s[96];

	if (a->at_end)
		return W->tasks[task].state == HD_DONE ? end : 0;
	for (n = 1; n <= end; n++)
		if (site_at(task, n, s, sizeof(s)) && !strcmp(s, a->site) &&
		    ++k == a->time)
			return n;
	return 0;
}

bool anchor_matches(const struct anchor *a, const struct anchor *b)
{
	return a->at_end == b->at_end && a->time == b->time &&
	       !strcmp(a->site, b->site);
}

u32 edits_in_order(const struct hd_schedule *s, u8 *order, u32 max)
{
	struct anchor a[32];
	u32 i, j, n = s->nedits < max ? s->nedits : max;

	n = n < ARRAY_SIZE(a) ? n : (u32)ARRAY_SIZE(a);
	hd_run_with_log(s);
	for (i = 0; i < n; i++) {
		anchor_describe(s->edit[i].task, s->edit[i].anchor, &a[i]);
		for (j = i; j && a[order[j - 1]].order > a[i].order; j--)
			order[j] = order[j - 1];
		order[j] = (u8)i;
	}
	return n;
}

void edit_text(const struct hd_edit *e, char *buf, size_t size)
{
	char task[64], other[64];
	int n = snprintf(buf, size, "%s %s %u", hd_edit_name(e->kind),
			 task_label(e->task, task, sizeof(task)), e->anchor);

	if (e->kind == HD_EDIT_SWITCH || e->kind == HD_EDIT_IRQ)
		snprintf(buf + n, size - (size_t)n, " %s",
			 task_label(e->arg % W->ntasks, other, sizeof(other)));
	else if (e->kind == HD_EDIT_CHOOSE)
		snprintf(buf + n, size - (size_t)n, " %u", e->arg);
}
