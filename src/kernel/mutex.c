/* SPDX-License-Identifier: MIT */
/* How does a mutex exclude, and how is a waiter interrupted? */
#include <heddle/mutex.h>
#include <string.h>

#include <heddle/errno.h>

#include "kernel.h"

enum { SIZE = sizeof(u32) };

void hd_mutex_init(struct mutex *m, const char *name,
		   const struct lock_class_key *key)
{
	hd_quiet_write(m, sizeof(*m), HD_PC());
	memset(m, 0, sizeof(*m));
	lockdep_init_map(&m->dep_map, name, key);
}

static bool is_free(const void *lock)
{
	return !*(const volatile u32 *)lock; /* the owner comes first */
}

static void take(struct mutex *m)
{
	m->owner = hd_me();
	hd_did(0, m->owner);
}

/* It was taken: wait.  A signal makes the wait end at any time; if the mutex
 * happens to be free then, it is taken all the same. */
static int wait(struct mutex *m, bool killable, u32 pc)
{
	if (killable && hd_signal_comes())
		hd_publish(HD_ACQUIRED, m, SIZE, HD_RW, HD_ACQUIRE,
			   pc);
	else
		hd_publish_when(HD_ACQUIRED, m, SIZE, HD_RW, pc,
				is_free, m);
	hd_judge(m, SIZE, HD_RW, pc);
	if (!m->owner) {
		take(m);
		return 0;
	}
	hd_lock_release(&m->dep_map, pc);
	hd_did(m->owner, m->owner);
	return -EINTR;
}

static int lock(struct mutex *m, int subclass, bool killable, u32 pc)
{
	hd_might_sleep("mutex_lock", pc);
	hd_publish(HD_LOCK, m, SIZE, HD_RW, HD_ACQUIRE, pc);
	hd_judge(m, SIZE, HD_RW, pc);
	hd_lock_acquire(&m->dep_map, subclass, 0, 0, 1, pc);
	if (!m->owner) {
		take(m);
		return 0;
	}
	hd_did(m->owner, m->owner);
	return wait(m, killable, pc);
}

void mutex_lock(struct mutex *m)
{
	lock(m, 0, false, HD_PC());
}

void mutex_lock_nested(struct mutex *m, int subclass)
{
	lock(m, subclass, false, HD_PC());
}

int mutex_lock_interruptible(struct mutex *m)
{
	return lock(m, 0, true, HD_PC());
}

int mutex_lock_killable(struct mutex *m)
{
	return lock(m, 0, true, HD_PC());
}

bool mutex_trylock(struct mutex *m)
{
	u32 pc = HD_PC();

	hd_publish(HD_TRYLOCK, m, SIZE, HD_RW, HD_ACQUIRE, pc);
	hd_judge(m, SIZE, HD_RW, pc);
	if (m->owner) {
		hd_did(m->owner, m->owner);
		return false;
	}
	hd_lock_acquire(&m->dep_map, 0, 1, 0, 1, pc);
	take(m);
	return true;
}

void mutex_unlock(struct mutex *m)
{
	u32 pc = HD_PC(), old;

	hd_publish(HD_UNLOCK, m, SIZE, HD_RW, HD_RELEASE, pc);
	hd_judge(m, SIZE, HD_RW, pc);
	hd_lock_release(&m->dep_map, pc);
	old = m->owner;
	if (old == hd_me())
		m->owner = 0;
	hd_did(old, m->owner);
}

bool mutex_is_locked(const struct mutex *m)
{
	u32 pc = HD_PC();

	hd_publish(HD_LOAD, m, SIZE, HD_READ, HD_RELAXED, pc);
	hd_judge(m, SIZE, HD_READ, pc);
	hd_did(m->owner, m->owner);
	return m->owner;
}
