/* SPDX-License-Identifier: MIT */
/* A reader that looks up an entry, and an updater that removes and frees it.
 *
 * Source: the rules of Documentation/RCU/checklist.rst (6.12): who removes an
 * entry frees it only after a grace period, and who found it uses it only
 * inside of the read section in which it was found.  The program is our own, with
 * one slot instead of a list.  Each buggy form breaks one of the two rules: the
 * use comes after the free in some interleaving (use-after-free), and is not
 * ordered before it in any (assert-race, as KCSAN judges kfree()). */
#include <heddle/heddle.h>
#include <heddle/kernel.h>

struct entry {
	u32 key;
	struct rcu_head rcu;
};

struct table {
	struct entry *slot;
};

enum how { CALL_RCU, SYNCHRONIZE, AT_ONCE };
struct form {
	enum how how;
	bool late; /* the reader looks at it after rcu_read_unlock() */
};

static struct table *table;

static const struct form *form(void)
{
	return heddle_variant_data();
}

static void setup(void)
{
	struct entry *e = kzalloc(sizeof(struct entry),
				  GFP_KERNEL | __GFP_NOFAIL);

	e->key = 1;
	table = heddle_alloc(struct table);
	rcu_assign_pointer(table->slot, e);
}

static void use(struct entry *e)
{
	heddle_mark("entry used");
	(void)READ_ONCE(e->key);
}

static void lookup(void *arg)
{
	struct entry *e;

	(void)arg;
	rcu_read_lock();
	e = rcu_dereference(table->slot);
	if (e && !form()->late)
		use(e);
	rcu_read_unlock();
	if (e && form()->late)
		use(e);
}

static void entry_free_rcu(struct rcu_head *head)
{
	kfree(container_of(head, struct entry, rcu));
}

static void entry_free(struct entry *e)
{
	switch (form()->how) {
	case CALL_RCU:
		call_rcu(&e->rcu, entry_free_rcu);
		break;
	case SYNCHRONIZE:
		synchronize_rcu();
		kfree(e);
		break;
	case AT_ONCE:
		kfree(e);
		break;
	}
}

static void update(void *arg)
{
	struct entry *e = table->slot; /* nobody else writes it */

	(void)arg;
	rcu_assign_pointer(table->slot, NULL);
	entry_free(e);
}

static const struct heddle_task tasks[] = {
	{ .name = "updater", .fn = update },
	{ .name = "reader", .fn = lookup },
	{ 0 },
};

static const struct form call = { CALL_RCU, false };
static const struct form sync = { SYNCHRONIZE, false };
static const struct form at_once = { AT_ONCE, false };
static const struct form late = { CALL_RCU, true };
static const struct form late_sync = { SYNCHRONIZE, true };

static const struct heddle_variant variants[] = {
	{ "call-rcu", "frees by call_rcu()", &call },
	{ "synchronize", "frees after synchronize_rcu()", &sync },
	{ "kfree", "frees with a reader inside", &at_once,
	  { { HD_V_ASSERT_RACE, 0 }, { HD_V_USE_AFTER_FREE, 1 } } },
	{ "late-use", "frees by call_rcu(), used behind rcu_read_unlock()",
	  &late, { { HD_V_ASSERT_RACE, 0 }, { HD_V_USE_AFTER_FREE, 1 } } },
	{ "late-use-synchronize",
	  "frees after synchronize_rcu(), used behind rcu_read_unlock()",
	  &late_sync, { { HD_V_ASSERT_RACE, 0 }, { HD_V_USE_AFTER_FREE, 1 } } },
	{ 0 },
};

static const char *const goals[] = { "entry used", NULL };

HEDDLE_SCENARIO(rcu_use_after_gp) = {
	.name = "rcu_use_after_gp",
	.title = "a reader of an entry against an updater that frees it",
	.source = "Documentation/RCU/checklist.rst, 6.12 (the rules in it)",
	.variants = variants,
	.tasks = tasks,
	.setup = setup,
	.goals = goals,
};
