/* SPDX-License-Identifier: MIT */
/* A page fault against a VMA that becomes smaller: seed 001.
 *
 * Source: Liam R. Howlett and Suren Baghdasaryan, 24 Feb 2023, on [PATCH v3
 * 17/35] "mm/mmap: write-lock VMA before shrinking or expanding it" (the
 * per-VMA lock series, merged in 6.4).  The VMA has two groups of pages; the
 * second one can be mapped as a huge page.  One task gives up the last two
 * pages (mremap to a smaller size, brk: do_munmap of the tail, which splits the
 * VMA), another one faults in the second group, in the part that stays.
 *
 * vma_adjust_trans_huge() splits a huge page that would cross the new bound.  It
 * looks once.  A fault that is let in after that look and before the VMA is
 * locked maps a huge page across the new bound, and page table locks cannot
 * prevent it, because they do not keep the bound in place: verdict huge-pmd.
 *
 * What to read out of the variants:
 * - 6.2: no VMA lock; faults take mmap_lock, the old order was right.
 * - v3: VMA lock, vma_adjust_trans_huge(), then i_mmap and anon_vma: right.
 * - guess: what the mail asks about: "its modifications are done under PTL".
 * - 6.4: vma_prepare(), now with the VMA locks, before vma_adjust_trans_huge():
 *   right, for the bound.  The new VMA of the split is not locked when it goes
 *   into the tree: against the rule, without harm here (Z12).
 * - 6.6: VMA locks at each place, before vma_prepare(); the new VMA as well.
 * - rmap: reclaim or truncate walk from i_mmap_rwsem to the page table lock
 *   while the split takes them in the order of the mail: no cycle. */
#include <heddle/mm.h>
#include <heddle/rmap.h>

static struct mm_struct *mm;
static struct file *file;

enum { START = 0x4000, NEW_END = 0x6000, END = 0x8000, ADDR = 0x4000 };

static void setup(void)
{
	mm = mm_alloc();
	file = mm_has(MM_FILE) ? mm_new_file() : NULL;
	mm_add_vma_file(mm, START, END, VM_READ | VM_WRITE, file, NULL);
}

static void shrink_task(void *arg)
{
	(void)arg;
	do_munmap(mm, NEW_END, END);
	return_to_user();
}

static void fault_task(void *arg)
{
	(void)arg;
	do_user_addr_fault(mm, ADDR, FAULT_FLAG_USER);
}

static void rmap_task(void *arg)
{
	(void)arg;
	if (mm_has(MM_FILE))
		unmap_mapping_pages(file->f_mapping, 4, 5);
}

static const struct heddle_task tasks[] = {
	{ .name = "shrink", .fn = shrink_task },
	{ .name = "fault", .fn = fault_task },
	{ .name = "rmap", .fn = rmap_task },
	{ 0 },
};

#define FORM(name, ...)                                                \
	static const struct mm_form name = { .free_by_rcu = true,      \
					     .parts = MM_THP, __VA_ARGS__ }
FORM(k6_2, .modify = MM_MODIFY_6_2);
FORM(v3, .lock = &vma_lock_gen1, .modify = MM_MODIFY_V3);
FORM(guess, .lock = &vma_lock_gen1, .modify = MM_MODIFY_GUESS);
FORM(k6_4, .lock = &vma_lock_gen1, .modify = MM_MODIFY_6_4);
FORM(k6_6, .lock = &vma_lock_gen1);
static const struct mm_form k6_15 = { .lock = &vma_lock_v10,
				      .lock_offset = 0x40000000,
				      .parts = MM_THP };
static const struct mm_form rmap = { .lock = &vma_lock_gen1,
				     .free_by_rcu = true,
				     .parts = MM_THP | MM_FILE };

static const struct heddle_variant variants[] = {
	{ .name = "6.2", .title = "no VMA lock: faults take mmap_lock",
	  .data = &k6_2, .kernel = "6.2-6.3" },
	{ .name = "v3", .title = "VMA lock, then adjust, then vma_prepare",
	  .data = &v3, .kernel = "posted",
	  .expect = { { HD_V_UNLOCKED_WRITE, 0 } } },
	{ .name = "guess", .title = "adjust, then vma_prepare takes VMA locks",
	  .data = &guess, .kernel = "asked",
	  .expect = { { HD_V_UNLOCKED_WRITE, 0 }, { HD_V_HUGE_PMD, 1 } } },
	{ .name = "6.4", .title = "vma_prepare takes VMA locks, then adjust",
	  .data = &k6_4, .kernel = "6.4-6.5",
	  .expect = { { HD_V_UNLOCKED_WRITE, 0 } } },
	{ .name = "6.6", .title = "VMA locks, vma_prepare, adjust",
	  .data = &k6_6, .kernel = "6.6-6.13" },
	{ .name = "6.15", .title = "the same with the reference count",
	  .data = &k6_15, .kernel = "6.15" },
	{ .name = "rmap", .title = "6.6 with a walk from i_mmap to the PTEs",
	  .data = &rmap, .kernel = "6.6-6.13", .bound = 2 },
	{ 0 },
};

static const char *const goals[] = { "huge page mapped", "huge page split",
				     "VMA split", "blocked fallback", NULL };

static const struct heddle_question questions[] = {
	{ "Is it safe to call vma_prepare(), with the VMA locks in it, before "
	  "vma_adjust_trans_huge()?",
	  "Yes.  No huge page crosses the new bound, and no cycle of locks is "
	  "added: vma_adjust_trans_huge() takes page table locks only, which "
	  "are innermost anyway.",
	  "6.4, 6.6, 6.15, rmap" },
	{ "Is it safe to call it after vma_adjust_trans_huge(), since that one "
	  "makes its changes under the page table lock, which faults take as "
	  "well?",
	  "No.  The lock protects the entry, not the bound: a fault between "
	  "the two maps a huge page across the new bound.",
	  "guess" },
	{ "Was the order in which v3 has it right?",
	  "Yes for huge pages.  But the new VMA of the split goes into the "
	  "tree without having been locked; 6.6 locks it.",
	  "v3, 6.6" },
	{ NULL },
};

HEDDLE_SCENARIO(fault_vs_shrink) = {
	.name = "fault_vs_shrink",
	.title = "a huge page fault against a VMA that is cut",
	.source = "[PATCH v3 17/35] mm/mmap: write-lock VMA before shrinking "
		  "or expanding it, 24 Feb 2023",
	.seed = "001",
	.questions = questions,
	.copied = "order of VMA locks, i_mmap_rwsem, anon_vma and page table "
		  "locks around a split; what a fault looks at before it maps "
		  "a huge page",
	.simplified = "a huge page is one number; 16 pages of address space",
	.not_modelled = "the mmu notifier that vma_adjust_trans_huge() starts "
			"and ends, and what drivers do there; deposited page "
			"tables; hugetlb",
	.variants = variants,
	.tasks = tasks,
	.setup = setup,
	.goals = goals,
};
