/* SPDX-License-Identifier: MIT */
/* A page fault against a merge that fails half-way: Z08.
 *
 * Source: "mm: lock VMA in dup_anon_vma() before setting ->anon_vma", commit
 * d8ab9f7b644a (6.5-rc4).
 *
 * mprotect() makes the second VMA like the first one, which is to swallow it.
 * The first has no anon_vma and is given the second's, before vma_prepare() locks
 * the VMAs.  If then the clone of the links fails for want of memory, the
 * anon_vma is taken away again.  In between, a fault may have seen it, without
 * any lock, and mapped a page with it: a page that its anon_vma does not lead to.
 * When the second VMA is unmapped, the anon_vma is freed, and the page, which is
 * still mapped, points to it.
 *
 * The writer is one thread: mprotect(), and if that fails munmap() of the second
 * VMA, and what reclaim does with a page: it follows its reverse map.
 *
 * What to read out of the variants:
 * - 6.4: anon_vma is written without the VMA lock (unlocked-write): the rule,
 *   seen in a run of one call after the other.  With one preemption the fault
 *   reads it meanwhile (data-race), and with a failed allocation the page that
 *   it maps is not found (rmap), and reclaim goes to an anon_vma that was freed
 *   (use-after-free).  With two, the anon_vma goes away while the fault uses it:
 *   it maps a page without one (null-deref in reclaim; the kernel has a BUG_ON
 *   before that), or looks at the neighbours without mmap_lock (rcu-usage), as in
 *   fault_vs_mremap.
 * - no-failure: no allocation fails: the rule is broken, and no harm comes of it.
 * - 6.5: dup_anon_vma() write-locks the VMA: the fault waits for mmap_lock.
 * - 6.7: the VMA is write-locked before that; 6.7-no-lock: so leaving the lock of
 *   dup_anon_vma() out changes nothing (it became an assertion). */
#include <heddle/mm.h>
#include <heddle/rmap.h>

#include "../mm/mm.h"

enum { FIRST = 0x2000, SECOND = 0x3000, END = 0x4000 };

static struct mm_struct *mm;

static void setup(void)
{
	mm = mm_alloc();
	mm_add_vma(mm, FIRST, SECOND);
	mm_add_vma(mm, SECOND, END);
	mm_add_page(mm, SECOND, 1);
	do_mprotect(mm, SECOND, END, VM_READ);
	pte_alloc(mm, FIRST);
}

/* A page of FIRST, with a reference, or NULL. */
static struct folio *follow_page(void)
{
	struct page_table *table = pte_offset(mm, FIRST);
	struct folio *folio;

	spin_lock(&table->ptl);
	folio = pte_folio(READ_ONCE(table->pte[pte_index(FIRST)]));
	if (folio)
		folio_get(folio);
	spin_unlock(&table->ptl);
	return folio;
}

static void reclaim(void)
{
	struct folio *folio = follow_page();

	if (!folio)
		return;
	folio_lock(folio);
	rmap_unmap_anon(folio->mapping, folio->index);
	folio_unlock(folio);
	folio_put(folio);
}

static void writer_task(void *arg)
{
	(void)arg;
	if (do_mprotect(mm, SECOND, END, VM_READ | VM_WRITE)) {
		heddle_mark("mprotect fails");
		do_munmap(mm, SECOND, END);
		reclaim();
	}
	return_to_user();
}

static void fault_task(void *arg)
{
	(void)arg;
	do_user_addr_fault(mm, FIRST, FAULT_FLAG_USER | FAULT_FLAG_WRITE);
}

static const struct heddle_task tasks[] = {
	{ .name = "writer", .fn = writer_task },
	{ .name = "fault", .fn = fault_task },
	{ 0 },
};

#define FORM(name, ...)                                               \
	static const struct mm_form name = {                          \
		.lock = &vma_lock_gen1, .free_by_rcu = true,          \
		.parts = MM_ANON, __VA_ARGS__                         \
	}
FORM(k6_4, .modify = MM_MODIFY_6_4,
     .without = MM_STEP_DUP_ANON_VMA_LOCKS | MM_STEP_VMF_ANON_PREPARE);
FORM(k6_5, .modify = MM_MODIFY_6_4, .without = MM_STEP_VMF_ANON_PREPARE);
FORM(k6_7);
FORM(no_lock, .without = MM_STEP_DUP_ANON_VMA_LOCKS);

static const char *const goals[] = { "read lock granted", "mprotect fails",
				     "anonymous page mapped",
				     "anon_vma_clone fails", NULL };

static const char *const no_failure[] = { "read lock granted", "VMAs merged",
					  "anonymous page mapped", NULL };

static const struct heddle_variant variants[] = {
	{ .name = "6.4", .title = "anon_vma is set without the VMA lock",
	  .data = &k6_4, .kernel = "6.4-6.5-rc3", .fail = 1,
	  .expect = { { HD_V_UNLOCKED_WRITE, 0 },
		      { HD_V_DATA_RACE, 1 },
		      { HD_V_RMAP, 1 },
		      { HD_V_USE_AFTER_FREE, 1 },
		      { HD_V_NULL_DEREF, 2 },
		      { HD_V_RCU_USAGE, 2 } } },
	{ .name = "no-failure", .title = "6.4, with memory for all",
	  .data = &k6_4, .kernel = "6.4-6.5-rc3", .goals = no_failure,
	  .expect = { { HD_V_UNLOCKED_WRITE, 0 }, { HD_V_DATA_RACE, 1 } } },
	{ .name = "6.5", .title = "dup_anon_vma write-locks the VMA",
	  .data = &k6_5, .kernel = "6.5", .fail = 1, .bound = 2 },
	{ .name = "6.7", .title = "write-locked before dup_anon_vma",
	  .data = &k6_7, .kernel = "6.7-6.13", .fail = 1, .bound = 2 },
	{ .name = "6.7-no-lock", .title = "and not once more in it",
	  .data = &no_lock, .kernel = "6.6-6.13", .fail = 1, .bound = 2 },
	{ 0 },
};

static const struct heddle_question questions[] = {
	{ "dup_anon_vma() comes before vma_prepare() locks the VMAs: does it "
	  "need the lock itself?",
	  "Yes: a fault that sees the anon_vma maps pages with it, and it may "
	  "be taken away again.",
	  "6.4, 6.5" },
	{ "Is it a bug if no allocation fails?",
	  "The rule is broken, and KCSAN may say so.  No page gets lost.",
	  "no-failure, 6.4" },
	{ NULL },
};

HEDDLE_SCENARIO(fault_vs_failed_merge) = {
	.name = "fault_vs_failed_merge",
	.title = "a page fault against a merge that fails for want of memory",
	.source = "mm: lock VMA in dup_anon_vma() before setting ->anon_vma, "
		  "commit d8ab9f7b644a",
	.bug = "Z08 d8ab9f7b644a",
	.questions = questions,
	.copied = "the order of dup_anon_vma(), vma_prepare() and the undo; "
		  "lock_vma_under_rcu() and anon_vma_prepare()",
	.simplified = "links to anon_vmas are no objects, but may fail",
	.not_modelled = "the type-safe cache of anon_vmas, swap",
	.variants = variants,
	.tasks = tasks,
	.setup = setup,
	.goals = goals,
};
