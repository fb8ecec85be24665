/* SPDX-License-Identifier: MIT */
/* What is a cancellation point, and what has it done when it was one?
 *
 * Covers the points in cond.c, thread.c, semaphore.c and time.c. */
#include "twins.h"
#include <semaphore.h>
#include <string.h>
#include <unistd.h>

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static sem_t sem;
static int x, ready;

static void unlock(void *mutex)
{
	pthread_mutex_unlock(mutex);
}

/* --- waiting for a condition -------------------------------------------------- */

static void *waits(void *arg)
{
	pthread_mutex_lock(&m);
	pthread_cleanup_push(unlock, &m);
	while (!ready)
		pthread_cond_wait(&c, &m);
	pthread_cleanup_pop(!buggy());
	if (buggy())
		pthread_mutex_unlock(&m);
	return arg;
}

static void *waits_without_handler(void *arg)
{
	pthread_mutex_lock(&m);
	while (!ready)
		pthread_cond_wait(&c, &m);
	pthread_mutex_unlock(&m);
	return arg;
}

/* It has the mutex again when it is cancelled there, and keeps it if nobody gives
 * it back. */
static void waiting(void)
{
	assert(cancelled(buggy() ? waits_without_handler : waits) ==
	       PTHREAD_CANCELED);
	pthread_mutex_lock(&m);
	pthread_mutex_unlock(&m);
}
TWIN(waiting, "cancel/in pthread_cond_wait, which locks again", SHOWS(DEADLOCK),
     SHOWS(HELD_AT_EXIT));

static void *waits_once(void *arg)
{
	pthread_mutex_lock(&m);
	pthread_cleanup_push(unlock, &m);
	ready++;
	if (!x)
		pthread_cond_wait(&c, &m);
	pthread_cleanup_pop(1);
	return arg;
}

/* A signal goes to one who was not cancelled before, and who was signalled before
 * it was cancelled ends well. */
static void signalled(void)
{
	pthread_t t[2];
	void *result;

	pthread_create(&t[0], NULL, waits_once, NULL);
	pthread_create(&t[1], NULL, waits_once, NULL);
	pthread_mutex_lock(&m);
	if (ready != 2)
		exit(0);
	x = 1;
	pthread_mutex_unlock(&m);
	if (!buggy())
		pthread_cancel(t[0]);
	pthread_cond_signal(&c);
	if (buggy())
		pthread_cancel(t[0]);
	pthread_join(t[0], &result);
	if (result == PTHREAD_CANCELED)
		heddle_mark("cancelled");
	else
		heddle_mark("signalled");
	pthread_join(t[1], NULL);
}
TWIN(signalled, "cancel/takes no signal", SHOWS(DEADLOCK));

static void *cancels_late(void *arg)
{
	pthread_cancel(*(pthread_t *)arg);
	return arg;
}

static void *waits_a_while(void *arg)
{
	struct timespec at = { 0 };
	int err;

	pthread_mutex_lock(&m);
	pthread_cleanup_push(unlock, &m);
	err = pthread_cond_timedwait(&c, &m, &at);
	if (!err)
		heddle_mark("woken");
	else
		heddle_mark("timed out");
	pthread_cleanup_pop(1);
	return arg;
}

/* Whoever comes first: the signal, the cancel, or nobody. */
static void any_of_three(void)
{
	static pthread_t t;
	pthread_t other;
	void *result;

	pthread_create(&t, NULL, waits_a_while, NULL);
	pthread_create(&other, NULL, cancels_late, &t);
	pthread_mutex_lock(&m);
	pthread_cond_signal(&c);
	pthread_mutex_unlock(&m);
	pthread_join(other, NULL);
	pthread_join(t, &result);
	if (result == PTHREAD_CANCELED)
		heddle_mark("cancelled");
	assert(!pthread_cond_destroy(&c));
}
SAFE(any_of_three, "cancel/or signalled, or timed out", "woken", "cancelled");

