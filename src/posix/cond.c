/* SPDX-License-Identifier: MIT */
/* Whom does pthread_cond_signal() wake?
 *
 * One of those that wait, and the schedule chooses which (edit kind choose): POSIX
 * leaves it open.  Nobody is woken without a reason.  Waiting is two ops and the
 * lock: giving the mutex back and standing in line is one, so no wake-up is lost in
 * between.  A timed wait ends once nobody else can go on. */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "../base/hash.h"
#include "posix.h"

/* In the bytes of a pthread_cond_t. */
struct cond {
	u64 word; /* ops are on it: another one for each set */
	hd_tasks waiting;
};
_Static_assert(sizeof(struct cond) <= sizeof(pthread_cond_t), "cond");

enum { WORD = sizeof(u64) };

/* As part of an op on the word. */
static void set_line(struct cond *c, hd_tasks waiting)
{
	c->waiting = waiting;
	c->word = (u64)waiting ^ hd_mix((u64)(waiting >> 64));
}

/* The line that a cancel would take it out of: who cancels reads that. */
static void stay(struct thread *t, void *line)
{
	hd_order_range(&t->line, sizeof(t->line), true);
	t->line = line;
}

/* Not who is cancelled: it gives the mutex back, as POSIX has it, and no more. */
static void stand_in_line(void *arg)
{
	struct thread *self = posix_self();
	struct cond *c = arg;

	if (posix_sees_cancel())
		return;
	hd_order_range(c, WORD, true);
	set_line(c, c->waiting | hd_bit(W->cur->id));
	stay(self, self->uncancelable || self->ends ? NULL : c);
}

void posix_leave_line(void *cond, u32 task)
{
	struct cond *c = cond;

	hd_order_range(c, WORD, true);
	set_line(c, c->waiting & ~hd_bit(task));
	hd_wake((int)task);
}

/* It left the line, and nobody signalled it. */
static bool was_cancelled(const struct cond *c)
{
	struct thread *self = posix_self();
	bool was = self->line && !hd_has(c->waiting, W->cur->id);

	stay(self, NULL);
	return was;
}

/* Woken, or late.  Nobody takes a late one out of the line. */
static bool was_late(struct cond *c)
{
	struct hd_task *t = W->cur;

	if (!hd_has(c->waiting, t->id))
		return false;
	set_line(c, c->waiting & ~hd_bit(t->id));
	t->state = HD_READY;
	hd_add(&W->ready, t->id);
	return true;
}

static void end_cancelled(void *mutex, u32 pc)
{
	posix_mutex_lock(mutex, false, pc);
	posix_end_cancelled(pc);
}

static int wait(struct cond *c, void *mutex, bool timed, u32 pc)
{
	int err = posix_mutex_unlock(mutex, stand_in_line, c, pc);
	bool cancelled, late;
	u64 old;

	if (err)
		return err;
	if (posix_is_cancelled(posix_self()))
		end_cancelled(mutex, pc);
	posix_late(timed);
	hd_publish_asleep(HD_WAIT, c, WORD, HD_RW | HD_YIELD, pc);
	posix_on_time(timed);
	hd_judge(c, WORD, HD_RW, pc);
	old = c->word;
	cancelled = was_cancelled(c);
	late = was_late(c);
	hd_did(old, c->word);
	if (cancelled)
		end_cancelled(mutex, pc);
	posix_mutex_lock(mutex, false, pc);
	return late ? ETIMEDOUT : 0;
}

int posix_cond_wait(void *cond, void *mutex, bool timed, u32 pc)
{
	return wait(cond, mutex, timed, pc);
}

int hd_pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex)
{
	return posix_cond_wait(cond, mutex, false, HD_PC());
}

int hd_pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex,
			      const struct timespec *at)
{
	(void)at;
	return posix_cond_wait(cond, mutex, true, HD_PC());
}

static void wake(struct cond *c, u32 task)
{
	stay(posix_thread(task), NULL);
	set_line(c, c->waiting & ~hd_bit(task));
	hd_wake((int)task);
}

int posix_cond_wake(void *cond, bool all, u32 pc)
{
	struct cond *c = cond;
	u64 old;
	u32 n;

	posix_begin(HD_WAKE, c, WORD, HD_RW, HD_RELAXED, pc);
	old = c->word;
	n = hd_count(c->waiting);
	if (n && !all)
		wake(c, hd_nth(c->waiting, n > 1 ? hd_ask(HD_ASK_CHOOSE, n) : 0));
	while (all && c->waiting)
		wake(c, hd_lowest(c->waiting));
	hd_did(old, c->word);
	return 0;
}

int hd_pthread_cond_signal(pthread_cond_t *cond)
{
	return posix_cond_wake(cond, false, HD_PC());
}

int hd_pthread_cond_broadcast(pthread_cond_t *cond)
{
	return posix_cond_wake(cond, true, HD_PC());
}

void posix_cond_init(void *cond, u32 pc)
{
	posix_begin(HD_STORE, cond, WORD, HD_WRITE, HD_RELAXED, pc);
	memset(cond, 0, sizeof(struct cond));
	hd_did(0, 0);
}

int hd_pthread_cond_init(pthread_cond_t *cond, const pthread_condattr_t *attr)
{
	(void)attr;
	posix_cond_init(cond, HD_PC());
	return 0;
}

void posix_cond_destroy(void *cond, u32 pc)
{
	struct cond *c = cond;

	posix_begin(HD_STORE, c, WORD, HD_WRITE, HD_RELAXED, pc);
	hd_did(c->word, c->word);
	if (c->waiting)
		posix_misuse("a condition is destroyed while threads wait", pc);
}

int hd_pthread_cond_destroy(pthread_cond_t *cond)
{
	posix_cond_destroy(cond, HD_PC());
	return 0;
}
