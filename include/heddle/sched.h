/* SPDX-License-Identifier: MIT */
/* The running task: who it is, what it must not do, how it spins, yields,
 * sleeps and returns to user space (include/linux/sched.h,
 * include/linux/kernel.h, 6.12). */
#ifndef HEDDLE_SCHED_H
#define HEDDLE_SCHED_H

#include <heddle/op.h>

/* Constant, and outside the world: reading it is no op.  In an interrupt
 * handler, current is the task that it interrupted. */
struct task_struct {
	const char *comm;
	int pid;
};

struct task_struct *hd_current_task(void);
#define current (hd_current_task())

#define TASK_RUNNING 0x0u
#define TASK_INTERRUPTIBLE 0x1u
#define TASK_UNINTERRUPTIBLE 0x2u
#define TASK_WAKEKILL 0x100u
#define TASK_KILLABLE (TASK_WAKEKILL | TASK_UNINTERRUPTIBLE)

/* The body of a spin loop: off until a word that this task has read since its
 * last cpu_relax() is changed by another.  If no word is watched, or more than
 * HD_MAX_READS were read, it only lets others go first.  A task that is never
 * switched on again is a livelock. */
void cpu_relax(void);
/* Let others run, if the schedule wants to; waits for nothing.  Going on here
 * with another task is no preemption.  A loop that can end only through other
 * tasks must use cpu_relax(), or the run ends in a limit. */
void cond_resched(void);
void yield(void);

/* This point may sleep: verdict sleep-in-atomic, recorded, when the task holds
 * a spinlock, disabled preemption, interrupts or softirqs, is inside an RCU
 * read section or an interrupt handler. */
void might_sleep(void);
void preempt_disable(void);
void preempt_enable(void);

/* The system call or fault is over: locks still held, and interrupts or
 * softirqs still off, are verdicts. */
void return_to_user(void);

/* Does a signal come now?  The schedule decides (edit kind signal); once it
 * has come it stays. */
bool hd_signal_pending(void);
#define signal_pending(task) ((void)(task), hd_signal_pending())
#define fatal_signal_pending(task) ((void)(task), hd_signal_pending())

#endif
