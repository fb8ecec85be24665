/* SPDX-License-Identifier: MIT */
/* madvise(2) with MADV_DONTNEED: pages go, VMAs stay.
 *
 * Follows mm/madvise.c of 6.12 and 6.16: under mmap_lock for read; where the
 * variant says so (madvise_vma_lock, 6.16) and the range lies in
 * one VMA, under its VMA lock alone.  Simplified: no other advice. */
#include <heddle/mm.h>

#include "mm.h"

static bool under_vma_lock(struct mm_struct *mm, unsigned long start,
			   unsigned long end)
{
	struct vm_area_struct *vma;
	bool done = false;

	if (!mm_form()->lock || !mm_form()->madvise_vma_lock)
		return false;
	vma = lock_vma_under_rcu(mm, start);
	if (!vma)
		return false;
	if (end <= vma->vm_end) {
		unmap_region(mm, start, end);
		done = true;
	}
	vma_end_read(vma);
	return done;
}

int do_madvise_dontneed(struct mm_struct *mm, unsigned long start,
			unsigned long end)
{
	struct vm_area_struct *vma;
	unsigned long upto;
	int err = 0;

	if (under_vma_lock(mm, start, end))
		return 0;
	mmap_read_lock(mm);
	for (; start < end; start = upto) {
		vma = find_vma(mm, start);
		if (!vma || vma->vm_start >= end) {
			err = -ENOMEM;
			break;
		}
		if (vma->vm_start > start) {
			err = -ENOMEM; /* a hole; what lies behind is done */
			start = vma->vm_start;
		}
		upto = vma->vm_end < end ? vma->vm_end : end;
		unmap_region(mm, start, upto);
	}
	mmap_read_unlock(mm);
	return err;
}
