/* SPDX-License-Identifier: MIT */
/* Mixing functions: splitmix64's finaliser, and one step of a running hash. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <heddle/types.h>

static __always_inline u64 hd_mix(u64 x)
{
	x ^= x >> 30;
	x *= 0xbf58476d1ce4e5b9ull;
	x ^= x >> 27;
	x *= 0x94d049bb133111ebull;
	return x ^ (x >> 31);
}

static __always_inline u64 hd_fold(u64 h, u64 x)
{
	h = (h ^ x) * 0x9fb21c651e98df25ull;
	return h ^ (h >> 32);
}

/* The keyed generator (counter-based, never a running stream): the draw for
 * task's n-th op under seed.  salt separates uses at one op. */
static __always_inline u64 hd_draw(u32 seed, u32 task, u32 n, u32 salt)
{
	return hd_mix(((u64)seed << 32 | n) * 0x9e3779b97f4a7c15ull ^
		      ((u64)task << 40 | salt) * 0xd1342543de82ef95ull);
}

/* 0 .. n-1 from a 64-bit draw, without the bias that matters here. */
static __always_inline u32 hd_below(u64 draw, u32 n)
{
	return (u32)(((draw >> 32) * n) >> 32);
}

#endif
