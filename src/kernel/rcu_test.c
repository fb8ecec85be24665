/* SPDX-License-Identifier: MIT */
/* Does a grace period wait for the right readers, and only for them? */
#include "../base/twin.h"

struct node {
	int data;
	struct rcu_head rcu;
};

static struct node *head;
static struct {
	u32 step, done;
	struct node *spare;
	spinlock_t lock;
} *w;

static void setup(void)
{
	w = heddle_alloc_type("struct twin", sizeof(*w));
	spin_lock_init(&w->lock);
	head = kzalloc_obj(struct node);
	head->data = 42;
}

static void read_node(void *arg)
{
	struct node *n;

	(void)arg;
	rcu_read_lock();
	n = rcu_dereference(head);
	if (n) {
		heddle_mark("reader saw it");
		heddle_assert(READ_ONCE(n->data) == 42);
	} else {
		heddle_mark("reader saw nothing");
	}
	rcu_read_unlock();
}

static void free_node(struct rcu_head *rcu)
{
	heddle_mark("callback");
	kfree(container_of(rcu, struct node, rcu));
}

static const char *const rcu_goals[] = { "reader saw it",
					 "reader saw nothing", NULL };

/* --- call_rcu, kfree_rcu, synchronize_rcu against an immediate free - */

static void remove_call(void *arg)
{
	struct node *n = head;

	(void)arg;
	rcu_assign_pointer(head, NULL);
	if (buggy())
		kfree(n);
	else
		call_rcu(&n->rcu, free_node);
}

#define call_setup setup
TWIN_TASKS(call, { "remove", remove_call }, { "read", read_node });
TWIN_VARIANTS(call, SHOWS(USE_AFTER_FREE), SHOWS(ASSERT_RACE));
TWIN(call, "rcu/call_rcu", .goals = rcu_goals);

static void remove_kfree(void *arg)
{
	struct node *n = head;

	(void)arg;
	if (buggy())
		kfree_rcu(n, rcu); /* before it is out of reach */
	rcu_assign_pointer(head, NULL);
	if (!buggy())
		kfree_rcu(n, rcu);
}

#define kfree_setup setup
TWIN_TASKS(kfree, { "remove", remove_kfree }, { "read", read_node });
TWIN_VARIANTS(kfree, SHOWS(USE_AFTER_FREE), SHOWS(ASSERT_RACE));
TWIN(kfree, "rcu/kfree_rcu", .goals = rcu_goals);

static void remove_sync(void *arg)
{
	struct node *n = head;

	(void)arg;
	if (buggy())
		synchronize_rcu();
	rcu_assign_pointer(head, NULL);
	if (!buggy())
		synchronize_rcu();
	kfree(n);
}

#define sync_setup setup
TWIN_TASKS(sync, { "remove", remove_sync }, { "read", read_node },
	   { "read2", read_node });
TWIN_VARIANTS(sync, SHOWS(USE_AFTER_FREE), SHOWS(ASSERT_RACE));
TWIN(sync, "rcu/synchronize_rcu", .goals = rcu_goals);

/* --- nested sections: only the outermost counts --------------------- */

static void read_nested(void *arg)
{
	struct node *n;

	(void)arg;
	rcu_read_lock();
	n = rcu_dereference(head);
	rcu_read_lock();
	heddle_assert(rcu_read_lock_held());
	rcu_read_unlock();
	if (buggy())
		rcu_read_unlock();
	if (n)
		heddle_assert(READ_ONCE(n->data) == 42);
	if (!buggy())
		rcu_read_unlock();
}

static void remove_always(void *arg)
{
	struct node *n = head;

	(void)arg;
	rcu_assign_pointer(head, NULL);
	call_rcu(&n->rcu, free_node);
}

#define nested_setup setup
TWIN_TASKS(nested, { "remove", remove_always }, { "read", read_nested });
TWIN_VARIANTS(nested, SHOWS(USE_AFTER_FREE), SHOWS(ASSERT_RACE));
TWIN(nested, "rcu/nested sections");

