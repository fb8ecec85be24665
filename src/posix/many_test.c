/* SPDX-License-Identifier: MIT */
/* Is a thread behind the 64th task what the others are?
 *
 * In each program T65 meets T1, whose bit has the same place in its word, or T64;
 * those between are made and joined one after the other, so that there is little
 * to explore.  Covers program.c, and the sets of tasks in cond.c,
 * ../engine/loop.c and ../engine/profile.c. */
#include "twins.h"

enum { BETWEEN = 63 };

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t n = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static int x, ready, woken, first;

static void *nothing(void *arg)
{
	return arg;
}

static void make_others(int others)
{
	pthread_t t;
	int i;

	for (i = 0; i < others; i++) {
		pthread_create(&t, NULL, nothing, NULL);
		pthread_join(t, NULL);
	}
}

/* t[0] is T1, t[1] is T65. */
static void make_far(pthread_t t[2], void *(*fn)(void *arg))
{
	pthread_create(&t[0], NULL, fn, NULL);
	make_others(BETWEEN);
	pthread_create(&t[1], NULL, fn, &first);
}

static void join_far(pthread_t t[2])
{
	pthread_join(t[0], NULL);
	pthread_join(t[1], NULL);
}

/* --- a mutex, and a race ------------------------------------------------------ */

static void *increments(void *arg)
{
	if (!arg || !buggy())
		pthread_mutex_lock(&m);
	x++;
	if (!arg || !buggy())
		pthread_mutex_unlock(&m);
	return arg;
}

static void excludes(void)
{
	pthread_t t[2];

	make_far(t, increments);
	join_far(t);
	assert(x == 2);
}
TWIN(excludes, "many/T65 is kept out by a mutex", SHOWS(DATA_RACE), SHOWS(ASSERT));

/* --- a word of theirs alone --------------------------------------------------- */

static void *meets(void *arg)
{
	if (!arg) {
		__atomic_store_n(&x, 1, __ATOMIC_RELAXED);
		__atomic_store_n(&x, 2, __ATOMIC_RELAXED);
	} else if (__atomic_load_n(&x, __ATOMIC_RELAXED) == 1) {
		heddle_mark("between");
	}
	return arg;
}

static void share(void)
{
	pthread_t t[2];

	make_far(t, meets);
	join_far(t);
}
SAFE(share, "many/a word of T1 and T65", "between");

/* --- a deadlock among those behind ---------------------------------------------- */

static void *takes_both(void *arg)
{
	bool other_way = arg && buggy();

	pthread_mutex_lock(other_way ? &n : &m);
	pthread_mutex_lock(other_way ? &m : &n);
	pthread_mutex_unlock(&n);
	pthread_mutex_unlock(&m);
	return arg;
}

static void abba(void)
{
	pthread_t t[2];

	make_others(BETWEEN);
	pthread_create(&t[0], NULL, takes_both, NULL);
	pthread_create(&t[1], NULL, takes_both, &first);
	join_far(t);
}
TWIN(abba, "many/T64 and T65 wait for each other", SHOWS(CIRCULAR),
     SHOWS(DEADLOCK));

/* --- who waits for a condition ---------------------------------------------------- */

static void *lines_up(void *arg)
{
	pthread_mutex_lock(&m);
	ready++;
	while (!woken)
		pthread_cond_wait(&c, &m);
	if (!first)
		first = arg ? 65 : 1;
	pthread_cond_signal(&c);
	pthread_mutex_unlock(&m);
	return arg;
}

static void any(void)
{
	pthread_t t[2];

	make_far(t, lines_up);
	pthread_mutex_lock(&m);
	if (ready != 2)
		exit(0);
	woken = 1;
	pthread_cond_signal(&c);
	pthread_mutex_unlock(&m);
	join_far(t);
	assert(!pthread_cond_destroy(&c));
	if (first == 1)
		heddle_mark("T1");
	else
		heddle_mark("T65");
}
SAFE(any, "many/signal wakes T1 or T65", "T1", "T65");

static void *waits(void *arg)
{
	pthread_mutex_lock(&m);
	while (!woken)
		pthread_cond_wait(&c, &m);
	pthread_mutex_unlock(&m);
	return arg;
}

static void all(void)
{
	pthread_t t[2];

	make_far(t, waits);
	pthread_mutex_lock(&m);
	woken = 1;
	if (buggy())
		pthread_cond_signal(&c);
	else
		pthread_cond_broadcast(&c);
	pthread_mutex_unlock(&m);
	join_far(t);
}
TWIN(all, "many/broadcast wakes T1 and T65", SHOWS(DEADLOCK));

/* --- time passes for T65 as well -------------------------------------------------- */

static void *gives_up(void *arg)
{
	struct timespec at = { 0 };

	pthread_mutex_lock(&m);
	if (arg && pthread_cond_timedwait(&c, &m, &at) == ETIMEDOUT)
		heddle_mark("timed out");
	pthread_mutex_unlock(&m);
	return arg;
}

static void late(void)
{
	pthread_t t[2];

	make_far(t, gives_up);
	join_far(t);
}
SAFE(late, "many/a timed wait of T65", "timed out");
