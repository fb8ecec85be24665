/* SPDX-License-Identifier: MIT */
/* Does the semaphore let in and keep out whom the kernel's would? */
#include "../base/twin.h"

static struct {
	struct rw_semaphore s;
	int readers, writers, n;
	u32 step;
} *w;

static DECLARE_RWSEM(fixed);

static void setup(void)
{
	w = heddle_alloc_type("struct twin", sizeof(*w));
	init_rwsem(&w->s);
}

/* data = "prefer" or "rt" */
static void policy_setup(void)
{
	const char *p = heddle_variant_data();

	setup();
	if (p && p[0] == 'p')
		heddle_rwsem_policy(RWSEM_READER_PREFERRING);
	if (p && p[0] == 'r')
		heddle_rwsem_policy(RWSEM_RT);
}

static void read_section(void)
{
	w->readers++;
	heddle_assert(!w->writers);
	w->readers--;
}

static void write_section(void)
{
	heddle_assert(++w->writers == 1 && !w->readers);
	w->writers--;
}

/* --- exclusion: readers and writers --------------------------------- */

static void reader(void *arg)
{
	(void)arg;
	down_read(&fixed);
	heddle_assert(!READ_ONCE(w->writers));
	up_read(&fixed);
}

static void writer(void *arg)
{
	(void)arg;
	if (buggy())
		down_read(&fixed);
	else
		down_write(&fixed);
	WRITE_ONCE(w->writers, 1);
	WRITE_ONCE(w->writers, 0);
	if (buggy())
		up_read(&fixed);
	else
		up_write(&fixed);
}

#define exclusion_setup setup
TWIN_TASKS(exclusion, { "reader", reader }, { "writer", writer },
	   { "writer2", writer });
TWIN_VARIANTS(exclusion, SHOWS(ASSERT));
TWIN(exclusion, "rwsem/exclusion");

/* --- readers are inside together ------------------------------------ */

static void together(void *arg)
{
	u32 other = arg ? 1 : 2;

	if (buggy())
		down_write(&w->s);
	else
		down_read(&w->s);
	set_bit(arg ? 1 : 0, &w->n);
	while (!(READ_ONCE(w->n) & (int)other))
		cpu_relax();
	if (buggy())
		up_write(&w->s);
	else
		up_read(&w->s);
}

#define together_setup setup
TWIN_TASKS(together, { "a", together }, { "b", together, "" });
TWIN_VARIANTS(together, SHOWS(LIVELOCK));
TWIN(together, "rwsem/readers together");

/* --- read recursion: a deadlock as soon as a writer queues ---------- */

static void recursive_reader(void *arg)
{
	(void)arg;
	down_read(&w->s);
	down_read(&w->s);
	up_read(&w->s);
	up_read(&w->s);
}

static void lone_writer(void *arg)
{
	(void)arg;
	down_write(&w->s);
	write_section();
	up_write(&w->s);
}

TWIN_TASKS(recursion, { "reader", recursive_reader },
	   { "writer", lone_writer });
static const struct heddle_variant recursion_variants[] = {
	{ .name = "writer-queueing",
	  .expect = { SHOWS(RECURSIVE), SHOWS(DEADLOCK) } },
	{ .name = "reader-preferring", .data = "prefer",
	  .expect = { SHOWS(RECURSIVE) } },
	{ .name = "PREEMPT_RT", .data = "rt", .expect = { SHOWS(RECURSIVE) } },
	{ .name = NULL },
};
#define recursion_setup policy_setup
TWIN(recursion, "rwsem/read recursion");

/* --- a trylock under it does not wait ------------------------------- */

static void try_reader(void *arg)
{
	(void)arg;
	down_read(&w->s);
	if (down_read_trylock(&w->s)) {
		heddle_mark("recursive trylock");
		up_read(&w->s);
	} else {
		heddle_mark("kept out by a queued writer");
		heddle_assert(rwsem_is_contended(&w->s));
	}
	up_read(&w->s);
}

static const char *const try_goals[] = { "recursive trylock",
					 "kept out by a queued writer", NULL };
static const char *const try_prefer_goals[] = { "recursive trylock", NULL };
TWIN_TASKS(try, { "reader", try_reader }, { "writer", lone_writer });
static const struct heddle_variant try_variants[] = {
	{ .name = "writer-queueing", .goals = try_goals },
	{ .name = "reader-preferring", .data = "prefer",
	  .goals = try_prefer_goals },
	{ .name = "PREEMPT_RT", .data = "rt", .goals = try_goals },
	{ .name = NULL },
};
#define try_setup policy_setup
TWIN(try, "rwsem/read trylock");

/* --- mixed, all policies -------------------------------------------- */

static void mixed_reader(void *arg)
{
	(void)arg;
	down_read(&w->s);
	heddle_assert(!READ_ONCE(w->writers));
	up_read(&w->s);
}

static void mixed_writer(void *arg)
{
	(void)arg;
	down_write(&w->s);
	WRITE_ONCE(w->writers, w->writers + 1);
	heddle_assert(w->writers == 1);
	WRITE_ONCE(w->writers, 0);
	up_write(&w->s);
}

static void mixed_check(void)
{
	heddle_assert(!rwsem_is_locked(&w->s) && !rwsem_is_contended(&w->s));
}

TWIN_TASKS(mixed, { "r1", mixed_reader }, { "r2", mixed_reader },
	   { "w1", mixed_writer }, { "w2", mixed_writer });
