/* SPDX-License-Identifier: MIT */
/* Objects, safe and buggy twins: used after they were freed, freed twice,
 * never freed, freed with a lock or a reference left, accessed where nothing is.
 * Covers lifetime.c, and verdict.c through the names that are compared. */
#include "../base/twin.h"

struct item {
	u32 key;
	u8 name[9]; /* the object ends inside of a granule */
};

static struct {
	struct mutex lock;
	struct item *item;
	struct item *spare[2];
	struct rcu_head rcu;
} *w;

static void setup(void)
{
	w = heddle_alloc_type("struct twin", sizeof(*w));
	mutex_init(&w->lock);
	w->item = kzalloc_obj(struct item);
}

/* --- the other task frees ------------------------------------------------ */

static void frees(void *arg)
{
	struct item *i;

	(void)arg;
	mutex_lock(&w->lock);
	i = w->item;
	w->item = NULL;
	mutex_unlock(&w->lock);
	kfree(i);
}

/* The pointer is good only while the lock is held. */
static void uses(void *arg)
{
	struct item *i;

	(void)arg;
	mutex_lock(&w->lock);
	i = w->item;
	if (buggy())
		mutex_unlock(&w->lock);
	if (i) {
		heddle_mark("item seen");
		if (heddle_choose(2))
			i->key = 1;
		else
			(void)READ_ONCE(i->name[8]);
	}
	if (!buggy())
		mutex_unlock(&w->lock);
}

static const char *const uses_goals[] = { "item seen", NULL };
#define other_setup setup
TWIN_TASKS(other, { "frees", frees }, { "uses", uses });
TWIN_VARIANTS(other, SHOWS(USE_AFTER_FREE), SHOWS(ASSERT_RACE));
TWIN(other, "lifetime/the other task frees", .goals = uses_goals);

/* Known to nobody else; the order of two statements decides. */
static void own(void *arg)
{
	struct item *i = w->item;

	(void)arg;
	if (buggy())
		kfree(i);
	i->key = 2;
	if (!buggy())
		kfree(i);
}

#define own_setup setup
TWIN_TASKS(own, { "a", own });
TWIN_VARIANTS(own, SHOWS(USE_AFTER_FREE));
TWIN(own, "lifetime/used after its own free");

/* Kept objects are forgiven their leak, not their use after free. */
static void kept(void *arg)
{
	struct item *i = kzalloc(sizeof(struct item), GFP_KERNEL | __GFP_NOFAIL);

	(void)arg;
	heddle_keep(i);
	kfree(i);
	if (buggy())
		i->key = 3;
	kfree(w->item);
}

#define kept_setup setup
TWIN_TASKS(kept, { "a", kept });
TWIN_VARIANTS(kept, SHOWS(USE_AFTER_FREE));
TWIN(kept, "lifetime/kept, freed, used");

/* --- freed twice ---------------------------------------------------------- */

static void drop(void *arg)
{
	struct item *i;

	(void)arg;
	if (buggy()) {
		i = READ_ONCE(w->item);
		WRITE_ONCE(w->item, NULL);
	} else {
		i = xchg(&w->item, NULL);
	}
	kfree(i);
}

#define twice_setup setup
TWIN_TASKS(twice, { "a", drop }, { "b", drop });
TWIN_VARIANTS(twice, SHOWS(DOUBLE_FREE));
TWIN(twice, "lifetime/freed twice");

static void free_cb(struct rcu_head *head)
{
	(void)head;
	kfree(w->item);
}

/* Freed at once, and by a callback. */
static void free_both_ways(void *arg)
{
	(void)arg;
	if (buggy())
		kfree(w->item);
	call_rcu(&w->rcu, free_cb);
}

#define both_setup setup
TWIN_TASKS(both, { "a", free_both_ways });
TWIN_VARIANTS(both, SHOWS(DOUBLE_FREE));
TWIN(both, "lifetime/freed at once and by RCU");

/* --- never freed ----------------------------------------------------------- */

