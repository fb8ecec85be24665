/* SPDX-License-Identifier: MIT */
/* munmap(2) of whole VMAs.
 *
 * Follows mm/vma.c of 6.12 and of the vm_refcnt series (do_vmi_align_munmap,
 * vms_gather_munmap_vmas, vms_complete_munmap_vmas).  Copied in logic: write
 * lock, start_write and detach of each VMA, one store that clears the tree,
 * downgrade, then zap, free page tables and free the VMAs under the read lock.
 * Simplified: no split, no file or anon_vma to unlink, no accounting; the one
 * page table serves all VMAs, so it is freed with the last of them (in the
 * kernel: floor and ceiling of free_pgtables). */
#include <heddle/mm.h>

enum { MAX_DETACHED = MM_TREE_SLOTS };

static u32 detach_range(struct mm_struct *mm, unsigned long start,
			unsigned long end, struct vm_area_struct **detached)
{
	struct vm_area_struct *vma;
	unsigned long addr = start;
	u32 n = 0;

	while (addr < end && n < MAX_DETACHED) {
		vma = vma_lookup(mm, addr);
		if (!vma) {
			addr += PAGE_SIZE;
			continue;
		}
		addr = vma->vm_end;
		if (mm_form()->early_free_pgtables) {
			unmap_region(mm, start, end);
			free_pgtables(mm);
		}
		mm_form()->lock->start_write(vma);
		mm_note(MM_NOTE_WRITE_LOCKED, mm, vma, 0);
		detached[n++] = vma;
		mm_note(MM_NOTE_DETACHED, mm, vma, 0);
		mm_form()->lock->mark_detached(vma);
	}
	return n;
}

int do_munmap(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	struct vm_area_struct *detached[MAX_DETACHED];
	u32 n, i;
	int left;

	mmap_write_lock(mm);
	n = detach_range(mm, start, end, detached);
	if (!n) {
		mmap_write_unlock(mm);
		return 0;
	}
	mas_clear(mm, start, end); /* the point of no return */
	left = mm->map_count - (int)n;
	mm->map_count = left;
	mmap_write_downgrade(mm);
	if (!mm_form()->early_free_pgtables) {
		unmap_region(mm, start, end);
		if (!left)
			free_pgtables(mm);
	}
	for (i = 0; i < n; i++)
		vm_area_free(detached[i]);
	mmap_read_unlock(mm);
	return 0;
}
