/* SPDX-License-Identifier: MIT */
/* munmap(2).
 *
 * Follows mm/vma.c of 6.12 and of the vm_refcnt series (do_vmi_align_munmap,
 * vms_gather_munmap_vmas, vms_complete_munmap_vmas).  Copied in logic: write
 * lock, split at both ends, start_write and detach of each VMA, one store that
 * clears the tree, downgrade, then zap, free page tables and free the VMAs
 * under the read lock; if a split fails, what was detached is attached again.
 * 5.8 to 6.4: no downgrade if the neighbour is a stack, which could grow into
 * the range meanwhile (mm_form.stack).
 * Simplified: the VMAs detached are kept in an array, not in a tree of their
 * own; no accounting. */
#include <heddle/mm.h>

#include "mm.h"

static void reattach_vmas(struct vma_munmap *vms)
{
	u32 i;

	heddle_mark("munmap aborts");
	if (!mm_does(MM_STEP_REATTACH))
		return;
	for (i = 0; i < vms->n; i++)
		vma_mark_attached(vms->vma[i]);
}

static void find_neighbours(struct vma_munmap *vms)
{
	struct vm_area_struct *prev = vma_prev(vms->mm, vms->start);
	struct vm_area_struct *next = vma_next(vms->mm, vms->end - 1);

	vms->floor = prev ? prev->vm_end : 0;
	vms->ceiling = next ? next->vm_start : TASK_SIZE;
	if (next && mm_form()->stack == MM_STACK_5_8)
		vms->keep_lock = next->vm_flags & VM_GROWSDOWN;
}

static int gather_one(struct vma_munmap *vms, struct vm_area_struct *vma)
{
	int err;

	if (vma->vm_start < vms->start) {
		err = split_vma(vma, vms->start, true);
		if (err)
			return err;
	}
	if (vma->vm_end > vms->end) {
		err = split_vma(vma, vms->end, false);
		if (err)
			return err;
	}
	if (mm_form()->early_free_pgtables) {
		find_neighbours(vms);
		unmap_region(vms->mm, vms->start, vms->end);
		free_pgtables(vms->mm, vms->floor, vms->ceiling);
	}
	err = vma_start_write_early(vma);
	if (err)
		return err;
	vma_start_write(vma);
	vms->vma[vms->n++] = vma;
	vma_mark_detached(vma);
	return 0;
}

int vms_gather_munmap_vmas(struct vma_munmap *vms)
{
	struct vm_area_struct *vma;
	unsigned long addr = vms->start;
	int err;

	while (addr < vms->end) {
		vma = find_vma(vms->mm, addr);
		if (!vma || vma->vm_start >= vms->end)
			break;
		addr = vma->vm_end;
		err = gather_one(vms, vma);
		if (err) {
			reattach_vmas(vms);
			return err;
		}
	}
	find_neighbours(vms); /* after the splits */
	return 0;
}

void vms_clear_ptes(struct vma_munmap *vms)
{
	u32 i;

	if (!mm_form()->early_free_pgtables)
		unmap_region(vms->mm, vms->start, vms->end);
	for (i = 0; i < vms->n; i++) {
		unlink_anon_vmas(vms->vma[i]);
		unlink_file_vma(vms->vma[i]);
	}
	if (!mm_form()->early_free_pgtables)
		free_pgtables(vms->mm, vms->floor, vms->ceiling);
}

void vms_remove_vmas(struct vma_munmap *vms)
{
	u32 i;

	for (i = 0; i < vms->n; i++)
		remove_vma(vms->vma[i]);
}

static void vms_complete_munmap_vmas(struct vma_munmap *vms, bool unlock)
{
	struct mm_struct *mm = vms->mm;
	bool downgrade = unlock && mm_does(MM_STEP_DOWNGRADE) &&
			 !vms->keep_lock;

	mm->map_count -= (int)vms->n;
	if (downgrade)
		mmap_write_downgrade(mm);
	vms_clear_ptes(vms);
	vms_remove_vmas(vms);
	if (downgrade)
		mmap_read_unlock(mm);
	else if (unlock)
		mmap_write_unlock(mm);
}

/* 0: the VMAs are gone, and with unlock the lock as well; else as before. */
static int munmap_locked(struct mm_struct *mm, unsigned long start,
			 unsigned long end, bool unlock)
{
	struct vma_munmap vms = { .mm = mm, .start = start, .end = end };
	int err;

	err = vms_gather_munmap_vmas(&vms);
	if (err)
		return err;
	if (!vms.n) {
		if (unlock)
			mmap_write_unlock(mm);
		return 0;
	}
	mas_clear(mm, start, end); /* the point of no return */
	vms_complete_munmap_vmas(&vms, unlock);
	return 0;
}

int do_vmi_munmap(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	return munmap_locked(mm, start, end, false);
}

int do_munmap(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	int err;

	mmap_write_lock(mm);
	mm_note(MM_NOTE_CALL, mm, NULL, 0);
	err = munmap_locked(mm, start, end, true);
	if (err) {
		mm_note(MM_NOTE_CALL_FAILED, mm, NULL, (u64)err);
		mmap_write_unlock(mm);
	}
	return err;
}
