/* SPDX-License-Identifier: MIT */
/* A sleeper that tests its condition before it can be woken.
 *
 * Source: the rule that rcuwait_wait_event() and set_current_state() implement
 * (kernel/sched/core.c, try_to_wake_up; include/linux/rcuwait.h, 6.12): first
 * make yourself known to the waker, then test the condition.  The program is
 * our own: a writer waits for the last reader of a VMA-like count.  In the
 * buggy form the reader can go between the test and the publication: nobody
 * wakes the writer, though its condition is true. */
#include <heddle/heddle.h>
#include <heddle/kernel.h>

struct counted {
	atomic_t readers;
	struct rcuwait wait;
};

static struct counted *obj;

static void setup(void)
{
	obj = heddle_alloc(struct counted);
	rcuwait_init(&obj->wait);
	atomic_set(&obj->readers, 1);
}

static void reader(void *arg)
{
	(void)arg;
	if (atomic_dec_and_test(&obj->readers))
		rcuwait_wake_up(&obj->wait);
}

static void writer(void *arg)
{
	bool publish_first = heddle_variant_data() != NULL;

	(void)arg;
	if (publish_first) {
		rcuwait_wait_event(&obj->wait,
				   atomic_read(&obj->readers) == 0,
				   TASK_UNINTERRUPTIBLE);
	} else if (atomic_read(&obj->readers)) {
		do {
			prepare_to_rcuwait(&obj->wait);
			set_current_state(TASK_UNINTERRUPTIBLE);
			schedule();
		} while (atomic_read(&obj->readers));
		finish_rcuwait(&obj->wait);
	}
	heddle_mark("goes on");
}

static const struct heddle_task tasks[] = {
	{ .name = "writer", .fn = writer },
	{ .name = "reader", .fn = reader },
	{ 0 },
};

static const struct heddle_variant variants[] = {
	{ "buggy", "tests the condition, then makes itself known", NULL,
	  { { HD_V_LOST_WAKEUP, 1 } } },
	{ "fixed", "makes itself known, then tests the condition", "fixed" },
	{ 0 },
};

static const char *const goals[] = { "goes on", NULL };

HEDDLE_SCENARIO(lost_wakeup) = {
	.name = "lost_wakeup",
	.title = "a wake-up that comes between the test and the sleep",
	.source = "include/linux/rcuwait.h, 6.12 (the rule it implements)",
	.variants = variants,
	.tasks = tasks,
	.setup = setup,
	.goals = goals,
};
