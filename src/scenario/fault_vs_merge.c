/* SPDX-License-Identifier: MIT */
/* A page fault against VMAs that become one: seed 001, its other questions.
 *
 * Source: as fault_vs_shrink.c.  Liam asks whether vma_complete() may call
 * vma_end_write_all(); Suren answers that it would unlock other VMAs, too.  They
 * ask whether what is removed should be detached in vma_prepare() or in
 * vma_complete().
 *
 * merge: mprotect() makes the second VMA like the first one, which swallows it
 * (case 7); a fault may hold the second VMA, or find it, all the while.
 * move: mremap() moves a VMA to the end of its other half; they become one
 * (vma_expand, vma_complete) while the old place is still to be emptied.
 *
 * What to read out of the variants:
 * - 6.6, 6.15: detached in vma_complete(): a reader that found the VMA before
 *   sees the number (write-locked), and after the unlock that it is detached.
 * - detach-early: in vma_prepare(): as good; any time before the VMA write lock
 *   ends will do.
 * - detach-never: the reader is granted a VMA that is in no tree and about to be
 *   freed: it faults, and gives back the lock, after the grace period.
 * - move-6.6: the old VMA is write-locked until mmap_write_unlock(): clean.
 * - move-end-all: vma_complete() ends all write locks: a fault is let into the
 *   old VMA between the move of its pages and its unmapping (lost-write-lock);
 *   what it writes there is lost. */
#include <heddle/mm.h>

static struct mm_struct *mm;

enum { A = 0x0, B = 0x2000, C = 0x4000, D = 0x6000 };
static const int move_kind = 1;

static bool moves(void)
{
	return mm_form()->more == &move_kind;
}

static void setup(void)
{
	struct vm_area_struct *vma;

	mm = mm_alloc();
	mm_add_vma(mm, A, B);
	if (!moves()) {
		mm_add_vma_flags(mm, B, C, VM_READ);
		return;
	}
	vma = mm_add_vma(mm, C, D);
	mmap_write_lock(mm);
	vma_start_write(vma);
	vma->vm_pgoff = B >> PAGE_SHIFT; /* it came from there */
	mmap_write_unlock(mm);
	pte_alloc(mm, A);
	pte_alloc(mm, C);
}

static void writer_task(void *arg)
{
	int err;

	(void)arg;
	if (moves())
		err = do_mremap(mm, C, D - C, D - C, B, MREMAP_FIXED);
	else
		err = do_mprotect(mm, B, C, VM_READ | VM_WRITE);
	heddle_assert(!err && mm->map_count == 1);
	return_to_user();
}

static void fault_task(void *arg)
{
	(void)arg;
	do_user_addr_fault(mm, moves() ? C : B, FAULT_FLAG_USER);
}

static const struct heddle_task tasks[] = {
	{ .name = "writer", .fn = writer_task },
	{ .name = "fault", .fn = fault_task },
	{ 0 },
};

#define GEN1(name, ...)                                           \
	static const struct mm_form name = { .lock = &vma_lock_gen1, \
					     .free_by_rcu = true, __VA_ARGS__ }
#define GEN3(name, ...)                                           \
	static const struct mm_form name = {                      \
		.lock = &vma_lock_v10, .lock_offset = 0x40000000, __VA_ARGS__ }
GEN1(k6_4, .modify = MM_MODIFY_6_4);
GEN1(k6_6);
GEN1(early, .modify = MM_MODIFY_DETACH_EARLY);
GEN1(never, .modify = MM_MODIFY_DETACH_NEVER);
GEN3(k6_15);
GEN3(never3, .modify = MM_MODIFY_DETACH_NEVER);
GEN1(move, .more = &move_kind);
GEN1(end_all, .modify = MM_MODIFY_END_ALL, .more = &move_kind);
GEN3(move3, .more = &move_kind);

static const struct heddle_variant variants[] = {
	{ .name = "6.4", .title = "merge: vma_prepare takes VMA locks",
	  .data = &k6_4, .kernel = "6.4-6.5" },
	{ .name = "6.6", .title = "merge: detached in vma_complete",
	  .data = &k6_6, .kernel = "6.6-6.13" },
	{ .name = "detach-early", .title = "merge: detached in vma_prepare",
	  .data = &early, .kernel = "asked" },
	{ .name = "detach-never", .title = "merge: freed, but never detached",
	  .data = &never,
	  .source = "mm/mmap.c of 6.6 and 6.15, broken on purpose",
	  .expect = { { HD_V_ASSERT_RACE, 1 },
		      { HD_V_FREED, 2 },
		      { HD_V_USE_AFTER_FREE, 2 } } },
	{ .name = "6.15", .title = "merge: with the reference count",
	  .data = &k6_15, .kernel = "6.15" },
	{ .name = "6.15-detach-never",
	  .title = "merge: the count never becomes 0", .data = &never3,
	  .source = "mm/mmap.c of 6.6 and 6.15, broken on purpose",
	  .expect = { { HD_V_USE_AFTER_FREE, 1 }, { HD_V_FREED, 3 } } },
	{ .name = "move-6.6", .title = "move: locks last to the unlock",
	  .data = &move, .kernel = "6.6-6.13" },
	{ .name = "move-end-all",
	  .title = "move: vma_complete ends all write locks", .data = &end_all,
	  .kernel = "asked", .expect = { { HD_V_LOST_WRITE_LOCK, 1 } } },
	{ .name = "move-6.15", .title = "move: with the reference count",
	  .data = &move3, .kernel = "6.15" },
	{ 0 },
};

static const char *const goals[] = { "read lock granted", "blocked fallback",
				     NULL };

static const struct heddle_question questions[] = {
	{ "Might vma_complete() call vma_end_write_all() as well?",
	  "No.  It ends the write locks of all VMAs of the mm: mremap() loses "
	  "that of the old place before it has emptied it, and a fault is let "
	  "in there.",
	  "move-end-all, move-6.6, move-6.15" },
	{ "Should remove and remove2 be detached in vma_prepare() or in "
	  "vma_complete()?",
	  "Either: any time before the VMA write lock ends is early enough.  "
	  "Not at all is a use after free.",
	  "6.6, detach-early, detach-never, 6.15, 6.15-detach-never" },
	{ "Would vma_prepare() (or init_multi_vma_prep()) be the place to lock "
	  "all VMAs that a merge changes?",
	  "For their ranges, yes.  dup_anon_vma() comes before both and "
	  "changes anon_vma: it needs the lock earlier (see the scenario of "
	  "d8ab9f7b644a).",
	  "6.4, 6.6" },
	{ NULL },
};

HEDDLE_SCENARIO(fault_vs_merge) = {
	.name = "fault_vs_merge",
	.title = "a page fault against VMAs that become one",
	.source = "[PATCH v3 17/35] mm/mmap: write-lock VMA before shrinking "
		  "or expanding it, 24 Feb 2023",
	.seed = "001",
	.questions = questions,
	.copied = "order of locks, detach and free in a merge; mremap()'s order "
		  "of lock, copy, move and unmap",
	.simplified = "pages are numbers, without reverse maps",
	.not_modelled = "page tables moved as a whole, accounting, mlock",
	.variants = variants,
	.tasks = tasks,
	.setup = setup,
	.goals = goals,
};
