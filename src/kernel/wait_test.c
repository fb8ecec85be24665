/* SPDX-License-Identifier: MIT */
/* Is no wake-up lost by the right protocol, and each lost one found? */
#include "../base/twin.h"

static struct {
	struct rcuwait wait;
	wait_queue_head_t queue;
	struct mutex lock;
	u32 flag, other;
	int n;
	struct task_struct *who;
} *w;

static DECLARE_WAIT_QUEUE_HEAD(fixed);

static void setup(void)
{
	w = heddle_alloc_type("struct twin", sizeof(*w));
	rcuwait_init(&w->wait);
	init_waitqueue_head(&w->queue);
	mutex_init(&w->lock);
}

/* --- rcuwait -------------------------------------------------------- */

static void rcu_waiter(void *arg)
{
	(void)arg;
	if (!buggy()) {
		rcuwait_wait_event(&w->wait, READ_ONCE(w->flag),
				   TASK_UNINTERRUPTIBLE);
		heddle_assert(READ_ONCE(w->flag));
		return;
	}
	/* the condition is tested before the waker can know of us */
	if (READ_ONCE(w->flag))
		return;
	prepare_to_rcuwait(&w->wait);
	set_current_state(TASK_UNINTERRUPTIBLE);
	schedule();
	finish_rcuwait(&w->wait);
}

static void rcu_waker(void *arg)
{
	(void)arg;
	WRITE_ONCE(w->flag, 1);
	if (rcuwait_wake_up(&w->wait))
		heddle_mark("woken");
}

static const char *const woken_goals[] = { "woken", NULL };
#define rcuwait_setup setup
TWIN_TASKS(rcuwait, { "wait", rcu_waiter }, { "wake", rcu_waker });
TWIN_VARIANTS(rcuwait, SHOWS(LOST_WAKEUP));
TWIN(rcuwait, "wait/rcuwait", .goals = woken_goals);

/* --- the same, spelt out -------------------------------------------- */

static void by_hand(void *arg)
{
	(void)arg;
	prepare_to_rcuwait(&w->wait);
	for (;;) {
		if (!buggy())
			set_current_state(TASK_UNINTERRUPTIBLE);
		if (READ_ONCE(w->flag))
			break;
		if (buggy())
			set_current_state(TASK_UNINTERRUPTIBLE);
		schedule();
	}
	finish_rcuwait(&w->wait);
}

#define byhand_setup setup
TWIN_TASKS(byhand, { "wait", by_hand }, { "wake", rcu_waker });
TWIN_VARIANTS(byhand, SHOWS(LOST_WAKEUP));
TWIN(byhand, "wait/state after the test", .goals = woken_goals);

/* --- the waker looks before it writes ------------------------------- */

static void good_waiter(void *arg)
{
	(void)arg;
	rcuwait_wait_event(&w->wait, READ_ONCE(w->flag) == 2,
			   TASK_UNINTERRUPTIBLE);
}

static void early_waker(void *arg)
{
	(void)arg;
	WRITE_ONCE(w->flag, 1);
	rcuwait_wake_up(&w->wait); /* too early: it must sleep again */
	if (buggy())
		rcuwait_wake_up(&w->wait);
	WRITE_ONCE(w->flag, 2);
	if (!buggy())
		rcuwait_wake_up(&w->wait);
}

#define early_setup setup
TWIN_TASKS(early, { "wait", good_waiter }, { "wake", early_waker });
TWIN_VARIANTS(early, SHOWS(LOST_WAKEUP));
TWIN(early, "wait/wake before the write");

/* --- nobody makes the condition true: a deadlock, not a lost wake-up  */

static void half_waker(void *arg)
{
	(void)arg;
	WRITE_ONCE(w->flag, buggy() ? 1 : 2);
	rcuwait_wake_up(&w->wait);
}

#define never_setup setup
TWIN_TASKS(never, { "wait", good_waiter }, { "wake", half_waker });
TWIN_VARIANTS(never, SHOWS(DEADLOCK));
TWIN(never, "wait/condition never true");

/* --- killable ------------------------------------------------------- */

static void killable_waiter(void *arg)
{
	(void)arg;
	if (rcuwait_wait_event(&w->wait, READ_ONCE(w->flag), TASK_KILLABLE)) {
		heddle_mark("killed");
		heddle_assert(!rcuwait_active(&w->wait));
		heddle_assert(!buggy());
		return;
	}
	heddle_mark("condition");
	heddle_assert(READ_ONCE(w->flag));
}

