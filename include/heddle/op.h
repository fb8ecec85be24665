/* SPDX-License-Identifier: MIT */
/* Visible operations (ops) and events: the one language in which models, the
 * scheduler and the oracles talk.
 *
 * An op is an access to shared state.  It is PUBLISHED before it is executed:
 * the scheduler sees the pending op of every task at every scheduling point.
 * An event is what an executed op did: the op, the value before and after, and
 * its place in the order of the run.  Annotations and notes are events that
 * are no ops: they never are scheduling points.
 *
 * Numbers are frozen: trace hashes depend on them.  Append only. */
#ifndef HEDDLE_OP_H
#define HEDDLE_OP_H

#include <heddle/types.h>

enum hd_kind {
	HD_NONE = 0,
	/* ops: scheduling points, numbered 1, 2, 3 ... per task */
	HD_LOAD = 1,
	HD_STORE = 2,
	HD_RMW = 3,
	HD_LOCK = 4,        /* blocking acquire: the attempt */
	HD_TRYLOCK = 5,
	HD_ACQUIRED = 6,    /* a blocked acquire goes on, now owning the lock */
	HD_UNLOCK = 7,
	HD_DOWNGRADE = 8,
	HD_WAIT = 9,        /* schedule() of a sleeping wait */
	HD_WAKE = 10,
	HD_RCU_LOCK = 11,
	HD_RCU_UNLOCK = 12,
	HD_RCU_CALL = 13,   /* call_rcu, kfree_rcu: a callback is queued */
	HD_RCU_GP = 14,     /* a grace period has ended for the waiter */
	HD_ALLOC = 15,
	HD_FREE = 16,
	HD_AWAIT = 17,      /* cpu_relax(): off until a word it read changes */
	HD_USER = 18,       /* return to user space */
	HD_FENCE = 19,
	HD_JOIN = 20,
	/* annotations and notes: events only */
	HD_EV_ACQUIRE = 32, /* lockdep: lock_acquire() */
	HD_EV_RELEASE = 33, /* lockdep: lock_release() */
	HD_EV_DOWNGRADE = 34,
	HD_EV_EXIT = 35,    /* the task's function returned */
	HD_EV_NOTE = 36,    /* the model says something to the checks */
	HD_EV_REMARK = 37,  /* the model says something to the reader */
	HD_EV_BAD_ACCESS = 38, /* access to memory that is not a live object */
	HD_EV_STUCK = 39,   /* no task can run */
	HD_EV_END = 40,     /* every task is done, the end check follows */
	HD_EV_MARK = 41,    /* a reach goal */
	HD_EV_BLOCKED = 42, /* this task waits for text, held by tasks val, and by
			     * tasks 64 + old */
	HD_EV_CONTEXT = 43, /* interrupts on or off, handlers entered and left */
	HD_EV_RECLASS = 44, /* lockdep: lock_set_subclass() */
	HD_EV_LOCK_SYNC = 45, /* lockdep: lock_sync() */
	HD_EV_ALLOC = 46,   /* an object begins to live; only in recordings */
	HD_KINDS = 48
};

enum hd_order { HD_RELAXED, HD_ACQUIRE, HD_RELEASE, HD_ACQ_REL, HD_FULL };

enum hd_flags {
	HD_READ = 1,    /* reads the range */
	HD_WRITE = 2,   /* writes the range */
	HD_PLAIN = 4,   /* an unmarked C access */
	HD_SHARED = 8,  /* lock ops: reader side */
	HD_YIELD = 16,  /* leaving the task here is no preemption */
	HD_UNMAPPED = 32, /* a bit as a lock: no lockdep_map, arg is the bit */
	HD_UNTIL_ZERO = 64, /* on a word of 4 bytes: HD_LOCK gets it if it is 0, else
			     * the task only waits until it is; HD_ACQUIRED is that
			     * wait.  What a task writes is its number plus 1. */
	HD_COMMUTES = 128, /* HD_RMW: adds, and nobody sees what was there before:
			     * of two on one range it is all the same which is first */
};

