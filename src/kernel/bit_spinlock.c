/* SPDX-License-Identifier: MIT */
/* How does a bit exclude, and what becomes of its holder? */
#include <heddle/bit_spinlock.h>

#include "bit_lock.h"
#include "kernel.h"

void bit_spin_lock(int bitnum, unsigned long *addr)
{
	struct bit_lock b = bit_lock_of((u32)bitnum, addr, HD_PC());

	if (!bit_lock_try(&b, HD_LOCK))
		bit_lock_wait(&b, false);
	W->cur->atomic++;
}

bool bit_spin_trylock(int bitnum, unsigned long *addr)
{
	struct bit_lock b = bit_lock_of((u32)bitnum, addr, HD_PC());
	bool got = bit_lock_try(&b, HD_TRYLOCK);

	W->cur->atomic += got;
	return got;
}

void bit_spin_unlock(int bitnum, unsigned long *addr)
{
	struct bit_lock b = bit_lock_of((u32)bitnum, addr, HD_PC());

	if (!bit_lock_drop(&b)) {
		hd_bug_at("!test_bit(bitnum, addr)", b.pc);
		return;
	}
	/* there is no owner: it may be somebody else's */
	if (W->cur->atomic)
		W->cur->atomic--;
}

bool bit_spin_is_locked(int bitnum, unsigned long *addr)
{
	struct bit_lock b = bit_lock_of((u32)bitnum, addr, HD_PC());

	bit_lock_look(&b, HD_LOAD, HD_RELAXED);
	bit_lock_did(&b, *b.word);
	return *b.word & b.mask;
}
