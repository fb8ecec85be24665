/* SPDX-License-Identifier: MIT */
/* Happens-before and races on the path of the search; see path.h. */
#include "path.h"

#include <string.h>

struct event {
	struct hd_transition did;
	u64 lock;   /* lock word that the op takes or lets go of; 0: none */
	bool lets_go, waits; /* waits: it can only take it when it is free */
	u32 before; /* the task's event before this one, plus 1; 0: none */
	u32 *clock; /* per task: its last event that happens before this one
		     * or is this one, plus 1; 0: none */
};

enum { MAX_EVENTS = HD_MAX_STEPS + 64 };

static struct event *event;
static u32 length;
static u32 *clocks;
static u32 last[HD_MAX_TASKS]; /* event of the task, plus 1 */
static struct hd_reversal *races;
static u32 nraces;

void hd_path_clear(void)
{
	if (!event) {
		event = hd_map_memory(sizeof(*event) * MAX_EVENTS);
		clocks = hd_map_memory(sizeof(*clocks) * MAX_EVENTS *
				       HD_MAX_TASKS);
		races = hd_map_memory(sizeof(*races) * MAX_EVENTS);
	}
	length = 0;
	memset(last, 0, sizeof(last));
}

u32 hd_path_length(void)
{
	return length;
}

void hd_path_cut(u32 n)
{
	while (length > n) {
		length--;
		last[event[length].did.task] = event[length].before;
	}
}

static void join(u32 *clock, const u32 *other)
{
	u32 i;

	for (i = 0; i < W->ntasks; i++)
		if (clock[i] < other[i])
			clock[i] = other[i];
}

/* --- races ------------------------------------------------------------------ */

/* The newest event that is not known to come before clock; heads: where to look
 * on, per task. */
static struct event *newest(const u32 *clock, const u32 *heads)
{
	u32 i, best = 0;

	for (i = 0; i < W->ntasks; i++)
		if (heads[i] > clock[i] && heads[i] > best)
			best = heads[i];
	return best ? &event[best - 1] : NULL;
}

/* By whom was the lock taken that e lets go of? */
static struct event *taking_of(struct event *e)
{
	u64 lock = e->lock;

	while (e->before) {
		e = &event[e->before - 1];
		if (e->lock == lock)
			return e->lets_go ? NULL : e;
	}
	return NULL;
}

/* A thread cannot begin before it is made, nor be joined before it ends.  (Its begin
 * only reads its state, its end only writes it; to join or detach it is an RMW, and
 * two of these could have come the other way round.) */
static bool is_of_life(const struct event *e, const struct event *next)
{
	const struct hd_op *a = &e->did.op, *b = &next->did.op;
	bool rmw = a->flags & HD_READ && a->flags & HD_WRITE;

	if (b->kind != HD_JOIN)
		return false;
	if (!(b->flags & HD_WRITE))
		return hd_has(e->did.woke, next->did.task);
	return a->kind == HD_JOIN && a->addr == b->addr && !rmw;
}

/* What next does, or would do, depends on e.  A lock cannot be taken before it is
 * let go of: what could have come before was that it was taken. */
static void note_race(struct event *e, const struct event *next,
		      const u32 *clock)
{
	if (next->did.barrier || e->did.barrier || is_of_life(e, next))
		return;
	if (next->waits && e->lock == next->lock) {
		if (e->did.in_vain && !e->did.did.written)
			return; /* it has only looked */
		if (e->lets_go)
			e = taking_of(e);
		if (!e || clock[e->did.task] > e - event)
			return;
	}
	races[nraces++] = (struct hd_reversal){ .node = (u32)(e - event),
						.task = next->did.task };
}

static bool comes_before(const struct event *e, const struct event *next)
{
	return e->did.barrier || next->did.barrier ||
	       hd_has(e->did.woke, next->did.task) ||
	       hd_dependent(&e->did.did, &next->did.did);
}

/* Fill in the clock of next; note the events that it races with.  From the newest
 * event on: what is found to be before one that was found already is in no race. */
static void find_races(struct event *next)
{
	u32 heads[HD_MAX_TASKS], *clock = next->clock;
	struct event *e;

	nraces = 0;
	memcpy(heads, last, W->ntasks * sizeof(heads[0]));
	heads[next->did.task] = 0;
	if (next->before)
		memcpy(clock, event[next->before - 1].clock,
		       W->ntasks * sizeof(clock[0]));
	else
		memset(clock, 0, W->ntasks * sizeof(clock[0]));
	while ((e = newest(clock, heads))) {
		heads[e->did.task] = e->before;
		if (!comes_before(e, next))
			continue;
		note_race(e, next, clock);
		join(clock, e->clock);
	}
}

/* --- who can begin ------------------------------------------------------------ */

struct way {
	u32 first[HD_MAX_TASKS]; /* the task's first event on the way, plus 1 */
	hd_tasks initials;
};

/* The next event on the way: can its task begin the way with it?  (Events on the
 * way that come before it must come before it there.) */
static void go_on(struct way *w, u32 task, u32 at, const u32 *clock)
{
	bool begins = !w->first[task];
	u32 i;

	for (i = 0; i < W->ntasks && begins; i++)
		begins = i == task || !w->first[i] || w->first[i] > clock[i];
	if (!w->first[task])
		w->first[task] = at + 1;
	if (begins)
		hd_add(&w->initials, task);
}

/* The way: all events behind the one at from that do not come after it, then
 * what task does last, with its clock. */
static hd_tasks initials(u32 from, u32 to, u32 task, const u32 *clock)
{
	const struct event *e = &event[from];
	struct way w = { 0 };
	u32 i;

	for (i = from + 1; i < to; i++)
		if (event[i].clock[e->did.task] <= from)
			go_on(&w, event[i].did.task, i, event[i].clock);
	go_on(&w, task, to, clock);
	return w.initials;
}

static const struct hd_reversal *complete(u32 to, const u32 *clock, u32 *n)
{
	u32 i;

	for (i = 0; i < nraces; i++) {
		u32 from = races[i].node;

		races[i].initials = initials(from, to, races[i].task, clock);
		races[i].node = event[from].did.node;
	}
	*n = nraces;
	return races;
}

/* --- events -------------------------------------------------------------------- */

static u64 lock_of(const struct hd_op *op)
{
	bool takes = op->kind == HD_LOCK || op->kind == HD_ACQUIRED ||
		     op->kind == HD_TRYLOCK;

	return takes || op->kind == HD_UNLOCK ? op->addr : 0;
}

static struct event made(const struct hd_transition *t, u32 *clock)
{
	return (struct event){ .did = *t, .before = last[t->task],
			       .lock = lock_of(&t->op), .clock = clock,
			       .lets_go = t->op.kind == HD_UNLOCK,
			       .waits = t->op.flags & HD_UNTIL_ZERO };
}

void hd_path_add(const struct hd_transition *t)
{
	struct event *e = &event[length];

	*e = made(t, clocks + (u64)length * HD_MAX_TASKS);
	find_races(e);
	e->clock[t->task] = length + 1;
	last[t->task] = ++length;
}

const struct hd_reversal *hd_path_races(u32 *n)
{
	return complete(length - 1, event[length - 1].clock, n);
}

const struct hd_reversal *hd_path_pending_races(const struct hd_task *t, u32 *n)
{
	struct hd_transition would = { .task = t->id, .op = t->op,
				       .did = hd_touches_of_pending(t) };
	u32 clock[HD_MAX_TASKS];
	struct event e = made(&would, clock);

	find_races(&e);
	return complete(length, clock, n);
}
