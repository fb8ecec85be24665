/* SPDX-License-Identifier: MIT */
/* How does a pthread mutex exclude, and what of its misuse?
 *
 * As POSIX and glibc have it, by kind: normal ones block for ever when locked
 * twice, error-checking ones return EDEADLK, recursive ones count.  Whoever runs
 * first gets it.  A timed lock gives up once nobody else can go on.  A mutex that
 * another thread unlocks is free, as in glibc, and lockdep says so. */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include <heddle/lockdep.h>

#include "posix.h"

/* In the bytes of a pthread_mutex_t. */
struct mutex {
	u32 owner; /* task + 1; 0: free */
	u16 count; /* recursive: times that it was locked again */
	u8 kind;
	u8 made;   /* MADE, DESTROYED; 0: as a static initialiser leaves it */
	struct lockdep_map map;
};
_Static_assert(sizeof(struct mutex) <= sizeof(pthread_mutex_t), "mutex");

enum { MADE = 0xa5, DESTROYED = 0x5a, WORD = sizeof(u32) };

static void make(struct mutex *m, int kind)
{
	memset(m, 0, sizeof(*m));
	m->kind = (u8)kind;
	m->made = MADE;
	posix_map_init(&m->map, m, "mutex");
}

/* The first op on a mutex makes it what its initialiser says. */
static void see(struct mutex *m, u32 pc)
{
	if (likely(m->made == MADE))
		return;
	if (m->made == DESTROYED)
		posix_misuse("use of a destroyed mutex", pc);
	make(m, m->made ? 0 : ((pthread_mutex_t *)m)->__data.__kind & 3);
}

static struct hd_op op_on(const struct mutex *m, u8 kind, u8 order, u32 pc)
{
	return (struct hd_op){ .addr = (u64)m, .size = WORD, .pc = pc,
			       .kind = kind, .order = order, .flags = HD_RW };
}

static void begin(struct mutex *m, u8 kind, u8 flags, u8 order, u32 pc)
{
	struct hd_op op = op_on(m, kind, order, pc);

	op.flags |= flags;
	hd_publish_op(&op);
	hd_judge(m, WORD, HD_RW, pc);
	see(m, pc);
}

/* --- lock ------------------------------------------------------------------ */

/* It is the caller's already, and its kind has an answer; -1: it has none. */
static int again(struct mutex *m, bool try)
{
	if (m->owner != posix_me())
		return -1;
	if (m->kind == PTHREAD_MUTEX_RECURSIVE_NP) {
		m->count++;
		return 0;
	}
	return m->kind == PTHREAD_MUTEX_ERRORCHECK_NP && !try ? EDEADLK : -1;
}

static int give_up(struct mutex *m, u32 pc)
{
	hd_lock_release(&m->map, pc);
	hd_gives(HD_RELAXED);
	hd_did(m->owner, m->owner);
	return ETIMEDOUT;
}

static int wait(struct mutex *m, bool timed, u32 pc)
{
	posix_late(timed);
	hd_publish_until_zero(HD_ACQUIRED, &m->owner, HD_RW, pc);
	posix_on_time(timed);
	hd_judge(m, WORD, HD_RW, pc);
	if (timed && m->owner)
		return give_up(m, pc);
	m->owner = posix_me();
	hd_did(0, m->owner);
	return 0;
}

static int lock(struct mutex *m, bool timed, u32 pc)
{
	int err;

	begin(m, HD_LOCK, timed ? 0 : HD_UNTIL_ZERO, HD_ACQUIRE, pc);
	err = again(m, false);
	if (err >= 0) {
		hd_did(m->owner, m->owner);
		return err;
	}
	hd_lock_acquire(&m->map, 0, 0, 0, 1, pc);
	if (!m->owner) {
		m->owner = posix_me();
		hd_did(0, m->owner);
		return 0;
	}
	hd_did(m->owner, m->owner);
	return wait(m, timed, pc);
}

