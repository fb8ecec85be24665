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
	memset(l, 0, sizeof(*l));
	lockdep_init_map(&l->dep_map, name, key);
}

static bool is_free(const void *lock)
{
	return !*(const volatile u32 *)lock; /* the owner comes first */
}

static void take(spinlock_t *l)
{
	l->owner = hd_me();
	W->cur->atomic++;
	hd_did(0, l->owner);
}

static void lock(spinlock_t *l, int subclass, u32 pc)
{
	hd_publish(HD_LOCK, l, SIZE, HD_RW, HD_ACQUIRE, pc);
	hd_judge(l, SIZE, HD_RW, pc);
	hd_lock_acquire(&l->dep_map, subclass, 0, 0, 1, pc);
	if (l->owner) {
		hd_did(l->owner, l->owner);
		hd_publish_when(HD_ACQUIRED, l, SIZE, HD_RW, pc,
				is_free, l);
		hd_judge(l, SIZE, HD_RW, pc);
	}
	take(l);
}

void spin_lock(spinlock_t *l)
{
	lock(l, 0, HD_PC());
}

void spin_lock_nested(spinlock_t *l, int subclass)
{
	lock(l, subclass, HD_PC());
}

bool spin_trylock(spinlock_t *l)
{
	u32 pc = HD_PC();

	hd_publish(HD_TRYLOCK, l, SIZE, HD_RW, HD_ACQUIRE, pc);
	hd_judge(l, SIZE, HD_RW, pc);
	if (l->owner) {
		hd_did(l->owner, l->owner);
		return false;
	}
	hd_lock_acquire(&l->dep_map, 0, 1, 0, 1, pc);
	take(l);
	return true;
}

void spin_unlock(spinlock_t *l)
{
	u32 pc = HD_PC(), old;

	hd_publish(HD_UNLOCK, l, SIZE, HD_RW, HD_RELEASE, pc);
	hd_judge(l, SIZE, HD_RW, pc);
	hd_lock_release(&l->dep_map, pc);
	old = l->owner;
	if (old == hd_me()) {
		l->owner = 0;
		W->cur->atomic--;
	}
	hd_did(old, l->owner);
}

bool spin_is_locked(const spinlock_t *l)
{
	u32 pc = HD_PC();

	hd_publish(HD_LOAD, l, SIZE, HD_READ, HD_RELAXED, pc);
	hd_judge(l, SIZE, HD_READ, pc);
	hd_did(l->owner, l->owner);
	return l->owner;
}
