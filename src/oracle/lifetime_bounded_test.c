/* SPDX-License-Identifier: MIT */
/* A bounded search and the frees: who frees looks at who holds, also where the
 * annotation stands behind an op that is no branch point.  Covers held.c's
 * order ranges through lifetime.c. */
#include "../base/twin.h"

/* The release follows a private op, which is no branch point by itself: a
 * bounded search must know that the free looks at the annotation. */
struct counted {
	refcount_t refs;
	struct lockdep_map map;
};

static struct counted *counted;
static int *own_word;

static void behind_setup(void)
{
	static struct lock_class_key key;

	counted = kzalloc(sizeof(struct counted), GFP_KERNEL | __GFP_NOFAIL);
	own_word = heddle_alloc_type("struct own", sizeof(*own_word));
	heddle_keep(counted);
	refcount_set(&counted->refs, 2);
	lockdep_init_map(&counted->map, "map", &key, 0);
}

static void releases_behind(void *arg)
{
	struct counted *c = counted;

	(void)arg;
	lock_map_acquire(&c->map);
	if (!buggy())
		lock_map_release(&c->map);
	if (refcount_dec_and_test(&c->refs)) {
		if (buggy())
			lock_map_release(&c->map);
		kfree(c);
		return;
	}
	(*own_word)++;
	if (buggy())
		lock_map_release(&c->map);
}

static void puts_last(void *arg)
{
	struct counted *c = counted;

	(void)arg;
	if (refcount_dec_and_test(&c->refs))
		kfree(c);
}

TWIN_TASKS(behind, { "holds", releases_behind }, { "puts", puts_last });
static const struct heddle_variant behind_variants[] = {
	{ .name = "safe", .bound = 2 },
	{ .name = "buggy", .data = "", .bound = 2,
	  .expect = { SHOWS(FREED) } },
	{ .name = "buggy, unbounded", .data = "",
	  .expect = { SHOWS(FREED) } },
	{ .name = NULL },
};
TWIN(behind, "lifetime/released behind a private op");
