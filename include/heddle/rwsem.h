/* SPDX-License-Identifier: MIT */
/* Read-write semaphores (kernel/locking/rwsem.c, 6.12).
 *
 * Who gets in, by default (RWSEM_WRITER_QUEUEING, the kernel's own):
 *   down_read   at once if there is neither a writer nor a waiter; past
 *               waiters only if nobody owns the semaphore at that moment (a
 *               steal; queued readers at the head then come along); otherwise
 *               it queues, so a queued writer blocks new readers
 *   down_write  at once if nobody owns it, waiters or not (a steal)
 *   trylocks    fail as soon as there is an owner in the way or any waiter
 *   up          by the last owner: if a reader is first in the queue, all
 *               queued readers are let in; if a writer is first it is woken,
 *               and has to win the semaphore when it runs
 *   downgrade   the writer becomes a reader; readers are let in if one is
 *               first; no writer slips in between
 * A killable waiter that a signal takes out of the queue wakes its successors
 * if it was first.  There is no upgrade, and no handoff (the 4 ms after which
 * a starving waiter forbids steals).
 *
 * Every call is one op on the semaphore; a blocked one has another when it
 * goes on, and a woken writer one per attempt. */
#ifndef HEDDLE_RWSEM_H
#define HEDDLE_RWSEM_H

#include <heddle/lockdep.h>

enum { RWSEM_MAX_WAITERS = 8 }; /* more: verdict limit */

struct rw_semaphore {
	u8 writer;   /* task + 1; 0: none */
	u8 nwaiters;
	u16 readers;
	u32 pad;     /* ops are on these 8 bytes, and stand for the queue too */
	u8 queue[RWSEM_MAX_WAITERS]; /* task, | 0x80: a writer */
	struct lockdep_map dep_map;
};

enum rwsem_policy {
	RWSEM_WRITER_QUEUEING,   /* as above */
	RWSEM_READER_PREFERRING, /* readers wait for a writer inside only, and
				  * go first when it leaves: writers starve */
	RWSEM_RT,                /* PREEMPT_RT (rwbase_rt.c): a writer waiting
				  * for readers does not block new ones, but
				  * their trylocks; queue served in order */
};
/* In the set-up; holds for all semaphores of the variant. */
void heddle_rwsem_policy(enum rwsem_policy p);

#define __RWSEM_INITIALIZER(n) \
	{ .dep_map = STATIC_LOCKDEP_MAP_INIT_WAIT(#n, &(n), LD_WAIT_SLEEP) }
#define DECLARE_RWSEM(n) struct rw_semaphore n = __RWSEM_INITIALIZER(n)

#define init_rwsem(s)                                                  \
	do {                                                           \
		static struct lock_class_key __key;                    \
		hd_init_rwsem((s), #s, &__key);                        \
	} while (0)
void hd_init_rwsem(struct rw_semaphore *s, const char *name,
		   const struct lock_class_key *key);

void down_read(struct rw_semaphore *s);
void down_read_nested(struct rw_semaphore *s, int subclass);
int __must_check down_read_killable(struct rw_semaphore *s);
int __must_check down_read_interruptible(struct rw_semaphore *s);
bool down_read_trylock(struct rw_semaphore *s);
void up_read(struct rw_semaphore *s);
void down_write(struct rw_semaphore *s);
void down_write_nested(struct rw_semaphore *s, int subclass);
/* nest: a lock held that orders all semaphores of s's class. */
#define down_write_nest_lock(s, nest) hd_down_write_nest((s), &(nest)->dep_map)
void hd_down_write_nest(struct rw_semaphore *s, struct lockdep_map *nest);
int __must_check down_write_killable(struct rw_semaphore *s);
int __must_check down_write_killable_nested(struct rw_semaphore *s,
					    int subclass);
bool down_write_trylock(struct rw_semaphore *s);
void up_write(struct rw_semaphore *s);
void downgrade_write(struct rw_semaphore *s);

/* One load each. */
bool rwsem_is_locked(const struct rw_semaphore *s);
bool rwsem_is_contended(const struct rw_semaphore *s);

#define rwsem_assert_held(s) lockdep_assert_held(s)
#define rwsem_assert_held_write(s) lockdep_assert_held_write(s)
#define rwsem_assert_held_nolockdep(s) lockdep_assert_held(s)
#define rwsem_assert_held_write_nolockdep(s) lockdep_assert_held_write(s)

#endif
