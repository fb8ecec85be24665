/* SPDX-License-Identifier: MIT */
/* Who may turn interrupts and softirqs on and off, and must have them on again?
 * (When a handler comes is the engine's: src/engine/irq.c.) */
#include <heddle/irq.h>

#include "kernel.h"

static void warn(const char *what, u32 pc)
{
	hd_complain(HD_V_WARN, NULL, what, pc);
}

static void set_irqs(bool off, u32 pc)
{
	const struct hd_task *t = W->cur;

	if (t->irqs_off != off)
		hd_set_context(off, t->bh_off, pc);
}

void hd_irqs_off(u32 pc)
{
	set_irqs(true, pc);
}

void hd_irqs_on(u32 pc)
{
	if (unlikely(W->cur->irq == HEDDLE_HARDIRQ)) {
		warn("interrupts enabled in a hardirq handler", pc);
		return; /* handlers of one CPU do not nest */
	}
	set_irqs(false, pc);
}

void local_irq_disable(void)
{
	hd_irqs_off(HD_PC());
}

void local_irq_enable(void)
{
	hd_irqs_on(HD_PC());
}

unsigned long hd_local_irq_save(void)
{
	unsigned long flags = W->cur->irqs_off;

	hd_irqs_off(HD_PC());
	return flags;
}

void hd_local_irq_restore(unsigned long flags)
{
	if (flags)
		hd_irqs_off(HD_PC());
	else
		hd_irqs_on(HD_PC());
}

bool irqs_disabled(void)
{
	return W->cur->irqs_off;
}

/* --- softirqs --------------------------------------------------------------- */

void hd_bh_off(u32 pc)
{
	const struct hd_task *t = W->cur;

	if (unlikely(t->irq == HEDDLE_HARDIRQ))
		warn("local_bh_disable in a hardirq handler", pc);
	hd_set_context(t->irqs_off, (u8)(t->bh_off + 1), pc);
}

void hd_bh_on(u32 pc)
{
	const struct hd_task *t = W->cur;

	if (unlikely(t->irqs_off))
		warn(t->irq == HEDDLE_HARDIRQ ?
			     "local_bh_enable in a hardirq handler" :
			     "local_bh_enable with interrupts off", pc);
	if (unlikely(!t->bh_off))
		warn("local_bh_enable without local_bh_disable", pc);
	else
		hd_set_context(t->irqs_off, (u8)(t->bh_off - 1), pc);
}

void local_bh_disable(void)
{
	hd_bh_off(HD_PC());
}

void local_bh_enable(void)
{
	hd_bh_on(HD_PC());
}

/* --- where am I -------------------------------------------------------------- */

bool in_hardirq(void)
{
	return W->cur->irq == HEDDLE_HARDIRQ;
}

bool in_serving_softirq(void)
{
	return W->cur->irq == HEDDLE_SOFTIRQ;
}

/* What the interrupted had switched off counts in a hardirq too. */
static bool softirqs_count(const struct hd_task *t)
{
	hd_tasks m;

	if (t->bh_off || t->irq == HEDDLE_SOFTIRQ)
		return true;
	if (!t->irq)
		return false;
	for (m = W->irqs & ~W->to_come; m; m = hd_rest(m)) {
		const struct hd_task *h = &W->tasks[hd_lowest(m)];

		if (h->host == t->host && h->irq == HEDDLE_SOFTIRQ)
			return true;
	}
	return W->tasks[t->host].bh_off;
}

bool in_softirq(void)
{
	return softirqs_count(W->cur);
}

bool in_interrupt(void)
{
	return in_hardirq() || in_softirq();
}

bool in_task(void)
{
	return !W->cur->irq;
}

bool in_atomic(void)
{
	return W->cur->atomic || in_interrupt();
}

/* --- the way out --------------------------------------------------------------- */

void hd_irq_check_user(u32 pc)
{
	struct hd_task *t = W->cur;

	if (likely(!t->irqs_off && !t->bh_off))
		return;
	warn(t->irqs_off ? "irqs off at return to user" :
			   "softirqs off at return to user", pc);
}

/* Whoever runs next on the CPU begins with both on. */
static void on_exit(const struct hd_event *ev)
{
	struct hd_task *t = W->cur;

	if (likely(t->irqs_off == (t->irq == HEDDLE_HARDIRQ) && !t->bh_off))
		return;
	warn(t->bh_off ? "softirqs off at exit" : "irqs off at exit",
	     ev->op.pc);
	hd_set_context(t->irq == HEDDLE_HARDIRQ, 0, ev->op.pc);
}

void hd_boot_irq(void)
{
	hd_subscribe(HD_EV_EXIT, on_exit);
}
