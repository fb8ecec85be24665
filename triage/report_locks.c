/* SPDX-License-Identifier: MIT */
/* Who held which lock when the verdict was raised, and who waited for whom?
 *
 * Everything is reconstructed from the annotations and the blocked tasks that
 * were recorded in this run; the rules for edges are those of the lockdep
 * oracle (src/oracle/lockdep_stack.c). */
#include <stdlib.h>
#include <string.h>

#include "report.h"

struct lock {
	u64 map;
	const char *name;
	u32 rec; /* where it was acquired */
	u8 read, trylock, check, subclass;
	bool waits;
};

struct edge {
	struct lock from, to;
	u32 task;
};

struct locks {
	const struct story *s;
	struct lock held[HD_MAX_TASKS][HD_MAX_HELD];
	u32 nheld[HD_MAX_TASKS];
	struct edge edge[64];
	u32 nedges;
	struct lock wanted; /* by the acquire that raised the verdict */
	bool wants;
};

static bool same_class(const struct lock *a, const struct lock *b)
{
	return !strcmp(a->name, b->name) && a->subclass == b->subclass;
}

static struct lock lock_of(const struct story *s, u32 i)
{
	const struct hd_event *ev = &s->log[i].ev;
	struct lock l = {
		.map = ev->op.addr, .name = ev->text ? ev->text : "?",
		.rec = i, .read = ev->op.code & 3,
		.trylock = ev->op.code >> 2 & 1,
		.check = ev->op.code >> 3 & 1, .subclass = ev->op.arg,
	};

	return l;
}

/* --- replaying the annotations ------------------------------------------- */

static void note_edges(struct locks *l, u32 task, const struct lock *next)
{
	u32 i;

	if (next->trylock || !next->check)
		return;
	for (i = l->nheld[task]; i-- > 0;) {
		const struct lock *h = &l->held[task][i];

		if (!h->check)
			continue;
		if (l->nedges < ARRAY_SIZE(l->edge)) {
			l->edge[l->nedges].from = *h;
			l->edge[l->nedges].to = *next;
			l->edge[l->nedges++].task = task;
		}
		if (!h->trylock)
			break;
	}
}

static struct lock *find_held(struct locks *l, u32 task, u64 map)
{
	u32 i;

	for (i = l->nheld[task]; i-- > 0;)
		if (l->held[task][i].map == map)
			return &l->held[task][i];
	return NULL;
}

static void release(struct locks *l, u32 task, u64 map)
{
	struct lock *h = find_held(l, task, map);
	struct lock *end = &l->held[task][l->nheld[task]];

	if (!h)
		return;
	memmove(h, h + 1, (size_t)((char *)end - (char *)(h + 1)));
	l->nheld[task]--;
}

/* Does the task still wait for the lock that it announced at record i? */
static bool still_waits(const struct story *s, u32 i)
{
	u32 op = i + 1, next;

	while (op < s->n && (s->log[op].ev.task != s->log[i].ev.task ||
			     !is_op(&s->log[op])))
		op++;
	if (op >= s->n || !(s->flag[op] & REC_WAITS) ||
	    s->log[op].ev.op.pc != s->log[i].ev.op.pc)
		return false;
	next = story_next_op(s, op);
	return next >= s->n || (s->flag[next] & REC_AFTER);
}

static void step(struct locks *l, u32 i)
{
	const struct hd_event *ev = &l->s->log[i].ev;
	struct lock *h, lock;
	u32 t = ev->task;

	if (t >= l->s->ntasks)
		return;
	switch (ev->op.kind) {
	case HD_EV_ACQUIRE:
		lock = lock_of(l->s, i);
		note_edges(l, t, &lock);
		lock.waits = still_waits(l->s, i);
		if (l->nheld[t] < HD_MAX_HELD)
			l->held[t][l->nheld[t]++] = lock;
		break;
	case HD_EV_RELEASE:
		release(l, t, ev->op.addr);
		break;
	case HD_EV_DOWNGRADE:
		h = find_held(l, t, ev->op.addr);
		if (h)
			h->read = 1;
		break;
	}
}

