/* SPDX-License-Identifier: MIT */
/* May a lock of this wait type be taken here?  A sleeping lock not inside a
 * spinlock, a spinlock (which sleeps under PREEMPT_RT) not inside a raw one,
 * and neither in an interrupt that is too strict for it. */
#include "lockdep.h"

static u8 context_of(const struct hd_task *t)
{
	if (t->in_hardirq)
		return t->hardirq_threaded ? LD_WAIT_CONFIG : LD_WAIT_SPIN;
	return t->in_softirq ? LD_WAIT_CONFIG : LD_WAIT_MAX;
}

static const struct lockdep_class *class_of(const struct hd_held *h)
{
	static const struct lockdep_class none;

	return h->class < lockdep_nclasses() ? &lockdep->class[h->class] :
					       &none;
}

/* The innermost rule that holds in this context: of the locks held, only those
 * taken in the same interrupt context count. */
static u8 strictest(const struct hd_task *t, u8 irq_context, u16 *by)
{
	u8 inner = context_of(t), type;
	u32 i = t->nheld;

	while (i && t->held[i - 1].irq_context == irq_context)
		i--;
	for (; i < t->nheld; i++) {
		const struct lockdep_class *c = class_of(&t->held[i]);

		type = c->wait_inner;
		if (!type)
			continue;
		if (type < inner || c->lock_type == LD_LOCK_WAIT_OVERRIDE) {
			inner = type;
			*by = t->held[i].class;
		}
	}
	return inner;
}

bool lockdep_check_wait_context(const struct hd_task *t,
				const struct hd_held *next)
{
	const struct lockdep_class *c = class_of(next);
	u16 by = LOCKDEP_NO_CLASS;
	u8 outer;

	if (!c->wait_inner || next->trylock)
		return true;
	outer = c->wait_outer ? c->wait_outer : c->wait_inner;
	if (outer <= strictest(t, next->irq_context, &by))
		return true;
	lockdep_report_class(HD_V_WAIT_CONTEXT, next->class);
	if (by != LOCKDEP_NO_CLASS)
		lockdep_report_add(by);
	return false;
}
