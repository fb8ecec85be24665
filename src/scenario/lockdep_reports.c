/* SPDX-License-Identifier: MIT */
/* Each report of lockdep once, as small as it can be.
 *
 * Source: the report list of kernel/locking/lockdep.c (6.12); the programs are
 * our own.
 *
 * A variant is a rule and the shortest code that breaks it.  Where two tasks
 * are needed, the order in which they run does not matter to lockdep: it
 * reports what could be, not what happens.  Reports say whether it can happen
 * here.  Two variants are about what a run's lockdep does not see: --lockdep=exact
 * reports hidden, run --lockdep=boot reports either.
 *
 * Not modelled: nothing; these are lock programs, not models. */
#include <heddle/heddle.h>
#include <heddle/kernel.h>

enum { DEPTH = 48 }; /* MAX_LOCK_DEPTH: one too many */

struct locks {
	struct mutex a, b, c;
	struct mutex node[2];       /* one class */
	struct rw_semaphore sem;
	spinlock_t spin, inner;
	raw_spinlock_t raw;
	rwlock_t rw;
	struct lockdep_map map;
	struct lockdep_map deep[DEPTH];
};

struct program {
	void (*first)(void);
	void (*second)(void);
	void (*irq)(void);          /* a hardirq on first's CPU */
};

static struct locks *l;

static void init_node(struct mutex *m)
{
	mutex_init(m);
}

static void setup(void)
{
	static struct lock_class_key key, deep_key[DEPTH];
	int i;

	l = heddle_alloc(struct locks);
	mutex_init(&l->a);
	mutex_init(&l->b);
	mutex_init(&l->c);
	init_node(&l->node[0]);
	init_node(&l->node[1]);
	init_rwsem(&l->sem);
	spin_lock_init(&l->spin);
	spin_lock_init(&l->inner);
	raw_spin_lock_init(&l->raw);
	rwlock_init(&l->rw);
	lockdep_init_map(&l->map, "map", &key, 0);
	for (i = 0; i < DEPTH; i++)
		lockdep_init_map(&l->deep[i], "deep", &deep_key[i], 0);
}

static const struct program *program(void)
{
	return heddle_variant_data();
}

static void nothing(void)
{
}

static void pair(struct mutex *outer, struct mutex *inner)
{
	mutex_lock(outer);
	mutex_lock(inner);
	mutex_unlock(inner);
	mutex_unlock(outer);
}

/* --- order ------------------------------------------------------------- */

static void a_b_c(void)
{
	pair(&l->a, &l->b);
	pair(&l->b, &l->c);
}

static void c_a(void)
{
	pair(&l->c, &l->a);
}
static const struct program three = { a_b_c, c_a, nothing };

static void sem_a(void)
{
	down_read(&l->sem);
	mutex_lock(&l->a);
	mutex_unlock(&l->a);
	up_read(&l->sem);
}

static void a_sem(void)
{
	mutex_lock(&l->a);
	down_read(&l->sem);
	up_read(&l->sem);
	mutex_unlock(&l->a);
}
static const struct program readers = { sem_a, a_sem, nothing };

/* b is let go while c, taken inside, is held: now c was taken under a. */
static void let_go_between(void)
{
	mutex_lock(&l->a);
	mutex_lock(&l->b);
	mutex_lock(&l->c);
	mutex_unlock(&l->b);
	mutex_unlock(&l->c);
	mutex_unlock(&l->a);
}
static const struct program between = { let_go_between, c_a, nothing };

/* The recursive reader in between has its own order after a, but not one that
 * counts; a before c is never recorded.  The kernel is silent, the exact rules
 * are not, and it deadlocks. */
static void a_reader_c(void)
{
	mutex_lock(&l->a);
	lock_map_acquire_read(&l->map);
	mutex_lock(&l->c);
	mutex_unlock(&l->c);
	lock_map_release(&l->map);
	mutex_unlock(&l->a);
}
static const struct program hidden = { a_reader_c, c_a, nothing };

/* No run has both orders. */
static void one_order(void)
{
	if (heddle_choose(2))
		pair(&l->a, &l->b);
	else
		pair(&l->b, &l->a);
}
static const struct program either = { one_order, nothing, nothing };

/* --- one class ----------------------------------------------------------- */

static void two_nodes(void)
{
	pair(&l->node[0], &l->node[1]);
}
static const struct program recursive = { two_nodes, nothing, nothing };

static void read_twice(void)
{
	down_read(&l->sem);
	down_read(&l->sem);
	up_read(&l->sem);
	up_read(&l->sem);
}

static void write_once(void)
{
	down_write(&l->sem);
	up_write(&l->sem);
}
static const struct program read_recursive = { read_twice, write_once,
					       nothing };

static void nest_unheld(void)
{
	mutex_lock_nest_lock(&l->node[0], &l->a);
	mutex_unlock(&l->node[0]);
}
static const struct program nest = { nest_unheld, nothing, nothing };

/* --- balance --------------------------------------------------------------- */

static void release_twice(void)
{
	lock_map_acquire(&l->map);
	lock_map_release(&l->map);
	lock_map_release(&l->map);
}
static const struct program unbalance = { release_twice, nothing, nothing };

static void keep(void)
{
	mutex_lock(&l->a);
}
static const struct program at_exit = { keep, nothing, nothing };

static void keep_to_user(void)
{
	mutex_lock(&l->a);
	return_to_user();
	mutex_unlock(&l->a);
}
static const struct program at_user = { keep_to_user, nothing, nothing };

