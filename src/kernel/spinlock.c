/* SPDX-License-Identifier: MIT */
/* How does a spinlock exclude, and what makes its holder atomic? */
#include <heddle/spinlock.h>
#include <string.h>

#include "kernel.h"

enum { SIZE = sizeof(u32) };

void hd_spin_lock_init(spinlock_t *l, const char *name,
		       const struct lock_class_key *key)
{
	hd_quiet_write(l, sizeof(*l), HD_PC());
	hd_no_locks_freed(l, sizeof(*l), HD_PC());
	memset(l, 0, sizeof(*l));
	lockdep_init_map_wait(&l->dep_map, name, key, 0, LD_WAIT_CONFIG);
}

static __always_inline struct hd_op op_on(const spinlock_t *l, u8 kind,
					  u8 order, u32 pc)
{
	return (struct hd_op){ .addr = (u64)l, .size = SIZE, .pc = pc,
			       .kind = kind, .order = order, .flags = HD_RW };
}

static __always_inline void take(spinlock_t *l, const struct hd_op *op, u64 id)
{
	l->owner = hd_me();
	W->cur->atomic++;
	hd_did_op(op, id, 0, l->owner);
}

static noinline void wait(spinlock_t *l, u32 pc)
{
	struct hd_op op = op_on(l, HD_ACQUIRED, HD_ACQUIRE, pc);

	hd_publish_until_zero(HD_ACQUIRED, &l->owner, HD_RW, pc);
	take(l, &op, hd_judge_lock(&op));
}

static __always_inline void lock(spinlock_t *l, int subclass,
				 struct lockdep_map *nest, u32 pc)
{
	struct hd_op op = op_on(l, HD_LOCK, HD_ACQUIRE, pc);
	u64 id;

	op.flags |= HD_UNTIL_ZERO;
	id = hd_begin_lock(&op);
	hd_announce(&l->dep_map, subclass, nest, pc);
	if (!l->owner) {
		take(l, &op, id);
		return;
	}
	hd_did_op(&op, id, l->owner, l->owner);
	wait(l, pc);
}

void spin_lock(spinlock_t *l)
{
	lock(l, 0, NULL, HD_PC());
}

void spin_lock_nested(spinlock_t *l, int subclass)
{
	lock(l, subclass, NULL, HD_PC());
}

static __always_inline bool trylock(spinlock_t *l, u32 pc)
{
	struct hd_op op = op_on(l, HD_TRYLOCK, HD_ACQUIRE, pc);
	u64 id = hd_begin_lock(&op);

	if (l->owner) {
		hd_did_op(&op, id, l->owner, l->owner);
		return false;
	}
	hd_lock_acquire(&l->dep_map, 0, 1, 0, 1, pc);
	take(l, &op, id);
	return true;
}

void hd_spin_lock_nest(spinlock_t *l, struct lockdep_map *nest)
{
	lock(l, 0, nest, HD_PC());
}

void hd_raw_spin_lock_init(spinlock_t *l, const char *name,
			   const struct lock_class_key *key)
{
	hd_spin_lock_init(l, name, key);
	l->dep_map.wait_inner = LD_WAIT_SPIN;
}

bool spin_trylock(spinlock_t *l)
{
	return trylock(l, HD_PC());
}

static __always_inline void unlock(spinlock_t *l, u32 pc)
{
	struct hd_op op = op_on(l, HD_UNLOCK, HD_RELEASE, pc);
	u64 id = hd_begin_lock(&op);
	u32 old;

	hd_lock_release(&l->dep_map, pc);
	old = l->owner;
	if (old == hd_me()) {
		l->owner = 0;
		W->cur->atomic--;
	}
	hd_did_op(&op, id, old, l->owner);
}

void spin_unlock(spinlock_t *l)
{
	unlock(l, HD_PC());
}

bool spin_is_locked(const spinlock_t *l)
{
	u32 pc = HD_PC();

	hd_publish(HD_LOAD, l, SIZE, HD_READ, HD_RELAXED, pc);
	hd_judge(l, SIZE, HD_READ, pc);
	hd_did(l->owner, l->owner);
	return l->owner;
}

/* --- with interrupts or softirqs off ---------------------------------- */

void spin_lock_irq(spinlock_t *l)
{
	hd_irqs_off(HD_PC());
	lock(l, 0, NULL, HD_PC());
}

bool spin_trylock_irq(spinlock_t *l)
{
	u32 pc = HD_PC();

	hd_irqs_off(pc);
	if (trylock(l, pc))
		return true;
	hd_irqs_on(pc);
	return false;
}

void spin_unlock_irq(spinlock_t *l)
{
	unlock(l, HD_PC());
	hd_irqs_on(HD_PC());
}

void spin_lock_bh(spinlock_t *l)
{
	hd_bh_off(HD_PC());
	lock(l, 0, NULL, HD_PC());
}

bool spin_trylock_bh(spinlock_t *l)
{
	u32 pc = HD_PC();

	hd_bh_off(pc);
	if (trylock(l, pc))
		return true;
	hd_bh_on(pc);
	return false;
}

void spin_unlock_bh(spinlock_t *l)
{
	unlock(l, HD_PC());
	hd_bh_on(HD_PC());
}

unsigned long hd_spin_lock_irqsave(spinlock_t *l, int subclass)
{
	unsigned long flags = W->cur->irqs_off;

	hd_irqs_off(HD_PC());
	lock(l, subclass, NULL, HD_PC());
	return flags;
}

bool hd_spin_trylock_irqsave(spinlock_t *l, unsigned long *flags)
{
	u32 pc = HD_PC();

	*flags = W->cur->irqs_off;
	hd_irqs_off(pc);
	if (trylock(l, pc))
		return true;
	if (!*flags)
		hd_irqs_on(pc);
	return false;
}

void spin_unlock_irqrestore(spinlock_t *l, unsigned long flags)
{
	u32 pc = HD_PC();

	unlock(l, pc);
	if (!flags)
		hd_irqs_on(pc);
}
