/* SPDX-License-Identifier: MIT */
/* Lockdep's rules one by one, safe and buggy twins that differ in one call.
 * What a booted kernel says to thousands of such programs is in corpus/lockdep
 * (triage/t/lockdep.t); here the same parts judge runs.  Covers lockdep_class.c,
 * lockdep_chain.c, lockdep_usage.c, lockdep_wait.c and lockdep_report.c. */
#include "../base/twin.h"

struct locks {
	struct mutex a, b, c;
	struct mutex node[2];
	struct rw_semaphore sem;
	rwlock_t rw;
	spinlock_t spin, inner;
	raw_spinlock_t raw;
	struct lockdep_map map;
	struct srcu_struct srcu;
};

static struct locks *l;

static void init_node(struct mutex *m)
{
	mutex_init(m);
}

static void setup(void)
{
	static struct lock_class_key key;

	l = heddle_alloc(struct locks);
	mutex_init(&l->a);
	mutex_init(&l->b);
	mutex_init(&l->c);
	init_node(&l->node[0]);
	init_node(&l->node[1]);
	init_rwsem(&l->sem);
	rwlock_init(&l->rw);
	spin_lock_init(&l->spin);
	spin_lock_init(&l->inner);
	raw_spin_lock_init(&l->raw);
	lockdep_init_map(&l->map, "map", &key, 0);
	init_srcu_struct(&l->srcu);
}

static void pair(struct mutex *outer, struct mutex *inner)
{
	mutex_lock(outer);
	mutex_lock(inner);
	mutex_unlock(inner);
	mutex_unlock(outer);
}

