/* SPDX-License-Identifier: MIT */
/* Do semaphores, barriers and spinlocks hold back whom they should?
 *
 * Covers semaphore.c. */
#include <semaphore.h>

#include "twins.h"

static sem_t sem, done;
static pthread_barrier_t barrier;
static pthread_spinlock_t spin;
static int x, last;

static void *posts(void *arg)
{
	x = 1;
	sem_post(&sem);
	return arg;
}

static void *awaits(void *arg)
{
	if (buggy())
		sem_trywait(&sem);
	else
		assert(!sem_wait(&sem));
	assert(x == 1);
	return arg;
}

static void post_and_wait(void)
{
	int value;

	sem_init(&sem, 0, 0);
	THREADS(posts, awaits);
	assert(!sem_getvalue(&sem, &value) && (buggy() || value == 0));
	sem_destroy(&sem);
}
TWIN(post_and_wait, "semaphore/post and wait", SHOWS(ASSERT), SHOWS(DATA_RACE));

static void *takes_two(void *arg)
{
	assert(!sem_wait(&sem));
	if (buggy())
		assert(!sem_wait(&sem));
	sem_post(&sem);
	return arg;
}

static void count(void)
{
	sem_init(&sem, 0, 1);
	THREADS(takes_two, takes_two);
}
TWIN(count, "semaphore/more than there are", SHOWS(DEADLOCK));

static void none_left(void)
{
	struct timespec at = { 0 };

	sem_init(&done, 0, 1);
	assert(!sem_trywait(&done));
	assert(sem_trywait(&done) == -1 && errno == EAGAIN);
	assert(sem_timedwait(&done, &at) == -1 && errno == ETIMEDOUT);
	heddle_mark("timed out");
}
SAFE(none_left, "semaphore/none left", "timed out");

static void *meets(void *arg)
{
	__atomic_add_fetch(&x, 1, __ATOMIC_RELAXED);
	if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
		__atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
	assert(__atomic_load_n(&x, __ATOMIC_RELAXED) == 2);
	return arg;
}

static void meeting(void)
{
	assert(pthread_barrier_init(&barrier, NULL, 0) == EINVAL);
	pthread_barrier_init(&barrier, NULL, buggy() ? 1 : 2);
	THREADS(meets, meets);
	assert(buggy() || last == 1);
	pthread_barrier_destroy(&barrier);
}
TWIN(meeting, "barrier/all have come", SHOWS(ASSERT));

static void *writes(void *arg)
{
	last = 1;
	pthread_barrier_wait(&barrier);
	return arg;
}

static void *reads(void *arg)
{
	pthread_barrier_wait(&barrier);
	assert(buggy() || last == 1);
	return last ? arg : NULL;
}

static void order(void)
{
	pthread_barrier_init(&barrier, NULL, buggy() ? 1 : 2);
	THREADS(writes, reads);
}
TWIN(order, "barrier/what came before it", SHOWS(DATA_RACE));

static void *three_rounds(void *arg)
{
	int i;

	for (i = 0; i < 3; i++)
		if (pthread_barrier_wait(&barrier))
			__atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
	return arg;
}

static void rounds(void)
{
	pthread_barrier_init(&barrier, NULL, 2);
	THREADS(three_rounds, three_rounds);
	assert(last == 3);
	heddle_mark("met");
}
SAFE(rounds, "barrier/used again", "met");

static void *waits_alone(void *arg)
{
	pthread_barrier_wait(&barrier);
	return arg;
}

static void left(void)
{
	pthread_t t;

	pthread_barrier_init(&barrier, NULL, 2);
	pthread_create(&t, NULL, waits_alone, NULL);
	if (!buggy()) {
		waits_alone(NULL);
		pthread_join(t, NULL);
	}
	sched_yield();
	pthread_barrier_destroy(&barrier);
	exit(0);
}
TWIN(left, "barrier/destroyed while one waits", SHOWS(WARN));

static void *spins(void *arg)
{
	if (!buggy())
		pthread_spin_lock(&spin);
	else if (pthread_spin_trylock(&spin))
		return arg;
	x++;
	pthread_spin_unlock(&spin);
	return arg;
}

static void spinlock(void)
{
	pthread_spin_init(&spin, 0);
	THREADS(spins, spins);
	assert(x == 2);
	pthread_spin_destroy(&spin);
}
TWIN(spinlock, "spinlock/exclusion, and a trylock that fails", SHOWS(ASSERT));
