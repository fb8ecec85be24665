/* SPDX-License-Identifier: MIT */
/* munmap(2), mprotect(2) and madvise(2) as their callers see them: where the
 * bounds are, which page tables stay, what a failure leaves.
 *
 * Covers munmap.c, mprotect.c and madvise.c. */
#include <heddle/mm.h>

#include "twins.h"

/* --- munmap: bounds, and failures half-way ----------------------------------------- */

static int unmap_2_to_4(void)
{
	return do_munmap(mm, PAGE(2), PAGE(4));
}

static int unmap_2_to_7(void)
{
	return do_munmap(mm, PAGE(2), PAGE(7));
}

#define UNMAP(id, ...) \
	static const struct call id = { .form = { V10 }, __VA_ARGS__ }
#define OLD_UNMAP(id, ...) \
	static const struct call id = { .form = { GEN1 }, __VA_ARGS__ }
#define MIDDLE .make = unmap_2_to_4, .before = { { 0, 6, 1, RO } }, \
	       .after = { { 0, 2, 1, RO }, { 4, 6, 1, RO } }
UNMAP(middle, MIDDLE);
OLD_UNMAP(middle_6_6, MIDDLE);
UNMAP(head, .make = unmap_2_to_4, .before = { { 2, 6, 0, RO } },
      .after = { { 4, 6, 0, RO } });
UNMAP(tail, .make = unmap_2_to_4, .before = { { 0, 4, 0, RO } },
      .after = { { 0, 2, 0, RO } });
UNMAP(whole, .make = unmap_2_to_4, .before = { { 2, 4, 0, RO } },
      .after = { { 0 } });
/* what lies behind the range is not even split and put back */
static int leaves_next(void)
{
	struct vm_area_struct *next = at(4);
	int err = unmap_2_to_4();

	heddle_assert(at(4) == next);
	return err;
}
UNMAP(nothing, .make = leaves_next,
      .before = { { 0, 2, 0, RO }, { 4, 6, 0, RO } },
      .after = { { 0, 2, 0, RO }, { 4, 6, 0, RO } });
/* the last split may fail when three VMAs are detached */
#define SEVERAL                                                        \
	.make = unmap_2_to_7,                                          \
	.before = { { 0, 3, 0, RO }, { 3, 5, 0, RW }, { 6, 8, 0, RO } }, \
	.after = { { 0, 2, 0, RO }, { 7, 8, 0, RO } }
UNMAP(several, SEVERAL);
OLD_UNMAP(several_6_6, SEVERAL);
/* 5.8: is the neighbour a stack?  There may be none. */
static const struct call alone_5_8 = {
	.form = { GEN1, .stack = MM_STACK_5_8 }, .make = unmap_2_to_4,
	.before = { { 0, 4, 0, RO } }, .after = { { 0, 2, 0, RO } },
};

/* A file's, whose ops need not be told. */
static void of_a_file(void)
{
	static const struct vm_operations_struct plain;

	mm_add_vma_file(mm, PAGE(2), PAGE(4), RO, mm_new_file(), &plain);
	heddle_assert(at(2)->vm_ops == &plain);
}
static const struct call file = {
	.form = { V10, .parts = MM_FILE }, .make = unmap_2_to_4,
	.prepare = of_a_file, .before = { { 0, 2, 0, RO } },
	.after = { { 0, 2, 0, RO } },
};

CALLS(munmap, "munmap/the range",
      CALL("middle of a VMA", middle), CALL("the same, 6.6", middle_6_6),
      CALL("its head", head), CALL("its tail", tail),
      CALL_ONLY("a whole one", whole), CALL_ONLY("nothing there", nothing),
      CALL("several", several), CALL("the same, 6.6", several_6_6),
      CALL("5.8, nothing behind it", alone_5_8), CALL_ONLY("a file's", file));

/* After a munmap that aborted, readers are let into what was detached. */
static bool get_and_put(unsigned long addr)
{
	struct vm_area_struct *vma = lock_vma_under_rcu(mm, addr);

	if (vma)
		vma_end_read(vma);
	return vma;
}

static void abort_munmap(void *arg)
{
	int err = unmap_2_to_4();

	(void)arg;
	if (!err)
		return;
	heddle_assert(err == -ENOMEM);
	heddle_mark("munmap fails");
	heddle_assert(get_and_put(PAGE(2)));
}

static void reader(void *arg)
{
	(void)arg;
	get_and_put(PAGE(2));
}

static const char *const abort_goals[] = { "munmap aborts", "munmap fails",
					   "read lock granted", NULL };
