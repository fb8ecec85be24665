/* SPDX-License-Identifier: MIT */
/* Progress, safe and buggy twins: deadlock, livelock, lost wake-up.
 * Covers progress.c. */
#include <heddle/heddle.h>
#include <heddle/kernel.h>

struct state {
	struct mutex a, b;
	struct rw_semaphore sem;
	int flag, other;
};

static struct state *s;

static void setup(void)
{
	s = heddle_alloc(struct state);
	mutex_init(&s->a);
	mutex_init(&s->b);
	init_rwsem(&s->sem);
}

static bool buggy(void)
{
	return heddle_variant_data() != NULL;
}

/* A lock that its holder wants again: it waits for itself. */
static void again(void *arg)
{
	(void)arg;
	mutex_lock(&s->a);
	if (buggy())
		mutex_lock(&s->a);
	mutex_unlock(&s->a);
}

static const struct heddle_task self_tasks[] = { { "again", again, 0 }, { 0 } };
static const struct heddle_variant self_variants[] = {
	{ .name = "safe" },
	{ .name = "buggy", .data = "b",
	  .expect = { { HD_V_RECURSIVE, 0 }, { HD_V_DEADLOCK, 0 } } },
	{ 0 }
};
HEDDLE_SCENARIO(self_deadlock) = { .name = "self_deadlock",
				   .tasks = self_tasks,
				   .variants = self_variants,
				   .setup = setup };

/* A spin loop on a word that its writer sets, or never sets. */
static void spinner(void *arg)
{
	(void)arg;
	while (!READ_ONCE(s->flag))
		cpu_relax();
}

static void setter(void *arg)
{
	(void)arg;
	if (buggy())
		WRITE_ONCE(s->other, 1);
	else
		WRITE_ONCE(s->flag, 1);
}

static const struct heddle_task spin_tasks[] = { { "spinner", spinner, 0 },
						 { "setter", setter, 0 },
						 { 0 } };
static const struct heddle_variant spin_variants[] = {
	{ .name = "safe" },
	{ .name = "buggy", .data = "b", .expect = { { HD_V_LIVELOCK, 0 } } },
	{ 0 }
};
HEDDLE_SCENARIO(spin) = { .name = "spin", .tasks = spin_tasks,
			  .variants = spin_variants, .setup = setup };

/* A reader that takes the semaphore again behind a queued writer. */
static void nested_reader(void *arg)
{
	(void)arg;
	down_read(&s->sem);
	if (buggy()) {
		down_read(&s->sem);
		up_read(&s->sem);
	}
	up_read(&s->sem);
}

static void writer(void *arg)
{
	(void)arg;
	down_write(&s->sem);
	up_write(&s->sem);
}

static const struct heddle_task queue_tasks[] = {
	{ "reader", nested_reader, 0 }, { "writer", writer, 0 }, { 0 }
};
static const struct heddle_variant queue_variants[] = {
	{ .name = "safe" },
	{ .name = "buggy", .data = "b",
	  .expect = { { HD_V_RECURSIVE, 0 }, { HD_V_DEADLOCK, 1 } } },
	{ 0 }
};
HEDDLE_SCENARIO(reader_behind_writer) = { .name = "reader_behind_writer",
					  .tasks = queue_tasks,
					  .variants = queue_variants,
					  .setup = setup };
