/* SPDX-License-Identifier: MIT */
/* Atomic operations with the kernel's names (Documentation/atomic_t.txt and
 * include/linux/atomic/atomic-instrumented.h, 6.12).
 *
 * Each read-modify-write is ONE op, whatever instructions it would take; a
 * conditional one (cmpxchg, inc_not_zero ...) that changes nothing is the same
 * op with equal values before and after.  Plain names are fully ordered, the
 * suffixes _relaxed, _acquire and _release are recorded with the op. */
#ifndef HEDDLE_ATOMIC_H
#define HEDDLE_ATOMIC_H

#include <heddle/compiler.h>

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	s64 counter;
} atomic64_t;
typedef atomic64_t atomic_long_t;

#define ATOMIC_INIT(i) { (i) }
#define ATOMIC64_INIT(i) { (i) }
#define ATOMIC_LONG_INIT(i) { (i) }

/* --- out of line: one op each --------------------------------------- */

enum hd_rmw {
	HD_RMW_ADD,
	HD_RMW_AND,
	HD_RMW_OR,
	HD_RMW_XOR,
	HD_RMW_XCHG,
	HD_RMW_ADD_UNLESS,      /* not if the value is arg2 */
	HD_RMW_DEC_IF_POSITIVE, /* not if the result would be negative */
};

/* Returns the value before.  size: 1, 2, 4 or 8. */
u64 hd_atomic_rmw(volatile void *p, u32 size, u8 what, u64 arg, u64 arg2,
		  u8 order);
/* Relaxed, and without a result: HD_COMMUTES. */
void hd_atomic_add(volatile void *p, u32 size, u64 arg);
u64 hd_atomic_cmpxchg(volatile void *p, u32 size, u64 old, u64 val, u8 order);

/* --- any integer or pointer of 1, 2, 4 or 8 bytes ------------------- */

#define hd_cmpxchg_order(ptr, o, n, order)                             \
	((__typeof__(*(ptr)))hd_atomic_cmpxchg(                        \
		(ptr), sizeof(*(ptr)), (u64)(__typeof__(*(ptr)))(o),   \
		(u64)(__typeof__(*(ptr)))(n), (order)))
#define hd_xchg_order(ptr, n, order)                                   \
	((__typeof__(*(ptr)))hd_atomic_rmw(                            \
		(ptr), sizeof(*(ptr)), HD_RMW_XCHG,                    \
		(u64)(__typeof__(*(ptr)))(n), 0, (order)))
/* On failure *oldp becomes the value that was found. */
#define hd_try_cmpxchg_order(ptr, oldp, n, order)                      \
	({                                                             \
		__typeof__(ptr) __p = (ptr);                           \
		__typeof__(oldp) __o = (oldp);                         \
		__typeof__(*__o) __was = *__o, __is;                   \
		__is = hd_cmpxchg_order(__p, __was, n, order);         \
		if (__is != __was)                                     \
			*__o = __is;                                   \
		__is == __was;                                         \
	})

#define cmpxchg(p, o, n) hd_cmpxchg_order(p, o, n, HD_FULL)
#define try_cmpxchg(p, o, n) hd_try_cmpxchg_order(p, o, n, HD_FULL)
#define xchg(p, n) hd_xchg_order(p, n, HD_FULL)
#define cmpxchg_relaxed(p, o, n) hd_cmpxchg_order(p, o, n, HD_RELAXED)
#define try_cmpxchg_relaxed(p, o, n) hd_try_cmpxchg_order(p, o, n, HD_RELAXED)
#define xchg_relaxed(p, n) hd_xchg_order(p, n, HD_RELAXED)
#define cmpxchg_acquire(p, o, n) hd_cmpxchg_order(p, o, n, HD_ACQUIRE)
#define try_cmpxchg_acquire(p, o, n) hd_try_cmpxchg_order(p, o, n, HD_ACQUIRE)
#define xchg_acquire(p, n) hd_xchg_order(p, n, HD_ACQUIRE)
#define cmpxchg_release(p, o, n) hd_cmpxchg_order(p, o, n, HD_RELEASE)
#define try_cmpxchg_release(p, o, n) hd_try_cmpxchg_order(p, o, n, HD_RELEASE)
#define xchg_release(p, n) hd_xchg_order(p, n, HD_RELEASE)

