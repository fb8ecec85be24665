/* SPDX-License-Identifier: MIT */
/* When is a reference count misused, and what becomes of it then?  Which ones
 * shall end as they began? */
#include <heddle/refcount.h>

#include "kernel.h"

static const char uaf[] = "addition on 0";
static const char overflow[] = "saturated";
static const char underflow[] = "underflow";
static const char leak[] = "decrement hit 0";

/* Headers of objects tell where counters are: the end of a run asks. */
static void note(const refcount_t *r)
{
	struct hd_object *o = hd_in_heap((u64)r) ? hd_object_at((u64)r) : NULL;
	u32 key, i;

	if (!o || (u64)r < (u64)(o + 1))
		return;
	key = (u32)((u64)r - (u64)(o + 1)) + 1;
	if (likely(o->refs[0] == key) || key > UINT16_MAX)
		return;
	/* ascending: which came first is no part of the state */
	for (i = 0; i < HD_OBJ_REFS && o->refs[i] != key; i++) {
		u32 there = o->refs[i];

		if (there && there < key)
			continue;
		o->refs[i] = (u16)key;
		key = there;
		if (!key)
			break;
	}
}

static int *begin(refcount_t *r, u8 order, u32 pc, bool *op)
{
	/* r may be NULL until hd_begin() has looked at it */
	*op = hd_begin(HD_RMW, r, sizeof(int), HD_RW, order, pc);
	note(r);
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

/* --- references that shall be put ----------------------------------- */

/* Written by the set-up; constant during a run. */
static struct {
	const refcount_t *r;
	const char *text;
	int value;
} expected[8];
static u32 nexpected;

void hd_boot_refcount(void)
{
	nexpected = 0;
}

static void judge(const refcount_t *r, const char *text, int value)
{
	int now = r->refs.counter;
	bool heap = hd_in_heap((u64)r);

	if (now > value)
		hd_complain(HD_V_REFCOUNT_LEAK, r, heap ? NULL : text, 0);
	else if (now < value)
		hd_complain(HD_V_REFCOUNT, r, heap ? "dropped too often" : text,
			    0);
}

static void on_end(const struct hd_event *ev)
{
	u32 i;

	(void)ev;
	for (i = 0; i < nexpected; i++)
		judge(expected[i].r, expected[i].text, expected[i].value);
}

void hd_expect_refs(const refcount_t *r, const char *text)
{
	hd_settle();
	if (W->running || nexpected == ARRAY_SIZE(expected))
		hd_limit("expected counters: in the set-up, 8 at most");
	if (!nexpected)
		hd_subscribe(HD_EV_END, on_end);
	expected[nexpected].r = r;
	expected[nexpected].text = text;
	expected[nexpected++].value = r->refs.counter;
}
