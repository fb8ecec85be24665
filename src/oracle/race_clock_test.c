/* SPDX-License-Identifier: MIT */
/* What orders two accesses?  A twin for each edge: the safe form has it, the
 * buggy one lacks it in one place and shows exactly the race.  Under sequential
 * consistency most of them compute the right thing all the same: only the order
 * tells. */
#include "../base/twin.h"

struct thing {
	int value;
	struct rcu_head rcu;
};
static struct {
	int data, flag, other;
	struct thing *ptr;
	atomic_t count;
	spinlock_t spin;
	struct mutex mutex;
	struct rw_semaphore sem;
	struct rcuwait wait;
	wait_queue_head_t queue;
} *w;

static void setup(void)
{
	w = heddle_alloc_type("struct twin", sizeof(*w));
	spin_lock_init(&w->spin);
	mutex_init(&w->mutex);
	init_rwsem(&w->sem);
	rcuwait_init(&w->wait);
	init_waitqueue_head(&w->queue);
}

static struct thing *new_thing(int value)
{
	struct thing *t = kzalloc_obj(struct thing);

	heddle_keep(t);
	t->value = value;
	return t;
}

/* The buggy form shows a data race and nothing else. */
#define RACE(id, text)                       \
	TWIN_VARIANTS(id, SHOWS(DATA_RACE)); \
	TWIN(id, "race/" text)

/* --- release and acquire ------------------------------------------------- */

static void publish(void *arg)
{
	(void)arg;
	w->data = 42;
	if (buggy())
		WRITE_ONCE(w->flag, 1);
	else
		smp_store_release(&w->flag, 1);
}

static void consume(void *arg)
{
	(void)arg;
	if (smp_load_acquire(&w->flag))
		heddle_assert(w->data == 42);
}

#define release_setup setup
TWIN_TASKS(release, { "publish", publish }, { "consume", consume });
RACE(release, "missing release");

/* A double-checked initialisation; the check outside of the lock must acquire. */
static void init_once(void *arg)
{
	int done = buggy() ? READ_ONCE(w->flag) : smp_load_acquire(&w->flag);

	(void)arg;
	if (!done) {
		mutex_lock(&w->mutex);
		if (!w->flag) {
			w->data = 42;
			smp_store_release(&w->flag, 1);
		}
		mutex_unlock(&w->mutex);
	}
	heddle_assert(w->data == 42);
}

#define init_setup setup
TWIN_TASKS(init, { "a", init_once }, { "b", init_once });
RACE(init, "double-checked init without acquire");

/* Another store ends what was released; an RMW does not. */
static void publish_sequence(void *arg)
{
	(void)arg;
	w->data = 42;
	atomic_set_release(&w->count, 1);
}

static void goes_between(void *arg)
{
	(void)arg;
	if (atomic_read(&w->count) != 1)
		return;
	if (buggy())
		atomic_set(&w->count, 2);
	else
		atomic_cmpxchg_relaxed(&w->count, 1, 2);
}

static void consume_sequence(void *arg)
{
	(void)arg;
	if (atomic_read_acquire(&w->count) == 2)
		heddle_assert(w->data == 42);
}

#define sequence_setup setup
TWIN_TASKS(sequence, { "publish", publish_sequence }, { "between", goes_between },
	   { "consume", consume_sequence });
RACE(sequence, "release sequences");

/* A conditional RMW that fails is no acquire. */
static void give_one(void *arg)
{
	(void)arg;
	w->data = 42;
	atomic_set_release(&w->count, 1);
}

static void take_one(void *arg)
{
	int old = atomic_cmpxchg(&w->count, buggy() ? 7 : 1, 2);

	(void)arg;
	if (old == 1)
		heddle_assert(w->data == 42);
}

#define failed_setup setup
TWIN_TASKS(failed, { "give", give_one }, { "take", take_one });
RACE(failed, "failed cmpxchg");

/* --- fences -------------------------------------------------------------- */

static void publish_fence(void *arg)
{
	(void)arg;
	w->data = 42;
	if (!buggy())
		smp_wmb();
	WRITE_ONCE(w->flag, 1);
}

static void consume_fence(void *arg)
{
	(void)arg;
	if (!READ_ONCE(w->flag))
		return;
	smp_rmb();
	heddle_assert(w->data == 42);
}

#define wmb_setup setup
TWIN_TASKS(wmb, { "publish", publish_fence }, { "consume", consume_fence });
RACE(wmb, "smp_wmb");

static void publish_mb(void *arg)
{
	(void)arg;
	w->data = 42;
	smp_mb();
	WRITE_ONCE(w->flag, 1);
}

static void consume_no_fence(void *arg)
{
	(void)arg;
	if (!READ_ONCE(w->flag))
		return;
	if (!buggy())
		smp_mb();
	heddle_assert(w->data == 42);
}

#define mb_setup setup
TWIN_TASKS(mb, { "publish", publish_mb }, { "consume", consume_no_fence });
RACE(mb, "smp_mb on the reader's side");

