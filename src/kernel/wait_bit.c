/* SPDX-License-Identifier: MIT */
/* Who sleeps on a bit, and whom does a wake-up wake?
 *
 * Sleepers are kept per task, beside the tasks and not in the heap: whether
 * anybody sleeps on bits must not move the objects of a scenario.  An op on
 * the word stands for its sleepers. */
#include <heddle/wait_bit.h>

#include "bit_lock.h"
#include "kernel.h"

struct sleeper {
	u64 word; /* its address; 0: this task does not sleep on a bit */
	u8 nr;
	u8 exclusive;
	u16 place; /* among the sleepers of this bit, from 0 */
	u32 pad;
};

static struct sleeper *sleepers; /* constant during a run, as is their number */
static u32 nsleepers;

void hd_boot_wait_bit(u32 ntasks)
{
	nsleepers = ntasks;
	sleepers = hd_world_reserve(ntasks * (u32)sizeof(*sleepers));
}

static bool on_bit(const struct sleeper *s, const struct bit_lock *b)
{
	return s->word == (u64)b->word && s->nr == b->nr;
}

/* As part of an op on the word. */
static void enqueue(const struct bit_lock *b, bool exclusive)
{
	struct sleeper *me = &sleepers[hd_slot(nsleepers)];
	u16 place = 0;
	u32 i;

	for (i = 0; i < nsleepers; i++)
		place += on_bit(&sleepers[i], b);
	*me = (struct sleeper){ .word = (u64)b->word, .nr = b->nr,
				.exclusive = exclusive, .place = place };
}

static void dequeue(struct sleeper *s, const struct bit_lock *b)
{
	u16 place = s->place;
	u32 i;

	if (!s->word)
		return;
	*s = (struct sleeper){ .word = 0 };
	for (i = 0; i < nsleepers; i++)
		if (on_bit(&sleepers[i], b) && sleepers[i].place > place)
			sleepers[i].place--;
}

/* Queued: sleep until woken, or until a signal comes (then true). */
static bool sleep(const struct bit_lock *b, u8 kind, u8 flags,
		  unsigned int mode)
{
	struct hd_op op = { .addr = (u64)b->word, .size = BIT_LOCK_SIZE,
			    .pc = b->pc, .kind = kind, .order = HD_ACQUIRE,
			    .flags = flags, .arg = b->nr };
	struct hd_task *t = W->cur;
	bool signal;

	if (W->probing) /* a condition that sleeps, looked at a last time */
		hd_probe_done(false);
	signal = (mode & (TASK_INTERRUPTIBLE | TASK_WAKEKILL)) &&
		 hd_signal_comes();
	if (signal) {
		hd_publish_op(&op);
	} else {
		t->sleeping_wait = 1;
		hd_publish_asleep(kind, b->word, BIT_LOCK_SIZE, flags, b->pc);
		if (W->probing)
			hd_probe_done(bit_lock_is_free(b));
		t->sleeping_wait = 0;
	}
	hd_judge_lock(&op);
	dequeue(&sleepers[hd_slot(nsleepers)], b);
	return signal;
}

int wait_on_bit(unsigned long *word, int bit, unsigned int mode)
{
	struct bit_lock b = bit_lock_of((u32)bit, word, HD_PC());
	bool signal = false;

	hd_may_sleep("wait_on_bit", b.pc);
	bit_lock_look(&b, HD_WAIT, HD_ACQUIRE);
	while (!bit_lock_is_free(&b) && !signal) {
		enqueue(&b, false);
		bit_lock_did(&b, *b.word);
		signal = sleep(&b, HD_WAIT, BIT_LOOK_FLAGS | HD_YIELD,
			       mode);
	}
	bit_lock_did(&b, *b.word);
	return bit_lock_is_free(&b) ? 0 : -EINTR;
}

int wait_on_bit_lock(unsigned long *word, int bit, unsigned int mode)
{
	struct bit_lock b = bit_lock_of((u32)bit, word, HD_PC());
	struct hd_op op = bit_lock_op(&b, HD_LOCK, HD_ACQUIRE);
	bool signal = false;

	hd_may_sleep("wait_on_bit_lock", b.pc);
	hd_begin_lock(&op);
	while (!bit_lock_is_free(&b) && !signal) {
		enqueue(&b, true);
		bit_lock_did(&b, *b.word);
		signal = sleep(&b, HD_ACQUIRED, BIT_LOCK_FLAGS, mode);
	}
	return bit_lock_take(&b) ? 0 : -EINTR;
}

/* The first sleeper of the bit that wants to set it, or none. */
static struct sleeper *first_exclusive(const struct bit_lock *b)
{
	struct sleeper *first = NULL;
	u32 i;

	for (i = 0; i < nsleepers; i++) {
		struct sleeper *s = &sleepers[i];

		if (on_bit(s, b) && s->exclusive &&
		    (!first || s->place < first->place))
			first = s;
	}
	return first;
}

static void wake(struct sleeper *s, const struct bit_lock *b)
{
	dequeue(s, b);
	hd_wake((int)(s - sleepers));
}

void wake_up_bit(unsigned long *word, int bit)
{
	struct bit_lock b = bit_lock_of((u32)bit, word, HD_PC());
	struct hd_op op = bit_lock_op(&b, HD_WAKE, HD_FULL);
	struct sleeper *first;
	u32 i;

	op.flags = HD_RW;
	hd_begin_lock(&op);
	/* set again meanwhile: they are left asleep (wake_bit_function) */
	if (bit_lock_is_free(&b)) {
		for (i = 0; i < nsleepers; i++)
			if (on_bit(&sleepers[i], &b) && !sleepers[i].exclusive)
				wake(&sleepers[i], &b);
		first = first_exclusive(&b);
		if (first)
			wake(first, &b);
	}
	bit_lock_did(&b, *b.word);
}
