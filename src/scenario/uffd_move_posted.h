/* SPDX-License-Identifier: MIT */
/* How two VMAs were to be read-locked, before it was merged: v4, what was said in
 * the thread, and the merged form broken in one place.  Only of use in
 * uffd_move_vs_mprotect, whose head tells the story. */
#ifndef SCENARIO_UFFD_MOVE_POSTED_H
#define SCENARIO_UFFD_MOVE_POSTED_H

#include "uffd_move.h"

/* What all forms are asked for: both VMAs, read-locked, or an error. */
#define MOVE_LOCK(fn)                                                  \
	static int fn(struct mm_struct *mm, unsigned long dst_start,   \
		      unsigned long src_start,                         \
		      struct vm_area_struct **dst_vmap,                \
		      struct vm_area_struct **src_vmap)

/* --- v4: src, then dst, each as if it were the only one ------------------- */

static bool lacks_anon_vma(struct vm_area_struct *vma)
{
	return !(vma->vm_flags & VM_SHARED) && !vma->anon_vma;
}

static struct vm_area_struct *lock_vma(struct mm_struct *mm, unsigned long addr,
				       bool prepare_anon)
{
	struct vm_area_struct *vma = lock_vma_under_rcu(mm, addr);

	if (vma) {
		if (!prepare_anon || !lacks_anon_vma(vma))
			return vma;
		heddle_remark("no anon_vma: needs mmap_lock");
		vma_end_read(vma);
	}
	mmap_read_lock(mm);
	if (prepare_anon) {
		vma = find_vma_and_prepare_anon(mm, addr);
	} else {
		vma = vma_lookup(mm, addr);
		if (!vma)
			vma = ERR_PTR(-ENOENT);
	}
	if (!IS_ERR(vma))
		vma_start_read_locked(vma);
	mmap_read_unlock(mm);
	return vma;
}

static int lock_in_order(struct mm_struct *mm, unsigned long first,
			 bool prepare_first, struct vm_area_struct **first_vmap,
			 unsigned long second,
			 struct vm_area_struct **second_vmap)
{
	struct vm_area_struct *vma = lock_vma(mm, first, prepare_first);

	if (IS_ERR(vma))
		return (int)PTR_ERR(vma);
	*first_vmap = vma;
	vma = lock_vma(mm, second, !prepare_first);
	if (IS_ERR(vma)) {
		vma_end_read(*first_vmap);
		return (int)PTR_ERR(vma);
	}
	*second_vmap = vma;
	return 0;
}

MOVE_LOCK(v4_lock)
{
	return lock_in_order(mm, src_start, false, src_vmap, dst_start,
			     dst_vmap);
}

MOVE_LOCK(v4_diagram_lock)
{
	return lock_in_order(mm, dst_start, true, dst_vmap, src_start,
			     src_vmap);
}

/* One end for each lock, even if both are of one VMA. */
static void end_both(struct vm_area_struct *dst_vma,
		     struct vm_area_struct *src_vma)
{
	vma_end_read(src_vma);
	vma_end_read(dst_vma);
}

static const struct uffd_move_locking v4 = { v4_lock, end_both };
static const struct uffd_move_locking v4_diagram = { v4_diagram_lock, end_both };

/* --- Lokesh's answer: dst first, then try for src --------------------------- */

static int try_src_mm_locked(struct mm_struct *mm, unsigned long src_start,
			     struct vm_area_struct *dst_vma,
			     struct vm_area_struct **src_vmap)
{
	*src_vmap = vma_lookup(mm, src_start);
	if (*src_vmap)
		vma_start_read_locked(*src_vmap);
	mmap_read_unlock(mm);
	if (*src_vmap)
		return 0;
	vma_end_read(dst_vma);
	return -ENOENT;
}

/* What it does once it has let go of dst. */
typedef int (*blocking_fn)(struct mm_struct *mm, unsigned long dst_start,
			   unsigned long src_start,
			   struct vm_area_struct **dst_vmap,
			   struct vm_area_struct **src_vmap);

static int lokesh_lock(struct mm_struct *mm, unsigned long dst_start,
		       unsigned long src_start, struct vm_area_struct **dst_vmap,
		       struct vm_area_struct **src_vmap, blocking_fn blocking)
{
	struct vm_area_struct *vma = lock_vma(mm, dst_start, true);
	int err;

	if (IS_ERR(vma))
		return (int)PTR_ERR(vma);
	*dst_vmap = vma;
	*src_vmap = lock_vma_under_rcu(mm, src_start);
	if (*src_vmap)
		return 0;
	if (mmap_read_trylock(mm)) {
		heddle_mark("trylock while dst is held");
		return try_src_mm_locked(mm, src_start, vma, src_vmap);
	}
	heddle_mark("trylock fails: blocks, does not abort");
	vma_end_read(vma);
	mmap_read_lock(mm);
	err = blocking(mm, dst_start, src_start, dst_vmap, src_vmap);
	mmap_read_unlock(mm);
	return err;
}

MOVE_LOCK(lokesh_posted_lock)
{
	return lokesh_lock(mm, dst_start, src_start, dst_vmap, src_vmap,
			   find_vmas_mm_locked);
}

MOVE_LOCK(find_and_lock_twice)
{
	int err = find_vmas_mm_locked(mm, dst_start, src_start, dst_vmap,
				      src_vmap);

	if (err)
		return err;
	vma_start_read_locked(*dst_vmap);
	vma_start_read_locked(*src_vmap);
	return 0;
}

MOVE_LOCK(lokesh_corrected_lock)
{
	return lokesh_lock(mm, dst_start, src_start, dst_vmap, src_vmap,
			   find_and_lock_twice);
}

