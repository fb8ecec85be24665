/* SPDX-License-Identifier: MIT */
/* Workload (b) of `make bench`: an rwsem-like counter that loses an update.
 *
 * The first task believes that a pending writer excludes all others and stores
 * a count that may be older than the writer's own update.  It takes exactly two
 * preemptions: after its load of the count, and between the writer's increment
 * and the clearing of its flag. */
#include <heddle/heddle.h>
#include <heddle/kernel.h>

enum { NOISE = 4 };

struct bench_lost_update_work {
	atomic_t count, writer, noise;
};

static struct bench_lost_update_work *work;

static void setup(void)
{
	work = heddle_alloc(struct bench_lost_update_work);
}

static void noise(struct bench_lost_update_work *w)
{
	int i;

	for (i = 0; i < NOISE; i++)
		atomic_inc(&w->noise);
}

static void reader(void *arg)
{
	struct bench_lost_update_work *w = work;
	int v, pending;

	(void)arg;
	noise(w);
	v = atomic_read(&w->count);
	pending = atomic_read(&w->writer);
	if (pending == 1 && !heddle_variant_data()) {
		heddle_mark("writer pending");
		atomic_set(&w->count, v + 1);
		return;
	}
	if (pending == 1)
		heddle_mark("writer pending");
	atomic_inc(&w->count);
	noise(w);
}

static void writer(void *arg)
{
	struct bench_lost_update_work *w = work;

	(void)arg;
	noise(w);
	atomic_set(&w->writer, 1);
	atomic_inc(&w->count);
	atomic_set(&w->writer, 0);
	noise(w);
}

static void check(void)
{
	heddle_assert(atomic_read(&work->count) == 2);
}

static const struct heddle_task tasks[] = {
	{ "reader", reader, NULL },
	{ "writer", writer, NULL },
	{ 0 },
};

static const struct heddle_variant variants[] = {
	{ "buggy", "trusts the flag", NULL, { { HD_V_ASSERT, 2 } } },
	{ "fixed", "always increments", "fixed" },
	{ 0 },
};

static const char *const goals[] = { "writer pending", NULL };

HEDDLE_SCENARIO(bench_lost_update) = {
	.name = "bench_lost_update",
	.title = "workload (b): an update lost behind a pending writer",
	.source = "a shape that model checkers are commonly measured with",
	.variants = variants,
	.tasks = tasks,
	.setup = setup,
	.check = check,
	.goals = goals,
};
