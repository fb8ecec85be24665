/* SPDX-License-Identifier: MIT */
/* Do annotations by hand, as the VMA lock makes them, reach lockdep? */
#include "../base/twin.h"

struct thing {
	refcount_t refs;
	struct lockdep_map dep_map;
};

static struct {
	struct thing a, b;
	struct rw_semaphore mmap_lock;
} *w;

static void setup(void)
{
	static struct lock_class_key key;

	w = heddle_alloc_type("struct twin", sizeof(*w));
	lockdep_init_map(&w->a.dep_map, "thing_lock", &key, 0);
	lockdep_init_map(&w->b.dep_map, "thing_lock", &key, 0);
	init_rwsem(&w->mmap_lock);
	heddle_assert(w->mmap_lock.dep_map.name[0] == 'm');
}

/* --- held when returning to user space ------------------------------ */

static void imbalance(void *arg)
{
	(void)arg;
	rwsem_acquire_read(&w->a.dep_map, 0, 1, _RET_IP_);
	lockdep_assert_held_read(&w->a);
	lockdep_assert(lock_is_held(&w->a.dep_map));
	if (!buggy())
		rwsem_release(&w->a.dep_map, _RET_IP_);
	return_to_user();
}

#define imbalance_setup setup
TWIN_TASKS(imbalance, { "a", imbalance });
TWIN_VARIANTS(imbalance, SHOWS(HELD_AT_USER));
TWIN(imbalance, "lockdep/acquired, not released");

static void release_twice(void *arg)
{
	(void)arg;
	rwsem_acquire_read(&w->a.dep_map, 0, 1, _RET_IP_);
	rwsem_release(&w->a.dep_map, _RET_IP_);
	if (buggy())
		rwsem_release(&w->a.dep_map, _RET_IP_);
}

#define release_setup setup
TWIN_TASKS(release, { "a", release_twice });
TWIN_VARIANTS(release, SHOWS(UNBALANCE));
TWIN(release, "lockdep/released, not acquired");

/* --- trylocks make no dependency into the lock; blocking ones do ---- */

static void reader(void *arg)
{
	(void)arg;
	down_read(&w->mmap_lock);
	rwsem_acquire_read(&w->a.dep_map, 0, 1, _RET_IP_);
	up_read(&w->mmap_lock);
	rwsem_release(&w->a.dep_map, _RET_IP_);
}

static void other_order(void *arg)
{
	(void)arg;
	rwsem_acquire_read(&w->a.dep_map, 0, !buggy(), _RET_IP_);
	if (buggy()) {
		down_read(&w->mmap_lock);
		up_read(&w->mmap_lock);
	} else if (down_read_trylock(&w->mmap_lock)) {
		up_read(&w->mmap_lock);
	}
	rwsem_release(&w->a.dep_map, _RET_IP_);
}

static void writer(void *arg)
{
	(void)arg;
	down_write(&w->mmap_lock);
	rwsem_acquire(&w->b.dep_map, 0, 0, _RET_IP_);
	lockdep_assert_held_write(&w->b);
	lock_acquired(&w->b.dep_map, _RET_IP_);
	rwsem_release(&w->b.dep_map, _RET_IP_);
	up_write(&w->mmap_lock);
}

#define order_setup setup
TWIN_TASKS(order, { "reader", reader }, { "other", other_order },
	   { "writer", writer });
TWIN_VARIANTS(order, SHOWS(CIRCULAR));
TWIN(order, "lockdep/trylock and order");

/* --- two of one class ----------------------------------------------- */

static void pair(void *arg)
{
	(void)arg;
	rwsem_acquire_read(&w->a.dep_map, 0, 0, _RET_IP_);
	rwsem_acquire_read(&w->b.dep_map, buggy() ? 0 : SINGLE_DEPTH_NESTING,
			   0, _RET_IP_);
	rwsem_release(&w->b.dep_map, _RET_IP_);
	rwsem_release(&w->a.dep_map, _RET_IP_);
}

#define pair_setup setup
TWIN_TASKS(pair, { "a", pair });
TWIN_VARIANTS(pair, SHOWS(RECURSIVE));
TWIN(pair, "lockdep/two of a class");

/* --- two locks of one init site, one with a class of its own -------- */

static struct mutex outer, inner;

static void class_setup(void)
{
	static struct lock_class_key inner_key;
	struct mutex *m[] = { &outer, &inner };
	u32 i;

	for (i = 0; i < 2; i++)
		mutex_init(m[i]);
	if (!buggy())
		lockdep_set_class(&inner, &inner_key);
}

static void nested(void *arg)
{
	(void)arg;
	mutex_lock(&outer);
	mutex_lock(&inner);
	mutex_unlock(&inner);
	mutex_unlock(&outer);
}

TWIN_TASKS(class, { "a", nested });
TWIN_VARIANTS(class, SHOWS(RECURSIVE));
TWIN(class, "lockdep/a class of its own");
