/* SPDX-License-Identifier: MIT */
/* Does the writer of a per-CPU semaphore wait for its readers, and keep new
 * ones out meanwhile? */
#include "../base/twin.h"

static struct {
	struct percpu_rw_semaphore s;
	spinlock_t lock;
	int n;
	unsigned long step;
} *w;

DEFINE_STATIC_PERCPU_RWSEM(fixed);

static void setup(void)
{
	w = heddle_alloc_type("struct twin", sizeof(*w));
	heddle_assert(!percpu_init_rwsem(&w->s));
	spin_lock_init(&w->lock);
}

/* --- exclusion: a read section that writes -------------------------- */

static void writer(void *arg)
{
	(void)arg;
	if (buggy())
		percpu_down_read(&fixed);
	else
		percpu_down_write(&fixed);
	w->n++;
	if (buggy())
		percpu_up_read(&fixed);
	else
		percpu_up_write(&fixed);
}

static void reader(void *arg)
{
	int n;

	(void)arg;
	percpu_down_read(&fixed);
	n = w->n;
	heddle_assert(w->n == n);
	percpu_up_read(&fixed);
}

static void exclusion_check(void)
{
	heddle_assert(w->n == 2);
	heddle_assert(!percpu_is_read_locked(&fixed));
	heddle_assert(!percpu_is_write_locked(&fixed));
}

#define exclusion_setup setup
TWIN_TASKS(exclusion, { "w1", writer }, { "w2", writer },
	   { "reader", reader });
TWIN_VARIANTS(exclusion, SHOWS(ASSERT), SHOWS(DATA_RACE));
TWIN(exclusion, "percpu_rwsem/exclusion", .check = exclusion_check);

/* --- readers are inside together ------------------------------------ */

static void together(void *arg)
{
	if (buggy())
		percpu_down_write(&w->s);
	else
		percpu_down_read(&w->s);
	set_bit(arg ? 1 : 0, &w->step);
	while (!(READ_ONCE(w->step) & (arg ? 1 : 2)))
		cpu_relax();
	if (buggy())
		percpu_up_write(&w->s);
	else
		percpu_up_read(&w->s);
}

#define together_setup setup
TWIN_TASKS(together, { "a", together }, { "b", together, "" });
TWIN_VARIANTS(together, SHOWS(LIVELOCK));
TWIN(together, "percpu_rwsem/readers together");

/* --- a writer that waits for readers keeps new ones out -------------- */

static void holder(void *arg)
{
	(void)arg;
	percpu_down_read(&w->s);
	WRITE_ONCE(w->step, 1);
	while (!percpu_is_write_locked(&w->s))
		cpu_relax();
	heddle_assert(!percpu_is_read_locked(&w->s));
	WRITE_ONCE(w->step, 2);
	/* it waits for a reader that waits for the writer */
	while (buggy() && READ_ONCE(w->step) != 3)
		cpu_relax();
	percpu_up_read(&w->s);
}

static void late_reader(void *arg)
{
	(void)arg;
	while (READ_ONCE(w->step) < 2)
		cpu_relax();
	if (percpu_down_read_trylock(&w->s)) {
		heddle_mark("after the writer");
	} else {
		heddle_mark("kept out");
		percpu_down_read(&w->s);
	}
	heddle_assert(w->n == 1);
	WRITE_ONCE(w->step, 3);
	percpu_up_read(&w->s);
}

static void waiting_writer(void *arg)
{
	(void)arg;
	while (READ_ONCE(w->step) < 1)
		cpu_relax();
	percpu_down_write(&w->s);
	w->n = 1;
	percpu_up_write(&w->s);
}

static const char *const late_goals[] = { "kept out", NULL };
#define late_setup setup
TWIN_TASKS(late, { "holder", holder }, { "writer", waiting_writer },
	   { "late", late_reader });
TWIN_VARIANTS(late, SHOWS(LIVELOCK));
TWIN(late, "percpu_rwsem/late reader", .goals = late_goals);

/* --- read recursion: a deadlock as soon as a writer waits ------------ */

static void recursive_reader(void *arg)
{
	(void)arg;
	percpu_down_read(&w->s);
	if (buggy())
		percpu_down_read(&w->s);
	percpu_rwsem_assert_held(&w->s);
	if (buggy())
		percpu_up_read(&w->s);
	percpu_up_read(&w->s);
}

static void lone_writer(void *arg)
{
	(void)arg;
	percpu_down_write(&w->s);
	w->n++;
	percpu_up_write(&w->s);
}

#define recursion_setup setup
TWIN_TASKS(recursion, { "reader", recursive_reader },
	   { "writer", lone_writer });
TWIN_VARIANTS(recursion, SHOWS(RECURSIVE), SHOWS(DEADLOCK));
TWIN(recursion, "percpu_rwsem/read recursion");

/* --- a queue of readers and writers --------------------------------- */

static void mixed_reader(void *arg)
{
	int n;

	(void)arg;
	percpu_down_read(&w->s);
	n = READ_ONCE(w->n);
	heddle_assert(READ_ONCE(w->n) == n);
	percpu_up_read(&w->s);
}

static void mixed_check(void)
{
	heddle_assert(w->n == 2 && !percpu_is_write_locked(&w->s));
	heddle_assert(percpu_down_read_trylock(&w->s));
	percpu_up_read(&w->s);
}

#define mixed_setup setup
TWIN_TASKS(mixed, { "r1", mixed_reader }, { "r2", mixed_reader },
	   { "w1", lone_writer }, { "w2", lone_writer });
TWIN_SAFE_ONLY(mixed);
TWIN(mixed, "percpu_rwsem/two readers, two writers", .check = mixed_check);

/* --- misuse --------------------------------------------------------- */

static void stranger(void *arg)
{
	(void)arg;
	if (buggy())
		percpu_up_write(&w->s);
	percpu_down_read(&w->s);
	percpu_up_read(&w->s);
}

#define stranger_setup setup
TWIN_TASKS(stranger, { "stranger", stranger }, { "writer", lone_writer });
TWIN_VARIANTS(stranger, SHOWS(UNBALANCE));
TWIN(stranger, "percpu_rwsem/not inside");

static void atomic(void *arg)
{
	if (buggy())
		spin_lock(&w->lock);
	if (arg)
		percpu_down_write(&w->s);
	else
		percpu_down_read(&w->s);
	if (arg)
		percpu_up_write(&w->s);
	else
		percpu_up_read(&w->s);
	if (buggy())
		spin_unlock(&w->lock);
}

#define atomic_setup setup
TWIN_TASKS(atomic, { "a", atomic }, { "b", atomic, "" });
TWIN_VARIANTS(atomic, SHOWS(SLEEP_ATOMIC), SHOWS(WAIT_CONTEXT));
TWIN(atomic, "percpu_rwsem/in atomic context");
