/* SPDX-License-Identifier: MIT */
/* Spinning, atomic context, BUG and WARN, NULL: is each seen for what it is?
 * Tests sched.c, bug.c and what boot.c shares among primitives (complaints,
 * signals). */
#include "../base/twin.h"

struct cell {
	u32 flag, turn;
	int n;
	struct cell *next;
};

static struct cell *w;

static void setup(void)
{
	w = heddle_alloc(struct cell);
}

/* --- a spin loop ends when its word changes ------------------------- */

static void spin(void *arg)
{
	(void)arg;
	while (!READ_ONCE(w->flag))
		cpu_relax();
	heddle_mark("spun");
}

static void set_flag(void *arg)
{
	(void)arg;
	WRITE_ONCE(w->turn, 1);
	WRITE_ONCE(*(buggy() ? &w->turn : &w->flag), 1);
}

static const char *const spin_goals[] = { "spun", NULL };
#define spin_setup setup
TWIN_TASKS(spin, { "spin", spin }, { "set", set_flag });
static const struct heddle_variant spin_variants[] = {
	{ .name = "safe", .goals = spin_goals },
	{ .name = "buggy", .data = "", .expect = { SHOWS(LIVELOCK) } },
	{ .name = "safe, bounded", .bound = 2 },
	{ .name = NULL },
};
TWIN(spin, "sched/spin loop");

/* --- two words, either ends the loop -------------------------------- */

static void spin_two(void *arg)
{
	(void)arg;
	while (!READ_ONCE(w->flag) && !READ_ONCE(w->turn))
		cpu_relax();
}

static void set_one(void *arg)
{
	(void)arg;
	if (heddle_choose(2))
		WRITE_ONCE(w->flag, 1);
	else
		WRITE_ONCE(w->turn, 1);
}

#define two_setup setup
TWIN_TASKS(two, { "spin", spin_two }, { "set", set_one });
TWIN_SAFE_ONLY(two);
TWIN(two, "sched/spin on two words");

/* --- each waits for the other --------------------------------------- */

static void polite(void *arg)
{
	u32 *mine = arg ? &w->flag : &w->turn;
	u32 *other = arg ? &w->turn : &w->flag;

	if (buggy()) {
		while (!READ_ONCE(*other))
			cpu_relax();
		WRITE_ONCE(*mine, 1);
	} else {
		WRITE_ONCE(*mine, 1);
		while (!READ_ONCE(*other))
			cpu_relax();
	}
}

#define polite_setup setup
TWIN_TASKS(polite, { "a", polite }, { "b", polite, "" });
TWIN_VARIANTS(polite, SHOWS(LIVELOCK));
TWIN(polite, "sched/mutual spin");

/* --- yielding waits for nothing ------------------------------------- */

static void yields(void *arg)
{
	(void)arg;
	(void)READ_ONCE(w->flag);
	yield();
	cond_resched();
	if (buggy())
		preempt_disable();
	cond_resched();
	if (buggy())
		preempt_enable();
}

#define yields_setup setup
TWIN_TASKS(yields, { "a", yields });
TWIN_VARIANTS(yields, SHOWS(SLEEP_ATOMIC));
TWIN(yields, "sched/yield");

/* --- NULL ----------------------------------------------------------- */

static void clear(void *arg)
{
	(void)arg;
	WRITE_ONCE(w->next, NULL);
}

static void null_setup(void)
{
	setup();
	w->next = heddle_alloc(struct cell);
}

static void follow(void *arg)
{
	struct cell *next = READ_ONCE(w->next);

	(void)arg;
	if (buggy() && next)
		next = READ_ONCE(w->next);
	if (buggy() || next)
		next->n = 1;
}

TWIN_TASKS(null, { "clear", clear }, { "follow", follow });
TWIN_VARIANTS(null, SHOWS(NULL_DEREF));
TWIN(null, "sched/NULL plain");

static struct {
	atomic_t *a;
	struct mutex *m;
	struct rw_semaphore *s;
	refcount_t *r;
	spinlock_t *l;
} pointers;

static void null_primitives(void *arg)
{
	u32 which = heddle_choose(8);

	(void)arg;
	if (!buggy())
		return;
	if (which == 0)
		atomic_inc(pointers.a);
	else if (which == 1)
		mutex_lock(pointers.m);
	else if (which == 2)
		down_read(pointers.s);
	else if (which == 3)
		refcount_inc(pointers.r);
	else if (which == 4)
		spin_lock(pointers.l);
	else if (which == 5)
		up_write(pointers.s);
	else if (which == 6)
		smp_store_release(&pointers.a->counter, 1);
	else
		mutex_unlock(pointers.m);
}

#define prims_setup setup
TWIN_TASKS(prims, { "a", null_primitives });
TWIN_VARIANTS(prims, SHOWS(NULL_DEREF));
TWIN(prims, "sched/NULL primitives");

/* --- BUG, WARN, assert ---------------------------------------------- */

static void complain(void *arg)
{
	(void)arg;
	if (WARN_ON(buggy()))
		w->n++;
	heddle_assert(w->n == 0);
	VM_WARN_ON_ONCE(w->n == 1);
	BUG_ON(w->n == 1);
	heddle_assert(!"reached after BUG" || w->n == 0);
}

#define complain_setup setup
TWIN_TASKS(complain, { "a", complain });
TWIN_VARIANTS(complain, SHOWS(WARN), SHOWS(ASSERT), SHOWS(BUG));
TWIN(complain, "sched/BUG and WARN");

/* --- signals are the schedule's ------------------------------------- */

static void signals(void *arg)
{
	(void)arg;
	if (!fatal_signal_pending(current)) {
		heddle_mark("no signal");
		return;
	}
	heddle_mark("signal");
	heddle_assert(signal_pending(current));
	heddle_assert(!buggy());
}

static const char *const signals_goals[] = { "signal", "no signal", NULL };
#define signals_setup setup
TWIN_TASKS(signals, { "a", signals });
TWIN_VARIANTS(signals, SHOWS(ASSERT));
TWIN(signals, "sched/signals", .goals = signals_goals);

/* --- who am I ------------------------------------------------------- */

static void me(void *arg)
{
	heddle_assert(current->comm[0] == (arg ? 'b' : 'a'));
	heddle_assert(current->pid == hd_current());
}

#define me_setup setup
TWIN_TASKS(me, { "a", me }, { "b", me, "" });
TWIN_SAFE_ONLY(me);
TWIN(me, "sched/current");
