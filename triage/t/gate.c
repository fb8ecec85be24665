/* SPDX-License-Identifier: MIT */
/* gate: users inside against an owner that shuts the gate, for mutate.t.
 *
 * Question: does every step of a small protocol have its reason?  A user enters
 * while the gate is open, and is counted; the owner shuts it, waits until the
 * last user has left, and replaces what the gate leads to.  Who only looks, does
 * so under RCU.  Clean; mutate.t breaks each step. */
#include <heddle/heddle.h>
#include <heddle/kernel.h>

struct thing {
	int value;
	struct rcu_head rcu;
};

struct gate {
	spinlock_t lock;
	bool shut;
	atomic_t inside;
	struct rcuwait wait;
	struct thing *thing;
};

static struct gate *only;

static struct thing *new_thing(void)
{
	struct thing *t = kzalloc(sizeof(struct thing),
				  GFP_KERNEL | __GFP_NOFAIL);

	heddle_keep(t); /* the gate owns it */
	return t;
}

static void setup(void)
{
	only = heddle_alloc(struct gate);
	spin_lock_init(&only->lock);
	rcuwait_init(&only->wait);
	only->thing = new_thing();
	only->thing->value = 1;
}

static bool enter(struct gate *g)
{
	bool open;

	spin_lock(&g->lock);
	open = !g->shut;
	if (open)
		atomic_inc(&g->inside);
	spin_unlock(&g->lock);
	return open;
}

static void leave(struct gate *g)
{
	if (atomic_dec_and_test(&g->inside))
		rcuwait_wake_up(&g->wait);
}

static void shut(struct gate *g)
{
	spin_lock(&g->lock);
	g->shut = true;
	spin_unlock(&g->lock);
	rcuwait_wait_event(&g->wait, atomic_read(&g->inside) == 0,
			   TASK_UNINTERRUPTIBLE);
}

static void replace(struct gate *g)
{
	struct thing *old = g->thing, *t = new_thing();

	t->value = 2;
	rcu_assign_pointer(g->thing, t);
	kfree_rcu(old, rcu);
}

static void owner(void *arg)
{
	shut(only);
	replace(only);
}

static void user(void *arg)
{
	if (!enter(only))
		return;
	heddle_mark("inside");
	heddle_assert(READ_ONCE(only->thing)->value == 1);
	leave(only);
}

static void looker(void *arg)
{
	rcu_read_lock();
	heddle_assert(rcu_dereference(only->thing)->value);
	rcu_read_unlock();
}

static const struct heddle_task tasks[] = {
	{ .name = "owner", .fn = owner },
	{ .name = "user", .fn = user },
	{ .name = "looker", .fn = looker },
	{ 0 },
};

static const struct heddle_variant variants[] = {
	{ .name = "whole", .title = "every step is there" },
	{ 0 },
};

static const char *const goals[] = { "inside", NULL };

HEDDLE_SCENARIO(gate) = {
	.name = "gate",
	.title = "users inside against an owner that shuts the gate",
	.source = "a shape of code, written for a test",
	.not_modelled = "anything else",
	.variants = variants,
	.tasks = tasks,
	.setup = setup,
	.goals = goals,
};