/* A fence orders stores that follow it; one behind the store is too late. */
static void publish_late(void *arg)
{
	(void)arg;
	if (!buggy())
		w->data = 42;
	smp_wmb();
	if (buggy())
		w->data = 42;
	WRITE_ONCE(w->flag, 1);
}

#define late_setup setup
TWIN_TASKS(late, { "publish", publish_late }, { "consume", consume_fence });
RACE(late, "access behind the fence");

/* What depends on a marked load is written after it: control dependency. */
static void uses_and_leaves(void *arg)
{
	(void)arg;
	heddle_assert(w->data < 2);
	if (buggy())
		WRITE_ONCE(w->flag, 1);
	else
		smp_store_release(&w->flag, 1);
}

static void writes_if_left(void *arg)
{
	(void)arg;
	if (READ_ONCE(w->flag))
		w->data = 1;
}

#define control_setup setup
TWIN_TASKS(control, { "uses", uses_and_leaves }, { "writes", writes_if_left });
RACE(control, "control dependency");

/* --- locks --------------------------------------------------------------- */

static void adds(void *arg)
{
	(void)arg;
	if (!buggy())
		spin_lock(&w->spin);
	w->data++;
	if (!buggy())
		spin_unlock(&w->spin);
}

#define locked_setup setup
TWIN_TASKS(locked, { "a", adds }, { "b", adds });
RACE(locked, "unlock and lock");

/* Of two locks each is as good as none. */
static void adds_under(void *arg)
{
	if (arg || !buggy())
		mutex_lock(&w->mutex);
	else
		spin_lock(&w->spin);
	w->data++;
	if (arg || !buggy())
		mutex_unlock(&w->mutex);
	else
		spin_unlock(&w->spin);
}

#define two_setup setup
TWIN_TASKS(two, { "a", adds_under, "" }, { "b", adds_under });
RACE(two, "two different locks");

/* A trylock that failed orders nothing, not even behind an earlier unlock. */
static void locks_twice(void *arg)
{
	(void)arg;
	mutex_lock(&w->mutex);
	w->data = 42;
	mutex_unlock(&w->mutex);
	mutex_lock(&w->mutex);
	WRITE_ONCE(w->flag, 1);
	mutex_unlock(&w->mutex);
}

static void tries(void *arg)
{
	bool got;

	(void)arg;
	if (!READ_ONCE(w->flag))
		return;
	got = mutex_trylock(&w->mutex);
	if (got || buggy())
		heddle_assert(w->data == 42);
	if (got)
		mutex_unlock(&w->mutex);
}

#define trylock_setup setup
TWIN_TASKS(trylock, { "lock", locks_twice }, { "try", tries });
RACE(trylock, "trylock that failed");

/* Readers of an rwsem are ordered with writers, not with each other. */
static void reads_or_writes(void *arg)
{
	bool write = arg || !buggy();

	if (write)
		down_write(&w->sem);
	else
		down_read(&w->sem);
	w->data++;
	if (write)
		up_write(&w->sem);
	else
		up_read(&w->sem);
}

#define readers_setup setup
TWIN_TASKS(readers, { "a", reads_or_writes }, { "b", reads_or_writes });
RACE(readers, "rwsem readers that write");

static void reads_shared(void *arg)
{
	(void)arg;
	down_read(&w->sem);
	heddle_assert(w->data == w->other);
	up_read(&w->sem);
}

static void writes_both(void *arg)
{
	(void)arg;
	down_write(&w->sem);
	w->data++;
	w->other++;
	if (buggy()) {
		downgrade_write(&w->sem);
		w->other = w->data; /* readers are inside */
		up_read(&w->sem);
	} else {
		up_write(&w->sem);
	}
}

#define downgrade_setup setup
TWIN_TASKS(downgrade, { "write", writes_both }, { "r1", reads_shared },
	   { "r2", reads_shared });
RACE(downgrade, "write after a downgrade");

/* --- RCU ----------------------------------------------------------------- */

static void assign(void *arg)
{
	struct thing *t = kzalloc(sizeof(*t), GFP_KERNEL | __GFP_NOFAIL);

	(void)arg;
	heddle_keep(t);
	t->value = 42;
	if (buggy())
		RCU_INIT_POINTER(w->ptr, t);
	else
		rcu_assign_pointer(w->ptr, t);
}

static void dereference(void *arg)
{
	struct thing *t;

	(void)arg;
	rcu_read_lock();
	t = rcu_dereference(w->ptr);
	if (t)
		heddle_assert(t->value == 42);
	rcu_read_unlock();
}

#define assign_setup setup
TWIN_TASKS(assign, { "assign", assign }, { "read", dereference });
RACE(assign, "no rcu_assign_pointer");

/* After a grace period the object may be used for something else. */
static void gp_setup(void)
{
	setup();
	w->ptr = new_thing(42);
}

static void reuses(void *arg)
{
	struct thing *t = w->ptr;

	(void)arg;
	rcu_assign_pointer(w->ptr, NULL);
	if (!buggy())
		synchronize_rcu();
	t->value = 42;
}

TWIN_TASKS(gp, { "reuse", reuses }, { "read", dereference });
RACE(gp, "grace period before reuse");

