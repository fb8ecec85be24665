/* SPDX-License-Identifier: MIT */
/* Verdicts: named outcomes of a run.  Names are frozen (golden files, saved
 * schedules and --want= use them); append only. */
#ifndef HEDDLE_VERDICT_H
#define HEDDLE_VERDICT_H

#include <heddle/types.h>

/* name in the command line, oracle, title in the kernel's words */
#define HD_VERDICTS(X)                                                       \
	X(CIRCULAR, "circular", "possible circular locking dependency")      \
	X(RECURSIVE, "recursive", "possible recursive locking")              \
	X(UNBALANCE, "unbalance", "bad unlock balance detected")             \
	X(HELD_AT_EXIT, "held-at-exit", "task still has locks held at exit") \
	X(HELD_AT_USER, "held-at-user",                                      \
	  "lock held when returning to user space")                          \
	X(FREED, "freed", "held lock freed")                                 \
	X(LOCK_ASSERT, "lock-assert", "lockdep assertion failed")            \
	X(DEADLOCK, "deadlock", "deadlock")                                  \
	X(LOST_WAKEUP, "lost-wakeup", "lost wake-up")                        \
	X(LIVELOCK, "livelock", "livelock")                                  \
	X(USE_AFTER_FREE, "use-after-free", "use-after-free")                \
	X(DOUBLE_FREE, "double-free", "double-free or invalid-free")         \
	X(LEAK, "leak", "memory leak")                                       \
	X(WILD_ACCESS, "wild-access", "access to unallocated memory")        \
	X(NULL_DEREF, "null-deref", "NULL pointer dereference")              \
	X(BUG, "bug", "kernel BUG")                                          \
	X(WARN, "warn", "WARNING")                                           \
	X(ASSERT, "assert", "assertion failed")                              \
	X(REFCOUNT, "refcount", "refcount_t misuse")                         \
	X(SLEEP_ATOMIC, "sleep-in-atomic",                                   \
	  "sleeping function called from invalid context")                   \
	X(RCU_USAGE, "rcu-usage", "suspicious RCU usage")                    \
	X(EXCLUSION, "exclusion",                                            \
	  "read lock granted on a write-locked VMA")                         \
	X(DETACHED_READ_LOCK, "detached-read-lock",                          \
	  "read lock granted on a detached VMA")                             \
	X(PTE_WITHOUT_VMA, "pte-without-vma",                                \
	  "PTE installed in a range that has no VMA")                        \
	X(PAGETABLE, "pagetable", "access to a freed page table")            \
	X(TREE, "tree", "VMA tree broken")                                   \
	X(NOT_RESTORED, "not-restored", "mm differs after a failed call")    \
	X(SPURIOUS_ERROR, "spurious-error", "error without a cause")         \
	X(LIMIT, "limit", "limit reached")                                   \
	X(NEST_NOT_HELD, "nest-not-held", "nested lock was not taken")       \
	X(WAIT_CONTEXT, "wait-context", "invalid wait context")              \
	X(INCONSISTENT, "inconsistent", "inconsistent lock state")           \
	X(IRQ_INVERSION, "irq-inversion",                                    \
	  "possible irq lock inversion dependency")                          \
	X(IRQ_ORDER, "irq-order", "irq-safe -> irq-unsafe lock order")       \
	X(MAX_DEPTH, "max-depth", "MAX_LOCK_DEPTH too low")                  \
	X(BAD_SUBCLASS, "bad-subclass", "looking up invalid subclass")       \
	X(DATA_RACE, "data-race", "data-race")                               \
	X(ASSERT_RACE, "assert-race", "assert: race")                        \
	X(REFCOUNT_LEAK, "refcount-leak", "reference leaked")                \
	X(UNLOCKED_WRITE, "unlocked-write",                                  \
	  "VMA field written without the VMA write lock")                    \
	X(LOST_WRITE_LOCK, "lost-write-lock",                                \
	  "VMA field written after its write lock was lost")                 \
	X(RMAP, "rmap", "page not reachable through its reverse map")        \
	X(STALE_TLB, "stale-tlb", "stale TLB entry")                         \
	X(HUGE_PMD, "huge-pmd", "huge page crosses the bounds of its VMA")   \
	X(DISABLED_MEMORY, "disabled-memory",                                \
	  "device memory in reach while it is turned off")                     \
	X(SPURIOUS_SUCCESS, "spurious-success", "success without an effect") \
	X(PTE_RIGHTS, "pte-rights", "PTE allows what its VMA does not")      \
	X(NO_KEY, "no-key", "trying to register non-static key")             \
	X(ABORT, "abort", "program aborted")                                 \
	X(EXIT_STATUS, "exit-status", "program failed")

enum hd_verdict_kind {
	HD_V_NONE,
#define X(id, name, title) HD_V_##id,
	HD_VERDICTS(X)
#undef X
	HD_V_COUNT
};

enum { HD_VERDICT_NAMES = 4, HD_MAX_VERDICTS = 24 };

/* World state: small, no pointers except to static strings. */
struct hd_verdict {
	u8 kind;   /* enum hd_verdict_kind */
	u8 task;   /* who was running */
	u8 fatal;  /* the run ended here */
	u8 nnames;
	u32 step;  /* event at which it was raised */
	u32 pc;    /* where */
	u32 off;   /* object offset, when type is set */
	u32 other_n;    /* races: n-th op of the other task; 0: none */
	u8 other_task;  /* races: whose access it races with */
	const char *type;                     /* type of the object, or NULL */
	const char *names[HD_VERDICT_NAMES];  /* sorted lock classes, or words */
};

const char *hd_verdict_name(int kind);
const char *hd_verdict_title(int kind);
int hd_verdict_by_name(const char *name); /* 0 if there is none */

/* The identity of the bug: kind + sorted names + type.field.  field may be
 * NULL (then the offset is printed).  Never lines, variants or counters. */
void hd_verdict_signature(const struct hd_verdict *v, const char *field,
			  char *buf, size_t size);

#endif
