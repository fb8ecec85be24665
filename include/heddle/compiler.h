/* SPDX-License-Identifier: MIT */
/* Marked accesses and barriers (include/asm-generic/rwonce.h and
 * include/asm-generic/barrier.h, 6.12).
 *
 * READ_ONCE and WRITE_ONCE are volatile accesses: in model code the compiler
 * turns each into one op.  smp_load_acquire and smp_store_release are one op
 * each, with their order recorded.  Memory is sequentially consistent, so
 * fences order nothing that is not ordered already: they are no ops.  The race
 * oracle listens to them. */
#ifndef HEDDLE_COMPILER_H
#define HEDDLE_COMPILER_H

#include <heddle/op.h>

#define barrier() __asm__ __volatile__("" ::: "memory")

#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, val)                                             \
	do {                                                           \
		*(volatile __typeof__(x) *)&(x) = (val);               \
	} while (0)

/* --- what KCSAN is told (include/linux/kcsan-checks.h, compiler.h, 6.12) --- *
 *
 * None of these is an op.  Races are judged by order, not by whether two
 * accesses met: see src/oracle/race.c. */

/* This race is intended: accesses in expr stay as they are, and race with
 * nothing.  expr has a value. */
#define data_race(expr)                                                \
	({                                                             \
		kcsan_disable_current();                               \
		__auto_type __hd_value = (expr);                       \
		kcsan_enable_current();                                \
		__hd_value;                                            \
	})
void kcsan_disable_current(void); /* nested; of this task */
void kcsan_enable_current(void);
/* Accesses in between count as marked: sections of seqcounts. */
void kcsan_nestable_atomic_begin(void);
void kcsan_nestable_atomic_end(void);
#define kcsan_flat_atomic_begin() kcsan_nestable_atomic_begin()
#define kcsan_flat_atomic_end() kcsan_nestable_atomic_end()
void kcsan_atomic_next(int n); /* the next n accesses; 0: no more */

/* Claims about concurrent tasks, marked accesses included; broken ones are
 * verdict assert-race.  var has at most 8 bytes.
 * WRITER: nobody else writes var.  ACCESS: nobody else accesses it.
 * BITS: nobody changes these bits of it from now on.
 * The scoped forms hold from here to the end of the block. */
#define ASSERT_EXCLUSIVE_WRITER(var) \
	hd_exclusive(&(var), sizeof(var), HD_EXCLUSIVE_WRITER, 0)
#define ASSERT_EXCLUSIVE_ACCESS(var) \
	hd_exclusive(&(var), sizeof(var), HD_EXCLUSIVE_ACCESS, 0)
#define ASSERT_EXCLUSIVE_BITS(var, mask) \
	hd_exclusive(&(var), sizeof(var), HD_EXCLUSIVE_BITS, (mask))
#define ASSERT_EXCLUSIVE_WRITER_SCOPED(var) \
	HD_EXCLUSIVE_SCOPE(var, HD_EXCLUSIVE_WRITER, __COUNTER__)
#define ASSERT_EXCLUSIVE_ACCESS_SCOPED(var) \
	HD_EXCLUSIVE_SCOPE(var, HD_EXCLUSIVE_ACCESS, __COUNTER__)

enum hd_exclusive {
	HD_EXCLUSIVE_WRITER = 1,
	HD_EXCLUSIVE_ACCESS = 2,
	HD_EXCLUSIVE_BITS = 4,
	HD_EXCLUSIVE_SCOPED = 8,
};
struct hd_exclusive_scope {
	const volatile void *p;
	u32 size, what;
};
void hd_exclusive(const volatile void *p, u32 size, u8 what, u64 mask);
struct hd_exclusive_scope hd_exclusive_begin(const volatile void *p, u32 size,
					     u8 what);
void hd_exclusive_end(struct hd_exclusive_scope *s);
#define HD_EXCLUSIVE_SCOPE(var, what, id) HD_EXCLUSIVE_SCOPE_(var, what, id)
#define HD_EXCLUSIVE_SCOPE_(var, what, id)                             \
	struct hd_exclusive_scope __hd_scope_##id                      \
		__attribute__((cleanup(hd_exclusive_end), unused)) =   \
		hd_exclusive_begin(&(var), sizeof(var), what)

/* Out of line; sizes 1, 2, 4 and 8. */
u64 hd_load_acquire(const volatile void *p, u32 size);
void hd_store_release(volatile void *p, u32 size, u64 val);
/* Memory is SC; but the race oracle takes it for the order that it is. */
void hd_fence(u8 order);

#define smp_load_acquire(p) \
	((__typeof__(*(p)))hd_load_acquire((p), sizeof(*(p))))
#define smp_store_release(p, v) \
	hd_store_release((p), sizeof(*(p)), (u64)(__typeof__(*(p)))(v))

#define smp_mb() hd_fence(HD_FULL)
#define smp_rmb() hd_fence(HD_ACQUIRE)
#define smp_wmb() hd_fence(HD_RELEASE)
#define smp_mb__before_atomic() hd_fence(HD_FULL)
#define smp_mb__after_atomic() hd_fence(HD_FULL)
#define smp_acquire__after_ctrl_dep() hd_fence(HD_ACQUIRE)
#define smp_store_mb(var, value)                                       \
	do {                                                           \
		WRITE_ONCE(var, value);                                \
		smp_mb();                                              \
	} while (0)

#endif
