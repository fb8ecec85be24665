/* SPDX-License-Identifier: MIT */
/* UFFDIO_WRITEPROTECT: a page may be read, and a write to it is reported.
 *
 * Follows userfaultfd_writeprotect (fs/userfaultfd.c) and mwriteprotect_range
 * (mm/userfaultfd.c) of 5.7 to 5.15, when mmap_lock was the only lock.  Copied in
 * logic: who calls has the context, which keeps the mm_struct but not what is in
 * it, so the address space is made sure of first (5.15); mmap_changing is looked
 * at twice.  Simplified: one page; what a write fault does then is not modelled. */
#include <heddle/errno.h>
#include <heddle/user_call.h>
#include <heddle/userfaultfd.h>

#include "mm.h"

/* change_protection() */
static void wp_page(struct mm_struct *mm, unsigned long addr)
{
	struct page_table *table = pte_offset(mm, addr);
	unsigned long *pte;

	if (!table)
		return;
	pte = &table->pte[pte_index(addr)];
	spin_lock(&table->ptl);
	if (READ_ONCE(*pte)) {
		WRITE_ONCE(*pte, (*pte & ~_PAGE_RW) | _PAGE_UFFD_WP);
		heddle_mark("page write-protected");
	}
	spin_unlock(&table->ptl);
	flush_tlb_page(mm, addr);
}

static int mwriteprotect_range(struct userfaultfd_ctx *ctx,
			       struct mm_struct *mm, unsigned long start)
{
	struct vm_area_struct *vma;
	int err = 0;

	mmap_read_lock(mm);
	vma = vma_lookup(mm, start);
	if (atomic_read(&ctx->mmap_changing)) {
		err = -EAGAIN;
	} else if (!vma || !(vma->vm_flags & VM_UFFD_WP)) {
		user_cause_here(-ENOENT);
		err = -ENOENT;
	} else {
		wp_page(mm, start);
	}
	mmap_read_unlock(mm);
	return err;
}

int userfaultfd_writeprotect(struct userfaultfd_ctx *ctx, unsigned long start)
{
	struct mm_struct *mm = ctx->mm;
	bool get = mm_does(MM_STEP_WP_GETS_MM);
	int err = -EAGAIN;

	user_call_begin(mm);
	if (atomic_read(&ctx->mmap_changing))
		goto out;
	if (get && !mmget_not_zero(mm)) {
		heddle_mark("nobody uses it any more");
		user_cause_here(-ESRCH);
		err = -ESRCH;
		goto out;
	}
	err = mwriteprotect_range(ctx, mm, start);
	if (get)
		mmput(mm);
out:
	return_to_user();
	user_call_end(err);
	return err;
}
