/* SPDX-License-Identifier: MIT */
/* Can an interrupt come while a lock is held that its handler takes?
 *
 * A class gets a usage bit when it is first taken in an interrupt (USED_IN) or
 * with interrupts on (ENABLED).  The two exclude each other, on one class
 * (inconsistent), over a path that is there when the bit comes
 * (irq-inversion), and over a path that a new dependency completes
 * (irq-order).  Readers do not exclude readers. */
#include "lockdep.h"

enum {
	USED_IN_ANY = 1 << USED_IN_HARDIRQ | 1 << USED_IN_HARDIRQ_READ |
		      1 << USED_IN_SOFTIRQ | 1 << USED_IN_SOFTIRQ_READ,
	ENABLED_ANY = USED_IN_ANY << USAGE_ENABLED,
	NOT_READ = 1 << USED_IN_HARDIRQ | 1 << ENABLED_HARDIRQ |
		   1 << USED_IN_SOFTIRQ | 1 << ENABLED_SOFTIRQ,
};

const char *lockdep_usage_name(u8 bit)
{
	static const char *const name[LOCKDEP_USAGES] = {
		"IN-HARDIRQ-W", "IN-HARDIRQ-R", "HARDIRQ-ON-W", "HARDIRQ-ON-R",
		"IN-SOFTIRQ-W", "IN-SOFTIRQ-R", "SOFTIRQ-ON-W", "SOFTIRQ-ON-R",
	};

	return name[bit % LOCKDEP_USAGES];
}

/* Same state, other direction, written. */
static u8 excluded_by(u8 bit)
{
	return (u8)((bit & ~USAGE_READ) ^ USAGE_ENABLED);
}

static u16 other_direction(u16 mask)
{
	return (u16)((mask & USED_IN_ANY) << USAGE_ENABLED |
		     (mask & ENABLED_ANY) >> USAGE_ENABLED);
}

/* All that must not be at the other end of a path from a lock with one of these
 * usages: readers at both ends can deadlock as well, with a writer between. */
static u16 all_excluded_by(u16 mask)
{
	u16 excl = other_direction(mask);

	excl |= (excl & ~NOT_READ) >> 1;
	return (u16)(excl | (excl & NOT_READ) << 1);
}

/* --- a new bit -------------------------------------------------------------- */

static bool report_inconsistent(u16 class, u8 bit, u8 excl)
{
	lockdep_report_class(HD_V_INCONSISTENT, class);
	lockdep_found.bit = bit;
	lockdep_found.excl = excl;
	return false;
}

static bool report_inversion(const struct lockdep_search *s, u16 class, u8 bit,
			     u8 excl)
{
	u32 i;

	lockdep_report_class(HD_V_IRQ_INVERSION, class);
	for (i = 0; i < s->npath; i++) {
		lockdep_report_add(lockdep->edge[s->path[i]].from);
		lockdep_report_add(lockdep->edge[s->path[i]].to);
		lockdep_found.edge[i] = s->path[i];
	}
	lockdep_found.nedges = s->npath;
	lockdep_found.bit = bit;
	lockdep_found.excl = lockdep->class[s->found].usage >> excl & 1 ?
				     excl : excl | USAGE_READ;
	return false;
}

static bool valid_state(u16 class, u8 bit)
{
	u16 usage = lockdep->class[class].usage;
	u8 excl = excluded_by(bit);

	if (usage >> excl & 1)
		return report_inconsistent(class, bit, excl);
	if (!(bit & USAGE_READ) && usage >> (excl | USAGE_READ) & 1)
		return report_inconsistent(class, bit, excl | USAGE_READ);
	return true;
}

bool lockdep_mark(const struct hd_held *e, u8 bit)
{
	u8 excl = excluded_by(bit);
	bool backward = bit & USAGE_ENABLED;
	struct lockdep_search s = {
		.usage = true, .mask = (u16)(3 << excl),
	};

	if (lockdep->class[e->class].usage >> bit & 1)
		return true;
	lockdep->class[e->class].usage |= (u16)(1 << bit);
	if (!valid_state(e->class, bit))
		return false;
	if (!lockdep_bfs(&s, e->class, backward ? e->read : e->read == 2,
			 backward))
		return true;
	return report_inversion(&s, e->class, bit, excl);
}

