/* SPDX-License-Identifier: MIT */
/* A stack grows into a range that is being unmapped: Z25.
 *
 * Source: CVE-2021-20200, fixed by 246c320a8cfe "mm/mmap.c: close race between
 * munmap() and expand_upwards()/downwards()" (5.8); open since munmap shares
 * mmap_lock while it zaps pages (4.20).
 *
 * munmap takes its VMAs out of the tree under mmap_lock for write, makes a read
 * lock of it, and then goes through pages and page tables of the range, which
 * it takes for nobody's.  The VMA above is a stack.  A fault below it holds
 * mmap_lock for read, finds the range free, grows the stack into it and maps a
 * page.  munmap zaps that page, and frees the page table under the fault.
 *
 * What to read out of the variants:
 * - 4.20: a page that a fault has just mapped is gone (assert), or the fault
 *   writes into the freed page table (pagetable; freed, if it holds or waits for
 *   the table's lock), or munmap frees the table with the new page in it
 *   (pte-without-vma).  One preemption is enough, in munmap behind the downgrade.
 *   Without any, races say the same: the fault looks at the upper entry while
 *   munmap clears it (data-race), and at the table unordered with its free.
 * - 4.20-gap: it need not be the neighbour's edge.  Page tables are freed up to
 *   where the stack began, so that one which has grown into their group loses
 *   its page although the page never lay in the range.
 * - 4.19, before the downgrade: mmap_lock stays write-locked, nothing can meet.
 * - 5.8 does just that if the next VMA is a stack, however far away.
 * - 6.5 needs no exception: stacks grow under mmap_lock for write, which munmap
 *   keeps away until it has ended.  (VMA locks are left out: what lies below a
 *   stack has no VMA that could be locked.)
 *
 * Before 6.1 the tree had no RCU; that its nodes are replaced here changes
 * nothing, since munmap does not look at the tree any more. */
#include <heddle/mm.h>
#include <heddle/rmap.h>

#define STACK 0x4000ul
#define BELOW (STACK - PAGE_SIZE)

static struct mm_struct *mm;

/* Where the range ends that is unmapped. */
static const unsigned long next_to_it = STACK, not_next = BELOW;

static unsigned long unmap_end(void)
{
	return *(const unsigned long *)mm_form()->more;
}

static void setup(void)
{
	struct vm_area_struct *stack;

	mm = mm_alloc();
	mm_add_vma(mm, unmap_end() - PAGE_SIZE, unmap_end());
	stack = mm_add_vma_flags(mm, STACK, STACK + PAGE_SIZE,
				 VM_READ | VM_WRITE | VM_GROWSDOWN);
	heddle_assert(!anon_vma_prepare(stack));
	pte_alloc(mm, BELOW);
}

static void munmap_task(void *arg)
{
	(void)arg;
	do_munmap(mm, unmap_end() - PAGE_SIZE, unmap_end());
	return_to_user();
}

static bool faulted; /* the fault said that there is a page */

static void fault_task(void *arg)
{
	(void)arg;
	faulted = !do_user_addr_fault(mm, BELOW, FAULT_FLAG_USER);
}

static void check(void)
{
	struct vm_area_struct *vma = vma_lookup(mm, BELOW);
	struct page_table *table = pte_offset(mm, BELOW);

	/* the page is the stack's, and nobody has unmapped the stack */
	if (faulted && vma && vma->vm_flags & VM_GROWSDOWN)
		heddle_assert(table && table->pte[pte_index(BELOW)]);
}

static const struct heddle_task tasks[] = {
	{ .name = "munmap", .fn = munmap_task },
	{ .name = "fault", .fn = fault_task },
	{ 0 },
};

static const struct mm_form v4_20 = { .stack = MM_STACK_4_20,
				      .more = &next_to_it };
static const struct mm_form v4_20_gap = { .stack = MM_STACK_4_20,
					  .more = &not_next };
static const struct mm_form v4_19 = { .stack = MM_STACK_4_20,
				      .without = MM_STEP_DOWNGRADE,
				      .more = &next_to_it };
static const struct mm_form v5_8 = { .stack = MM_STACK_5_8,
				     .more = &next_to_it };
static const struct mm_form v5_8_gap = { .stack = MM_STACK_5_8,
					 .more = &not_next };
static const struct mm_form v6_5 = { .stack = MM_STACK_6_5,
				     .more = &next_to_it };

static const char *const goals[] = { "stack grows", NULL };

#define LOST_PAGE                                                      \
	.expect = { { HD_V_DATA_RACE, 0 }, { HD_V_ASSERT, 1 },         \
		    { HD_V_PTE_WITHOUT_VMA, 1 },                       \
		    { HD_V_PAGETABLE, 1 }, { HD_V_FREED, 1 },          \
		    { HD_V_ASSERT_RACE, 1 } }

static const struct heddle_variant variants[] = {
	{ .name = "4.20", .title = "munmap shares mmap_lock, stacks grow",
	  .data = &v4_20, .kernel = "4.20-5.7",
	  .source = "mm: mmap: zap pages with read mmap_sem in munmap",
	  LOST_PAGE },
	{ .name = "4.20-gap", .title = "the same with a free page in between",
	  .data = &v4_20_gap, .kernel = "4.20-5.7", LOST_PAGE },
	{ .name = "4.19", .title = "munmap keeps mmap_lock for write",
	  .data = &v4_19, .kernel = "-4.19" },
	{ .name = "5.8", .title = "munmap keeps it if its neighbour is a stack",
	  .data = &v5_8, .kernel = "5.8-6.4" },
	{ .name = "5.8-gap", .title = "the stack is not next to it",
	  .data = &v5_8_gap, .kernel = "5.8-6.4" },
	{ .name = "6.5", .title = "stacks grow under mmap_lock for write",
	  .data = &v6_5, .kernel = "6.5-" },
	{ 0 },
};

HEDDLE_SCENARIO(stack_fault_vs_munmap) = {
	.name = "stack_fault_vs_munmap",
	.title = "a stack grows into a range that is being unmapped",
	.source = "CVE-2021-20200, 246c320a8cfe",
	.bug = "Z25 CVE-2021-20200",
	.copied = "expand_downwards, the downgrade in munmap",
	.simplified = "one tree node, no rlimit, no guard gap",
	.different = "the tree's nodes are replaced as in 6.1",
	.not_modelled = "VM_GROWSUP, TLB, merging",
	.variants = variants,
	.tasks = tasks,
	.setup = setup,
	.check = check,
	.goals = goals,
};
