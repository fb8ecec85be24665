/* SPDX-License-Identifier: MIT */
/* A bit of a word as a spinlock (include/linux/bit_spinlock.h, 6.12).
 *
 * bit_spin_lock() is one op on the word, the attempt; if the bit is set a
 * second one follows when it is clear.  Whoever holds one must not sleep.  As
 * in the kernel there is no owner and no lockdep map: no order of locks is
 * judged, only a deadlock is seen.  Unlocking a bit that is clear is verdict
 * bug (CONFIG_DEBUG_SPINLOCK). */
#ifndef HEDDLE_BIT_SPINLOCK_H
#define HEDDLE_BIT_SPINLOCK_H

#include <heddle/bitops.h>

void bit_spin_lock(int bitnum, unsigned long *addr);
bool bit_spin_trylock(int bitnum, unsigned long *addr);
void bit_spin_unlock(int bitnum, unsigned long *addr);
/* The kernel's is not atomic: for words whose other bits nobody changes. */
#define __bit_spin_unlock(bitnum, addr) bit_spin_unlock(bitnum, addr)
bool bit_spin_is_locked(int bitnum, unsigned long *addr); /* one load */

#endif
