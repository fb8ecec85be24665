/* SPDX-License-Identifier: MIT */
/* A page fault against mremap(MREMAP_DONTUNMAP) and munmap of the neighbour: Z06.
 *
 * Source: "mm: lock_vma_under_rcu() must check vma->anon_vma under vma lock"
 * (6.5).
 *
 * A fault in a VMA without anon_vma looks for one at the neighbours, which only
 * mmap_lock keeps from going away.  So 6.4 does not handle such a VMA under the
 * VMA lock; but it looked before it had the lock.  mremap() with
 * MREMAP_DONTUNMAP moves the pages and leaves the VMA there, without anon_vma:
 * under all locks, and in between.  The fault then goes to the neighbour with no
 * lock that protects that one, while munmap() frees it.
 *
 * What to read out of the variants:
 * - 6.4: without preemption, nothing orders what the fault reads (anon_vma) with
 *   its writer (data-race).  With one, mremap() comes between the look and the
 *   lock, and the fault walks the tree with neither mmap_lock nor RCU (rcu-usage).
 *   With two, munmap() frees the neighbour, or the tree's node, which the fault
 *   has in its hands (use-after-free; assert-race where the free comes
 *   first, or where only luck ordered them).
 * - 6.5: looked at under the lock: clean.
 * - 6.7, 6.15: the handler takes mmap_lock itself when it needs an anon_vma: it
 *   tries, and if that fails gives the VMA lock back.
 * - 6.7-waits: it waits instead, in a VMA that has never been written to, while
 *   mremap() holds mmap_lock and waits for the VMA lock.  lockdep says so in a
 *   run of one call after the other (circular); that they really meet takes a
 *   preemption (deadlock). */
#include <heddle/mm.h>

/* the VMA, its neighbour, and where the VMA's pages go */
enum { V = 0x2000, X = 0x3000, X_END = 0x4000, NEW = 0x8000 };

static struct mm_struct *mm;
static const int never_written = 1;

static void setup(void)
{
	mm = mm_alloc();
	mm_add_vma(mm, V, X);
	mm_add_vma_flags(mm, X, X_END, VM_READ);
	if (mm_form()->more == &never_written)
		return;
	/* it has had a page, which was given back (MADV_DONTNEED) */
	mm_add_page(mm, V, 1);
	do_madvise_dontneed(mm, V, X);
}

/* Two system calls; what happens between them costs no preemption. */
static void writer_task(void *arg)
{
	int err;

	(void)arg;
	err = do_mremap(mm, V, X - V, X - V, NEW, MREMAP_DONTUNMAP);
	heddle_assert(!err);
	return_to_user();
	yield();
	do_munmap(mm, X, X_END);
	return_to_user();
}

static void fault_task(void *arg)
{
	(void)arg;
	heddle_assert(!do_user_addr_fault(mm, V,
					  FAULT_FLAG_USER | FAULT_FLAG_WRITE));
}

static const struct heddle_task tasks[] = {
	{ .name = "writer", .fn = writer_task },
	{ .name = "fault", .fn = fault_task },
	{ 0 },
};

#define FORM(name, ...)                                               \
	static const struct mm_form name = { .parts = MM_ANON, __VA_ARGS__ }
#define GEN1 .lock = &vma_lock_gen1, .free_by_rcu = true
FORM(k6_4, GEN1, .without = MM_STEP_VMF_ANON_PREPARE |
		 MM_STEP_ANON_VMA_CHECK_LOCKED);
FORM(k6_5, GEN1, .without = MM_STEP_VMF_ANON_PREPARE);
FORM(k6_7, GEN1);
FORM(waits, GEN1, .without = MM_STEP_ANON_PREPARE_TRIES,
     .more = &never_written);
FORM(k6_15, .lock = &vma_lock_v10, .lock_offset = 0x40000000);

static const char *const goals[] = { "read lock granted", "blocked fallback",
				     "anonymous page mapped", "VMA moved",
				     NULL };

static const struct heddle_variant variants[] = {
	{ .name = "6.4", .title = "anon_vma is looked at before the VMA lock",
	  .data = &k6_4, .kernel = "6.4",
	  .expect = { { HD_V_DATA_RACE, 0 },
		      { HD_V_RCU_USAGE, 1 },
		      { HD_V_ASSERT_RACE, 2 },
		      { HD_V_USE_AFTER_FREE, 2 } } },
	{ .name = "6.5", .title = "anon_vma is looked at under the VMA lock",
	  .data = &k6_5, .kernel = "6.5-6.6", .bound = 2 },
	{ .name = "6.7", .title = "the handler tries mmap_lock",
	  .data = &k6_7, .kernel = "6.7-6.13", .bound = 2 },
	{ .name = "6.7-waits", .title = "the handler waits for mmap_lock",
	  .data = &waits, .kernel = "mutation",
	  .expect = { { HD_V_CIRCULAR, 0 }, { HD_V_DEADLOCK, 1 } } },
	{ .name = "6.15", .title = "the same, the lock as a reference count",
	  .data = &k6_15, .kernel = "6.15", .bound = 2 },
	{ 0 },
};

static const struct heddle_question questions[] = {
	{ "The VMA had an anon_vma when it was found: may it be gone when it "
	  "is locked?",
	  "Yes: mremap() with MREMAP_DONTUNMAP takes it away, and gives all "
	  "its locks back, in between.",
	  "6.4, 6.5" },
	{ "May a fault wait for mmap_lock under the VMA lock?",
	  "No, only try: who holds it for write may wait for the VMA lock.",
	  "6.7-waits, 6.7, 6.15" },
	{ NULL },
};

HEDDLE_SCENARIO(fault_vs_mremap) = {
	.name = "fault_vs_mremap",
	.title = "a page fault against mremap that keeps the VMA, and munmap "
		 "of its neighbour",
	.source = "mm: lock_vma_under_rcu() must check vma->anon_vma under vma "
		  "lock (6.5)",
	.bug = "Z06 lock_vma_under_rcu() and anon_vma",
	.questions = questions,
	.copied = "lock_vma_under_rcu() of 6.4, 6.5 and 6.7; anon_vma_prepare()",
	.simplified = "page tables are moved entry by entry",
	.not_modelled = "the other VMAs that 6.4 refused (files, userfaultfd)",
	.variants = variants,
	.tasks = tasks,
	.setup = setup,
	.goals = goals,
};
