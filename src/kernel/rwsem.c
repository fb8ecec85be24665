/* SPDX-License-Identifier: MIT */
/* Who gets a read-write semaphore, and who is woken when it is let go?  The
 * rules are those of rwsem.h, here in the order in which they apply. */
#include <heddle/rwsem.h>
#include <string.h>

#include <heddle/errno.h>

#include "kernel.h"
#include "queue.h"

enum { WORD = 8 };

/* Constant during a run, so it is no part of the world. */
static enum rwsem_policy policy;

void hd_boot_rwsem(void)
{
	policy = RWSEM_WRITER_QUEUEING;
}

void heddle_rwsem_policy(enum rwsem_policy p)
{
	if (W->running)
		hd_limit("rwsem policy changed in a run");
	policy = p;
}

void hd_init_rwsem(struct rw_semaphore *s, const char *name,
		   const struct lock_class_key *key)
{
	hd_quiet_write(s, sizeof(*s), HD_PC());
	hd_no_locks_freed(s, sizeof(*s), HD_PC());
	memset(s, 0, sizeof(*s));
	lockdep_init_map_wait(&s->dep_map, name, key, 0, LD_WAIT_SLEEP);
}

/* --- the queue ------------------------------------------------------ */

static void leave_at(struct rw_semaphore *s, u32 i)
{
	if (i >= s->nwaiters)
		return;
	s->nwaiters--;
	memmove(&s->queue[i], &s->queue[i + 1], s->nwaiters - i);
	s->queue[s->nwaiters] = 0;
}

/* This task's place, -1 if it was let in. */
static int my_place(const struct rw_semaphore *s)
{
	int i;

	for (i = 0; i < s->nwaiters; i++)
		if ((s->queue[i] & ~QUEUE_WRITER) == W->cur->id)
			return i;
	return -1;
}

static bool first_is(const struct rw_semaphore *s, u8 kind)
{
	return s->nwaiters && (s->queue[0] & QUEUE_WRITER) == kind;
}

/* Let queued readers in: all of them, or under RT those before a writer. */
static void grant_readers(struct rw_semaphore *s)
{
	u32 i = 0;

	while (i < s->nwaiters) {
		u8 q = s->queue[i];

		if (q & QUEUE_WRITER) {
			if (policy == RWSEM_RT)
				break;
			i++;
			continue;
		}
		s->readers++;
		leave_at(s, i);
		hd_wake(q);
	}
}

/* The first queued writer may try again. */
static void wake_writer(const struct rw_semaphore *s)
{
	u32 i;

	for (i = 0; i < s->nwaiters; i++)
		if (s->queue[i] & QUEUE_WRITER) {
			hd_wake(s->queue[i] & ~QUEUE_WRITER);
			return;
		}
}

/* The queue may move: the semaphore was let go, or its first waiter left. */
static void wake_next(struct rw_semaphore *s)
{
	if (s->writer)
		return;
	if (first_is(s, 0) || policy == RWSEM_READER_PREFERRING)
		grant_readers(s);
	if (!s->readers && (first_is(s, QUEUE_WRITER) ||
			    policy == RWSEM_READER_PREFERRING))
		wake_writer(s);
}

/* --- readers -------------------------------------------------------- */

static bool reader_enters(struct rw_semaphore *s)
{
	if (s->writer)
		return false;
	if (policy == RWSEM_WRITER_QUEUEING && s->nwaiters) {
		if (s->readers)
			return false; /* no stealing past waiters */
		s->readers = 1;
		if (first_is(s, 0))
			grant_readers(s);
		return true;
	}
	s->readers++;
	return true;
}

static bool reader_may_try(const struct rw_semaphore *s)
{
	if (s->writer)
		return false;
	if (policy == RWSEM_READER_PREFERRING)
		return true;
	if (policy == RWSEM_RT)
		return !first_is(s, QUEUE_WRITER);
	return !s->nwaiters;
}