/* Two tasks fill one slot; who comes second must give his own back. */
static void fill(void *arg)
{
	struct item *i = kzalloc(sizeof(struct item), GFP_KERNEL | __GFP_NOFAIL);

	(void)arg;
	if (buggy()) {
		if (!READ_ONCE(w->spare[0]))
			WRITE_ONCE(w->spare[0], i); /* over another one */
		else
			kfree(i);
	} else if (cmpxchg(&w->spare[0], NULL, i)) {
		kfree(i);
	}
}

static void fill_check(void)
{
	kfree(w->spare[0]);
}

#define fill_setup setup
TWIN_TASKS(fill, { "a", fill }, { "b", fill });
TWIN_VARIANTS(fill, SHOWS(LEAK));
TWIN(fill, "lifetime/leak of who came second", .check = fill_check);

/* An error path; and heddle_keep() says that there is no leak. */
static void error_path(void *arg)
{
	struct item *i = kzalloc(sizeof(struct item), GFP_KERNEL | __GFP_NOFAIL);

	(void)arg;
	if (!buggy())
		heddle_keep(i);
	else if (!heddle_fail("second step"))
		kfree(i);
}

#define path_setup setup
TWIN_TASKS(path, { "a", error_path });
TWIN_VARIANTS(path, SHOWS(LEAK));
TWIN(path, "lifetime/leak on the error path");

/* What the set-up allocated may stay. */
static void nothing(void *arg)
{
	(void)arg;
}

#define stays_setup setup
TWIN_TASKS(stays, { "a", nothing });
TWIN_SAFE_ONLY(stays);
TWIN(stays, "lifetime/objects of the set-up");

/* --- where nothing is ---------------------------------------------------------- */

static void past_the_end(void *arg)
{
	struct item *i = w->item;
	u32 n = buggy() ? sizeof(struct item) : sizeof(struct item) - 1;

	(void)arg;
	((volatile u8 *)i)[n] = 1;
}

#define end_setup setup
TWIN_TASKS(end, { "a", past_the_end });
TWIN_VARIANTS(end, SHOWS(WILD_ACCESS));
TWIN(end, "lifetime/past the end");

static void before_the_start(void *arg)
{
	volatile u8 *p = (volatile u8 *)w->item;

	(void)arg;
	if (buggy())
		p--;
	(void)*p;
}

#define start_setup setup
TWIN_TASKS(start, { "a", before_the_start });
TWIN_VARIANTS(start, SHOWS(WILD_ACCESS));
TWIN(start, "lifetime/before the start");

static void far_away(void *arg)
{
	volatile u32 *p = &w->item->key;

	(void)arg;
	if (buggy())
		p += 0x8000; /* in the heap's range, never allocated */
	*p = 1;
}

#define far_setup setup
TWIN_TASKS(far, { "a", far_away });
TWIN_VARIANTS(far, SHOWS(WILD_ACCESS));
TWIN(far, "lifetime/never allocated");

static void through_null(void *arg)
{
	struct item *i = READ_ONCE(w->item);

	(void)arg;
	if (i || buggy())
		i->key = 4;
}

static void clears(void *arg)
{
	(void)arg;
	WRITE_ONCE(w->item, NULL);
}

#define null_setup setup
TWIN_TASKS(null, { "clears", clears }, { "uses", through_null });
TWIN_VARIANTS(null, SHOWS(NULL_DEREF));
TWIN(null, "lifetime/through NULL");

/* --- type-safe memory: a free object is still one ---------------------------- */

static struct kmem_cache *cache;

static void with_cache(void)
{
	setup();
	cache = kmem_cache_create("struct item", sizeof(struct item), 0,
				  buggy() ? 0 : SLAB_TYPESAFE_BY_RCU, NULL);
	w->spare[0] = kmem_cache_zalloc(cache, GFP_KERNEL | __GFP_NOFAIL);
}

static void frees_cached(void *arg)
{
	(void)arg;
	kmem_cache_free(cache, w->spare[0]);
}

static void looks(void *arg)
{
	(void)arg;
	rcu_read_lock();
	(void)READ_ONCE(w->spare[0]->key);
	rcu_read_unlock();
}

#define typesafe_setup with_cache
TWIN_TASKS(typesafe, { "frees", frees_cached }, { "looks", looks });
TWIN_VARIANTS(typesafe, SHOWS(USE_AFTER_FREE), SHOWS(ASSERT_RACE));
TWIN(typesafe, "lifetime/SLAB_TYPESAFE_BY_RCU");

