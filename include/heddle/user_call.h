/* SPDX-License-Identifier: MIT */
/* What user space may rely on: a call that fails had a reason to.
 *
 * A call (a system call, a fault) may return an error only if there was an
 * instant between its begin and its end at which the reason for that error was
 * true; that somebody held a lock is no reason.  Else: verdict spurious-error.
 *
 * The model says when a call begins and how it ends, and whoever makes a reason
 * true or false says so in the same step, under whatever guards it.  Errors are
 * numbers as the call returns them: -EAGAIN, or VM_FAULT_SIGBUS of a fault.  None
 * of this is an op; but an argument that is read from the world is one, so read
 * it before what makes the reason true. */
#ifndef HEDDLE_USER_CALL_H
#define HEDDLE_USER_CALL_H

#include <heddle/types.h>

/* Codes of notes, beside those of enum mm_note. */
enum user_note {
	USER_NOTE_BEGIN = 32,
	USER_NOTE_NEEDS_VMA, /* a = address */
	USER_NOTE_CAUSE,     /* a = error, b = true now */
	USER_NOTE_CAUSE_HERE, /* a = error */
	USER_NOTE_END,       /* a = error, 0: success */
	FAULT_NOTE_BEGIN,    /* a = address and FAULT_FLAG_WRITE, b = mm */
	FAULT_NOTE_END,      /* a = VM_FAULT_SIGSEGV and the like, 0: success */
};

struct mm_struct;

/* This task begins a call about object what: an mm, a device. */
void user_call_begin(const void *what);
/* It needs a VMA at addr of mm, which is what the call is about: -ENOENT and
 * VM_FAULT_SIGSEGV have a reason as often as there is none.  At most twice. */
void user_call_needs_vma(const struct mm_struct *mm, unsigned long addr);
/* From now on the error err has a reason in all calls about what; or no
 * longer. */
void user_cause(const void *what, int err, bool now);
/* The call of this task alone meets the reason at this instant: there was no
 * memory, a signal came, it sees under ptl that the page is there. */
void user_cause_here(int err);
/* The call returns err. */
void user_call_end(int err);

/* A page fault begins and ends, in all scenarios (check_fault.c).  That nothing
 * else is ordered by it keeps the searches as small as without. */
void user_fault_begin(const struct mm_struct *mm, unsigned long addr,
		      unsigned int flags);
void user_fault_end(int fault);

#endif
