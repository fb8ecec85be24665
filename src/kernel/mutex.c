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
	hd_no_locks_freed(m, sizeof(*m), HD_PC());
	memset(m, 0, sizeof(*m));
	lockdep_init_map_wait(&m->dep_map, name, key, 0, LD_WAIT_SLEEP);
}

static __always_inline struct hd_op op_on(const struct mutex *m, u8 kind,
					  u8 order, u32 pc)
{
	return (struct hd_op){ .addr = (u64)m, .size = SIZE, .pc = pc,
			       .kind = kind, .order = order, .flags = HD_RW };
}

static __always_inline void take(struct mutex *m, const struct hd_op *op,
				 u64 id)
{
	m->owner = hd_me();
	hd_did_op(op, id, 0, m->owner);
}

/* It was taken: wait.  A signal makes the wait end at any time; if the mutex
 * happens to be free then, it is taken all the same. */
static int wait(struct mutex *m, bool killable, u32 pc)
{
	struct hd_op op = op_on(m, HD_ACQUIRED, HD_ACQUIRE, pc);
	u64 id;

	if (killable && hd_signal_comes())
		hd_publish_op(&op);
	else
		hd_publish_until_zero(HD_ACQUIRED, &m->owner, HD_RW, pc);
	id = hd_judge_lock(&op);
	if (!m->owner) {
		take(m, &op, id);
		return 0;
	}
	hd_lock_release(&m->dep_map, pc);
	hd_gives(HD_RELAXED);
	hd_did_op(&op, id, m->owner, m->owner);
	return -EINTR;
}

static __always_inline int lock(struct mutex *m, int subclass, bool killable,
				struct lockdep_map *nest, u32 pc)
{
	struct hd_op op = op_on(m, HD_LOCK, HD_ACQUIRE, pc);
	u64 id;

	hd_may_sleep("mutex_lock", pc);
	if (!killable)
		op.flags |= HD_UNTIL_ZERO;
	id = hd_begin_lock(&op);
	hd_announce(&m->dep_map, subclass, nest, pc);
	if (!m->owner) {
		take(m, &op, id);
		return 0;
	}
	hd_did_op(&op, id, m->owner, m->owner);
	return wait(m, killable, pc);
}

void mutex_lock(struct mutex *m)
{
	lock(m, 0, false, NULL, HD_PC());
}

void mutex_lock_nested(struct mutex *m, int subclass)
{
	lock(m, subclass, false, NULL, HD_PC());
}

void hd_mutex_lock_nest(struct mutex *m, struct lockdep_map *nest)
{
	lock(m, 0, false, nest, HD_PC());
}

int mutex_lock_interruptible(struct mutex *m)
{
	return lock(m, 0, true, NULL, HD_PC());
}

int mutex_lock_killable(struct mutex *m)
{
	return lock(m, 0, true, NULL, HD_PC());
}

bool mutex_trylock(struct mutex *m)
{
	u32 pc = HD_PC();
	struct hd_op op = op_on(m, HD_TRYLOCK, HD_ACQUIRE, pc);
	u64 id = hd_begin_lock(&op);

	if (m->owner) {
		hd_did_op(&op, id, m->owner, m->owner);
		return false;
	}
	hd_lock_acquire(&m->dep_map, 0, 1, 0, 1, pc);
	take(m, &op, id);
	return true;
}

void mutex_unlock(struct mutex *m)
{
	u32 pc = HD_PC(), old;
	struct hd_op op = op_on(m, HD_UNLOCK, HD_RELEASE, pc);
	u64 id = hd_begin_lock(&op);

	hd_lock_release(&m->dep_map, pc);
	old = m->owner;
	if (old == hd_me())
		m->owner = 0;
	hd_did_op(&op, id, old, m->owner);
}

bool mutex_is_locked(const struct mutex *m)
{
	u32 pc = HD_PC();

	hd_publish(HD_LOAD, m, SIZE, HD_READ, HD_RELAXED, pc);
	hd_judge(m, SIZE, HD_READ, pc);
	hd_did(m->owner, m->owner);
	return m->owner;
}