static void frees_it(struct rcu_head *head)
{
	struct thing *t = container_of(head, struct thing, rcu);

	t->value = 0;
	kfree(t);
}

static void calls(void *arg)
{
	struct thing *t = w->ptr;

	(void)arg;
	if (!buggy())
		rcu_assign_pointer(w->ptr, NULL);
	call_rcu(&t->rcu, frees_it);
}

/* A section that began after the call is not waited for: it must not find the
 * object any more. */
#define callback_setup gp_setup
TWIN_TASKS(callback, { "call", calls }, { "read", dereference });
TWIN_VARIANTS(callback, SHOWS(DATA_RACE), SHOWS(ASSERT_RACE), SHOWS(ASSERT),
	      SHOWS(USE_AFTER_FREE));
TWIN(callback, "race/call_rcu");

/* A section that begins after the start of a grace period sees what came before
 * that, without any other order. */
static void before_gp(void *arg)
{
	(void)arg;
	w->data = 42;
	if (!buggy())
		synchronize_rcu();
	WRITE_ONCE(w->flag, 1);
}

static void in_later_section(void *arg)
{
	(void)arg;
	rcu_read_lock();
	if (READ_ONCE(w->flag))
		heddle_assert(w->data == 42);
	rcu_read_unlock();
}

#define law_setup setup
TWIN_TASKS(law, { "gp", before_gp }, { "read", in_later_section });
RACE(law, "section after the start of a grace period");

/* --- sleeping ------------------------------------------------------------ */

static void wakes(void *arg)
{
	(void)arg;
	w->data = 42;
	WRITE_ONCE(w->flag, 1);
	rcuwait_wake_up(&w->wait);
}

/* The wake-up orders; a condition that was true at once does not. */
static void sleeps(void *arg)
{
	(void)arg;
	if (!buggy() && READ_ONCE(w->flag))
		return;
	if (buggy()) {
		rcuwait_wait_event(&w->wait, READ_ONCE(w->flag),
				   TASK_UNINTERRUPTIBLE);
	} else {
		rcuwait_wait_event(&w->wait, smp_load_acquire(&w->flag),
				   TASK_UNINTERRUPTIBLE);
		return;
	}
	heddle_assert(w->data == 42);
}

#define wake_setup setup
TWIN_TASKS(wake, { "wake", wakes }, { "sleep", sleeps });
RACE(wake, "condition read without acquire");

static struct task_struct *sleeper;

static void wakes_task(void *arg)
{
	(void)arg;
	if (!buggy())
		w->data = 42;
	while (!wake_up_process(READ_ONCE(sleeper)))
		cpu_relax();
	if (buggy())
		w->data = 42;
}

static void sleeps_once(void *arg)
{
	(void)arg;
	set_current_state(TASK_UNINTERRUPTIBLE);
	schedule();
	heddle_assert(w->data == 42 || buggy());
}

static void by_name(void *arg)
{
	(void)arg;
	WRITE_ONCE(sleeper, current);
	sleeps_once(arg);
}

static void wakes_named(void *arg)
{
	while (!READ_ONCE(sleeper))
		cpu_relax();
	wakes_task(arg);
}

#define order_setup setup
TWIN_TASKS(order, { "wake", wakes_named }, { "sleep", by_name });
RACE(order, "wake-up orders");

/* Who locks behind an unlock hands on what was unlocked, by a plain marked store
 * (po-unlock-lock-po of the LKMM). */
static void unlocks(void *arg)
{
	(void)arg;
	if (!buggy())
		w->data = 42;
	spin_lock(&w->spin);
	w->other = 1;
	spin_unlock(&w->spin);
	if (buggy())
		w->data = 42;
}

static void hands_on(void *arg)
{
	(void)arg;
	spin_lock(&w->spin);
	heddle_unlock_lock_orders();
	if (w->other)
		WRITE_ONCE(w->flag, 1);
	spin_unlock(&w->spin);
}

static void reads_handed_on(void *arg)
{
	(void)arg;
	if (smp_load_acquire(&w->flag))
		heddle_assert(w->data == 42 || buggy());
}

#define hand_on_setup setup
TWIN_TASKS(hand_on, { "one", unlocks }, { "two", hands_on },
	   { "three", reads_handed_on });
RACE(hand_on, "unlock, then lock, then a marked store");

/* The word of an rcuwait is only read by who wakes: the wake-up itself orders. */
static void wakes_rcuwait(void *arg)
{
	(void)arg;
	if (!buggy())
		w->data = 42;
	while (!rcuwait_wake_up(&w->wait))
		cpu_relax();
	if (buggy())
		w->data = 42;
}

static void sleeps_rcuwait(void *arg)
{
	(void)arg;
	hd_rcuwait_prepare(&w->wait, TASK_UNINTERRUPTIBLE);
	schedule();
	heddle_assert(w->data == 42 || buggy());
}

#define rcuwait_setup setup
TWIN_TASKS(rcuwait, { "wake", wakes_rcuwait }, { "sleep", sleeps_rcuwait });
RACE(rcuwait, "wake-up by rcuwait orders");
