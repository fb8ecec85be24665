/* SPDX-License-Identifier: MIT */
/* Interrupts and softirqs: off and on, and who is in one
 * (include/linux/irqflags.h, bottom_half.h, preempt.h, 6.12, not PREEMPT_RT).
 *
 * Every task has a CPU of its own.  A handler is a task of the scenario with
 * .irq and .on (heddle.h); the schedule may let it come on the CPU of the task
 * that .on names (edit kind irq), before any op of that task, also while it
 * sleeps or has ended.  A hardirq comes while interrupts are on, and may
 * interrupt a softirq; a softirq comes while interrupts and softirqs are on and
 * no other handler runs.  Until the handler has ended, the CPU is its own: the
 * task under it does not go on.  It comes once or not at all, except that a run
 * in which nobody else can go on waits for it.  It must not sleep.
 *
 * None of these calls is an op.  Turning interrupts off takes effect at once;
 * a handler may still come in the moment before, which is before the next op.
 *
 * Different on purpose: no CPU is shared by two tasks, no timer tick, no
 * ksoftirqd, no raising and no acknowledging; RCU does not take a region with
 * interrupts off for a reader. */
#ifndef HEDDLE_IRQ_H
#define HEDDLE_IRQ_H

#include <heddle/op.h>

/* Verdict warn in a hardirq handler. */
void local_irq_enable(void);
void local_irq_disable(void);
/* flags: unsigned long, what irqs_disabled() was. */
unsigned long hd_local_irq_save(void);
#define local_irq_save(flags) ((flags) = hd_local_irq_save())
#define local_save_flags(flags) ((flags) = irqs_disabled())
void hd_local_irq_restore(unsigned long flags);
#define local_irq_restore(flags) hd_local_irq_restore(flags)
#define irqs_disabled_flags(flags) ((flags) != 0)
bool irqs_disabled(void);

/* They nest.  Verdict warn in a hardirq handler, and on enable while
 * interrupts are off. */
void local_bh_disable(void);
void local_bh_enable(void);

/* In a handler; in_softirq() and in_interrupt() also while softirqs are off. */
bool in_hardirq(void);
bool in_serving_softirq(void);
bool in_softirq(void);
bool in_interrupt(void);
/* Not in a handler. */
bool in_task(void);
/* Preemption is off: spinlocks, preempt_disable(), softirqs off, a handler.
 * Interrupts off alone do not count, as in the kernel. */
bool in_atomic(void);

#endif