/* 24 bytes.  addr lies in the world or in static data of a model. */
struct hd_op {
	u64 addr;
	u32 size;  /* bytes; for a free, of the whole object */
	u32 pc;    /* return address of the model code (programs are no-pie) */
	u8 kind;   /* enum hd_kind */
	u8 order;  /* enum hd_order */
	u8 flags;  /* enum hd_flags */
	u8 arg;    /* by kind: lock subclass, ... */
	u32 code;  /* notes: which; annotations: read | trylock << 2 | check << 3 */
};

struct hd_event {
	struct hd_op op;
	u64 old;      /* value before (loads: the value); notes: first argument */
	u64 val;      /* value after; notes: second argument */
	const char *text; /* remarks, marks */
	u32 step;     /* order of execution in the run, from 1 */
	u32 n;        /* n-th op of the task */
	u8 task;
};

static __always_inline bool hd_commute(const struct hd_op *a,
				       const struct hd_op *b)
{
	return a->flags & b->flags & HD_COMMUTES && a->addr == b->addr &&
	       a->size == b->size;
}

/* Do two ops touch common bytes, one of them writing, and does their order matter? */
static __always_inline bool hd_conflict(const struct hd_op *a,
					const struct hd_op *b)
{
	return ((a->flags | b->flags) & HD_WRITE) &&
	       a->addr < b->addr + b->size && b->addr < a->addr + a->size &&
	       !hd_commute(a, b);
}

/* --- what primitives (src/kernel and users' own) call ------------------- */

#define HD_PC() ((u32)(uintptr_t)__builtin_return_address(0))

/* Publish an op and let the schedule decide; returns when the current task is
 * chosen to execute it.  The caller then does the access in plain C and calls
 * hd_did() with the values. */
void hd_publish(u8 kind, const volatile void *addr, u32 size, u8 flags,
		u8 order, u32 pc);
void hd_did(u64 old, u64 val);
/* Is [p, p+size) part of a live object?  Raises the verdict if it is not.
 * Primitives call it between hd_publish() and their access. */
void hd_judge(const volatile void *p, u32 size, u8 flags, u32 pc);

/* As hd_publish(), but the op can be chosen only while when(arg) is true.
 * waits_for is the object named in deadlock reports. */
void hd_publish_when(u8 kind, const volatile void *addr, u32 size, u8 flags,
		     u32 pc, bool (*when)(const void *arg), const void *arg);

/* Publish an op and sleep: it can be chosen only after hd_wake(task). */
void hd_publish_asleep(u8 kind, const volatile void *addr, u32 size, u8 flags,
		       u32 pc);
/* Make a sleeping task's published op choosable; false if it did not sleep. */
bool hd_wake(int task);
bool hd_asleep(int task);
int hd_current(void); /* of the set-up and the end check: 0 */

/* Annotation: see struct lockdep_map in lockdep.h. */
struct lockdep_map;
void hd_lock_acquire(struct lockdep_map *map, int subclass, int trylock,
		     int read, int check, u32 pc);
/* nest: a lock that this task holds and that orders locks of map's class. */
void hd_lock_acquire_nest(struct lockdep_map *map, int subclass, int trylock,
			  int read, int check, struct lockdep_map *nest,
			  u32 pc);
/* Checked as an acquire, but nothing is held: waiting for what a lock guards. */
void hd_lock_sync(struct lockdep_map *map, int subclass, int read, int check,
		  u32 pc);
void hd_lock_set_subclass(struct lockdep_map *map, int subclass, u32 pc);
void hd_lock_release(struct lockdep_map *map, u32 pc);
void hd_lock_downgrade(struct lockdep_map *map, u32 pc);

/* Notes go to the checks.  obj names what is judged: under exhaustive search
 * two notes on one obj are dependent unless both are reads (write == false).
 * A note on NULL is about the task's own doing: nothing is ordered by it. */
void hd_note(u32 code, const volatile void *obj, bool write, u64 a, u64 b,
	     u32 pc);

#endif