/* Freed: to be looked at by readers, and under a spinlock, but not otherwise. */
static struct {
	spinlock_t lock;
} *page;

static void with_page(void)
{
	w = heddle_alloc_type("struct twin", sizeof(*w));
	page = heddle_alloc_type("struct page", sizeof(*page));
	spin_lock_init(&page->lock);
	cache = kmem_cache_create("struct item", sizeof(struct item), 0,
				  SLAB_TYPESAFE_BY_RCU, NULL);
	w->item = kmem_cache_zalloc(cache, GFP_KERNEL | __GFP_NOFAIL);
}

static void free_item(void *arg)
{
	(void)arg;
	kmem_cache_free(cache, w->item);
}

static void look_everywhere(void *arg)
{
	(void)arg;
	rcu_read_lock();
	rcu_read_lock();
	(void)READ_ONCE(w->item->key);
	rcu_read_unlock();
	WRITE_ONCE(w->item->key, 1);
	rcu_read_unlock();
	spin_lock(&page->lock);
	(void)READ_ONCE(w->item->key);
	spin_unlock(&page->lock);
	if (buggy())
		(void)READ_ONCE(w->item->key);
}

static void page_check(void)
{
	(void)READ_ONCE(w->item->key); /* the world stands still */
}

#define page_setup with_page
TWIN_TASKS(page, { "free", free_item }, { "look", look_everywhere });
TWIN_VARIANTS(page, SHOWS(USE_AFTER_FREE));
TWIN(page, "lifetime/type-safe, outside of RCU", .check = page_check);

/* Reused: the pointer is stale, but it points at a live object. */
static void free_and_reuse(void *arg)
{
	struct item *i;

	(void)arg;
	kmem_cache_free(cache, w->item);
	if (buggy())
		return;
	i = kmem_cache_zalloc(cache, GFP_KERNEL | __GFP_NOFAIL);
	heddle_keep(i);
	smp_store_release(&w->spare[0], i);
}

static void look_stale(void *arg)
{
	(void)arg;
	if (!buggy() && !smp_load_acquire(&w->spare[0]))
		return;
	heddle_mark("stale look");
	(void)READ_ONCE(w->item->key);
}

static const char *const stale_goals[] = { "stale look", NULL };
#define stale_setup with_page
TWIN_TASKS(stale, { "free", free_and_reuse }, { "look", look_stale });
TWIN_VARIANTS(stale, SHOWS(USE_AFTER_FREE));
TWIN(stale, "lifetime/type-safe, reused", .goals = stale_goals);

/* --- freed with a lock in it ------------------------------------------------ */

struct locked {
	struct mutex lock;
	refcount_t refs;
	struct rcu_head rcu;
	u32 value;
};
static struct locked *obj;

static void locked_setup(void)
{
	obj = kzalloc_obj(struct locked);
	mutex_init(&obj->lock);
	refcount_set(&obj->refs, 2);
}

/* The classic: the lock that protects the object lies in it. */
static void put_locked(void *arg)
{
	bool last;

	(void)arg;
	mutex_lock(&obj->lock);
	if (buggy()) {
		if (refcount_dec_and_test(&obj->refs))
			kfree(obj);
		mutex_unlock(&obj->lock);
		return;
	}
	obj->value++;
	mutex_unlock(&obj->lock);
	last = refcount_dec_and_test(&obj->refs);
	if (last)
		kfree(obj);
}

#define inside_setup locked_setup
TWIN_TASKS(inside, { "a", put_locked }, { "b", put_locked });
TWIN_VARIANTS(inside, SHOWS(FREED), SHOWS(USE_AFTER_FREE));
TWIN(inside, "lifetime/put under the lock in the object");

/* Another task holds the lock, or waits for it. */
static void holds(void *arg)
{
	(void)arg;
	mutex_lock(&obj->lock);
	obj->value++;
	mutex_unlock(&obj->lock);
	if (!buggy() && refcount_dec_and_test(&obj->refs))
		kfree(obj);
}

static void frees_locked(void *arg)
{
	(void)arg;
	if (buggy() || refcount_dec_and_test(&obj->refs))
		kfree(obj);
}

