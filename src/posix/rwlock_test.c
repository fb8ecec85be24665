/* SPDX-License-Identifier: MIT */
/* Do readers share and writers exclude?
 *
 * Covers rwlock.c. */
#include "twins.h"

static pthread_rwlock_t l = PTHREAD_RWLOCK_INITIALIZER;
static int x, inside;

static void *reads(void *arg)
{
	pthread_rwlock_rdlock(&l);
	if (__atomic_add_fetch(&inside, 1, __ATOMIC_RELAXED) == 2)
		heddle_mark("two readers");
	assert(!(x & 1));
	__atomic_sub_fetch(&inside, 1, __ATOMIC_RELAXED);
	pthread_rwlock_unlock(&l);
	return arg;
}

static void *writes(void *arg)
{
	if (form()->buggy)
		pthread_rwlock_rdlock(&l);
	else
		pthread_rwlock_wrlock(&l);
	x += 2;
	pthread_rwlock_unlock(&l);
	return arg;
}

static void exclusion(void)
{
	THREADS(writes, reads);
	assert(x == 2);
}
TWIN(exclusion, "rwlock/a writer that is a reader", SHOWS(DATA_RACE));

static void sharing(void)
{
	THREADS(reads, reads);
}
SAFE(sharing, "rwlock/readers share", "two readers");

/* Readers may lock it again, also while a writer waits. */
static void *reads_twice(void *arg)
{
	pthread_rwlock_rdlock(&l);
	pthread_rwlock_rdlock(&l);
	heddle_mark("again");
	pthread_rwlock_unlock(&l);
	pthread_rwlock_unlock(&l);
	return arg;
}

static void again(void)
{
	THREADS(reads_twice, writes);
}
SAFE(again, "rwlock/read twice past a writer", "again");

static void *tries(void *arg)
{
	struct timespec at = { 0 };

	assert(pthread_rwlock_tryrdlock(&l) == EBUSY);
	assert(pthread_rwlock_trywrlock(&l) == EBUSY);
	assert(pthread_rwlock_timedrdlock(&l, &at) == ETIMEDOUT);
	assert(pthread_rwlock_timedwrlock(&l, &at) == ETIMEDOUT);
	return arg;
}

static void busy(void)
{
	pthread_rwlock_init(&l, NULL);
	assert(!pthread_rwlock_trywrlock(&l));
	assert(pthread_rwlock_wrlock(&l) == EDEADLK);
	THREADS(tries);
	if (!buggy())
		pthread_rwlock_unlock(&l);
	pthread_rwlock_destroy(&l);
	if (buggy())
		pthread_rwlock_unlock(&l);
	assert(!pthread_rwlock_tryrdlock(&l));
	pthread_rwlock_unlock(&l);
}
TWIN(busy, "rwlock/busy, timed, destroyed while locked", SHOWS(WARN));
