/* SPDX-License-Identifier: MIT */
/* Who waits for a condition, who is woken, and what is lost?
 *
 * Covers cond.c. */
#include "twins.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static int ready, woken, first;

static void *waits(void *arg)
{
	pthread_mutex_lock(&m);
	if (buggy())
		pthread_cond_wait(&c, &m); /* whatever has happened */
	while (!buggy() && !ready)
		pthread_cond_wait(&c, &m);
	pthread_mutex_unlock(&m);
	return arg;
}

static void *signals(void *arg)
{
	pthread_mutex_lock(&m);
	ready = 1;
	pthread_cond_signal(&c);
	pthread_mutex_unlock(&m);
	return arg;
}

static void one(void)
{
	THREADS(waits, signals);
}
TWIN(one, "cond/signal before the wait", SHOWS(DEADLOCK));

static void *broadcasts(void *arg)
{
	pthread_mutex_lock(&m);
	ready = 1;
	if (form()->buggy)
		pthread_cond_signal(&c);
	else
		pthread_cond_broadcast(&c);
	pthread_mutex_unlock(&m);
	return arg;
}

static void *waits_until_ready(void *arg)
{
	pthread_mutex_lock(&m);
	while (!ready)
		pthread_cond_wait(&c, &m);
	pthread_mutex_unlock(&m);
	return arg;
}

static void all(void)
{
	THREADS(waits_until_ready, waits_until_ready, broadcasts);
}
TWIN(all, "cond/signal where two wait", SHOWS(DEADLOCK));

static void *lines_up(void *arg)
{
	pthread_mutex_lock(&m);
	ready++;
	while (!woken)
		pthread_cond_wait(&c, &m);
	if (!first)
		first = arg ? 2 : 1;
	pthread_cond_signal(&c);
	pthread_mutex_unlock(&m);
	return arg;
}

/* Any of those who wait may be woken. */
static void any(void)
{
	pthread_t t[2];

	pthread_create(&t[0], NULL, lines_up, NULL);
	pthread_create(&t[1], NULL, lines_up, &first);
	pthread_mutex_lock(&m);
	if (ready == 2) {
		woken = 1;
		pthread_cond_signal(&c);
	}
	if (ready != 2)
		exit(0);
	pthread_mutex_unlock(&m);
	pthread_join(t[0], NULL);
	pthread_join(t[1], NULL);
	if (first == 1)
		heddle_mark("the first one");
	else
		heddle_mark("the second one");
}
SAFE(any, "cond/signal wakes any one", "the first one", "the second one");

static void *signals_late(void *arg)
{
	pthread_mutex_lock(&m);
	pthread_cond_signal(&c);
	pthread_mutex_unlock(&m);
	return arg;
}

static void timed(void)
{
	struct timespec at = { 0 };
	pthread_t t;
	int err;

	pthread_create(&t, NULL, signals_late, NULL);
	pthread_mutex_lock(&m);
	err = pthread_cond_timedwait(&c, &m, &at);
	if (err == ETIMEDOUT)
		heddle_mark("timed out");
	else
		heddle_mark("woken");
	pthread_mutex_unlock(&m);
	pthread_join(t, NULL);
	assert(!pthread_cond_destroy(&c));
}
SAFE(timed, "cond/timed", "timed out", "woken");

static void *signals_alone(void *arg)
{
	pthread_cond_signal(&c); /* the mutex orders nothing here */
	return arg;
}

static void alone(void)
{
	struct timespec at = { 0 };
	pthread_t t;

	pthread_create(&t, NULL, signals_alone, NULL);
	pthread_mutex_lock(&m);
	if (pthread_cond_timedwait(&c, &m, &at) == ETIMEDOUT)
		heddle_mark("lost");
	else
		heddle_mark("woken");
	pthread_mutex_unlock(&m);
	pthread_join(t, NULL);
}
SAFE(alone, "cond/signal without the mutex", "lost", "woken");

/* Without the mutex held. */
static void not_held(void)
{
	pthread_mutexattr_t attr;
	struct timespec at = { 0 };

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK);
	pthread_mutex_init(&m, &attr);
	pthread_cond_init(&c, NULL);
	assert(pthread_cond_timedwait(&c, &m, &at) == EPERM);
	heddle_mark("EPERM");
}
SAFE(not_held, "cond/wait without the mutex", "EPERM");

static void *waits_destroyed(void *arg)
{
	pthread_mutex_lock(&m);
	ready = 1;
	pthread_cond_wait(&c, &m);
	pthread_mutex_unlock(&m);
	return arg;
}

static void destroyed(void)
{
	pthread_t t;

	pthread_create(&t, NULL, waits_destroyed, NULL);
	pthread_mutex_lock(&m);
	if (!ready)
		exit(0);
	if (!buggy()) {
		pthread_cond_signal(&c);
		pthread_mutex_unlock(&m);
		pthread_join(t, NULL);
	}
	pthread_cond_destroy(&c);
	exit(0);
}
TWIN(destroyed, "cond/destroyed while one waits", SHOWS(WARN));
