/* SPDX-License-Identifier: MIT */
/* Do C11 threads do what pthreads do, and return what C11 says?
 *
 * Covers c11.c. */
#include "twins.h"
#include <string.h>
#include <threads.h>

static mtx_t m, n;
static cnd_t c;
static int x, ready;

/* In C11 nothing is made by an initialiser: whatever lay there, it is new. */
static void make(void)
{
	assert(mtx_init(&m, mtx_plain) == thrd_success);
	assert(mtx_init(&n, mtx_plain) == thrd_success);
	memset(&c, 0x5a, sizeof(c));
	assert(cnd_init(&c) == thrd_success);
}

static void two(thrd_start_t one, thrd_start_t other)
{
	thrd_t t[2];

	assert(thrd_create(&t[0], one, NULL) == thrd_success);
	assert(thrd_create(&t[1], other, NULL) == thrd_success);
	assert(thrd_join(t[0], NULL) == thrd_success);
	assert(thrd_join(t[1], NULL) == thrd_success);
}

/* --- threads ------------------------------------------------------------------ */

static int exits(void *arg)
{
	x = 1;
	assert(!thrd_equal(thrd_current(), *(thrd_t *)arg));
	thrd_exit(-7);
}

/* The result is an int: the bytes behind it stay. */
static void joined(void)
{
	struct { int result, behind; } r = { 0, 4 };
	static thrd_t me;
	thrd_t t;

	me = thrd_current();
	assert(thrd_create(&t, exits, &me) == thrd_success);
	if (!buggy()) {
		assert(thrd_join(t, &r.result) == thrd_success);
		assert(r.result == -7 && r.behind == 4);
		assert(thrd_join(me, NULL) == thrd_error);
	}
	x++;
}
TWIN(joined, "c11/the result of a thread, and what it wrote", SHOWS(DATA_RACE));

static int returns(void *arg)
{
	(void)arg;
	return 5;
}

/* Nobody waits for what is detached, and nobody may. */
static void detached(void)
{
	int result = 0;
	thrd_t t;

	assert(thrd_create(&t, returns, NULL) == thrd_success);
	if (buggy())
		assert(thrd_detach(t) == thrd_success);
	if (thrd_join(t, &result) == thrd_success)
		assert(result == 5);
}
TWIN(detached, "c11/thrd_detach", SHOWS(WARN));

static int sleeps_until_ready(void *arg)
{
	struct timespec s = { .tv_sec = 1 };

	(void)arg;
	while (!__atomic_load_n(&ready, __ATOMIC_ACQUIRE))
		assert(!thrd_sleep(&s, NULL));
	heddle_mark("woke up");
	return 0;
}

static int gets_ready(void *arg)
{
	(void)arg;
	thrd_yield();
	if (!buggy())
		__atomic_store_n(&ready, 1, __ATOMIC_RELEASE);
	return 0;
}

static void slept(void)
{
	two(sleeps_until_ready, gets_ready);
}
TWIN(slept, "c11/thrd_sleep in a loop", SHOWS(LIVELOCK));

/* --- mutexes ------------------------------------------------------------------ */

static int adds(void *arg)
{
	(void)arg;
	if (!buggy())
		assert(mtx_lock(&m) == thrd_success);
	x++;
	if (!buggy())
		assert(mtx_unlock(&m) == thrd_success);
	return 0;
}

static void excluded(void)
{
	make();
	two(adds, adds);
	assert(x == 2);
	mtx_destroy(&m);
}
TWIN(excluded, "c11/mtx_lock excludes", SHOWS(DATA_RACE), SHOWS(ASSERT));

static int takes_both(void *arg)
{
	(void)arg;
	mtx_lock(buggy() ? &n : &m);
	mtx_lock(buggy() ? &m : &n);
	mtx_unlock(&n);
	mtx_unlock(&m);
	return 0;
}

static int takes_m_first(void *arg)
{
	(void)arg;
	mtx_lock(&m);
	mtx_lock(&n);
	mtx_unlock(&n);
	mtx_unlock(&m);
	return 0;
}

static void abba(void)
{
	make();
	two(takes_m_first, takes_both);
}
TWIN(abba, "c11/two mutexes in two orders", SHOWS(CIRCULAR), SHOWS(DEADLOCK));

static void counted(void)
{
	int i;

	assert(mtx_init(&m, (buggy() ? mtx_plain : mtx_recursive) | mtx_timed) ==
	       thrd_success);
	for (i = 0; i < 2; i++)
		assert(mtx_lock(&m) == thrd_success);
	for (i = 0; i < 2; i++)
		assert(mtx_unlock(&m) == thrd_success);
	assert(mtx_unlock(&m) == thrd_error);
	assert(mtx_init(&m, 8) == thrd_error);
}
TWIN(counted, "c11/mtx_recursive", SHOWS(RECURSIVE), SHOWS(DEADLOCK));

static int tries(void *arg)
{
	(void)arg;
	switch (mtx_trylock(&m)) {
	case thrd_success:
		heddle_mark("got it");
		mtx_unlock(&m);
		break;
	case thrd_busy:
		heddle_mark("busy");
		break;
	default:
		assert(!"a result that C11 has");
	}
	return 0;
}

static int holds_for_long(void *arg)
{
	(void)arg;
	mtx_lock(&m);
	mtx_unlock(&m);
	return 0;
}

