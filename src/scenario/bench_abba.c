/* SPDX-License-Identifier: MIT */
/* Workload (a) of `make bench`: two mutexes in opposite orders, with six rounds
 * on a third mutex before.  Written after the shape that the peers were measured
 * with; the variant "fixed" is the one that rates are taken from. */
#include <heddle/heddle.h>
#include <heddle/kernel.h>

enum { NOISE = 6 };

struct bench_abba_work {
	struct mutex a, b, noise;
	int rounds, shared;
};

static struct bench_abba_work *work;

static void setup(void)
{
	struct bench_abba_work *w = heddle_alloc(struct bench_abba_work);

	work = w;
	mutex_init(&w->a);
	mutex_init(&w->b);
	mutex_init(&w->noise);
}

static void task(void *arg)
{
	struct bench_abba_work *w = work;
	bool reverse = arg && !heddle_variant_data();
	struct mutex *outer = reverse ? &w->b : &w->a;
	struct mutex *inner = reverse ? &w->a : &w->b;
	int i;

	for (i = 0; i < NOISE; i++) {
		mutex_lock(&w->noise);
		w->rounds++;
		mutex_unlock(&w->noise);
	}
	mutex_lock(outer);
	mutex_lock(inner);
	w->shared++;
	mutex_unlock(inner);
	mutex_unlock(outer);
	heddle_mark("both taken");
}

static void check(void)
{
	heddle_assert(work->shared == 2 && work->rounds == 2 * NOISE);
}

static const struct heddle_task tasks[] = {
	{ "first", task, NULL },
	{ "second", task, "reverse" },
	{ 0 },
};

static const struct heddle_variant variants[] = {
	{ "buggy", "opposite orders", NULL,
	  { { HD_V_CIRCULAR, 0 }, { HD_V_DEADLOCK, 1 } } },
	{ "fixed", "the same order", "fixed" },
	{ 0 },
};

static const char *const goals[] = { "both taken", NULL };

HEDDLE_SCENARIO(bench_abba) = {
	.name = "bench_abba",
	.title = "workload (a): ABBA with six rounds on a third mutex",
	.source = "a shape that model checkers are commonly measured with",
	.variants = variants,
	.tasks = tasks,
	.setup = setup,
	.check = check,
	.goals = goals,
};
