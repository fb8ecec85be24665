/* SPDX-License-Identifier: MIT */
/* A stack grows while another thread faults in the part that was there: Z03.
 *
 * Source: "mm: lock a vma before stack expansion" (6.5-rc1).
 *
 * To grow, a stack gets a lower vm_start and a vm_pgoff that is as much lower; an
 * address has the same page number before and after.  The fault below the stack
 * holds mmap_lock for write since 6.4.1, but a fault inside it holds the VMA lock
 * only, and reads both fields to work out the number of its page.
 *
 * What to read out of the variants:
 * - 6.4.1: it reads the new vm_start and the old vm_pgoff: the page gets a number
 *   that is too high by what the stack has grown, and is not found from its
 *   anon_vma any more (rmap): reclaim and migration pass over it.  One
 *   preemption, between the two stores.  The rule alone is broken in every run
 *   (unlocked-write); the fields are read and written without order between
 *   (data-race).
 * - 6.5: the VMA is write-locked before either changes. */
#include <heddle/mm.h>
#include <heddle/rmap.h>

#define STACK 0x4000ul
#define BELOW (STACK - PAGE_SIZE)

static struct mm_struct *mm;

static void setup(void)
{
	struct vm_area_struct *stack;

	mm = mm_alloc();
	stack = mm_add_vma_flags(mm, STACK, STACK + PAGE_SIZE,
				 VM_READ | VM_WRITE | VM_GROWSDOWN);
	heddle_assert(!anon_vma_prepare(stack));
	pte_alloc(mm, STACK);
	pte_alloc(mm, BELOW);
}

/* The zero page below; a page of its own above. */
static void grow_task(void *arg)
{
	(void)arg;
	heddle_assert(!do_user_addr_fault(mm, BELOW, FAULT_FLAG_USER));
}

static void fault_task(void *arg)
{
	(void)arg;
	heddle_assert(!do_user_addr_fault(mm, STACK, FAULT_FLAG_USER |
							     FAULT_FLAG_WRITE));
}

static const struct heddle_task tasks[] = {
	{ .name = "grow", .fn = grow_task },
	{ .name = "fault", .fn = fault_task },
	{ 0 },
};

#define GEN1 .lock = &vma_lock_gen1, .free_by_rcu = true, \
	.parts = MM_ANON, .stack = MM_STACK_6_5
static const struct mm_form v6_4_1 = { GEN1, .without = MM_STEP_LOCK_STACK };
static const struct mm_form v6_5 = { GEN1 };

static const char *const goals[] = { "stack grows", "read lock granted",
				     "anonymous page mapped", NULL };

static const struct heddle_variant variants[] = {
	{ .name = "6.4.1", .title = "grows under mmap_lock for write alone",
	  .data = &v6_4_1, .kernel = "6.4.1-6.4.2",
	  .expect = { { HD_V_UNLOCKED_WRITE, 0 }, { HD_V_DATA_RACE, 0 },
		      { HD_V_RMAP, 1 } } },
	{ .name = "6.5", .title = "and write-locks the VMA", .data = &v6_5,
	  .kernel = "6.5-" },
	{ 0 },
};

HEDDLE_SCENARIO(stack_fault_vs_fault) = {
	.name = "stack_fault_vs_fault",
	.title = "a stack grows under a fault that counts its pages",
	.source = "mm: lock a vma before stack expansion, 6.5-rc1",
	.bug = "Z03 lock a vma before stack expansion",
	.copied = "expand_downwards, lock_mm_and_find_vma, linear_page_index",
	.simplified = "one tree node, no rlimit, no guard gap",
	.not_modelled = "VM_GROWSUP, swap",
	.variants = variants,
	.tasks = tasks,
	.setup = setup,
	.goals = goals,
};