/* the first VMA is detached when the split of the second one fails */
#define ABORT(id, ...)                                                 \
	static const struct call id = {                                \
		.form = { __VA_ARGS__ },                               \
		.before = { { 2, 3, 0, RO }, { 3, 5, 0, RW } },        \
	}
ABORT(abort_6_15, V10);
ABORT(abort_6_6, GEN1);

#define abort_setup call_setup
TWIN_TASKS(abort, { "munmap", abort_munmap }, { "reader", reader });
static const struct heddle_variant abort_variants[] = {
	{ .name = "6.15", .data = &abort_6_15, .bound = 2 },
	{ .name = "6.6", .data = &abort_6_6, .bound = 2 },
	{ .name = NULL },
};
TWIN(abort, "munmap/a failure half-way", .goals = abort_goals);

/* --- munmap: page tables -------------------------------------------------------------- */

static bool table_at(u32 page)
{
	return mm->pmd[page / PTRS_PER_PTE];
}

static bool page_at(u32 page)
{
	return table_at(page) && pte_offset(mm, PAGE(page))->pte[page % 4];
}

static void touch(u32 page)
{
	struct page_table *table = pte_alloc(mm, PAGE(page));

	set_pte(mm, table, PAGE(page), 7);
}

/* Pages 2, 5 and 9: each in a group of its own. */
static void touch_all(void)
{
	touch(2);
	touch(5);
	touch(9);
}

/* The neighbours need the first table and the last one, not the one between. */
static int keeps_tables(void)
{
	int err = do_munmap(mm, PAGE(3), PAGE(10));

	heddle_assert(table_at(2) && page_at(2));
	heddle_assert(!table_at(5));
	heddle_assert(table_at(9) && !page_at(9));
	return err;
}

/* Nobody is left in any group. */
static int frees_tables(void)
{
	int err = do_munmap(mm, PAGE(2), PAGE(10));

	heddle_assert(!table_at(2) && !table_at(5) && !table_at(9));
	return err;
}

UNMAP(needed, .make = keeps_tables, .prepare = touch_all,
      .before = { { 2, 11, 0, RO } },
      .after = { { 2, 3, 0, RO }, { 10, 11, 0, RO } });
UNMAP(needed_by_others, .make = keeps_tables, .prepare = touch_all,
      .before = { { 2, 3, 0, RO }, { 3, 10, 0, RW }, { 10, 11, 0, RO } },
      .after = { { 2, 3, 0, RO }, { 10, 11, 0, RO } });
UNMAP(not_needed, .make = frees_tables, .prepare = touch_all,
      .before = { { 2, 10, 0, RO } }, .after = { { 0 } });
UNMAP(far_neighbours, .make = frees_tables, .prepare = touch_all,
      .before = { { 2, 10, 0, RO }, { 12, 13, 0, RO } },
      .after = { { 12, 13, 0, RO } });

/* a form that frees them before it has locked the VMA does free the same */
static const struct call early_needed = {
	.form = { V10, .early_free_pgtables = true }, .make = keeps_tables,
	.prepare = touch_all, .before = { { 2, 11, 0, RO } },
	.after = { { 2, 3, 0, RO }, { 10, 11, 0, RO } },
};
static const struct call early_not_needed = {
	.form = { V10, .early_free_pgtables = true }, .make = frees_tables,
	.prepare = touch_all, .before = { { 2, 10, 0, RO } }, .after = { { 0 } },
};

CALLS(tables, "munmap/page tables",
      CALL_ONLY("of the same VMA's rest", needed),
      CALL_ONLY("of neighbours", needed_by_others),
      CALL_ONLY("nobody's", not_needed),
      CALL_ONLY("neighbours in other groups", far_neighbours),
      CALL_ONLY("early, of the same VMA's rest", early_needed),
      CALL_ONLY("early, nobody's", early_not_needed));

/* --- mprotect ----------------------------------------------------------------------------- */

static int protect(void)
{
	return do_mprotect(mm, PAGE(2), PAGE(6), VM_READ);
}

#define PROTECT(id, ...) \
	static const struct call id = { .form = { V10 }, .make = protect, \
					__VA_ARGS__ }
/* what is no permission stays */
PROTECT(keeps, .before = { { 2, 6, 0, RW | VM_LOCKED } },
	.after = { { 2, 6, 0, RO | VM_LOCKED } });
PROTECT(two, .before = { { 0, 4, 0, RW }, { 4, 8, 0, RW | VM_LOCKED } },
	.after = { { 0, 2, 0, RW }, { 2, 4, 0, RO }, { 4, 6, 0, RO | VM_LOCKED },
		   { 6, 8, 0, RW | VM_LOCKED } });
