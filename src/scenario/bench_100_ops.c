/* SPDX-License-Identifier: MIT */
/* The yardstick of `make bench`: four tasks, some 100 ops in a run, locks and
 * plain, marked and atomic accesses mixed, every oracle busy, no bug. */
#include <heddle/heddle.h>
#include <heddle/kernel.h>

struct bench_100_ops_work {
	struct mutex outer, inner;
	spinlock_t spin;
	atomic_t hits;
	int plain, marked;
};

static struct bench_100_ops_work *work;

static void setup(void)
{
	struct bench_100_ops_work *w = heddle_alloc(struct bench_100_ops_work);

	work = w;
	mutex_init(&w->outer);
	mutex_init(&w->inner);
	spin_lock_init(&w->spin);
}

static void task(void *arg)
{
	struct bench_100_ops_work *w = work;
	int i;

	(void)arg;
	for (i = 0; i < 2; i++) {
		mutex_lock(&w->outer);
		w->plain++;
		mutex_lock(&w->inner);
		w->plain++;
		mutex_unlock(&w->inner);
		mutex_unlock(&w->outer);
		atomic_inc(&w->hits);
		spin_lock(&w->spin);
		WRITE_ONCE(w->marked, READ_ONCE(w->marked) + 1);
		spin_unlock(&w->spin);
	}
	heddle_mark("both rounds done");
}

static void check(void)
{
	heddle_assert(work->plain == 16 && work->marked == 8);
}

static const struct heddle_task tasks[] = {
	{ "t1", task, NULL },
	{ "t2", task, NULL },
	{ "t3", task, NULL },
	{ "t4", task, NULL },
	{ 0 },
};

static const struct heddle_variant variants[] = {
	{ "clean", "nested locks in one order", NULL, .bound = 1 },
	{ 0 },
};

static const char *const goals[] = { "both rounds done", NULL };

HEDDLE_SCENARIO(bench_100_ops) = {
	.name = "bench_100_ops",
	.title = "four tasks and a hundred ops",
	.source = "none: the yardstick of make bench",
	.variants = variants,
	.tasks = tasks,
	.setup = setup,
	.check = check,
	.goals = goals,
};
