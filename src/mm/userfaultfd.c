/* SPDX-License-Identifier: MIT */
/* userfaultfd: what its calls have in common, the VMA locks above all.
 *
 * Follows mm/userfaultfd.c and fs/userfaultfd.c of 6.9 (VMA lock as a semaphore)
 * and 6.15 (as a reference count): find_vma_and_prepare_anon, uffd_lock_vma,
 * uffd_mfill_lock, find_vmas_mm_locked, uffd_move_lock, validate_dst_vma, and
 * of the event side userfaultfd_remove.  Copied in logic: the lookup under RCU
 * first; what is wrong with the VMA found so is undone before mmap_lock is
 * waited for; under mmap_lock the VMAs are read-locked at once, since no writer
 * can be there; one VMA is never locked twice.  Simplified: an event is not
 * read by anybody.  Not modelled: reference counts of the context. */
#include <heddle/rmap.h>
#include <heddle/user_call.h>
#include <heddle/userfaultfd.h>

#include "mm.h"

/* --- set-ups ------------------------------------------------------------------ */

struct userfaultfd_ctx *userfaultfd_new(struct mm_struct *mm)
{
	struct userfaultfd_ctx *ctx = heddle_alloc(struct userfaultfd_ctx);

	ctx->mm = mm;
	init_rwsem(&ctx->map_changing_lock);
	return ctx;
}

void userfaultfd_register(struct userfaultfd_ctx *ctx,
			  struct vm_area_struct *vma, vm_flags_t flags)
{
	mmap_write_lock(ctx->mm);
	vma_start_write(vma);
	vma->vm_flags |= flags;
	vma->vm_userfaultfd_ctx.ctx = ctx;
	mmap_write_unlock(ctx->mm);
}

struct folio *uffd_add_page(struct vm_area_struct *vma, unsigned long addr)
{
	struct page_table *table = pte_alloc(vma->vm_mm, addr);
	struct folio *folio = folio_alloc(GFP_KERNEL | __GFP_NOFAIL, 0);

	mmap_read_lock(vma->vm_mm);
	BUG_ON(anon_vma_prepare(vma));
	mmap_read_unlock(vma->vm_mm);
	folio->data[0] = addr;
	folio_add_new_anon_rmap(folio, vma, addr);
	set_pte(vma->vm_mm, table, addr,
		(unsigned long)folio | _PAGE_PRESENT | _PAGE_RW);
	return folio;
}

/* --- events --------------------------------------------------------------------- */

void userfaultfd_event_begin(struct userfaultfd_ctx *ctx)
{
	const struct mm_struct *mm = ctx->mm;

	down_write(&ctx->map_changing_lock);
	atomic_inc(&ctx->mmap_changing);
	user_cause(mm, -EAGAIN, true);
	up_write(&ctx->map_changing_lock);
}

void userfaultfd_event_end(struct userfaultfd_ctx *ctx)
{
	const struct mm_struct *mm = ctx->mm;

	atomic_dec(&ctx->mmap_changing);
	user_cause(mm, -EAGAIN, false); /* one event at a time */
}

/* --- VMA locks -------------------------------------------------------------------- */

static bool lacks_anon_vma(struct vm_area_struct *vma)
{
	return !(vma->vm_flags & VM_SHARED) && !READ_ONCE(vma->anon_vma);
}

struct vm_area_struct *find_vma_and_prepare_anon(struct mm_struct *mm,
						 unsigned long addr)
{
	struct vm_area_struct *vma;

	mmap_assert_locked(mm);
	vma = vma_lookup(mm, addr);
	if (!vma)
		return ERR_PTR(-ENOENT);
	if (lacks_anon_vma(vma) && anon_vma_prepare(vma)) {
		user_cause_here(-ENOMEM);
		return ERR_PTR(-ENOMEM);
	}
	return vma;
}

struct vm_area_struct *uffd_lock_vma(struct mm_struct *mm, unsigned long addr)
{
	struct vm_area_struct *vma = lock_vma_under_rcu(mm, addr);

