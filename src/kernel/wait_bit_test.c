/* SPDX-License-Identifier: MIT */
/* Is whoever sleeps on a bit woken, and found when nobody wakes it? */
#include "../base/twin.h"

static struct {
	unsigned long flags;
	spinlock_t lock;
	int n;
} *w;

static unsigned long fixed;

static void setup(void)
{
	w = heddle_alloc_type("struct twin", sizeof(*w));
	spin_lock_init(&w->lock);
}

/* --- the bit as a lock ------------------------------------------------ */

static void lock_section(void *arg)
{
	(void)arg;
	heddle_assert(!wait_on_bit_lock(&fixed, 3, TASK_UNINTERRUPTIBLE));
	w->n++;
	if (!buggy()) {
		clear_and_wake_up_bit(3, &fixed);
		return;
	}
	clear_bit_unlock(3, &fixed); /* and nobody is told */
}

static void lock_check(void)
{
	heddle_assert(w->n == 3 && !fixed);
}

#define lock_setup setup
TWIN_TASKS(lock, { "a", lock_section }, { "b", lock_section },
	   { "c", lock_section });
TWIN_VARIANTS(lock, SHOWS(LOST_WAKEUP));
TWIN(lock, "wait_bit/lock", .check = lock_check);

static void no_lock(void *arg)
{
	(void)arg;
	if (!buggy())
		heddle_assert(!wait_on_bit_lock(&w->flags, 0,
						TASK_UNINTERRUPTIBLE));
	w->n++;
	if (!buggy())
		clear_and_wake_up_bit(0, &w->flags);
}

static void two_check(void)
{
	heddle_assert(w->n == 2);
}

#define exclusion_setup setup
TWIN_TASKS(exclusion, { "a", no_lock }, { "b", no_lock });
TWIN_VARIANTS(exclusion, SHOWS(ASSERT), SHOWS(DATA_RACE));
TWIN(exclusion, "wait_bit/exclusion", .check = two_check);

/* --- two bits, opposite orders: nothing but a deadlock ---------------- */

static void abba(void *arg)
{
	int first = arg && buggy() ? 1 : 0;

	heddle_assert(!wait_on_bit_lock(&w->flags, first,
					TASK_UNINTERRUPTIBLE));
	heddle_assert(!wait_on_bit_lock(&w->flags, !first,
					TASK_UNINTERRUPTIBLE));
	clear_and_wake_up_bit(!first, &w->flags);
	clear_and_wake_up_bit(first, &w->flags);
}

#define abba_setup setup
TWIN_TASKS(abba, { "ab", abba }, { "ba", abba, "" });
TWIN_VARIANTS(abba, SHOWS(DEADLOCK));
TWIN(abba, "wait_bit/ABBA");

/* --- waiting without taking it: all are woken -------------------------- */

static void busy_setup(void)
{
	setup();
	set_bit(5, &w->flags);
}

static void waiter(void *arg)
{
	(void)arg;
	heddle_assert(!wait_on_bit(&w->flags, 5, TASK_UNINTERRUPTIBLE));
	heddle_assert(READ_ONCE(w->n) == 1);
}

static void done(void *arg)
{
	(void)arg;
	if (!buggy())
		WRITE_ONCE(w->n, 1);
	clear_and_wake_up_bit(5, &w->flags);
	if (buggy())
		WRITE_ONCE(w->n, 1);
}

TWIN_TASKS(busy, { "a", waiter }, { "b", waiter }, { "done", done });
TWIN_VARIANTS(busy, SHOWS(ASSERT));
TWIN(busy, "wait_bit/wait");

static void early(void *arg)
{
	(void)arg;
	if (buggy())
		wake_up_bit(&w->flags, 5);
	WRITE_ONCE(w->n, 1);
	clear_bit_unlock(5, &w->flags);
	if (!buggy())
		wake_up_bit(&w->flags, 5);
}

#define early_setup busy_setup
TWIN_TASKS(early, { "a", waiter }, { "done", early });
TWIN_VARIANTS(early, SHOWS(LOST_WAKEUP));
TWIN(early, "wait_bit/wake before the bit is clear");

/* --- interrupted ------------------------------------------------------- */

static void killable(void *arg)
{
	int err = wait_on_bit_lock(&w->flags, 0, TASK_KILLABLE);

	(void)arg;
	if (err) {
		heddle_mark("killed");
		heddle_assert(err == -EINTR);
		if (!buggy())
			return;
	}
	w->n++;
	clear_and_wake_up_bit(0, &w->flags);
}

static void interruptible(void *arg)
{
	int err = wait_on_bit(&w->flags, 0, TASK_INTERRUPTIBLE);

	(void)arg;
	if (err)
		heddle_mark("interrupted");
	else
		heddle_mark("seen clear");
}

static void owner(void *arg)
{
	(void)arg;
	heddle_assert(!wait_on_bit_lock(&w->flags, 0, TASK_UNINTERRUPTIBLE));
	w->n++;
	heddle_assert(test_bit(0, &w->flags));
	clear_and_wake_up_bit(0, &w->flags);
}

static const char *const killed_goals[] = { "killed", "interrupted",
					    "seen clear", NULL };
#define killed_setup setup
TWIN_TASKS(killed, { "kill", killable }, { "wait", interruptible },
	   { "owner", owner });
TWIN_VARIANTS(killed, SHOWS(ASSERT), SHOWS(DATA_RACE));
TWIN(killed, "wait_bit/killable", .goals = killed_goals);

/* --- not in atomic context --------------------------------------------- */

static void atomic(void *arg)
{
	(void)arg;
	if (buggy())
		spin_lock(&w->lock);
	heddle_assert(!wait_on_bit(&w->flags, 0, TASK_UNINTERRUPTIBLE));
	if (buggy())
		spin_unlock(&w->lock);
}

#define atomic_setup setup
TWIN_TASKS(atomic, { "a", atomic });
TWIN_VARIANTS(atomic, SHOWS(SLEEP_ATOMIC));
TWIN(atomic, "wait_bit/in atomic context");
