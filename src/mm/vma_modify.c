/* SPDX-License-Identifier: MIT */
/* How the range of a VMA changes: split, shrink, expand.
 *
 * Follows mm/mmap.c of 6.4 and mm/vma.c of 6.12: vma_prepare, vma_complete,
 * dup_anon_vma, __split_vma, vma_shrink, vma_expand.  Copied in logic: the order
 * of VMA locks, i_mmap_rwsem, anon_vma and page table locks; what can fail comes
 * first, and is undone; what is swallowed is detached after the reverse maps are
 * unlocked.  Where the VMA locks are taken is the question of seed 001: enum
 * mm_modify has each order that was released, posted or asked about.
 * Simplified: the reverse maps are arrays, so that VMAs need not be taken out of
 * them and put back; the tree needs no memory in advance, but may say that it
 * has none (heddle_fail). */
#include <heddle/mm.h>

#include "mm.h"
#include "vma_modify.h"

static u32 order(void)
{
	return mm_form()->modify & MM_MODIFY_ORDER;
}

static bool prepare_locks(void)
{
	return order() == MM_MODIFY_GUESS || order() == MM_MODIFY_6_4;
}

void init_vma_prep(struct vma_prepare *vp)
{
	if (mm_has(MM_ANON))
		vp->anon_vma = vp->vma->anon_vma;
	/* adj_next has no other: dup_anon_vma() has been there before.  (The
	 * kernel would take adj_next's if this one had none, and warns if both
	 * have different ones.) */
	if (mm_has(MM_FILE) && vp->vma->vm_file)
		vp->mapping = vp->vma->vm_file->f_mapping;
}

static void lock_vmas(struct vma_prepare *vp)
{
	vma_start_write(vp->vma);
	if (vp->adj_next)
		vma_start_write(vp->adj_next);
	if (vp->remove)
		vma_start_write(vp->remove);
	if (vp->remove2)
		vma_start_write(vp->remove2);
}

void vma_prepare(struct vma_prepare *vp)
{
	if (prepare_locks())
		lock_vmas(vp);
	if (mm_form()->modify & MM_MODIFY_DETACH_EARLY && vp->remove)
		vma_mark_detached(vp->remove);
	if (vp->mapping) {
		i_mmap_lock_write(vp->mapping);
		if (vp->insert)
			__vma_link_file(vp->insert, vp->mapping);
	}
	if (vp->anon_vma)
		anon_vma_lock_write(vp->anon_vma);
}

static void free_removed(struct vma_prepare *vp, struct vm_area_struct *remove)
{
	if (!(mm_form()->modify &
	      (MM_MODIFY_DETACH_EARLY | MM_MODIFY_DETACH_NEVER)))
		vma_mark_detached(remove);
	unlink_anon_vmas(remove);
	vp->vma->vm_mm->map_count--;
	remove_vma(remove);
}

void vma_complete(struct vma_prepare *vp)
{
	if (vp->remove && vp->mapping) {
		__unlink_file_vma(vp->remove, vp->mapping);
		if (vp->remove2)
			__unlink_file_vma(vp->remove2, vp->mapping);
	} else if (vp->insert) {
		vma_mark_attached(vp->insert);
		mas_store(vp->vma->vm_mm, vp->insert);
		vp->vma->vm_mm->map_count++;
	}
	if (vp->anon_vma)
		anon_vma_unlock_write(vp->anon_vma);
	if (vp->mapping)
		i_mmap_unlock_write(vp->mapping);
	if (vp->remove)
		free_removed(vp, vp->remove);
	if (vp->remove2)
		free_removed(vp, vp->remove2);
	if (mm_form()->modify & MM_MODIFY_END_ALL)
		vma_end_write_all(vp->vma->vm_mm);
}

void vma_start_change(struct vma_prepare *vp, unsigned long start,
		      unsigned long end)
{
	bool adjust_first = order() == MM_MODIFY_6_2 ||
			    order() == MM_MODIFY_V3 ||
			    order() == MM_MODIFY_GUESS;

	init_vma_prep(vp);
	if (order() == MM_MODIFY_6_6 || order() == MM_MODIFY_V3)
		lock_vmas(vp);
	if (vp->insert && order() == MM_MODIFY_6_6 &&
	    mm_does(MM_STEP_LOCK_NEW_VMA))
		vma_start_write(vp->insert);
	if (adjust_first)
		vma_adjust_trans_huge(vp->vma, start, end);
	vma_prepare(vp);
	if (!adjust_first)
		vma_adjust_trans_huge(vp->vma, start, end);
}

