/* SPDX-License-Identifier: MIT */
/* Whom does a per-CPU semaphore keep out, and for whom does its writer wait?
 * The rules are those of percpu_rwsem.h. */
#include <heddle/percpu_rwsem.h>

#include "kernel.h"
#include "queue.h"

enum { WORD = 8 };

void hd_percpu_init_rwsem(struct percpu_rw_semaphore *s, const char *name,
			  const struct lock_class_key *key)
{
	hd_no_locks_freed(s, sizeof(*s), HD_PC());
	hd_quiet_write(s, sizeof(*s), HD_PC());
	memset(s, 0, sizeof(*s));
	lockdep_init_map_wait(&s->dep_map, name, key, 0, LD_WAIT_SLEEP);
}

static u64 word(const struct percpu_rw_semaphore *s)
{
	return hd_get(s, WORD);
}

static void begin(const struct percpu_rw_semaphore *s, u8 kind, u8 flags,
		  u8 order, u32 pc)
{
	hd_publish(kind, s, WORD, flags, order, pc);
	hd_judge(s, WORD, flags, pc);
}

/* Until whoever lets this task in wakes it. */
static void sleep(const struct percpu_rw_semaphore *s, u8 flags, u32 pc)
{
	if (W->probing) /* a condition that locks, looked at a last time */
		hd_probe_done(false);
	hd_publish_asleep(HD_ACQUIRED, s, WORD, flags, pc);
	hd_judge(s, WORD, flags, pc);
	hd_did(word(s), word(s));
}

/* A writer keeps readers out now: if none is left, it need not wait. */
static void block(struct percpu_rw_semaphore *s, u32 task)
{
	s->block = (u8)(task + 1);
	if (!s->readers)
		hd_wake((int)task);
}

/* --- readers -------------------------------------------------------- */

void percpu_down_read(struct percpu_rw_semaphore *s)
{
	u8 flags = HD_RW | HD_SHARED;
	u32 pc = HD_PC();
	bool waits;
	u64 old;

	hd_may_sleep("percpu_down_read", pc);
	begin(s, HD_LOCK, flags, HD_ACQUIRE, pc);
	hd_lock_acquire(&s->dep_map, 0, 0, 1, 1, pc);
	old = word(s);
	waits = s->block;
	if (waits)
		queue_join(s->queue, &s->nwaiters, 0, "percpu_rwsem waiters");
	else
		s->readers++;
	if (waits)
		hd_gives(HD_RELAXED);
	hd_did(old, word(s));
	if (waits)
		sleep(s, flags, pc);
}

bool percpu_down_read_trylock(struct percpu_rw_semaphore *s)
{
	u32 pc = HD_PC();
	bool got;
	u64 old;

	begin(s, HD_TRYLOCK, HD_RW | HD_SHARED, HD_ACQUIRE, pc);
	old = word(s);
	got = !s->block;
	if (got) {
		s->readers++;
		hd_lock_acquire(&s->dep_map, 0, 1, 1, 1, pc);
	}
	hd_did(old, word(s));
	return got;
}

void percpu_up_read(struct percpu_rw_semaphore *s)
{
	u32 pc = HD_PC();
	bool reader;
	u64 old;

	begin(s, HD_UNLOCK, HD_RW | HD_SHARED, HD_RELEASE, pc);
	reader = hd_lock_is_held(&s->dep_map, 1);
	hd_lock_release(&s->dep_map, pc);
	old = word(s);
	if (reader && s->readers && !--s->readers && s->block)
		hd_wake(s->block - 1);
	hd_did(old, word(s));
}

/* --- writers -------------------------------------------------------- */

void percpu_down_write(struct percpu_rw_semaphore *s)
{
	u32 pc = HD_PC();
	bool inside;
	u64 old;

	hd_may_sleep("percpu_down_write", pc);
	begin(s, HD_LOCK, HD_RW, HD_ACQUIRE, pc);
	hd_lock_acquire(&s->dep_map, 0, 0, 0, 1, pc);
	old = word(s);
	inside = !s->block && !s->readers;
	if (!s->block)
		block(s, W->cur->id);
	else
		queue_join(s->queue, &s->nwaiters, QUEUE_WRITER,
			   "percpu_rwsem waiters");
	if (!inside)
		hd_gives(HD_RELAXED);
	hd_did(old, word(s));
	if (!inside)
		sleep(s, HD_RW, pc);
}

static void let_in(struct percpu_rw_semaphore *s)
{
	while (s->nwaiters) {
		u8 q = s->queue[0];

		queue_leave(s->queue, &s->nwaiters, q & ~QUEUE_WRITER);
		if (q & QUEUE_WRITER) {
			block(s, q & ~QUEUE_WRITER);
			return;
		}
		s->readers++;
		hd_wake(q);
	}
}

void percpu_up_write(struct percpu_rw_semaphore *s)
{
	u32 pc = HD_PC();
	u64 old;

	begin(s, HD_UNLOCK, HD_RW, HD_RELEASE, pc);
	hd_lock_release(&s->dep_map, pc);
	old = word(s);
	if (s->block == hd_me()) {
		s->block = 0;
		let_in(s);
	}
	hd_did(old, word(s));
}

/* --- looking -------------------------------------------------------- */

static void look(const struct percpu_rw_semaphore *s, u32 pc)
{
	begin(s, HD_LOAD, HD_READ, HD_RELAXED, pc);
	hd_did(word(s), word(s));
}

bool percpu_is_read_locked(const struct percpu_rw_semaphore *s)
{
	look(s, HD_PC());
	return s->readers && !s->block;
}

bool percpu_is_write_locked(const struct percpu_rw_semaphore *s)
{
	look(s, HD_PC());
	return s->block;
}
