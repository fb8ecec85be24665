/* SPDX-License-Identifier: MIT */
/* Who goes first when a thread yields, and does a loop that waits end?
 *
 * Covers time.c. */
#include <sched.h>
#include <semaphore.h>
#include <time.h>
#include <unistd.h>

#include "twins.h"

static int flag, x;

static void *sets(void *arg)
{
	if (!buggy())
		__atomic_store_n(&flag, 1, __ATOMIC_RELEASE);
	return arg;
}

static void *spins(void *arg)
{
	while (!__atomic_load_n(&flag, __ATOMIC_ACQUIRE))
		sched_yield();
	return arg;
}

static void loop(void)
{
	THREADS(spins, sets);
}
TWIN(loop, "time/a loop that waits", SHOWS(LIVELOCK));

static void *spins_on(void *arg)
{
	while (!__atomic_load_n(&flag, __ATOMIC_ACQUIRE))
		;
	return arg;
}

static void hot_loop(void)
{
	THREADS(spins_on, sets);
}
TWIN(hot_loop, "time/a loop that waits and never yields", SHOWS(LIVELOCK));

static volatile int one, two;

static void *spins_on_two(void *arg)
{
	while (!one || !two)
		;
	return arg;
}

static void *sets_one(void *arg)
{
	one = 1;
	return arg;
}

static void *sets_two(void *arg)
{
	two = 1;
	return arg;
}

static void two_words(void)
{
	THREADS(spins_on_two, sets_one, sets_two);
	heddle_mark("both");
}
SAFE(two_words, "time/a loop that waits for two words", "both");

/* To read for long is not to wait. */
static void *reads_long(void *arg)
{
	int i, n = 0;

	for (i = 0; i < 100; i++)
		n += __atomic_load_n(&flag, __ATOMIC_RELAXED);
	if (n > 0 && n < 100)
		heddle_mark("changed meanwhile");
	__atomic_store_n(&x, 1, __ATOMIC_RELAXED);
	return arg;
}

static void *sets_late(void *arg)
{
	if (__atomic_load_n(&x, __ATOMIC_RELAXED))
		heddle_mark("came first");
	__atomic_store_n(&flag, 1, __ATOMIC_RELAXED);
	return arg;
}

static void long_read(void)
{
	THREADS(reads_long, sets_late);
}
SAFE(long_read, "time/a long read", "changed meanwhile", "came first");

/* A sleep orders nothing: each order is tried. */
static void *writes_late(void *arg)
{
	__atomic_load_n(&flag, __ATOMIC_RELAXED);
	usleep(1000);
	__atomic_load_n(&flag, __ATOMIC_RELAXED);
	usleep(1000);
	__atomic_store_n(&x, 1, __ATOMIC_RELAXED);
	return arg;
}

static void *reads(void *arg)
{
	if (__atomic_load_n(&x, __ATOMIC_RELAXED))
		heddle_mark("after the sleep");
	else
		heddle_mark("before");
	return arg;
}

static void no_order(void)
{
	THREADS(writes_late, reads);
}
SAFE(no_order, "time/a sleep is no order", "after the sleep", "before");

/* Whoever looks a limited number of times gives up once nobody else can go on. */
static void *gives_up(void *arg)
{
	int i;

	for (i = 0; i < 5; i++) {
		if (__atomic_load_n(&flag, __ATOMIC_ACQUIRE)) {
			heddle_mark("seen");
			return arg;
		}
		sleep(1);
	}
	heddle_mark("gave up");
	return arg;
}

static void limited(void)
{
	THREADS(gives_up);
	THREADS(gives_up, sets);
}
SAFE(limited, "time/a loop that gives up", "gave up", "seen");

/* Time passes for one after the other, in each order. */
static sem_t never[2], posted;

static void late(int i)
{
	struct timespec at = { 0 };

	assert(sem_timedwait(&never[i], &at) == -1 && errno == ETIMEDOUT);
}

static void *late_posts(void *arg)
{
	late(0);
	sem_post(&posted);
	return arg;
}

static void *late_writes(void *arg)
{
	late(1);
	__atomic_store_n(&x, 1, __ATOMIC_RELAXED);
	return arg;
}

static void *looks(void *arg)
{
	sem_wait(&posted);
	if (__atomic_load_n(&x, __ATOMIC_RELAXED))
		heddle_mark("written first");
	else
		heddle_mark("posted first");
	return arg;
}

static void two_late(void)
{
	THREADS(late_posts, late_writes, looks);
}
SAFE(two_late, "time/two that are late", "written first", "posted first");

static void same(void)
{
	struct timespec a, b;
	unsigned int seed = 1;
	int one;

	srand(1);
	one = rand();
	srand(1);
	assert(one == rand() && one >= 0);
	assert(rand_r(&seed) >= 0 && seed != 1);
	clock_gettime(CLOCK_MONOTONIC, &a);
	nanosleep(&a, NULL);
	clock_gettime(CLOCK_MONOTONIC, &b);
	assert(a.tv_sec == b.tv_sec && time(NULL) == 0);
	heddle_mark("the same");
}
SAFE(same, "time/nothing that differs from run to run", "the same");
