/* SPDX-License-Identifier: MIT */
/* Private to src/kernel: what every primitive needs to make itself an op, and
 * what the primitives ask of each other. */
#ifndef KERNEL_KERNEL_H
#define KERNEL_KERNEL_H

#include "../engine/engine.h"
#include "../engine/hot.h"

enum { HD_RW = HD_READ | HD_WRITE };

noinline bool hd_begin_elsewhere(const struct hd_op *op);
/* Publish an access that an op may be: [p, p+size) in the world.  True when it
 * may be done and hd_did_op() must follow, with *id.  False: the memory is not
 * part of the world, so the access is no op. */
static __always_inline bool hd_begin_op(const struct hd_op *op, u64 *id)
{
	struct hd_op other;

	if (likely(hd_in_heap(op->addr))) {
		hd_publish_op(op);
		*id = hd_judge_in_heap(op);
		return true;
	}
	other = *op; /* a copy: op itself shall stay in registers */
	*id = hd_address_id(op->addr);
	return hd_begin_elsewhere(&other);
}

/* The same; hd_did() must follow. */
static __always_inline bool hd_begin(u8 kind, const volatile void *p, u32 size,
				     u8 flags, u8 order, u32 pc)
{
	struct hd_op op = { .addr = (u64)p, .size = size, .pc = pc,
			    .kind = kind, .order = order, .flags = flags };
	u64 id;

	return hd_begin_op(&op, &id);
}

/* The op of a lock word, which lies in the world unless the lock is NULL. */
static __always_inline u64 hd_judge_lock(const struct hd_op *op)
{
	if (likely(hd_in_heap(op->addr)))
		return hd_judge_in_heap(op);
	hd_judge((void *)op->addr, op->size, op->flags, op->pc);
	return hd_judge_op(op);
}

static __always_inline u64 hd_begin_lock(const struct hd_op *op)
{
	hd_publish_op(op);
	return hd_judge_lock(op);
}

static __always_inline u64 hd_get(const volatile void *p, u32 size)
{
	switch (size) {
	case 1:
		return *(const volatile u8 *)p;
	case 2:
		return *(const volatile u16 *)p;
	case 4:
		return *(const volatile u32 *)p;
	default:
		return *(const volatile u64 *)p;
	}
}

static __always_inline void hd_put(volatile void *p, u32 size, u64 v)
{
	switch (size) {
	case 1:
		*(volatile u8 *)p = (u8)v;
		break;
	case 2:
		*(volatile u16 *)p = (u16)v;
		break;
	case 4:
		*(volatile u32 *)p = (u32)v;
		break;
	default:
		*(volatile u64 *)p = v;
	}
}

/* An initialiser writes here without being an op of its own. */
static __always_inline void hd_quiet_write(const volatile void *p, u32 size,
					   u32 pc)
{
	hd_settle();
	hd_judge(p, size, HD_WRITE, pc);
	hd_order_range(p, size, true);
}

/* Of per-task tables with n entries; the last one is the set-up's. */
static __always_inline u32 hd_slot(u32 n)
{
	return W->cur->id < n - 1 ? W->cur->id : n - 1;
}

/* An exclusive acquire that may block; nest: NULL nearly always. */
static __always_inline void hd_announce(struct lockdep_map *map, int subclass,
					struct lockdep_map *nest, u32 pc)
{
	if (nest)
		hd_lock_acquire_nest(map, subclass, 0, 0, 1, nest, pc);
	else
		hd_lock_acquire(map, subclass, 0, 0, 1, pc);
}

/* Lock owners: never 0. */
static __always_inline u32 hd_me(void)
{
	return W->cur->id + 1u;
}

/* Raise a verdict about the memory at addr.  word: a literal, or NULL. */
void hd_complain(u8 kind, const volatile void *addr, const char *word, u32 pc);
/* Must the task not sleep? */
static __always_inline bool hd_is_atomic(const struct hd_task *t)
{
	return t->no_sleep;
}
/* BUG_ON(cond) of the primitive itself, on behalf of the code at pc; fatal. */
void hd_bug_at(const char *cond, u32 pc);
/* what: the function that may sleep. */
void hd_might_sleep(const char *what, u32 pc);
static __always_inline void hd_may_sleep(const char *what, u32 pc)
{
	if (unlikely(hd_is_atomic(W->cur)))
		hd_might_sleep(what, pc);
}

/* Interrupts and softirqs; pc: of the model's call. */
void hd_irqs_off(u32 pc);
void hd_irqs_on(u32 pc);
void hd_bh_off(u32 pc);
void hd_bh_on(u32 pc);
void hd_irq_check_user(u32 pc);

/* Is a signal pending now?  Asks the schedule; once true, always true. */
bool hd_signal_comes(void);

/* Callbacks of SRCU run in the task of RCU: wake it; is one due; as part of
 * its op, take the first one that is (pc: of the call_srcu). */
void hd_rcu_daemon_wake(void);
bool hd_srcu_callback_is_due(void);
struct rcu_head *hd_srcu_take_callback(u32 *pc);

/* For the composition root: struct hd_parts in engine.h. */
void hd_boot_primitives(void);
void hd_boot_daemons(void);
/* Parts of these. */
void hd_boot_rcu(u32 ntasks);
void hd_boot_rcu_daemon(void);
void hd_boot_srcu(void);
void hd_boot_wait(u32 ntasks);
void hd_boot_irq(void);
void hd_boot_wait_bit(u32 ntasks);
void hd_boot_rwsem(void);
void hd_boot_refcount(void);

#endif
