/* SPDX-License-Identifier: MIT */
/* mremap moves a page next to a VMA that never had one; reclaim looks for it.
 *
 * Source: "mm/vma: fix anon_vma UAF on mremap() faulted, unfaulted merge"
 * (CVE-2026-23077; 6.16 to 6.18.7, fixed in 6.18.8).
 *
 * The VMA at A has a page, so it has an anon_vma.  The one at B has none, and
 * what mremap copies behind B fits: same flags, and the page numbers go on.  Up to
 * 6.15 the two are not merged, since the list of anon_vmas of B is empty.  6.16
 * merges them, and leaves B without an anon_vma.  When the VMA at A is unmapped,
 * the last one that the anon_vma listed is gone: it is freed, and the page that
 * was moved still points to it.  One task is enough; reclaim is who uses it.
 *
 * mm_mix came upon this by itself, when the merging of VMAs had the same gap.
 *
 * What to read out of it: a page is always to be found through its anon_vma, before
 * and after; reclaim meets it at one of the two places or at none. */
#include <heddle/mm.h>
#include <heddle/rmap.h>

#include "../mm/mm.h"

enum { A = 0x2000, B = 0x5000, MOVED = 0x6000, END = 0x7000 };

static struct mm_struct *mm;
static struct folio *folio;

/* B is as if it had been mapped with A, and a page in front of it. */
static void fits_in_front(struct vm_area_struct *vma)
{
	mmap_write_lock(mm);
	vma_start_write(vma);
	vma->vm_pgoff = (A >> PAGE_SHIFT) - 1;
	mmap_write_unlock(mm);
}

static void setup(void)
{
	mm = mm_alloc();
	mm_add_vma(mm, A, A + PAGE_SIZE);
	fits_in_front(mm_add_vma(mm, B, MOVED));
	mm_add_page(mm, A, 1);
	folio = pte_folio(pte_offset(mm, A)->pte[pte_index(A)]);
	folio_get(folio); /* reclaim has it on its list */
}

static void mremap_task(void *arg)
{
	(void)arg;
	if (do_mremap(mm, A, PAGE_SIZE, PAGE_SIZE, MOVED,
		      MREMAP_FIXED))
		heddle_mark("no memory");
	return_to_user();
}

static void reclaim_task(void *arg)
{
	struct anon_vma *av;

	(void)arg;
	folio_lock(folio);
	av = folio_get_anon_vma(folio);
	if (av) {
		rmap_unmap_anon(av, folio->index);
		put_anon_vma(av);
		heddle_mark("reclaim found it");
	}
	folio_unlock(folio);
	folio_put(folio);
}

static const struct heddle_task tasks[] = {
	{ .name = "mremap", .fn = mremap_task },
	{ .name = "reclaim", .fn = reclaim_task },
	{ 0 },
};

#define FORM(name, ...)                                               \
	static const struct mm_form name = {                          \
		.parts = MM_ANON, .lock = &vma_lock_v10,              \
		.lock_offset = 0x40000000, __VA_ARGS__                \
	}
FORM(k6_15, .modify = MM_MODIFY_6_6);
FORM(k6_16, .modify = MM_MODIFY_COPY_6_16);
FORM(k6_18_8, .modify = MM_MODIFY_COPY_6_18_8);

static const char *const goals[] = { "VMA moved", "reclaim found it", NULL };

static const char *const enomem_goals[] = { "VMA moved", "reclaim found it",
					    "no memory", NULL };

static const struct heddle_variant variants[] = {
	{ .name = "6.15", .title = "not merged", .data = &k6_15,
	  .kernel = "6.15", .goals = goals },
	{ .name = "6.16", .title = "merged, without the anon_vma",
	  .data = &k6_16, .kernel = "6.16-6.18.7",
	  .expect = { { HD_V_RMAP, 0 }, { HD_V_USE_AFTER_FREE, 0 } } },
	{ .name = "6.18.8", .title = "merged, and the anon_vma goes along",
	  .data = &k6_18_8, .kernel = "6.18.8", .goals = goals },
	{ .name = "6.18.8-enomem", .title = "the same, and something fails",
	  .data = &k6_18_8, .kernel = "6.18.8", .fail = 1,
	  .goals = enomem_goals },
	{ 0 },
};

HEDDLE_SCENARIO(mremap_vs_reclaim) = {
	.name = "mremap_vs_reclaim",
	.title = "a page that mremap moved against reclaim",
	.source = "\"mm/vma: fix anon_vma UAF on mremap() faulted, unfaulted "
		  "merge\" (6.18.8)",
	.bug = "CVE-2026-23077",
	.copied = "which VMAs are merged, when the anon_vma is duplicated",
	.simplified = "reclaim holds a reference to the page",
	.not_modelled = "the case in which both neighbours are merged, swap",
	.variants = variants,
	.tasks = tasks,
	.setup = setup,
	.goals = goals,
};