static const struct heddle_variant mixed_variants[] = {
	{ .name = "writer-queueing" },
	{ .name = "reader-preferring", .data = "prefer" },
	{ .name = "PREEMPT_RT", .data = "rt" },
	{ .name = NULL },
};
#define mixed_setup policy_setup
TWIN(mixed, "rwsem/two readers, two writers", .check = mixed_check);

/* --- downgrade lets no writer in between ---------------------------- */

static void downgrader(void *arg)
{
	int seen;

	(void)arg;
	down_write(&w->s);
	w->n = 1;
	seen = w->n;
	if (buggy()) {
		up_write(&w->s);
		down_read(&w->s);
	} else {
		downgrade_write(&w->s);
	}
	heddle_assert(w->n == seen);
	up_read(&w->s);
}

static void changer(void *arg)
{
	(void)arg;
	down_write(&w->s);
	w->n = 2;
	up_write(&w->s);
}

static void looker(void *arg)
{
	(void)arg;
	down_read(&w->s);
	read_section();
	up_read(&w->s);
}

#define downgrade_setup setup
TWIN_TASKS(downgrade, { "downgrade", downgrader }, { "writer", changer },
	   { "reader", looker });
TWIN_VARIANTS(downgrade, SHOWS(ASSERT));
TWIN(downgrade, "rwsem/downgrade");

/* --- readers come in after a downgrade ------------------------------ */

static void waits_for_reader(void *arg)
{
	(void)arg;
	down_write(&w->s);
	if (!buggy())
		downgrade_write(&w->s);
	while (!READ_ONCE(w->step))
		cpu_relax();
	if (!buggy())
		up_read(&w->s);
	else
		up_write(&w->s);
}

static void stepping_reader(void *arg)
{
	(void)arg;
	down_read(&w->s);
	WRITE_ONCE(w->step, 1);
	up_read(&w->s);
}

#define admitted_setup setup
TWIN_TASKS(admitted, { "downgrade", waits_for_reader },
	   { "reader", stepping_reader });
TWIN_VARIANTS(admitted, SHOWS(LIVELOCK));
TWIN(admitted, "rwsem/downgrade admits readers");

/* --- a killed writer wakes those behind it -------------------------- */

static void killable_writer(void *arg)
{
	(void)arg;
	if (down_write_killable(&w->s)) {
		heddle_mark("writer killed");
		if (buggy())
			up_write(&w->s);
		return;
	}
	write_section();
	up_write(&w->s);
}

static void killable_reader(void *arg)
{
	(void)arg;
	if (down_read_killable(&w->s)) {
		heddle_mark("reader killed");
		return;
	}
	heddle_assert(!w->writers);
	up_read(&w->s);
}

static const char *const killed_goals[] = { "writer killed",
					    "reader killed", NULL };
#define killed_setup setup
TWIN_TASKS(killed, { "writer", killable_writer }, { "r1", killable_reader },
	   { "r2", mixed_reader });
TWIN_VARIANTS(killed, SHOWS(UNBALANCE));
TWIN(killed, "rwsem/killable", .goals = killed_goals,
     .check = mixed_check);

/* --- a killed writer no longer blocks the reader behind it ------------- */

static void holds_until_step(void *arg)
{
	(void)arg;
	down_read(&w->s);
	while (!READ_ONCE(w->step))
		cpu_relax();
	up_read(&w->s);
}

static void must_be_killed(void *arg)
{
	(void)arg;
	if (!down_write_killable(&w->s))
		up_write(&w->s);
}

#define successor_setup setup
TWIN_TASKS(successor, { "holder", holds_until_step },
	   { "writer", must_be_killed }, { "reader", stepping_reader });
static const struct heddle_variant successor_variants[] = {
	/* without the signal the writer blocks the reader for good */
	{ .name = "stuck without a signal", .data = "",
	  .expect = { SHOWS(LIVELOCK) } },
	{ .name = NULL },
};
TWIN(successor, "rwsem/killed writer's successors");

/* --- assertions by mode --------------------------------------------- */

static void modes(void *arg)
{
	(void)arg;
	down_read(&w->s);
	rwsem_assert_held(&w->s);
	lockdep_assert_held_read(&w->s);
	if (buggy())
		rwsem_assert_held_write(&w->s);
	up_read(&w->s);
	heddle_assert(down_write_trylock(&w->s));
	rwsem_assert_held_write(&w->s);
	heddle_assert(!down_read_trylock(&w->s));
	downgrade_write(&w->s);
	lockdep_assert_held_read(&w->s);
	heddle_assert(!down_write_trylock(&w->s));
	up_read(&w->s);
}

#define modes_setup setup
TWIN_TASKS(modes, { "a", modes });
TWIN_VARIANTS(modes, SHOWS(LOCK_ASSERT));
TWIN(modes, "rwsem/assertions");

/* --- a reader has nothing to downgrade ------------------------------ */

static void reader_downgrades(void *arg)
{
	(void)arg;
	if (buggy())
		down_read(&w->s);
	else
		down_write(&w->s);
	downgrade_write(&w->s);
	up_read(&w->s);
}

#define no_writer_setup setup
TWIN_TASKS(no_writer, { "a", reader_downgrades });
TWIN_VARIANTS(no_writer, SHOWS(WARN));
TWIN(no_writer, "rwsem/downgrade of a read lock");