/* Up to the verdict.  An acquire that lockdep refused is wanted, not held. */
static void replay(struct locks *l)
{
	const struct hd_verdict *v = story_verdict(l->s);
	u32 i;

	for (i = 0; i < l->s->n && !(l->s->flag[i] & REC_AFTER); i++) {
		if (v && l->s->log[i].ev.step == v->step &&
		    l->s->log[i].ev.op.kind == HD_EV_ACQUIRE &&
		    (v->kind == HD_V_CIRCULAR || v->kind == HD_V_RECURSIVE)) {
			l->wanted = lock_of(l->s, i);
			l->wants = true;
			break;
		}
		step(l, i);
	}
}

/* --- printing ------------------------------------------------------------ */

static const char *mode(const struct lock *l)
{
	return l->read ? "(R)" : "(W)";
}

static void print_place(const struct story *s, struct page *p, u32 indent,
			const char *what, u32 rec)
{
	struct sym_site site[1];

	if (statement_stack(&s->log[rec], site, 1)) {
		char text[200];

		snprintf(text, sizeof(text), "%s %s", what, site[0].function);
		page_place(p, indent, text, &site[0]);
		return;
	}
	page_line(p, "%*s%s", (int)indent, "", what);
}

static void print_lock(struct locks *l, struct page *p, u32 task,
		       const struct lock *k, const char *how)
{
	char what[160];

	snprintf(what, sizeof(what), "%s: %s%s %s%s in",
		 story_task(l->s, task), how, k->name, mode(k),
		 k->trylock ? " by trylock" : "");
	print_place(l->s, p, 2, what, k->rec);
}

static void print_held(struct locks *l, struct page *p)
{
	const struct hd_verdict *v = story_verdict(l->s);
	bool any = false;
	u32 t, i;

	for (t = 0; t < l->s->ntasks; t++)
		for (i = 0; i < l->nheld[t]; i++)
			any |= !l->held[t][i].waits;
	if (!any)
		return;
	page_line(p, "%s", "");
	page_line(p, "locks held at the verdict");
	for (t = 0; t < l->s->ntasks; t++)
		for (i = 0; i < l->nheld[t]; i++)
			if (!l->held[t][i].waits)
				print_lock(l, p, t, &l->held[t][i], "");
	if (l->wants && v)
		print_lock(l, p, v->task, &l->wanted, "wants ");
}

/* --- circular: the chain of orders --------------------------------------- */

static void print_edge(struct locks *l, struct page *p, const struct edge *e,
		       const char *how)
{
	char what[160];

	page_wrap(p, 4, "  %s %s %s while it %s %s",
		  story_task(l->s, e->task), how, e->to.name,
		  strcmp(how, "wants") ? "held" : "holds", e->from.name);
	snprintf(what, sizeof(what), "%s %s in", e->from.name, mode(&e->from));
	print_place(l->s, p, 4, what, e->from.rec);
	snprintf(what, sizeof(what), "%s %s in", e->to.name, mode(&e->to));
	print_place(l->s, p, 4, what, e->to.rec);
}

/* Breadth first over recorded edges: parent[] leads back from an edge that
 * ends in to. */
static int find_path(struct locks *l, const struct lock *from,
		     const struct lock *to, int *parent)
{
	u32 queue[64], head = 0, tail = 0, i;
	bool seen[64] = { false };

	for (i = 0; i < l->nedges; i++)
		if (same_class(&l->edge[i].from, from)) {
			seen[i] = true;
			parent[i] = -1;
			queue[tail++] = i;
		}
	while (head < tail) {
		u32 at = queue[head++];

		if (same_class(&l->edge[at].to, to))
			return (int)at;
		for (i = 0; i < l->nedges; i++) {
			if (seen[i] ||
			    !same_class(&l->edge[i].from, &l->edge[at].to))
				continue;
			seen[i] = true;
			parent[i] = (int)at;
			queue[tail++] = i;
		}
	}
	return -1;
}

static void print_cycle(struct locks *l, struct page *p)
{
	const struct hd_verdict *v = story_verdict(l->s);
	u32 i, old = l->nedges, t = v->task;
	int parent[64], at;

	if (!l->wants || t >= l->s->ntasks)
		return;
	note_edges(l, t, &l->wanted);
	for (i = old; i < l->nedges; i++) {
		struct edge *e = &l->edge[i];

		at = find_path(l, &e->to, &e->from, parent);
		if (at < 0 || (u32)at >= old)
			continue;
		page_line(p, "%s", "");
		page_line(p, "the cycle of lock orders");
		print_edge(l, p, e, "wants");
		for (; at >= 0; at = parent[at])
			print_edge(l, p, &l->edge[at], "took");
		return;
	}
}

