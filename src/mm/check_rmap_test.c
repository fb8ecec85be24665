/* SPDX-License-Identifier: MIT */
/* Each thing that check_rmap.c and check_leak.c look for, done wrong and right:
 * safe and broken twins. */
#include <heddle/mm.h>
#include <heddle/rmap.h>

#include "../base/twin.h"
#include "mm.h"

enum { A = 0x2000, B = 0x3000, C = 0x4000 };

struct test {
	struct mm_form form;
	bool broken;
};

#define FORM .lock = &vma_lock_v10, .lock_offset = 0x40000000, .parts = MM_ANON
static const struct test safe = { .form = { FORM } };
static const struct test broken_task = { .form = { FORM }, .broken = true };

static bool broken(void)
{
	return ((const struct test *)heddle_variant_data())->broken;
}

#define FORMS(id, ...)                                                 \
	static const struct heddle_variant id##_variants[] = {         \
		{ .name = "safe", .data = &safe },                     \
		{ .name = "broken", .data = &broken_task,              \
		  .expect = { __VA_ARGS__ } },                         \
		{ .name = NULL },                                      \
	}
/* One task, which does it wrong in the broken form. */
#define ALONE(id, text, fn, ...)                                       \
	TWIN_TASKS(id, { "task", fn });                                \
	FORMS(id, __VA_ARGS__);                                        \
	static void id##_setup(void) { one_page(); }                   \
	TWIN(id, text)

static struct mm_struct *mm;
static struct vm_area_struct *vma;

static void one_page(void)
{
	mm = mm_alloc();
	vma = mm_add_vma(mm, A, B);
	mm_add_page(mm, A, 1);
}

static unsigned long *pte(void)
{
	return &pte_offset(mm, A)->pte[pte_index(A)];
}

static struct folio *folio(void)
{
	return pte_folio(READ_ONCE(*pte()));
}

/* --- reverse maps -------------------------------------------------------------- */

static void forget_anon_vma(void *arg)
{
	(void)arg;
	mmap_write_lock(mm);
	vma_start_write(vma);
	if (!broken())
		unmap_region(mm, A, B);
	unlink_anon_vmas(vma);
	mmap_write_unlock(mm);
}
ALONE(freed, "mm/rmap, anon_vma freed", forget_anon_vma, SHOWS(RMAP));

/* The page is another VMA's as well, which keeps the anon_vma alive. */
static void unlisted(void *arg)
{
	struct vm_area_struct *other;

	(void)arg;
	mmap_write_lock(mm);
	if (!split_vma(vma, B, false)) {
		other = vma_lookup(mm, B);
		vma_start_write(vma);
		if (broken() && other)
			unlink_anon_vmas(vma);
	}
	mmap_write_unlock(mm);
}

static void two_pages(void)
{
	mm = mm_alloc();
	vma = mm_add_vma(mm, A, C);
	mm_add_page(mm, A, 1);
}

#define unlisted_setup two_pages
TWIN_TASKS(unlisted, { "task", unlisted });
FORMS(unlisted, SHOWS(RMAP));
TWIN(unlisted, "mm/rmap, VMA not in the list");

static void no_anon_vma(void *arg)
{
	(void)arg;
	if (broken())
		folio()->mapping = NULL;
}
ALONE(none, "mm/rmap, page without anon_vma", no_anon_vma, SHOWS(RMAP));

static void move_page(void *arg)
{
	(void)arg;
	mmap_write_lock(mm);
	vma_start_write(vma);
	if (broken())
		vma->vm_pgoff++; /* and the pages know nothing of it */
	mmap_write_unlock(mm);
}
ALONE(index, "mm/rmap, index", move_page, SHOWS(RMAP));

static void free_mapped(void *arg)
{
	(void)arg;
	if (broken())
		folio_put(folio());
}
ALONE(mapped, "mm/rmap, freed page is mapped", free_mapped, SHOWS(RMAP));

/* A walk from the page, while madvise() takes it away. */
static void walk_rmap(void *arg)
{
	(void)arg;
	rmap_unmap_anon(vma->avc[0], A >> PAGE_SHIFT);
}

static void madvise_task(void *arg)
{
	(void)arg;
	do_madvise_dontneed(mm, A, B);
}

#define walk_setup one_page
TWIN_TASKS(walk, { "madvise", madvise_task }, { "walk", walk_rmap });
static const struct heddle_variant walk_variants[] = {
	{ .name = "safe", .data = &safe },
	{ .name = NULL },
};
TWIN(walk, "mm/rmap walk and madvise");

/* --- counters ------------------------------------------------------------------------- */

static void count_mapping(void *arg)
{
	(void)arg;
	if (broken())
		atomic_inc(&folio()->_mapcount);
}
ALONE(mapcount, "mm/rmap, _mapcount", count_mapping, SHOWS(RMAP));

static void free_counted(void *arg)
{
	struct folio *f = folio();

	(void)arg;
	if (broken())
		atomic_inc(&f->_mapcount);
	do_madvise_dontneed(mm, A, B);
}
ALONE(counted, "mm/rmap, _mapcount of a freed page", free_counted, SHOWS(RMAP));

static void forget_unlock(void *arg)
{
	(void)arg;
	if (folio_trylock(folio()) && !broken())
		folio_unlock(folio());
}
ALONE(locked, "mm/rmap, page left locked", forget_unlock, SHOWS(HELD_AT_EXIT));

static void forget_put(void *arg)
{
	struct folio *f = folio();

	(void)arg;
	if (!folio_try_get(f))
		return;
	do_munmap(mm, A, B);
	if (!broken())
		folio_put(f);
}
ALONE(page, "mm/leak, page", forget_put, SHOWS(LEAK));

/* --- what an mm owns --------------------------------------------------------------------- */

static void forget_vma(void *arg)
{
	struct vm_area_struct *new = vm_area_dup(vma);

	(void)arg;
	if (new && !broken())
		vm_area_free(new);
}
ALONE(area, "mm/leak, VMA", forget_vma, SHOWS(LEAK));

static void forget_table(void *arg)
{
	struct page_table *table = pte_offset(mm, A);

	(void)arg;
	mmap_write_lock(mm);
	unmap_region(mm, A, B);
	WRITE_ONCE(mm->pmd[0], 0);
	if (!broken())
		kfree(table);
	mmap_write_unlock(mm);
}
ALONE(table, "mm/leak, page table", forget_table, SHOWS(LEAK));

static void forget_unlink(void *arg)
{
	struct anon_vma *av = vma->anon_vma;

	(void)arg;
	if (broken())
		refcount_inc(&av->refcount);
	do_munmap(mm, A, B);
}
ALONE(av, "mm/leak, anon_vma", forget_unlink, SHOWS(LEAK));

/* mmdrop() of the last reference, but not the last user. */
static void drop_too_much(void *arg)
{
	(void)arg;
	if (broken())
		mmdrop(mm);
	else
		mmput(mm);
}
ALONE(drop, "mm/leak, mm freed with its VMAs", drop_too_much, SHOWS(LEAK),
      SHOWS(RMAP));
