/* SPDX-License-Identifier: MIT */
/* Are wrong frees and stale objects seen, and right ones left alone? */
#include <string.h>

#include "../base/twin.h"

struct item {
	refcount_t refs;
	u32 key;
	u64 data[2];
};

static struct {
	struct item *item;
	struct mutex lock;
} *w;
static struct kmem_cache *cache, *plain;

static void setup(void)
{
	w = heddle_alloc_type("struct twin", sizeof(*w));
	mutex_init(&w->lock);
	w->item = kzalloc_obj(struct item);
}

/* --- freed twice ---------------------------------------------------- */

static void free_it(void *arg)
{
	struct item *i;

	(void)arg;
	if (!buggy())
		mutex_lock(&w->lock);
	i = w->item;
	w->item = NULL;
	if (!buggy())
		mutex_unlock(&w->lock);
	kfree(i);
}

#define twice_setup setup
TWIN_TASKS(twice, { "a", free_it }, { "b", free_it });
TWIN_VARIANTS(twice, SHOWS(DOUBLE_FREE), SHOWS(DATA_RACE));
TWIN(twice, "slab/freed twice");

/* --- what is no object ---------------------------------------------- */

static void invalid(void *arg)
{
	(void)arg;
	if (!buggy())
		kfree(NULL);
	else if (heddle_choose(2))
		kfree(&w->item->key);
	else
		kfree(&cache);
	kfree(w->item);
}

#define invalid_setup setup
TWIN_TASKS(invalid, { "a", invalid });
TWIN_VARIANTS(invalid, SHOWS(DOUBLE_FREE));
TWIN(invalid, "slab/invalid free");

/* --- used after it was freed ---------------------------------------- */

static void use(void *arg)
{
	struct item *i;

	(void)arg;
	if (!buggy())
		mutex_lock(&w->lock);
	i = READ_ONCE(w->item);
	if (i) {
		switch (heddle_choose(4)) {
		case 0:
			i->key = 1;
			break;
		case 1:
			(void)READ_ONCE(i->data[1]);
			break;
		case 2:
			refcount_set_release(&i->refs, 1);
			break;
		default:
			memset(i->data, 0, sizeof(i->data));
		}
	}
	if (!buggy())
		mutex_unlock(&w->lock);
}

static void free_locked(void *arg)
{
	(void)arg;
	mutex_lock(&w->lock);
	kfree(w->item);
	WRITE_ONCE(w->item, NULL);
	mutex_unlock(&w->lock);
}

#define use_setup setup
TWIN_TASKS(use, { "use", use }, { "free", free_locked });
TWIN_VARIANTS(use, SHOWS(USE_AFTER_FREE), SHOWS(ASSERT_RACE));
TWIN(use, "slab/use after free");

/* --- past the end --------------------------------------------------- */

static void past(void *arg)
{
	u64 *last = w->item->data + (buggy() ? 2 : 1);

	(void)arg;
	*last = 1;
	kfree(w->item);
}

#define past_setup setup
TWIN_TASKS(past, { "a", past });
TWIN_VARIANTS(past, SHOWS(WILD_ACCESS));
TWIN(past, "slab/past the end");

/* --- failing allocations, leaks ------------------------------------- */

static void leak_setup(void)
{
	setup();
	plain = KMEM_CACHE(item, SLAB_ACCOUNT);
}

static void leak(void *arg)
{
	struct item *a = kmem_cache_zalloc(plain, GFP_KERNEL), *b;

	(void)arg;
	kfree(w->item);
	if (!a)
		return;
	b = kmalloc(sizeof(struct item), GFP_KERNEL);
	if (!b) {
		heddle_mark("second one failed");
		if (!buggy())
			kmem_cache_free(plain, a);
		return;
	}
	b->data[0] = a->data[0];
	kfree(b);
	kmem_cache_free(plain, a);
}

static const char *const leak_goals[] = { "second one failed", NULL };
TWIN_TASKS(leak, { "a", leak });
TWIN_VARIANTS(leak, SHOWS(LEAK));
TWIN(leak, "slab/leak on an error path", .goals = leak_goals);

/* --- type-safe reuse, seen by a stale reader ------------------------ */

static void reuse_setup(void)
{
	w = heddle_alloc_type("struct twin", sizeof(*w));
	cache = kmem_cache_create("struct item", sizeof(struct item), 0,
				  SLAB_TYPESAFE_BY_RCU, NULL);
	w->item = kmem_cache_alloc(cache, GFP_KERNEL);
	w->item->key = 1;
	refcount_set(&w->item->refs, 1);
}

static void put_item(struct item *i)
{
	if (refcount_dec_and_test(&i->refs))
		kmem_cache_free(cache, i);
}

static void recycle(void *arg)
{
	struct item *i = w->item;

	(void)arg;
	WRITE_ONCE(w->item, NULL);
	put_item(i);
	i = kmem_cache_alloc(cache, GFP_KERNEL | __GFP_NOFAIL);
	WRITE_ONCE(i->key, 2);
	refcount_set_release(&i->refs, 1);
	put_item(i);
}

static void stale(void *arg)
{
	struct item *i;

	(void)arg;
	rcu_read_lock();
	i = READ_ONCE(w->item);
	if (!i || !refcount_inc_not_zero(&i->refs)) {
		rcu_read_unlock();
		return;
	}
	rcu_read_unlock();
	if (!buggy() && READ_ONCE(i->key) != 1)
		heddle_mark("another one by now");
	else
		heddle_assert(READ_ONCE(i->key) == 1);
	put_item(i);
}

static const char *const reuse_goals[] = { "another one by now", NULL };
TWIN_TASKS(reuse, { "recycle", recycle }, { "stale", stale });
static const struct heddle_variant reuse_variants[] = {
	{ .name = "safe", .goals = reuse_goals },
	{ .name = "buggy", .data = "", .expect = { SHOWS(ASSERT) } },
	{ .name = NULL },
};
TWIN(reuse, "slab/type-safe reuse");

/* --- last in, first out, contents kept ------------------------------ */

static void lifo(void *arg)
{
	struct item *a = w->item, *b;

	(void)arg;
	b = kmem_cache_alloc(cache, __GFP_NOFAIL);
	b->key = 7;
	kmem_cache_free(cache, a);
	kmem_cache_free(cache, b);
	rcu_read_lock();
	heddle_assert(READ_ONCE(b->key) == 7);
	rcu_read_unlock();
	heddle_assert(kmem_cache_alloc(cache, __GFP_NOFAIL) == b);
	heddle_assert(b->key == 7);
	heddle_assert(kmem_cache_zalloc(cache, __GFP_NOFAIL) == a);
	heddle_assert(a->key == 0);
	kmem_cache_free(cache, a);
	kmem_cache_free(cache, b);
	if (buggy())
		kmem_cache_free(cache, b);
}

#define lifo_setup reuse_setup
TWIN_TASKS(lifo, { "a", lifo });
TWIN_VARIANTS(lifo, SHOWS(DOUBLE_FREE));
TWIN(lifo, "slab/type-safe order");
