/* SPDX-License-Identifier: MIT */
/* Who held which lock, from when to when?
 *
 * From the annotations of the run, as in report_locks.c, which asks for one
 * moment; here for all of them, for pictures and traces. */
#include <stdlib.h>
#include <string.h>

#include "report.h"

/* The op that the annotation at i belongs to is made by the same call: behind
 * it, before it (a trylock), or there is none (written by hand). */
static u32 op_of(const struct story *s, u32 i)
{
	const struct hd_event *ev = &s->log[i].ev;
	u32 j = story_next_op(s, i);

	if (j < s->n && s->log[j].ev.op.pc == ev->op.pc)
		return j;
	for (j = i; j-- > 0;)
		if (s->log[j].ev.task == ev->task && is_op(&s->log[j]))
			return s->log[j].ev.op.pc == ev->op.pc ? j : i;
	return i;
}

/* Where the lock was taken, the task has it from the op that goes on, or never.
 * Nor does it have what lockdep refused. */
static u32 got_at(const struct story *s, u32 i, u32 op, u32 end)
{
	const struct hd_verdict *v = story_verdict(s);
	u32 next;

	if (v && v->step == s->log[i].ev.step && verdict_refuses_lock(v->kind))
		return s->n;
	if (!(s->flag[op] & REC_WAITS))
		return op;
	next = story_next_op(s, op);
	return next < end ? next : s->n;
}

static struct lock_span *open_span(struct lock_span *sp, u32 n, u32 task,
				   u64 map)
{
	while (n-- > 0)
		if (!sp[n].ended && sp[n].task == task && sp[n].map == map)
			return &sp[n];
	return NULL;
}

static void begin(struct lock_span *sp, const struct story *s, u32 i, u32 end)
{
	const struct hd_event *ev = &s->log[i].ev;
	u32 op = op_of(s, i);

	*sp = (struct lock_span){
		.name = ev->text ? ev->text : "?", .map = ev->op.addr,
		.task = ev->task, .from = op, .got = got_at(s, i, op, end),
		.read = ev->op.code & 3, .subclass = ev->op.arg,
	};
}

u32 lock_spans(const struct story *s, u32 end, struct lock_span **spans)
{
	struct lock_span *sp = calloc(s->n + 1, sizeof(*sp)), *open;
	u32 i, n = 0;

	for (i = 0; sp && i < end; i++) {
		const struct hd_event *ev = &s->log[i].ev;

		if (ev->task >= s->ntasks)
			continue;
		if (ev->op.kind == HD_EV_ACQUIRE)
			begin(&sp[n++], s, i, end);
		if (ev->op.kind != HD_EV_RELEASE &&
		    ev->op.kind != HD_EV_DOWNGRADE)
			continue;
		open = open_span(sp, n, ev->task, ev->op.addr);
		if (!open)
			continue;
		open->to = op_of(s, i);
		open->ended = true;
		if (ev->op.kind == HD_EV_RELEASE)
			continue;
		sp[n] = *open;
		sp[n].from = sp[n].got = open->to;
		sp[n].read = 1;
		sp[n++].ended = false;
	}
	for (i = 0; i < n; i++)
		if (!sp[i].ended)
			sp[i].to = end ? end - 1 : 0;
	*spans = sp;
	return n;
}

bool span_holds(const struct lock_span *sp, u32 task, u32 rec)
{
	return sp->task == task && sp->got <= rec &&
	       (sp->ended ? rec < sp->to : rec <= sp->to);
}

void span_text(const struct lock_span *sp, char *buf, size_t size)
{
	char subclass[12] = "";

	if (sp->subclass)
		snprintf(subclass, sizeof(subclass), "/%u", sp->subclass);
	snprintf(buf, size, "%.60s%s %s", sp->name, subclass,
		 sp->read == 2 ? "(RR)" : sp->read ? "(R)" : "(W)");
}

void held_text(const struct lock_span *spans, u32 n, u32 task, u32 rec,
	       char *buf, size_t size)
{
	char one[80];
	size_t at = 0;
	u32 i;

	buf[0] = 0;
	for (i = 0; i < n && at + sizeof(one) < size; i++) {
		if (!span_holds(&spans[i], task, rec))
			continue;
		span_text(&spans[i], one, sizeof(one));
		snprintf(buf + at, size - at, "%s%s", at ? ", " : "", one);
		at += strlen(buf + at);
	}
}
