/* SPDX-License-Identifier: MIT */
/* When is a reference count misused, and what becomes of it then? */
#include <heddle/refcount.h>

#include "kernel.h"

static const char uaf[] = "addition on 0";
static const char overflow[] = "saturated";
static const char underflow[] = "underflow";
static const char leak[] = "decrement hit 0";

static int *begin(refcount_t *r, u8 order, u32 pc, bool *op)
{
	/* r may be NULL until hd_begin() has looked at it */
	*op = hd_begin(HD_RMW, r, sizeof(int), HD_RW, order, pc);
	return &r->refs.counter;
}

/* The op is done: old became the present value; misuse, if any, follows. */
static void end(int *refs, int old, int *oldp, bool op, const char *misuse,
		u32 pc)
{
	if (oldp)
		*oldp = old;
	if (misuse)
		*refs = REFCOUNT_SATURATED;
	if (op)
		hd_did((u32)old, (u32)*refs);
	if (misuse)
		hd_complain(HD_V_REFCOUNT, refs, misuse, pc);
}

/* Wraps as the kernel's does, which is built with -fno-strict-overflow. */
static int plus(int a, int b)
{
	return (int)((u32)a + (u32)b);
}

static const char *overflown(int old, int i)
{
	return old < 0 || plus(old, i) < 0 ? overflow : NULL;
}

void __refcount_add(int i, refcount_t *r, int *oldp)
{
	u32 pc = HD_PC();
	bool op;
	int *refs = begin(r, HD_RELAXED, pc, &op), old = *refs;

	*refs = plus(old, i);
	end(refs, old, oldp, op, old ? overflown(old, i) : uaf, pc);
}

static bool add_not_zero(int i, refcount_t *r, int *oldp, int limit, u8 order,
			 u32 pc)
{
	bool op, may;
	int *refs = begin(r, order, pc, &op), old = *refs;

	may = old && i <= limit - old;
	if (may)
		*refs = plus(old, i);
	else if (op)
		hd_gives(HD_RELAXED);
	end(refs, old, oldp, op, may ? overflown(old, i) : NULL, pc);
	return may;
}

bool hd_refcount_add_limited(int i, refcount_t *r, int *oldp, int limit,
			     u8 order)
{
	return add_not_zero(i, r, oldp, limit, order, HD_PC());
}

bool __refcount_add_not_zero(int i, refcount_t *r, int *oldp)
{
	u32 pc = HD_PC();
	bool op;
	int *refs = begin(r, HD_RELAXED, pc, &op), old = *refs;

	if (old)
		*refs = plus(old, i);
	end(refs, old, oldp, op, old ? overflown(old, i) : NULL, pc);
	return old;
}

void __refcount_dec(refcount_t *r, int *oldp)
{
	u32 pc = HD_PC();
	bool op;
	int *refs = begin(r, HD_RELEASE, pc, &op), old = *refs;

	*refs = plus(old, -1);
	end(refs, old, oldp, op, old <= 1 ? leak : NULL, pc);
}

bool __refcount_sub_and_test(int i, refcount_t *r, int *oldp)
{
	u32 pc = HD_PC();
	bool op;
	int *refs = begin(r, HD_ACQ_REL, pc, &op), old = *refs;
	bool zero = old > 0 && old == i;

	*refs = plus(old, -i);
	if (op && !zero) /* who does not free acquires nothing */
		hd_gives(HD_RELEASE);
	end(refs, old, oldp, op,
	    !zero && (old <= 0 || plus(old, -i) < 0) ? underflow : NULL, pc);
	return zero;
}

bool refcount_dec_not_one(refcount_t *r)
{
	u32 pc = HD_PC();
	bool op;
	int *refs = begin(r, HD_RELEASE, pc, &op), old = *refs;
	const char *misuse = old ? NULL : underflow;

	if (old != 1 && old != REFCOUNT_SATURATED && old)
		*refs = plus(old, -1);
	else if (op)
		hd_gives(HD_RELAXED);
	/* the kernel leaves an underflown counter alone here */
	if (op)
		hd_did((u32)old, (u32)*refs);
	if (misuse)
		hd_complain(HD_V_REFCOUNT, refs, misuse, pc);
	return old != 1;
}

bool refcount_dec_if_one(refcount_t *r)
{
	u32 pc = HD_PC();
	bool op;
	int *refs = begin(r, HD_ACQ_REL, pc, &op), old = *refs;

	if (old == 1)
		*refs = 0;
	else if (op)
		hd_gives(HD_RELAXED);
	end(refs, old, NULL, op, NULL, pc);
	return old == 1;
}
