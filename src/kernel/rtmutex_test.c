/* SPDX-License-Identifier: MIT */
/* Do rt_mutexes exclude, serve in order, and get interrupted? */
#include "../base/twin.h"

static struct {
	struct rt_mutex a, b;
	spinlock_t lock;
	int n;
	u32 step;
} *w;

static DEFINE_RT_MUTEX(fixed);

static void setup(void)
{
	w = heddle_alloc_type("struct twin", sizeof(*w));
	rt_mutex_init(&w->a);
	rt_mutex_init(&w->b);
	spin_lock_init(&w->lock);
}

static void increment(void *arg)
{
	(void)arg;
	if (!buggy())
		rt_mutex_lock(&fixed);
	w->n++;
	if (!buggy())
		rt_mutex_unlock(&fixed);
}

static void increment_check(void)
{
	heddle_assert(w->n == 3);
}

#define exclusion_setup setup
TWIN_TASKS(exclusion, { "a", increment }, { "b", increment },
	   { "c", increment });
TWIN_VARIANTS(exclusion, SHOWS(ASSERT), SHOWS(DATA_RACE));
TWIN(exclusion, "rtmutex/exclusion", .check = increment_check);

/* --- ABBA, and a trylock instead ------------------------------------- */

static void abba(void *arg)
{
	struct rt_mutex *x = arg ? &w->b : &w->a, *y = arg ? &w->a : &w->b;

	rt_mutex_lock(x);
	if (buggy()) {
		rt_mutex_lock(y);
		rt_mutex_unlock(y);
	} else if (rt_mutex_trylock(y)) {
		rt_mutex_unlock(y);
	} else {
		heddle_mark("busy");
	}
	rt_mutex_unlock(x);
}

static const char *const busy_goals[] = { "busy", NULL };
#define abba_setup setup
TWIN_TASKS(abba, { "ab", abba }, { "ba", abba, "" });
static const struct heddle_variant abba_variants[] = {
	{ .name = "safe", .goals = busy_goals },
	{ .name = "buggy", .data = "",
	  .expect = { SHOWS(CIRCULAR), SHOWS(DEADLOCK) } },
	{ .name = NULL },
};
TWIN(abba, "rtmutex/ABBA");

/* --- the same lock twice, two of a class ----------------------------- */

static void twice(void *arg)
{
	struct rt_mutex *second = buggy() ? &w->a : &w->b;

	(void)arg;
	rt_mutex_lock(&w->a);
	rt_mutex_lock_nested(second, buggy() ? 0 : SINGLE_DEPTH_NESTING);
	rt_mutex_unlock(second);
	rt_mutex_unlock(&w->a);
}

#define twice_setup setup
TWIN_TASKS(twice, { "a", twice });
TWIN_VARIANTS(twice, SHOWS(RECURSIVE), SHOWS(DEADLOCK));
TWIN(twice, "rtmutex/recursion");

/* --- first come, first served ---------------------------------------- */

static void holds(void *arg)
{
	(void)arg;
	rt_mutex_lock(&w->a);
	WRITE_ONCE(w->step, 1);
	while (READ_ONCE(w->step) != 2)
		cpu_relax();
	rt_mutex_unlock(&w->a);
	/* nobody overtakes who waits */
	if (rt_mutex_trylock(&w->a)) {
		heddle_assert(READ_ONCE(w->n) == 1);
		rt_mutex_unlock(&w->a);
	}
}

static void waits(void *arg)
{
	(void)arg;
	while (READ_ONCE(w->step) != 1)
		cpu_relax();
	if (buggy()) /* the other one is told before this one waits */
		WRITE_ONCE(w->step, 2);
	rt_mutex_lock(&w->a);
	w->n = 1;
	rt_mutex_unlock(&w->a);
}

static void tells(void *arg)
{
	(void)arg;
	while (!READ_ONCE(w->step))
		cpu_relax();
	/* the lock's own word says that somebody waits */
	while (!buggy() && !READ_ONCE(w->a.nwaiters))
		cpu_relax();
	WRITE_ONCE(w->step, 2);
}

#define order_setup setup
TWIN_TASKS(order, { "holds", holds }, { "waits", waits }, { "tells", tells });
static const struct heddle_variant order_variants[] = {
	{ .name = "safe" },
	/* the waiter may miss step 1 for good */
	{ .name = "buggy", .data = "",
	  .expect = { SHOWS(ASSERT), SHOWS(LIVELOCK) } },
	{ .name = NULL },
};
TWIN(order, "rtmutex/order");

/* --- interrupted ------------------------------------------------------ */

static void killed(void *arg)
{
	int err = arg ? rt_mutex_lock_killable(&w->a) :
			rt_mutex_lock_interruptible(&w->a);

	if (err) {
		if (arg)
			heddle_mark("killed");
		else
			heddle_mark("interrupted");
		heddle_assert(err == -EINTR);
		if (buggy())
			rt_mutex_unlock(&w->a);
		return;
	}
	w->n++;
	rt_mutex_unlock(&w->a);
}

static void uninterrupted(void *arg)
{
	(void)arg;
	rt_mutex_lock(&w->a);
	w->n++;
	rt_mutex_unlock(&w->a);
}

static const char *const killed_goals[] = { "killed", "interrupted", NULL };
static void killed_check(void)
{
	heddle_assert(rt_mutex_trylock(&w->a));
	rt_mutex_unlock(&w->a);
}
#define killed_setup setup
TWIN_TASKS(killed, { "kill", killed, "" }, { "interrupt", killed },
	   { "b", uninterrupted });
TWIN_VARIANTS(killed, SHOWS(UNBALANCE));
TWIN(killed, "rtmutex/killable", .goals = killed_goals, .check = killed_check);

/* --- not in atomic context -------------------------------------------- */

static void atomic(void *arg)
{
	(void)arg;
	if (buggy())
		spin_lock(&w->lock);
	rt_mutex_lock(&w->a);
	rt_mutex_unlock(&w->a);
	if (buggy())
		spin_unlock(&w->lock);
}

#define atomic_setup setup
TWIN_TASKS(atomic, { "a", atomic });
TWIN_VARIANTS(atomic, SHOWS(SLEEP_ATOMIC), SHOWS(WAIT_CONTEXT));
TWIN(atomic, "rtmutex/in atomic context");