static u64 word(const struct rw_semaphore *s)
{
	return hd_get(s, WORD);
}

static void begin(struct rw_semaphore *s, u8 kind, u8 flags, u8 order, u32 pc)
{
	hd_publish(kind, s, WORD, flags, order, pc);
	hd_judge(s, WORD, flags, pc);
}

/* Sleep until woken, or until a signal comes (then true). */
static bool sleep(struct rw_semaphore *s, u8 flags, bool killable, u32 pc)
{
	bool signal = killable && hd_signal_comes();

	if (W->probing) /* a condition that locks, looked at a last time */
		hd_probe_done(false);
	if (signal)
		hd_publish(HD_ACQUIRED, s, WORD, flags, HD_ACQUIRE, pc);
	else
		hd_publish_asleep(HD_ACQUIRED, s, WORD, flags, pc);
	hd_judge(s, WORD, flags, pc);
	return signal;
}

/* A signal took this task out of the queue. */
static int give_up(struct rw_semaphore *s, u32 pc)
{
	u64 old = word(s);
	int i = my_place(s);

	leave_at(s, (u32)i);
	if (i == 0)
		wake_next(s);
	hd_lock_release(&s->dep_map, pc);
	hd_gives(HD_RELAXED);
	hd_did(old, word(s));
	return -EINTR;
}

static int lock_read(struct rw_semaphore *s, int subclass, bool killable,
		     u32 pc)
{
	u8 flags = HD_RW | HD_SHARED;
	u64 old;

	hd_might_sleep("down_read", pc);
	begin(s, HD_LOCK, flags, HD_ACQUIRE, pc);
	hd_lock_acquire(&s->dep_map, subclass, 0, 1, 1, pc);
	old = word(s);
	if (reader_enters(s)) {
		hd_did(old, word(s));
		return 0;
	}
	queue_join(s->queue, &s->nwaiters, 0, "rwsem waiters");
	hd_gives(HD_RELAXED);
	hd_did(old, word(s));
	sleep(s, flags, killable, pc);
	if (my_place(s) >= 0)
		return give_up(s, pc);
	hd_did(word(s), word(s));
	return 0;
}

void down_read(struct rw_semaphore *s)
{
	lock_read(s, 0, false, HD_PC());
}

void down_read_nested(struct rw_semaphore *s, int subclass)
{
	lock_read(s, subclass, false, HD_PC());
}

int down_read_killable(struct rw_semaphore *s)
{
	return lock_read(s, 0, true, HD_PC());
}

int down_read_interruptible(struct rw_semaphore *s)
{
	return lock_read(s, 0, true, HD_PC());
}

bool down_read_trylock(struct rw_semaphore *s)
{
	u32 pc = HD_PC();
	u64 old;
	bool got;

	begin(s, HD_TRYLOCK, HD_RW | HD_SHARED, HD_ACQUIRE, pc);
	old = word(s);
	got = reader_may_try(s);
	if (got) {
		s->readers++;
		hd_lock_acquire(&s->dep_map, 0, 1, 1, 1, pc);
	}
	hd_did(old, word(s));
	return got;
}

void up_read(struct rw_semaphore *s)
{
	u32 pc = HD_PC();
	bool owner;
	u64 old;

	begin(s, HD_UNLOCK, HD_RW | HD_SHARED, HD_RELEASE, pc);
	owner = hd_lock_is_held(&s->dep_map, 1);
	hd_lock_release(&s->dep_map, pc);
	old = word(s);
	if (owner && s->readers && !--s->readers)
		wake_next(s);
	hd_did(old, word(s));
}

/* --- writers -------------------------------------------------------- */

static bool writer_enters(struct rw_semaphore *s)
{
	if (s->writer || s->readers)
		return false;
	s->writer = (u8)hd_me();
	return true;
}