#define ONE(id, text, ...)                                             \
	TWIN_TASKS(id, { #id, id });                                   \
	TWIN_VARIANTS(id, __VA_ARGS__);                                \
	TWIN(id, "lockdep/" text)

/* --- classes ---------------------------------------------------------- */

/* Two locks of a class need an order that lockdep knows of. */
#define subclass_setup setup
static void subclass(void *arg)
{
	(void)arg;
	mutex_lock(&l->node[0]);
	mutex_lock_nested(&l->node[1], buggy() ? 0 : SINGLE_DEPTH_NESTING);
	mutex_unlock(&l->node[1]);
	mutex_unlock(&l->node[0]);
}
ONE(subclass, "subclass", SHOWS(RECURSIVE));

/* Subclasses of one key are unrelated: their order can be wrong, too. */
#define inverted_setup setup
static void inverted(void *arg)
{
	bool wrong = buggy();

	(void)arg;
	subclass(NULL);
	if (wrong)
		return;
	mutex_lock_nested(&l->node[1], 0);
	mutex_lock_nested(&l->node[0], SINGLE_DEPTH_NESTING);
	mutex_unlock(&l->node[0]);
	mutex_unlock(&l->node[1]);
}
ONE(inverted, "instances change places, subclasses do not", SHOWS(RECURSIVE));

#define too_many_setup setup
static void too_many(void *arg)
{
	(void)arg;
	mutex_lock_nested(&l->a, buggy() ? 8 : 7);
	mutex_unlock(&l->a);
}
ONE(too_many, "eight subclasses", SHOWS(BAD_SUBCLASS));

static void no_key_setup(void)
{
	l = heddle_alloc(struct locks);
	if (!buggy())
		mutex_init(&l->a);
}

static void no_key(void *arg)
{
	(void)arg;
	mutex_lock(&l->a);
	mutex_unlock(&l->a);
}
ONE(no_key, "a lock that nobody initialised", SHOWS(NO_KEY));

#define renamed_setup setup
static void renamed(void *arg)
{
	(void)arg;
	mutex_lock(&l->node[0]);
	mutex_lock_nested(&l->node[1], 1);
	if (buggy())
		lock_set_subclass(&l->node[1].dep_map, 0, _RET_IP_);
	mutex_unlock(&l->node[1]);
	mutex_unlock(&l->node[0]);
}
ONE(renamed, "a subclass set while it is held", SHOWS(RECURSIVE));

/* --- nest locks --------------------------------------------------------- */

#define nest_setup setup
static void nest(void *arg)
{
	(void)arg;
	if (!buggy())
		mutex_lock(&l->a);
	mutex_lock_nest_lock(&l->node[0], &l->a);
	if (!buggy()) {
		mutex_lock_nest_lock(&l->node[1], &l->a);
		mutex_unlock(&l->node[1]);
	}
	mutex_unlock(&l->node[0]);
	if (!buggy())
		mutex_unlock(&l->a);
}
ONE(nest, "nest lock", SHOWS(NEST_NOT_HELD));

#define miscounted_setup setup
static void miscounted(void *arg)
{
	(void)arg;
	mutex_lock(&l->a);
	mutex_acquire_nest(&l->node[0].dep_map, 0, 0, &l->a.dep_map, _RET_IP_);
	mutex_acquire_nest(&l->node[1].dep_map, 0, 0, &l->a.dep_map, _RET_IP_);
	mutex_release(&l->node[0].dep_map, _RET_IP_);
	mutex_release(&l->node[0].dep_map, _RET_IP_);
	if (buggy())
		mutex_release(&l->node[0].dep_map, _RET_IP_);
	mutex_unlock(&l->a);
}
ONE(miscounted, "acquisitions under a nest lock are counted",
    SHOWS(UNBALANCE));

/* --- chains: what was validated, and what a release records --------------- */

#define between_setup setup
static void between(void *arg)
{
	(void)arg;
	mutex_lock(&l->a);
	mutex_lock(&l->b);
	mutex_lock(&l->c);
	mutex_unlock(buggy() ? &l->b : &l->c);
	mutex_unlock(buggy() ? &l->c : &l->b);
	mutex_unlock(&l->a);
	mutex_lock(&l->c);
	if (buggy())
		mutex_lock(&l->a);
	mutex_unlock(&l->c);
	if (buggy())
		mutex_unlock(&l->a);
}
ONE(between, "a release in the middle takes again what is above",
    SHOWS(CIRCULAR));

/* W(A) RR(B) W(C) hides A -> C behind the recursive reader B; taken again when
 * B is released first, A -> C is recorded. */
#define hidden_setup setup
static void hidden(void *arg)
{
	(void)arg;
	pair(&l->c, &l->a);
	mutex_lock(&l->a);
	lock_map_acquire_read(&l->map);
	mutex_lock(&l->c);
	if (buggy()) {
		lock_map_release(&l->map);
		mutex_unlock(&l->c);
	} else {
		mutex_unlock(&l->c);
		lock_map_release(&l->map);
	}
	mutex_unlock(&l->a);
}
ONE(hidden, "a recursive reader between hides an order until its release",
    SHOWS(CIRCULAR));

/* --- strength: who blocks whom --------------------------------------------- */

/* A recursive reader waits for no reader: only a writer closes the cycle. */
#define weak_setup setup
static void weak(void *arg)
{
	(void)arg;
	lock_map_acquire_read(&l->map);
	mutex_lock(&l->a);
	mutex_unlock(&l->a);
	lock_map_release(&l->map);
	mutex_lock(&l->a);
	if (buggy())
		lock_map_acquire(&l->map);
	else
		lock_map_acquire_read(&l->map);
	lock_map_release(&l->map);
	mutex_unlock(&l->a);
}
ONE(weak, "a recursive reader does not close a cycle", SHOWS(CIRCULAR));

#define downgraded_setup setup
static void downgraded(void *arg)
{
	(void)arg;
	rwsem_acquire(&l->map, 0, 0, _RET_IP_);
	if (!buggy())
		lock_downgrade(&l->map, _RET_IP_);
	mutex_lock(&l->a);
	mutex_unlock(&l->a);
	rwsem_release(&l->map, _RET_IP_);
	mutex_lock(&l->a);
	lock_map_acquire_read(&l->map);
	lock_map_release(&l->map);
	mutex_unlock(&l->a);
}
ONE(downgraded, "orders behind a downgrade are a reader's", SHOWS(CIRCULAR));

#define not_held_setup setup
static void not_held(void *arg)
{
	(void)arg;
	rwsem_acquire(&l->map, 0, 0, _RET_IP_);
	if (buggy())
		rwsem_release(&l->map, _RET_IP_);
	lock_downgrade(&l->map, _RET_IP_);
	if (!buggy())
		rwsem_release(&l->map, _RET_IP_);
}
ONE(not_held, "a downgrade of nothing", SHOWS(WARN));

/* --- waiting for what a lock guards ------------------------------------------ */

#define sync_setup setup
static void sync(void *arg)
{
	(void)arg;
	lock_map_acquire(&l->map);
	mutex_lock(&l->a);
	mutex_unlock(&l->a);
	lock_map_release(&l->map);
	if (buggy())
		mutex_lock(&l->a);
	lock_map_sync(&l->map);
	if (buggy())
		mutex_unlock(&l->a);
}
ONE(sync, "lock_sync under what the section takes", SHOWS(CIRCULAR));

/* synchronize_srcu() under a lock that a reader takes inside. */
#define srcu_setup setup
static void srcu(void *arg)
{
	int idx = srcu_read_lock(&l->srcu);

	(void)arg;
	mutex_lock(&l->a);
	mutex_unlock(&l->a);
	srcu_read_unlock(&l->srcu, idx);
	if (buggy())
		mutex_lock(&l->a);
	synchronize_srcu(&l->srcu);
	if (buggy())
		mutex_unlock(&l->a);
}
ONE(srcu, "synchronize_srcu under a lock of its readers", SHOWS(CIRCULAR));

/* --- wait types ---------------------------------------------------------------- */

#define wait_type_setup setup
static void wait_type(void *arg)
{
	(void)arg;
	if (buggy())
		raw_spin_lock(&l->raw);
	else
		spin_lock(&l->inner);
	spin_lock(&l->spin);
	spin_unlock(&l->spin);
	if (buggy())
		raw_spin_unlock(&l->raw);
	else
		spin_unlock(&l->inner);
}
ONE(wait_type, "a spinlock inside a raw one", SHOWS(WAIT_CONTEXT));

/* --- usage ------------------------------------------------------------------------ */

#define HARDIRQ_ON_HOST(f) { #f, f, NULL, HEDDLE_HARDIRQ, "host" }

static void take_spin(void *arg)
{
	(void)arg;
	spin_lock(&l->spin);
	spin_unlock(&l->spin);
}

static void take_rw_reader(void *arg)
{
	(void)arg;
	read_lock(&l->rw);
	read_unlock(&l->rw);
}

/* Only what the interrupt takes must be taken with interrupts off: inner is
 * taken under spin, so inner must be, too. */
#define chain_setup setup
static void chain(void *arg)
{
	(void)arg;
	spin_lock_irq(&l->spin);
	spin_lock(&l->inner);
	spin_unlock(&l->inner);
	spin_unlock_irq(&l->spin);
	if (buggy())
		spin_lock(&l->inner);
	else
		spin_lock_irq(&l->inner);
	if (buggy())
		spin_unlock(&l->inner);
	else
		spin_unlock_irq(&l->inner);
}
TWIN_TASKS(chain, { "host", chain }, HARDIRQ_ON_HOST(take_spin));
TWIN_VARIANTS(chain, SHOWS(IRQ_INVERSION));
TWIN(chain, "lockdep/usage of what an interrupt's lock depends on");

/* A reader in the interrupt (recursive) and one outside: only a writer outside
 * is dangerous. */
#define reader_setup setup
static void reader(void *arg)
{
	(void)arg;
	if (buggy())
		write_lock(&l->rw);
	else
		read_lock(&l->rw);
	if (buggy())
		write_unlock(&l->rw);
	else
		read_unlock(&l->rw);
}
TWIN_TASKS(reader, { "host", reader }, HARDIRQ_ON_HOST(take_rw_reader));
TWIN_VARIANTS(reader, SHOWS(INCONSISTENT), SHOWS(DEADLOCK));
TWIN(reader, "lockdep/usage of readers");

/* Held when interrupts are turned on: as if taken with them on. */
#define turned_on_setup setup
static void turned_on(void *arg)
{
	(void)arg;
	local_irq_disable();
	spin_lock(&l->spin);
	if (buggy())
		local_irq_enable();
	spin_unlock(&l->spin);
	if (!buggy())
		local_irq_enable();
}
TWIN_TASKS(turned_on, { "host", turned_on }, HARDIRQ_ON_HOST(take_spin));
TWIN_VARIANTS(turned_on, SHOWS(INCONSISTENT), SHOWS(DEADLOCK));
TWIN(turned_on, "lockdep/interrupts on under a lock");

/* --- memory of held locks --------------------------------------------------------- */

struct item {
	int n;
	struct mutex lock;
};

#define freed_setup setup
static void freed(void *arg)
{
	struct item *item = kzalloc(sizeof(struct item),
				    GFP_KERNEL | __GFP_NOFAIL);

	(void)arg;
	mutex_init(&item->lock);
	mutex_lock(&item->lock);
	if (!buggy())
		mutex_unlock(&item->lock);
	kfree(item);
}
ONE(freed, "freed with its lock held", SHOWS(FREED));

#define initialised_setup setup
static void initialised(void *arg)
{
	(void)arg;
	read_lock(&l->rw);
	if (!buggy())
		read_unlock(&l->rw);
	rwlock_init(&l->rw);
}
ONE(initialised, "initialised while it is held", SHOWS(FREED));