/* --- atomic_t and atomic64_t ---------------------------------------- */

#define HD_ATOMIC_RMW(pre, T, t, suf, order)                                \
	static __always_inline t pre##_fetch_add##suf(t i, T *v)            \
	{                                                                   \
		return (t)hd_atomic_rmw(&v->counter, sizeof(t), HD_RMW_ADD, \
					(u64)i, 0, order);                  \
	}                                                                   \
	static __always_inline t pre##_fetch_and##suf(t i, T *v)            \
	{                                                                   \
		return (t)hd_atomic_rmw(&v->counter, sizeof(t), HD_RMW_AND, \
					(u64)i, 0, order);                  \
	}                                                                   \
	static __always_inline t pre##_fetch_or##suf(t i, T *v)             \
	{                                                                   \
		return (t)hd_atomic_rmw(&v->counter, sizeof(t), HD_RMW_OR,  \
					(u64)i, 0, order);                  \
	}                                                                   \
	static __always_inline t pre##_fetch_xor##suf(t i, T *v)            \
	{                                                                   \
		return (t)hd_atomic_rmw(&v->counter, sizeof(t), HD_RMW_XOR, \
					(u64)i, 0, order);                  \
	}                                                                   \
	static __always_inline t pre##_fetch_sub##suf(t i, T *v)            \
	{                                                                   \
		return pre##_fetch_add##suf(-i, v);                         \
	}                                                                   \
	static __always_inline t pre##_fetch_inc##suf(T *v)                 \
	{                                                                   \
		return pre##_fetch_add##suf(1, v);                          \
	}                                                                   \
	static __always_inline t pre##_fetch_dec##suf(T *v)                 \
	{                                                                   \
		return pre##_fetch_add##suf(-1, v);                         \
	}                                                                   \
	static __always_inline t pre##_add_return##suf(t i, T *v)           \
	{                                                                   \
		return pre##_fetch_add##suf(i, v) + i;                      \
	}                                                                   \
	static __always_inline t pre##_sub_return##suf(t i, T *v)           \
	{                                                                   \
		return pre##_fetch_add##suf(-i, v) - i;                     \
	}                                                                   \
	static __always_inline t pre##_inc_return##suf(T *v)                \
	{                                                                   \
		return pre##_fetch_add##suf(1, v) + 1;                      \
	}                                                                   \
	static __always_inline t pre##_dec_return##suf(T *v)                \
	{                                                                   \
		return pre##_fetch_add##suf(-1, v) - 1;                     \
	}                                                                   \
	static __always_inline t pre##_xchg##suf(T *v, t n)                 \
	{                                                                   \
		return hd_xchg_order(&v->counter, n, order);                \
	}                                                                   \
	static __always_inline t pre##_cmpxchg##suf(T *v, t o, t n)         \
	{                                                                   \
		return hd_cmpxchg_order(&v->counter, o, n, order);          \
	}                                                                   \
	static __always_inline bool pre##_try_cmpxchg##suf(T *v, t *o, t n) \
	{                                                                   \
		return hd_try_cmpxchg_order(&v->counter, o, n, order);      \
	}

