/* SPDX-License-Identifier: MIT */
/* Does the queued rwlock let in and keep out whom the kernel's would?  (The
 * queue of waiters, queue.h, is judged by it and by rtmutex_test.c.) */
#include "../base/twin.h"

static struct {
	rwlock_t l, other;
	struct mutex mutex;
	int readers, writers, n;
	unsigned long step;
} *w;

static DEFINE_RWLOCK(fixed);

static void setup(void)
{
	w = heddle_alloc_type("struct twin", sizeof(*w));
	rwlock_init(&w->l);
	rwlock_init(&w->other);
	mutex_init(&w->mutex);
}

/* --- exclusion: a read section that writes -------------------------- */

static void writer(void *arg)
{
	unsigned long flags;

	(void)arg;
	if (buggy())
		read_lock_irqsave(&fixed, flags);
	else
		write_lock_irqsave(&fixed, flags);
	w->n++;
	if (buggy())
		read_unlock_irqrestore(&fixed, flags);
	else
		write_unlock_irqrestore(&fixed, flags);
}

static void reader(void *arg)
{
	int n;

	(void)arg;
	read_lock(&fixed);
	n = w->n;
	heddle_assert(w->n == n);
	read_unlock(&fixed);
}

static void exclusion_check(void)
{
	heddle_assert(w->n == 2);
}

#define exclusion_setup setup
TWIN_TASKS(exclusion, { "w1", writer }, { "w2", writer },
	   { "reader", reader });
TWIN_VARIANTS(exclusion, SHOWS(ASSERT), SHOWS(DATA_RACE));
TWIN(exclusion, "rwlock/exclusion", .check = exclusion_check);

/* --- readers are inside together ------------------------------------ */

static void together(void *arg)
{
	if (buggy())
		write_lock(&w->l);
	else
		read_lock(&w->l);
	set_bit(arg ? 1 : 0, &w->step);
	while (!(READ_ONCE(w->step) & (arg ? 1 : 2)))
		cpu_relax();
	if (buggy())
		write_unlock(&w->l);
	else
		read_unlock(&w->l);
}

#define together_setup setup
TWIN_TASKS(together, { "a", together }, { "b", together, "" });
TWIN_VARIANTS(together, SHOWS(LIVELOCK));
TWIN(together, "rwlock/readers together");

/* --- two locks, opposite orders ------------------------------------- */

static void abba(void *arg)
{
	bool turned = arg && buggy();
	rwlock_t *x = turned ? &w->other : &w->l;
	rwlock_t *y = turned ? &w->l : &w->other;

	write_lock(x);
	read_lock(y);
	read_unlock(y);
	write_unlock(x);
}

#define abba_setup setup
TWIN_TASKS(abba, { "ab", abba }, { "ba", abba, "" });
TWIN_VARIANTS(abba, SHOWS(CIRCULAR), SHOWS(DEADLOCK));
TWIN(abba, "rwlock/ABBA");

/* --- read recursion: a deadlock as soon as a writer queues ---------- */

static void recursive_reader(void *arg)
{
	(void)arg;
	read_lock(&w->l);
	if (buggy())
		read_lock(&w->l);
	w->readers++;
	if (buggy())
		read_unlock(&w->l);
	read_unlock(&w->l);
}

static void lone_writer(void *arg)
{
	(void)arg;
	write_lock(&w->l);
	heddle_assert(++w->writers == 1);
	w->writers--;
	write_unlock(&w->l);
}

#define recursion_setup setup
TWIN_TASKS(recursion, { "reader", recursive_reader },
	   { "writer", lone_writer });
TWIN_VARIANTS(recursion, SHOWS(RECURSIVE), SHOWS(DEADLOCK));
TWIN(recursion, "rwlock/read recursion");

/* --- a trylock does not wait ---------------------------------------- */

static void try_reader(void *arg)
{
	(void)arg;
	read_lock(&w->l);
	if (read_trylock(&w->l)) {
		heddle_mark("recursive trylock");
		read_unlock(&w->l);
	} else {
		heddle_mark("kept out by a waiting writer");
		heddle_assert(rwlock_is_contended(&w->l));
	}
	read_unlock(&w->l);
}

static void try_writer(void *arg)
{
	(void)arg;
	if (write_trylock(&w->l)) {
		heddle_mark("free");
		w->n++;
		write_unlock(&w->l);
	} else {
		heddle_mark("taken");
	}
}

static const char *const try_goals[] = { "recursive trylock",
					 "kept out by a waiting writer", "free",
					 "taken", NULL };
#define try_setup setup
TWIN_TASKS(try, { "reader", try_reader }, { "writer", lone_writer },
	   { "try", try_writer });
TWIN_SAFE_ONLY(try);
TWIN(try, "rwlock/trylocks", .goals = try_goals);

/* --- a waiting writer comes before later readers -------------------- */

