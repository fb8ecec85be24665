/* SPDX-License-Identifier: MIT */
/* Is a thread cancelled where it allows that, and does it tidy up?
 *
 * Covers cancel.c; the points other than pthread_testcancel() have a test of
 * their own, cancel_point_test.c. */
#include "twins.h"
#include <unistd.h>

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static int x, order;

/* --- a test ------------------------------------------------------------------- */

static void *tests(void *arg)
{
	x = 1;
	pthread_testcancel();
	x = 2;
	return arg;
}

/* The cancel comes before the point, or behind it. */
static void tested(void)
{
	if (cancelled(tests) == PTHREAD_CANCELED) {
		assert(x == 1);
		heddle_mark("cancelled");
	} else {
		assert(x == 2);
		heddle_mark("too late");
	}
}
SAFE(tested, "cancel/pthread_testcancel", "cancelled", "too late");

static void *has_no_point(void *arg)
{
	pthread_mutex_lock(&m);
	x = 1;
	pthread_mutex_unlock(&m);
	if (buggy())
		pthread_testcancel();
	return arg;
}

static void not_at_a_mutex(void)
{
	assert(!cancelled(has_no_point));
}
TWIN(not_at_a_mutex, "cancel/only at points", SHOWS(ASSERT));

static void *holds_on(void *arg)
{
	int old = -1;

	if (!buggy())
		pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
	assert(buggy() || old == PTHREAD_CANCEL_ENABLE);
	x = 1;
	pthread_testcancel();
	x = 2;
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &old);
	assert(buggy() || old == PTHREAD_CANCEL_DISABLE);
	pthread_testcancel();
	return arg;
}

/* What is done while it does not want to be cancelled is done. */
static void held_off(void)
{
	if (cancelled(holds_on) == PTHREAD_CANCELED)
		heddle_mark("pending until it was enabled");
	assert(x == 2);
}
TWIN(held_off, "cancel/disabled", SHOWS(ASSERT));

static void *says_how(void *arg)
{
	int old = -1;

	assert(pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &old) == 0);
	assert(old == PTHREAD_CANCEL_DEFERRED);
	assert(pthread_setcanceltype(7, NULL) == EINVAL);
	assert(pthread_setcancelstate(7, NULL) == EINVAL);
	heddle_mark("as it is");
	return arg;
}

/* (The other type is a limit: triage/t/programs.t.) */
static void types(void)
{
	THREADS(says_how);
}
SAFE(types, "cancel/deferred", "as it is");

/* --- who is cancelled --------------------------------------------------------- */

static void *writes(void *arg)
{
	x = 1;
	return arg;
}

/* One that has ended may be cancelled; one that was joined is none. */
static void joined(void)
{
	pthread_t t;

	pthread_create(&t, NULL, writes, NULL);
	if (buggy())
		pthread_join(t, NULL);
	assert(pthread_cancel(t) == (buggy() ? ESRCH : 0));
	if (!buggy())
		pthread_join(t, NULL);
	assert(pthread_cancel(77) == ESRCH);
}
TWIN(joined, "cancel/of a thread that was joined", SHOWS(WARN));

/* A detached one is gone when it ends, and nobody can know when that is. */
static void detached(void)
{
	pthread_attr_t attr;
	pthread_t t;

	pthread_attr_init(&attr);
	if (buggy())
		pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_create(&t, &attr, writes, NULL);
	pthread_cancel(t);
	exit(0);
}
TWIN(detached, "cancel/of a detached thread", SHOWS(WARN));

static void *cancels_itself(void *arg)
{
	pthread_cancel(pthread_self());
	x = 1;
	pthread_testcancel();
	return arg;
}

static void by_itself(void)
{
	void *result;
	pthread_t t;

	pthread_create(&t, NULL, cancels_itself, NULL);
	pthread_join(t, &result);
	assert(result == PTHREAD_CANCELED && x == 1);
	heddle_mark("cancelled");
}
SAFE(by_itself, "cancel/by itself", "cancelled");

static pthread_t main_thread;

static void *cancels_main(void *arg)
{
	pthread_cancel(main_thread);
	x++;
	return arg;
}

/* The others go on, and the program ends well. */
static void of_main(void)
{
	main_thread = pthread_self();
	THREADS(cancels_main);
	pthread_testcancel();
	assert(!"reached");
}
SAFE(of_main, "cancel/of main", NULL);

/* Written before the cancel, read in the handler. */
static void reads_x(void *arg)
{
	(void)arg;
	assert(x == 1);
	heddle_mark("read");
}

static void *reads_at_end(void *arg)
{
	pthread_cleanup_push(reads_x, NULL);
	for (;;)
		sleep(1);
	pthread_cleanup_pop(0);
	return arg;
}

static void published(void)
{
	pthread_t t;

	pthread_create(&t, NULL, reads_at_end, NULL);
	if (!buggy())
		x = 1;
	pthread_cancel(t);
	if (buggy())
		x = 1;
	pthread_join(t, NULL);
}
TWIN(published, "cancel/what comes before it", SHOWS(DATA_RACE), SHOWS(ASSERT));

/* --- clean-up handlers -------------------------------------------------------- */

static void digit(void *n)
{
	order = order * 10 + *(int *)n;
}

static void last(void *value)
{
	(void)value;
	order = order * 10 + 9;
}

static void *pushes(void *arg)
{
	int one = 1, two = 2, three = 3;
	pthread_key_t key;

	pthread_key_create(&key, last);
	pthread_setspecific(key, &order);
	pthread_cleanup_push(digit, &one);
	pthread_cleanup_push(digit, &two);
	pthread_cleanup_push(digit, &three);
	pthread_cleanup_pop(1);
	pthread_testcancel();
	if (buggy())
		pthread_exit(arg);
	pthread_cleanup_pop(0);
	pthread_cleanup_pop(1);
	return arg;
}

/* Newest first, then keys; pthread_exit() runs them as well. */
static void handled(void)
{
	void *result = cancelled(pushes);

	if (result == PTHREAD_CANCELED)
		assert(order == 3219);
	else
		assert(order == 319);
}
TWIN(handled, "cancel/the order of handlers", SHOWS(ASSERT));

static void tests_again(void *arg)
{
	(void)arg;
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
	pthread_testcancel();
	x = 5;
}

static void *tests_in_handler(void *arg)
{
	pthread_cleanup_push(tests_again, NULL);
	pthread_testcancel();
	pthread_cleanup_pop(0);
	return arg;
}

/* Who is ending is not cancelled any more. */
static void once_only(void)
{
	if (cancelled(tests_in_handler) != PTHREAD_CANCELED)
		return;
	heddle_mark("cancelled");
	assert(x == 5);
}
SAFE(once_only, "cancel/a point in a handler", "cancelled");