/* The bits that an acquire marks now, as a mask. */
static u16 usages_of(const struct hd_task *t, const struct hd_held *e,
		     bool sync)
{
	u32 read = e->read != 0;
	u16 mask = 0;

	if (!e->check)
		return 0;
	if (!e->trylock && t->in_hardirq)
		mask |= (u16)(1 << (USED_IN_HARDIRQ | read));
	if (!e->trylock && t->in_softirq)
		mask |= (u16)(1 << (USED_IN_SOFTIRQ | read));
	if (e->hardirqs_off || sync) /* lock_sync() holds nothing */
		return mask;
	mask |= (u16)(1 << (ENABLED_HARDIRQ | read));
	if (!t->bh_off && !t->in_softirq)
		mask |= (u16)(1 << (ENABLED_SOFTIRQ | read));
	return mask;
}

bool lockdep_usage_is_known(const struct hd_task *t, const struct hd_held *e)
{
	return !(usages_of(t, e, false) & ~lockdep->class[e->class].usage);
}

bool lockdep_mark_usage(struct hd_task *t, const struct hd_held *e, bool sync)
{
	/* USED_IN of both states before ENABLED of both */
	static const u8 order[LOCKDEP_USAGES] = {
		USED_IN_HARDIRQ, USED_IN_HARDIRQ_READ,
		USED_IN_SOFTIRQ, USED_IN_SOFTIRQ_READ,
		ENABLED_HARDIRQ, ENABLED_HARDIRQ_READ,
		ENABLED_SOFTIRQ, ENABLED_SOFTIRQ_READ,
	};
	u16 mask = usages_of(t, e, sync);
	u32 i;

	for (i = 0; i < LOCKDEP_USAGES; i++)
		if (mask >> order[i] & 1 && !lockdep_mark(e, order[i]))
			return false;
	return true;
}

/* --- a new dependency ------------------------------------------------------- */

static bool report_order(const struct hd_held *prev, const struct hd_held *next,
			 const struct lockdep_search *back,
			 const struct lockdep_search *forth)
{
	u16 safe = lockdep->class[back->found].usage;
	u16 unsafe = lockdep->class[forth->found].usage;
	u32 i;

	lockdep_report_class(HD_V_IRQ_ORDER, back->found);
	lockdep_report_add(prev->class);
	lockdep_report_add(next->class);
	lockdep_report_add(forth->found);
	lockdep_found.prev = prev->class;
	lockdep_found.next = next->class;
	lockdep_found.prev_read = prev->read;
	lockdep_found.next_read = next->read;
	for (i = 0; i < back->npath; i++)
		lockdep_found.back[lockdep_found.nback++] = back->path[i];
	for (i = 0; i < forth->npath; i++)
		lockdep_found.edge[lockdep_found.nedges++] = forth->path[i];
	for (i = 0; i < LOCKDEP_USAGES; i++) {
		u8 excl = excluded_by((u8)i);

		if (!(safe >> i & 1) || i & USAGE_ENABLED || !(unsafe >> excl & 3))
			continue;
		lockdep_found.bit = (u8)i;
		lockdep_found.excl = unsafe >> excl & 1 ? excl :
							  excl | USAGE_READ;
		break;
	}
	return false;
}

bool lockdep_check_irq_usage(const struct hd_held *prev,
			     const struct hd_held *next)
{
	struct lockdep_search back = { .usage = true, .gather = true };
	struct lockdep_search forth = { .usage = true };

	lockdep_bfs(&back, prev->class, prev->read != 0, true);
	if (!(back.gathered & USED_IN_ANY))
		return true;
	forth.mask = all_excluded_by(back.gathered & USED_IN_ANY);
	if (!lockdep_bfs(&forth, next->class, next->read == 2, false))
		return true;
	/* now the safe one: it was only part of a union */
	back = (struct lockdep_search){ .usage = true };
	back.mask = all_excluded_by(lockdep->class[forth.found].usage &
				    ENABLED_ANY);
	if (!lockdep_bfs(&back, prev->class, prev->read != 0, true))
		return true;
	return report_order(prev, next, &back, &forth);
}

/* --- interrupts on and off --------------------------------------------------- */

static bool mark_held(struct hd_task *t, u8 bit)
{
	u32 i;

	for (i = 0; i < t->nheld; i++) {
		const struct hd_held *e = &t->held[i];

		if (e->check && e->class != LOCKDEP_NO_CLASS &&
		    !lockdep_mark(e, (u8)(bit + (e->read != 0))))
			return false;
	}
	return true;
}

/* The flags of t are those after the change. */
bool lockdep_context(struct hd_task *t, u32 what)
{
	switch (what) {
	case HD_CTX_IRQS_ON:
		return mark_held(t, ENABLED_HARDIRQ) &&
		       (t->bh_off || t->in_softirq ||
			mark_held(t, ENABLED_SOFTIRQ));
	case HD_CTX_BH_ON:
		return t->irqs_off || mark_held(t, ENABLED_SOFTIRQ);
	default:
		return true;
	}
}