static void holder(void *arg)
{
	(void)arg;
	read_lock(&w->l);
	WRITE_ONCE(w->step, 1);
	while (!rwlock_is_contended(&w->l))
		cpu_relax();
	WRITE_ONCE(w->step, 2);
	/* it waits for a reader that queues behind the writer */
	while (buggy() && READ_ONCE(w->step) != 3)
		cpu_relax();
	read_unlock(&w->l);
}

static void late_reader(void *arg)
{
	(void)arg;
	while (READ_ONCE(w->step) < 2)
		cpu_relax();
	read_lock(&w->l);
	heddle_assert(w->n == 1);
	WRITE_ONCE(w->step, 3);
	read_unlock(&w->l);
}

static void first_writer(void *arg)
{
	(void)arg;
	while (READ_ONCE(w->step) < 1)
		cpu_relax();
	write_lock(&w->l);
	w->n = 1;
	write_unlock(&w->l);
}

#define fair_setup setup
TWIN_TASKS(fair, { "holder", holder }, { "writer", first_writer },
	   { "late", late_reader });
TWIN_VARIANTS(fair, SHOWS(LIVELOCK));
TWIN(fair, "rwlock/fair");

/* --- readers and writers in a queue --------------------------------- */

static void mixed_reader(void *arg)
{
	(void)arg;
	read_lock(&w->l);
	heddle_assert(!READ_ONCE(w->writers));
	read_unlock(&w->l);
}

static void mixed_writer(void *arg)
{
	(void)arg;
	write_lock(&w->l);
	WRITE_ONCE(w->writers, w->writers + 1);
	heddle_assert(w->writers == 1);
	WRITE_ONCE(w->writers, 0);
	write_unlock(&w->l);
}

static void mixed_check(void)
{
	heddle_assert(!rwlock_is_contended(&w->l));
	heddle_assert(write_trylock(&w->l));
	write_unlock(&w->l);
}

#define mixed_setup setup
TWIN_TASKS(mixed, { "r1", mixed_reader }, { "r2", mixed_reader },
	   { "w1", mixed_writer }, { "w2", mixed_writer });
TWIN_SAFE_ONLY(mixed);
TWIN(mixed, "rwlock/two readers, two writers", .check = mixed_check);

/* --- unlocked by who is not inside ---------------------------------- */

static void stranger(void *arg)
{
	(void)arg;
	if (buggy())
		read_unlock(&w->l);
	mixed_reader(arg);
}

#define stranger_setup setup
TWIN_TASKS(stranger, { "stranger", stranger }, { "reader", mixed_reader },
	   { "writer", mixed_writer });
TWIN_VARIANTS(stranger, SHOWS(UNBALANCE));
TWIN(stranger, "rwlock/not inside", .check = mixed_check);

static void wrong_mode(void *arg)
{
	(void)arg;
	write_lock_bh(&w->l);
	lockdep_assert_held_write(&w->l);
	write_unlock_bh(&w->l);
	if (buggy())
		write_unlock(&w->l);
	heddle_assert(write_trylock(&w->l));
	write_unlock(&w->l);
}

#define twice_setup setup
TWIN_TASKS(twice, { "a", wrong_mode });
TWIN_VARIANTS(twice, SHOWS(UNBALANCE));
TWIN(twice, "rwlock/unlocked twice");

/* --- sleeping inside ------------------------------------------------ */

static void sleeper(void *arg)
{
	if (arg)
		write_lock_irq(&w->l);
	else
		read_lock_irq(&w->l);
	if (buggy())
		mutex_lock(&w->mutex);
	w->step++;
	if (buggy())
		mutex_unlock(&w->mutex);
	if (arg)
		write_unlock_irq(&w->l);
	else
		read_unlock_irq(&w->l);
	mutex_lock(&w->mutex);
	mutex_unlock(&w->mutex);
}

#define sleeper_setup setup
TWIN_TASKS(sleeper, { "reader", sleeper }, { "writer", sleeper, "" });
TWIN_VARIANTS(sleeper, SHOWS(SLEEP_ATOMIC), SHOWS(WAIT_CONTEXT));
TWIN(sleeper, "rwlock/sleep inside");

/* --- two of a class need a subclass --------------------------------- */

static rwlock_t *pair;

static void pair_setup(void)
{
	int i;

	pair = heddle_alloc_type("struct pair", 2 * sizeof(*pair));
	for (i = 0; i < 2; i++)
		rwlock_init(&pair[i]);
}

static void both(void *arg)
{
	(void)arg;
	write_lock(&pair[0]);
	if (buggy())
		write_lock(&pair[1]);
	else
		write_lock_nested(&pair[1], SINGLE_DEPTH_NESTING);
	write_unlock(&pair[1]);
	write_unlock(&pair[0]);
}

TWIN_TASKS(pair, { "a", both }, { "b", both });
TWIN_VARIANTS(pair, SHOWS(RECURSIVE));
TWIN(pair, "rwlock/nested");
