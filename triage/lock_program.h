/* SPDX-License-Identifier: MIT */
/* Lock programs: what tasks do with locks, one line each, executed strictly
 * left to right.
 *
 *   T1: W(A) R(B) U(B) U(A) ; T2: W(B) W(A) U(A) U(B)
 *
 *   Tn:              go on as task n; the locks that it holds stay held
 *   W(x) L(x)        exclusive acquire that blocks
 *   R(x) RR(x)       reader; recursive reader
 *   TW TR TRR        successful trylock
 *   c before these   not validated (check=0)
 *   U(x)             release
 *   DG(x)            downgrade_write
 *   SUB(x/n)         lock_set_subclass
 *   SYNC(x) SYNCR(x) lock_sync, exclusive and as reader
 *   FREE(x) INIT(x)  the memory of x is freed, x is initialised again
 *   EXIT USER        the task exits, returns to user space
 *   H(x)             is x held?  any, write, read
 *   cli sti bhoff bhon            interrupts, softirqs off and on
 *   hirq{ hirqnt{ hirq} sirq{ sirq}   threaded hardirq, not threaded, softirq
 *   @A=mutex         wait type of class A: raw spin rwlock mutex rwsem rcu
 *                    rcusched local none
 *
 * x is a class letter and an instance digit: X1 and X2 are locks of one class,
 * A is A0; X1/2 has subclass 2; Y1^X1 is taken with nest_lock X1.  Operations
 * count from 1 through the line. */
#ifndef TRIAGE_LOCK_PROGRAM_H
#define TRIAGE_LOCK_PROGRAM_H

#include <heddle/lockdep.h>
#include <heddle/types.h>

enum { LOCK_CLASSES = 26, LOCK_INSTANCES = 10, LOCK_TASKS = 64 };

enum lock_op_kind {
	LOP_ACQUIRE, LOP_RELEASE, LOP_DOWNGRADE, LOP_SUBCLASS, LOP_SYNC,
	LOP_FREE, LOP_INIT, LOP_EXIT, LOP_USER, LOP_HELD, LOP_IRQS_OFF,
	LOP_IRQS_ON, LOP_BH_OFF, LOP_BH_ON, LOP_HARDIRQ, LOP_HARDIRQ_NT,
	LOP_HARDIRQ_END, LOP_SOFTIRQ, LOP_SOFTIRQ_END,
};

struct lock_op {
	u8 kind;
	u8 task;               /* from 1 */
	u8 lock, nest;         /* class * 10 + instance; nest + 1, 0: none */
	u8 subclass;
	u8 read, trylock, check;
	char text[20];         /* as it was written */
};

struct lock_program {
	u32 nops, room;
	struct lock_op *op;
	u8 wait_inner[LOCK_CLASSES], wait_outer[LOCK_CLASSES];
	u8 lock_type[LOCK_CLASSES];
};

/* Parse; false, with what is wrong in why.  Frees nothing: p is used again. */
bool lock_program_parse(struct lock_program *p, const char *text, char *why,
			size_t size);

/* --- lock_run.c ------------------------------------------------------------ */

struct lock_outcome {
	u8 verdict;            /* enum hd_verdict_kind, 0: clean */
	u32 at;                /* operation, from 1; 0: none */
	char graph[4096];      /* "A>B:EN+SR ...", by class, in order recorded */
	char held[1024];       /* what H saw: "A0:110,..." */
};
/* By the kernel's rules, or by the exact ones. */
void lock_program_run(const struct lock_program *p, bool exact,
		      struct lock_outcome *out);
/* "A" or "A/1"; of the last program run. */
const char *lock_class_name(u32 class);

/* --- lock_witness.c -------------------------------------------------------- */

/* An interleaving of the program's critical sections in which all that take
 * part wait for each other, after an exact report.  "" if there is none. */
bool lock_witness(const struct lock_program *p, u32 at, char *buf, size_t size);

#endif