#define HD_ATOMIC(pre, T, t)                                                \
	HD_ATOMIC_RMW(pre, T, t, , HD_FULL)                                 \
	HD_ATOMIC_RMW(pre, T, t, _relaxed, HD_RELAXED)                      \
	HD_ATOMIC_RMW(pre, T, t, _acquire, HD_ACQUIRE)                      \
	HD_ATOMIC_RMW(pre, T, t, _release, HD_RELEASE)                      \
	static __always_inline t pre##_read(const T *v)                     \
	{                                                                   \
		return READ_ONCE(v->counter);                               \
	}                                                                   \
	static __always_inline t pre##_read_acquire(const T *v)             \
	{                                                                   \
		return (t)hd_load_acquire(&v->counter, sizeof(t));          \
	}                                                                   \
	static __always_inline void pre##_set(T *v, t i)                    \
	{                                                                   \
		WRITE_ONCE(v->counter, i);                                  \
	}                                                                   \
	static __always_inline void pre##_set_release(T *v, t i)            \
	{                                                                   \
		hd_store_release(&v->counter, sizeof(t), (u64)i);           \
	}                                                                   \
	static __always_inline void pre##_add(t i, T *v)                    \
	{                                                                   \
		hd_atomic_add(&v->counter, sizeof(t), (u64)i);              \
	}                                                                   \
	static __always_inline void pre##_sub(t i, T *v)                    \
	{                                                                   \
		hd_atomic_add(&v->counter, sizeof(t), (u64)-i);             \
	}                                                                   \
	static __always_inline void pre##_inc(T *v)                         \
	{                                                                   \
		hd_atomic_add(&v->counter, sizeof(t), 1);                   \
	}                                                                   \
	static __always_inline void pre##_dec(T *v)                         \
	{                                                                   \
		hd_atomic_add(&v->counter, sizeof(t), (u64)-1);             \
	}                                                                   \
	static __always_inline void pre##_and(t i, T *v)                    \
	{                                                                   \
		pre##_fetch_and_relaxed(i, v);                              \
	}                                                                   \
	static __always_inline void pre##_or(t i, T *v)                     \
	{                                                                   \
		pre##_fetch_or_relaxed(i, v);                               \
	}                                                                   \
	static __always_inline void pre##_xor(t i, T *v)                    \
	{                                                                   \
		pre##_fetch_xor_relaxed(i, v);                              \
	}                                                                   \
	static __always_inline bool pre##_inc_and_test(T *v)                \
	{                                                                   \
		return pre##_fetch_add(1, v) == -1;                         \
	}                                                                   \
	static __always_inline bool pre##_dec_and_test(T *v)                \
	{                                                                   \
		return pre##_fetch_add(-1, v) == 1;                         \
	}                                                                   \
	static __always_inline bool pre##_sub_and_test(t i, T *v)           \
	{                                                                   \
		return pre##_fetch_add(-i, v) == i;                         \
	}                                                                   \
	static __always_inline bool pre##_add_negative(t i, T *v)           \
	{                                                                   \
		return pre##_add_return(i, v) < 0;                          \
	}                                                                   \
	/* the value before; added unless that was u */                     \
	static __always_inline t pre##_fetch_add_unless(T *v, t a, t u)     \
	{                                                                   \
		return (t)hd_atomic_rmw(&v->counter, sizeof(t),             \
					HD_RMW_ADD_UNLESS, (u64)a, (u64)u,  \
					HD_FULL);                           \
	}                                                                   \
	static __always_inline bool pre##_add_unless(T *v, t a, t u)        \
	{                                                                   \
		return pre##_fetch_add_unless(v, a, u) != u;                \
	}                                                                   \
	static __always_inline bool pre##_inc_not_zero(T *v)                \
	{                                                                   \
		return pre##_fetch_add_unless(v, 1, 0) != 0;                \
	}                                                                   \
	/* the value before minus 1, also when it was not stored */         \
	static __always_inline t pre##_dec_if_positive(T *v)                \
	{                                                                   \
		return (t)hd_atomic_rmw(&v->counter, sizeof(t),             \
					HD_RMW_DEC_IF_POSITIVE, 1, 0,       \
					HD_FULL) - 1;                       \
	}

HD_ATOMIC(atomic, atomic_t, int)
HD_ATOMIC(atomic64, atomic64_t, s64)
HD_ATOMIC(atomic_long, atomic_long_t, s64)

#endif
