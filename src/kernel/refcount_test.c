/* SPDX-License-Identifier: MIT */
/* Are reference counts atomic, and is their misuse seen? */
#include "../base/twin.h"

struct thing {
	refcount_t refs;
	int data;
};

static struct thing *thing;
static struct thing fixed;

static void setup(void)
{
	thing = heddle_alloc(struct thing);
	refcount_set(&thing->refs, 1);
}

/* --- a limit that keeps readers out of the flag bit ----------------- */

enum { FLAG = 4 };

static void reader(void *arg)
{
	int old;

	(void)arg;
	if (!__refcount_inc_not_zero_limited_acquire(
		    &fixed.refs, &old, buggy() ? FLAG : FLAG - 1)) {
		heddle_mark("at the limit");
		heddle_assert(old == FLAG - 1);
		return;
	}
	heddle_assert((refcount_read(&fixed.refs) & FLAG) == 0);
	if (refcount_dec_and_test(&fixed.refs))
		heddle_assert(false);
}

static void limit_setup(void)
{
	refcount_set(&fixed.refs, 1);
}

static const char *const limit_goals[] = { "at the limit", NULL };
TWIN_TASKS(limit, { "a", reader }, { "b", reader }, { "c", reader });
static const struct heddle_variant limit_variants[] = {
	{ .name = "safe", .goals = limit_goals },
	{ .name = "buggy", .data = "", .expect = { SHOWS(ASSERT) } },
	{ .name = NULL },
};
TWIN(limit, "refcount/limit off by one");

/* --- a reference from nothing --------------------------------------- */

static struct kmem_cache *cache;
static struct thing *shared;

static void lookup_setup(void)
{
	cache = kmem_cache_create("struct thing", sizeof(struct thing), 0,
				  SLAB_TYPESAFE_BY_RCU, NULL);
	shared = kmem_cache_alloc(cache, GFP_KERNEL);
	refcount_set(&shared->refs, 1);
}

static void put(struct thing *t)
{
	if (refcount_dec_and_test(&t->refs))
		kmem_cache_free(cache, t);
}

static void last_put(void *arg)
{
	(void)arg;
	put(shared);
}

static void lookup(void *arg)
{
	(void)arg;
	rcu_read_lock();
	if (buggy()) {
		refcount_inc(&shared->refs);
		rcu_read_unlock();
		put(shared);
		return;
	}
	if (!refcount_inc_not_zero(&shared->refs)) {
		rcu_read_unlock();
		heddle_mark("was gone");
		return;
	}
	heddle_mark("got it");
	rcu_read_unlock();
	put(shared);
}

TWIN_TASKS(lookup, { "put", last_put }, { "lookup", lookup });
/* the put is outside of the read section, on an object that is free */
TWIN_VARIANTS(lookup, SHOWS(REFCOUNT), SHOWS(USE_AFTER_FREE));
TWIN(lookup, "refcount/increment from 0");

/* --- one put too many ----------------------------------------------- */

static void puts_once(void *arg)
{
	(void)arg;
	if (refcount_dec_and_test(&thing->refs))
		heddle_mark("last");
}

static void puts_setup(void)
{
	setup();
	refcount_set(&thing->refs, buggy() ? 1 : 2);
}

TWIN_TASKS(puts, { "a", puts_once }, { "b", puts_once });
TWIN_VARIANTS(puts, SHOWS(REFCOUNT));
TWIN(puts, "refcount/underflow");

/* --- who frees: the decrement decides, not a later look ------------- */

static void free_setup(void)
{
	thing = kzalloc_obj(struct thing);
	refcount_set(&thing->refs, 2);
}

static void free_last(void *arg)
{
	(void)arg;
	if (buggy()) {
		(void)!refcount_dec_not_one(&thing->refs);
		if (refcount_read(&thing->refs) == 1)
			kfree(thing);
	} else if (refcount_dec_and_test(&thing->refs)) {
		kfree(thing);
	}
}

TWIN_TASKS(free, { "a", free_last }, { "b", free_last });
TWIN_VARIANTS(free, SHOWS(DOUBLE_FREE), SHOWS(USE_AFTER_FREE),
	      SHOWS(ASSERT_RACE));
TWIN(free, "refcount/who frees");

/* --- plain dec must not be the last --------------------------------- */

static void dec(void *arg)
{
	(void)arg;
	refcount_dec(&thing->refs);
}

static void dec_setup(void)
{
	setup();
	refcount_set(&thing->refs, buggy() ? 2 : 3);
}

TWIN_TASKS(dec, { "a", dec }, { "b", dec });
TWIN_VARIANTS(dec, SHOWS(REFCOUNT));
TWIN(dec, "refcount/plain dec to 0");

/* --- values --------------------------------------------------------- */

static void values(void *arg)
{
	refcount_t *r = &thing->refs;
	int old = -1;

	(void)arg;
	heddle_assert(__refcount_inc_not_zero(r, &old) && old == 1);
	heddle_assert(__refcount_add_not_zero(3, r, &old) && old == 2);
	heddle_assert(!__refcount_inc_not_zero_limited(r, &old, 5) &&
		      old == 5);
	heddle_assert(__refcount_inc_not_zero_limited(r, &old, 6) && old == 5);
	heddle_assert(!__refcount_sub_and_test(5, r, &old) && old == 6);
	heddle_assert(!refcount_dec_not_one(r));
	heddle_assert(refcount_dec_if_one(r));
	heddle_assert(!__refcount_inc_not_zero(r, &old) && old == 0);
	heddle_assert(!__refcount_inc_not_zero_limited_acquire(r, &old, 5) &&
		      old == 0);
	refcount_set_release(r, 1);
	if (buggy()) {
		refcount_set(r, REFCOUNT_MAX);
		refcount_inc(r);
		heddle_assert((int)refcount_read(r) == REFCOUNT_SATURATED);
	}
}

#define values_setup setup
TWIN_TASKS(values, { "a", values });
TWIN_VARIANTS(values, SHOWS(REFCOUNT));
TWIN(values, "refcount/values and saturation");