int posix_mutex_lock(void *mutex, bool timed, u32 pc)
{
	return lock(mutex, timed, pc);
}

int hd_pthread_mutex_lock(pthread_mutex_t *mutex)
{
	return posix_mutex_lock(mutex, false, HD_PC());
}

int hd_pthread_mutex_timedlock(pthread_mutex_t *mutex, const struct timespec *at)
{
	(void)at;
	return posix_mutex_lock(mutex, true, HD_PC());
}

int posix_mutex_trylock(void *mutex, u32 pc)
{
	struct mutex *m = mutex;
	u32 old;
	int err;

	begin(m, HD_TRYLOCK, 0, HD_ACQUIRE, pc);
	old = m->owner;
	err = again(m, true);
	if (err < 0)
		err = old ? EBUSY : 0;
	if (!old) {
		hd_lock_acquire(&m->map, 0, 1, 0, 1, pc);
		m->owner = posix_me();
	}
	hd_did(old, m->owner);
	return err;
}

int hd_pthread_mutex_trylock(pthread_mutex_t *mutex)
{
	return posix_mutex_trylock(mutex, HD_PC());
}

/* --- unlock ------------------------------------------------------------------ */

static bool checks_owner(const struct mutex *m)
{
	return m->kind == PTHREAD_MUTEX_RECURSIVE_NP ||
	       m->kind == PTHREAD_MUTEX_ERRORCHECK_NP;
}

int posix_mutex_unlock(void *mutex, void (*what)(void *arg), void *arg, u32 pc)
{
	struct mutex *m = mutex;
	u32 old;

	begin(m, HD_UNLOCK, 0, HD_RELEASE, pc);
	old = m->owner;
	if (old != posix_me() && checks_owner(m)) {
		hd_did(old, old);
		return EPERM;
	}
	if (old == posix_me() && m->count) {
		m->count--;
	} else {
		hd_lock_release(&m->map, pc);
		m->owner = 0;
	}
	if (what)
		what(arg);
	hd_did(old, m->owner);
	return 0;
}

int hd_pthread_mutex_unlock(pthread_mutex_t *mutex)
{
	return posix_mutex_unlock(mutex, NULL, NULL, HD_PC());
}

/* --- made and destroyed -------------------------------------------------------- */

void posix_mutex_init(void *mutex, int kind, u32 pc)
{
	posix_begin(HD_STORE, mutex, WORD, HD_WRITE, HD_RELAXED, pc);
	hd_order_range(mutex, sizeof(pthread_mutex_t), true);
	make(mutex, kind);
	hd_did(0, 0);
}

int hd_pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attr)
{
	posix_mutex_init(mutex, attr ? *(const int *)attr : 0, HD_PC());
	return 0;
}

int posix_mutex_destroy(void *mutex, u32 pc)
{
	struct mutex *m = mutex;
	u32 old;

	begin(m, HD_STORE, 0, HD_RELAXED, pc);
	old = m->owner;
	if (old)
		posix_misuse("a locked mutex is destroyed", pc);
	else
		m->made = DESTROYED;
	hd_did(old, old);
	return old ? EBUSY : 0;
}

int hd_pthread_mutex_destroy(pthread_mutex_t *mutex)
{
	return posix_mutex_destroy(mutex, HD_PC());
}

int hd_pthread_mutexattr_init(pthread_mutexattr_t *attr)
{
	*(int *)attr = PTHREAD_MUTEX_NORMAL;
	return 0;
}

int hd_pthread_mutexattr_settype(pthread_mutexattr_t *attr, int kind)
{
	if (kind < 0 || kind > PTHREAD_MUTEX_ADAPTIVE_NP)
		return EINVAL;
	*(int *)attr = kind;
	return 0;
}

int hd_pthread_mutexattr_gettype(const pthread_mutexattr_t *attr, int *kind)
{
	*kind = *(const int *)attr;
	return 0;
}
