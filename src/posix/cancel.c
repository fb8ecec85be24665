/* SPDX-License-Identifier: MIT */
/* When is a thread cancelled, and what does it do then?
 *
 * pthread_cancel() is an op on a word of the other thread.  What acts upon it is
 * a cancellation point: the op of the point reads that word as well, so whether
 * the cancel is pending there is a matter of who comes first, and of nothing
 * else.  Points are those which POSIX demands, of what is modelled: join, waiting
 * for a condition or a semaphore, the forms of sleep, pthread_testcancel().
 * What may be one (printf, a rwlock) is none.
 *
 * POSIX orders nothing by pthread_cancel().  Here what came before it comes before
 * what the cancelled thread does in the end, as in glibc; else each handler that
 * tidies up after the one who cancels would race with it.  Asynchronous
 * cancellation is a limit. */
#include <errno.h>
#include <pthread.h>

#include "posix.h"

enum { WORD = sizeof(u32) };

/* It can be cancelled, and is to be. */
bool posix_is_cancelled(const struct thread *t)
{
	return t->cancelled && !t->uncancelable && !t->ends;
}

bool posix_sees_cancel(void)
{
	struct thread *self = posix_self();

	hd_order_range(&self->cancelled, WORD, false);
	return posix_is_cancelled(self);
}

void posix_end_cancelled(u32 pc)
{
	hd_sync_acquire(&posix_self()->cancelled);
	posix_end(PTHREAD_CANCELED, pc);
}

void hd_pthread_testcancel(void)
{
	struct thread *self = posix_self();
	u32 pc = HD_PC();

	posix_begin(HD_LOAD, &self->cancelled, WORD, HD_READ, HD_RELAXED, pc);
	hd_did(self->cancelled, self->cancelled);
	hd_did_read(W->cur, pc); /* a loop of nothing else waits for it */
	if (posix_is_cancelled(self))
		posix_end_cancelled(pc);
}

static bool is_gone(const struct thread *t)
{
	hd_order_range(&t->state, WORD, false);
	return t->state == THREAD_JOINED ||
	       (t->state == THREAD_ENDED && t->detached);
}

int hd_pthread_cancel(pthread_t id)
{
	struct thread *t = posix_of(id);
	u32 pc = HD_PC(), old;
	bool gone;

	if (!t)
		return ESRCH;
	posix_begin(HD_RMW, &t->cancelled, WORD, HD_RW, HD_RELAXED, pc);
	hd_sync_release(&t->cancelled, false);
	old = t->cancelled;
	t->cancelled = 1;
	gone = is_gone(t);
	hd_order_range(&t->line, sizeof(t->line), false);
	if (t->line)
		posix_leave_line(t->line, (u32)id - 1);
	hd_did(old, 1);
	if (gone)
		posix_misuse("pthread_cancel of no thread", pc);
	return gone ? ESRCH : 0;
}

/* --- what a thread decides for itself ----------------------------------------- */

int hd_pthread_setcancelstate(int state, int *old)
{
	struct thread *self = posix_self();
	bool was = self->uncancelable;

	if (state != PTHREAD_CANCEL_ENABLE && state != PTHREAD_CANCEL_DISABLE)
		return EINVAL;
	self->uncancelable = state == PTHREAD_CANCEL_DISABLE;
	if (old)
		posix_store(old, sizeof(*old),
			    was ? PTHREAD_CANCEL_DISABLE : PTHREAD_CANCEL_ENABLE,
			    HD_PC());
	return 0;
}

int hd_pthread_setcanceltype(int type, int *old)
{
	if (type == PTHREAD_CANCEL_ASYNCHRONOUS)
		hd_limit("asynchronous cancellation");
	if (type != PTHREAD_CANCEL_DEFERRED)
		return EINVAL;
	if (old)
		posix_store(old, sizeof(*old), PTHREAD_CANCEL_DEFERRED, HD_PC());
	return 0;
}

/* --- clean-up handlers: see include/heddle/libc/pthread.h --------------------- */

void hd_pthread_cleanup_push(struct _pthread_cleanup_buffer *b,
			     void (*routine)(void *arg), void *arg)
{
	struct thread *self = posix_self();

	*b = (struct _pthread_cleanup_buffer){ .__routine = routine, .__arg = arg,
					       .__prev = self->cleanup };
	self->cleanup = b;
}

void hd_pthread_cleanup_pop(struct _pthread_cleanup_buffer *b, int execute)
{
	posix_self()->cleanup = b->__prev;
	if (execute)
		b->__routine(b->__arg);
}

void posix_run_cleanup(struct thread *self)
{
	while (self->cleanup)
		hd_pthread_cleanup_pop(self->cleanup, true);
}
