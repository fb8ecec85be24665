/* SPDX-License-Identifier: MIT */
/* mmap_lock and mm_lock_seq.
 *
 * Follows include/linux/mmap_lock.h of 6.14/6.15 (the same in the vm_refcnt
 * series of seed 004).  Copied in logic: the sequence goes up at every write
 * lock and at every unlock or downgrade, before the rwsem is touched.
 * Simplified: no tracing, no killable forms yet. */
#include <heddle/mm.h>

void mmap_write_lock(struct mm_struct *mm)
{
	down_write(&mm->mmap_lock);
	do_raw_write_seqcount_begin(&mm->mm_lock_seq);
}

static void vma_end_write_all(struct mm_struct *mm)
{
	do_raw_write_seqcount_end(&mm->mm_lock_seq);
	mm_note(MM_NOTE_WRITE_END_ALL, mm, NULL, 0);
}

void mmap_write_unlock(struct mm_struct *mm)
{
	vma_end_write_all(mm);
	up_write(&mm->mmap_lock);
}

void mmap_write_downgrade(struct mm_struct *mm)
{
	vma_end_write_all(mm);
	downgrade_write(&mm->mmap_lock);
}

void mmap_read_lock(struct mm_struct *mm)
{
	down_read(&mm->mmap_lock);
}

bool mmap_read_trylock(struct mm_struct *mm)
{
	return down_read_trylock(&mm->mmap_lock);
}

void mmap_read_unlock(struct mm_struct *mm)
{
	up_read(&mm->mmap_lock);
}
