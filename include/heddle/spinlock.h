/* SPDX-License-Identifier: MIT */
/* Spinlocks (include/linux/spinlock.h, 6.12, not PREEMPT_RT).
 *
 * spin_lock() is one op, the attempt; if the lock is taken a second one
 * follows when it has become free.  Whoever holds one must not sleep (verdict
 * sleep-in-atomic).  The _irq, _irqsave and _bh forms turn interrupts or
 * softirqs off before that op, so a task spins with them off, and on again
 * after the unlock (irq.h); they have no ops of their own.  An unlock by
 * somebody else than the owner is a bad unlock balance, and the lock stays as
 * it is. */
#ifndef HEDDLE_SPINLOCK_H
#define HEDDLE_SPINLOCK_H

#include <heddle/irq.h>
#include <heddle/lockdep.h>

typedef struct spinlock {
	u32 owner; /* task + 1; 0: free */
	u32 pad;
	struct lockdep_map dep_map;
} spinlock_t;

#define __SPIN_LOCK_UNLOCKED(n) \
	{ .dep_map = STATIC_LOCKDEP_MAP_INIT_WAIT(#n, &(n), LD_WAIT_CONFIG) }
#define DEFINE_SPINLOCK(n) spinlock_t n = __SPIN_LOCK_UNLOCKED(n)

#define spin_lock_init(l)                                              \
	do {                                                           \
		static struct lock_class_key __key;                    \
		hd_spin_lock_init((l), #l, &__key);                    \
	} while (0)
void hd_spin_lock_init(spinlock_t *l, const char *name,
		       const struct lock_class_key *key);

void spin_lock(spinlock_t *l);
void spin_lock_nested(spinlock_t *l, int subclass);
/* nest: a lock held that orders all locks of l's class. */
#define spin_lock_nest_lock(l, nest) hd_spin_lock_nest((l), &(nest)->dep_map)
void hd_spin_lock_nest(spinlock_t *l, struct lockdep_map *nest);
bool spin_trylock(spinlock_t *l);
void spin_unlock(spinlock_t *l);
bool spin_is_locked(const spinlock_t *l);

void spin_lock_irq(spinlock_t *l);
bool spin_trylock_irq(spinlock_t *l);
void spin_unlock_irq(spinlock_t *l);
void spin_lock_bh(spinlock_t *l);
bool spin_trylock_bh(spinlock_t *l);
void spin_unlock_bh(spinlock_t *l);
unsigned long hd_spin_lock_irqsave(spinlock_t *l, int subclass);
#define spin_lock_irqsave(l, flags) ((flags) = hd_spin_lock_irqsave((l), 0))
#define spin_lock_irqsave_nested(l, flags, subclass) \
	((flags) = hd_spin_lock_irqsave((l), (subclass)))
bool hd_spin_trylock_irqsave(spinlock_t *l, unsigned long *flags);
#define spin_trylock_irqsave(l, flags) hd_spin_trylock_irqsave((l), &(flags))
void spin_unlock_irqrestore(spinlock_t *l, unsigned long flags);
/* Raw spinlocks spin under PREEMPT_RT as well: a spinlock_t must not be taken
 * inside (verdict wait-context). */
typedef spinlock_t raw_spinlock_t;
#define raw_spin_lock_init(l)                                          \
	do {                                                           \
		static struct lock_class_key __key;                    \
		hd_raw_spin_lock_init((l), #l, &__key);                \
	} while (0)
void hd_raw_spin_lock_init(spinlock_t *l, const char *name,
			   const struct lock_class_key *key);
#define DEFINE_RAW_SPINLOCK(n)                                         \
	raw_spinlock_t n = { .dep_map = STATIC_LOCKDEP_MAP_INIT_WAIT(  \
				     #n, &(n), LD_WAIT_SPIN) }
#define raw_spin_lock(l) spin_lock(l)
#define raw_spin_lock_nested(l, subclass) spin_lock_nested(l, subclass)
#define raw_spin_trylock(l) spin_trylock(l)
#define raw_spin_unlock(l) spin_unlock(l)
#define raw_spin_lock_irq(l) spin_lock_irq(l)
#define raw_spin_unlock_irq(l) spin_unlock_irq(l)
#define raw_spin_lock_irqsave(l, flags) spin_lock_irqsave(l, flags)
#define raw_spin_unlock_irqrestore(l, flags) spin_unlock_irqrestore(l, flags)
#define assert_spin_locked(l) lockdep_assert_held(l)

#endif
