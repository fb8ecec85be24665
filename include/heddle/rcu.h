/* SPDX-License-Identifier: MIT */
/* Read-copy-update (include/linux/rcupdate.h, kernel/rcu/tree.c, 6.12).
 *
 * A grace period of a call ends when every task that was inside a read section
 * at the moment of the call has left it once.  Later readers are not waited
 * for.  Callbacks run in order of their calls, in a task of their own, "rcu",
 * at any time after their grace period: when, is up to the schedule, and all
 * have run when a run ends.  Of nested read sections only the outermost is an
 * op.  Each is on the stack of held locks ("rcu_read_lock", not validated), as in
 * the kernel: what sleeps inside is wait-context as well, and what leaves the
 * kernel inside is held-at-user.  There is no expedited form and no rcu_barrier(). */
#ifndef HEDDLE_RCU_H
#define HEDDLE_RCU_H

#include <heddle/compiler.h>

struct rcu_head {
	struct rcu_head *next;
	void (*func)(struct rcu_head *head);
};
typedef void (*rcu_callback_t)(struct rcu_head *head);

void rcu_read_lock(void);
void rcu_read_unlock(void); /* verdict rcu-usage when not inside */
bool rcu_read_lock_held(void);

/* At most HD_RCU_CALLS wait at any time (verdict limit).  Queueing a head that
 * is still queued is verdict rcu-usage. */
enum { HD_RCU_CALLS = 48 };
void call_rcu(struct rcu_head *head, rcu_callback_t func);
#define kfree_rcu(ptr, rhf)                                            \
	do {                                                           \
		__typeof__(ptr) __ptr = (ptr);                         \
		if (__ptr)                                             \
			hd_kfree_rcu(&__ptr->rhf, __ptr);              \
	} while (0)
void hd_kfree_rcu(struct rcu_head *head, const void *ptr);
/* Sleeps until the readers of now have left.  From inside a read section:
 * verdict rcu-usage (and it waits for itself). */
void synchronize_rcu(void);

/* Outside of a read section rcu_dereference() is verdict rcu-usage;
 * _check(p, c) accepts condition c instead, _protected(p, c) demands it. */
#define rcu_dereference(p) rcu_dereference_check(p, false)
#define rcu_dereference_check(p, c) \
	({ hd_rcu_dereference_check(c); READ_ONCE(p); })
#define rcu_dereference_protected(p, c) \
	({ hd_rcu_protected_check(c); (p); })
#define rcu_dereference_raw(p) READ_ONCE(p)
#define rcu_access_pointer(p) READ_ONCE(p)
#define rcu_assign_pointer(p, v) smp_store_release(&(p), (v))
#define RCU_INIT_POINTER(p, v) WRITE_ONCE(p, v)
void hd_rcu_dereference_check(bool otherwise);
void hd_rcu_protected_check(bool cond);

#endif
