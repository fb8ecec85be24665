/* SPDX-License-Identifier: MIT */
/* What a first user pastes (first_use.t): locks and data that are static, one
 * lock taken with interrupts off first and then with them on, a claim behind
 * another access, a completion waited for under a lock, a grace period waited for
 * by its reader, a subclass too high, and an object that is allocated as kernel
 * code does, with sizeof(*f). */
#include <heddle/heddle.h>
#include <heddle/kernel.h>

static DEFINE_SPINLOCK(dev_lock);
static DEFINE_MUTEX(cfg_mutex);
static DECLARE_COMPLETION(probed);
static int *cfg, users, errors;

static void submit(void *arg)
{
	unsigned long flags;

	(void)arg;
	spin_lock_irqsave(&dev_lock, flags);
	spin_unlock_irqrestore(&dev_lock, flags);
	spin_lock(&dev_lock);
	spin_unlock(&dev_lock);
}

static void isr(void *arg)
{
	(void)arg;
	spin_lock(&dev_lock);
	spin_unlock(&dev_lock);
}

static const struct heddle_task irq_tasks[] = {
	{ .name = "submit", .fn = submit },
	{ .name = "isr", .fn = isr, .irq = HEDDLE_HARDIRQ, .on = "submit" },
	{ 0 },
};

static void get_cfg(void *arg)
{
	(void)arg;
	if (!cfg)
		cfg = &errors;
	ASSERT_EXCLUSIVE_WRITER(users);
	errors++;
}

static const struct heddle_task race_tasks[] = {
	{ .name = "t1", .fn = get_cfg }, { .name = "t2", .fn = get_cfg }, { 0 },
};

static void waiter(void *arg)
{
	(void)arg;
	mutex_lock(&cfg_mutex);
	wait_for_completion(&probed);
	mutex_unlock(&cfg_mutex);
}

static void prober(void *arg)
{
	(void)arg;
	mutex_lock(&cfg_mutex);
	mutex_unlock(&cfg_mutex);
	complete(&probed);
}

static const struct heddle_task wait_tasks[] = {
	{ .name = "waiter", .fn = waiter }, { .name = "prober", .fn = prober },
	{ 0 },
};

DEFINE_STATIC_SRCU(srcu);

static void srcu_reader(void *arg)
{
	int idx = srcu_read_lock(&srcu);

	(void)arg;
	synchronize_srcu(&srcu);
	srcu_read_unlock(&srcu, idx);
}

static const struct heddle_task srcu_tasks[] = {
	{ .name = "reader", .fn = srcu_reader }, { 0 },
};

static void nests(void *arg)
{
	(void)arg;
	mutex_lock_nested(&cfg_mutex, 9);
	mutex_unlock(&cfg_mutex);
}

static const struct heddle_task nest_tasks[] = {
	{ .name = "nests", .fn = nests }, { 0 },
};

struct foo {
	spinlock_t lock;
	refcount_t ref;
};
static struct foo *shared;

static void set_up_foo(void)
{
	struct foo *f = kzalloc(sizeof(*f), GFP_KERNEL | __GFP_NOFAIL);

	spin_lock_init(&f->lock);
	refcount_set(&f->ref, 2);
	shared = f;
}

static void put_foo(void *arg)
{
	struct foo *f = shared;

	(void)arg;
	spin_lock(&f->lock);
	if (refcount_dec_and_test(&f->ref))
		kfree(f);
	spin_unlock(&f->lock);
}

static const struct heddle_task put_tasks[] = {
	{ .name = "u1", .fn = put_foo }, { .name = "u2", .fn = put_foo }, { 0 },
};

static const struct heddle_variant variants[] = {
	{ "buggy", "as it was pasted", NULL }, { 0 },
};

HEDDLE_SCENARIO(irq) = { .name = "irq", .title = "irqsave, then not",
	.variants = variants, .tasks = irq_tasks };
HEDDLE_SCENARIO(race) = { .name = "race", .title = "static data",
	.variants = variants, .tasks = race_tasks };
HEDDLE_SCENARIO(wait) = { .name = "wait", .title = "waits under a lock",
	.variants = variants, .tasks = wait_tasks };
HEDDLE_SCENARIO(sync) = { .name = "sync", .title = "grace period inside",
	.variants = variants, .tasks = srcu_tasks };
HEDDLE_SCENARIO(nest) = { .name = "nest", .title = "a subclass too high",
	.variants = variants, .tasks = nest_tasks };
HEDDLE_SCENARIO(put) = { .name = "put", .title = "put under the lock",
	.variants = variants, .tasks = put_tasks, .setup = set_up_foo };
