/* SPDX-License-Identifier: MIT */
/* Does a grace period of SRCU wait for the right sections of the right
 * structure, and is it ordered with locks? */
#include "../base/twin.h"

struct node {
	int data;
	struct rcu_head rcu;
};

static struct {
	struct srcu_struct srcu, other;
	struct mutex lock;
	struct node *head;
	struct completion done;
	spinlock_t spin;
	u32 step, ran;
} *w;

DEFINE_STATIC_SRCU(fixed);

static void setup(void)
{
	w = heddle_alloc_type("struct twin", sizeof(*w));
	heddle_assert(!init_srcu_struct(&w->srcu));
	heddle_assert(!init_srcu_struct(&w->other));
	mutex_init(&w->lock);
	spin_lock_init(&w->spin);
	init_completion(&w->done);
	w->head = kzalloc_obj(struct node);
	w->head->data = 42;
}

/* --- a reader that sleeps, against a free -------------------------------- */

static void read_node(void *arg)
{
	int idx = srcu_read_lock(&fixed);
	struct node *n = srcu_dereference(w->head, &fixed);

	(void)arg;
	if (n) {
		heddle_mark("reader saw it");
		might_sleep();
		mutex_lock(&w->lock);
		heddle_assert(READ_ONCE(n->data) == 42);
		mutex_unlock(&w->lock);
	} else {
		heddle_mark("reader saw nothing");
	}
	srcu_read_unlock(&fixed, idx);
}

static void remove_sync(void *arg)
{
	struct node *n = w->head;

	(void)arg;
	rcu_assign_pointer(w->head, NULL);
	if (!buggy())
		synchronize_srcu(&fixed);
	kfree(n);
}

static const char *const node_goals[] = { "reader saw it",
					  "reader saw nothing", NULL };
#define sync_setup setup
TWIN_TASKS(sync, { "remove", remove_sync }, { "read", read_node });
TWIN_VARIANTS(sync, SHOWS(USE_AFTER_FREE), SHOWS(ASSERT_RACE));
TWIN(sync, "srcu/synchronize", .goals = node_goals);

/* --- the period of another structure waits for nobody here --------------- */

static void remove_other(void *arg)
{
	struct node *n = w->head;

	(void)arg;
	rcu_assign_pointer(w->head, NULL);
	synchronize_srcu(buggy() ? &w->other : &fixed);
	kfree(n);
}

#define other_setup setup
TWIN_TASKS(other, { "remove", remove_other }, { "read", read_node },
	   { "read2", read_node });
TWIN_VARIANTS(other, SHOWS(USE_AFTER_FREE), SHOWS(ASSERT_RACE));
TWIN(other, "srcu/another structure", .goals = node_goals);

/* --- and RCU's does not wait for sections of SRCU ------------------------- */

static void remove_rcu(void *arg)
{
	struct node *n = w->head;

	(void)arg;
	rcu_assign_pointer(w->head, NULL);
	if (buggy())
		synchronize_rcu();
	else
		synchronize_srcu(&fixed);
	kfree(n);
}

#define flavour_setup setup
TWIN_TASKS(flavour, { "remove", remove_rcu }, { "read", read_node });
TWIN_VARIANTS(flavour, SHOWS(USE_AFTER_FREE), SHOWS(ASSERT_RACE));
TWIN(flavour, "srcu/synchronize_rcu instead", .goals = node_goals);

/* --- call_srcu -------------------------------------------------------------- */

static void free_node(struct rcu_head *rcu)
{
	heddle_mark("callback");
	kfree(container_of(rcu, struct node, rcu));
}

static void remove_call(void *arg)
{
	struct node *n = w->head;

	(void)arg;
	if (buggy()) /* before it is out of reach */
		call_srcu(&fixed, &n->rcu, free_node);
	rcu_assign_pointer(w->head, NULL);
	if (!buggy())
		call_srcu(&fixed, &n->rcu, free_node);
}

static const char *const call_goals[] = { "callback", "reader saw it",
					  "reader saw nothing", NULL };
#define call_setup setup
TWIN_TASKS(call, { "remove", remove_call }, { "read", read_node });
TWIN_VARIANTS(call, SHOWS(USE_AFTER_FREE), SHOWS(ASSERT_RACE));
TWIN(call, "srcu/call_srcu", .goals = call_goals);

static void count_run(struct rcu_head *rcu)
{
	(void)rcu;
	w->ran++;
}

/* Both kinds of callbacks run in one task, and neither waits for the other. */
static void both_calls(void *arg)
{
	struct node *a = kzalloc(sizeof(struct node), GFP_KERNEL | __GFP_NOFAIL);

	(void)arg;
	heddle_keep(a);
	call_rcu(&a->rcu, count_run);
	call_srcu(&w->srcu, &w->head->rcu, count_run);
	if (buggy())
		call_srcu(&w->srcu, &w->head->rcu, count_run);
}

static void long_reader(void *arg)
{
	int idx = srcu_read_lock(&w->srcu);

	(void)arg;
	WRITE_ONCE(w->step, 1);
	srcu_read_unlock(&w->srcu, idx);
}

static void both_check(void)
{
	heddle_assert(w->ran == 2 + buggy());
}

#define both_setup setup
TWIN_TASKS(both, { "call", both_calls }, { "read", long_reader });
TWIN_VARIANTS(both, SHOWS(RCU_USAGE));
TWIN(both, "srcu/with call_rcu", .check = both_check);

/* --- nested sections: the one entered later is not waited for --------------- */

