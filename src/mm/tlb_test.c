/* SPDX-License-Identifier: MIT */
/* TLBs: who has to flush what, and when?  Safe and broken twins.
 *
 * Covers tlb.c and check_tlb.c. */
#include <heddle/mm.h>
#include <heddle/rmap.h>

#include "../base/twin.h"
#include "mm.h"

enum { A = 0x2000, B = 0x3000, USER = 1 }; /* USER: number of the user's task */

struct test {
	struct mm_form form;
	bool broken;
};

#define FORM .lock = &vma_lock_v10, .lock_offset = 0x40000000, \
	     .parts = MM_ANON | MM_TLB
static const struct test safe = { .form = { FORM } };
static const struct test broken_task = { .form = { FORM }, .broken = true };
static const struct test late = {
	.form = { FORM, .without = MM_STEP_FLUSH_BEFORE_FREE }
};
static const struct test no_flush = {
	.form = { FORM, .without = MM_STEP_COPY_FLUSHES }
};

static bool broken(void)
{
	return ((const struct test *)heddle_variant_data())->broken;
}

#define FORMS(id, bad, ...)                                            \
	static const struct heddle_variant id##_variants[] = {         \
		{ .name = "safe", .data = &safe, .bound = 3 },         \
		{ .name = "broken", .data = &(bad), .bound = 3,        \
		  .expect = { __VA_ARGS__ } },                         \
		{ .name = NULL },                                      \
	}

static struct mm_struct *mm, *other;

static void hot_page(void)
{
	mm = mm_alloc();
	mm_add_vma(mm, A, B);
	mm_add_page(mm, A, 1);
	mm_load_tlb(USER, mm, A);
}

static void user_task(void *arg)
{
	(void)arg;
	if (user_write(mm, A, 2))
		heddle_mark("SIGSEGV");
}

/* --- a page is freed behind the flush ---------------------------------------- */

static void unmap(void *arg)
{
	(void)arg;
	do_munmap(mm, A, B);
	return_to_user();
}

static const char *const free_goals[] = { "SIGSEGV", NULL };
#define free_setup hot_page
TWIN_TASKS(free, { "munmap", unmap }, { "user", user_task });
FORMS(free, late, SHOWS(USE_AFTER_FREE));
TWIN(free, "mm/pages are freed behind the flush", .goals = free_goals);

/* --- whoever changes an entry flushes it ---------------------------------------- */

static void protect(void *arg)
{
	struct page_table *table = pte_offset(mm, A);
	unsigned long *pte = &table->pte[pte_index(A)];

	(void)arg;
	mmap_write_lock(mm);
	spin_lock(&table->ptl);
	WRITE_ONCE(*pte, READ_ONCE(*pte) & ~_PAGE_RW);
	spin_unlock(&table->ptl);
	if (!broken())
		flush_tlb_page(mm, A);
	mmap_write_unlock(mm);
	return_to_user();
}

#define left_setup hot_page
TWIN_TASKS(left, { "protect", protect }, { "user", user_task });
FORMS(left, broken_task, SHOWS(STALE_TLB));
TWIN(left, "mm/stale-tlb, left behind");

/* The same for who unmaps a file's pages: gone is gone when that returns, not
 * only when the system call ends. */
static void zap(void *arg)
{
	struct page_table *table = pte_offset(mm, A);

	(void)arg;
	spin_lock(&table->ptl);
	WRITE_ONCE(table->pte[pte_index(A)], 0); /* the zero page: no folio */
	spin_unlock(&table->ptl);
	if (!broken())
		flush_tlb_mm(mm);
	hd_note(MM_NOTE_UNMAPPED, mm, true, 0, 0, HD_PC());
	flush_tlb_mm(mm);
}

static void zero_page(void)
{
	mm = mm_alloc();
	mm_add_vma(mm, A, B);
	mmap_read_lock(mm);
	handle_mm_fault(vma_lookup(mm, A), A, 0);
	mmap_read_unlock(mm);
	mm_load_tlb(USER, mm, A);
}

static void user_reads(void *arg)
{
	unsigned long val;

	(void)arg;
	heddle_assert(!user_read(mm, A, &val) && !val);
}

#define zap_setup zero_page
TWIN_TASKS(zap, { "unmap", zap }, { "user", user_reads });
FORMS(zap, broken_task, SHOWS(STALE_TLB));
TWIN(zap, "mm/stale-tlb, a file's pages");

/* mprotect(2) flushes, and what is written in spite of it faults. */
static void make_read_only(void *arg)
{
	(void)arg;
	if (do_mprotect(mm, A, B, VM_READ))
		heddle_mark("interrupted");
	else if (broken())
		cpu_tlbs[USER].entry[A >> PAGE_SHIFT].pte =
			pte_offset(mm, A)->pte[pte_index(A)] | _PAGE_RW;
	return_to_user();
}

static void writes_twice(void *arg)
{
	bool failed = user_write(mm, A, 2);

	(void)arg;
	/* once it may not, it may not */
	heddle_assert(user_write(mm, A, 3) || !failed);
}

#define protect_setup hot_page
TWIN_TASKS(protect, { "mprotect", make_read_only }, { "user", writes_twice });
FORMS(protect, broken_task, SHOWS(ASSERT));
TWIN(protect, "mm/mprotect flushes");

/* --- copy on write -------------------------------------------------------------------- */

static void shared_page(void)
{
	int err;

	hot_page();
	other = dup_mm(mm, &err);
	heddle_keep(other);
	mm_load_tlb(USER, mm, A); /* read-only by now */
}

static void copies(void *arg)
{
	(void)arg;
	if (user_write(mm, A, 2))
		return;
	heddle_mark("written");
}

static void reads_twice(void *arg)
{
	unsigned long first = 0, second = 0;

	(void)arg;
	heddle_assert(!user_read(mm, A, &first) && !user_read(mm, A, &second));
	heddle_assert(first <= second);
}

/* The old page is still read after the copy is written. */
static const char *const copy_goals[] = { "page copied on write", "written",
					  NULL };
#define copy_setup shared_page
TWIN_TASKS(copy, { "writer", copies }, { "user", reads_twice });
FORMS(copy, no_flush, SHOWS(STALE_TLB));
TWIN(copy, "mm/copy on write flushes", .goals = copy_goals);

/* --- two address spaces on one CPU ------------------------------------------------------ */

static void two_mms(void)
{
	hot_page();
	other = mm_alloc();
	mm_add_vma(other, A, B);
	mm_add_page(other, A, 5);
}

static void switches(void *arg)
{
	unsigned long val = 0;

	(void)arg;
	heddle_assert(!user_read(other, A, &val) && val == (broken() ? 1 : 5));
	if (!user_read(mm, A, &val))
		heddle_assert(val == 1);
}

#define switch_setup two_mms
TWIN_TASKS(switch, { "munmap", unmap }, { "user", switches });
FORMS(switch, broken_task, SHOWS(ASSERT));
TWIN(switch, "mm/another mm's translations");
