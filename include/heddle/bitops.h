/* SPDX-License-Identifier: MIT */
/* Bits of words (include/asm-generic/bitops/atomic.h, lock.h and
 * non-atomic.h, 6.12).
 *
 * Bit nr counts from the start of an array of 8-byte words.  Each atomic form
 * is one op on its word: set_bit, clear_bit and change_bit are relaxed, the
 * test_and_ forms fully ordered, _lock acquires and _unlock releases.
 * test_bit is one relaxed load.  The forms with two underscores are a plain
 * load and a plain store, so that a race between two of them loses a bit. */
#ifndef HEDDLE_BITOPS_H
#define HEDDLE_BITOPS_H

#include <heddle/atomic.h>

#define BITS_PER_LONG 64
#define BIT(nr) (1ul << (nr))
#define BIT_MASK(nr) (1ul << ((nr) % BITS_PER_LONG))
#define BIT_WORD(nr) ((nr) / BITS_PER_LONG)

#define HD_BIT_WORD(nr, p) ((volatile u64 *)(p) + (nr) / 64)
#define HD_BIT_MASK(nr) (1ull << ((nr) % 64))

static __always_inline bool test_bit(u32 nr, const volatile void *p)
{
	return *((const volatile u64 *)p + nr / 64) & HD_BIT_MASK(nr);
}

static __always_inline bool test_bit_acquire(u32 nr, const volatile void *p)
{
	return hd_load_acquire(HD_BIT_WORD(nr, p), 8) & HD_BIT_MASK(nr);
}

static __always_inline void set_bit(u32 nr, volatile void *p)
{
	hd_atomic_rmw(HD_BIT_WORD(nr, p), 8, HD_RMW_OR,
		      HD_BIT_MASK(nr), 0, HD_RELAXED);
}

static __always_inline void clear_bit(u32 nr, volatile void *p)
{
	hd_atomic_rmw(HD_BIT_WORD(nr, p), 8, HD_RMW_AND,
		      ~HD_BIT_MASK(nr), 0, HD_RELAXED);
}

static __always_inline void clear_bit_unlock(u32 nr, volatile void *p)
{
	hd_atomic_rmw(HD_BIT_WORD(nr, p), 8, HD_RMW_AND,
		      ~HD_BIT_MASK(nr), 0, HD_RELEASE);
}

static __always_inline void change_bit(u32 nr, volatile void *p)
{
	hd_atomic_rmw(HD_BIT_WORD(nr, p), 8, HD_RMW_XOR,
		      HD_BIT_MASK(nr), 0, HD_RELAXED);
}

static __always_inline bool test_and_set_bit(u32 nr, volatile void *p)
{
	return hd_atomic_rmw(HD_BIT_WORD(nr, p), 8, HD_RMW_OR,
			     HD_BIT_MASK(nr), 0, HD_FULL) &
	       HD_BIT_MASK(nr);
}

static __always_inline bool test_and_set_bit_lock(u32 nr, volatile void *p)
{
	return hd_atomic_rmw(HD_BIT_WORD(nr, p), 8, HD_RMW_OR,
			     HD_BIT_MASK(nr), 0, HD_ACQUIRE) &
	       HD_BIT_MASK(nr);
}

static __always_inline bool test_and_clear_bit(u32 nr, volatile void *p)
{
	return hd_atomic_rmw(HD_BIT_WORD(nr, p), 8, HD_RMW_AND,
			     ~HD_BIT_MASK(nr), 0, HD_FULL) &
	       HD_BIT_MASK(nr);
}

static __always_inline bool test_and_change_bit(u32 nr, volatile void *p)
{
	return hd_atomic_rmw(HD_BIT_WORD(nr, p), 8, HD_RMW_XOR,
			     HD_BIT_MASK(nr), 0, HD_FULL) &
	       HD_BIT_MASK(nr);
}

/* --- not atomic ----------------------------------------------------- */

static __always_inline void __set_bit(u32 nr, volatile void *p)
{
	*((u64 *)p + nr / 64) |= HD_BIT_MASK(nr);
}

static __always_inline void __clear_bit(u32 nr, volatile void *p)
{
	*((u64 *)p + nr / 64) &= ~HD_BIT_MASK(nr);
}

static __always_inline bool __test_and_set_bit(u32 nr, volatile void *p)
{
	u64 old = *((u64 *)p + nr / 64);

	*((u64 *)p + nr / 64) = old | HD_BIT_MASK(nr);
	return old & HD_BIT_MASK(nr);
}

static __always_inline bool __test_and_clear_bit(u32 nr, volatile void *p)
{
	u64 old = *((u64 *)p + nr / 64);

	*((u64 *)p + nr / 64) = old & ~HD_BIT_MASK(nr);
	return old & HD_BIT_MASK(nr);
}

/* By whoever owns all bits of the word: not atomic, but a release. */
static __always_inline void __clear_bit_unlock(u32 nr, volatile void *p)
{
	u64 *word = (u64 *)p + nr / 64;

	smp_store_release(word, *word & ~HD_BIT_MASK(nr));
}

#endif
