/* SPDX-License-Identifier: MIT */
/* Mutexes with priority inheritance (include/linux/rtmutex.h,
 * kernel/locking/rtmutex.c and rtmutex_api.c, 6.12).
 *
 * All tasks have one priority: there is no inheritance, and waiters get the
 * mutex in the order in which they came.  It is not stolen: an attempt, a
 * trylock too, fails while somebody waits.  The deadlock detector of the
 * kernel (rt_mutex_handle_deadlock) is not modelled: the progress oracle sees
 * the deadlock itself.
 *
 * A call is one op on the mutex, and a blocked one has another when it goes
 * on.  It may sleep.  The killable and interruptible forms return -EINTR if
 * the schedule lets a signal come while they would sleep.  An unlock by a task
 * that is not the owner is a bad unlock balance and leaves it as it is. */
#ifndef HEDDLE_RTMUTEX_H
#define HEDDLE_RTMUTEX_H

#include <heddle/lockdep.h>

enum { RT_MUTEX_MAX_WAITERS = 8 }; /* more: verdict limit */

struct rt_mutex {
	u8 owner;  /* task + 1; 0: free */
	u8 nwaiters;
	u8 pad[6]; /* ops are on these 8 bytes, and stand for the queue too */
	u8 queue[RT_MUTEX_MAX_WAITERS];
	struct lockdep_map dep_map;
};

#define __RT_MUTEX_INITIALIZER(n) \
	{ .dep_map = STATIC_LOCKDEP_MAP_INIT_WAIT(#n, &(n), LD_WAIT_SLEEP) }
#define DEFINE_RT_MUTEX(n) struct rt_mutex n = __RT_MUTEX_INITIALIZER(n)

#define rt_mutex_init(m)                                               \
	do {                                                           \
		static struct lock_class_key __key;                    \
		hd_rt_mutex_init((m), #m, &__key);                     \
	} while (0)
void hd_rt_mutex_init(struct rt_mutex *m, const char *name,
		      const struct lock_class_key *key);

void rt_mutex_lock(struct rt_mutex *m);
void rt_mutex_lock_nested(struct rt_mutex *m, int subclass);
int __must_check rt_mutex_lock_interruptible(struct rt_mutex *m);
int __must_check rt_mutex_lock_killable(struct rt_mutex *m);
bool rt_mutex_trylock(struct rt_mutex *m);
void rt_mutex_unlock(struct rt_mutex *m);

#endif