/* --- blocked: who waits for whom ----------------------------------------- */

/* Who changed the bit that the task waits for?  Bits have no annotations: it is the
 * last op that changed it. */
static void print_bit_holder(const struct story *s, struct page *p, u32 wait)
{
	const struct hd_op *op = &s->log[wait].ev.op;
	char what[160];
	u64 bit;
	u32 i;

	if (!(op->flags & HD_UNMAPPED))
		return;
	bit = 1ull << op->arg;
	for (i = s->n; i-- > 0;) {
		const struct hd_event *ev = &s->log[i].ev;

		if (s->flag[i] & REC_AFTER || !is_op(&s->log[i]) ||
		    ev->op.addr != op->addr || ev->op.size != op->size ||
		    !((ev->old ^ ev->val) & bit) || ev->task >= s->ntasks)
			continue;
		snprintf(what, sizeof(what), "bit %u %s by %s, in", op->arg,
			 ev->val & bit ? "set" : "cleared",
			 story_task(s, ev->task));
		print_place(s, p, 4, what, i);
		return;
	}
}

/* The op that the blocked task sleeps in was recorded with its stack. */
static u32 place_of_wait(const struct story *s, u32 blocked)
{
	const struct hd_event *b = &s->log[blocked].ev;
	u32 i;

	for (i = blocked; i-- > 0;)
		if (s->log[i].ev.task == b->task &&
		    s->log[i].ev.op.pc == b->op.pc)
			return i;
	return blocked;
}

static void print_holders(struct locks *l, struct page *p, u32 i)
{
	const struct hd_event *b = &l->s->log[i].ev;
	char what[160];
	u32 t, k;

	for (t = 0; t < l->s->ntasks && t < 64; t++) {
		if (!(b->val >> t & 1))
			continue;
		for (k = 0; k < l->nheld[t]; k++) {
			const struct lock *h = &l->held[t][k];

			if (h->waits || !b->text || strcmp(h->name, b->text))
				continue;
			snprintf(what, sizeof(what), "held by %s %s, taken in",
				 story_task(l->s, t), mode(h));
			print_place(l->s, p, 4, what, h->rec);
		}
	}
}

static void print_blocked(struct locks *l, struct page *p)
{
	bool head = false, is_lock, is_bit;
	char what[160];
	u32 i, wait;

	for (i = 0; i < l->s->n; i++) {
		const struct hd_event *b = &l->s->log[i].ev;
		const struct lock *top;

		if (b->op.kind != HD_EV_BLOCKED || b->task >= l->s->ntasks)
			continue;
		if (!head)
			page_line(p, "%s", "");
		if (!head)
			page_line(p, "who waits for whom");
		head = true;
		top = l->nheld[b->task] ?
			      &l->held[b->task][l->nheld[b->task] - 1] : NULL;
		is_lock = top && b->text && !(b->op.flags & HD_UNMAPPED) &&
			  !strcmp(top->name, b->text);
		is_bit = b->op.flags & HD_UNMAPPED && l->s->log[i].object[0];
		snprintf(what, sizeof(what), "%s %s %s%s%s in",
			 story_task(l->s, b->task),
			 is_lock || is_bit ? "waits for" : "sleeps on",
			 is_bit ? l->s->log[i].object :
				  b->text ? b->text : "?", is_lock ? " " : "",
			 is_lock ? mode(top) : "");
		wait = place_of_wait(l->s, i);
		print_place(l->s, p, 2, what, wait);
		print_holders(l, p, i);
		print_bit_holder(l->s, p, wait);
	}
}

void report_locks(const struct story *s, struct page *p)
{
	const struct hd_verdict *v = story_verdict(s);
	struct locks *l = calloc(1, sizeof(*l));

	if (!l)
		return;
	l->s = s;
	replay(l);
	if (v && v->kind == HD_V_CIRCULAR)
		print_cycle(l, p);
	if (v && verdict_of_progress(v->kind))
		print_blocked(l, p);
	print_held(l, p);
	free(l);
}
