/* SPDX-License-Identifier: MIT */
/* mmap_lock and mm_lock_seq.
 *
 * Follows include/linux/mmap_lock.h of 6.14/6.15 (the same in the vm_refcnt
 * series of seed 004), and of 6.4 to 6.13 where the form of the VMA lock says
 * so.  Copied in logic: the sequence goes up at every write lock and at every
 * unlock or downgrade, before the rwsem is touched; up to 6.13 at unlock and
 * downgrade only, with a store-release.  Simplified: no tracing. */
#include <heddle/mm.h>

static bool at_unlock_only(void)
{
	return mm_form()->lock && mm_form()->lock->seq_at_unlock;
}

static void mm_lock_seqcount_begin(struct mm_struct *mm)
{
	/* a reader may see this owner's number, and what the last one wrote */
	heddle_unlock_lock_orders();
	if (mm_form()->lock && !at_unlock_only())
		do_raw_write_seqcount_begin(&mm->mm_lock_seq);
}

void mmap_write_lock(struct mm_struct *mm)
{
	down_write(&mm->mmap_lock);
	mm_lock_seqcount_begin(mm);
}

void mmap_write_lock_nested(struct mm_struct *mm, int subclass)
{
	down_write_nested(&mm->mmap_lock, subclass);
	mm_lock_seqcount_begin(mm);
}

int mmap_write_lock_killable(struct mm_struct *mm)
{
	int err = down_write_killable(&mm->mmap_lock);

	if (!err)
		mm_lock_seqcount_begin(mm);
	return err;
}

/* last: mmap_lock is about to be unlocked or downgraded. */
static void mm_lock_seqcount_end(struct mm_struct *mm, bool last)
{
	if (at_unlock_only())
		smp_store_release(&mm->mm_lock_seq.sequence,
				  mm->mm_lock_seq.sequence + 1);
	else if (mm_form()->lock)
		do_raw_write_seqcount_end(&mm->mm_lock_seq);
	mm_note(MM_NOTE_WRITE_END_ALL, mm, NULL, last);
}

void vma_end_write_all(struct mm_struct *mm)
{
	mm_lock_seqcount_end(mm, false);
}

static void unlock_before_seq(struct mm_struct *mm)
{
	up_write(&mm->mmap_lock);
	mm_lock_seqcount_end(mm, true);
}

void mmap_write_unlock(struct mm_struct *mm)
{
	if (!mm_does(MM_STEP_SEQ_BEFORE_UNLOCK)) {
		unlock_before_seq(mm);
		return;
	}
	mm_lock_seqcount_end(mm, true);
	up_write(&mm->mmap_lock);
}

void mmap_write_downgrade(struct mm_struct *mm)
{
	mm_lock_seqcount_end(mm, true);
	downgrade_write(&mm->mmap_lock);
}

void mmap_read_lock(struct mm_struct *mm)
{
	down_read(&mm->mmap_lock);
}

int mmap_read_lock_killable(struct mm_struct *mm)
{
	return down_read_killable(&mm->mmap_lock);
}

bool mmap_read_trylock(struct mm_struct *mm)
{
	return down_read_trylock(&mm->mmap_lock);
}

void mmap_read_unlock(struct mm_struct *mm)
{
	up_read(&mm->mmap_lock);
}

bool mmap_lock_speculate_try_begin(struct mm_struct *mm, unsigned int *seq)
{
	return raw_seqcount_try_begin(&mm->mm_lock_seq, seq);
}

bool mmap_lock_speculate_retry(struct mm_struct *mm, unsigned int seq)
{
	return read_seqcount_retry(&mm->mm_lock_seq, seq);
}
