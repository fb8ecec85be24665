/* SPDX-License-Identifier: MIT */
/* Sleepable read-copy-update (include/linux/srcu.h, kernel/rcu/srcutree.c,
 * 6.12).
 *
 * A grace period of a call ends when every read section of the same
 * srcu_struct that was entered before the call has been left.  Later ones are
 * not waited for; the kernel may wait for some of them, which nobody can rely
 * on.  Readers may sleep.  Callbacks run in the task "rcu", as those of
 * call_rcu(), at any time after their grace period.
 *
 * srcu_read_lock() returns a number that must go to srcu_read_unlock() of the
 * same task, verdict rcu-usage otherwise.  (The kernel's is 0 or 1; here it
 * tells the task's open sections apart.)  Each is one op, synchronize_srcu()
 * is two: the call, and the end of its grace period.
 *
 * lockdep: a section is a recursive read lock, synchronize_srcu() is
 * lock_sync(): waiting with a lock held that a reader takes inside is
 * "circular", waiting inside a section "recursive".  No expedited form, no
 * srcu_barrier(), no srcu_down_read(). */
#ifndef HEDDLE_SRCU_H
#define HEDDLE_SRCU_H

#include <heddle/heddle.h>
#include <heddle/lockdep.h>
#include <heddle/rcu.h>

enum {
	SRCU_SECTIONS = 4, /* open ones of a task; more: verdict limit */
	SRCU_CALLS = 16,   /* callbacks waiting, of all; more: verdict limit */
};

struct srcu_struct {
	u64 periods; /* grace periods that were asked for so far */
	struct srcu_reader {
		/* periods + 1 at entry; 0: not inside.  A word for each task,
		 * so that readers do not meet. */
		u16 since[SRCU_SECTIONS];
	} reader[HD_KERNEL_TASKS + 1];
	struct lockdep_map dep_map;
};

#define __SRCU_STRUCT_INIT(n) \
	{ .dep_map = STATIC_LOCKDEP_MAP_INIT(#n, &(n)) }
#define DEFINE_SRCU(n) struct srcu_struct n = __SRCU_STRUCT_INIT(n)
#define DEFINE_STATIC_SRCU(n) static DEFINE_SRCU(n)

/* 0: it does not fail. */
#define init_srcu_struct(s)                                            \
	({                                                             \
		static struct lock_class_key __key;                    \
		hd_init_srcu_struct((s), #s, &__key);                  \
		0;                                                     \
	})
void hd_init_srcu_struct(struct srcu_struct *s, const char *name,
			 const struct lock_class_key *key);
/* Verdict warn if a reader is inside or a callback waits. */
void cleanup_srcu_struct(struct srcu_struct *s);

int __must_check srcu_read_lock(struct srcu_struct *s);
void srcu_read_unlock(struct srcu_struct *s, int idx);
#define srcu_read_lock_held(s) lockdep_is_held(s)
/* Sleeps.  Inside an RCU read section: verdict rcu-usage. */
void synchronize_srcu(struct srcu_struct *s);
#define synchronize_srcu_expedited(s) synchronize_srcu(s)
void call_srcu(struct srcu_struct *s, struct rcu_head *head,
	       rcu_callback_t func);

/* Outside of a read section of s: verdict rcu-usage, unless c holds. */
#define srcu_dereference(p, s) srcu_dereference_check(p, s, false)
#define srcu_dereference_check(p, s, c)                                \
	({                                                             \
		hd_srcu_dereference_check((c) || srcu_read_lock_held(s)); \
		READ_ONCE(p);                                          \
	})
void hd_srcu_dereference_check(bool fine);

#endif
