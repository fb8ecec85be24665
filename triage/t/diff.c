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

/* --- two writers ---------------------------------------------------------------- */

enum what { X, Y, BOTH, CHOOSES, FAILS };

static const enum what whats[] = { X, Y, BOTH, CHOOSES, FAILS };

static void write_what(void *arg)
{
	enum what what = *(const enum what *)heddle_variant_data();

	if (what != Y)
		WRITE_ONCE(shared->x, 1);
	if (what == Y || what == BOTH)
		WRITE_ONCE(shared->y, 1);
	if (what == CHOOSES && arg)
		WARN_ON(heddle_choose(2));
	if (what == FAILS && arg)
		WARN_ON(heddle_fail("it"));
}

static const struct heddle_task write_tasks[] = {
	{ .name = "one", .fn = write_what, .arg = &shared },
	{ .name = "two", .fn = write_what },
	{ 0 },
};

static const struct heddle_variant write_variants[] = {
	{ "x", "x", &whats[X] },
	{ "y", "y", &whats[Y] },
	{ "both", "x, then y", &whats[BOTH] },
	{ "chooses", "x, and a warning by choice", &whats[CHOOSES],
	  { { HD_V_WARN, 0 } } },
	{ "fails", "x, and a warning by failure", &whats[FAILS],
	  { { HD_V_WARN, 0 } }, .fail = 1 },
	{ 0 },
};

HEDDLE_SCENARIO(writers) = {
	.name = "writers",
	.title = "two tasks write the same",
	.variants = write_variants,
	.tasks = write_tasks,
	.setup = setup,
};
