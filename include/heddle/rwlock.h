/* SPDX-License-Identifier: MIT */
/* Reader-writer spinlocks (include/linux/rwlock.h, kernel/locking/qrwlock.c,
 * 6.12, not PREEMPT_RT).
 *
 * The queued lock of x86, which is fair:
 *   read_lock   at once if no writer is inside and none waits at the head of
 *               the queue; otherwise it queues.  In interrupt context it only
 *               waits for a writer that is inside, never in the queue, and no
 *               further writer gets in before it
 *   write_lock  at once if nobody is inside and nobody waits; otherwise it
 *               queues, and once at the head it blocks new readers
 *   trylocks    fail where the above would wait
 * So a second read_lock in a task deadlocks with a writer that came in between:
 * lockdep says "recursive".  In interrupt context, or while bottom halves are
 * off, the annotation is that of a recursive reader.
 *
 * A call is one op on the lock, and a blocked one has another when it goes on.
 * Whoever is inside must not sleep.  An unlock by a task that is not inside is
 * a bad unlock balance and leaves the lock as it is.  The _irq, _irqsave and
 * _bh forms do what those of spinlock.h do. */
#ifndef HEDDLE_RWLOCK_H
#define HEDDLE_RWLOCK_H

#include <heddle/lockdep.h>

enum { RWLOCK_MAX_WAITERS = 8 }; /* more: verdict limit */

typedef struct {
	u8 writer;   /* task + 1; 0: none */
	u8 nwaiters;
	u16 readers;
	u32 pad;     /* ops are on these 8 bytes, and stand for the queue too */
	u8 queue[RWLOCK_MAX_WAITERS]; /* task, | 0x80: a writer */
	struct lockdep_map dep_map;
} rwlock_t;

#define __RW_LOCK_UNLOCKED(n) \
	{ .dep_map = STATIC_LOCKDEP_MAP_INIT(#n, &(n)) }
#define DEFINE_RWLOCK(n) rwlock_t n = __RW_LOCK_UNLOCKED(n)

#define rwlock_init(l)                                                 \
	do {                                                           \
		static struct lock_class_key __key;                    \
		hd_rwlock_init((l), #l, &__key);                       \
	} while (0)
void hd_rwlock_init(rwlock_t *l, const char *name,
		    const struct lock_class_key *key);

void read_lock(rwlock_t *l);
bool read_trylock(rwlock_t *l);
void read_unlock(rwlock_t *l);
void write_lock(rwlock_t *l);
void write_lock_nested(rwlock_t *l, int subclass);
bool write_trylock(rwlock_t *l);
void write_unlock(rwlock_t *l);
bool rwlock_is_contended(const rwlock_t *l); /* one load */

#define read_lock_irq(l) read_lock(l)
#define read_unlock_irq(l) read_unlock(l)
#define read_lock_bh(l) read_lock(l)
#define read_unlock_bh(l) read_unlock(l)
#define read_lock_irqsave(l, flags) ((flags) = 0, read_lock(l))
#define read_unlock_irqrestore(l, flags) ((void)(flags), read_unlock(l))
#define write_lock_irq(l) write_lock(l)
#define write_unlock_irq(l) write_unlock(l)
#define write_lock_bh(l) write_lock(l)
#define write_unlock_bh(l) write_unlock(l)
#define write_lock_irqsave(l, flags) ((flags) = 0, write_lock(l))
#define write_unlock_irqrestore(l, flags) ((void)(flags), write_unlock(l))
#define write_trylock_irqsave(l, flags) ((flags) = 0, write_trylock(l))

#endif
