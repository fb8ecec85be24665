/* SPDX-License-Identifier: MIT */
/* A driver keeps a pointer to its VMA, and munmap frees it: Z26.
 *
 * Source: CVE-2023-20928, fixed by d1d8875c8c13 "binder: fix UAF of alloc->vma in
 * race with munmap()" (6.4).
 *
 * Binder inserts pages into its VMA on behalf of other processes.  It remembered
 * the VMA when it was mapped (alloc->vma), forgot it in ->close, and took
 * mmap_lock for read in between: enough as long as munmap held mmap_lock for
 * write to its end.  Since 4.20 munmap shares the lock before it calls ->close
 * and frees the VMA, and so the pointer dies in the middle of binder's section.
 *
 * What to read out of the variants:
 * - 4.20: munmap is preempted once it shares the lock, binder reads alloc->vma
 *   and is preempted, munmap frees the VMA, binder uses it: two preemptions.
 *   One is enough to let a page land where there is no VMA any more
 *   (pte-without-vma) or in a page table that was freed (pagetable; freed, if
 *   binder has its lock), and to use the VMA unordered with its free
 *   (assert-race).  Without any: nothing orders the store of ->close with the
 *   load of alloc->vma (data-race).
 * - 4.19: munmap does not share its lock, the old reasoning holds.
 * - 6.0 does not keep the pointer, but looks the VMA up by its address under the
 *   read lock: it is in the tree, so munmap has not begun.  It was
 *   reverted for other reasons, which brought the bug back.
 * - 6.4 takes mmap_lock for write, which is not shared with munmap. */
#include <heddle/mm.h>

#define ADDR 0x2000ul

struct binder_alloc {
	struct mm_struct *mm;
	struct vm_area_struct *vma; /* NULL: not mapped */
};

/* How drivers/android/binder_alloc.c gets at its VMA. */
enum { READ_LOCK, LOOK_UP, WRITE_LOCK };
static const int by_read_lock = READ_LOCK, by_lookup = LOOK_UP,
		 by_write_lock = WRITE_LOCK;

static struct mm_struct *mm;
static struct binder_alloc *alloc;

static void binder_vma_close(struct vm_area_struct *vma)
{
	struct binder_alloc *a = vma->vm_private_data;

	a->vma = NULL;
}

static const struct vm_operations_struct binder_vm_ops = {
	.close = binder_vma_close,
};

static void setup(void)
{
	mm = mm_alloc();
	alloc = heddle_alloc(struct binder_alloc);
	alloc->mm = mm;
	alloc->vma = mm_add_vma(mm, ADDR, ADDR + PAGE_SIZE);
	alloc->vma->vm_ops = &binder_vm_ops;
	alloc->vma->vm_private_data = alloc;
	pte_alloc(mm, ADDR);
}

static int how(void)
{
	return *(const int *)mm_form()->more;
}

/* mm/memory.c: refuses addresses outside, then maps the page. */
static int vm_insert_page(struct vm_area_struct *vma, unsigned long addr,
			  unsigned long page)
{
	if (addr < vma->vm_start || addr >= vma->vm_end)
		return -EFAULT;
	set_pte(vma->vm_mm, pte_alloc(vma->vm_mm, addr), addr, page);
	return 0;
}

/* binder_update_page_range: one page for a transaction. */
static int binder_update_page_range(struct binder_alloc *a)
{
	struct vm_area_struct *vma;
	int err = -EINVAL;

	if (how() == WRITE_LOCK)
		mmap_write_lock(a->mm);
	else
		mmap_read_lock(a->mm);
	vma = how() == LOOK_UP ? vma_lookup(a->mm, ADDR) : a->vma;
	if (vma)
		err = vm_insert_page(vma, ADDR, 0x300 | _PAGE_SPECIAL);
	if (how() == WRITE_LOCK)
		mmap_write_unlock(a->mm);
	else
		mmap_read_unlock(a->mm);
	return err;
}

static void munmap_task(void *arg)
{
	(void)arg;
	do_munmap(mm, ADDR, ADDR + PAGE_SIZE);
	return_to_user();
}

static void binder_task(void *arg)
{
	(void)arg;
	if (binder_update_page_range(alloc))
		heddle_mark("binder: not mapped");
	else
		heddle_mark("binder: page inserted");
	return_to_user();
}

static const struct heddle_task tasks[] = {
	{ .name = "munmap", .fn = munmap_task },
	{ .name = "binder", .fn = binder_task },
	{ 0 },
};

static const struct mm_form v4_20 = { .parts = MM_FILE, .more = &by_read_lock };
static const struct mm_form v4_19 = { .parts = MM_FILE, .more = &by_read_lock,
				      .without = MM_STEP_DOWNGRADE };
static const struct mm_form v6_0 = { .parts = MM_FILE, .more = &by_lookup };
static const struct mm_form v6_4 = { .parts = MM_FILE, .more = &by_write_lock };

static const char *const goals[] = { "binder: page inserted",
				     "binder: not mapped", NULL };

static const struct heddle_variant variants[] = {
	{ .name = "4.20", .title = "remembered VMA under the read lock",
	  .data = &v4_20, .kernel = "4.20-5.19",
	  .source = "mm: mmap: zap pages with read mmap_sem in munmap",
	  .expect = { { HD_V_DATA_RACE, 0 }, { HD_V_PTE_WITHOUT_VMA, 1 },
		      { HD_V_PAGETABLE, 1 }, { HD_V_FREED, 1 },
		      { HD_V_LEAK, 1 }, { HD_V_ASSERT_RACE, 1 }, { HD_V_USE_AFTER_FREE, 2 } } },
	{ .name = "4.19", .title = "munmap keeps mmap_lock for write",
	  .data = &v4_19, .kernel = "-4.19" },
	{ .name = "6.0", .title = "VMA looked up under the read lock",
	  .data = &v6_0, .kernel = "6.0-6.3",
	  .source = "android: binder: stop saving a pointer to the VMA" },
	{ .name = "6.4", .title = "remembered VMA under the write lock",
	  .data = &v6_4, .kernel = "6.4-", .source = "d1d8875c8c13" },
	{ 0 },
};

HEDDLE_SCENARIO(binder_vs_munmap) = {
	.name = "binder_vs_munmap",
	.title = "a remembered VMA is used while munmap frees it",
	.source = "CVE-2023-20928, d1d8875c8c13",
	.bug = "Z26 CVE-2023-20928",
	.copied = "binder_update_page_range, binder_vma_close",
	.simplified = "one page, which is a number; no alloc->mutex",
	.not_modelled = "mmget_not_zero and exit, the shrinker",
	.variants = variants,
	.tasks = tasks,
	.setup = setup,
	.goals = goals,
};