/* The seven lines that the mail quotes. */
MOVE_LOCK(quoted_lock)
{
	int err;

	mmap_read_lock(mm);
	err = find_vmas_mm_locked(mm, dst_start, src_start, dst_vmap, src_vmap);
	if (!err) {
		vma_start_read_locked(*dst_vmap);
		if (*dst_vmap != *src_vmap)
			vma_start_read_locked(*src_vmap);
	}
	mmap_read_unlock(mm);
	return err;
}

static const struct uffd_move_locking lokesh_posted = {
	lokesh_posted_lock, end_both,
};
static const struct uffd_move_locking lokesh_corrected = {
	lokesh_corrected_lock, end_both,
};
static const struct uffd_move_locking quoted = {
	quoted_lock, uffd_move_unlock,
};

/* --- as merged, with another way to lock src under mmap_lock ------------------ */

/* Liam's: the lookup under RCU once more.  With retry until it succeeds: a spin
 * loop is an await, here of a sequence that says otherwise. */
static bool rcu_again(struct mm_struct *mm, unsigned long src_start,
		      struct vm_area_struct **src_vmap, bool retry)
{
	struct vm_area_struct *vma = *src_vmap;

	for (;;) {
		*src_vmap = lock_vma_under_rcu(mm, src_start);
		if (*src_vmap || !retry)
			return *src_vmap;
		heddle_remark("still looks write-locked: once more");
		while (READ_ONCE(vma->vm_lock_seq) ==
		       READ_ONCE(mm->mm_lock_seq.sequence))
			cpu_relax();
	}
}

static int both_mm_locked(struct mm_struct *mm, unsigned long dst_start,
			  unsigned long src_start,
			  struct vm_area_struct **dst_vmap,
			  struct vm_area_struct **src_vmap, bool retry)
{
	int err = find_vmas_mm_locked(mm, dst_start, src_start, dst_vmap,
				      src_vmap);

	if (err)
		return err;
	vma_start_read_locked(*dst_vmap);
	if (*dst_vmap == *src_vmap ||
	    rcu_again(mm, src_start, src_vmap, retry))
		return 0;
	heddle_mark("under mmap_lock, and yet write-locked");
	vma_end_read(*dst_vmap);
	return -EAGAIN;
}

static int as_merged(struct mm_struct *mm, unsigned long dst_start,
		     unsigned long src_start, struct vm_area_struct **dst_vmap,
		     struct vm_area_struct **src_vmap, bool retry)
{
	struct vm_area_struct *vma = uffd_lock_vma(mm, dst_start);
	int err;

	if (IS_ERR(vma))
		return (int)PTR_ERR(vma);
	*dst_vmap = *src_vmap = vma;
	if (src_start >= vma->vm_start && src_start < vma->vm_end)
		return 0;
	*src_vmap = lock_vma_under_rcu(mm, src_start);
	if (*src_vmap)
		return 0;
	heddle_mark("undo, then both under mmap_lock");
	vma_end_read(vma);
	mmap_read_lock(mm);
	err = both_mm_locked(mm, dst_start, src_start, dst_vmap, src_vmap,
			     retry);
	mmap_read_unlock(mm);
	return err;
}

MOVE_LOCK(liam_lock)
{
	return as_merged(mm, dst_start, src_start, dst_vmap, src_vmap, false);
}

MOVE_LOCK(liam_retry_lock)
{
	return as_merged(mm, dst_start, src_start, dst_vmap, src_vmap, true);
}

/* The merged form broken: dst is not let go before mmap_lock is waited for. */
MOVE_LOCK(no_undo_lock)
{
	struct vm_area_struct *vma = uffd_lock_vma(mm, dst_start);

	if (IS_ERR(vma))
		return (int)PTR_ERR(vma);
	*dst_vmap = *src_vmap = vma;
	if (src_start >= vma->vm_start && src_start < vma->vm_end)
		return 0;
	*src_vmap = lock_vma_under_rcu(mm, src_start);
	if (*src_vmap)
		return 0;
	mmap_read_lock(mm);
	return try_src_mm_locked(mm, src_start, vma, src_vmap);
}

/* ... or is not looked up again. */
MOVE_LOCK(keeps_dst_lock)
{
	struct vm_area_struct *vma = uffd_lock_vma(mm, dst_start);

	if (IS_ERR(vma))
		return (int)PTR_ERR(vma);
	*dst_vmap = *src_vmap = vma;
	if (src_start >= vma->vm_start && src_start < vma->vm_end)
		return 0;
	*src_vmap = lock_vma_under_rcu(mm, src_start);
	if (*src_vmap)
		return 0;
	vma_end_read(vma);
	mmap_read_lock(mm);
	vma_start_read_locked(vma);
	return try_src_mm_locked(mm, src_start, vma, src_vmap);
}

/* What is not found under RCU is not there. */
MOVE_LOCK(trust_rcu_lock)
{
	struct vm_area_struct *vma = uffd_lock_vma(mm, dst_start);

	if (IS_ERR(vma))
		return (int)PTR_ERR(vma);
	*dst_vmap = vma;
	*src_vmap = lock_vma_under_rcu(mm, src_start);
	if (*src_vmap)
		return 0;
	vma_end_read(vma);
	return -ENOENT;
}

static const struct uffd_move_locking liam = { liam_lock, uffd_move_unlock };
static const struct uffd_move_locking liam_retry = {
	liam_retry_lock, uffd_move_unlock,
};
static const struct uffd_move_locking no_undo = {
	no_undo_lock, uffd_move_unlock,
};
static const struct uffd_move_locking keeps_dst = {
	keeps_dst_lock, uffd_move_unlock,
};
static const struct uffd_move_locking trust_rcu = {
	trust_rcu_lock, end_both,
};

#endif
