/* SPDX-License-Identifier: MIT */
/* Saturating reference counts (include/linux/refcount.h and lib/refcount.c,
 * 6.15).
 *
 * Each function is ONE op on the counter, also where the kernel loops around
 * a cmpxchg.  Misuse is recorded as verdict refcount, and the counter becomes
 * REFCOUNT_SATURATED, as in the kernel: an increment from 0 or from a negative
 * value, a decrement below 0, a plain refcount_dec() that reaches 0.
 *
 * The __refcount forms store the value before in *oldp (may be NULL).  The
 * _limited forms take a reference only while the result is at most limit: they
 * return false with *oldp == 0 if the count was 0, and false with the count in
 * *oldp if it would exceed limit; neither is a misuse.
 *
 * An object that the run allocated and nobody freed is verdict refcount-leak
 * instead of leak if a counter in it is above 0 at the end: a get without its
 * put.  Counters are known by the functions below, not by refcount_set(); of an
 * object, four at most.  Objects of the set-up may stay, and so may references
 * to them; heddle_expect_refs() says that they may not. */
#ifndef HEDDLE_REFCOUNT_H
#define HEDDLE_REFCOUNT_H

#include <heddle/atomic.h>

typedef struct refcount_struct {
	atomic_t refs;
} refcount_t;

#define REFCOUNT_INIT(n) { .refs = ATOMIC_INIT(n) }
#define REFCOUNT_MAX 0x7fffffff
#define REFCOUNT_SATURATED ((int)0xc0000000)

/* Increments: acquire tells the order that is recorded; else relaxed. */
void __refcount_add(int i, refcount_t *r, int *oldp);
bool __refcount_add_not_zero(int i, refcount_t *r, int *oldp);
bool hd_refcount_add_limited(int i, refcount_t *r, int *oldp, int limit,
			     u8 order);
/* Decrements: release, and acquire when they return true. */
void __refcount_dec(refcount_t *r, int *oldp);
bool __must_check __refcount_sub_and_test(int i, refcount_t *r, int *oldp);
bool __must_check refcount_dec_not_one(refcount_t *r);
bool __must_check refcount_dec_if_one(refcount_t *r);

/* Functions, not macros: reports name the op after the one that was called. */
#define HD_REFCOUNT(ret, name, params, call)                       \
	static __always_inline ret name params                     \
	{                                                          \
		return call;                                       \
	}
HD_REFCOUNT(void, __refcount_inc, (refcount_t *r, int *oldp),
	    __refcount_add(1, r, oldp))
HD_REFCOUNT(bool, __refcount_inc_not_zero, (refcount_t *r, int *oldp),
	    __refcount_add_not_zero(1, r, oldp))
HD_REFCOUNT(bool, __refcount_add_not_zero_acquire,
	    (int i, refcount_t *r, int *oldp),
	    hd_refcount_add_limited(i, r, oldp, REFCOUNT_MAX, HD_ACQUIRE))
HD_REFCOUNT(bool, __refcount_inc_not_zero_acquire, (refcount_t *r, int *oldp),
	    hd_refcount_add_limited(1, r, oldp, REFCOUNT_MAX, HD_ACQUIRE))
HD_REFCOUNT(bool, __refcount_add_not_zero_limited_acquire,
	    (int i, refcount_t *r, int *oldp, int limit),
	    hd_refcount_add_limited(i, r, oldp, limit, HD_ACQUIRE))
HD_REFCOUNT(bool, __refcount_inc_not_zero_limited,
	    (refcount_t *r, int *oldp, int limit),
	    hd_refcount_add_limited(1, r, oldp, limit, HD_RELAXED))
HD_REFCOUNT(bool, __refcount_inc_not_zero_limited_acquire,
	    (refcount_t *r, int *oldp, int limit),
	    hd_refcount_add_limited(1, r, oldp, limit, HD_ACQUIRE))
HD_REFCOUNT(bool __must_check, __refcount_dec_and_test,
	    (refcount_t *r, int *oldp), __refcount_sub_and_test(1, r, oldp))
HD_REFCOUNT(void, refcount_add, (int i, refcount_t *r),
	    __refcount_add(i, r, NULL))
HD_REFCOUNT(void, refcount_inc, (refcount_t *r), __refcount_add(1, r, NULL))
HD_REFCOUNT(bool __must_check, refcount_add_not_zero, (int i, refcount_t *r),
	    __refcount_add_not_zero(i, r, NULL))
HD_REFCOUNT(bool __must_check, refcount_inc_not_zero, (refcount_t *r),
	    __refcount_add_not_zero(1, r, NULL))
HD_REFCOUNT(bool __must_check, refcount_inc_not_zero_acquire, (refcount_t *r),
	    hd_refcount_add_limited(1, r, NULL, REFCOUNT_MAX, HD_ACQUIRE))
HD_REFCOUNT(void, refcount_dec, (refcount_t *r), __refcount_dec(r, NULL))
HD_REFCOUNT(bool __must_check, refcount_dec_and_test, (refcount_t *r),
	    __refcount_sub_and_test(1, r, NULL))
HD_REFCOUNT(bool __must_check, refcount_sub_and_test, (int i, refcount_t *r),
	    __refcount_sub_and_test(i, r, NULL))

/* Heddle's own: at the end of the run the counter shall be what it is now, in
 * the set-up.  Higher is verdict refcount-leak, lower is verdict refcount
 * ("dropped too often").  8 counters at most (verdict limit). */
#define heddle_expect_refs(r) hd_expect_refs((r), #r)
void hd_expect_refs(const refcount_t *r, const char *text);

static __always_inline void refcount_set(refcount_t *r, int n)
{
	atomic_set(&r->refs, n);
}

static __always_inline void refcount_set_release(refcount_t *r, int n)
{
	atomic_set_release(&r->refs, n);
}

static __always_inline unsigned int refcount_read(const refcount_t *r)
{
	return (unsigned int)atomic_read(&r->refs);
}

#endif
