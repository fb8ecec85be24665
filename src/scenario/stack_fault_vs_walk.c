/* SPDX-License-Identifier: MIT */
/* A stack grows while another thread walks over the VMAs: StackRot, Z01 and Z03.
 *
 * Source: CVE-2023-3269, fixed by 8d7071af8907 "mm: always expand the stack with
 * the mmap write lock held" (6.5-rc1, 6.4.1).
 *
 * A fault below a stack used to hold mmap_lock for read while it moved the start
 * of the VMA: two faults were kept apart by other locks, and nobody else was
 * thought to mind.  With the maple tree (6.1) a store replaces a node, and the
 * old one is freed after a grace period.  A walk that goes on from a node that
 * it remembers holds no RCU section: it relies on mmap_lock, which is to say on
 * nobody storing into the tree.  So the node may be freed under it.
 *
 * What to read out of the variants:
 * - 6.1: the walk is preempted between two looks at its node; the fault replaces
 *   it, the grace period ends (nobody is inside RCU), the walk goes on in freed
 *   memory.  One preemption is enough.  assert-race is the same bug seen without
 *   any: nothing orders the walk's loads before the free.
 * - 6.4 is the same with VMA locks.  In addition vm_start and vm_pgoff change
 *   in a VMA that is not write-locked, at any time (unlocked-write).
 * - 6.4.1 takes mmap_lock for write, and the walk is safe.  Faults that look at
 *   the VMA under its own lock do not care for mmap_lock: still unlocked-write.
 *   "mm: lock a vma before stack expansion" (Z03) closed that.
 * - 6.5 has both.  Its retry is the price: between the locks the stack may go
 *   away, so it is looked up again.  6.5-no-second-look shows why: munmap frees
 *   the VMA in between, and the fault then changes it and puts it back into the
 *   tree (tree), or locks what is being freed (freed). */
#include <heddle/mm.h>
#include <heddle/rmap.h>

#define STACK 0x4000ul
#define BELOW (STACK - PAGE_SIZE)

static struct mm_struct *mm;
static struct vm_area_struct *stack;

/* What the second task does. */
static const char walk[] = "walk", unmap[] = "munmap";

static void setup(void)
{
	mm = mm_alloc();
	mm_add_vma(mm, 0x1000, 0x2000);
	stack = mm_add_vma_flags(mm, STACK, STACK + PAGE_SIZE,
				 VM_READ | VM_WRITE | VM_GROWSDOWN);
	heddle_assert(!anon_vma_prepare(stack));
	pte_alloc(mm, BELOW);
}

static void fault_task(void *arg)
{
	int err = do_user_addr_fault(mm, BELOW, FAULT_FLAG_USER);

	(void)arg;
	heddle_assert(!err || mm_form()->more == unmap);
}

static void walk_vmas(void)
{
	struct vm_area_struct *vma, *prev;

	mmap_read_lock(mm);
	vma = find_vma_prev(mm, STACK, &prev);
	heddle_assert(vma == stack && prev);
	heddle_mark("walk has ended");
	mmap_read_unlock(mm);
}

static void other_task(void *arg)
{
	(void)arg;
	if (mm_form()->more == walk)
		walk_vmas();
	else
		do_munmap(mm, STACK, STACK + PAGE_SIZE);
	return_to_user();
}

static const struct heddle_task tasks[] = {
	{ .name = "fault", .fn = fault_task },
	{ .name = "other", .fn = other_task },
	{ 0 },
};

#define GEN1 .lock = &vma_lock_gen1, .free_by_rcu = true
static const struct mm_form v6_1 = { .stack = MM_STACK_5_8, .more = walk };
static const struct mm_form v6_4 = { GEN1, .stack = MM_STACK_5_8,
				     .more = walk };
static const struct mm_form v6_4_1 = { GEN1, .stack = MM_STACK_6_5,
				       .without = MM_STEP_LOCK_STACK,
				       .more = walk };
static const struct mm_form v6_5 = { GEN1, .stack = MM_STACK_6_5,
				     .more = walk };
static const struct mm_form v6_5_munmap = { GEN1, .stack = MM_STACK_6_5,
					    .more = unmap };
static const struct mm_form blind = { GEN1, .stack = MM_STACK_6_5,
				      .without = MM_STEP_FIND_STACK_AGAIN,
				      .more = unmap };

static const char *const goals[] = { "stack grows", "walk has ended", NULL };
static const char *const munmap_goals[] = { "stack grows", "no VMA: SIGSEGV",
					    NULL };

static const struct heddle_variant variants[] = {
	{ .name = "6.1", .title = "grows under mmap_lock for read",
	  .data = &v6_1, .kernel = "6.1-6.3",
	  .expect = { { HD_V_ASSERT_RACE, 0 }, { HD_V_USE_AFTER_FREE, 1 } } },
	{ .name = "6.4", .title = "the same, with VMA locks",
	  .data = &v6_4, .kernel = "6.4",
	  .expect = { { HD_V_UNLOCKED_WRITE, 0 }, { HD_V_ASSERT_RACE, 0 },
		      { HD_V_USE_AFTER_FREE, 1 } } },
	{ .name = "6.4.1", .title = "grows under mmap_lock for write",
	  .data = &v6_4_1, .kernel = "6.4.1-6.4.2", .source = "8d7071af8907",
	  .expect = { { HD_V_UNLOCKED_WRITE, 0 } } },
	{ .name = "6.5", .title = "and write-locks the VMA",
	  .data = &v6_5, .kernel = "6.5-" },
	{ .name = "6.5-munmap", .title = "the same against munmap of the stack",
	  .data = &v6_5_munmap, .kernel = "6.5-", .goals = munmap_goals },
	{ .name = "6.5-no-second-look",
	  .title = "does not look the stack up again", .data = &blind,
	  .source = "broken on purpose: one step left out",
	  .expect = { { HD_V_TREE, 1 }, { HD_V_USE_AFTER_FREE, 1 },
		      { HD_V_ASSERT_RACE, 1 }, { HD_V_FREED, 2 } },
	  .goals = munmap_goals },
	{ 0 },
};

HEDDLE_SCENARIO(stack_fault_vs_walk) = {
	.name = "stack_fault_vs_walk",
	.title = "a stack grows under a walk over the VMAs",
	.source = "CVE-2023-3269 (StackRot), 8d7071af8907",
	.bug = "Z01 CVE-2023-3269",
	.copied = "expand_downwards, lock_mm_and_find_vma, find_vma_prev",
	.simplified = "one tree node, no rlimit, no guard gap",
	.not_modelled = "VM_GROWSUP, reuse of the freed node, GUP",
	.variants = variants,
	.tasks = tasks,
	.setup = setup,
	.goals = goals,
};