static const char *const killable_goals[] = { "killed", "condition", NULL };
#define killable_setup setup
TWIN_TASKS(killable, { "wait", killable_waiter }, { "wake", rcu_waker });
TWIN_VARIANTS(killable, SHOWS(ASSERT));
TWIN(killable, "wait/killable", .goals = killable_goals);

/* --- wait queues ---------------------------------------------------- */

static void queue_waiter(void *arg)
{
	DEFINE_WAIT(entry);

	(void)arg;
	if (!buggy()) {
		wait_event(fixed, READ_ONCE(w->flag));
		return;
	}
	prepare_to_wait(&fixed, &entry, TASK_UNINTERRUPTIBLE);
	if (!READ_ONCE(w->flag))
		schedule();
	finish_wait(&fixed, &entry);
	heddle_assert(READ_ONCE(w->flag)); /* woken is not: condition true */
}

static void queue_waker(void *arg)
{
	(void)arg;
	wake_up(&fixed);
	WRITE_ONCE(w->flag, 1);
	wake_up(&fixed);
}

static void queue_check(void)
{
	heddle_assert(!waitqueue_active(&fixed));
}

#define queue_setup setup
TWIN_TASKS(queue, { "wait", queue_waiter }, { "wait2", queue_waiter },
	   { "wake", queue_waker });
TWIN_VARIANTS(queue, SHOWS(ASSERT));
TWIN(queue, "wait/wait_event", .check = queue_check);

static void quiet_waker(void *arg)
{
	(void)arg;
	WRITE_ONCE(w->flag, 1);
	if (buggy() && !waitqueue_active(&w->queue))
		return;
	if (!buggy())
		wake_up(&w->queue);
	else
		heddle_mark("forgot");
}

static void event_waiter(void *arg)
{
	(void)arg;
	wait_event(w->queue, READ_ONCE(w->flag));
}

#define quiet_setup setup
TWIN_TASKS(quiet, { "wait", event_waiter }, { "wake", quiet_waker });
TWIN_VARIANTS(quiet, SHOWS(LOST_WAKEUP));
TWIN(quiet, "wait/no wake-up");

static void interruptible(void *arg)
{
	int err = wait_event_interruptible(w->queue, READ_ONCE(w->flag));

	(void)arg;
	if (err) {
		heddle_mark("interrupted");
		heddle_assert(err == -ERESTARTSYS);
		if (!buggy())
			return;
	}
	heddle_assert(READ_ONCE(w->flag));
}

static void event_waker(void *arg)
{
	(void)arg;
	WRITE_ONCE(w->flag, 1);
	wake_up_all(&w->queue);
}

static const char *const interruptible_goals[] = { "interrupted", NULL };
#define interruptible_setup setup
TWIN_TASKS(interruptible, { "wait", interruptible }, { "wake", event_waker });
TWIN_VARIANTS(interruptible, SHOWS(ASSERT));
TWIN(interruptible, "wait/interruptible", .goals = interruptible_goals);

/* --- sleeping with a lock that the waker needs ---------------------- */

static void locked_waiter(void *arg)
{
	(void)arg;
	if (buggy())
		mutex_lock(&w->lock);
	wait_event(w->queue, READ_ONCE(w->flag));
	if (buggy())
		mutex_unlock(&w->lock);
}

static void locked_waker(void *arg)
{
	mutex_lock(&w->lock);
	event_waker(arg);
	mutex_unlock(&w->lock);
}

#define locked_setup setup
TWIN_TASKS(locked, { "wait", locked_waiter }, { "wake", locked_waker });
TWIN_VARIANTS(locked, SHOWS(DEADLOCK));
TWIN(locked, "wait/with a lock held");

/* --- wake_up_process ------------------------------------------------ */

static void state_sleeper(void *arg)
{
	(void)arg;
	WRITE_ONCE(w->who, current);
	for (;;) {
		set_current_state(TASK_UNINTERRUPTIBLE);
		if (READ_ONCE(w->flag))
			break;
		schedule();
	}
	set_current_state(TASK_RUNNING);
}

static void state_waker(void *arg)
{
	struct task_struct *t = READ_ONCE(w->who);

	(void)arg;
	if (!buggy())
		WRITE_ONCE(w->flag, 1);
	t = READ_ONCE(w->who);
	if (buggy()) /* whoever came in between is not woken */
		WRITE_ONCE(w->flag, 1);
	if (t)
		wake_up_process(t);
}

#define state_setup setup
TWIN_TASKS(state, { "sleep", state_sleeper }, { "wake", state_waker });
TWIN_VARIANTS(state, SHOWS(LOST_WAKEUP));
TWIN(state, "wait/wake_up_process");