/* In the queue: each time that it is woken a writer competes again. */
static int wait_write(struct rw_semaphore *s, bool killable, u32 pc)
{
	bool signal;
	u64 old;

	for (;;) {
		signal = sleep(s, HD_RW, killable, pc);
		old = word(s);
		if (writer_enters(s))
			break;
		if (signal)
			return give_up(s, pc);
		hd_gives(HD_RELAXED);
		hd_did(old, old);
	}
	leave_at(s, (u32)my_place(s));
	hd_did(old, word(s));
	return 0;
}

static int lock_write(struct rw_semaphore *s, int subclass, bool killable,
		      struct lockdep_map *nest, u32 pc)
{
	u64 old;

	hd_might_sleep("down_write", pc);
	begin(s, HD_LOCK, HD_RW, HD_ACQUIRE, pc);
	hd_announce(&s->dep_map, subclass, nest, pc);
	old = word(s);
	if (writer_enters(s)) {
		hd_did(old, word(s));
		return 0;
	}
	queue_join(s->queue, &s->nwaiters, QUEUE_WRITER, "rwsem waiters");
	hd_gives(HD_RELAXED);
	hd_did(old, word(s));
	return wait_write(s, killable, pc);
}

void down_write(struct rw_semaphore *s)
{
	lock_write(s, 0, false, NULL, HD_PC());
}

void down_write_nested(struct rw_semaphore *s, int subclass)
{
	lock_write(s, subclass, false, NULL, HD_PC());
}

void hd_down_write_nest(struct rw_semaphore *s, struct lockdep_map *nest)
{
	lock_write(s, 0, false, nest, HD_PC());
}

int down_write_killable(struct rw_semaphore *s)
{
	return lock_write(s, 0, true, NULL, HD_PC());
}

int down_write_killable_nested(struct rw_semaphore *s, int subclass)
{
	return lock_write(s, subclass, true, NULL, HD_PC());
}

bool down_write_trylock(struct rw_semaphore *s)
{
	u32 pc = HD_PC();
	u64 old;
	bool got;

	begin(s, HD_TRYLOCK, HD_RW, HD_ACQUIRE, pc);
	old = word(s);
	got = !s->nwaiters && writer_enters(s);
	if (got)
		hd_lock_acquire(&s->dep_map, 0, 1, 0, 1, pc);
	hd_did(old, word(s));
	return got;
}

void up_write(struct rw_semaphore *s)
{
	u32 pc = HD_PC();
	u64 old;

	begin(s, HD_UNLOCK, HD_RW, HD_RELEASE, pc);
	hd_lock_release(&s->dep_map, pc);
	old = word(s);
	if (s->writer == hd_me()) {
		s->writer = 0;
		wake_next(s);
	}
	hd_did(old, word(s));
}

void downgrade_write(struct rw_semaphore *s)
{
	u32 pc = HD_PC();
	bool reads = hd_lock_is_held(&s->dep_map, 1);
	u64 old;

	begin(s, HD_DOWNGRADE, HD_RW, HD_RELEASE, pc);
	hd_lock_downgrade(&s->dep_map, pc);
	old = word(s);
	if (s->writer == hd_me()) {
		s->writer = 0;
		s->readers = 1;
		wake_next(s);
	}
	hd_did(old, word(s));
	if (reads) /* lockdep's own WARN, which does not turn it off */
		hd_complain(HD_V_WARN, NULL, "downgrading a read lock", pc);
}

/* --- looking -------------------------------------------------------- */

static void look(const struct rw_semaphore *s, u32 pc)
{
	hd_publish(HD_LOAD, s, WORD, HD_READ, HD_RELAXED, pc);
	hd_judge(s, WORD, HD_READ, pc);
	hd_did(word(s), word(s));
}

bool rwsem_is_locked(const struct rw_semaphore *s)
{
	look(s, HD_PC());
	return s->writer || s->readers;
}

bool rwsem_is_contended(const struct rw_semaphore *s)
{
	look(s, HD_PC());
	return s->nwaiters;
}
