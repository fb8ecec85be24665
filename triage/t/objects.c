/* SPDX-License-Identifier: MIT */
/* For lifetime.t: one small program per kind of report on an object. */
#include <heddle/kernel.h>

enum what { LEAK, REUSE, LATE, PAST, TWICE, EXPECT };

struct thing {
	u32 key;
	refcount_t refs;
	struct rcu_head rcu;
};

static struct {
	struct thing *thing;
} *owner;
static struct kmem_cache *cache;

static enum what what(void)
{
	return *(const enum what *)heddle_variant_data();
}

static void setup(void)
{
	owner = heddle_alloc_type("struct owner", sizeof(*owner));
	cache = kmem_cache_create("struct thing", sizeof(struct thing), 0,
				  SLAB_TYPESAFE_BY_RCU, NULL);
	if (what() == REUSE)
		owner->thing = kmem_cache_zalloc(cache,
						 GFP_KERNEL | __GFP_NOFAIL);
	else if (what() != LEAK)
		owner->thing = kzalloc(sizeof(struct thing),
				       GFP_KERNEL | __GFP_NOFAIL);
	if (what() == EXPECT)
		heddle_expect_refs(&owner->thing->refs);
}

static void fill(void)
{
	struct thing *t = kzalloc(sizeof(struct thing),
				  GFP_KERNEL | __GFP_NOFAIL);

	WRITE_ONCE(owner->thing, t);
}

static void recycle(void)
{
	kmem_cache_free(cache, owner->thing);
	owner->thing = kmem_cache_alloc(cache, GFP_KERNEL | __GFP_NOFAIL);
	heddle_keep(owner->thing);
	WRITE_ONCE(owner->thing->key, 2);
}

static void first(void *arg)
{
	struct thing *t = READ_ONCE(owner->thing);

	(void)arg;
	switch (what()) {
	case LEAK:
		fill();
		break;
	case REUSE:
		recycle();
		break;
	case LATE:
		kfree_rcu(t, rcu);
		break;
	case PAST:
		((volatile u32 *)(t + 1))[0] = 1;
		break;
	case TWICE:
		kfree(t);
		break;
	case EXPECT:
		refcount_set(&t->refs, 1);
		refcount_inc(&t->refs);
		break;
	}
}

static void second(void *arg)
{
	struct thing *t = READ_ONCE(owner->thing);

	(void)arg;
	switch (what()) {
	case LEAK:
		fill();
		break;
	case REUSE:
		heddle_assert(READ_ONCE(t->key) == 0);
		break;
	case LATE:
		t->key = 3;
		break;
	case TWICE:
		kfree(t);
		break;
	default:
		break;
	}
}

static void check(void)
{
	if (what() == LEAK)
		kfree(owner->thing);
}

static const struct heddle_task tasks[] = {
	{ .name = "first", .fn = first },
	{ .name = "second", .fn = second },
	{ .name = NULL },
};

static const enum what leak = LEAK, reuse = REUSE, late = LATE, past = PAST,
		       twice = TWICE, expect = EXPECT;

static const struct heddle_variant variants[] = {
	{ .name = "leak", .data = &leak },
	{ .name = "reuse", .data = &reuse },
	{ .name = "late", .data = &late },
	{ .name = "past", .data = &past },
	{ .name = "twice", .data = &twice },
	{ .name = "expect", .data = &expect },
	{ .name = NULL },
};

HEDDLE_SCENARIO(objects) = {
	.name = "objects",
	.variants = variants,
	.tasks = tasks,
	.setup = setup,
	.check = check,
};
