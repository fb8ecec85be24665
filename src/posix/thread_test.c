/* SPDX-License-Identifier: MIT */
/* Are threads made, joined and ended as POSIX says, and what ends a program?
 *
 * Covers program.c, thread.c and once.c. */
#include "twins.h"

static int x;

/* --- made and joined -------------------------------------------------------- */

static void *write_x(void *arg)
{
	x = 1;
	return arg;
}

static void read_joined(void)
{
	pthread_t t;
	void *result = NULL;

	pthread_create(&t, NULL, write_x, &x);
	if (!buggy()) {
		assert(!pthread_join(t, &result));
		assert(result == &x);
	}
	assert(buggy() || x == 1);
	x++;
}
TWIN(read_joined, "thread/what it wrote is there after join",
     SHOWS(DATA_RACE));

static void *expect_one(void *arg)
{
	assert(x == 1);
	return arg;
}

static void created_later(void)
{
	pthread_t t;

	if (!buggy())
		x = 1;
	pthread_create(&t, NULL, expect_one, NULL);
	if (buggy())
		x = 1;
	pthread_join(t, NULL);
}
TWIN(created_later, "thread/sees what came before its creation", SHOWS(ASSERT),
     SHOWS(DATA_RACE));

static void *exits(void *arg)
{
	(void)arg;
	assert(!pthread_equal(pthread_self(), (pthread_t)1));
	pthread_exit((void *)7);
}

static void result_of_exit(void)
{
	void *result;
	pthread_t t;

	pthread_create(&t, NULL, exits, NULL);
	assert(!pthread_join(t, &result) && result == (void *)7);
	heddle_mark("joined");
	if (buggy())
		assert(pthread_join(t, NULL) == EINVAL);
}
TWIN(result_of_exit, "thread/pthread_exit and a second join", SHOWS(WARN));

static pthread_t shared_id;

static void *detaches(void *arg)
{
	pthread_detach(shared_id);
	return arg;
}

/* Whoever comes first: a join of a detached thread, or the other way round. */
static void joined_and_detached(void)
{
	pthread_t t;

	pthread_create(&shared_id, NULL, write_x, NULL);
	if (buggy())
		pthread_create(&t, NULL, detaches, NULL);
	if (!pthread_join(shared_id, NULL))
		heddle_mark("joined");
	if (buggy())
		pthread_join(t, NULL);
}
TWIN(joined_and_detached, "thread/joined by one, detached by another",
     SHOWS(WARN));

static void *never_ends(void *arg)
{
	static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

	if (form()->buggy || arg)
		pthread_mutex_lock(&m);
	if (form()->buggy)
		pthread_mutex_lock(&m);
	return arg;
}

/* main returns, and what the others do is of no interest. */
static void detached(void)
{
	pthread_attr_t attr;
	pthread_t t;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_create(&t, &attr, write_x, NULL);
	pthread_attr_destroy(&attr);
	heddle_mark("made");
}
SAFE(detached, "thread/main need not wait", "made");

static void waits_for_ever(void)
{
	pthread_t t;

	pthread_create(&t, NULL, never_ends, NULL);
	pthread_join(t, NULL);
}
TWIN(waits_for_ever, "thread/join of one that blocks", SHOWS(DEADLOCK),
     SHOWS(RECURSIVE));

static void *blocks(void *arg)
{
	static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

	pthread_mutex_lock(&m);
	if (buggy())
		pthread_mutex_lock(&m);
	pthread_mutex_unlock(&m);
	return arg;
}

/* The others go on, and are waited for. */
static void main_exits(void)
{
	pthread_t t;

	pthread_create(&t, NULL, blocks, NULL);
	pthread_exit(NULL);
}
TWIN(main_exits, "thread/main ends with pthread_exit", SHOWS(DEADLOCK),
     SHOWS(RECURSIVE));

/* --- locals of main ---------------------------------------------------------- */

struct local {
	pthread_mutex_t lock;
	int n, ready;
};

static void *adds(void *arg)
{
	struct local *l = arg;

	if (!form()->buggy)
		pthread_mutex_lock(&l->lock);
	l->n++;
	if (!form()->buggy)
		pthread_mutex_unlock(&l->lock);
	return arg;
}

/* They are shared like any memory, and a lock may be one. */
static void locals(void)
{
	struct local l = { .lock = PTHREAD_MUTEX_INITIALIZER };
	pthread_t t[2];
	int i;

	for (i = 0; i < 2; i++)
		pthread_create(&t[i], NULL, adds, &l);
	for (i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	assert(l.n == 2);
}
TWIN(locals, "thread/locals of main", SHOWS(DATA_RACE), SHOWS(ASSERT));

static void *gets_ready(void *arg)
{
	struct local *l = arg;

	__atomic_store_n(&l->ready, 1, __ATOMIC_RELEASE);
	return arg;
}

static void awaits_local(void)
{
	struct local l = { .ready = 0 };
	pthread_t t;

	pthread_create(&t, NULL, gets_ready, &l);
	while (!__atomic_load_n(&l.ready, __ATOMIC_ACQUIRE))
		sched_yield();
	heddle_mark("ready");
	pthread_join(t, NULL);
}
SAFE(awaits_local, "thread/main waits for its local", "ready");

/* --- the end of the program -------------------------------------------------- */

static void *stops_all(void *arg)
{
	exit(buggy() ? 3 : 0);
	return arg;
}

static void ended_by_thread(void)
{
	THREADS(stops_all);
	assert(!"joined");
}
TWIN(ended_by_thread, "program/exit in a thread, and its status",
     SHOWS(EXIT_STATUS));

static void aborts(void)
{
	if (buggy())
		abort();
}
TWIN(aborts, "program/abort", SHOWS(ABORT));

/* --- once, keys, __thread --------------------------------------------------- */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int times;

static void count(void)
{
	times++;
}

static void *counts_once(void *arg)
{
	if (!buggy())
		pthread_once(&once, count);
	else if (!__atomic_load_n(&x, __ATOMIC_ACQUIRE)) {
		count();
		__atomic_store_n(&x, 1, __ATOMIC_RELEASE);
	}
	assert(times == 1);
	return arg;
}

static void done_once(void)
{
	THREADS(counts_once, counts_once);
}
TWIN(done_once, "once/in one thread only", SHOWS(ASSERT), SHOWS(DATA_RACE));

static pthread_key_t key;
static __thread int mine = 4;

static void destroy(void *value)
{
	assert(value == &mine);
	times++;
}

static void *has_its_own(void *arg)
{
	assert(!pthread_getspecific(key) && mine == 4);
	mine++;
	pthread_setspecific(key, &mine);
	assert(pthread_getspecific(key) == &mine && mine == 5);
	return arg;
}

static void keys(void)
{
	pthread_t t;
	int i;

	assert(!pthread_key_create(&key, destroy));
	for (i = 0; i < 2; i++) {
		pthread_create(&t, NULL, has_its_own, NULL);
		pthread_join(t, NULL);
	}
	assert(times == 2 && mine == 4);
	assert(!pthread_key_delete(key));
	heddle_mark("destroyed");
}
SAFE(keys, "keys and __thread", "destroyed");

static void *fails(void *arg)
{
	errno = ENOENT;
	return arg;
}

static void own_errno(void)
{
	errno = EAGAIN;
	THREADS(fails);
	assert(errno == EAGAIN);
	heddle_mark("kept");
}
SAFE(own_errno, "errno is the thread's", "kept");