static void tried(void)
{
	make();
	two(tries, holds_for_long);
}
SAFE(tried, "c11/mtx_trylock", "got it", "busy");

static int has_no_time(void *arg)
{
	struct timespec at = { 0 };

	(void)arg;
	if (mtx_timedlock(&m, &at) == thrd_timedout)
		heddle_mark("timed out");
	else
		mtx_unlock(&m);
	return 0;
}

static void timed(void)
{
	thrd_t t;

	assert(mtx_init(&m, mtx_timed) == thrd_success);
	mtx_lock(&m);
	thrd_create(&t, has_no_time, NULL);
	thrd_join(t, NULL);
	mtx_unlock(&m);
}
SAFE(timed, "c11/mtx_timedlock", "timed out");

static void destroyed(void)
{
	make();
	mtx_lock(&m);
	if (!buggy())
		mtx_unlock(&m);
	mtx_destroy(&m);
	exit(0);
}
TWIN(destroyed, "c11/mtx_destroy", SHOWS(WARN));

/* --- conditions --------------------------------------------------------------- */

static int waits(void *arg)
{
	(void)arg;
	mtx_lock(&m);
	if (buggy())
		cnd_wait(&c, &m); /* whatever has happened */
	while (!buggy() && !ready)
		assert(cnd_wait(&c, &m) == thrd_success);
	mtx_unlock(&m);
	return 0;
}

static int signals(void *arg)
{
	(void)arg;
	mtx_lock(&m);
	ready = 1;
	assert(cnd_signal(&c) == thrd_success);
	mtx_unlock(&m);
	return 0;
}

static void signalled(void)
{
	make();
	two(waits, signals);
	cnd_destroy(&c);
}
TWIN(signalled, "c11/cnd_signal before the wait", SHOWS(DEADLOCK));

static int waits_until_ready(void *arg)
{
	(void)arg;
	mtx_lock(&m);
	while (!ready)
		cnd_wait(&c, &m);
	mtx_unlock(&m);
	return 0;
}

static void all(void)
{
	thrd_t t[2];

	make();
	thrd_create(&t[0], waits_until_ready, NULL);
	thrd_create(&t[1], waits_until_ready, NULL);
	mtx_lock(&m);
	ready = 1;
	if (buggy())
		cnd_signal(&c);
	else
		assert(cnd_broadcast(&c) == thrd_success);
	mtx_unlock(&m);
	thrd_join(t[0], NULL);
	thrd_join(t[1], NULL);
}
TWIN(all, "c11/cnd_broadcast wakes all", SHOWS(DEADLOCK));

static int waits_a_while(void *arg)
{
	struct timespec at = { 0 };

	(void)arg;
	mtx_lock(&m);
	if (cnd_timedwait(&c, &m, &at) == thrd_timedout)
		heddle_mark("timed out");
	else
		heddle_mark("woken");
	mtx_unlock(&m);
	return 0;
}

static void waited_a_while(void)
{
	make();
	two(waits_a_while, signals);
}
SAFE(waited_a_while, "c11/cnd_timedwait", "timed out", "woken");

static void destroyed_early(void)
{
	thrd_t t;

	make();
	thrd_create(&t, waits_until_ready, NULL);
	if (!buggy()) {
		signals(NULL);
		thrd_join(t, NULL);
	}
	cnd_destroy(&c);
	exit(0);
}
TWIN(destroyed_early, "c11/cnd_destroy while one waits", SHOWS(WARN));

/* --- once, and a thread's own --------------------------------------------------- */

static once_flag flag = ONCE_FLAG_INIT;

static void count(void)
{
	x++;
}

static int counts_once(void *arg)
{
	(void)arg;
	if (buggy())
		count();
	else
		call_once(&flag, count);
	assert(x == 1);
	return 0;
}

static void done_once(void)
{
	two(counts_once, counts_once);
}
TWIN(done_once, "c11/call_once", SHOWS(ASSERT), SHOWS(DATA_RACE));

static tss_t key;
static thread_local int mine = 4;
static int ended;

/* A value that is set anew is destroyed once more. */
static void destroy(void *value)
{
	assert(value == &mine && mine == 5);
	if (++ended == 1)
		assert(tss_set(key, value) == thrd_success);
}

static int has_its_own(void *arg)
{
	(void)arg;
	assert(!tss_get(key) && mine == 4);
	mine++;
	assert(tss_set(key, &mine) == thrd_success);
	assert(tss_get(key) == &mine);
	return 0;
}

static void keys(void)
{
	thrd_t t;

	assert(tss_create(&key, destroy) == thrd_success);
	if (buggy())
		tss_delete(key);
	thrd_create(&t, has_its_own, NULL);
	thrd_join(t, NULL);
	assert(ended == 2 && mine == 4);
}
TWIN(keys, "c11/keys, their destructors, and thread_local", SHOWS(ASSERT));

static void no_key(void)
{
	tss_t k;
	int i;

	for (i = 0; i < 16; i++)
		assert(tss_create(&k, NULL) == thrd_success && k == (tss_t)i);
	assert(tss_create(&k, NULL) == thrd_error);
	assert(tss_set(16, NULL) == thrd_error && !tss_get(16));
	heddle_mark("none left");
}
SAFE(no_key, "c11/no key is left", "none left");
