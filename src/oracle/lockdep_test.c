/* SPDX-License-Identifier: MIT */
/* What lockdep says of locks that tasks really take, safe and buggy twins:
 * recursion, order, balance, held at exit and at return to user space; rule by
 * rule: lockdep_rules_test.c.  Expected verdicts are those of a booted 6.12 with
 * PROVE_LOCKING.  Covers lockdep_stack.c, lockdep_graph.c, and verdict.c through
 * the names that are compared. */
#include <heddle/heddle.h>
#include <heddle/kernel.h>

struct locks {
	struct mutex a, b, c;
	struct mutex twin[2]; /* one class */
	struct rw_semaphore r, s;
	struct lockdep_map map;
};

static struct locks *l;
static struct lock_class_key map_key;

static void init_twin(struct mutex *m)
{
	mutex_init(m);
}

static void setup(void)
{
	l = heddle_alloc(struct locks);
	mutex_init(&l->a);
	mutex_init(&l->b);
	mutex_init(&l->c);
	init_twin(&l->twin[0]);
	init_twin(&l->twin[1]);
	init_rwsem(&l->r);
	init_rwsem(&l->s);
	lockdep_init_map(&l->map, "map", &map_key);
}

static bool buggy(void)
{
	return heddle_variant_data() != NULL;
}

#define TWIN(id, fn, ...)                                               \
	static const struct heddle_task id##_tasks[] = { { #id, fn, 0 }, \
							 { 0 } };       \
	static const struct heddle_variant id##_variants[] = {          \
		{ .name = "safe" },                                     \
		{ .name = "buggy", .data = "b",                         \
		  .expect = { __VA_ARGS__ } },                          \
		{ 0 }                                                   \
	};                                                              \
	HEDDLE_SCENARIO(id##_twin) = { .name = #id, .tasks = id##_tasks,       \
				.variants = id##_variants, .setup = setup }

static void pair(struct mutex *outer, struct mutex *inner)
{
	mutex_lock(outer);
	mutex_lock(inner);
	mutex_unlock(inner);
	mutex_unlock(outer);
}

/* One task suffices: the order is a rule, not an accident. */
static void order2(void *arg)
{
	(void)arg;
	pair(&l->a, &l->b);
	if (buggy())
		pair(&l->b, &l->a);
	else
		pair(&l->a, &l->b);
}
TWIN(order2, order2, { HD_V_CIRCULAR, 0 });

static void order3(void *arg)
{
	(void)arg;
	pair(&l->a, &l->b);
	pair(&l->b, &l->c);
	if (buggy())
		pair(&l->c, &l->a);
	else
		pair(&l->a, &l->c);
}
TWIN(order3, order3, { HD_V_CIRCULAR, 0 });

/* Two locks of one class: instances are never compared. */
static void recursion(void *arg)
{
	(void)arg;
	mutex_lock(&l->twin[0]);
	if (buggy())
		mutex_lock(&l->twin[1]);
	else
		mutex_lock_nested(&l->twin[1], SINGLE_DEPTH_NESTING);
	mutex_unlock(&l->twin[1]);
	mutex_unlock(&l->twin[0]);
}
TWIN(recursion, recursion, { HD_V_RECURSIVE, 0 });

/* A reader may be blocked by a queued writer: read after read is a report,
 * a read trylock under it is none. */
static void read_twice(void *arg)
{
	(void)arg;
	down_read(&l->r);
	if (buggy()) {
		down_read(&l->r);
		up_read(&l->r);
	} else if (down_read_trylock(&l->r)) {
		up_read(&l->r);
	}
	up_read(&l->r);
}
TWIN(read_twice, read_twice, { HD_V_RECURSIVE, 0 });

/* A trylock adds no edge into its lock, but is the source of edges. */
static void trylock_edges(void *arg)
{
	(void)arg;
	pair(&l->a, &l->b);
	mutex_lock(&l->b);
	if (buggy())
		mutex_lock(&l->a);
	else if (!mutex_trylock(&l->a))
		return;
	mutex_unlock(&l->a);
	mutex_unlock(&l->b);
}
TWIN(trylock_edges, trylock_edges, { HD_V_CIRCULAR, 0 });

static void trylock_source(void *arg)
{
	(void)arg;
	pair(&l->a, &l->b);
	if (!mutex_trylock(&l->b))
		return;
	if (buggy()) {
		mutex_lock(&l->a);
		mutex_unlock(&l->a);
	}
	mutex_unlock(&l->b);
}
TWIN(trylock_source, trylock_source, { HD_V_CIRCULAR, 0 });

static void balance(void *arg)
{
	(void)arg;
	rwsem_acquire_read(&l->map, 0, 0, _RET_IP_);
	rwsem_release(&l->map, _RET_IP_);
	if (buggy())
		rwsem_release(&l->map, _RET_IP_);
}
TWIN(balance, balance, { HD_V_UNBALANCE, 0 });

static void at_user(void *arg)
{
	(void)arg;
	mutex_lock(&l->a);
	if (buggy())
		return_to_user();
	mutex_unlock(&l->a);
	return_to_user();
}
TWIN(at_user, at_user, { HD_V_HELD_AT_USER, 0 });

static void at_exit(void *arg)
{
	(void)arg;
	mutex_lock(&l->a);
	if (!buggy())
		mutex_unlock(&l->a);
}
TWIN(at_exit, at_exit, { HD_V_HELD_AT_EXIT, 0 });

static void asserted(void *arg)
{
	(void)arg;
	down_read(&l->r);
	if (buggy())
		lockdep_assert_held_write(&l->r);
	lockdep_assert_held(&l->r);
	up_read(&l->r);
}
TWIN(asserted, asserted, { HD_V_LOCK_ASSERT, 0 });

/* One report per run: what follows is not looked at, as in the kernel. */
static void report_once(void *arg)
{
	(void)arg;
	pair(&l->a, &l->b);
	if (buggy()) {
		pair(&l->b, &l->a);
		rwsem_release(&l->map, _RET_IP_); /* unbalanced, but unseen */
	}
}
TWIN(report_once, report_once, { HD_V_CIRCULAR, 0 });

/* Two tasks: the report needs no preemption, the deadlock does. */
static void forward(void *arg)
{
	(void)arg;
	pair(&l->a, &l->b);
}

static void backward(void *arg)
{
	(void)arg;
	if (buggy())
		pair(&l->b, &l->a);
	else
		pair(&l->a, &l->b);
}

static const struct heddle_task two_tasks[] = { { "forward", forward, 0 },
						{ "backward", backward, 0 },
						{ 0 } };
static const struct heddle_variant two_variants[] = {
	{ .name = "safe" },
	{ .name = "buggy", .data = "b",
	  .expect = { { HD_V_CIRCULAR, 0 }, { HD_V_DEADLOCK, 1 } } },
	{ 0 }
};
HEDDLE_SCENARIO(two_tasks_order) = { .name = "two_tasks_order",
				     .tasks = two_tasks,
				     .variants = two_variants,
				     .setup = setup };
