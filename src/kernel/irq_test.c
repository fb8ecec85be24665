/* SPDX-License-Identifier: MIT */
/* Do interrupts come where they may and nowhere else, and is what must not be
 * done in one seen? */
#include "../base/twin.h"

static struct {
	spinlock_t lock, other;
	struct mutex mutex;
	int n, private;
	u32 done, ready;
	struct rcuwait wait;
} *w;

static void setup(void)
{
	w = heddle_alloc_type("struct twin", sizeof(*w));
	spin_lock_init(&w->lock);
	spin_lock_init(&w->other);
	mutex_init(&w->mutex);
	rcuwait_init(&w->wait);
}

#define HARDIRQ(name, fn) { name, fn, NULL, HEDDLE_HARDIRQ, "host" }
#define SOFTIRQ(name, fn) { name, fn, NULL, HEDDLE_SOFTIRQ, "host" }

static void locked_increment(void *arg)
{
	(void)arg;
	spin_lock(&w->lock);
	w->n++;
	spin_unlock(&w->lock);
}

/* --- a lock that a handler takes ------------------------------------- */

static void holder(void *arg)
{
	unsigned long flags = 0;

	(void)arg;
	if (buggy())
		spin_lock(&w->lock);
	else
		spin_lock_irqsave(&w->lock, flags);
	w->n++;
	if (buggy())
		spin_unlock(&w->lock);
	else
		spin_unlock_irqrestore(&w->lock, flags);
}

#define holder_setup setup
TWIN_TASKS(holder, { "host", holder }, HARDIRQ("irq", locked_increment));
TWIN_VARIANTS(holder, SHOWS(DEADLOCK), SHOWS(INCONSISTENT));
TWIN(holder, "irq/lock taken in a hardirq");

static void bh_holder(void *arg)
{
	(void)arg;
	if (buggy())
		spin_lock(&w->lock);
	else
		spin_lock_bh(&w->lock);
	w->n++;
	if (buggy())
		spin_unlock(&w->lock);
	else
		spin_unlock_bh(&w->lock);
}

#define bh_holder_setup setup
TWIN_TASKS(bh_holder, { "host", bh_holder }, SOFTIRQ("soft", locked_increment));
TWIN_VARIANTS(bh_holder, SHOWS(DEADLOCK), SHOWS(INCONSISTENT));
TWIN(bh_holder, "irq/lock taken in a softirq");

/* Softirqs off do not keep a hardirq away; irq and trylock forms do. */
static void half_holder(void *arg)
{
	(void)arg;
	if (buggy() ? spin_trylock_bh(&w->lock) : spin_trylock_irq(&w->lock)) {
		w->n++;
		if (buggy())
			spin_unlock_bh(&w->lock);
		else
			spin_unlock_irq(&w->lock);
	}
}

#define half_holder_setup setup
TWIN_TASKS(half_holder, { "host", half_holder },
	   HARDIRQ("irq", locked_increment));
TWIN_VARIANTS(half_holder, SHOWS(DEADLOCK), SHOWS(INCONSISTENT));
TWIN(half_holder, "irq/hardirq where softirqs are off");

/* --- the handler's own lock under a nested hardirq ------------------- */

static void soft_holder(void *arg)
{
	unsigned long flags = 0;

	(void)arg;
	if (buggy())
		spin_lock(&w->lock);
	else
		spin_lock_irqsave(&w->lock, flags);
	w->n++;
	if (buggy())
		spin_unlock(&w->lock);
	else
		spin_unlock_irqrestore(&w->lock, flags);
}

static void bystander(void *arg)
{
	(void)arg;
	data_race(w->private++);
}

#define nested_setup setup
TWIN_TASKS(nested, { "host", bystander }, SOFTIRQ("soft", soft_holder),
	   HARDIRQ("irq", locked_increment));
TWIN_VARIANTS(nested, SHOWS(DEADLOCK), SHOWS(INCONSISTENT));
TWIN(nested, "irq/hardirq over a softirq");

/* Two handlers of one kind do not nest: no lock is needed between them. */

static void all_came(void)
{
	heddle_mark("checked");
	heddle_assert(w->n == (int)w->done);
}

static void counted_increment(void *arg)
{
	(void)arg;
	w->n++;
	w->done++;
}

#define hardirqs_setup setup
TWIN_TASKS(hardirqs, { "host", bystander }, SOFTIRQ("soft", bystander),
	   HARDIRQ("one", counted_increment),
	   HARDIRQ("two", counted_increment));
