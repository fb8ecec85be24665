/* SPDX-License-Identifier: MIT */
/* Is no completion lost, and is a lost one found? */
#include "../base/twin.h"

static struct {
	struct completion done, other;
	struct mutex lock;
	spinlock_t spin;
	int n;
	u32 step;
} *w;

static DECLARE_COMPLETION(fixed);

static void setup(void)
{
	w = heddle_alloc_type("struct twin", sizeof(*w));
	init_completion(&w->done);
	init_completion(&w->other);
	mutex_init(&w->lock);
	spin_lock_init(&w->spin);
}

/* --- before or after the wait; what came before it is seen ------------ */

static void waiter(void *arg)
{
	(void)arg;
	wait_for_completion(&fixed);
	heddle_assert(w->n == 1);
}

static void completer(void *arg)
{
	(void)arg;
	if (!buggy())
		w->n = 1;
	complete(&fixed);
	if (buggy())
		w->n = 1;
}

static void once_check(void)
{
	heddle_assert(!completion_done(&fixed));
}

#define once_setup setup
TWIN_TASKS(once, { "wait", waiter }, { "complete", completer });
TWIN_VARIANTS(once, SHOWS(ASSERT), SHOWS(DATA_RACE));
TWIN(once, "completion/once", .check = once_check);

/* --- one for two: a deadlock, not a lost wake-up ----------------------- */

static void count_in(void *arg)
{
	(void)arg;
	wait_for_completion(&w->done);
	data_race(w->step++);
}

static void for_two(void *arg)
{
	(void)arg;
	complete(&w->done);
	if (!buggy())
		complete(&w->done);
}

#define two_setup setup
TWIN_TASKS(two, { "a", count_in }, { "b", count_in }, { "complete", for_two });
static const struct heddle_variant two_variants[] = {
	{ .name = "safe" },
	{ .name = "buggy", .data = "", .expect = { SHOWS(DEADLOCK) } },
	{ .name = NULL },
};
TWIN(two, "completion/counted");

/* --- complete_all ------------------------------------------------------- */

static void all_waiter(void *arg)
{
	(void)arg;
	wait_for_completion(&w->done);
	heddle_assert(try_wait_for_completion(&w->done) == !buggy());
}

static void all_completer(void *arg)
{
	(void)arg;
	if (buggy())
		complete(&w->done);
	else
		complete_all(&w->done);
}

#define all_setup setup
TWIN_TASKS(all, { "a", all_waiter }, { "complete", all_completer });
static const struct heddle_variant all_variants[] = {
	{ .name = "complete_all" },
	{ .name = "complete", .data = "" },
	{ .name = NULL },
};
TWIN(all, "completion/all");

/* --- reinit forgets what came too early --------------------------------- */

static void asks(void *arg)
{
	(void)arg;
	if (!buggy())
		reinit_completion(&w->done);
	smp_store_release(&w->step, 1); /* the other side may begin */
	if (buggy())
		reinit_completion(&w->done);
	wait_for_completion(&w->done);
}

static void answers(void *arg)
{
	(void)arg;
	while (!smp_load_acquire(&w->step))
		cpu_relax();
	complete(&w->done);
}

#define reinit_setup setup
TWIN_TASKS(reinit, { "ask", asks }, { "answer", answers });
TWIN_VARIANTS(reinit, SHOWS(DEADLOCK), SHOWS(DATA_RACE));
TWIN(reinit, "completion/reinit");

/* --- waiting with the lock that the completer needs ---------------------- */

static void locked_waiter(void *arg)
{
	(void)arg;
	mutex_lock(&w->lock);
	if (!buggy())
		mutex_unlock(&w->lock);
	wait_for_completion(&w->done);
	if (buggy())
		mutex_unlock(&w->lock);
}

static void locked_completer(void *arg)
{
	(void)arg;
	mutex_lock(&w->lock);
	complete(&w->done);
	mutex_unlock(&w->lock);
}

#define locked_setup setup
TWIN_TASKS(locked, { "wait", locked_waiter }, { "complete", locked_completer });
TWIN_VARIANTS(locked, SHOWS(DEADLOCK));
TWIN(locked, "completion/with a lock held");

/* --- signals and time ----------------------------------------------------- */

static void impatient(void *arg)
{
	long ret;

	(void)arg;
	ret = wait_for_completion_killable_timeout(&w->done, 10);
	heddle_assert(ret == -ERESTARTSYS || (ret >= 0 && ret <= 10));
	if (ret == -ERESTARTSYS)
		heddle_mark("killed");
	else if (!ret)
		heddle_mark("too late");
	else
		heddle_mark("in time");
	if (ret > 0 || buggy())
		heddle_assert(READ_ONCE(w->step) == 1);
}

static void late(void *arg)
{
	(void)arg;
	WRITE_ONCE(w->step, 1);
	complete(&w->done);
}

static const char *const late_goals[] = { "killed", "too late", "in time",
					  NULL };
#define late_setup setup
TWIN_TASKS(late, { "wait", impatient }, { "complete", late });
TWIN_VARIANTS(late, SHOWS(ASSERT));
TWIN(late, "completion/timeout", .goals = late_goals);

static void killable(void *arg)
{
	int err = arg ? wait_for_completion_killable(&w->done) :
			wait_for_completion_interruptible(&w->done);

	if (err)
		heddle_mark("signal");
	heddle_assert(!err || (err == -ERESTARTSYS && !buggy()));
}

static void complete_twice(void *arg)
{
	late(arg);
	late(arg);
}

static const char *const killed_goals[] = { "signal", NULL };
#define killed_setup setup
TWIN_TASKS(killed, { "a", killable }, { "b", killable, "" },
	   { "complete", complete_twice });
TWIN_VARIANTS(killed, SHOWS(ASSERT));
TWIN(killed, "completion/killable", .goals = killed_goals);

/* --- the waiter owns the memory, and frees it ----------------------------- */

struct request {
	struct completion done;
	int result;
};
static struct request *request;

static void request_setup(void)
{
	setup();
	request = kzalloc_obj(struct request);
	init_completion(&request->done);
}

static void requester(void *arg)
{
	struct request *r = request;

	(void)arg;
	if (!buggy()) {
		wait_for_completion(&r->done);
	} else if (!wait_for_completion_timeout(&r->done, 5)) {
		heddle_remark("time is over: the request is given up");
	}
	kfree(r);
}

static void server(void *arg)
{
	struct request *r = request;

	(void)arg;
	r->result = 1;
	complete(&r->done);
}

TWIN_TASKS(request, { "request", requester }, { "server", server });
TWIN_VARIANTS(request, SHOWS(USE_AFTER_FREE), SHOWS(ASSERT_RACE));
TWIN(request, "completion/freed after a timeout");

/* --- not in atomic context -------------------------------------------------- */

static void atomic(void *arg)
{
	complete(&w->done);
	(void)arg;
	if (buggy())
		spin_lock(&w->spin);
	wait_for_completion(&w->done);
	complete(&w->other); /* allowed anywhere */
	if (buggy())
		spin_unlock(&w->spin);
}

#define atomic_setup setup
TWIN_TASKS(atomic, { "a", atomic });
TWIN_VARIANTS(atomic, SHOWS(SLEEP_ATOMIC));
TWIN(atomic, "completion/in atomic context");
