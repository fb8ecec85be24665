/* SPDX-License-Identifier: MIT */
/* review_v4: UFFDIO_MOVE locks two VMAs, on the functions of [PATCH v4 3/3]
 * "userfaultfd: use per-vma locks in userfaultfd operations" (Feb 2024), as a
 * reviewer would paste them; heddle_cc.t builds this file outside the tree.
 *
 * Question: can the mover, which holds one VMA, block for the other while a
 * writer that owns the other waits for the first?
 * In our own words; order of locks as in the patch. */
#include <heddle/opponents.h>
#include <heddle/rmap.h>
/* --- the patch's functions ---------------------------------------------- */

static struct vm_area_struct *lock_vma(struct mm_struct *mm, unsigned long addr,
				       bool prepare_anon)
{
	struct vm_area_struct *vma = lock_vma_under_rcu(mm, addr);

	if (vma) {
		if (!prepare_anon || vma->vm_flags & VM_SHARED ||
		    READ_ONCE(vma->anon_vma))
			return vma;
		vma_end_read(vma);
	}
	mmap_read_lock(mm);
	vma = vma_lookup(mm, addr);
	if (!vma)
		vma = ERR_PTR(-ENOENT);
	else if (prepare_anon && !(vma->vm_flags & VM_SHARED) &&
		 anon_vma_prepare(vma))
		vma = ERR_PTR(-ENOMEM);
	else
		down_read(&vma->vm_lock->lock);
	mmap_read_unlock(mm);
	return vma;
}

static long find_and_lock_vmas(struct mm_struct *mm, unsigned long dst_start,
			       unsigned long src_start,
			       struct vm_area_struct **dst_vmap,
			       struct vm_area_struct **src_vmap)
{
	*src_vmap = lock_vma(mm, src_start, false);
	if (IS_ERR(*src_vmap))
		return PTR_ERR(*src_vmap);
	*dst_vmap = lock_vma(mm, dst_start, true);
	if (!IS_ERR(*dst_vmap))
		return 0;
	vma_end_read(*src_vmap);
	return PTR_ERR(*dst_vmap);
}

/* --- the world around them ---------------------------------------------- */

enum { A = 0x2000, B = 0x4000, END = 0x6000 };
static struct mm_struct *mm;
static const int one_vma = 1;

static void setup(void)
{
	mm = mm_alloc();
	mm_add_vma(mm, A, B);
	mm_add_vma(mm, B, END);
	heddle_arena(mm, A, END);
}

static void move_task(void *arg)
{
	unsigned long src = heddle_choose(2) ? B : A, dst = A + B - src;
	struct vm_area_struct *dst_vma, *src_vma;

	if (mm_form()->more == &one_vma)
		dst = src + PAGE_SIZE;
	if (!find_and_lock_vmas(mm, dst, src, &dst_vma, &src_vma)) {
		heddle_mark("both locked");
		vma_end_read(src_vma);
		vma_end_read(dst_vma);
	}
	return_to_user();
}

#define V4 .lock = &vma_lock_gen1, .free_by_rcu = true, .parts = MM_ANON
static const struct mm_form two = { V4 }, one = { V4, .more = &one_vma };

static const struct heddle_task tasks[] = {
	heddle_against(munmap),
	{ .name = "move", .fn = move_task },
	{ 0 },
};
static const struct heddle_variant variants[] = {
	{ .name = "two-vmas", .data = &two }, { .name = "one-vma", .data = &one },
	{ 0 },
};
static const char *const goals[] = { "both locked", NULL };
HEDDLE_SCENARIO(review_v4) = {
	.name = "review_v4", .title = "UFFDIO_MOVE against munmap",
	.source = "[PATCH v4 3/3] userfaultfd: use per-vma locks in userfaultfd "
		  "operations, 12 Feb 2024",
	.variants = variants, .tasks = tasks, .setup = setup, .goals = goals,
};
