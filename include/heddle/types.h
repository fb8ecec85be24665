/* SPDX-License-Identifier: MIT */
/* Fixed-width integers and the handful of kernel macros that pasted code
 * expects.  Reads alone; every other header of heddle includes it. */
#ifndef HEDDLE_TYPES_H
#define HEDDLE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;
typedef unsigned int gfp_t;

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif
#define noinline __attribute__((__noinline__))
#define __must_check __attribute__((warn_unused_result))
#define __maybe_unused __attribute__((unused))
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define container_of(ptr, type, member) \
	((type *)((char *)(ptr)-offsetof(type, member)))
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define GFP_KERNEL ((gfp_t)1)
#define GFP_ATOMIC ((gfp_t)2)

/* For sparse, the linker and the cache: no meaning here. */
#define __rcu
#define __user
#define __iomem
#define __percpu
#define __force
#define __acquires(x)
#define __releases(x)
#define __must_hold(x)
#define __guarded_by(x)
#define __init
#define __cold
#define __read_mostly
#define __ro_after_init
#define ____cacheline_aligned_in_smp
#define EXPORT_SYMBOL(x)
#define EXPORT_SYMBOL_GPL(x)
#define fallthrough __attribute__((__fallthrough__))

#endif
