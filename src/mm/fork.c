/* SPDX-License-Identifier: MIT */
/* How does an address space come to be by fork, and how does it end?
 *
 * Follows kernel/fork.c (mmput, __mmdrop, dup_mm, dup_mmap) and mm/mmap.c
 * (exit_mmap) of 6.12, with the detach of each VMA of 6.15.  Copied in logic:
 * the parent's mmap_lock for write, killable, and the child's inside it; each
 * VMA of the parent is write-locked before it is copied; reverse maps before the
 * tree, the tree before the pages; one TLB flush of the parent at the end, under
 * its lock; when that fails half-way, the child is torn down like any other mm.
 * exit_mmap() unmaps under mmap_lock for read, and frees under mmap_lock for
 * write.  Simplified: the child's tree grows VMA by VMA, so that it needs no
 * mark of where a failed copy ended; no accounting, hugetlb, ksm, uprobes, mmu
 * notifiers.  A variant without MM_STEP_EXIT_LOCKS_MM (up to 5.16: no lock in
 * exit_mmap()) must have .lock = NULL. */
#include <heddle/mm.h>

#include "mm.h"

/* --- references --------------------------------------------------------------- */

void mmdrop(struct mm_struct *mm)
{
	if (!atomic_dec_and_test(&mm->mm_count))
		return;
	mm_note(MM_NOTE_MM_FREED, mm, mm, 0);
	kfree(mm->mm_mt.root);
	kfree(mm);
}

static void exit_mmap(struct mm_struct *mm);

void mmput(struct mm_struct *mm)
{
	might_sleep();
	if (!atomic_dec_and_test(&mm->mm_users))
		return;
	exit_mmap(mm);
	mmdrop(mm);
}

/* --- exit --------------------------------------------------------------------- */

/* All VMAs, in order; how many. */
static u32 vmas_of(struct mm_struct *mm,
		   struct vm_area_struct *all[MM_TREE_SLOTS])
{
	struct vm_area_struct *vma;
	u32 n;

	for (n = 0; n < MM_TREE_SLOTS; n++) {
		vma = find_vma(mm, n ? all[n - 1]->vm_end : 0);
		if (!vma)
			break;
		all[n] = vma;
	}
	return n;
}

static void unmap_vmas(struct mm_struct *mm)
{
	struct vm_area_struct *all[MM_TREE_SLOTS];
	u32 i, n = vmas_of(mm, all);

	for (i = 0; i < n; i++)
		unmap_region(mm, all[i]->vm_start, all[i]->vm_end);
}

static void free_vmas(struct mm_struct *mm)
{
	struct vm_area_struct *all[MM_TREE_SLOTS];
	u32 i, n = vmas_of(mm, all);

	for (i = 0; i < n; i++) {
		vma_start_write(all[i]);
		unlink_anon_vmas(all[i]);
		unlink_file_vma(all[i]);
	}
	free_pgtables(mm, 0, TASK_SIZE);
	for (i = 0; i < n; i++) {
		vma_mark_detached(all[i]);
		remove_vma(all[i]);
	}
	mm->map_count -= (int)n;
	mas_clear(mm, 0, TASK_SIZE);
}

static void exit_mmap(struct mm_struct *mm)
{
	bool lock = mm_does(MM_STEP_EXIT_LOCKS_MM);

	if (lock)
		mmap_read_lock(mm);
	unmap_vmas(mm);
	if (lock) {
		mmap_read_unlock(mm);
		mmap_write_lock(mm);
	}
	free_vmas(mm);
	if (lock)
		mmap_write_unlock(mm);
	heddle_mark("address space torn down");
}

/* --- fork ----------------------------------------------------------------------- */

/* The file's and the driver's part; under both write locks. */
static void dup_file(struct vm_area_struct *vma)
{
	if (!mm_has(MM_FILE))
		return;
	if (vma->vm_ops && vma->vm_ops->open)
		vma->vm_ops->open(vma);
	if (vma->vm_file) {
		get_file(vma->vm_file);
		vma_link_file(vma);
	}
}

static int dup_vma(struct mm_struct *mm, struct vm_area_struct *mpnt)
{
	struct vm_area_struct *tmp;
	int err = vma_start_write_early(mpnt);

	if (err)
		return err;
	if (mm_does(MM_STEP_FORK_LOCKS_VMAS))
		vma_start_write(mpnt);
	else
		heddle_remark("the parent's VMA is not locked");
	tmp = vm_area_dup(mpnt);
	if (!tmp)
		return -ENOMEM;
	tmp->vm_mm = mm;
	if (mm_has(MM_POLICY) && vma_dup_policy(mpnt, tmp))
		goto no_policy;
	if (anon_vma_fork(tmp, mpnt))
		goto no_anon_vma;
	tmp->vm_flags &= ~VM_LOCKED;
	vma_start_write(tmp);
	vma_mark_attached(tmp);
	mas_store(mm, tmp);
	mm->map_count++;
	dup_file(tmp);
	return copy_page_range(tmp, mpnt);
no_anon_vma:
	if (mm_has(MM_POLICY))
		mpol_put(tmp->vm_policy);
no_policy:
	vm_area_free(tmp);
	return -ENOMEM;
}

static int dup_mmap(struct mm_struct *mm, struct mm_struct *oldmm)
{
	struct vm_area_struct *mpnt;
	unsigned long addr = 0;
	int err = mmap_write_lock_killable(oldmm);

	if (err)
		return err;
	mmap_write_lock_nested(mm, SINGLE_DEPTH_NESTING);
	mm_note(MM_NOTE_CALL, oldmm, NULL, 0);
	while (!err && (mpnt = find_vma(oldmm, addr))) {
		err = signal_pending(current) ? -EINTR : dup_vma(mm, mpnt);
		addr = mpnt->vm_end;
	}
	mmap_write_unlock(mm);
	if (mm_does(MM_STEP_FORK_FLUSHES))
		flush_tlb_mm(oldmm);
	if (err)
		mm_note(MM_NOTE_CALL_FAILED, oldmm, NULL, (u64)err);
	mmap_write_unlock(oldmm);
	return err;
}

struct mm_struct *dup_mm(struct mm_struct *oldmm, int *err)
{
	struct mm_struct *mm = kzalloc(sizeof(struct mm_struct), GFP_KERNEL);

	*err = -ENOMEM;
	if (!mm)
		return NULL;
	mm_init(mm);
	*err = dup_mmap(mm, oldmm);
	if (!*err) {
		heddle_mark("forked");
		return mm;
	}
	heddle_mark("fork fails half-way");
	mmput(mm);
	return NULL;
}