/* -ENOMEM, but what lies before the hole is changed */
PROTECT(hole, .err = -ENOMEM, .before = { { 2, 4, 0, RW }, { 5, 6, 0, RW } },
	.after = { { 2, 4, 0, RO }, { 5, 6, 0, RW } });
PROTECT(hole_first, .err = -ENOMEM, .before = { { 3, 6, 0, RW } },
	.after = { { 3, 6, 0, RW } });

static int unprotect(void)
{
	return do_mprotect(mm, PAGE(2), PAGE(6), RW);
}
/* the second VMA joins the first, in which the call stands */
static const struct call joins = {
	.form = { V10 }, .make = unprotect,
	.before = { { 0, 2, 0, RW }, { 2, 4, 0, RO }, { 4, 6, 0, RO } },
	.after = { { 0, 6, 0, RW } },
};

static void writable_pages(void)
{
	u32 i;

	for (i = 1; i < 7; i++)
		mm_add_page(mm, PAGE(i), i);
}

/* The entries of the range, and no others, lose the write bit. */
static int protect_entries(void)
{
	int err = protect();
	u32 i;

	for (i = 1; i < 7; i++)
		heddle_assert(!(pte_offset(mm, PAGE(i))->pte[i % 4] &
				_PAGE_RW) == (i >= 2 && i < 6));
	return err;
}

static const struct call entries = {
	.form = { V10, .parts = MM_ANON }, .make = protect_entries,
	.prepare = writable_pages, .before = { { 0, 8, 0, RW } },
	.after = { { 0, 2, 0, RW }, { 2, 6, 0, RO }, { 6, 8, 0, RW } },
};

CALLS(mprotect, "mprotect/the range",
      CALL_ONLY("other flags stay", keeps), CALL_ONLY("two VMAs", two),
      CALL_ONLY("a hole", hole), CALL_ONLY("a hole first", hole_first),
      CALL_ONLY("merges as it goes", joins),
      CALL_ONLY("entries", entries));

/* The first VMA that fails ends the call, though the next ones would not. */
static void two_check(void)
{
	static const struct area first[] = {
		{ 0, 2, 0, RW }, { 2, 4, 0, RO }, { 4, 8, 0, RW | VM_LOCKED },
		{ 0 }
	};

	if (!result)
		heddle_assert(has_areas(mm, two.after));
	else
		heddle_assert(has_pages(mm, two.before) || has_pages(mm, first));
}

#define two_setup call_setup
TWIN_TASKS(two, { "mprotect", call_task });
static const struct heddle_variant two_variants[] = {
	{ .name = "safe", .data = &two, .goals = call_goals },
	{ .name = NULL },
};
TWIN(two, "mprotect/two VMAs, failures", .check = two_check);

/* A group that is mapped as a whole stays so, read-only; a part of one does not. */
static int protect_huge(void)
{
	u32 flags = FAULT_FLAG_USER | FAULT_FLAG_WRITE;
	int err;

	heddle_assert(!do_user_addr_fault(mm, PAGE(4), flags));
	heddle_assert(!do_user_addr_fault(mm, PAGE(8), flags));
	heddle_assert(mm->pmd[1] & _PAGE_PSE && mm->pmd[1] & _PAGE_RW);
	err = do_mprotect(mm, PAGE(4), PAGE(10), VM_READ);
	heddle_assert(mm->pmd[1] & _PAGE_PSE && !(mm->pmd[1] & _PAGE_RW));
	heddle_assert(!(mm->pmd[2] & _PAGE_PSE));
	heddle_assert(!(pte_offset(mm, PAGE(8))->pte[1] & _PAGE_RW));
	heddle_assert(pte_offset(mm, PAGE(8))->pte[2] & _PAGE_RW);
	return err;
}

static const struct call huge = {
	.form = { V10, .parts = MM_ANON | MM_THP }, .make = protect_huge,
	.before = { { 4, 12, 0, RW } },
	.after = { { 4, 10, 0, RO }, { 10, 12, 0, RW } },
};
CALLS(protect_huge, "mprotect/huge pages", CALL_ONLY("one and a half", huge));

/* --- madvise ------------------------------------------------------------------------------- */

static void three_pages(void)
{
	touch(1);
	touch(2);
	touch(5);
}

static int drop_2_to_6(void)
{
	int err = do_madvise_dontneed(mm, PAGE(2), PAGE(6));

	heddle_assert(page_at(1) && !page_at(2) && !page_at(5));
	heddle_assert(table_at(5)); /* tables stay */
	return err;
}

#define ADVISE(id, ...)                                                \
	static const struct call id = { .make = drop_2_to_6,           \
					.prepare = three_pages, __VA_ARGS__ }
