/* SPDX-License-Identifier: MIT */
/* Pairs of variants whose classes can be counted by hand (diff.t does). */
#include <heddle/heddle.h>
#include <heddle/kernel.h>

struct shared {
	struct mutex lock;
	int x, y;
};

static struct shared *shared;

static void setup(void)
{
	shared = heddle_alloc(struct shared);
	mutex_init(&shared->lock);
}

/* --- a message: x is what is told, y says that it is there ------------------ */

enum form { IN_ORDER, REVERSED, PLAIN, TWICE };

static const enum form forms[] = { IN_ORDER, REVERSED, PLAIN, TWICE };

static enum form form(void)
{
	return *(const enum form *)heddle_variant_data();
}

static void writer(void *arg)
{
	(void)arg;
	if (form() == IN_ORDER) {
		WRITE_ONCE(shared->x, 1);
		WRITE_ONCE(shared->y, 1);
	} else if (form() == PLAIN) {
		shared->y = 1;
		shared->x = 1;
	} else {
		WRITE_ONCE(shared->y, 1);
		WRITE_ONCE(shared->x, 1);
	}
}

static void reader(void *arg)
{
	(void)arg;
	if (READ_ONCE(shared->y))
		heddle_mark("told");
	if (form() == TWICE && READ_ONCE(shared->y))
		heddle_mark("told");
	if (!READ_ONCE(shared->x))
		heddle_mark("nothing there");
}

static const struct heddle_task message_tasks[] = {
	{ .name = "writer", .fn = writer }, { .name = "reader", .fn = reader },
	{ 0 },
};

static const struct heddle_variant message_variants[] = {
	{ "in-order", "x, then y", &forms[IN_ORDER] },
	{ "reversed", "y, then x", &forms[REVERSED] },
	{ "plain", "the same, unmarked", &forms[PLAIN],
	  { { HD_V_DATA_RACE, 0 } } },
	{ "twice", "reversed, y is read two times", &forms[TWICE] },
	{ 0 },
};

static const char *const message_goals[] = { "told", "nothing there", NULL };

HEDDLE_SCENARIO(message) = {
	.name = "message",
	.title = "a message and its flag",
	.variants = message_variants,
	.tasks = message_tasks,
	.setup = setup,
	.goals = message_goals,
};

/* Another scenario with tasks of these names. */
HEDDLE_SCENARIO(again) = {
	.name = "again",
	.title = "the same again",
	.variants = message_variants,
	.tasks = message_tasks,
	.setup = setup,
};

/* --- a counter ----------------------------------------------------------------- */

static void increment(void *arg)
{
	const bool *locked = heddle_variant_data();

	(void)arg;
	if (*locked)
		mutex_lock(&shared->lock);
	WRITE_ONCE(shared->x, READ_ONCE(shared->x) + 1);
	if (*locked)
		mutex_unlock(&shared->lock);
}

static void check(void)
{
	heddle_assert(shared->x == 2);
}

static const bool no = false, yes = true;

static const struct heddle_task counter_tasks[] = {
	{ .name = "one", .fn = increment }, { .name = "two", .fn = increment },
	{ 0 },
};

static const struct heddle_variant counter_variants[] = {
	{ "bare", "without a lock", &no, { { HD_V_ASSERT, 1 } } },
	{ "locked", "under a lock", &yes },
	{ 0 },
};

HEDDLE_SCENARIO(counter) = {
	.name = "counter",
	.title = "two tasks increment",
	.variants = counter_variants,
	.tasks = counter_tasks,
	.setup = setup,
	.check = check,
};

/* --- nothing that both do ------------------------------------------------------- */

static const int which[] = { 1, 2 };

static void write_one(void *arg)
{
	(void)arg;
	if (*(const int *)heddle_variant_data() == 1)
		WRITE_ONCE(shared->x, 1);
	else
		WRITE_ONCE(shared->y, 1);
}

static const struct heddle_task single_tasks[] = {
	{ .name = "one", .fn = write_one },
	{ .name = "two", .fn = write_one },
	{ 0 },
};

static const struct heddle_variant single_variants[] = {
	{ "one", "x", &which[0] },
	{ "two", "y", &which[1] },
	{ 0 },
};

HEDDLE_SCENARIO(single) = {
	.name = "single",
	.title = "two tasks write one word",
	.variants = single_variants,
	.tasks = single_tasks,
	.setup = setup,
};