/* --- later readers are not waited for ------------------------------- */

static void sync_then_step(void *arg)
{
	(void)arg;
	rcu_assign_pointer(w->spare, NULL);
	synchronize_rcu();
	WRITE_ONCE(w->step, 1);
}

static void late_reader(void *arg)
{
	bool before;

	(void)arg;
	rcu_read_lock();
	before = READ_ONCE(w->step);
	if (before)
		heddle_mark("later reader inside, period over");
	rcu_read_unlock();
}

static void blocking_reader(void *arg)
{
	(void)arg;
	rcu_read_lock();
	if (buggy())
		while (!READ_ONCE(w->step)) /* waits for who waits for it */
			cpu_relax();
	rcu_read_unlock();
}

static const char *const late_goals[] = { "later reader inside, period over",
					  NULL };
#define late_setup setup
static void late_check(void)
{
	kfree(head);
}
TWIN_TASKS(late, { "sync", sync_then_step }, { "late", late_reader },
	   { "reader", blocking_reader });
TWIN_VARIANTS(late, SHOWS(LIVELOCK));
TWIN(late, "rcu/later readers", .goals = late_goals, .check = late_check);

/* --- misuse --------------------------------------------------------- */

static void unbalanced(void *arg)
{
	u32 how = heddle_choose(3);

	(void)arg;
	if (how == 0) {
		if (!buggy())
			rcu_read_lock();
		rcu_read_unlock();
	} else if (how == 1) {
		if (!buggy())
			rcu_read_lock();
		(void)rcu_dereference(head);
		if (!buggy())
			rcu_read_unlock();
	} else {
		rcu_read_lock();
		if (!buggy())
			rcu_read_unlock();
		return_to_user();
	}
}

#define misuse_setup setup
TWIN_TASKS(misuse, { "a", unbalanced });
TWIN_VARIANTS(misuse, SHOWS(RCU_USAGE), SHOWS(HELD_AT_USER));
TWIN(misuse, "rcu/misuse");

static void sync_inside(void *arg)
{
	(void)arg;
	if (buggy())
		rcu_read_lock();
	synchronize_rcu();
	if (buggy())
		rcu_read_unlock();
}

#define inside_setup setup
TWIN_TASKS(inside, { "a", sync_inside });
TWIN_VARIANTS(inside, SHOWS(RCU_USAGE), SHOWS(DEADLOCK));
TWIN(inside, "rcu/synchronize_rcu inside");

static void sleep_inside(void *arg)
{
	(void)arg;
	rcu_read_lock();
	if (!buggy())
		rcu_read_unlock();
	might_sleep();
	if (buggy())
		rcu_read_unlock();
}

#define sleeps_setup setup
TWIN_TASKS(sleeps, { "a", sleep_inside });
TWIN_VARIANTS(sleeps, SHOWS(SLEEP_ATOMIC));
TWIN(sleeps, "rcu/sleep inside");

/* --- callbacks: all run, in order, in task context ------------------ */

static void mark_done(struct rcu_head *rcu)
{
	struct node *n = container_of(rcu, struct node, rcu);

	spin_lock(&w->lock);
	heddle_assert(w->done == (u32)n->data);
	w->done++;
	spin_unlock(&w->lock);
	kfree(n);
}

static void two_calls(void *arg)
{
	int i;

	(void)arg;
	for (i = 0; i < 2; i++) {
		struct node *n = kzalloc(sizeof(struct node),
					 GFP_KERNEL | __GFP_NOFAIL);

		n->data = i;
		call_rcu(&n->rcu, mark_done);
		if (buggy())
			call_rcu(&n->rcu, mark_done);
	}
}

static void calls_check(void)
{
	heddle_assert(w->done == 2);
	kfree(head);
}

#define calls_setup setup
TWIN_TASKS(calls, { "a", two_calls }, { "reader", late_reader });
TWIN_VARIANTS(calls, SHOWS(RCU_USAGE), SHOWS(USE_AFTER_FREE));
TWIN(calls, "rcu/callbacks", .check = calls_check);
