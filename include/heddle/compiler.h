/* SPDX-License-Identifier: MIT */
/* Marked accesses and barriers (include/asm-generic/rwonce.h and
 * include/asm-generic/barrier.h, 6.12).
 *
 * READ_ONCE and WRITE_ONCE are volatile accesses: in model code the compiler
 * turns each into one op.  smp_load_acquire and smp_store_release are one op
 * each, with their order recorded.  Memory is sequentially consistent, so
 * fences order nothing that is not ordered already: they are no ops. */
#ifndef HEDDLE_COMPILER_H
#define HEDDLE_COMPILER_H

#include <heddle/op.h>

#define barrier() __asm__ __volatile__("" ::: "memory")

#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, val)                                             \
	do {                                                           \
		*(volatile __typeof__(x) *)&(x) = (val);               \
	} while (0)
/* KCSAN's word for "this race is intended": the access itself stays plain. */
#define data_race(expr) (expr)

/* Out of line; sizes 1, 2, 4 and 8. */
u64 hd_load_acquire(const volatile void *p, u32 size);
void hd_store_release(volatile void *p, u32 size, u64 val);
/* Orders what came before: nothing to do while memory is SC. */
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
