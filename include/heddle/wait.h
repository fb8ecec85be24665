/* SPDX-License-Identifier: MIT */
/* Sleeping until a condition holds: rcuwait and wait queues
 * (include/linux/rcuwait.h, kernel/exit.c, include/linux/wait.h,
 * kernel/sched/wait.c, 6.12).
 *
 * The protocol is the kernel's: the sleeper makes itself known, sets its state,
 * tests the condition, and calls schedule(); a wake-up in between sets the
 * state back, so that schedule() returns at once.  A sleeper that nobody can
 * wake, although its condition holds, is verdict lost-wakeup; one whose
 * condition does not hold is part of a deadlock.
 *
 * Deliberately different: all waiters of a queue are non-exclusive, so
 * wake_up() wakes them all, as wake_up_all() does.  A signal comes, if the
 * schedule says so, when the task would go to sleep. */
#ifndef HEDDLE_WAIT_H
#define HEDDLE_WAIT_H

#include <heddle/compiler.h>
#include <heddle/errno.h>
#include <heddle/sched.h>

enum { ERESTARTSYS = 512 };

/* One op: a store of the task's own state (a full barrier in the kernel). */
void set_current_state(unsigned int state);
#define __set_current_state(state) set_current_state(state)
/* Sleep, unless the state is (again) TASK_RUNNING; one op, when it goes on. */
void schedule(void);
/* False if the task was not about to sleep.  One op. */
bool wake_up_process(struct task_struct *task);

/* --- rcuwait: one waiter -------------------------------------------- */

struct rcuwait {
	u64 task; /* pid + 1; 0: nobody */
};
#define __RCUWAIT_INITIALIZER(name) { .task = 0 }

void rcuwait_init(struct rcuwait *w);
bool rcuwait_active(struct rcuwait *w); /* one load */
/* One store each.  finish also sets the state back. */
void prepare_to_rcuwait(struct rcuwait *w);
void finish_rcuwait(struct rcuwait *w);
/* A load of the waiter, then, if there is one, the wake-up. */
bool rcuwait_wake_up(struct rcuwait *w);

/* The loop's two halves in one op each: (store task and) set the state; go to
 * sleep and, when woken, set the state again.  Between these halves a wake-up
 * has no effect that the following test would not see. */
void hd_rcuwait_prepare(struct rcuwait *w, unsigned int state);
void hd_rcuwait_schedule(unsigned int state);
/* Does a signal end a sleep in this state now? */
bool hd_signal_in_state(unsigned int state);

/* 0, or -EINTR when state allows signals and one came.  Ops: store task; the
 * condition's; schedule; ... ; clear task. */
#define rcuwait_wait_event(w, condition, state)                        \
	({                                                             \
		int __ret = 0;                                         \
                                                                       \
		hd_rcuwait_prepare((w), (state));                      \
		while (!(condition)) {                                 \
			if (hd_signal_in_state(state)) {               \
				__ret = -EINTR;                        \
				break;                                 \
			}                                              \
			hd_rcuwait_schedule(state);                    \
		}                                                      \
		finish_rcuwait(w);                                     \
		__ret;                                                 \
	})

/* --- wait queues ---------------------------------------------------- */

typedef struct wait_queue_head {
	u64 tasks; /* bit per waiting task; a wake-up takes them out */
} wait_queue_head_t;

struct wait_queue_entry {
	int unused; /* the queue itself knows its tasks */
};

#define __WAIT_QUEUE_HEAD_INITIALIZER(name) { .tasks = 0 }
#define DECLARE_WAIT_QUEUE_HEAD(name) \
	wait_queue_head_t name = __WAIT_QUEUE_HEAD_INITIALIZER(name)
#define DEFINE_WAIT(name) struct wait_queue_entry name = { 0 }

void init_waitqueue_head(wait_queue_head_t *q);
bool waitqueue_active(wait_queue_head_t *q); /* one load */
/* One op each: queue the task and set its state; undo both. */
void hd_prepare_to_wait(wait_queue_head_t *q, unsigned int state);
void hd_finish_wait(wait_queue_head_t *q);
#define prepare_to_wait(q, entry, state) \
	((void)(entry), hd_prepare_to_wait(q, state))
#define finish_wait(q, entry) ((void)(entry), hd_finish_wait(q))
/* One op: wake all waiters and empty the queue. */
void wake_up_all(wait_queue_head_t *q);
#define wake_up(q) wake_up_all(q)
#define wake_up_interruptible(q) wake_up_all(q)

#define hd_wait_event(q, condition, state)                             \
	({                                                             \
		int __ret = 0;                                         \
                                                                       \
		might_sleep();                                         \
		if (!(condition)) {                                    \
			for (;;) {                                     \
				hd_prepare_to_wait(&(q), (state));     \
				if (condition)                         \
					break;                         \
				if (hd_signal_in_state(state)) {       \
					__ret = -ERESTARTSYS;          \
					break;                         \
				}                                      \
				schedule();                            \
			}                                              \
			hd_finish_wait(&(q));                          \
		}                                                      \
		__ret;                                                 \
	})
#define wait_event(q, condition) \
	((void)hd_wait_event(q, condition, TASK_UNINTERRUPTIBLE))
#define wait_event_interruptible(q, condition) \
	hd_wait_event(q, condition, TASK_INTERRUPTIBLE)
#define wait_event_killable(q, condition) \
	hd_wait_event(q, condition, TASK_KILLABLE)

#endif