#define other_holds_setup locked_setup
TWIN_TASKS(other_holds, { "holds", holds }, { "frees", frees_locked });
TWIN_VARIANTS(other_holds, SHOWS(FREED), SHOWS(USE_AFTER_FREE),
	      SHOWS(ASSERT_RACE));
TWIN(other_holds, "lifetime/freed while another task holds the lock");

/* By RCU, which does not wait for holders of a mutex. */
static void frees_by_rcu(void *arg)
{
	(void)arg;
	if (buggy() || refcount_dec_and_test(&obj->refs))
		kfree_rcu(obj, rcu);
}

static void holds_by_rcu(void *arg)
{
	(void)arg;
	mutex_lock(&obj->lock);
	WRITE_ONCE(obj->value, 1);
	mutex_unlock(&obj->lock);
	if (!buggy() && refcount_dec_and_test(&obj->refs))
		kfree_rcu(obj, rcu);
}

#define rcu_holds_setup locked_setup
TWIN_TASKS(rcu_holds, { "holds", holds_by_rcu }, { "frees", frees_by_rcu });
TWIN_VARIANTS(rcu_holds, SHOWS(FREED), SHOWS(USE_AFTER_FREE),
	      SHOWS(ASSERT_RACE));
TWIN(rcu_holds, "lifetime/freed by RCU while another task holds the lock");

/* --- references that are left ------------------------------------------------ */

static void get_and_put(void *arg)
{
	struct locked *o = kzalloc(sizeof(struct locked),
				   GFP_KERNEL | __GFP_NOFAIL);

	(void)arg;
	kfree(obj);
	refcount_set(&o->refs, 1);
	refcount_inc(&o->refs);
	if (!heddle_fail("the step behind the get") || !buggy())
		if (refcount_dec_and_test(&o->refs))
			return;
	if (refcount_dec_and_test(&o->refs))
		kfree(o);
}

#define refs_setup locked_setup
TWIN_TASKS(refs, { "a", get_and_put });
TWIN_VARIANTS(refs, SHOWS(REFCOUNT_LEAK));
TWIN(refs, "lifetime/get without put");

/* The last put is there, the free is not: that is a leak of memory. */
static void forgets(void *arg)
{
	struct locked *o = kzalloc(sizeof(struct locked),
				   GFP_KERNEL | __GFP_NOFAIL);

	(void)arg;
	kfree(obj);
	refcount_set(&o->refs, 1);
	if (refcount_dec_and_test(&o->refs) && !buggy())
		kfree(o);
}

#define forgets_setup locked_setup
TWIN_TASKS(forgets, { "a", forgets });
TWIN_VARIANTS(forgets, SHOWS(LEAK));
TWIN(forgets, "lifetime/last put without free");

/* References to objects of the set-up are judged where it says so. */
static struct {
	refcount_t refs;
} fixed;

static void expecting_setup(void)
{
	locked_setup();
	refcount_set(&fixed.refs, 1);
	heddle_expect_refs(&obj->refs);
	heddle_expect_refs(&fixed.refs);
}

static void gets(void *arg)
{
	(void)arg;
	refcount_inc(&obj->refs);
	if (buggy() && heddle_choose(2)) {
		heddle_assert(!refcount_dec_and_test(&obj->refs));
		refcount_inc(&fixed.refs);
		return;
	}
	refcount_inc(&fixed.refs);
	heddle_assert(!refcount_dec_and_test(&fixed.refs));
	if (!buggy())
		heddle_assert(!refcount_dec_and_test(&obj->refs));
}

TWIN_TASKS(expecting, { "a", gets });
TWIN_VARIANTS(expecting, SHOWS(REFCOUNT_LEAK));
TWIN(expecting, "lifetime/expected references, one more");

static void puts_twice(void *arg)
{
	(void)arg;
	heddle_assert(!refcount_dec_and_test(&obj->refs));
	if (!buggy())
		refcount_inc(&obj->refs);
}

#define fewer_setup expecting_setup
TWIN_TASKS(fewer, { "a", puts_twice });
TWIN_VARIANTS(fewer, SHOWS(REFCOUNT));
TWIN(fewer, "lifetime/expected references, one less");
