/* SPDX-License-Identifier: MIT */
/* What the forms of the VMA lock have in common: the rarer ways in, and what
 * the lock is not needed for.
 *
 * Follows include/linux/mmap_lock.h and mm/mmap_lock.c, 6.12 to 6.18.  A form
 * that has no function of its own for a way in is given the plain one. */
#include <heddle/mm.h>

#include "mm.h"

bool vma_start_read_locked_nested(struct vm_area_struct *vma, int subclass)
{
	mmap_assert_locked(vma->vm_mm);
	if (!mm_form()->lock->start_read_locked(vma, subclass))
		return false;
	mm_note_vma(MM_NOTE_READ_LOCKED, vma);
	return true;
}

int vma_start_write_killable(struct vm_area_struct *vma)
{
	int err = 0;

	if (!mm_form()->lock)
		return 0;
	if (mm_form()->lock->start_write_killable)
		err = mm_form()->lock->start_write_killable(vma);
	else
		mm_form()->lock->start_write(vma);
	if (!err)
		mm_note_vma(MM_NOTE_WRITE_LOCKED, vma);
	return err;
}

int vma_start_write_early(struct vm_area_struct *vma)
{
	return mm_form()->killable ? vma_start_write_killable(vma) : 0;
}

void vma_assert_write_locked(struct vm_area_struct *vma)
{
	struct mm_struct *mm = vma->vm_mm;

	mmap_assert_write_locked(mm);
	if (mm_form()->lock)
		hd_lockdep_assert(vma->vm_lock_seq == mm->mm_lock_seq.sequence,
				  &vma->vmlock_dep_map);
}