static void two_sections(void *arg)
{
	int outer = srcu_read_lock(&w->srcu), inner;

	(void)arg;
	WRITE_ONCE(w->step, 1);
	inner = srcu_read_lock(&w->srcu);
	heddle_assert(srcu_read_lock_held(&w->srcu));
	srcu_read_unlock(&w->srcu, buggy() ? inner : outer);
	/* the waiter goes on while the inner section is open */
	if (READ_ONCE(w->step) == 1)
		wait_for_completion(&w->done);
	srcu_read_unlock(&w->srcu, buggy() ? outer : inner);
}

static void waits_for_outer(void *arg)
{
	(void)arg;
	if (READ_ONCE(w->step) == 1) {
		synchronize_srcu(&w->srcu);
		heddle_mark("waited");
	}
	complete(&w->done);
}

static void calls_later(void *arg)
{
	(void)arg;
	while (READ_ONCE(w->step) != 1)
		cpu_relax();
	/* after the outer one was entered, before or after the inner one */
	waits_for_outer(arg);
}

static const char *const outer_goals[] = { "waited", NULL };
#define nested_setup setup
TWIN_TASKS(nested, { "read", two_sections }, { "sync", calls_later });
static const struct heddle_variant nested_variants[] = {
	/* if it is called after the inner one was entered it waits for both */
	{ .name = "outer first", .expect = { SHOWS(DEADLOCK) },
	  .goals = outer_goals },
	{ .name = "inner first", .data = "", .expect = { SHOWS(DEADLOCK) } },
	{ .name = NULL },
};
TWIN(nested, "srcu/two sections");

/* --- later readers are not waited for ---------------------------------------- */

static void sync_then_step(void *arg)
{
	(void)arg;
	if (buggy())
		WRITE_ONCE(w->step, 1);
	synchronize_srcu(&w->srcu);
	WRITE_ONCE(w->step, 2);
}

static void late_reader(void *arg)
{
	int idx;

	(void)arg;
	while (buggy() && !READ_ONCE(w->step))
		cpu_relax();
	idx = srcu_read_lock(&w->srcu);
	if (buggy()) /* may have been entered before the call */
		while (READ_ONCE(w->step) != 2)
			cpu_relax();
	if (READ_ONCE(w->step) == 2)
		heddle_mark("inside, period over");
	srcu_read_unlock(&w->srcu, idx);
}

static const char *const late_goals[] = { "inside, period over", NULL };
#define late_setup setup
TWIN_TASKS(late, { "sync", sync_then_step }, { "late", late_reader });
TWIN_VARIANTS(late, SHOWS(LIVELOCK));
TWIN(late, "srcu/later readers", .goals = late_goals);

/* --- a lock that readers take inside: lockdep ---------------------------------- */

static void locking_reader(void *arg)
{
	int idx = srcu_read_lock(&w->srcu);

	(void)arg;
	mutex_lock(&w->lock);
	w->step++;
	mutex_unlock(&w->lock);
	srcu_read_unlock(&w->srcu, idx);
}

static void locked_sync(void *arg)
{
	(void)arg;
	mutex_lock(&w->lock);
	w->step++;
	if (!buggy())
		mutex_unlock(&w->lock);
	synchronize_srcu(&w->srcu);
	if (buggy())
		mutex_unlock(&w->lock);
}

#define locked_setup setup
TWIN_TASKS(locked, { "read", locking_reader }, { "sync", locked_sync });
TWIN_VARIANTS(locked, SHOWS(CIRCULAR), SHOWS(DEADLOCK));
TWIN(locked, "srcu/synchronize with a lock held");

static void sync_inside(void *arg)
{
	int idx = srcu_read_lock(&w->srcu);

	(void)arg;
	synchronize_srcu(buggy() ? &w->srcu : &w->other);
	srcu_read_unlock(&w->srcu, idx);
}

#define inside_setup setup
TWIN_TASKS(inside, { "a", sync_inside });
TWIN_VARIANTS(inside, SHOWS(RECURSIVE), SHOWS(DEADLOCK));
TWIN(inside, "srcu/synchronize inside");

/* --- misuse --------------------------------------------------------------------- */

static void misuse(void *arg)
{
	int idx = srcu_read_lock(&w->srcu);

	(void)arg;
	srcu_read_unlock(&w->srcu, buggy() ? idx + 1 : idx);
	idx = srcu_read_lock(buggy() ? &w->other : &fixed);
	(void)srcu_dereference(w->head, &fixed);
	srcu_read_unlock(buggy() ? &w->other : &fixed, idx);
}

#define misuse_setup setup
TWIN_TASKS(misuse, { "a", misuse });
TWIN_VARIANTS(misuse, SHOWS(RCU_USAGE));
TWIN(misuse, "srcu/misuse");

static void not_left(void *arg)
{
	int idx = srcu_read_lock(&w->srcu);

	(void)arg;
	if (!buggy())
		srcu_read_unlock(&w->srcu, idx);
	cleanup_srcu_struct(&w->srcu);
}

#define cleanup_setup setup
TWIN_TASKS(cleanup, { "a", not_left });
TWIN_VARIANTS(cleanup, SHOWS(WARN), SHOWS(HELD_AT_EXIT));
TWIN(cleanup, "srcu/cleanup");

static void atomic(void *arg)
{
	int idx;

	(void)arg;
	spin_lock(&w->spin);
	idx = srcu_read_lock(&w->srcu); /* allowed */
	srcu_read_unlock(&w->srcu, idx);
	if (!buggy())
		spin_unlock(&w->spin);
	synchronize_srcu(&w->srcu);
	if (buggy())
		spin_unlock(&w->spin);
}

#define atomic_setup setup
TWIN_TASKS(atomic, { "a", atomic });
TWIN_VARIANTS(atomic, SHOWS(SLEEP_ATOMIC));
TWIN(atomic, "srcu/in atomic context");
