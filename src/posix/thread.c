/* SPDX-License-Identifier: MIT */
/* How is a thread made, awaited and ended?
 *
 * pthread_t is the number of the task, plus 1.  A thread starts with an op that
 * reads its state, and joining one reads it too: what came before pthread_create()
 * is ordered before the thread, and the thread before what follows its join.
 * pthread_create() never fails.  Attributes do nothing, but for detached. */
#include <errno.h>
#include <pthread.h>

#include "posix.h"

enum { STATE = sizeof(u32) };

void posix_made(u32 threads);
void posix_run_destructors(struct thread *self);
void hd_program_thread(void *arg);

struct thread *posix_of(unsigned long id)
{
	struct process *p = posix_process();

	return id && id <= p->created ? posix_thread((u32)id - 1) : NULL;
}

/* --- made and ended -------------------------------------------------------- */

static void set_state(struct thread *t, u32 state, u32 pc)
{
	u32 old;

	posix_begin(HD_JOIN, &t->state, STATE, HD_WRITE, HD_RELEASE, pc);
	old = t->state;
	t->state = state;
	hd_did(old, state);
}

void posix_end(void *result, u32 pc)
{
	struct thread *self = posix_self();

	self->result = result;
	self->ends = 1;
	posix_run_cleanup(self);
	posix_run_destructors(self);
	set_state(self, THREAD_ENDED, pc);
	hd_order_on(hd_stack_key(W->cur->id), true); /* its locals are no more */
	hd_end_task(W->cur);
}

/* The result of a C11 thread is an int. */
static void *run(const struct start *start)
{
	return start->c11 ? (void *)(intptr_t)start->c11(start->arg) :
			    start->fn(start->arg);
}

/* The task of a thread: sleeps until it is made. */
void hd_program_thread(void *arg)
{
	struct thread *self = posix_thread((u32)(uintptr_t)arg);

	hd_publish_asleep(HD_JOIN, &self->state, STATE, HD_READ, HD_PC());
	hd_sync_acquire(&self->state);
	hd_did(self->state, self->state);
	posix_end(run(&self->start), HD_PC());
}

void hd_pthread_exit(void *result)
{
	posix_end(result, HD_PC());
}

void hd_thrd_exit(int result)
{
	posix_end((void *)(intptr_t)result, HD_PC());
}

/* The thread is made in the op on the count, which gives it its number. */
static struct thread *make(u32 *task)
{
	struct process *p = posix_process();
	struct thread *t;

	if (p->created >= W->nuser)
		hd_limit("threads");
	*task = p->created++;
	t = posix_thread(*task);
	hd_order_range(&t->state, STATE, true);
	hd_sync_release(&t->state, false);
	t->state = THREAD_RUNS;
	W->tasks[*task].daemon = 0;
	hd_wake((int)*task);
	posix_made(p->created);
	return t;
}

void posix_create(unsigned long *id, struct start start, bool detached, u32 pc)
{
	struct process *p = posix_process();
	struct thread *t;
	u32 task;

	posix_begin(HD_WAKE, &p->created, sizeof(p->created), HD_RW, HD_RELAXED,
		    pc);
	t = make(&task);
	t->start = start;
	t->detached = detached;
	hd_did(task, p->created);
	posix_store(id, sizeof(*id), task + 1, pc);
}

int hd_pthread_create(pthread_t *id, const pthread_attr_t *attr,
		      void *(*fn)(void *arg), void *arg)
{
	posix_create(id, (struct start){ .fn = fn, .arg = arg },
		     attr && *(const int *)attr == PTHREAD_CREATE_DETACHED,
		     HD_PC());
	return 0;
}

/* --- awaited ----------------------------------------------------------------- */

struct join {
	const struct thread *t, *self;
};

/* It has ended; or nobody may wait for it, and that is said at once; or who waits
 * is cancelled. */
static bool is_over(const void *arg)
{
	const struct join *j = arg;

	return j->t->state >= THREAD_ENDED || j->t->detached ||
	       posix_is_cancelled(j->self);
}

int posix_join(unsigned long id, void **result, u32 pc)
{
	struct thread *t = posix_of(id);
	struct join j = { t, posix_self() };
	u32 old;

	if (!t || t == j.self)
		return t ? EDEADLK : ESRCH;
	hd_publish_when(HD_JOIN, &t->state, STATE, HD_RW, pc, is_over, &j);
	old = t->state;
	if (posix_sees_cancel()) {
		hd_did(old, old);
		posix_end_cancelled(pc);
	}
	hd_sync_acquire(&t->state);
	if (old == THREAD_JOINED || t->detached) {
		hd_did(old, old);
		posix_misuse("join of no joinable thread", pc);
		return EINVAL;
	}
	t->state = THREAD_JOINED;
	hd_did(old, t->state);
	*result = t->result;
	return 0;
}

int hd_pthread_join(pthread_t id, void **result)
{
	u32 pc = HD_PC();
	void *value;
	int err = posix_join(id, &value, pc);

	if (!err && result)
		posix_store(result, sizeof(*result), (u64)value, pc);
	return err;
}

int posix_detach(unsigned long id, u32 pc)
{
	struct thread *t = posix_of(id);

	if (!t)
		return ESRCH;
	posix_begin(HD_JOIN, &t->state, STATE, HD_RW, HD_RELAXED, pc);
	t->detached = 1;
	hd_did(t->state, t->state);
	return 0;
}

int hd_pthread_detach(pthread_t id)
{
	return posix_detach(id, HD_PC());
}

pthread_t hd_pthread_self(void)
{
	return W->cur->id + 1ul;
}

int hd_pthread_equal(pthread_t a, pthread_t b)
{
	return a == b;
}

POSIX_SAME(hd_thrd_current, hd_pthread_self);
POSIX_SAME(hd_thrd_equal, hd_pthread_equal);

/* --- attributes ------------------------------------------------------------------ */

int hd_pthread_attr_init(pthread_attr_t *attr)
{
	*(int *)attr = PTHREAD_CREATE_JOINABLE;
	return 0;
}

int hd_pthread_attr_setdetachstate(pthread_attr_t *attr, int state)
{
	*(int *)attr = state;
	return 0;
}

int hd_pthread_attr_getdetachstate(const pthread_attr_t *attr, int *state)
{
	*state = *(const int *)attr;
	return 0;
}

/* Of a thread's stack, scope and priority, which change nothing here; and of
 * the attributes of objects that other processes do not see. */
#define NO_EFFECT(call) \
	int call(void *attr) { return (void)attr, 0; }
NO_EFFECT(hd_pthread_attr_destroy)
NO_EFFECT(hd_pthread_attr_setscope)
NO_EFFECT(hd_pthread_attr_setstacksize)
NO_EFFECT(hd_pthread_condattr_destroy)
NO_EFFECT(hd_pthread_condattr_init)
NO_EFFECT(hd_pthread_condattr_setclock)
NO_EFFECT(hd_pthread_mutexattr_destroy)
