/* SPDX-License-Identifier: MIT */
/* When may an interrupt handler come, whom does it interrupt, what does it cost?
 *
 * A handler is a task that has a host: the task on whose CPU it comes.  Until
 * it has come it stands at its first op and can be chosen while that CPU takes
 * interrupts: a hardirq over the host or over a softirq, a softirq over the
 * host alone.  From then until its end those under it are off, whatever they
 * are doing.
 *
 * There are no scheduling points but those before ops, and interrupts are
 * turned off between two ops.  So a handler may come before an op if interrupts
 * were on at any time since the op before: the last moment before they were
 * turned off is a moment too. */
#include <heddle/heddle.h>

#include "engine.h"

/* --- who is in whose way --------------------------------------------------- */

static u32 cpu_of(const struct hd_task *t)
{
	return t->irq ? t->host : t->id;
}

u64 hd_cpu_key(u32 task)
{
	return 1ull << 60 | cpu_of(&W->tasks[task]);
}

/* The handlers that have come to the CPU and are not done. */
static hd_tasks active_on(u32 cpu)
{
	hd_tasks m = W->irqs & ~W->to_come, on = 0;

	for (; m; m = hd_rest(m)) {
		u32 i = hd_lowest(m);

		if (W->tasks[i].host == cpu)
			hd_add(&on, i);
	}
	return on;
}

u32 hd_interrupted_by(u32 handler)
{
	u32 top = W->tasks[handler].host;
	hd_tasks m = active_on(top);

	for (; m; m = hd_rest(m)) {
		u32 i = hd_lowest(m);

		if (W->tasks[top].irq != HEDDLE_HARDIRQ) /* above a softirq */
			top = i;
	}
	return top;
}

static bool irqs_were_on(const struct hd_task *t)
{
	return !t->irqs_off || t->irqs_until == t->n + 1;
}

static bool bh_was_on(const struct hd_task *t)
{
	return !(t->irqs_off || t->bh_off) || t->bh_until == t->n + 1;
}

static bool may_come(const struct hd_task *h)
{
	const struct hd_task *under = &W->tasks[hd_interrupted_by(h->id)];

	if (under->irq == HEDDLE_HARDIRQ)
		return false;
	if (h->irq == HEDDLE_HARDIRQ)
		return irqs_were_on(under);
	return !under->irq && bh_was_on(under);
}

/* Those under an active handler: its host, and a softirq under a hardirq. */
static hd_tasks under(const struct hd_task *h)
{
	hd_tasks off = hd_bit(h->host), m;

	if (h->irq != HEDDLE_HARDIRQ)
		return off;
	for (m = active_on(h->host) & ~hd_bit(h->id); m; m = hd_rest(m))
		off |= m & -m;
	return off;
}

noinline hd_tasks hd_with_interrupts(hd_tasks on)
{
	hd_tasks m, off = 0;

	for (m = W->irqs & ~W->to_come; m; m = hd_rest(m))
		off |= under(&W->tasks[hd_lowest(m)]);
	for (m = W->to_come; m; m = hd_rest(m))
		if (!may_come(&W->tasks[hd_lowest(m)]))
			off |= m & -m;
	return on & ~off;
}

bool hd_may_end(hd_tasks on)
{
	return !(on & ~W->to_come) && hd_users_done();
}

bool hd_closes(const struct hd_task *t)
{
	hd_tasks m = W->to_come;

	if (likely(!m) || (!t->irqs_off && !t->bh_off) ||
	    (t->irqs_until != t->n + 1 && t->bh_until != t->n + 1))
		return false;
	for (; m; m = hd_rest(m))
		if (W->tasks[hd_lowest(m)].host == cpu_of(t))
			return true;
	return false;
}

/* --- cost ------------------------------------------------------------------ */

static bool could_go_on(hd_tasks on, u32 task)
{
	const struct hd_task *t = &W->tasks[task];

	return hd_has(on, task) && t->n && !(t->op.flags & HD_YIELD);
}

bool hd_preempts(hd_tasks on, u32 cur, u32 next)
{
	if (next == cur)
		return false;
	return could_go_on(on, cur) ||
	       (hd_has(W->to_come, next) &&
		could_go_on(on, hd_interrupted_by(next)));
}

/* --- order ----------------------------------------------------------------- *
 *
 * A handler and what it interrupts run on one CPU and yet are concurrent: it
 * may come between any two instructions.  What keeps them apart is that
 * interrupts are off, so that is what orders their accesses, like a lock of the
 * CPU; and handlers of a kind keep each other apart. */

static void *key_of(u32 cpu, bool softirq)
{
	return (char *)&hd_eng.cpu_words[2 * cpu + softirq] + 4;
}

static void order_behind(u32 cpu, bool hardirqs, bool softirqs)
{
	if (hardirqs)
		hd_sync_acquire(key_of(cpu, false));
	if (softirqs)
		hd_sync_acquire(key_of(cpu, true));
}

static void order_before(u32 cpu, bool hardirqs, bool softirqs)
{
	if (hardirqs)
		hd_sync_release(key_of(cpu, false), false);
	if (softirqs)
		hd_sync_release(key_of(cpu, true), false);
}

