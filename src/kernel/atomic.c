/* SPDX-License-Identifier: MIT */
/* How does an atomic operation become one op?  The engine under atomic.h and
 * the ordered accesses of compiler.h. */
#include <heddle/atomic.h>

#include "kernel.h"

/* Static data of a model is part of the world as well. */
noinline bool hd_begin_elsewhere(const struct hd_op *op)
{
	bool local = hd_in_stacks(op->addr);

	if (local ? hd_is_local(op->addr) : hd_in_statics(op->addr)) {
		hd_publish_op(op);
		if (local)
			hd_judge_local(op->addr, op->pc);
		return true;
	}
	if (op->addr < 4096)
		hd_judge((void *)op->addr, op->size, op->flags, op->pc);
	return false;
}

static __always_inline struct hd_op op_on(const volatile void *p, u32 size,
					  u8 kind, u8 flags, u8 order, u32 pc)
{
	return (struct hd_op){ .addr = (u64)p, .size = size, .pc = pc,
			       .kind = kind, .order = order, .flags = flags };
}

u64 hd_load_acquire(const volatile void *p, u32 size)
{
	struct hd_op op = op_on(p, size, HD_LOAD, HD_READ, HD_ACQUIRE,
				HD_PC());
	u64 id, v;
	bool is_op = hd_begin_op(&op, &id);

	v = hd_get(p, size);
	if (is_op)
		hd_did_op(&op, id, v, v);
	return v;
}

void hd_store_release(volatile void *p, u32 size, u64 val)
{
	struct hd_op op = op_on(p, size, HD_STORE, HD_WRITE, HD_RELEASE,
				HD_PC());
	u64 id, old;
	bool is_op = hd_begin_op(&op, &id);

	old = hd_get(p, size);
	hd_put(p, size, val);
	if (is_op)
		hd_did_op(&op, id, old, hd_get(p, size));
}

void hd_fence(u8 order)
{
	if (hd_access_oracle.fence)
		hd_access_oracle.fence(order);
}

static u64 compute(u8 what, u64 old, u64 arg, bool hold)
{
	if (hold)
		return old;
	switch (what) {
	case HD_RMW_AND:
		return old & arg;
	case HD_RMW_OR:
		return old | arg;
	case HD_RMW_XOR:
		return old ^ arg;
	case HD_RMW_XCHG:
		return arg;
	case HD_RMW_DEC_IF_POSITIVE:
		return old - 1;
	default:
		return old + arg;
	}
}

static u64 cut(u64 v, u32 size)
{
	return size < 8 ? v & ((1ull << size * 8) - 1) : v;
}

static __always_inline u64 rmw(volatile void *p, u32 size, u8 what, u64 arg,
			       u64 arg2, u8 flags, u8 order, u32 pc)
{
	struct hd_op op = op_on(p, size, HD_RMW, flags, order, pc);
	u64 id, old;
	bool is_op = hd_begin_op(&op, &id), hold;

	old = hd_get(p, size);
	hold = (what == HD_RMW_ADD_UNLESS && old == cut(arg2, size)) ||
	       (what == HD_RMW_DEC_IF_POSITIVE &&
		(s64)(old << (64 - size * 8)) <= 0);
	hd_put(p, size, compute(what, old, arg, hold));
	if (is_op && unlikely(hold))
		hd_gives(HD_RELAXED);
	if (is_op)
		hd_did_op(&op, id, old, hd_get(p, size));
	return old;
}

u64 hd_atomic_rmw(volatile void *p, u32 size, u8 what, u64 arg, u64 arg2,
		  u8 order)
{
	/* atomic_t gets a copy of its own, without the other sizes */
	if (likely(size == 4))
		return rmw(p, 4, what, arg, arg2, HD_RW, order, HD_PC());
	return rmw(p, size, what, arg, arg2, HD_RW, order, HD_PC());
}

void hd_atomic_add(volatile void *p, u32 size, u64 arg)
{
	const u8 flags = HD_RW | HD_COMMUTES;

	if (likely(size == 4))
		rmw(p, 4, HD_RMW_ADD, arg, 0, flags, HD_RELAXED, HD_PC());
	else
		rmw(p, size, HD_RMW_ADD, arg, 0, flags, HD_RELAXED, HD_PC());
}

u64 hd_atomic_cmpxchg(volatile void *p, u32 size, u64 expected, u64 val,
		      u8 order)
{
	struct hd_op op = op_on(p, size, HD_RMW, HD_RW, order, HD_PC());
	u64 id, old;
	bool is_op = hd_begin_op(&op, &id);

	old = hd_get(p, size);
	if (old == cut(expected, size))
		hd_put(p, size, val);
	else if (is_op)
		hd_gives(HD_RELAXED);
	if (is_op)
		hd_did_op(&op, id, old, hd_get(p, size));
	return old;
}
