/* SPDX-License-Identifier: MIT */
/* Mutexes (include/linux/mutex.h, 6.12).
 *
 * mutex_lock() may sleep.  It is one op, the attempt; if the mutex is taken a
 * second one follows when it has become free, and whichever waiter runs first
 * gets it (the kernel's mutex can be stolen too).  The killable and
 * interruptible forms return -EINTR if the schedule lets a signal come while
 * they would sleep.  Unlock by a task that is not the owner is a bad unlock
 * balance and leaves the mutex as it is. */
#ifndef HEDDLE_MUTEX_H
#define HEDDLE_MUTEX_H

#include <heddle/lockdep.h>

struct mutex {
	u32 owner; /* task + 1; 0: free */
	u32 pad;
	struct lockdep_map dep_map;
};

#define __MUTEX_INITIALIZER(n) \
	{ .dep_map = STATIC_LOCKDEP_MAP_INIT_WAIT(#n, &(n), LD_WAIT_SLEEP) }
#define DEFINE_MUTEX(n) struct mutex n = __MUTEX_INITIALIZER(n)

#define mutex_init(m)                                                  \
	do {                                                           \
		static struct lock_class_key __key;                    \
		hd_mutex_init((m), #m, &__key);                        \
	} while (0)
void hd_mutex_init(struct mutex *m, const char *name,
		   const struct lock_class_key *key);

void mutex_lock(struct mutex *m);
void mutex_lock_nested(struct mutex *m, int subclass);
/* nest: a lock held that orders all locks of m's class. */
#define mutex_lock_nest_lock(m, nest) hd_mutex_lock_nest((m), &(nest)->dep_map)
void hd_mutex_lock_nest(struct mutex *m, struct lockdep_map *nest);
int __must_check mutex_lock_interruptible(struct mutex *m);
int __must_check mutex_lock_killable(struct mutex *m);
bool mutex_trylock(struct mutex *m);
void mutex_unlock(struct mutex *m);
bool mutex_is_locked(const struct mutex *m);

#endif