/* A handler that came in the last moment before interrupts were off is over:
 * who turned them off has not waited for it until now. */
static void order_last_moment(struct hd_task *h)
{
	bool hard = h->irq == HEDDLE_HARDIRQ;
	struct hd_task *cur = W->cur;
	hd_tasks m;

	for (m = under(h); m; m = hd_rest(m)) {
		struct hd_task *t = &W->tasks[hd_lowest(m)];

		if (t->irqs_off || (!hard && t->bh_off)) {
			W->cur = t;
			order_behind(h->host, hard, !hard);
		}
	}
	W->cur = cur;
}

/* --- contexts -------------------------------------------------------------- */

/* As in held.c: most runs have nobody who listens. */
static void tell(struct hd_task *t, u32 what, u32 pc)
{
	static const char *const text[] = {
		"irqs on", "irqs off", "softirqs on", "softirqs off",
		"hardirq enters", "hardirq exits", "softirq enters",
		"softirq exits",
	};
	struct hd_event ev = { .op = { .kind = HD_EV_CONTEXT, .code = what,
				       .pc = pc },
			       .val = cpu_of(t), .text = text[what] };

	if (unlikely(hd_eng.attentive || hd_subscribers[HD_EV_CONTEXT][0]))
		hd_emit(&ev);
	else
		W->step++;
	if (hd_lock_oracle.context)
		hd_lock_oracle.context(t, what);
}

/* The handler takes its locks on top of those of the task that it interrupts;
 * one that sleeps or has ended has left the CPU, with its locks. */
static void share_stack(struct hd_task *t, const struct hd_task *below)
{
	t->in_hardirq = t->hardirq_threaded = t->irq == HEDDLE_HARDIRQ;
	t->in_softirq = t->irq == HEDDLE_SOFTIRQ || below->in_softirq;
	if (below->state != HD_READY)
		return;
	t->held = below->held;
	t->nheld = t->held_below = below->nheld;
	t->chain = below->chain;
}

static void own_stack(struct hd_task *t)
{
	t->held = hd_world_held(t->id);
	t->nheld = t->held_below = 0;
	t->chain = 0;
	t->in_hardirq = t->in_softirq = 0;
}

void hd_enter_handler(struct hd_task *t)
{
	hd_remove(&W->to_come, t->id);
	share_stack(t, &W->tasks[hd_interrupted_by(t->id)]);
	order_behind(t->host, t->irq == HEDDLE_HARDIRQ,
		     t->irq == HEDDLE_SOFTIRQ);
	tell(t, t->irq == HEDDLE_HARDIRQ ? HD_CTX_HARDIRQ_ENTER :
					   HD_CTX_SOFTIRQ_ENTER, t->op.pc);
}

static void leave_order(struct hd_task *t)
{
	order_before(t->host, t->irq == HEDDLE_HARDIRQ,
		     t->irq == HEDDLE_SOFTIRQ);
	order_last_moment(t);
}

void hd_leave_handler(struct hd_task *t)
{
	bool came = !hd_has(W->to_come, t->id); /* false: it has no op at all */

	if (came)
		tell(t, t->irq == HEDDLE_HARDIRQ ? HD_CTX_HARDIRQ_EXIT :
						   HD_CTX_SOFTIRQ_EXIT, 0);
	own_stack(t);
	if (came)
		leave_order(t);
	hd_remove(&W->irqs, t->id);
	W->to_come &= W->irqs;
}

/* The last moment is a choice, and the op that follows may be private: make the
 * task ask; loop.c then finds its next edit again. */
static void ask_before_next_op(struct hd_task *t)
{
	if (hd_eng.searching && hd_closes(t) && t->next_edit > t->n + 1)
		t->next_edit = t->n + 1;
}

void hd_set_context(u8 irqs_off, u8 bh_off, u32 pc)
{
	struct hd_task *t = W->cur;
	bool irqs = t->irqs_off != irqs_off, bh = !t->bh_off != !bh_off;
	bool softirqs = !(t->irqs_off || t->bh_off);

	hd_settle();
	if (t->irq)
		hd_need_op(); /* what it does belongs to its coming */
	if (irqs && irqs_off)
		t->irqs_until = t->n + 1;
	if (softirqs && (irqs_off || bh_off))
		t->bh_until = t->n + 1;
	if (hd_eng.handlers && (irqs || bh)) {
		order_behind(cpu_of(t), irqs && irqs_off,
			     softirqs && (irqs_off || bh_off));
		order_before(cpu_of(t), irqs && !irqs_off,
			     !softirqs && !irqs_off && !bh_off);
	}
	t->irqs_off = irqs_off;
	t->bh_off = bh_off;
	ask_before_next_op(t);
	if (unlikely(W->probing))
		return;
	if (irqs)
		tell(t, irqs_off ? HD_CTX_IRQS_OFF : HD_CTX_IRQS_ON, pc);
	if (bh)
		tell(t, bh_off ? HD_CTX_BH_OFF : HD_CTX_BH_ON, pc);
}