	if (vma) {
		if (!lacks_anon_vma(vma))
			return vma;
		heddle_remark("no anon_vma: needs mmap_lock");
		vma_end_read(vma);
	}
	mmap_read_lock(mm);
	vma = find_vma_and_prepare_anon(mm, addr);
	if (!IS_ERR(vma) && !vma_start_read_locked(vma))
		vma = ERR_PTR(-EAGAIN);
	mmap_read_unlock(mm);
	return vma;
}

static bool validate_dst_vma(struct vm_area_struct *dst_vma,
			     unsigned long dst_end)
{
	if (dst_end > dst_vma->vm_end)
		return false;
	return dst_vma->vm_userfaultfd_ctx.ctx;
}

struct vm_area_struct *uffd_mfill_lock(struct mm_struct *dst_mm,
				       unsigned long dst_start,
				       unsigned long len)
{
	struct vm_area_struct *dst_vma = uffd_lock_vma(dst_mm, dst_start);

	if (IS_ERR(dst_vma) || validate_dst_vma(dst_vma, dst_start + len))
		return dst_vma;
	user_cause_here(-ENOENT);
	vma_end_read(dst_vma);
	return ERR_PTR(-ENOENT);
}

void uffd_mfill_unlock(struct vm_area_struct *vma)
{
	vma_end_read(vma);
}

static bool covers(const struct vm_area_struct *vma, unsigned long addr)
{
	return addr >= vma->vm_start && addr < vma->vm_end;
}

int find_vmas_mm_locked(struct mm_struct *mm, unsigned long dst_start,
			unsigned long src_start,
			struct vm_area_struct **dst_vmap,
			struct vm_area_struct **src_vmap)
{
	struct vm_area_struct *vma;

	vma = find_vma_and_prepare_anon(mm, dst_start);
	if (IS_ERR(vma))
		return (int)PTR_ERR(vma);
	*dst_vmap = vma;
	if (!covers(vma, src_start)) {
		vma = vma_lookup(mm, src_start);
		if (!vma)
			return -ENOENT;
	}
	*src_vmap = vma;
	return 0;
}

/* Under mmap_lock, where waiting for it can no longer lock anybody out. */
static int lock_both_mm_locked(struct mm_struct *mm, unsigned long dst_start,
			       unsigned long src_start,
			       struct vm_area_struct **dst_vmap,
			       struct vm_area_struct **src_vmap)
{
	int err = find_vmas_mm_locked(mm, dst_start, src_start, dst_vmap,
				      src_vmap);

	if (err)
		return err;
	if (!vma_start_read_locked(*dst_vmap))
		return -EAGAIN;
	if (*dst_vmap == *src_vmap ||
	    vma_start_read_locked_nested(*src_vmap, SINGLE_DEPTH_NESTING))
		return 0;
	vma_end_read(*dst_vmap);
	return -EAGAIN;
}

int uffd_move_lock(struct mm_struct *mm, unsigned long dst_start,
		   unsigned long src_start, struct vm_area_struct **dst_vmap,
		   struct vm_area_struct **src_vmap)
{
	struct vm_area_struct *vma = uffd_lock_vma(mm, dst_start);
	int err;

	if (IS_ERR(vma))
		return (int)PTR_ERR(vma);
	*dst_vmap = vma;
	if (covers(vma, src_start)) {
		*src_vmap = vma;
		return 0;
	}
	*src_vmap = lock_vma_under_rcu(mm, src_start);
	if (likely(*src_vmap))
		return 0;
	heddle_mark("undo, then both under mmap_lock");
	vma_end_read(vma);
	mmap_read_lock(mm);
	err = lock_both_mm_locked(mm, dst_start, src_start, dst_vmap, src_vmap);
	mmap_read_unlock(mm);
	return err;
}

void uffd_move_unlock(struct vm_area_struct *dst_vma,
		      struct vm_area_struct *src_vma)
{
	vma_end_read(src_vma);
	if (src_vma != dst_vma)
		vma_end_read(dst_vma);
}

const struct uffd_move_locking uffd_move_merged = {
	.lock = uffd_move_lock,
	.unlock = uffd_move_unlock,
};
