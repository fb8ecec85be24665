/* SPDX-License-Identifier: MIT */
/* mremap(2).
 *
 * Follows mm/mremap.c of 6.12: move_vma, copy_vma, move_page_tables, and the
 * expansion in place.  Copied in logic: the old VMA is write-locked before the
 * new one is made; entries move under both tables' locks; with MREMAP_DONTUNMAP
 * the old VMA stays and loses its anon_vma, else it is unmapped, without a
 * downgrade; if that fails, the old place stays mapped, without its pages, and
 * the call succeeds.  Simplified: a table is never moved as a whole, a huge page
 * is split first; a failure half-way does not move pages back, since nothing
 * fails behind copy_vma().  Pages of which others know only a number stay at
 * theirs. */
#include <heddle/mm.h>

#include "mm.h"

static void move_pte(struct mm_struct *mm, unsigned long from, unsigned long to,
		     struct page_table *src, struct page_table *dst)
{
	unsigned long *pte = &src->pte[pte_index(from)], entry;

	spin_lock(&src->ptl);
	if (dst != src)
		spin_lock_nested(&dst->ptl, SINGLE_DEPTH_NESTING);
	entry = READ_ONCE(*pte);
	if (entry) {
		WRITE_ONCE(*pte, 0);
		flush_tlb_page(mm, from);
		WRITE_ONCE(dst->pte[pte_index(to)], entry);
		mm_note(MM_NOTE_PTE_SET, mm, (void *)to, entry);
	}
	if (dst != src)
		spin_unlock(&dst->ptl);
	spin_unlock(&src->ptl);
}

static void move_page_tables(struct mm_struct *mm, unsigned long from,
			     unsigned long to, unsigned long len)
{
	struct page_table *src, *dst;
	unsigned long off;

	for (off = 0; off < len; off += PAGE_SIZE) {
		if (mm_has(MM_THP))
			split_huge_page_at(mm, from + off);
		src = pte_offset(mm, from + off);
		if (!src)
			continue;
		/* nothing is mapped there, so no huge page either */
		dst = pte_alloc(mm, to + off);
		move_pte(mm, from + off, to + off, src, dst);
	}
}

static struct vm_area_struct *merge_at(struct vm_area_struct *vma,
				       unsigned long from, unsigned long to,
				       unsigned long len, int *err)
{
	struct vm_area_struct proto = {
		.vm_mm = vma->vm_mm, .vm_start = to, .vm_end = to + len,
		.vm_pgoff = vma->vm_pgoff +
			    ((from - vma->vm_start) >> PAGE_SHIFT),
		.vm_flags = vma->vm_flags,
	};

	if (mm_form()->parts) {
		proto.anon_vma = vma->anon_vma;
		proto.vm_ops = vma->vm_ops;
		proto.vm_file = vma->vm_file;
		proto.vm_policy = vma->vm_policy;
		proto.vm_userfaultfd_ctx.ctx = vma->vm_userfaultfd_ctx.ctx;
	}
	return vma_merge_new_range(&proto, vma, err);
}

static int set_up_copy(struct vm_area_struct *new, struct vm_area_struct *vma,
		       unsigned long from, unsigned long to, unsigned long len)
{
	new->vm_start = to;
	new->vm_end = to + len;
	new->vm_pgoff = vma->vm_pgoff + ((from - vma->vm_start) >> PAGE_SHIFT);
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

/* The VMA at the new place, in the tree and write-locked: merged with a
 * neighbour, or a copy. */
static struct vm_area_struct *copy_vma(struct vm_area_struct *vma,
				       unsigned long from, unsigned long to,
				       unsigned long len)
{
	struct vm_area_struct *new;
	int err;

	new = merge_at(vma, from, to, len, &err);
	if (new || err || heddle_fail("vm_area_struct"))
		return new;
	new = vm_area_dup(vma);
	if (!new)
		return NULL;
	if (set_up_copy(new, vma, from, to, len)) {
		vm_area_free(new);
		return NULL;
	}
	vma_link(new);
	return new;
}

static int move_vma(struct vm_area_struct *vma, unsigned long addr,
		    unsigned long old_len, unsigned long new_len,
		    unsigned long new_addr, unsigned int flags)
{
	struct mm_struct *mm = vma->vm_mm;
	int err = vma_start_write_early(vma);

	if (err)
		return err;
	vma_start_write(vma);
	if (!copy_vma(vma, addr, new_addr, new_len))
		return -ENOMEM;
	move_page_tables(mm, addr, new_addr, old_len);
	heddle_mark("VMA moved");
	if (!(flags & MREMAP_DONTUNMAP)) {
		if (do_vmi_munmap(mm, addr, addr + old_len))
			heddle_mark("the old place stays mapped");
		return 0; /* the pages have moved */
	}
	vma->vm_flags &= ~VM_LOCKED;
	if (vma->vm_start == addr && vma->vm_end == addr + old_len)
		unlink_anon_vmas(vma);
	return 0;
}

static int grow_in_place(struct vm_area_struct *vma, unsigned long end)
{
	struct vm_area_struct *next = vma_next(vma->vm_mm, vma->vm_start);

	if (next && next->vm_start < end)
		return -ENOMEM;
	return vma_expand(vma, vma->vm_start, end, NULL);
}

static int mremap_locked(struct mm_struct *mm, unsigned long addr,
			 unsigned long old_len, unsigned long new_len,
			 unsigned long new_addr, unsigned int flags)
{
	struct vm_area_struct *vma;
	int err;

	if (new_addr) {
		err = do_vmi_munmap(mm, new_addr, new_addr + new_len);
		if (err)
			return err;
		mm_note(MM_NOTE_CALL, mm, NULL, 0); /* that is not undone */
	}
	if (new_len < old_len) {
		err = do_vmi_munmap(mm, addr + new_len, addr + old_len);
		if (err)
			return err;
		mm_note(MM_NOTE_CALL, mm, NULL, 0); /* nor that */
		old_len = new_len;
	}
	vma = vma_lookup(mm, addr);
	if (!vma || vma->vm_end < addr + old_len)
		return -EFAULT;
	if (new_addr)
		return move_vma(vma, addr, old_len, new_len, new_addr, flags);
	if (new_len == old_len)
		return 0;
	if (vma->vm_end != addr + old_len)
		return -ENOMEM;
	return grow_in_place(vma, addr + new_len);
}

int do_mremap(struct mm_struct *mm, unsigned long addr, unsigned long old_len,
	      unsigned long new_len, unsigned long new_addr, unsigned int flags)
{
	int err = mmap_write_lock_killable(mm);

	if (err)
		return err;
	mm_note(MM_NOTE_CALL, mm, NULL, 0);
	err = mremap_locked(mm, addr, old_len, new_len, new_addr, flags);
	if (err)
		mm_note(MM_NOTE_CALL_FAILED, mm, NULL, (u64)err);
	mmap_write_unlock(mm);
	return err;
}
