/* SPDX-License-Identifier: MIT */
/* TLBs: who has to flush what, and when?  Safe and broken twins.
 *
 * Covers tlb.c and check_tlb.c. */
#include <heddle/mm.h>
#include <heddle/rmap.h>
#include <heddle/vfio.h>

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
	if (mm_has(MM_TLB))
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
	/* it has nothing of the other one any more */
	heddle_assert(!test_bit(USER, &mm->cpu_bitmap) &&
		      test_bit(USER, &other->cpu_bitmap));
	if (!user_read(mm, A, &val))
		heddle_assert(val == 1);
}

#define switch_setup two_mms
TWIN_TASKS(switch, { "munmap", unmap }, { "user", switches });
FORMS(switch, broken_task, SHOWS(ASSERT));
TWIN(switch, "mm/another mm's translations");

/* --- what one CPU sees, alone -------------------------------------------------------------- */

enum { DEVICE = 0x4000, ZERO = 0x8000 };

static void words_setup(void)
{
	unsigned long pfn = 0x77;

	hot_page();
	mm_add_vma(mm, ZERO, ZERO + PAGE_SIZE);
	remap_pfn_range(mm_add_vma_flags(mm, DEVICE, DEVICE + PAGE_SIZE,
					 VM_READ | VM_WRITE | VM_SHARED |
						 VM_PFNMAP),
			DEVICE, pfn, PAGE_SIZE);
}

static unsigned long word_at(unsigned long addr)
{
	unsigned long val = ~0ul;

	heddle_assert(!user_read(mm, addr, &val));
	return val;
}

/* Two words of a page; what is written to a device is not followed, and not read
 * elsewhere. */
static void words(void *arg)
{
	(void)arg;
	heddle_assert(!user_write(mm, A, 7) && !user_write(mm, A + 8, 8));
	heddle_assert(word_at(A) == 7 && word_at(A + 8) == 8);
	heddle_assert(mm_word(mm, A) == 7 && mm_word(mm, A + 8) == 8);
	heddle_assert(!user_write(mm, DEVICE, 9) && !word_at(DEVICE));
	heddle_assert(!word_at(ZERO));
}

/* One instruction does not fault. */
static void loads(void *arg)
{
	unsigned long val = 0;

	(void)arg;
	heddle_assert(user_load(mm, A, &val) && val == 1);
	heddle_assert(!user_load(mm, B, &val)); /* nothing in the table */
	heddle_assert(!user_load(mm, ZERO, &val)); /* no table */
}

#define ANON_ONLY .lock = &vma_lock_v10, .lock_offset = 0x40000000, \
		  .parts = MM_ANON
static const struct test no_tlb = { .form = { ANON_ONLY } };
#define ALONE_VARIANTS(id)                                             \
	static const struct heddle_variant id##_variants[] = {         \
		{ .name = "TLB", .data = &safe, .fail = TWIN_NONE,     \
		  .signals = TWIN_NONE },                              \
		{ .name = "no TLB", .data = &no_tlb, .fail = TWIN_NONE, \
		  .signals = TWIN_NONE },                              \
		{ .name = NULL },                                      \
	}
TWIN_TASKS(words, { "user", words });
ALONE_VARIANTS(words);
TWIN(words, "mm/words of pages");
#define loads_setup words_setup
TWIN_TASKS(loads, { "user", loads });
ALONE_VARIANTS(loads);
TWIN(loads, "mm/a load that does not fault");

/* A TLB entry is used also when the page table has no such entry any more, and
 * there is none where the page table had none; so says the CPU of this task. */
static unsigned long hidden;

static void no_user(void *arg)
{
	(void)arg;
}

static void remembered_setup(void)
{
	unsigned long *pte;

	words_setup();
	mm_load_tlb(USER, mm, ZERO);
	pte = &pte_offset(mm, A)->pte[pte_index(A)];
	hidden = *pte;
	*pte = 0;
}

static void remembers(void *arg)
{
	struct page_table *table = pte_offset(mm, A);
	unsigned long val = 0;

	(void)arg;
	heddle_assert(user_load(mm, A, &val) && val == 1);
	heddle_assert(user_load(mm, A, &val) && val == 1);
	heddle_assert(!user_load(mm, ZERO, &val));
	spin_lock(&table->ptl);
	install_pte(mm, table, A, hidden);
	spin_unlock(&table->ptl);
}

TWIN_TASKS(remembered, { "none", no_user }, { "user", remembers });
static const struct heddle_variant remembered_variants[] = {
	{ .name = "TLB", .data = &safe }, { .name = NULL },
};
TWIN(remembered, "mm/what a TLB remembers");

/* Two CPUs and one word: both orders are there. */
static void reads(void *arg)
{
	(void)arg;
	if (word_at(A) == 1)
		heddle_mark("old word");
	else
		heddle_mark("new word");
}

static const char *const order_goals[] = { "old word", "new word", NULL };
#define order_setup hot_page
TWIN_TASKS(order, { "reader", reads }, { "writer", user_task });
ALONE_VARIANTS(order);
TWIN(order, "mm/a word read and written", .goals = order_goals);

/* --- what is unmapped together is flushed together ------------------------------------------- */

enum { PAST = 0x5000 };

static void hot_pages(void)
{
	unsigned long addr;

	mm = mm_alloc();
	mm_add_vma(mm, A, PAST);
	for (addr = A; addr < PAST; addr += PAGE_SIZE) {
		mm_add_page(mm, addr, addr);
		if (mm_has(MM_TLB))
			mm_load_tlb(USER, mm, addr);
	}
}

static void drops_all(void *arg)
{
	(void)arg;
	heddle_assert(!do_madvise_dontneed(mm, A, PAST));
	heddle_assert(!do_madvise_dontneed(mm, A, PAST)); /* nothing there */
	return_to_user();
}

static void reads_last(void *arg)
{
	unsigned long val;

	(void)arg;
	val = word_at(PAST - PAGE_SIZE);
	heddle_assert(!val || val == PAST - PAGE_SIZE);
}

#define range_setup hot_pages
TWIN_TASKS(range, { "madvise", drops_all }, { "user", reads_last });
ALONE_VARIANTS(range);
TWIN(range, "mm/all of a range is flushed");
