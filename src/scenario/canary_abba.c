/* SPDX-License-Identifier: MIT */
/* A planted deadlock: what a working night must find.
 *
 * Three tasks take three mutexes in a ring.  Every campaign runs this beside
 * its real work: a night in which the canary was not found has failed, it is
 * not clean. */
#include <heddle/heddle.h>
#include <heddle/kernel.h>

struct ring {
	struct mutex a, b, c;
};

static struct ring *ring;

static void setup(void)
{
	ring = heddle_alloc(struct ring);
	mutex_init(&ring->a);
	mutex_init(&ring->b);
	mutex_init(&ring->c);
}

static void both(struct mutex *outer, struct mutex *inner)
{
	mutex_lock(outer);
	mutex_lock(inner);
	mutex_unlock(inner);
	mutex_unlock(outer);
	heddle_mark("both taken");
}

static void task_ab(void *arg)
{
	(void)arg;
	both(&ring->a, &ring->b);
}

static void task_bc(void *arg)
{
	(void)arg;
	both(&ring->b, &ring->c);
}

static void task_ca(void *arg)
{
	(void)arg;
	both(&ring->c, &ring->a);
}

static const struct heddle_task tasks[] = {
	{ .name = "ab", .fn = task_ab },
	{ .name = "bc", .fn = task_bc },
	{ .name = "ca", .fn = task_ca },
	{ 0 },
};

static const struct heddle_variant variants[] = {
	{ "planted", "three mutexes in a ring", NULL,
	  { { HD_V_CIRCULAR, 0 }, { HD_V_DEADLOCK, 1 } } },
	{ 0 },
};

static const char *const goals[] = { "both taken", NULL };

HEDDLE_SCENARIO(canary_abba) = {
	.name = "canary_abba",
	.title = "planted: three mutexes taken in a ring",
	.source = "none: a canary",
	.variants = variants,
	.tasks = tasks,
	.setup = setup,
	.goals = goals,
	.canary = true,
};
