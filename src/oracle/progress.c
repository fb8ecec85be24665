/* SPDX-License-Identifier: MIT */
/* No task can run, and some have not ended: why?
 *
 * lost-wakeup: a sleeper's condition is true.  To find out, each sleeper of a
 * wait loop is resumed once without scheduling (a spurious wake-up is legal):
 * does it leave the loop, or sleep again?  What it does is not recorded.
 * livelock: a task spins, and no word it reads can change any more.
 * deadlock: all others; the wait-for edges go to the recording.  A task under
 * an interrupt handler waits for the handler. */
#include <heddle/heddle.h>
#include <heddle/lockdep.h>
#include <stdio.h>
#include <string.h>

#include "../engine/coro.h"
#include "../engine/engine.h"
#include "oracle.h"

static bool condition;

void hd_probe_done(bool condition_true)
{
	void *ignored;

	condition = condition_true;
	hd_coro_switch(&ignored, hd_eng.main_sp);
}

/* Would the sleeper go on if it looked again? */
static bool condition_holds(struct hd_task *t)
{
	struct hd_task *cur = W->cur;

	condition = false;
	W->probing = 1;
	W->running = 0;
	W->cur = t;
	hd_coro_switch(&hd_eng.main_sp, t->sp);
	W->cur = cur;
	W->running = 1;
	W->probing = 0;
	return condition;
}

/* Is the lock on top of its stack announced only, and not held yet? */
static bool announced(const struct hd_task *t)
{
	return t->nheld && t->op.kind == HD_ACQUIRED &&
	       !(t->op.flags & HD_UNMAPPED);
}

/* What the task waits for, in a word: the lock on top of its stack, or the
 * type of the object that it sleeps on. */
static const char *waits_for(const struct hd_task *t)
{
	const struct hd_object *o;

	if (announced(t))
		return t->held[t->nheld - 1].map->name;
	if (!hd_in_heap(t->op.addr))
		return "event";
	o = hd_object_at(t->op.addr);
	return o ? o->type : "event";
}

/* Who holds the lock on top of t's stack.  A task that is itself blocked in an
 * acquire has announced the lock on its top, but does not hold it. */
static hd_tasks holders(const struct hd_task *t)
{
	const struct lockdep_map *map;
	hd_tasks set = 0;
	u32 i, j, n;

	if (!announced(t))
		return 0;
	map = t->held[t->nheld - 1].map;
	for (i = 0; i < W->nuser; i++) {
		const struct hd_task *u = &W->tasks[i];

		n = u->nheld;
		if (u->state != HD_DONE && announced(u))
			n--;
		for (j = u->held_below; j < n; j++)
			if (u->held[j].map == map)
				hd_add(&set, i);
	}
	return set;
}

static void add_name(struct hd_verdict *v, const char *name)
{
	u32 i;

	for (i = 0; i < v->nnames; i++)
		if (!strcmp(v->names[i], name))
			return;
	if (v->nnames == HD_VERDICT_NAMES)
		return;
	for (i = v->nnames++; i > 0 && strcmp(v->names[i - 1], name) > 0; i--)
		v->names[i] = v->names[i - 1];
	v->names[i] = name;
}

/* The handlers that have t's CPU: whatever t was doing, it does not go on. */
static hd_tasks interrupted_by(const struct hd_task *t)
{
	hd_tasks m = W->irqs & ~W->to_come, by = 0;

	for (; m; m = hd_rest(m)) {
		const struct hd_task *h = &W->tasks[hd_lowest(m)];

		if (h->host == (t->irq ? t->host : t->id) && h->irq != t->irq &&
		    t->irq != HEDDLE_HARDIRQ)
			by |= m & -m;
	}
	return by;
}

static const char *interrupted_text(hd_tasks by)
{
	static char text[HD_MAX_TASKS][64];
	u32 h = hd_lowest(by);

	snprintf(text[h], sizeof(text[h]), "interrupted by %s",
		 W->tasks[h].name);
	return text[h];
}

/* One record per task that cannot go on: who waits for what, held by whom; or
 * who interrupted it. */
static void tell(struct hd_task *t, hd_tasks by)
{
	hd_tasks whom = by ? by : holders(t);
	struct hd_event ev = { .op = t->op, .val = (u64)whom,
			       .old = (u64)(whom >> 64),
			       .text = by ? interrupted_text(by) :
					    waits_for(t) };

	ev.op.kind = HD_EV_BLOCKED;
	W->cur = t;
	hd_emit(&ev);
}

/* Tell why each of them does not go on, and name what they wait for. */
static void tell_all(struct hd_verdict *v)
{
	struct hd_task *t;
	hd_tasks by;

	for (t = W->tasks; t < W->tasks + W->nuser; t++) {
		if (t->state == HD_DONE || t->daemon ||
		    hd_has(W->to_come, t->id))
			continue;
		by = interrupted_by(t);
		tell(t, by);
		if (by)
			continue;
		if (t->op.kind != HD_JOIN)
			add_name(v, waits_for(t));
		v->pc = t->op.pc;
		if (t->op.kind == HD_AWAIT)
			v->kind = HD_V_LIVELOCK;
	}
	if (!v->nnames) /* who joins a thread waits for what that waits for */
		add_name(v, "thread");
}

static void on_stuck(const struct hd_event *ev)
{
	struct hd_verdict v = { .kind = HD_V_DEADLOCK };
	struct hd_task *cur = W->cur, *t;

	(void)ev;
	tell_all(&v);
	for (t = W->tasks; t < W->tasks + W->nuser; t++) {
		if (t->state != HD_ASLEEP || !t->sleeping_wait)
			continue;
		v.pc = t->op.pc;
		if (condition_holds(t)) {
			v.kind = HD_V_LOST_WAKEUP;
			v.nnames = 0;
			add_name(&v, waits_for(t));
			break;
		}
	}
	W->cur = t < W->tasks + W->nuser ? t : cur;
	hd_raise(v);
	W->cur = cur;
}

void hd_progress_start(void)
{
	hd_subscribe(HD_EV_STUCK, on_stuck);
}
