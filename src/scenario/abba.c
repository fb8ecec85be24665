/* SPDX-License-Identifier: MIT */
/* Two mutexes taken in opposite orders: the textbook deadlock.
 *
 * Source: Documentation/locking/lockdep-design.rst describes the class of bug;
 * the program is our own.  Two verdicts belong to it, and they are different
 * things: lockdep's report (circular) needs no bad luck at all, it comes in
 * runs that never block; the deadlock itself needs one preemption. */
#include <heddle/heddle.h>
#include <heddle/kernel.h>

struct pair {
	struct mutex a, b;
	int shared;
};

static struct pair *pair;

static void setup(void)
{
	pair = heddle_alloc(struct pair);
	mutex_init(&pair->a);
	mutex_init(&pair->b);
}

static void first(void *arg)
{
	(void)arg;
	mutex_lock(&pair->a);
	mutex_lock(&pair->b);
	pair->shared++;
	mutex_unlock(&pair->b);
	mutex_unlock(&pair->a);
}

static void second(void *arg)
{
	bool same_order = heddle_variant_data() != NULL;

	(void)arg;
	mutex_lock(same_order ? &pair->a : &pair->b);
	mutex_lock(same_order ? &pair->b : &pair->a);
	pair->shared++;
	mutex_unlock(same_order ? &pair->b : &pair->a);
	mutex_unlock(same_order ? &pair->a : &pair->b);
	heddle_mark("both taken");
}

static void check(void)
{
	heddle_assert(pair->shared == 2);
}

static const struct heddle_task tasks[] = {
	{ .name = "first", .fn = first },
	{ .name = "second", .fn = second },
	{ 0 },
};

static const struct heddle_variant variants[] = {
	{ "buggy", "opposite orders", NULL,
	  { { HD_V_CIRCULAR, 0 }, { HD_V_DEADLOCK, 1 } } },
	{ "fixed", "the same order", "fixed" },
	{ 0 },
};

static const char *const goals[] = { "both taken", NULL };

HEDDLE_SCENARIO(abba) = {
	.name = "abba",
	.title = "two mutexes taken in opposite orders",
	.source = "Documentation/locking/lockdep-design.rst (class of bug)",
	.variants = variants,
	.tasks = tasks,
	.setup = setup,
	.check = check,
	.goals = goals,
};
