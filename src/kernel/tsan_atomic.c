/* SPDX-License-Identifier: MIT */
/* What do __atomic_* builtins and C11 atomics of instrumented code become?
 * The compiler calls these instead of emitting instructions; each is one op.
 * mo is the C11 memory order, 0 relaxed .. 5 sequentially consistent. */
#include <heddle/atomic.h>

#include "kernel.h"

static u8 order_of(int mo)
{
	static const u8 order[] = { HD_RELAXED, HD_ACQUIRE, HD_ACQUIRE,
				    HD_RELEASE, HD_ACQ_REL, HD_FULL };

	return mo >= 0 && mo < 6 ? order[mo] : HD_FULL;
}

static u64 load(const volatile void *p, u32 size, int mo, u32 pc)
{
	bool op = hd_begin(HD_LOAD, p, size, HD_READ, order_of(mo), pc);
	u64 v = hd_get(p, size);

	if (op) {
		hd_did(v, v);
		hd_did_read(W->cur, pc);
	}
	return v;
}

static void store(volatile void *p, u32 size, u64 val, int mo, u32 pc)
{
	bool op = hd_begin(HD_STORE, p, size, HD_WRITE, order_of(mo), pc);
	u64 old = hd_get(p, size);

	hd_put(p, size, val);
	if (op)
		hd_did(old, hd_get(p, size));
}

enum { ADD, SUB, AND, OR, XOR, NAND, XCHG };

static u64 rmw(volatile void *p, u32 size, int what, u64 arg, int mo, u32 pc)
{
	bool op = hd_begin(HD_RMW, p, size, HD_RW, order_of(mo), pc);
	u64 old = hd_get(p, size);
	u64 val = what == ADD ? old + arg : what == SUB ? old - arg :
		  what == AND ? old & arg : what == OR ? old | arg :
		  what == XOR ? old ^ arg : what == NAND ? ~(old & arg) : arg;

	hd_put(p, size, val);
	if (op) {
		hd_did(old, hd_get(p, size));
		hd_did_read(W->cur, pc);
	}
	return old;
}

static u64 cas(volatile void *p, u32 size, u64 expected, u64 val, int mo,
	       u32 pc)
{
	bool op = hd_begin(HD_RMW, p, size, HD_RW, order_of(mo), pc);
	u64 old = hd_get(p, size);

	if (old == expected)
		hd_put(p, size, val);
	else if (op && order_of(mo) >= HD_RELEASE) /* C11: may still acquire */
		hd_gives(order_of(mo) == HD_RELEASE ? HD_RELAXED : HD_ACQUIRE);
	if (op) {
		hd_did(old, hd_get(p, size));
		hd_did_read(W->cur, pc);
	}
	return old;
}

#define RMW(n, T, name, what)                                             \
	T __tsan_atomic##n##_##name(volatile T *p, T v, int mo);          \
	T __tsan_atomic##n##_##name(volatile T *p, T v, int mo)           \
	{                                                                 \
		return (T)rmw(p, sizeof(T), what, v, mo, HD_PC());        \
	}

#define CAS(n, T, name)                                                   \
	int __tsan_atomic##n##_##name(volatile T *p, T *expected, T v,    \
				      int mo, int fail_mo);               \
	int __tsan_atomic##n##_##name(volatile T *p, T *expected, T v,    \
				      int mo, int fail_mo)                \
	{                                                                 \
		T was = *expected;                                        \
		T is = (T)cas(p, sizeof(T), was, v, mo, HD_PC());         \
                                                                          \
		(void)fail_mo;                                            \
		if (is != was)                                            \
			*expected = is;                                   \
		return is == was;                                         \
	}

#define CALLBACKS(n, T)                                                   \
	T __tsan_atomic##n##_load(const volatile T *p, int mo);           \
	T __tsan_atomic##n##_load(const volatile T *p, int mo)            \
	{                                                                 \
		return (T)load(p, sizeof(T), mo, HD_PC());                \
	}                                                                 \
	void __tsan_atomic##n##_store(volatile T *p, T v, int mo);        \
	void __tsan_atomic##n##_store(volatile T *p, T v, int mo)         \
	{                                                                 \
		store(p, sizeof(T), v, mo, HD_PC());                      \
	}                                                                 \
	T __tsan_atomic##n##_compare_exchange_val(volatile T *p, T was,   \
						  T v, int mo, int fail); \
	T __tsan_atomic##n##_compare_exchange_val(volatile T *p, T was,   \
						  T v, int mo, int fail)  \
	{                                                                 \
		(void)fail;                                               \
		return (T)cas(p, sizeof(T), was, v, mo, HD_PC());         \
	}                                                                 \
	CAS(n, T, compare_exchange_strong)                                \
	CAS(n, T, compare_exchange_weak)                                  \
	RMW(n, T, exchange, XCHG)                                         \
	RMW(n, T, fetch_add, ADD)                                         \
	RMW(n, T, fetch_sub, SUB)                                         \
	RMW(n, T, fetch_and, AND)                                         \
	RMW(n, T, fetch_or, OR)                                           \
	RMW(n, T, fetch_xor, XOR)                                         \
	RMW(n, T, fetch_nand, NAND)

CALLBACKS(8, u8)
CALLBACKS(16, u16)
CALLBACKS(32, u32)
CALLBACKS(64, u64)

void __tsan_atomic_thread_fence(int mo);
void __tsan_atomic_thread_fence(int mo)
{
	hd_fence(order_of(mo));
}

void __tsan_atomic_signal_fence(int mo);
void __tsan_atomic_signal_fence(int mo)
{
	(void)mo;
}
