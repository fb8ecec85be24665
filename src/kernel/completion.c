/* SPDX-License-Identifier: MIT */
/* When does a wait for a completion end? */
#include <heddle/completion.h>

#include "kernel.h"

enum { SIZE = sizeof(u32) };

void init_completion(struct completion *x)
{
	hd_quiet_write(x, sizeof(*x), HD_PC());
	x->done = 0;
}

static void begin(const struct completion *x, u8 kind, u8 flags, u8 order,
		  u32 pc)
{
	hd_publish(kind, &x->done, SIZE, flags, order, pc);
	hd_judge(&x->done, SIZE, flags, pc);
}

void reinit_completion(struct completion *x)
{
	u32 old;

	begin(x, HD_STORE, HD_WRITE | HD_PLAIN, HD_RELAXED, HD_PC());
	old = x->done;
	x->done = 0;
	hd_did(old, 0);
}

/* --- complete --------------------------------------------------------- */

static void set_done(struct completion *x, bool all, u32 pc)
{
	u32 old;

	/* orders: what came before this and earlier calls, before what comes
	 * after the wait (all of them take the lock of the wait queue) */
	begin(x, HD_WAKE, HD_RW, HD_ACQ_REL, pc);
	old = x->done;
	if (all)
		x->done = UINT32_MAX;
	else if (old != UINT32_MAX)
		x->done = old + 1;
	hd_did(old, x->done);
}

void complete(struct completion *x)
{
	set_done(x, false, HD_PC());
}

void complete_all(struct completion *x)
{
	set_done(x, true, HD_PC());
}

/* --- wait -------------------------------------------------------------- */

static bool is_done(const void *arg)
{
	const struct completion *x = arg;

	return x->done;
}

/* The op that was published is executed. */
static bool take(struct completion *x)
{
	u32 old = x->done;

	if (old && old != UINT32_MAX)
		x->done = old - 1;
	hd_did(old, x->done);
	return old;
}

enum how { FOR_GOOD = 0, KILLABLE = 1, TIMED = 2 };

/* A signal, or the end of the time, makes the wait end at any time; if it is
 * done then, that is what counts. */
static int give_up(u32 how)
{
	if (how & KILLABLE && hd_signal_comes())
		return -ERESTARTSYS;
	if (how & TIMED && heddle_fail("wait_for_completion_timeout"))
		return -EAGAIN;
	return 0;
}

/* 0, -ERESTARTSYS, or -EAGAIN: the time is over. */
static int wait_for(struct completion *x, u32 how, const char *name, u32 pc)
{
	int err;

	hd_may_sleep(name, pc);
	begin(x, HD_WAIT, HD_RW, HD_ACQUIRE, pc);
	if (take(x))
		return 0;
	if (W->probing) /* a condition that waits, looked at a last time */
		hd_probe_done(false);
	err = give_up(how);
	if (err)
		hd_publish(HD_WAIT, &x->done, SIZE, HD_RW, HD_ACQUIRE, pc);
	else
		hd_publish_when(HD_WAIT, &x->done, SIZE, HD_RW, pc, is_done,
				x);
	hd_judge(&x->done, SIZE, HD_RW, pc);
	return take(x) ? 0 : err;
}

static long left(int err, unsigned long timeout)
{
	if (err == -EAGAIN)
		return 0;
	return err ? err : (long)(timeout ? timeout : 1);
}

void wait_for_completion(struct completion *x)
{
	wait_for(x, FOR_GOOD, "wait_for_completion", HD_PC());
}

int wait_for_completion_interruptible(struct completion *x)
{
	return wait_for(x, KILLABLE, "wait_for_completion", HD_PC());
}

int wait_for_completion_killable(struct completion *x)
{
	return wait_for(x, KILLABLE, "wait_for_completion", HD_PC());
}

unsigned long wait_for_completion_timeout(struct completion *x,
					  unsigned long timeout)
{
	return (unsigned long)left(wait_for(x, TIMED, "wait_for_completion",
					    HD_PC()), timeout);
}

long wait_for_completion_interruptible_timeout(struct completion *x,
					       unsigned long timeout)
{
	return left(wait_for(x, TIMED | KILLABLE, "wait_for_completion",
			     HD_PC()), timeout);
}

long wait_for_completion_killable_timeout(struct completion *x,
					  unsigned long timeout)
{
	return left(wait_for(x, TIMED | KILLABLE, "wait_for_completion",
			     HD_PC()), timeout);
}

bool try_wait_for_completion(struct completion *x)
{
	begin(x, HD_RMW, HD_RW, HD_ACQUIRE, HD_PC());
	return take(x);
}

bool completion_done(struct completion *x)
{
	begin(x, HD_LOAD, HD_READ, HD_ACQUIRE, HD_PC());
	hd_did(x->done, x->done);
	return x->done;
}