static void init_held(void)
{
	mutex_lock(&l->a);
	mutex_init(&l->a);
}
static const struct program freed = { init_held, nothing, nothing };

/* --- wait types --------------------------------------------------------------- */

static void spin_in_raw(void)
{
	raw_spin_lock(&l->raw);
	spin_lock(&l->spin);
	spin_unlock(&l->spin);
	raw_spin_unlock(&l->raw);
}
static const struct program wait_type = { spin_in_raw, nothing, nothing };

/* --- interrupts ----------------------------------------------------------------- */

static void take_spin(void)
{
	spin_lock(&l->spin);
	spin_unlock(&l->spin);
}
static const struct program inconsistent = { take_spin, nothing, take_spin };

/* spin is taken in the interrupt; inner, with interrupts on, under which the
 * interrupt comes; and spin waits for inner. */
static void inner_in_spin(void)
{
	spin_lock_irq(&l->spin);
	spin_lock(&l->inner);
	spin_unlock(&l->inner);
	spin_unlock_irq(&l->spin);
}

static void take_inner(void)
{
	spin_lock(&l->inner);
	spin_unlock(&l->inner);
}

static void inner_and_mark(void)
{
	take_inner();
	heddle_mark("inner with interrupts on");
}
/* Whether the new dependency or the new usage comes last decides which of the
 * two reports it is. */
static const struct program irq_chain = { inner_and_mark, inner_in_spin,
					  take_spin };

/* --- limits, and what the kernel only warns of ------------------------------------- */

static void eighth_subclass(void)
{
	mutex_lock_nested(&l->a, 8);
	mutex_unlock(&l->a);
}
static const struct program subclass = { eighth_subclass, nothing, nothing };

static void too_deep(void)
{
	int i;

	for (i = 0; i < DEPTH; i++)
		lock_map_acquire(&l->deep[i]);
	while (i--)
		lock_map_release(&l->deep[i]);
}
static const struct program depth = { too_deep, nothing, nothing };

static void downgrade_nothing(void)
{
	lock_downgrade(&l->map, _RET_IP_);
}
static const struct program downgrade = { downgrade_nothing, nothing, nothing };

/* --- the scenario ------------------------------------------------------------------ */

static void first(void *arg)
{
	(void)arg;
	program()->first();
}

static void second(void *arg)
{
	(void)arg;
	program()->second();
}

static void irq(void *arg)
{
	(void)arg;
	program()->irq();
}

static const struct heddle_task tasks[] = {
	{ .name = "first", .fn = first },
	{ .name = "second", .fn = second },
	{ .name = "irq", .fn = irq, .irq = HEDDLE_HARDIRQ, .on = "first" },
	{ 0 },
};

static const struct heddle_variant variants[] = {
	{ "three", "three locks in a circle", &three,
	  { { HD_V_CIRCULAR, 0 } } },
	{ "readers", "a reader on both sides", &readers,
	  { { HD_V_CIRCULAR, 0 } } },
	{ "between", "an order that a release in the middle records", &between,
	  { { HD_V_CIRCULAR, 0 }, { HD_V_DEADLOCK, 1 } } },
	{ "hidden", "a deadlock that the kernel's search does not see", &hidden,
	  { { HD_V_DEADLOCK, 1 } } },
	{ "either", "one order or the other, never both in one run", &either },
	{ "recursive", "two locks of one class", &recursive,
	  { { HD_V_RECURSIVE, 0 } } },
	{ "read-recursive", "a reader again, a writer may wait between",
	  &read_recursive,
	  { { HD_V_RECURSIVE, 0 }, { HD_V_DEADLOCK, 1 } } },
	{ "nest", "a nest lock that is not held", &nest,
	  { { HD_V_NEST_NOT_HELD, 0 } } },
	{ "unbalance", "a release too many", &unbalance,
	  { { HD_V_UNBALANCE, 0 } } },
	{ "at-exit", "the task ends and holds a lock", &at_exit,
	  { { HD_V_HELD_AT_EXIT, 0 } } },
	{ "at-user", "return to user space with a lock", &at_user,
	  { { HD_V_HELD_AT_USER, 0 } } },
	{ "freed", "a held lock is initialised", &freed,
	  { { HD_V_FREED, 0 } } },
	{ "wait-type", "a spinlock inside a raw spinlock", &wait_type,
	  { { HD_V_WAIT_CONTEXT, 0 } } },
	{ "inconsistent", "taken in an interrupt and with interrupts on",
	  &inconsistent,
	  { { HD_V_INCONSISTENT, 0 }, { HD_V_DEADLOCK, 1 } } },
	{ "subclass", "the ninth subclass", &subclass,
	  { { HD_V_BAD_SUBCLASS, 0 } } },
	{ "depth", "the 48th lock", &depth, { { HD_V_MAX_DEPTH, 0 } } },
	{ "downgrade", "a downgrade with nothing held", &downgrade,
	  { { HD_V_WARN, 0 } } },
	{ "irq-chain", "an interrupt's lock waits for one that it can interrupt",
	  &irq_chain,
	  { { HD_V_IRQ_INVERSION, 0 }, { HD_V_IRQ_ORDER, 0 },
	    { HD_V_DEADLOCK, 2 } } },
	{ 0 },
};

HEDDLE_SCENARIO(lockdep_reports) = {
	.name = "lockdep_reports",
	.title = "each report of lockdep, as small as it can be",
	.source = "kernel/locking/lockdep.c, 6.12 (the list of reports)",
	.variants = variants,
	.tasks = tasks,
	.setup = setup,
};