static pthread_t waiter;

/* In line for sure: it has counted itself, and given the mutex back. */
static void wait_for_waiter(void)
{
	pthread_create(&waiter, NULL, waits_once, NULL);
	pthread_mutex_lock(&m);
	if (!ready)
		exit(0);
	pthread_mutex_unlock(&m);
}

static void await_waiter(pthread_t other)
{
	void *result;

	pthread_join(other, NULL);
	pthread_join(waiter, &result);
	if (result == PTHREAD_CANCELED)
		heddle_mark("cancelled first");
	else
		heddle_mark("signalled first");
}

static void *signals(void *arg)
{
	pthread_cond_signal(&c);
	return arg;
}

/* Nothing else orders the two. */
static void cancel_meets_signal(void)
{
	pthread_t other;

	wait_for_waiter();
	pthread_create(&other, NULL, signals, NULL);
	pthread_cancel(waiter);
	await_waiter(other);
}
SAFE(cancel_meets_signal, "cancel/then a signal, or the other way round",
     "cancelled first", "signalled first");

static void signal_meets_cancel(void)
{
	pthread_t other;

	wait_for_waiter();
	pthread_create(&other, NULL, cancels_late, &waiter);
	pthread_cond_signal(&c);
	await_waiter(other);
}
SAFE(signal_meets_cancel, "cancel/a signal then, or the other way round",
     "cancelled first", "signalled first");

static void waits_on(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&m);
	while (!ready)
		pthread_cond_wait(&c, &m);
	x = 5;
	pthread_mutex_unlock(&m);
}

static void *waits_in_handler(void *arg)
{
	pthread_cleanup_push(waits_on, NULL);
	for (;;)
		pthread_testcancel();
	pthread_cleanup_pop(0);
	return arg;
}

/* Cancelled twice: the second time is one too many. */
static void twice(void)
{
	pthread_t t;

	pthread_create(&t, NULL, waits_in_handler, NULL);
	pthread_cancel(t);
	pthread_cancel(t);
	pthread_mutex_lock(&m);
	ready = 1;
	pthread_cond_signal(&c);
	pthread_mutex_unlock(&m);
	pthread_join(t, NULL);
	assert(x == 5);
	heddle_mark("the handler waited");
}
SAFE(twice, "cancel/a wait in a handler", "the handler waited");

static void *uses_anew(void *arg)
{
	struct timespec at = { 0 };

	pthread_mutex_lock(&m);
	if (pthread_cond_timedwait(&c, &m, &at) == ETIMEDOUT)
		memset(&c, 0x77, sizeof(c));
	pthread_mutex_unlock(&m);
	sem_post(&sem);
	pthread_testcancel();
	return arg;
}

/* Who was late is in no line that the cancel would have to change. */
static void late(void)
{
	pthread_cond_t same;
	pthread_t t;

	memset(&same, 0x77, sizeof(same));
	sem_init(&sem, 0, 0);
	pthread_create(&t, NULL, uses_anew, NULL);
	sem_wait(&sem);
	pthread_cancel(t);
	pthread_join(t, NULL);
	assert(!memcmp(&c, &same, sizeof(c)));
	heddle_mark("as it was");
}
SAFE(late, "cancel/behind a timed wait", "as it was");

static void *waits_uncancelable(void *arg)
{
	pthread_mutex_lock(&m);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	while (!ready)
		pthread_cond_wait(&c, &m);
	pthread_mutex_unlock(&m);
	return arg;
}

static void not_waiting(void)
{
	pthread_t t;
	void *result;

	pthread_create(&t, NULL, waits_uncancelable, NULL);
	pthread_cancel(t);
	if (!buggy()) {
		pthread_mutex_lock(&m);
		ready = 1;
		pthread_cond_signal(&c);
		pthread_mutex_unlock(&m);
	}
	pthread_join(t, &result);
	assert(!result);
}
TWIN(not_waiting, "cancel/disabled in pthread_cond_wait", SHOWS(DEADLOCK));

