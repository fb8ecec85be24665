/* SPDX-License-Identifier: MIT */
/* Per-CPU read-write semaphores (include/linux/percpu-rwsem.h,
 * kernel/locking/percpu-rwsem.c, 6.12).
 *
 *   percpu_down_read   at once while no writer is inside or waits for readers
 *                      to leave; otherwise it queues
 *   percpu_down_write  blocks new readers at once if no writer does already
 *                      (past the queue: a steal), else it queues; then it
 *                      waits until the readers inside are gone
 *   percpu_up_write    lets in those at the head of the queue: readers up to
 *                      the first writer, and this writer, which waits for them
 *   trylock            fails while a writer blocks readers
 *
 * A call is one op on the semaphore, and a blocked one has another when it goes
 * on.  The counters of the CPUs are one, so there is no grace period in the
 * writer's way (rcu_sync_enter): that it waits for RCU readers as well is not
 * modelled.  An unlock by a task that is not inside is a bad unlock balance and
 * leaves the semaphore as it is. */
#ifndef HEDDLE_PERCPU_RWSEM_H
#define HEDDLE_PERCPU_RWSEM_H

#include <heddle/lockdep.h>

enum { PERCPU_RWSEM_MAX_WAITERS = 8 }; /* more: verdict limit */

struct percpu_rw_semaphore {
	u8 block;    /* task + 1 of the writer that keeps readers out; 0: none */
	u8 nwaiters;
	u16 readers;
	u32 pad;     /* ops are on these 8 bytes, and stand for the queue too */
	u8 queue[PERCPU_RWSEM_MAX_WAITERS]; /* task, | 0x80: a writer */
	struct lockdep_map dep_map;
};

#define __PERCPU_RWSEM_INITIALIZER(n) \
	{ .dep_map = STATIC_LOCKDEP_MAP_INIT_WAIT(#n, &(n), LD_WAIT_SLEEP) }
#define DEFINE_PERCPU_RWSEM(n) \
	struct percpu_rw_semaphore n = __PERCPU_RWSEM_INITIALIZER(n)
#define DEFINE_STATIC_PERCPU_RWSEM(n) static DEFINE_PERCPU_RWSEM(n)

/* 0: it does not fail. */
#define percpu_init_rwsem(s)                                           \
	({                                                             \
		static struct lock_class_key __key;                    \
		hd_percpu_init_rwsem((s), #s, &__key);                 \
		0;                                                     \
	})
void hd_percpu_init_rwsem(struct percpu_rw_semaphore *s, const char *name,
			  const struct lock_class_key *key);
#define percpu_free_rwsem(s) ((void)(s))

void percpu_down_read(struct percpu_rw_semaphore *s);
bool percpu_down_read_trylock(struct percpu_rw_semaphore *s);
void percpu_up_read(struct percpu_rw_semaphore *s);
void percpu_down_write(struct percpu_rw_semaphore *s);
void percpu_up_write(struct percpu_rw_semaphore *s);

/* One load each.  Readers that a writer waits for do not count. */
bool percpu_is_read_locked(const struct percpu_rw_semaphore *s);
bool percpu_is_write_locked(const struct percpu_rw_semaphore *s);

#define percpu_rwsem_is_held(s) lockdep_is_held(s)
#define percpu_rwsem_assert_held(s) lockdep_assert_held(s)

#endif
