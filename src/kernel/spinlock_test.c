/* SPDX-License-Identifier: MIT */
/* Do spinlocks exclude, and is sleeping under one seen? */
#include "../base/twin.h"

static struct {
	spinlock_t lock, other;
	struct mutex mutex;
	int n;
	u32 ready;
} *w;

static DEFINE_SPINLOCK(fixed);

static void setup(void)
{
	w = heddle_alloc_type("struct twin", sizeof(*w));
	spin_lock_init(&w->lock);
	spin_lock_init(&w->other);
	mutex_init(&w->mutex);
}

static void increment(void *arg)
{
	unsigned long flags;

	(void)arg;
	if (!buggy())
		spin_lock_irqsave(&fixed, flags);
	w->n++;
	if (!buggy())
		spin_unlock_irqrestore(&fixed, flags);
}

static void increment_check(void)
{
	heddle_assert(w->n == 3);
}

#define exclusion_setup setup
TWIN_TASKS(exclusion, { "a", increment }, { "b", increment },
	   { "c", increment });
TWIN_VARIANTS(exclusion, SHOWS(ASSERT), SHOWS(DATA_RACE));
TWIN(exclusion, "spinlock/exclusion", .check = increment_check);

/* --- a trylock that fails must not be unlocked ---------------------- */

static void try_it(void *arg)
{
	bool got = spin_trylock(&w->lock);

	(void)arg;
	if (got)
		w->n++;
	else
		heddle_mark("busy");
	if (got || buggy())
		spin_unlock(&w->lock);
}

static const char *const busy_goals[] = { "busy", NULL };
#define busy_setup setup
TWIN_TASKS(busy, { "a", try_it }, { "b", try_it });
TWIN_VARIANTS(busy, SHOWS(UNBALANCE));
TWIN(busy, "spinlock/trylock", .goals = busy_goals);

/* --- sleeping in atomic context ------------------------------------- */

static void sleeper(void *arg)
{
	(void)arg;
	spin_lock(&w->lock);
	if (buggy())
		mutex_lock(&w->mutex);
	w->n++;
	if (buggy())
		mutex_unlock(&w->mutex);
	spin_unlock(&w->lock);
	mutex_lock(&w->mutex);
	mutex_unlock(&w->mutex);
}

#define sleeper_setup setup
TWIN_TASKS(sleeper, { "a", sleeper }, { "b", sleeper });
TWIN_VARIANTS(sleeper, SHOWS(SLEEP_ATOMIC), SHOWS(WAIT_CONTEXT));
TWIN(sleeper, "spinlock/sleep inside");

/* --- two of a class need a subclass --------------------------------- */

static spinlock_t *pair;

static void pair_setup(void)
{
	int i;

	pair = heddle_alloc_type("struct pair", 2 * sizeof(*pair));
	for (i = 0; i < 2; i++)
		spin_lock_init(&pair[i]);
}

static void both(void *arg)
{
	(void)arg;
	spin_lock(&pair[0]);
	if (buggy())
		spin_lock(&pair[1]);
	else
		spin_lock_nested(&pair[1], SINGLE_DEPTH_NESTING);
	spin_unlock(&pair[1]);
	spin_unlock(&pair[0]);
}

TWIN_TASKS(pair, { "a", both }, { "b", both });
TWIN_VARIANTS(pair, SHOWS(RECURSIVE));
TWIN(pair, "spinlock/nested");
