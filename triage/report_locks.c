/* SPDX-License-Identifier: MIT */
/* Who held which lock when the verdict was raised, and who waited for whom?
 *
 * Everything is reconstructed from the annotations and the blocked tasks that
 * were recorded in this run.  What lockdep made of them: report_splat.c. */
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

struct locks {
	const struct story *s;
	struct lock held[HD_MAX_TASKS][HD_MAX_HELD];
	u32 nheld[HD_MAX_TASKS];
	struct lock wanted; /* by the acquire that raised the verdict */
	bool wants;
};

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

bool verdict_refuses_lock(u8 kind)
{
	return kind == HD_V_CIRCULAR || kind == HD_V_RECURSIVE ||
	       kind == HD_V_INCONSISTENT || kind == HD_V_IRQ_INVERSION ||
	       kind == HD_V_IRQ_ORDER || kind == HD_V_WAIT_CONTEXT ||
	       kind == HD_V_NEST_NOT_HELD || kind == HD_V_BAD_SUBCLASS ||
	       kind == HD_V_NO_KEY;
}

/* Up to the verdict.  An acquire that lockdep refused is wanted, not held. */
static void replay(struct locks *l)
{
	const struct hd_verdict *v = story_verdict(l->s);
	u32 i;

	for (i = 0; i < l->s->n && !(l->s->flag[i] & REC_AFTER); i++) {
		if (v && l->s->log[i].ev.step == v->step &&
		    l->s->log[i].ev.op.kind == HD_EV_ACQUIRE &&
		    verdict_refuses_lock(v->kind)) {
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
	return l->read == 2 ? "(RR)" : l->read ? "(R)" : "(W)";
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
		       const struct lock *k, const char *how, u32 times)
{
	char what[160], subclass[12] = "", more[24] = "";

	if (k->subclass)
		snprintf(subclass, sizeof(subclass), "/%u", k->subclass);
	if (times > 1)
		snprintf(more, sizeof(more), " (%u of them)", times);
	snprintf(what, sizeof(what), "%s: %s%s%s %s%s%s in",
		 story_task(l->s, task), how, k->name, subclass, mode(k),
		 k->trylock ? " by trylock" : "", more);
	print_place(l->s, p, 2, what, k->rec);
}

static bool same_lock(const struct locks *l, const struct lock *a,
		      const struct lock *b)
{
	return !strcmp(a->name, b->name) && a->read == b->read &&
	       a->trylock == b->trylock && a->subclass == b->subclass &&
	       a->waits == b->waits &&
	       l->s->log[a->rec].ev.op.pc == l->s->log[b->rec].ev.op.pc;
}

/* Locks that a loop took are one line. */
static void print_held_by(struct locks *l, struct page *p, u32 task)
{
	const struct lock *held = l->held[task];
	u32 i, next;

	for (i = 0; i < l->nheld[task]; i = next) {
		next = i + 1;
		while (next < l->nheld[task] &&
		       same_lock(l, &held[i], &held[next]))
			next++;
		if (!held[i].waits)
			print_lock(l, p, task, &held[i], "", next - i);
	}
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
		print_held_by(l, p, t);
	if (l->wants && v)
		print_lock(l, p, v->task, &l->wanted, "wants ", 1);
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
	hd_tasks by = (hd_tasks)b->old << 64 | b->val;
	u32 t, k;

	for (t = 0; t < l->s->ntasks; t++) {
		if (!hd_has(by, t))
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

/* A sleeper of static data waits for an "event": which, says the symbol. */
static const char *slept_on(const struct story *s, u32 i)
{
	const struct hd_event *b = &s->log[i].ev;
	static char name[80];

	if (!s->log[i].type && hd_in_statics(b->op.addr) &&
	    sym_data(b->op.addr, name, sizeof(name)))
		return name;
	return b->text ? b->text : "?";
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
		if (is_interrupted(&l->s->log[i])) {
			snprintf(what, sizeof(what), "%s is %s in",
				 story_task(l->s, b->task), b->text);
			print_place(l->s, p, 2, what, place_of_wait(l->s, i));
			continue;
		}
		is_lock = top && b->text && !(b->op.flags & HD_UNMAPPED) &&
			  !strcmp(top->name, b->text);
		is_bit = b->op.flags & HD_UNMAPPED && l->s->log[i].object[0];
		snprintf(what, sizeof(what), "%s %s %s%s%s in",
			 story_task(l->s, b->task),
			 is_lock || is_bit ? "waits for" : "sleeps on",
			 is_bit ? l->s->log[i].object :
				  slept_on(l->s, i), is_lock ? " " : "",
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
	if (v && verdict_of_progress(v->kind))
		print_blocked(l, p);
	print_held(l, p);
	free(l);
}
