/* SPDX-License-Identifier: MIT */
/* Private to src/kernel: one bit of a word as a lock, under bit spinlocks,
 * folio locks and wait_on_bit_lock().
 *
 * Such a lock has no lockdep map (HD_UNMAPPED), in the kernel neither: only
 * the progress oracle sees its deadlocks.  Its ops bear the bit in op.arg. */
#ifndef KERNEL_BIT_LOCK_H
#define KERNEL_BIT_LOCK_H

#include "kernel.h"

enum {
	BIT_LOCK_SIZE = sizeof(u64),
	BIT_LOCK_FLAGS = HD_RW | HD_UNMAPPED,
	BIT_LOOK_FLAGS = HD_READ | HD_UNMAPPED,
};

struct bit_lock {
	u64 *word;
	u64 mask;
	u32 pc;
	u8 nr;
};

static __always_inline struct bit_lock bit_lock_of(u32 nr, volatile void *addr,
						   u32 pc)
{
	return (struct bit_lock){ .word = (u64 *)addr + nr / 64,
				  .mask = 1ull << nr % 64,
				  .nr = (u8)(nr % 64), .pc = pc };
}

static inline struct hd_op bit_lock_op(const struct bit_lock *b, u8 kind,
				       u8 order)
{
	return (struct hd_op){ .addr = (u64)b->word, .size = BIT_LOCK_SIZE,
			       .pc = b->pc, .kind = kind, .order = order,
			       .flags = BIT_LOCK_FLAGS, .arg = b->nr };
}

/* The op that was published is executed. */
static inline void bit_lock_did(const struct bit_lock *b, u64 old)
{
	W->cur->op.arg = b->nr; /* that of a blocked op is not set yet */
	hd_did(old, *b->word);
}

/* Take the lock if it is free. */
static inline bool bit_lock_take(const struct bit_lock *b)
{
	u64 old = *b->word;

	*b->word = old | b->mask;
	bit_lock_did(b, old);
	return !(old & b->mask);
}

/* kind: HD_LOCK or HD_TRYLOCK. */
static inline bool bit_lock_try(const struct bit_lock *b, u8 kind)
{
	struct hd_op op = bit_lock_op(b, kind, HD_ACQUIRE);

	hd_begin_lock(&op);
	return bit_lock_take(b);
}

/* bit_lock_did() must follow. */
static inline void bit_lock_look(const struct bit_lock *b, u8 kind, u8 order)
{
	struct hd_op op = bit_lock_op(b, kind, order);

	op.flags = BIT_LOOK_FLAGS;
	hd_begin_lock(&op);
}

static inline bool bit_lock_is_free(const void *arg)
{
	const struct bit_lock *b = arg;

	return !(*b->word & b->mask);
}

/* After a failed attempt: when the lock is free whoever runs first gets it.
 * False: a signal came. */
static inline bool bit_lock_wait(const struct bit_lock *b, bool killable)
{
	struct hd_op op = bit_lock_op(b, HD_ACQUIRED, HD_ACQUIRE);

	if (W->probing) /* a condition that locks, looked at a last time */
		hd_probe_done(false);
	if (killable && hd_signal_comes())
		hd_publish_op(&op);
	else
		hd_publish_when(HD_ACQUIRED, b->word, BIT_LOCK_SIZE,
				BIT_LOCK_FLAGS, b->pc, bit_lock_is_free, b);
	hd_judge_lock(&op);
	return bit_lock_take(b);
}

/* False, and nothing is done, if it was not locked. */
static inline bool bit_lock_drop(const struct bit_lock *b)
{
	struct hd_op op = bit_lock_op(b, HD_UNLOCK, HD_RELEASE);
	u64 old;

	hd_begin_lock(&op);
	old = *b->word;
	*b->word = old & ~b->mask;
	bit_lock_did(b, old);
	return old & b->mask;
}

#endif
