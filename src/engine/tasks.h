/* SPDX-License-Identifier: MIT */
/* A set of tasks: which of at most HD_MAX_TASKS?
 *
 * An integer with a bit for each task, so that sets are joined, cut and compared
 * by | & ~ ==, and gone through from the lowest number on by
 *
 *	for (m = set; m; m = hd_rest(m))
 *		... hd_lowest(m) ...
 *
 * Aligned as its halves: one lies in the bytes of a pthread_cond_t. */
#ifndef ENGINE_TASKS_H
#define ENGINE_TASKS_H

#include <heddle/heddle.h>

__extension__ typedef unsigned __int128 hd_tasks __attribute__((aligned(8)));
_Static_assert(HD_MAX_TASKS <= 8 * sizeof(hd_tasks), "a bit for each task");

/* The set of one task. */
static __always_inline hd_tasks hd_bit(u32 task)
{
	return (hd_tasks)1 << task;
}

/* The half that has the task's bit; shifts of the whole are slow. */
typedef u64 __attribute__((may_alias)) hd_half;

static __always_inline bool hd_has(hd_tasks set, u32 task)
{
	u64 half = task & 64 ? (u64)(set >> 64) : (u64)set;

	return half >> task % 64 & 1;
}

static __always_inline void hd_add(hd_tasks *set, u32 task)
{
	((hd_half *)set)[task / 64] |= 1ull << task % 64;
}

static __always_inline void hd_remove(hd_tasks *set, u32 task)
{
	((hd_half *)set)[task / 64] &= ~(1ull << task % 64);
}

/* The lowest task of a set that is not empty. */
static __always_inline u32 hd_lowest(hd_tasks set)
{
	u64 low = (u64)set;

	return likely(low) ? (u32)__builtin_ctzll(low) :
			     64 + (u32)__builtin_ctzll((u64)(set >> 64));
}

/* Without that one: m & (m - 1), which borrows from the upper half seldom. */
static __always_inline hd_tasks hd_rest(hd_tasks set)
{
	u64 low = (u64)set;

	return likely(low) ? set >> 64 << 64 | (low & (low - 1)) :
			     set & (set - 1);
}

/* Has it not more than one task? */
static __always_inline bool hd_is_single(hd_tasks set)
{
	return !(set & (set - 1));
}

static __always_inline u32 hd_count(hd_tasks set)
{
	return (u32)(__builtin_popcountll((u64)set) +
		     __builtin_popcountll((u64)(set >> 64)));
}

/* No branch for the first four, as k is random, and small; what they are does not
 * wait for k. */
static __always_inline u32 hd_nth_of_half(u64 half, u32 k)
{
	u64 second = half & (half - 1), third = second & (second - 1);
	u64 fourth = third & (third - 1);

	half = k < 1 ? half : second;
	half = k < 2 ? half : third;
	half = k < 3 ? half : fourth;
	for (; unlikely(k > 3); k--)
		half &= half - 1;
	return (u32)__builtin_ctzll(half);
}

/* The k-th task of a set, from 0, that has more than k. */
static __always_inline u32 hd_nth(hd_tasks set, u32 k)
{
	u32 low = (u32)__builtin_popcountll((u64)set);

	return likely(k < low) ? hd_nth_of_half((u64)set, k) :
				 64 + hd_nth_of_half((u64)(set >> 64), k - low);
}

#endif