TWIN_SAFE_ONLY(hardirqs);
TWIN(hardirqs, "irq/hardirqs do not nest", .check = all_came);

#define softirqs_setup setup
TWIN_TASKS(softirqs, { "host", bystander },
	   SOFTIRQ("one", counted_increment),
	   SOFTIRQ("two", counted_increment), HARDIRQ("irq", bystander));
TWIN_SAFE_ONLY(softirqs);
TWIN(softirqs, "irq/softirqs do not nest", .check = all_came);

/* --- plain data of host and handler ---------------------------------- */

static void host_increment(void *arg)
{
	unsigned long flags = 0;

	(void)arg;
	if (!buggy())
		local_irq_save(flags);
	w->n++;
	w->done++;
	if (!buggy())
		local_irq_restore(flags);
}

#define counter_setup setup
TWIN_TASKS(counter, { "host", host_increment },
	   HARDIRQ("irq", counted_increment));
TWIN_VARIANTS(counter, SHOWS(ASSERT), SHOWS(DATA_RACE));
TWIN(counter, "irq/counter of host and hardirq", .check = all_came);

static void host_increment_bh(void *arg)
{
	(void)arg;
	local_bh_disable();
	local_bh_disable();
	local_bh_enable();
	if (buggy())
		local_bh_enable();
	w->n++;
	w->done++;
	if (!buggy())
		local_bh_enable();
}

#define bh_counter_setup setup
TWIN_TASKS(bh_counter, { "host", host_increment_bh },
	   SOFTIRQ("soft", counted_increment));
TWIN_VARIANTS(bh_counter, SHOWS(ASSERT), SHOWS(DATA_RACE));
TWIN(bh_counter, "irq/softirqs off nest", .check = all_came);

/* The last moment: behind the load, before interrupts are off.  The op that
 * follows concerns the host alone. */
static void last_moment(void *arg)
{
	int n = 0;

	(void)arg;
	w->private++;
	if (buggy())
		n = READ_ONCE(w->n);
	local_irq_disable();
	w->private++;
	w->done++;
	if (!buggy())
		n = READ_ONCE(w->n);
	WRITE_ONCE(w->n, n + 1);
	w->private++;
	local_irq_enable();
}

#define last_moment_setup setup
TWIN_TASKS(last_moment, { "host", last_moment },
	   HARDIRQ("irq", counted_increment));
TWIN_VARIANTS(last_moment, SHOWS(ASSERT), SHOWS(DATA_RACE));
TWIN(last_moment, "irq/the moment before interrupts are off",
     .check = all_came);

/* --- an interrupt comes after its host's end, and need not come ------- */

static void frees(void *arg)
{
	(void)arg;
	if (buggy())
		WRITE_ONCE(w->n, 1);
	heddle_mark("host");
}

static void late(void *arg)
{
	(void)arg;
	heddle_assert(READ_ONCE(w->n) == 0);
	heddle_mark("came");
}

static void did_not_come(void)
{
	if (!w->done)
		heddle_mark("did not come");
}

static void late_and_counted(void *arg)
{
	late(arg);
	w->done++;
}

static const char *const late_goals[] = { "came", "did not come", "host",
					  NULL };
#define late_setup setup
TWIN_TASKS(late, { "host", frees }, HARDIRQ("irq", late_and_counted));
TWIN_VARIANTS(late, SHOWS(ASSERT));
TWIN(late, "irq/after the end of its host", .check = did_not_come,
     .goals = late_goals);

/* One that is waited for comes. */
static void waits(void *arg)
{
	(void)arg;
	rcuwait_wait_event(&w->wait, READ_ONCE(w->ready),
			   TASK_UNINTERRUPTIBLE);
}

static void completes(void *arg)
{
	(void)arg;
	if (!buggy())
		WRITE_ONCE(w->ready, 1);
	rcuwait_wake_up(&w->wait);
}

#define awaited_setup setup
TWIN_TASKS(awaited, { "host", waits }, HARDIRQ("irq", completes));
TWIN_VARIANTS(awaited, SHOWS(DEADLOCK));
TWIN(awaited, "irq/the sleeper's interrupt");

/* --- atomic contexts ------------------------------------------------- */

