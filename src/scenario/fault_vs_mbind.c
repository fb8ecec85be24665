/* SPDX-License-Identifier: MIT */
/* mbind() replaces the memory policy that a page fault is using: Z09.
 *
 * Source: CVE-2023-4611, fixed by 6c21e066f925 "mm/mempolicy: Take VMA lock
 * before replacing policy" (6.5).
 *
 * Each VMA has a policy of its own that says from which node its pages come.  A
 * fault reads it without a reference: mmap_lock used to keep mbind() away, which
 * replaces the policy under mmap_lock for write and frees the old one.  With VMA
 * locks (6.4) a fault holds only its VMA, and mbind() did not lock that.
 *
 * What to read out of the variants:
 * - 6.4: the fault takes vma->vm_policy, mbind() frees it, the fault reads the
 *   node out of freed memory: one preemption.  Where the two do not meet like
 *   that, still nothing but the page table's lock orders the fault with the store
 *   (data-race) and the free (assert-race); and vm_policy is always changed in a
 *   VMA that is not write-locked (unlocked-write).  And mbind()
 *   collects the pages to be moved before it replaces the policy: a fault in
 *   between still takes its page from the old node, nobody moves it, and mbind()
 *   has returned success (assert).
 * - 6.5-late locks each VMA where it replaces the policy.  That is all that the
 *   use after free needs, but the page that mbind() missed is still missed.
 * - 6.5 locks all VMAs of the range before it looks for pages.
 * - 6.5-split: mbind() on a part of the VMA, which is split; what the new VMA
 *   has is a copy of the policy. */
#include <heddle/mempolicy.h>
#include <heddle/mm.h>

#define ADDR 0x2000ul
#define NODE 1

static struct mm_struct *mm;

/* How many of the two pages of the VMA mbind() is about. */
static const unsigned long both = 2, one = 1;

static unsigned long bind_end(void)
{
	return ADDR + *(const unsigned long *)mm_form()->more * PAGE_SIZE;
}

static void setup(void)
{
	struct vm_area_struct *vma;

	mm = mm_alloc();
	vma = mm_add_vma(mm, ADDR, ADDR + 2 * PAGE_SIZE);
	mmap_write_lock(mm);
	vma_start_write(vma);
	vma->vm_policy = mpol_new(0);
	mmap_write_unlock(mm);
	pte_alloc(mm, ADDR);
}

static void mbind_task(void *arg)
{
	(void)arg;
	heddle_assert(!do_mbind(mm, ADDR, bind_end(), NODE));
	return_to_user();
}

static void fault_task(void *arg)
{
	(void)arg;
	heddle_assert(!do_user_addr_fault(mm, ADDR, FAULT_FLAG_USER));
}

static void check(void)
{
	unsigned long pte = pte_offset(mm, ADDR)->pte[pte_index(ADDR)];
	bool page_is_where_mbind_said = PAGE_NODE(pte) == NODE;

	heddle_assert(page_is_where_mbind_said);
}

static const struct heddle_task tasks[] = {
	{ .name = "mbind", .fn = mbind_task },
	{ .name = "fault", .fn = fault_task },
	{ 0 },
};

#define GEN1 .lock = &vma_lock_gen1, .free_by_rcu = true, .parts = MM_POLICY
static const struct mm_form v6_4 = { GEN1, .without = MM_STEP_MBIND_LOCKS,
				     .more = &both };
static const struct mm_form late = { GEN1,
				     .without = MM_STEP_MBIND_LOCKS_FIRST,
				     .more = &both };
static const struct mm_form v6_5 = { GEN1, .more = &both };
static const struct mm_form split = { GEN1, .more = &one };

static const char *const goals[] = { "read lock granted",
				     "page moved to its node", NULL };

static const struct heddle_variant variants[] = {
	{ .name = "6.4", .title = "mbind() does not lock the VMA",
	  .data = &v6_4, .kernel = "6.4",
	  .expect = { { HD_V_UNLOCKED_WRITE, 0 }, { HD_V_USE_AFTER_FREE, 1 },
		      { HD_V_ASSERT, 1 }, { HD_V_DATA_RACE, 1 },
		      { HD_V_ASSERT_RACE, 1 } } },
	{ .name = "6.5-late", .title = "locks it where it replaces the policy",
	  .data = &late,
	  .source = "broken on purpose: locks where it writes",
	  .expect = { { HD_V_ASSERT, 1 } } },
	{ .name = "6.5", .title = "locks all before it looks for pages",
	  .data = &v6_5, .kernel = "6.5-", .source = "6c21e066f925" },
	{ .name = "6.5-split", .title = "the same on a part of the VMA",
	  .data = &split, .kernel = "6.5-" },
	{ 0 },
};

HEDDLE_SCENARIO(fault_vs_mbind) = {
	.name = "fault_vs_mbind",
	.title = "mbind() replaces the policy that a fault is using",
	.source = "CVE-2023-4611, 6c21e066f925",
	.bug = "Z09 CVE-2023-4611",
	.copied = "do_mbind, queue_pages_range, vma_replace_policy",
	.simplified = "one node per policy, pages are numbers, no merging",
	.not_modelled = "set_mempolicy_home_node, cpuset rebinding, shared policies",
	.variants = variants,
	.tasks = tasks,
	.setup = setup,
	.check = check,
	.goals = goals,
};
