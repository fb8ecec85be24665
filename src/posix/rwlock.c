/* SPDX-License-Identifier: MIT */
/* How does a pthread rwlock exclude?
 *
 * As glibc's default: readers are let in whenever no writer holds it, also past a
 * writer that waits, and may lock it again; whoever runs first gets it. */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include <heddle/lockdep.h>

#include "posix.h"

/* In the bytes of a pthread_rwlock_t. */
struct rwlock {
	u32 writer; /* task + 1 */
	u32 readers;
	u64 made;
	struct lockdep_map map;
};
_Static_assert(sizeof(struct rwlock) <= sizeof(pthread_rwlock_t), "rwlock");

enum { MADE = 0xa5, SIZE = 2 * sizeof(u32) };

static void make(struct rwlock *l)
{
	memset(l, 0, sizeof(*l));
	l->made = MADE;
	posix_map_init(&l->map, l, "rwlock");
}

static void begin(struct rwlock *l, u8 kind, u8 flags, u8 order, u32 pc)
{
	posix_begin(kind, l, SIZE, HD_RW | flags, order, pc);
	if (unlikely(l->made != MADE))
		make(l);
}

static u64 value(const struct rwlock *l)
{
	return l->writer | (u64)l->readers << 32;
}

static bool readable(const void *arg)
{
	return !((const struct rwlock *)arg)->writer;
}

static bool writable(const void *arg)
{
	return !value(arg);
}

static void take(struct rwlock *l, bool read)
{
	u64 old = value(l);

	if (read) {
		l->readers++;
	} else {
		l->writer = posix_me();
	}
	hd_did(old, value(l));
}

static int lock(struct rwlock *l, bool read, bool timed, u32 pc)
{
	bool (*free)(const void *) = read ? readable : writable;
	u8 shared = read ? HD_SHARED : 0;

	begin(l, HD_LOCK, shared, HD_ACQUIRE, pc);
	if (l->writer == posix_me()) {
		hd_did(value(l), value(l));
		return EDEADLK;
	}
	hd_lock_acquire(&l->map, 0, 0, read ? 2 : 0, 1, pc);
	if (free(l)) {
		take(l, read);
		return 0;
	}
	hd_did(value(l), value(l));
	posix_late(timed);
	hd_publish_when(HD_ACQUIRED, l, SIZE, HD_RW | shared, pc, free, l);
	posix_on_time(timed);
	hd_judge(l, SIZE, HD_RW, pc);
	if (free(l)) {
		take(l, read);
		return 0;
	}
	hd_lock_release(&l->map, pc);
	hd_did(value(l), value(l));
	return ETIMEDOUT;
}

static int try(struct rwlock *l, bool read, u32 pc)
{
	begin(l, HD_TRYLOCK, read ? HD_SHARED : 0, HD_ACQUIRE, pc);
	if (!(read ? readable(l) : writable(l))) {
		hd_did(value(l), value(l));
		return EBUSY;
	}
	hd_lock_acquire(&l->map, 0, 1, read ? 2 : 0, 1, pc);
	take(l, read);
	return 0;
}

int hd_pthread_rwlock_rdlock(pthread_rwlock_t *l)
{
	return lock((struct rwlock *)l, true, false, HD_PC());
}

int hd_pthread_rwlock_wrlock(pthread_rwlock_t *l)
{
	return lock((struct rwlock *)l, false, false, HD_PC());
}

int hd_pthread_rwlock_timedrdlock(pthread_rwlock_t *l, const struct timespec *at)
{
	(void)at;
	return lock((struct rwlock *)l, true, true, HD_PC());
}

int hd_pthread_rwlock_timedwrlock(pthread_rwlock_t *l, const struct timespec *at)
{
	(void)at;
	return lock((struct rwlock *)l, false, true, HD_PC());
}

int hd_pthread_rwlock_tryrdlock(pthread_rwlock_t *l)
{
	return try((struct rwlock *)l, true, HD_PC());
}

int hd_pthread_rwlock_trywrlock(pthread_rwlock_t *l)
{
	return try((struct rwlock *)l, false, HD_PC());
}

int hd_pthread_rwlock_unlock(pthread_rwlock_t *lock)
{
	struct rwlock *l = (struct rwlock *)lock;
	u32 pc = HD_PC();
	bool writes;
	u64 old;

	begin(l, HD_UNLOCK, l->writer ? 0 : HD_SHARED, HD_RELEASE, pc);
	writes = l->writer == posix_me();
	old = value(l);
	hd_lock_release(&l->map, pc);
	if (writes) {
		l->writer = 0;
	} else if (l->readers) {
		l->readers--;
	}
	hd_did(old, value(l));
	return 0;
}

int hd_pthread_rwlock_init(pthread_rwlock_t *l, const pthread_rwlockattr_t *attr)
{
	(void)attr;
	posix_begin(HD_STORE, l, SIZE, HD_WRITE, HD_RELAXED, HD_PC());
	hd_order_range(l, sizeof(*l), true);
	make((struct rwlock *)l);
	hd_did(0, 0);
	return 0;
}

int hd_pthread_rwlock_destroy(pthread_rwlock_t *lock)
{
	struct rwlock *l = (struct rwlock *)lock;
	u32 pc = HD_PC();

	begin(l, HD_STORE, 0, HD_RELAXED, pc);
	hd_did(value(l), value(l));
	if (!value(l))
		return 0;
	posix_misuse("pthread_rwlock_destroy of a locked rwlock", pc);
	return EBUSY;
}
