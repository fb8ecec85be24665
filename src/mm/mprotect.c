/* SPDX-License-Identifier: MIT */
/* mprotect(2).
 *
 * Follows mm/mprotect.c of 6.12: do_mprotect_pkey, mprotect_fixup,
 * change_protection.  Copied in logic: the killable write lock, each VMA merged
 * or split to the range, write-locked, its flags set, then its entries; a hole
 * ends the call with -ENOMEM after the VMAs in front of it were changed.
 * Simplified: no accounting, no pkeys; entries have a write bit only in
 * scenarios with the part MM_ANON. */
#include <heddle/mm.h>

#include "mm.h"

/* PTEs in [start, end) lose the write bit.  They get it by faults. */
static void write_protect(struct mm_struct *mm, unsigned long start,
			  unsigned long end)
{
	struct page_table *table;
	unsigned long *pte;

	for (; start < end; start += PAGE_SIZE) {
		if (mm_has(MM_THP) && change_huge_pmd(mm, start, end)) {
			start += PMD_SIZE - PAGE_SIZE;
			continue;
		}
		table = pte_offset(mm, start);
		if (!table)
			continue;
		pte = &table->pte[pte_index(start)];
		spin_lock(&table->ptl);
		if (READ_ONCE(*pte) & _PAGE_RW)
			WRITE_ONCE(*pte, READ_ONCE(*pte) & ~_PAGE_RW);
		spin_unlock(&table->ptl);
	}
}

static int mprotect_fixup(struct vm_area_struct *vma, unsigned long start,
			  unsigned long end, vm_flags_t flags)
{
	struct mm_struct *mm = vma->vm_mm;
	int err;

	flags |= vma->vm_flags & ~(VM_READ | VM_WRITE);
	if (flags == vma->vm_flags)
		return 0;
	mm_note(MM_NOTE_CALL, mm, NULL, 0); /* each VMA: all or nothing */
	vma = vma_modify(vma, start, end, flags, &err);
	if (vma) /* neither merged nor split: not locked yet */
		err = vma_start_write_early(vma);
	if (err) {
		mm_note(MM_NOTE_CALL_FAILED, mm, NULL, (u64)err);
		return err;
	}
	if (mm_does(MM_STEP_MPROTECT_LOCKS))
		vma_start_write(vma);
	vma->vm_flags = flags;
	if (mm_has(MM_ANON) && !(flags & VM_WRITE) &&
	    mm_does(MM_STEP_MPROTECT_PTES)) {
		write_protect(mm, start, end);
		flush_tlb_range(mm, start, end);
	}
	return 0;
}

int do_mprotect(struct mm_struct *mm, unsigned long start, unsigned long end,
		vm_flags_t flags)
{
	struct vm_area_struct *vma;
	unsigned long upto;
	int err = mmap_write_lock_killable(mm);

	if (err)
		return err;
	while (!err && start < end) {
		vma = find_vma(mm, start);
		if (!vma || vma->vm_start > start) {
			err = -ENOMEM;
			break;
		}
		upto = vma->vm_end < end ? vma->vm_end : end;
		err = mprotect_fixup(vma, start, upto, flags);
		start = upto;
	}
	mmap_write_unlock(mm);
	return err;
}