/* --- the other points ---------------------------------------------------------- */

static void *waits_for_token(void *arg)
{
	if (buggy())
		pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	sem_wait(&sem);
	return arg;
}

static void at_semaphore(void)
{
	sem_init(&sem, 0, 0);
	assert(cancelled(waits_for_token) == PTHREAD_CANCELED);
}
TWIN(at_semaphore, "cancel/in sem_wait", SHOWS(DEADLOCK));

static void *takes_token(void *arg)
{
	sem_wait(&sem);
	return arg;
}

/* Who is cancelled took none.  (The one who cancels comes last.) */
static void token(void)
{
	static pthread_t t;
	pthread_t other;
	void *result;
	int left;

	sem_init(&sem, 0, 1);
	pthread_create(&t, NULL, takes_token, NULL);
	pthread_create(&other, NULL, cancels_late, &t);
	pthread_join(other, NULL);
	pthread_join(t, &result);
	if (result == PTHREAD_CANCELED)
		heddle_mark("cancelled");
	else if (!sem_post(&sem))
		heddle_mark("too late");
	sem_getvalue(&sem, &left);
	assert(left == 1);
}
SAFE(token, "cancel/in sem_wait takes no token", "cancelled", "too late");

static pthread_t blocked;

static void *joins(void *arg)
{
	pthread_join(blocked, NULL);
	return arg;
}

/* It was not joined, then, and still can be. */
static void at_join(void)
{
	sem_init(&sem, 0, 0);
	pthread_create(&blocked, NULL, takes_token, NULL);
	assert(cancelled(joins) == PTHREAD_CANCELED);
	if (!buggy())
		sem_post(&sem);
	assert(!pthread_join(blocked, NULL));
}
TWIN(at_join, "cancel/in pthread_join", SHOWS(DEADLOCK));

static void *ends(void *arg)
{
	return arg;
}

static void join_first(void)
{
	pthread_create(&blocked, NULL, ends, NULL);
	if (cancelled(joins) == PTHREAD_CANCELED) {
		assert(!pthread_join(blocked, NULL));
		heddle_mark("cancelled");
	} else {
		heddle_mark("too late");
	}
}
SAFE(join_first, "cancel/or joined", "cancelled", "too late");

static void *sleeps(void *arg)
{
	for (;;) {
		if (buggy())
			sched_yield(); /* no point */
		else if (arg)
			usleep(100);
		else
			sleep(1);
	}
}

/* In a loop that does nothing else, whenever that is. */
static void asleep(void)
{
	assert(cancelled(sleeps) == PTHREAD_CANCELED);
	heddle_mark("cancelled");
}
SAFE(asleep, "cancel/in sleep", "cancelled");

static void *polls(void *arg)
{
	while (!__atomic_load_n(&ready, __ATOMIC_RELAXED))
		buggy() ? sched_yield() : usleep(100);
	return arg;
}

static void polling(void)
{
	assert(cancelled(polls) == PTHREAD_CANCELED);
}
TWIN(polling, "cancel/in usleep, and not in sched_yield", SHOWS(LIVELOCK));

static void *counts(void *arg)
{
	int i, seen = 0;

	for (i = 0; i < 20; i++) {
		if (i == 10)
			seen += __atomic_load_n(&ready, __ATOMIC_RELAXED);
		sleep(1);
	}
	if (!seen && !__atomic_load_n(&ready, __ATOMIC_RELAXED))
		heddle_mark("the other one is not there yet");
	return arg;
}

static void *gets_ready(void *arg)
{
	__atomic_store_n(&ready, 1, __ATOMIC_RELAXED);
	return arg;
}

/* A loop that ends by itself is not taken for one that waits. */
static void counting(void)
{
	THREADS(gets_ready, counts);
}
SAFE(counting, "cancel/sleep in a loop that counts",
     "the other one is not there yet");
