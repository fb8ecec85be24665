/* SPDX-License-Identifier: MIT */
/* How does an atomic operation become one op?  The engine under atomic.h and
 * the ordered accesses of compiler.h. */
#include <heddle/atomic.h>

#include "kernel.h"

u64 hd_load_acquire(const volatile void *p, u32 size)
{
	u32 pc = HD_PC();
	bool op = hd_begin(HD_LOAD, p, size, HD_READ, HD_ACQUIRE, pc);
	u64 v = hd_get(p, size);

	if (op)
		hd_did(v, v);
	return v;
}

void hd_store_release(volatile void *p, u32 size, u64 val)
{
	u32 pc = HD_PC();
	bool op = hd_begin(HD_STORE, p, size, HD_WRITE, HD_RELEASE, pc);
	u64 old = hd_get(p, size);

	hd_put(p, size, val);
	if (op)
		hd_did(old, hd_get(p, size));
}

void hd_fence(u8 order)
{
	(void)order;
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

u64 hd_atomic_rmw(volatile void *p, u32 size, u8 what, u64 arg, u64 arg2,
		  u8 order)
{
	u32 pc = HD_PC();
	bool op = hd_begin(HD_RMW, p, size, HD_RW, order, pc), hold;
	u64 old = hd_get(p, size);

	hold = (what == HD_RMW_ADD_UNLESS && old == cut(arg2, size)) ||
	       (what == HD_RMW_DEC_IF_POSITIVE &&
		(s64)(old << (64 - size * 8)) <= 0);
	hd_put(p, size, compute(what, old, arg, hold));
	if (op)
		hd_did(old, hd_get(p, size));
	return old;
}

u64 hd_atomic_cmpxchg(volatile void *p, u32 size, u64 expected, u64 val,
		      u8 order)
{
	u32 pc = HD_PC();
	bool op = hd_begin(HD_RMW, p, size, HD_RW, order, pc);
	u64 old = hd_get(p, size);

	if (old == cut(expected, size))
		hd_put(p, size, val);
	if (op)
		hd_did(old, hd_get(p, size));
	return old;
}
