/* SPDX-License-Identifier: MIT */
/* Completions (include/linux/completion.h, kernel/sched/completion.c, 6.12).
 *
 * complete() adds one, complete_all() makes it true for good (until
 * reinit_completion()), a wait takes one or sleeps until there is one: whoever
 * runs first gets it.  A complete() that comes before the wait is remembered;
 * one that never comes, or that reinit_completion() forgot, is a deadlock.
 * There is no lockdep map, as in the kernel.
 *
 * A call is one op on the completion, and a wait that sleeps has another when
 * it goes on.  The killable and interruptible forms return -ERESTARTSYS if the
 * schedule lets a signal come while they would sleep, the _timeout forms 0 if
 * the schedule says so then (edit kind fail), else they wait for good and
 * return what was left of the time. */
#ifndef HEDDLE_COMPLETION_H
#define HEDDLE_COMPLETION_H

#include <heddle/errno.h>
#include <heddle/wait.h>

struct completion {
	u32 done; /* UINT32_MAX: complete_all() */
	u32 pad;
};

#define COMPLETION_INITIALIZER(n) { .done = 0 }
#define DECLARE_COMPLETION(n) \
	struct completion n = COMPLETION_INITIALIZER(n)
/* The stack of a task is no memory of the world: ops on it would be none, and
 * nobody else could complete it. */
#define DECLARE_COMPLETION_ONSTACK(n)                                  \
	_Static_assert(0, #n ": a task's stack is not shared here; write " \
			     "struct completion *p = "                     \
			     "heddle_alloc(struct completion); "           \
			     "init_completion(p);")

void init_completion(struct completion *x);
void reinit_completion(struct completion *x); /* a plain store */
void complete(struct completion *x);
void complete_all(struct completion *x);

void wait_for_completion(struct completion *x);
int __must_check wait_for_completion_interruptible(struct completion *x);
int __must_check wait_for_completion_killable(struct completion *x);
/* timeout in jiffies, at least 1. */
unsigned long wait_for_completion_timeout(struct completion *x,
					  unsigned long timeout);
long __must_check
wait_for_completion_interruptible_timeout(struct completion *x,
					  unsigned long timeout);
long __must_check
wait_for_completion_killable_timeout(struct completion *x,
				     unsigned long timeout);
#define wait_for_completion_io(x) wait_for_completion(x)
#define wait_for_completion_io_timeout(x, t) wait_for_completion_timeout(x, t)
bool try_wait_for_completion(struct completion *x);
bool completion_done(struct completion *x); /* one load */

#endif
