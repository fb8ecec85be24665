/* SPDX-License-Identifier: MIT */
/* Does a mutex exclude, by kind, and is misuse seen?
 *
 * Covers mutex.c and names.c. */
#include "twins.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t counting = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static pthread_mutex_t checking = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
static int x;

static void *add(void *arg)
{
	if (!buggy())
		pthread_mutex_lock(&a);
	x++;
	if (!buggy())
		pthread_mutex_unlock(&a);
	return arg;
}

static void exclusion(void)
{
	THREADS(add, add);
	assert(buggy() || x == 2);
}
TWIN(exclusion, "mutex/exclusion", SHOWS(DATA_RACE));

static void *a_then_b(void *arg)
{
	pthread_mutex_lock(&a);
	pthread_mutex_lock(&b);
	pthread_mutex_unlock(&b);
	pthread_mutex_unlock(&a);
	return arg;
}

static void *b_then_a(void *arg)
{
	if (!buggy())
		return a_then_b(arg);
	pthread_mutex_lock(&b);
	pthread_mutex_lock(&a);
	pthread_mutex_unlock(&a);
	pthread_mutex_unlock(&b);
	return arg;
}

static void orders(void)
{
	THREADS(a_then_b, b_then_a);
}
TWIN(orders, "mutex/two orders", SHOWS(CIRCULAR), SHOWS(DEADLOCK));

static void twice(void)
{
	pthread_mutex_t *m = buggy() ? &a : &counting;

	assert(!pthread_mutex_lock(m));
	assert(!pthread_mutex_lock(m));
	assert(!pthread_mutex_trylock(m));
	assert(!pthread_mutex_unlock(m) && !pthread_mutex_unlock(m));
	assert(!pthread_mutex_unlock(m));
	assert(pthread_mutex_unlock(m) == EPERM);
}
TWIN(twice, "mutex/recursive, and not", SHOWS(RECURSIVE), SHOWS(DEADLOCK));

static void *not_the_owner(void *arg)
{
	assert(pthread_mutex_unlock(&checking) == EPERM);
	assert(pthread_mutex_trylock(&checking) == EBUSY);
	return arg;
}

static void checks(void)
{
	assert(!pthread_mutex_lock(&checking));
	assert(pthread_mutex_lock(&checking) == EDEADLK);
	assert(pthread_mutex_trylock(&checking) == EBUSY);
	THREADS(not_the_owner);
	assert(!pthread_mutex_unlock(&checking));
	if (buggy())
		pthread_mutex_unlock(&a);
}
TWIN(checks, "mutex/error checking, and unlock of a free one",
     SHOWS(UNBALANCE));

static void by_attribute(void)
{
	pthread_mutexattr_t attr;
	pthread_mutex_t *m = malloc(sizeof(*m));
	int kind;

	pthread_mutexattr_init(&attr);
	assert(pthread_mutexattr_settype(&attr, 77) == EINVAL);
	assert(!pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE));
	assert(!pthread_mutexattr_gettype(&attr, &kind));
	assert(kind == PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(m, &attr);
	pthread_mutexattr_destroy(&attr);
	assert(!pthread_mutex_lock(m) && !pthread_mutex_lock(m));
	assert(!pthread_mutex_unlock(m));
	if (buggy())
		assert(pthread_mutex_destroy(m) == EBUSY);
	assert(!pthread_mutex_unlock(m));
	assert(!pthread_mutex_destroy(m));
	free(m);
}
TWIN(by_attribute, "mutex/destroyed while locked", SHOWS(WARN));

static void destroyed(void)
{
	pthread_mutex_init(&a, NULL);
	pthread_mutex_destroy(&a);
	if (!buggy())
		pthread_mutex_init(&a, NULL);
	pthread_mutex_lock(&a);
	pthread_mutex_unlock(&a);
}
TWIN(destroyed, "mutex/used after it was destroyed", SHOWS(WARN));

static void *wants_b(void *arg)
{
	struct timespec at = { 0 };

	pthread_mutex_lock(&a);
	if (pthread_mutex_timedlock(&b, &at) == ETIMEDOUT) {
		heddle_mark("timed out");
	} else {
		heddle_mark("had it");
		pthread_mutex_unlock(&b);
	}
	pthread_mutex_unlock(&a);
	return arg;
}

static void *holds_b(void *arg)
{
	pthread_t t;

	pthread_mutex_lock(&b);
	pthread_create(&t, NULL, wants_b, NULL);
	if (arg)
		pthread_mutex_unlock(&b);
	pthread_join(t, NULL); /* nobody else can go on until it has given up */
	if (!arg)
		pthread_mutex_unlock(&b);
	return arg;
}

static void gives_up(void)
{
	holds_b(NULL);
	holds_b(&a);
}
SAFE(gives_up, "mutex/timed", "timed out", "had it");
