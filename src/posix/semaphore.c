/* SPDX-License-Identifier: MIT */
/* Semaphores, barriers and spinlocks: who may go on?
 *
 * In the bytes of a sem_t: its value.  In those of a pthread_barrier_t: how many
 * make a round, how many have come, and which round it is; waiting is two ops.  A
 * pthread_spinlock_t holds its owner; it is a lock that a task blocks on, and no
 * loop. */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>

#include "posix.h"

enum { WORD = sizeof(u32) };

/* It is destroyed: a write, although nothing changes. */
static void end_of(const volatile void *p, u32 pc)
{
	u32 v;

	posix_begin(HD_STORE, p, WORD, HD_WRITE, HD_RELAXED, pc);
	v = *(const volatile u32 *)p;
	hd_did(v, v);
}

/* --- semaphores ---------------------------------------------------------------- */

struct down {
	const u32 *sem;
	const struct thread *self;
};

static bool goes_on(const void *arg)
{
	const struct down *d = arg;

	return *d->sem > 0 || posix_is_cancelled(d->self);
}

static int down(u32 *sem, bool timed, u32 pc)
{
	struct down d = { sem, posix_self() };
	bool cancelled;
	u32 old;

	posix_late(timed);
	hd_publish_when(HD_ACQUIRED, sem, WORD, HD_RW | HD_UNMAPPED, pc,
			goes_on, &d);
	posix_on_time(timed);
	hd_judge(sem, WORD, HD_RW, pc);
	cancelled = posix_sees_cancel();
	old = *sem;
	if (old && !cancelled)
		--*sem;
	hd_did(old, *sem);
	if (cancelled)
		posix_end_cancelled(pc);
	if (old)
		return 0;
	posix_self()->error = ETIMEDOUT;
	return -1;
}

int hd_sem_wait(sem_t *sem)
{
	return down((u32 *)sem, false, HD_PC());
}

int hd_sem_timedwait(sem_t *sem, const struct timespec *at)
{
	(void)at;
	return down((u32 *)sem, true, HD_PC());
}

/* One op: change the value by add, unless that would make it negative. */
static bool change(u32 *sem, int add, u8 order, u32 pc)
{
	u32 old;

	posix_begin(HD_RMW, sem, WORD, HD_RW, order, pc);
	old = *sem;
	if (add > 0 || old)
		*sem += (u32)add;
	hd_did(old, *sem);
	return *sem != old;
}

int hd_sem_trywait(sem_t *sem)
{
	if (change((u32 *)sem, -1, HD_ACQUIRE, HD_PC()))
		return 0;
	posix_self()->error = EAGAIN;
	return -1;
}

int hd_sem_post(sem_t *sem)
{
	change((u32 *)sem, 1, HD_RELEASE, HD_PC());
	return 0;
}

int hd_sem_getvalue(sem_t *sem, int *value)
{
	u32 pc = HD_PC(), v;

	posix_begin(HD_LOAD, sem, WORD, HD_READ, HD_RELAXED, pc);
	v = *(u32 *)sem;
	hd_did(v, v);
	posix_store(value, sizeof(*value), v, pc);
	return 0;
}

int hd_sem_init(sem_t *sem, int shared, unsigned int value)
{
	(void)shared;
	posix_store(sem, WORD, value, HD_PC());
	return 0;
}

int hd_sem_destroy(sem_t *sem)
{
	end_of(sem, HD_PC());
	return 0;
}

/* --- barriers ------------------------------------------------------------------- */

struct barrier {
	u32 round; /* what ops are on; the others change with them alone */
	u32 come, all;
};

struct round {
	const struct barrier *b;
	u32 number;
};

static bool is_over(const void *arg)
{
	const struct round *r = arg;

	return r->b->round != r->number;
}

int hd_pthread_barrier_init(pthread_barrier_t *barrier,
			    const pthread_barrierattr_t *attr, unsigned int all)
{
	struct barrier *b = (struct barrier *)barrier;

	(void)attr;
	if (!all)
		return EINVAL;
	posix_begin(HD_STORE, b, sizeof(*b), HD_WRITE, HD_RELAXED, HD_PC());
	*b = (struct barrier){ .all = all };
	hd_did(0, 0);
	return 0;
}

int hd_pthread_barrier_wait(pthread_barrier_t *barrier)
{
	struct barrier *b = (struct barrier *)barrier;
	struct round r = { b };
	u32 pc = HD_PC();

	posix_begin(HD_RMW, &b->round, WORD, HD_RW, HD_ACQ_REL, pc);
	r.number = b->round;
	if (++b->come >= b->all) {
		b->come = 0;
		b->round++;
	}
	hd_did(r.number, b->round);
	if (b->round != r.number)
		return PTHREAD_BARRIER_SERIAL_THREAD;
	hd_publish_when(HD_ACQUIRED, &b->round, WORD, HD_READ | HD_UNMAPPED, pc,
			is_over, &r);
	hd_judge(b, WORD, HD_READ, pc);
	hd_did(b->round, b->round);
	return 0;
}

int hd_pthread_barrier_destroy(pthread_barrier_t *barrier)
{
	u32 pc = HD_PC();

	end_of(barrier, pc);
	if (((struct barrier *)barrier)->come)
		posix_misuse("pthread_barrier_destroy while threads wait", pc);
	return 0;
}

/* --- spinlocks ------------------------------------------------------------------- */

int hd_pthread_spin_init(pthread_spinlock_t *l, int shared)
{
	(void)shared;
	posix_store((void *)l, WORD, 0, HD_PC());
	return 0;
}

int hd_pthread_spin_destroy(pthread_spinlock_t *l)
{
	end_of(l, HD_PC());
	return 0;
}

int hd_pthread_spin_lock(pthread_spinlock_t *l)
{
	u32 *word = (u32 *)l, pc = HD_PC();

	hd_publish_until_zero(HD_ACQUIRED, word, HD_RW | HD_UNMAPPED, pc);
	hd_judge(word, WORD, HD_RW, pc);
	*word = posix_me();
	hd_did(0, *word);
	return 0;
}

int hd_pthread_spin_trylock(pthread_spinlock_t *l)
{
	u32 *word = (u32 *)l, old;

	posix_begin(HD_TRYLOCK, word, WORD, HD_RW | HD_UNMAPPED, HD_ACQUIRE,
		    HD_PC());
	old = *word;
	if (!old)
		*word = posix_me();
	hd_did(old, *word);
	return old ? EBUSY : 0;
}

int hd_pthread_spin_unlock(pthread_spinlock_t *l)
{
	u32 *word = (u32 *)l, old;

	posix_begin(HD_UNLOCK, word, WORD, HD_RW | HD_UNMAPPED, HD_RELEASE,
		    HD_PC());
	old = *word;
	*word = 0;
	hd_did(old, 0);
	return 0;
}
