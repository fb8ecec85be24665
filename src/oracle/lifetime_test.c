/* SPDX-License-Identifier: MIT */
/* Objects, safe and buggy twins: used after they were freed, freed twice,
 * never freed, accessed where nothing is.  Covers lifetime.c, and verdict.c
 * through the names that are compared. */
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
