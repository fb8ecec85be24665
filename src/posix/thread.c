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

static struct thread *of(pthread_t id)
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

static void end(void *result, u32 pc)
{
	struct thread *self = posix_self();

	self->result = result;
	posix_run_destructors(self);
	set_state(self, THREAD_ENDED, pc);
	hd_end_task(W->cur);
}

/* The task of a thread: sleeps until it is made. */
void hd_program_thread(void *arg)
{
	struct thread *self = posix_thread((u32)(uintptr_t)arg);

	hd_publish_asleep(HD_JOIN, &self->state, STATE, HD_READ, HD_PC());
	hd_sync_acquire(&self->state);
	hd_did(self->state, self->state);
	end(self->fn(self->arg), HD_PC());
}

void hd_pthread_exit(void *result)
{
	end(result, HD_PC());
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

int hd_pthread_create(pthread_t *id, const pthread_attr_t *attr,
		      void *(*fn)(void *arg), void *arg)
{
	struct process *p = posix_process();
	u32 pc = HD_PC(), task;
	struct thread *t;

	posix_begin(HD_WAKE, &p->created, sizeof(p->created), HD_RW, HD_RELAXED,
		    pc);
	t = make(&task);
	t->fn = fn;
	t->arg = arg;
	t->detached = attr && *(const int *)attr == PTHREAD_CREATE_DETACHED;
	hd_did(task, p->created);
	posix_store(id, sizeof(*id), task + 1, pc);
	return 0;
}

/* --- awaited ----------------------------------------------------------------- */

/* It has ended; or nobody may wait for it, and that is said at once. */
static bool ended(const void *arg)
{
	const struct thread *t = arg;

	return t->state >= THREAD_ENDED || t->detached;
}

int hd_pthread_join(pthread_t id, void **result)
{
	struct thread *t = of(id);
	u32 pc = HD_PC(), old;

	if (!t || t == posix_self())
		return t ? EDEADLK : ESRCH;
	hd_publish_when(HD_JOIN, &t->state, STATE, HD_RW, pc, ended, t);
	hd_sync_acquire(&t->state);
	old = t->state;
	if (old == THREAD_JOINED || t->detached) {
		hd_did(old, old);
		posix_misuse("pthread_join of no joinable thread", pc);
		return EINVAL;
	}
	t->state = THREAD_JOINED;
	hd_did(old, t->state);
	if (result)
		posix_store(result, sizeof(*result), (u64)t->result, pc);
	return 0;
}

int hd_pthread_detach(pthread_t id)
{
	struct thread *t = of(id);

	if (!t)
		return ESRCH;
	posix_begin(HD_JOIN, &t->state, STATE, HD_RW, HD_RELAXED, HD_PC());
	t->detached = 1;
	hd_did(t->state, t->state);
	return 0;
}

pthread_t hd_pthread_self(void)
{
	return W->cur->id + 1ul;
}

int hd_pthread_equal(pthread_t a, pthread_t b)
{
	return a == b;
}

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
