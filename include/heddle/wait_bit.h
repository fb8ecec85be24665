/* SPDX-License-Identifier: MIT */
/* Sleeping on a bit (include/linux/wait_bit.h, kernel/sched/wait_bit.c, 6.12).
 *
 * wait_on_bit() sleeps until the bit is clear, wait_on_bit_lock() until it has
 * set the bit itself; both return 0, or -EINTR if mode allows signals and the
 * schedule lets one come while they would sleep.  They sleep until somebody
 * calls wake_up_bit(), which wakes all that wait for the bit, but only the
 * first of those that want to set it: clearing the bit alone wakes nobody, and
 * a sleeper that nobody wakes although its bit is clear is verdict
 * lost-wakeup.
 *
 * Each is one op on the word, and one more each time that it is woken. */
#ifndef HEDDLE_WAIT_BIT_H
#define HEDDLE_WAIT_BIT_H

#include <heddle/bitops.h>
#include <heddle/errno.h>
#include <heddle/sched.h>

int wait_on_bit(unsigned long *word, int bit, unsigned int mode);
int wait_on_bit_lock(unsigned long *word, int bit, unsigned int mode);
#define wait_on_bit_io(word, bit, mode) wait_on_bit(word, bit, mode)
#define wait_on_bit_lock_io(word, bit, mode) wait_on_bit_lock(word, bit, mode)
void wake_up_bit(unsigned long *word, int bit);

/* Two ops: the bit, then the sleepers. */
static __always_inline void clear_and_wake_up_bit(int bit, unsigned long *word)
{
	clear_bit_unlock((u32)bit, word);
	smp_mb__after_atomic();
	wake_up_bit(word, bit);
}

#endif
