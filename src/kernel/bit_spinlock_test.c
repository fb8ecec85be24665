/* SPDX-License-Identifier: MIT */
/* Do bit spinlocks exclude, is sleeping under one seen, and their deadlock
 * without a word from lockdep? */
#include "../base/twin.h"

static struct {
	unsigned long a, b;
	struct mutex mutex;
	int n;
} *w;

static unsigned long fixed;

static void setup(void)
{
	w = heddle_alloc_type("struct twin", sizeof(*w));
	mutex_init(&w->mutex);
}

/* --- exclusion; the bits beside it are untouched --------------------- */

static void increment(void *arg)
{
	if (!buggy())
		bit_spin_lock(1, &fixed);
	w->n++;
	set_bit(arg ? 2 : 3, &fixed);
	if (!buggy())
		bit_spin_unlock(1, &fixed);
}

static void increment_check(void)
{
	heddle_assert(w->n == 2);
	heddle_assert(fixed == (BIT(2) | BIT(3)));
	heddle_assert(!bit_spin_is_locked(1, &fixed));
}

#define exclusion_setup setup
TWIN_TASKS(exclusion, { "a", increment }, { "b", increment, "" });
TWIN_VARIANTS(exclusion, SHOWS(ASSERT), SHOWS(DATA_RACE));
TWIN(exclusion, "bit_spinlock/exclusion", .check = increment_check);

/* --- ABBA: a deadlock, and no report of lockdep ----------------------- */

static void abba(void *arg)
{
	bool turned = arg && buggy();
	unsigned long *x = turned ? &w->b : &w->a;
	unsigned long *y = turned ? &w->a : &w->b;

	bit_spin_lock(0, x);
	bit_spin_lock(63, y);
	w->n++;
	bit_spin_unlock(63, y);
	bit_spin_unlock(0, x);
}

static void other_bits(void *arg)
{
	bool turned = arg && buggy();

	/* two bits of one word are two locks */
	bit_spin_lock(turned ? 1 : 0, &w->a);
	bit_spin_lock(turned ? 0 : 1, &w->a);
	w->n++;
	bit_spin_unlock(0, &w->a);
	bit_spin_unlock(1, &w->a);
}

#define abba_setup setup
TWIN_TASKS(abba, { "ab", abba }, { "ab2", abba });
TWIN_SAFE_ONLY(abba);
TWIN(abba, "bit_spinlock/two words");

#define bits_setup setup
TWIN_TASKS(bits, { "ab", other_bits }, { "ba", other_bits, "" });
TWIN_VARIANTS(bits, SHOWS(DEADLOCK));
TWIN(bits, "bit_spinlock/ABBA");

/* --- with a lock that has a map on the stack -------------------------- */

static void under_mutex(void *arg)
{
	(void)arg;
	mutex_lock(&w->mutex);
	bit_spin_lock(0, &w->a);
	w->n++;
	bit_spin_unlock(0, &w->a);
	mutex_unlock(&w->mutex);
}

static void over_mutex(void *arg)
{
	(void)arg;
	bit_spin_lock(0, &w->a);
	if (buggy())
		mutex_lock(&w->mutex);
	w->n++;
	if (buggy())
		mutex_unlock(&w->mutex);
	bit_spin_unlock(0, &w->a);
}

#define sleeper_setup setup
TWIN_TASKS(sleeper, { "under", under_mutex }, { "over", over_mutex });
TWIN_VARIANTS(sleeper, SHOWS(SLEEP_ATOMIC), SHOWS(DEADLOCK));
TWIN(sleeper, "bit_spinlock/sleep inside");

/* --- trylock, and an unlock too many ---------------------------------- */

static void try_it(void *arg)
{
	bool got = bit_spin_trylock(0, &w->a);

	(void)arg;
	if (got) {
		w->n++;
	} else {
		heddle_mark("busy");
		might_sleep();
	}
	if (got)
		bit_spin_unlock(0, &w->a);
	if (buggy())
		bit_spin_unlock(0, &w->a);
	might_sleep();
}

static const char *const busy_goals[] = { "busy", NULL };
#define busy_setup setup
TWIN_TASKS(busy, { "a", try_it }, { "b", try_it });
/* somebody else's: the owner is then inside no more, and its unlock a BUG */
TWIN_VARIANTS(busy, SHOWS(BUG));
TWIN(busy, "bit_spinlock/trylock", .goals = busy_goals);
