/* SPDX-License-Identifier: MIT */
/* UFFDIO_COPY: a page of the caller's is copied to where there is none yet.
 *
 * Follows userfaultfd_copy (fs/userfaultfd.c), mfill_atomic, mfill_atomic_pte_copy
 * and mfill_atomic_install_pte (mm/userfaultfd.c) of 6.12.  Copied in logic: the
 * copy under the VMA lock is made with page faults disabled; if it fails, all
 * locks are dropped, the page is filled with faults allowed, and everything is
 * looked up again, now with a page that is filled; -ENOENT says so inside and
 * never leaves with this meaning; what is not installed is put.  Simplified: one
 * page, private anonymous memory; the page's contents are one word. */
#include <heddle/errno.h>
#include <heddle/uaccess.h>
#include <heddle/user_call.h>
#include <heddle/userfaultfd.h>

#include "mm.h"

int mfill_atomic_install_pte(struct vm_area_struct *dst_vma, unsigned long dst,
			     struct folio *folio)
{
	struct mm_struct *mm = dst_vma->vm_mm;
	struct page_table *table = pte_alloc(mm, dst);
	int err = -EEXIST;

	spin_lock(&table->ptl);
	if (READ_ONCE(table->pte[pte_index(dst)])) {
		user_cause_here(-EEXIST);
		goto out;
	}
	folio_add_new_anon_rmap(folio, dst_vma, dst);
	install_pte(mm, table, dst,
		    (unsigned long)folio | _PAGE_PRESENT | _PAGE_RW);
	heddle_mark("page installed");
	err = 0;
out:
	spin_unlock(&table->ptl);
	return err;
}

struct folio *uffd_alloc_folio(void)
{
	struct folio *folio = folio_alloc(GFP_KERNEL, 0);

	if (!folio) {
		heddle_mark("no page");
		user_cause_here(-ENOMEM);
	}
	return folio;
}

/* Under locks, so without a page fault. */
static unsigned long copy_locked(struct folio *folio, struct mm_struct *src_mm,
				 unsigned long src)
{
	bool disable = mm_does(MM_STEP_COPY_DISABLES_FAULTS);
	unsigned long left;

	if (disable)
		pagefault_disable();
	left = copy_from_user(&folio->data[0], src_mm, src);
	if (disable)
		pagefault_enable();
	return left;
}

/* -ENOENT: *foliop is to be filled without locks, then this called again. */
static int mfill_atomic_pte_copy(struct vm_area_struct *dst_vma,
				 unsigned long dst, struct mm_struct *src_mm,
				 unsigned long src, struct folio **foliop)
{
	struct folio *folio = *foliop;
	unsigned long left;
	int err;

	*foliop = NULL;
	if (!folio) {
		folio = uffd_alloc_folio();
		if (!folio)
			return -ENOMEM;
		left = copy_locked(folio, src_mm, src);
		if (left) {
			*foliop = folio;
			return -ENOENT;
		}
	}
	folio_mark_uptodate(folio);
	err = mfill_atomic_install_pte(dst_vma, dst, folio);
	if (err)
		folio_put(folio);
	return err;
}

/* Both locks held, or an error. */
static struct vm_area_struct *mfill_lock(struct userfaultfd_ctx *ctx,
					 unsigned long dst)
{
	struct vm_area_struct *vma = uffd_mfill_lock(ctx->mm, dst, PAGE_SIZE);

	if (!IS_ERR(vma))
		down_read(&ctx->map_changing_lock);
	return vma;
}

static void mfill_unlock(struct userfaultfd_ctx *ctx,
			 struct vm_area_struct *vma)
{
	up_read(&ctx->map_changing_lock);
	uffd_mfill_unlock(vma);
}

/* Without any lock of dst's. */
static int fill_unlocked(struct folio *folio, struct mm_struct *src_mm,
			 unsigned long src)
{
	heddle_mark("retry with a page filled");
	if (!copy_from_user(&folio->data[0], src_mm, src))
		return 0;
	user_cause_here(-EFAULT);
	return -EFAULT;
}

static int mfill_atomic(struct userfaultfd_ctx *ctx, unsigned long dst,
			struct mm_struct *src_mm, unsigned long src)
{
	struct folio *folio = NULL;
	struct vm_area_struct *vma;
	int err;

	do {
		vma = mfill_lock(ctx, dst);
		if (IS_ERR(vma)) {
			err = (int)PTR_ERR(vma);
			break;
		}
		if (atomic_read(&ctx->mmap_changing))
			err = -EAGAIN;
		else
			err = mfill_atomic_pte_copy(vma, dst, src_mm, src,
						    &folio);
		mfill_unlock(ctx, vma);
		if (err != -ENOENT)
			break;
		BUG_ON(!folio);
		err = fill_unlocked(folio, src_mm, src);
	} while (!err);
	if (folio)
		folio_put(folio);
	return err;
}

int userfaultfd_copy(struct userfaultfd_ctx *ctx, unsigned long dst,
		     struct mm_struct *current_mm, unsigned long src)
{
	int err = -EAGAIN;

	user_call_begin(ctx->mm);
	user_call_needs_vma(ctx->mm, dst);
	if (!atomic_read(&ctx->mmap_changing))
		err = mfill_atomic(ctx, dst, current_mm, src);
	return_to_user();
	user_call_end(err);
	return err;
}