static void sleeps(void *arg)
{
	(void)arg;
	if (buggy())
		mutex_lock(&w->mutex);
	w->n++;
	if (buggy())
		mutex_unlock(&w->mutex);
}

#define sleeps_setup setup
TWIN_TASKS(sleeps, { "host", bystander }, SOFTIRQ("soft", sleeps));
TWIN_VARIANTS(sleeps, SHOWS(SLEEP_ATOMIC), SHOWS(WAIT_CONTEXT));
TWIN(sleeps, "irq/sleeping in a softirq");

static void sleeps_with_irqs_off(void *arg)
{
	unsigned long flags;

	(void)arg;
	local_irq_save(flags);
	if (buggy())
		might_sleep();
	local_irq_restore(flags);
	might_sleep();
	local_bh_disable();
	if (buggy())
		might_sleep();
	local_bh_enable();
	might_sleep();
}

#define off_setup setup
TWIN_TASKS(off, { "a", sleeps_with_irqs_off });
TWIN_VARIANTS(off, SHOWS(SLEEP_ATOMIC));
TWIN(off, "irq/sleeping with interrupts off");

static void exits(void *arg)
{
	unsigned long flags;

	(void)arg;
	w->private++;
	local_irq_save(flags);
	w->private++;
	if (!buggy())
		local_irq_restore(flags);
}

static void returns(void *arg)
{
	(void)arg;
	local_bh_disable();
	w->n++;
	if (!buggy())
		local_bh_enable();
	return_to_user();
	if (buggy())
		local_bh_enable();
}

#define exits_setup setup
TWIN_TASKS(exits, { "host", exits });
TWIN_VARIANTS(exits, SHOWS(WARN));
TWIN(exits, "irq/interrupts off at exit");

#define returns_setup setup
TWIN_TASKS(returns, { "host", returns });
TWIN_VARIANTS(returns, SHOWS(WARN));
TWIN(returns, "irq/softirqs off at return to user");

static void enables(void *arg)
{
	unsigned long flags;

	(void)arg;
	spin_lock_irqsave(&w->lock, flags);
	w->n++;
	if (buggy())
		spin_unlock_irq(&w->lock);
	else
		spin_unlock_irqrestore(&w->lock, flags);
}

#define enables_setup setup
TWIN_TASKS(enables, { "host", bystander }, HARDIRQ("irq", enables));
TWIN_VARIANTS(enables, SHOWS(WARN));
TWIN(enables, "irq/interrupts on in a hardirq");

static void bh_under_irqs_off(void *arg)
{
	(void)arg;
	local_bh_disable();
	w->n++;
	if (buggy())
		local_irq_disable();
	local_bh_enable();
	if (buggy())
		local_irq_enable();
}

#define bh_setup setup
TWIN_TASKS(bh, { "a", bh_under_irqs_off });
TWIN_VARIANTS(bh, SHOWS(WARN));
TWIN(bh, "irq/softirqs on where interrupts are off");

/* --- who is where ---------------------------------------------------- */

static void in_host(void *arg)
{
	(void)arg;
	heddle_assert(in_task() && !in_interrupt() && !in_atomic());
	w->private++;
	local_bh_disable();
	heddle_assert(in_softirq() && in_interrupt() && !in_serving_softirq());
	w->private++;
	local_bh_enable();
	local_irq_disable();
	heddle_assert(irqs_disabled() && !in_interrupt() && !in_atomic());
	w->private++;
	local_irq_enable();
}

static void in_soft(void *arg)
{
	(void)arg;
	w->n++;
	heddle_assert(in_serving_softirq() && in_softirq() && in_atomic());
	heddle_assert(!in_hardirq() && !in_task() && !irqs_disabled());
	heddle_assert(current->pid == 0);
}

static void in_hard(void *arg)
{
	(void)arg;
	w->done++;
	heddle_assert(in_hardirq() && in_interrupt() && irqs_disabled());
	heddle_assert(!in_serving_softirq() && !in_task());
	if (in_softirq())
		heddle_mark("softirqs off, or in one");
	else
		heddle_mark("over a task");
}

static const char *const where_goals[] = { "softirqs off, or in one",
					   "over a task", NULL };
#define where_setup setup
TWIN_TASKS(where, { "host", in_host }, SOFTIRQ("soft", in_soft),
	   HARDIRQ("irq", in_hard));
TWIN_SAFE_ONLY(where);
TWIN(where, "irq/who is where", .goals = where_goals);