ADVISE(advise_one, .form = { V10 }, .before = { { 0, 6, 0, RW } },
       .after = { { 0, 6, 0, RW } });
ADVISE(advise_one_6_16, .form = { V10, .madvise_vma_lock = true },
       .before = { { 0, 6, 0, RW } }, .after = { { 0, 6, 0, RW } });
ADVISE(advise_two, .form = { V10, .madvise_vma_lock = true },
       .before = { { 0, 4, 0, RW }, { 4, 6, 0, RO } },
       .after = { { 0, 4, 0, RW }, { 4, 6, 0, RO } });
ADVISE(advise_hole, .form = { V10 }, .err = -ENOMEM,
       .before = { { 0, 3, 0, RW }, { 5, 6, 0, RW } },
       .after = { { 0, 3, 0, RW }, { 5, 6, 0, RW } });

/* The range ends inside of the VMA. */
static void inner_pages(void)
{
	three_pages();
	touch(7);
}

static int drop_inner(void)
{
	int err = drop_2_to_6();

	heddle_assert(page_at(7));
	return err;
}

/* 6.16: mmap_lock is not needed, up to the VMA's last page. */
static int drop_unlocked(void)
{
	int err;

	mmap_write_lock(mm);
	err = drop_2_to_6();
	mmap_write_unlock(mm);
	return err;
}

static const struct call advise_inner = {
	.form = { V10 }, .make = drop_inner, .prepare = inner_pages,
	.before = { { 0, 8, 0, RW } }, .after = { { 0, 8, 0, RW } },
};
static const struct call advise_unlocked = {
	.form = { V10, .madvise_vma_lock = true }, .make = drop_unlocked,
	.prepare = three_pages,
	.before = { { 0, 6, 0, RW } }, .after = { { 0, 6, 0, RW } },
};
CALLS(madvise, "madvise/pages go, VMAs stay",
      CALL_ONLY("a part of a VMA", advise_inner),
      CALL_ONLY("6.16, without mmap_lock", advise_unlocked),
      CALL_ONLY("one VMA", advise_one), CALL_ONLY("6.16", advise_one_6_16),
      CALL_ONLY("6.16, two VMAs", advise_two),
      CALL_ONLY("a hole", advise_hole));

static void advise(void *arg)
{
	(void)arg;
	do_madvise_dontneed(mm, PAGE(2), PAGE(3));
	return_to_user();
}

static void unmap(void *arg)
{
	(void)arg;
	heddle_assert(!do_munmap(mm, PAGE(2), PAGE(3)));
}

static void one_page(void)
{
	touch(2);
}

#define AGAINST(id, ...)                                               \
	static const struct call id = { .form = { V10, __VA_ARGS__ },  \
					.before = { { 2, 3, 0, RW } }, \
					.prepare = one_page }
AGAINST(advise_mmap_lock, 0);
AGAINST(advise_vma_lock, .madvise_vma_lock = true);
AGAINST(advise_no_wait, .madvise_vma_lock = true, .no_wait_at_detach = true);
static const char *const advise_goals[] = { "read lock granted", NULL };

/* Its range goes beyond the VMA that it could lock: then not under that lock. */
static void advise_both(void *arg)
{
	(void)arg;
	do_madvise_dontneed(mm, PAGE(3), PAGE(5));
}

static void unmap_second(void *arg)
{
	(void)arg;
	heddle_assert(!do_munmap(mm, PAGE(4), PAGE(5)));
}

static void page_4(void)
{
	touch(4);
}

static const struct call beyond = {
	.form = { V10, .madvise_vma_lock = true }, .prepare = page_4,
	.before = { { 3, 4, 0, RW }, { 4, 5, 0, RW | VM_LOCKED } },
};
#define beyond_setup call_setup
TWIN_TASKS(beyond, { "munmap", unmap_second }, { "madvise", advise_both });
SAFE_FORM(beyond, beyond);
TWIN(beyond, "madvise/beyond the VMA that is locked");

#define against_setup call_setup
TWIN_TASKS(against, { "munmap", unmap }, { "madvise", advise });
static const struct heddle_variant against_variants[] = {
	{ .name = "mmap_lock", .data = &advise_mmap_lock },
	{ .name = "VMA lock", .data = &advise_vma_lock, .goals = advise_goals },
	{ .name = "VMA lock that does not hold", .data = &advise_no_wait,
	  .expect = { SHOWS(DETACHED_READ_LOCK), SHOWS(FREED),
		      SHOWS(USE_AFTER_FREE), SHOWS(PAGETABLE),
		      SHOWS(ASSERT_RACE) } },
	{ .name = NULL },
};
TWIN(against, "madvise/against munmap");
