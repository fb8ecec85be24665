/* SPDX-License-Identifier: MIT */
/* Who gets a reader-writer spinlock, and in which order?  The rules are those
 * of rwlock.h. */
#include <heddle/rwlock.h>
#include <heddle/irq.h>

#include "kernel.h"
#include "queue.h"

enum { WORD = 8 };

void hd_rwlock_init(rwlock_t *l, const char *name,
		    const struct lock_class_key *key)
{
	hd_no_locks_freed(l, sizeof(*l), HD_PC());
	hd_quiet_write(l, sizeof(*l), HD_PC());
	memset(l, 0, sizeof(*l));
	lockdep_init_map_wait(&l->dep_map, name, key, 0, LD_WAIT_CONFIG);
}

static struct hd_op op_on(const rwlock_t *l, u8 kind, u8 flags, u8 order,
			  u32 pc)
{
	return (struct hd_op){ .addr = (u64)l, .size = WORD, .pc = pc,
			       .kind = kind, .order = order, .flags = flags };
}

static u64 word(const rwlock_t *l)
{
	return hd_get(l, WORD);
}

/* --- waiting -------------------------------------------------------- */

/* On the stack of the task that waits. */
struct waiter {
	const rwlock_t *l;
	u8 task, kind;
	bool interrupt;
};

static bool writer_at_head(const rwlock_t *l)
{
	return l->nwaiters && l->queue[0] & QUEUE_WRITER;
}

static bool may_enter(const void *arg)
{
	const struct waiter *w = arg;

	if (w->l->writer)
		return false;
	if (w->interrupt)
		return true;
	return queue_first_is(w->l->queue, w->l->nwaiters, w->task) &&
	       !(w->kind && w->l->readers);
}

static void wait(const struct waiter *w, u8 flags, u32 pc)
{
	hd_publish_when(HD_ACQUIRED, w->l, WORD, flags, pc, may_enter, w);
	hd_judge(w->l, WORD, flags, pc);
}

static void inside(u64 old, const rwlock_t *l)
{
	W->cur->atomic++;
	hd_did(old, word(l));
}

/* --- readers -------------------------------------------------------- */

void read_lock(rwlock_t *l)
{
	u32 pc = HD_PC();
	u8 flags = HD_RW | HD_SHARED;
	struct hd_op op = op_on(l, HD_LOCK, flags, HD_ACQUIRE, pc);
	struct waiter w = { l, W->cur->id, 0, in_interrupt() };
	u64 old;

	hd_begin_lock(&op);
	hd_lock_acquire(&l->dep_map, 0, 0, w.interrupt ? 2 : 1, 1, pc);
	old = word(l);
	if (!l->writer && (w.interrupt || !writer_at_head(l))) {
		l->readers++;
		inside(old, l);
		return;
	}
	if (w.interrupt) /* counted already: no other writer gets in */
		l->readers++;
	else
		queue_join(l->queue, &l->nwaiters, 0, "rwlock waiters");
	hd_gives(HD_RELAXED);
	hd_did(old, word(l));
	wait(&w, flags, pc);
	old = word(l);
	if (!w.interrupt) {
		queue_leave(l->queue, &l->nwaiters, w.task);
		l->readers++;
	}
	inside(old, l);
}

bool read_trylock(rwlock_t *l)
{
	u32 pc = HD_PC();
	struct hd_op op = op_on(l, HD_TRYLOCK, HD_RW | HD_SHARED, HD_ACQUIRE,
				pc);
	u64 old;

	hd_begin_lock(&op);
	old = word(l);
	if (l->writer || writer_at_head(l)) {
		hd_did(old, old);
		return false;
	}
	hd_lock_acquire(&l->dep_map, 0, 1, in_interrupt() ? 2 : 1, 1, pc);
	l->readers++;
	inside(old, l);
	return true;
}

void read_unlock(rwlock_t *l)
{
	u32 pc = HD_PC();
	struct hd_op op = op_on(l, HD_UNLOCK, HD_RW | HD_SHARED, HD_RELEASE,
				pc);
	bool reader;
	u64 old;

	hd_begin_lock(&op);
	reader = hd_lock_is_held(&l->dep_map, 1);
	hd_lock_release(&l->dep_map, pc);
	old = word(l);
	if (reader && l->readers) {
		l->readers--;
		W->cur->atomic--;
	}
	hd_did(old, word(l));
}

/* --- writers -------------------------------------------------------- */

static void lock_write(rwlock_t *l, int subclass, u32 pc)
{
	struct hd_op op = op_on(l, HD_LOCK, HD_RW, HD_ACQUIRE, pc);
	struct waiter w = { l, W->cur->id, QUEUE_WRITER, false };
	u64 old;

	hd_begin_lock(&op);
	hd_lock_acquire(&l->dep_map, subclass, 0, 0, 1, pc);
	old = word(l);
	if (!l->writer && !l->readers && !l->nwaiters) {
		l->writer = (u8)hd_me();
		inside(old, l);
		return;
	}
	queue_join(l->queue, &l->nwaiters, QUEUE_WRITER, "rwlock waiters");
	hd_gives(HD_RELAXED);
	hd_did(old, word(l));
	wait(&w, HD_RW, pc);
	old = word(l);
	queue_leave(l->queue, &l->nwaiters, w.task);
	l->writer = (u8)hd_me();
	inside(old, l);
}

void write_lock(rwlock_t *l)
{
	lock_write(l, 0, HD_PC());
}

void write_lock_nested(rwlock_t *l, int subclass)
{
	lock_write(l, subclass, HD_PC());
}

bool write_trylock(rwlock_t *l)
{
	u32 pc = HD_PC();
	struct hd_op op = op_on(l, HD_TRYLOCK, HD_RW, HD_ACQUIRE, pc);
	u64 old;

	hd_begin_lock(&op);
	old = word(l);
	if (l->writer || l->readers || l->nwaiters) {
		hd_did(old, old);
		return false;
	}
	hd_lock_acquire(&l->dep_map, 0, 1, 0, 1, pc);
	l->writer = (u8)hd_me();
	inside(old, l);
	return true;
}

void write_unlock(rwlock_t *l)
{
	u32 pc = HD_PC();
	struct hd_op op = op_on(l, HD_UNLOCK, HD_RW, HD_RELEASE, pc);
	u64 old;

	hd_begin_lock(&op);
	hd_lock_release(&l->dep_map, pc);
	old = word(l);
	if (l->writer == hd_me()) {
		l->writer = 0;
		W->cur->atomic--;
	}
	hd_did(old, word(l));
}

/* --- looking -------------------------------------------------------- */

bool rwlock_is_contended(const rwlock_t *l)
{
	struct hd_op op = op_on(l, HD_LOAD, HD_READ, HD_RELAXED, HD_PC());

	hd_begin_lock(&op);
	hd_did(word(l), word(l));
	return l->nwaiters;
}
