/* SPDX-License-Identifier: MIT */
/* Two tasks initialise a thing once, and look before they lock.
 *
 * Source: tools/memory-model/Documentation/recipes.txt, 6.12 (release and
 * acquire); the program is our own.  Who finds the flag set uses the thing
 * without the lock: nothing but the flag itself orders that use behind the
 * initialisation.
 *
 * What to read out of the variants:
 * - No interleaving computes a wrong value, in none of them: under sequential
 *   consistency the order is only what is missing, so only the race oracle
 *   tells.
 * - plain: the flag itself races as well as what it guards.
 * - read-once: the flag is marked, so that the compiler does as it is told; the
 *   thing's fields still race, with READ_ONCE() and WRITE_ONCE() alone.
 * - half: the writer releases, the reader does not acquire.
 * - claimed: no lock and all marked, so there is no data race; but the task that
 *   initialises claims to be the only one. */
#include <heddle/heddle.h>
#include <heddle/kernel.h>

struct gadget {
	int speed;
	int ready;
	struct mutex lock;
};

enum form { PLAIN, ONCE, HALF, CLAIMED, FIXED };
static const enum form plain = PLAIN, once = ONCE, half = HALF,
		       claimed = CLAIMED, fixed = FIXED;
static struct gadget *gadget;

static enum form form(void)
{
	return *(const enum form *)heddle_variant_data();
}

static void setup(void)
{
	gadget = heddle_alloc(struct gadget);
	mutex_init(&gadget->lock);
}

static bool gadget_is_ready(struct gadget *g)
{
	if (form() == PLAIN)
		return g->ready;
	if (form() >= CLAIMED)
		return smp_load_acquire(&g->ready);
	return READ_ONCE(g->ready);
}

static void gadget_set_ready(struct gadget *g)
{
	if (form() == PLAIN)
		g->ready = 1;
	else if (form() == ONCE)
		WRITE_ONCE(g->ready, 1);
	else
		smp_store_release(&g->ready, 1);
}

static void gadget_init(struct gadget *g)
{
	mutex_lock(&g->lock);
	if (!g->ready) {
		heddle_mark("initialised");
		g->speed = 42;
		gadget_set_ready(g);
	} else {
		heddle_mark("came second");
	}
	mutex_unlock(&g->lock);
}

static void gadget_init_alone(struct gadget *g)
{
	ASSERT_EXCLUSIVE_WRITER(g->speed);
	WRITE_ONCE(g->speed, 42);
	gadget_set_ready(g);
}

static int gadget_speed(struct gadget *g)
{
	return form() == CLAIMED ? READ_ONCE(g->speed) : g->speed;
}

static void user(void *arg)
{
	struct gadget *g = gadget;

	(void)arg;
	if (gadget_is_ready(g))
		heddle_mark("ready at once");
	else if (form() == CLAIMED)
		gadget_init_alone(g);
	else
		gadget_init(g);
	heddle_assert(gadget_speed(g) == 42);
}

static const struct heddle_task tasks[] = {
	{ "first", user, NULL },
	{ "second", user, NULL },
	{ 0 },
};

static const struct heddle_variant variants[] = {
	{ "plain", "nothing is marked", &plain, { { HD_V_DATA_RACE, 0 } } },
	{ "read-once", "READ_ONCE and WRITE_ONCE, no order", &once,
	  { { HD_V_DATA_RACE, 0 } } },
	{ "half", "release without acquire", &half, { { HD_V_DATA_RACE, 0 } } },
	{ "claimed", "no lock, and a claim to be the only writer", &claimed,
	  { { HD_V_ASSERT_RACE, 1 } } },
	{ "fixed", "smp_store_release and smp_load_acquire", &fixed },
	{ 0 },
};
static const char *const goals[] = { "initialised", "came second",
				     "ready at once", NULL };

HEDDLE_SCENARIO(two_inits) = {
	.name = "two_inits",
	.title = "two tasks initialise a thing once",
	.source = "tools/memory-model/Documentation/recipes.txt, 6.12 (rule)",
	.variants = variants,
	.tasks = tasks,
	.setup = setup,
	.goals = goals,
};
