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

#include <heddle/irq.h>
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
	{ .dep_map = STATIC_LOCKDEP_MAP_INIT_WAIT(#n, &(n), LD_WAIT_CONFIG) }
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

/* With interrupts off before the attempt, and on again after the unlock. */
#define HD_RWLOCK_FORMS(side)                                          \
	static __always_inline void side##_lock_irq(rwlock_t *l)       \
	{                                                              \
		local_irq_disable();                                   \
		side##_lock(l);                                        \
	}                                                              \
	static __always_inline void side##_unlock_irq(rwlock_t *l)     \
	{                                                              \
		side##_unlock(l);                                      \
		local_irq_enable();                                    \
	}                                                              \
	static __always_inline void side##_lock_bh(rwlock_t *l)        \
	{                                                              \
		local_bh_disable();                                    \
		side##_lock(l);                                        \
	}                                                              \
	static __always_inline void side##_unlock_bh(rwlock_t *l)      \
	{                                                              \
		side##_unlock(l);                                      \
		local_bh_enable();                                     \
	}                                                              \
	static __always_inline void side##_unlock_irqrestore(          \
		rwlock_t *l, unsigned long flags)                      \
	{                                                              \
		side##_unlock(l);                                      \
		local_irq_restore(flags);                              \
	}
HD_RWLOCK_FORMS(read)
HD_RWLOCK_FORMS(write)
#undef HD_RWLOCK_FORMS
#define read_lock_irqsave(l, flags) (local_irq_save(flags), read_lock(l))
#define write_lock_irqsave(l, flags) (local_irq_save(flags), write_lock(l))
#define write_trylock_irqsave(l, flags)                                \
	({                                                             \
		bool __got;                                            \
		local_irq_save(flags);                                 \
		__got = write_trylock(l);                              \
		if (!__got)                                            \
			local_irq_restore(flags);                      \
		__got;                                                 \
	})

#endif