void vma_set_range(struct vm_area_struct *vma, unsigned long start,
		   unsigned long end)
{
	unsigned long old = vma->vm_start;

	vma->vm_start = start;
	vma->vm_end = end;
	vma->vm_pgoff += (start >> PAGE_SHIFT) - (old >> PAGE_SHIFT);
}

int dup_anon_vma(struct vm_area_struct *dst, struct vm_area_struct *src,
		 struct vm_area_struct **dup)
{
	int err;

	if (!mm_has(MM_ANON) || !src->anon_vma || dst->anon_vma)
		return 0;
	if (mm_does(MM_STEP_DUP_ANON_VMA_LOCKS))
		vma_start_write(dst);
	dst->anon_vma = src->anon_vma;
	err = anon_vma_clone(dst, src);
	if (!err)
		*dup = dst;
	return err;
}

void undo_dup_anon_vma(struct vm_area_struct *dup)
{
	if (dup && mm_does(MM_STEP_UNDO_DUP_ANON_VMA))
		unlink_anon_vmas(dup);
}

static int split_new_vma(struct vm_area_struct *vma, struct vm_area_struct *new,
			 unsigned long addr, bool new_below)
{
	if (new_below)
		vma_set_range(new, vma->vm_start, addr);
	else
		vma_set_range(new, addr, vma->vm_end);
	if (heddle_fail("maple_node"))
		return -ENOMEM;
	if (mm_has(MM_POLICY) && vma_dup_policy(vma, new))
		return -ENOMEM;
	if (anon_vma_clone(new, vma)) {
		if (mm_has(MM_POLICY))
			mpol_put(new->vm_policy);
		return -ENOMEM;
	}
	if (!mm_has(MM_FILE))
		return 0;
	if (new->vm_file)
		get_file(new->vm_file);
	if (new->vm_ops && new->vm_ops->open)
		new->vm_ops->open(new);
	return 0;
}

int split_vma(struct vm_area_struct *vma, unsigned long addr, bool new_below)
{
	struct vma_prepare vp = { .vma = vma };
	int err = vma_start_write_early(vma);

	if (err)
		return err;
	if (heddle_fail("vm_area_struct"))
		return -ENOMEM;
	vp.insert = vm_area_dup(vma);
	if (!vp.insert)
		return -ENOMEM;
	err = split_new_vma(vma, vp.insert, addr, new_below);
	if (err) {
		vm_area_free(vp.insert);
		return err;
	}
	vma_start_change(&vp, new_below ? addr : vma->vm_start,
			 new_below ? vma->vm_end : addr);
	if (new_below)
		vma_set_range(vma, addr, vma->vm_end);
	else
		vma_set_range(vma, vma->vm_start, addr);
	vma_complete(&vp);
	heddle_mark("VMA split");
	return 0;
}

void vma_link(struct vm_area_struct *vma)
{
	if (order() == MM_MODIFY_6_6 && mm_does(MM_STEP_LOCK_NEW_VMA))
		vma_start_write(vma);
	vma_mark_attached(vma);
	mas_store(vma->vm_mm, vma);
	vma->vm_mm->map_count++;
	vma_link_file(vma);
}

int vma_shrink(struct vm_area_struct *vma, unsigned long start,
	       unsigned long end)
{
	struct vma_prepare vp = { .vma = vma };
	unsigned long old_start = vma->vm_start, old_end = vma->vm_end;
	int err = vma_start_write_early(vma);

	if (err)
		return err;
	if (heddle_fail("maple_node"))
		return -ENOMEM;
	vma_start_change(&vp, start, end);
	if (old_end > end)
		mas_clear(vma->vm_mm, end, old_end);
	if (old_start < start)
		mas_clear(vma->vm_mm, old_start, start);
	vma_set_range(vma, start, end);
	vma_complete(&vp);
	heddle_mark("VMA shrunk");
	return 0;
}

int vma_expand(struct vm_area_struct *vma, unsigned long start,
	       unsigned long end, struct vm_area_struct *next)
{
	struct vma_prepare vp = { .vma = vma, .remove = next };
	struct vm_area_struct *dup = NULL;
	int err = vma_start_write_early(vma);

	if (!err && next)
		err = vma_start_write_early(next);
	if (err)
		return err;
	if (order() == MM_MODIFY_6_6) {
		vma_start_write(vma);
		if (next)
			vma_start_write(next);
	}
	if (next) {
		err = dup_anon_vma(vma, next, &dup);
		if (err)
			return err;
	}
	if (heddle_fail("maple_node")) {
		undo_dup_anon_vma(dup);
		return -ENOMEM;
	}
	vma_start_change(&vp, start, end);
	vma_set_range(vma, start, end);
	mas_store(vma->vm_mm, vma);
	vma_complete(&vp);
	heddle_mark("VMA expanded");
	return 0;
}
