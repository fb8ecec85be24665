/* SPDX-License-Identifier: MIT */
/* Are the locals of a thread shared like any memory, for as long as they live?
 *
 * Of threads other than main; those of main are in thread_test.c.  Covers
 * ../engine/access.c: whose locals are ops, and which are no more. */
#include "twins.h"
#include <string.h>

struct local {
	pthread_mutex_t lock;
	int n, ready;
};

/* --- given to a thread that one makes ----------------------------------------- */

/* (clang takes a field that a function names itself for private.) */
static noinline void *adds(void *arg)
{
	struct local *l = arg;

	if (!buggy())
		pthread_mutex_lock(&l->lock);
	l->n++;
	if (!buggy())
		pthread_mutex_unlock(&l->lock);
	return arg;
}

static void *gives(void *arg)
{
	struct local l = { .lock = PTHREAD_MUTEX_INITIALIZER };
	pthread_t t;

	pthread_create(&t, NULL, adds, &l);
	adds(&l);
	pthread_join(t, NULL);
	assert(l.n == 2);
	return arg;
}

static void given(void)
{
	THREADS(gives);
}
TWIN(given, "local/given to another thread", SHOWS(DATA_RACE), SHOWS(ASSERT));

/* --- through a global pointer ----------------------------------------------------- */

static int *where;

static void *points(void *arg)
{
	int n = 0, *p;

	__atomic_store_n(&where, &n, __ATOMIC_RELEASE);
	while ((p = __atomic_load_n(&where, __ATOMIC_ACQUIRE)))
		sched_yield();
	if (n == 1)
		heddle_mark("the other one was there");
	return arg;
}

static void *follows(void *arg)
{
	int *p;

	while (!(p = __atomic_load_n(&where, __ATOMIC_ACQUIRE)))
		sched_yield();
	if (buggy())
		__atomic_store_n(&where, NULL, __ATOMIC_RELEASE);
	*p = 1;
	if (!buggy())
		__atomic_store_n(&where, NULL, __ATOMIC_RELEASE);
	return arg;
}

/* It is told too early that it may read, or end. */
static void pointed(void)
{
	THREADS(points, follows);
}
TWIN(pointed, "local/through a global pointer", SHOWS(DATA_RACE),
     SHOWS(WILD_ACCESS));

/* --- atomics: what is between two accesses --------------------------------------- */

static void *counts(void *arg)
{
	int *n = arg;

	if (buggy())
		__atomic_store_n(n, __atomic_load_n(n, __ATOMIC_RELAXED) + 1,
				 __ATOMIC_RELAXED);
	else
		__atomic_fetch_add(n, 1, __ATOMIC_RELAXED);
	return arg;
}

static void *counts_with(void *arg)
{
	pthread_t t;
	int n = 0;

	pthread_create(&t, NULL, counts, &n);
	counts(&n);
	pthread_join(t, NULL);
	assert(__atomic_load_n(&n, __ATOMIC_RELAXED) == 2);
	return arg;
}

static void counted(void)
{
	THREADS(counts_with);
}
TWIN(counted, "local/counted by two", SHOWS(ASSERT));

static void *sets(void *arg)
{
	struct local *l = arg;

	__atomic_store_n(&l->ready, 1, __ATOMIC_RELEASE);
	return arg;
}

static void *awaits(void *arg)
{
	struct local l = { .ready = 0 };
	pthread_t t;

	pthread_create(&t, NULL, sets, &l);
	while (!__atomic_load_n(&l.ready, __ATOMIC_ACQUIRE))
		sched_yield();
	heddle_mark("ready");
	pthread_join(t, NULL);
	return arg;
}

static void awaited(void)
{
	THREADS(awaits);
}
SAFE(awaited, "local/waited for", "ready");

/* --- that are no more ---------------------------------------------------------------- */

static pthread_t second;

static void *makes_second(void *arg)
{
	int n = 0;

	pthread_create(&second, NULL, counts, &n);
	if (!buggy())
		pthread_join(second, NULL);
	return arg;
}

/* Whose thread has ended. */
static void ended(void)
{
	THREADS(makes_second);
	if (buggy())
		pthread_join(second, NULL);
}
TWIN(ended, "local/of a thread that has ended", SHOWS(WILD_ACCESS));

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void *goes_through_gate(void *arg)
{
	int n = 1;

	__atomic_store_n(&where, &n, __ATOMIC_RELEASE);
	pthread_mutex_lock(&gate);
	pthread_mutex_unlock(&gate);
	while (!buggy() && __atomic_load_n(&where, __ATOMIC_ACQUIRE))
		sched_yield();
	return arg;
}

/* Or ends in time: nothing but its end is ordered with the access. */
static void may_end(void)
{
	pthread_t t;

	pthread_mutex_lock(&gate);
	pthread_create(&t, NULL, goes_through_gate, NULL);
	while (!__atomic_load_n(&where, __ATOMIC_ACQUIRE))
		sched_yield();
	pthread_mutex_unlock(&gate);
	if (*where == 1)
		heddle_mark("in time");
	__atomic_store_n(&where, NULL, __ATOMIC_RELEASE);
	pthread_join(t, NULL);
}
TWIN(may_end, "local/of a thread that may have ended", SHOWS(WILD_ACCESS));

/* One's own are there, however deep. */
static noinline void fill(char *room, int size)
{
	memset(room, 1, size);
}

static noinline void own(void)
{
	char room[2048];

	fill(room, sizeof(room));
	sched_yield();
	heddle_mark("filled");
}
SAFE(own, "local/one's own", "filled");

static noinline void deep(void)
{
	struct local l[8] = { { .n = 0 } };
	int i;

	pthread_create(&second, NULL, adds, &l[1]);
	if (!buggy())
		pthread_join(second, NULL);
	for (i = 0; i < 8; i++)
		assert(l[i].n <= 1);
}

/* Whose function has returned; of main as well. */
static void returned(void)
{
	deep();
	if (buggy())
		pthread_join(second, NULL);
}
TWIN(returned, "local/of a function that has returned", SHOWS(WILD_ACCESS));

#ifdef __x86_64__ /* elsewhere that is not told: end_of_frames() */
static noinline void shallow(void)
{
	int n = 0;

	pthread_create(&second, NULL, counts, &n);
	if (!buggy())
		pthread_join(second, NULL);
}

/* Where that was, frames of the engine are by now. */
static void overwritten(void)
{
	shallow();
	if (buggy())
		pthread_join(second, NULL);
}
TWIN(overwritten, "local/of a small function that has returned",
     SHOWS(WILD_ACCESS));
#endif
