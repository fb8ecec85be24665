/* SPDX-License-Identifier: MIT */
/* Huge pages that are folios: what maps them, protects, splits and frees them, and
 * when does khugepaged make one?
 *
 * Covers huge_memory.c and khugepaged.c.  (Where VMAs end: check_tree_test.c.) */
#include <heddle/mm.h>
#include <heddle/rmap.h>

#include "twins.h"

enum { WRITE = FAULT_FLAG_USER | FAULT_FLAG_WRITE, READ = FAULT_FLAG_USER };
#define HUGE (MM_ANON | MM_THP)

static int fault_at(u32 page, unsigned int flags)
{
	return do_user_addr_fault(mm, PAGE(page), flags);
}

/* The group of pages 4 to 7. */
static bool is_huge(void)
{
	return mm->pmd[1] & _PAGE_PSE;
}

static struct folio *huge_folio(void)
{
	return (struct folio *)(mm->pmd[1] & ~_PAGE_BITS);
}

static bool can_write(void)
{
	return mm->pmd[1] & _PAGE_RW;
}

/* A single page's entry; 0: none, or huge. */
static unsigned long pte_at(u32 page)
{
	struct page_table *table = pte_offset(mm, PAGE(page));

	return table ? table->pte[page % PTRS_PER_PTE] : 0;
}

static bool counts(const struct folio *folio, int refs, int mappings)
{
	return folio_ref_count(folio) == refs &&
	       atomic_read(&folio->_mapcount) == mappings - 1;
}

static void a_group(void)
{
	mm_add_vma(mm, PAGE(4), PAGE(8));
}

static void map_group(void)
{
	mmap_read_lock(mm);
	heddle_assert(handle_mm_fault(at(4), PAGE(5), FAULT_FLAG_WRITE) ==
		      VM_FAULT_NOPAGE);
	mmap_read_unlock(mm);
}

static void huge_group(void)
{
	a_group();
	map_group();
}

/* Written to before, and now nobody may. */
static void protected_group(void)
{
	huge_group();
	mm->pmd[1] &= ~_PAGE_RW;
}

/* --- faults ----------------------------------------------------------------- */

static void first_write(void)
{
	struct folio *folio;

	heddle_assert(!fault_at(5, WRITE) && is_huge() && can_write());
	folio = huge_folio();
	heddle_assert(folio_test_uptodate(folio) && counts(folio, 1, 1));
	heddle_assert(folio->mapping == at(4)->anon_vma && folio->index == 4);
	heddle_assert(!fault_at(7, WRITE) && huge_folio() == folio);
}
STEPS(first_write, a_group, HUGE);

static void read_only_vma(void)
{
	mm_add_vma_flags(mm, PAGE(4), PAGE(8), RO);
}

static void first_read(void)
{
	heddle_assert(!fault_at(5, READ) && is_huge() && !can_write());
}
STEPS(first_read, read_only_vma, HUGE);

/* It stays whole, and its page the same. */
static void protected(void)
{
	struct folio *folio = huge_folio();

	heddle_assert(!do_mprotect(mm, PAGE(4), PAGE(8), VM_READ));
	heddle_assert(is_huge() && !can_write());
	heddle_assert(fault_at(5, WRITE) == VM_FAULT_SIGSEGV && !can_write());
	heddle_assert(!do_mprotect(mm, PAGE(4), PAGE(8), VM_READ | VM_WRITE));
	heddle_assert(!fault_at(5, READ) && !can_write());
	heddle_assert(!fault_at(5, WRITE) && can_write());
	heddle_assert(is_huge() && huge_folio() == folio);
	heddle_assert(counts(folio, 1, 1));
}
STEPS(protected, huge_group, HUGE);

static const struct heddle_variant faults_variants[] = {
	ALONE("write", first_write), ALONE("read", first_read),
	ALONE("write-protected", protected), { .name = NULL },
};
TWIN_TASKS(faults, { "fault", steps_task });
#define faults_setup steps_setup
TWIN(faults, "huge_memory/faults");

/* No memory for so large a page: a small one will do. */
static void write_or_not(void)
{
	int err = fault_at(5, WRITE);

	heddle_assert(err ? err == VM_FAULT_OOM : is_huge() || pte_at(5));
}
STEPS(write_or_not, a_group, HUGE);
static const char *const small_goals[] = { "anonymous page mapped",
					   "huge page mapped", NULL };
static const struct heddle_variant small_variants[] = {
	{ .name = "safe", .data = &write_or_not_steps }, { .name = NULL },
};
TWIN_TASKS(small, { "fault", steps_task });
#define small_setup steps_setup
TWIN(small, "huge_memory/no memory", .goals = small_goals);

/* --- parts of a group ------------------------------------------------------------------ */

static bool maps(u32 page, const struct folio *folio, unsigned long bits)
{
	return pte_at(page) == ((unsigned long)folio | bits);
}

/* Who changes a part of the group takes it apart, and changes nothing yet. */
static void change(void)
{
	struct folio *folio = huge_folio();
	u32 i;

	heddle_assert(!change_huge_pmd(mm, PAGE(5), PAGE(8)) && !is_huge());
	for (i = 4; i < 8; i++)
		heddle_assert(maps(i, folio, _PAGE_PRESENT | _PAGE_RW));
	heddle_assert(counts(folio, 4, 4));
	heddle_assert(!change_huge_pmd(mm, PAGE(4), PAGE(8)));
	heddle_assert(maps(4, folio, _PAGE_PRESENT | _PAGE_RW));
	heddle_assert(!change_huge_pmd(mm, PAGE(8), PAGE(12)) && !mm->pmd[2]);
}
STEPS(change, huge_group, HUGE);

static void protect_part(void)
{
	struct folio *folio = huge_folio();

	heddle_assert(!do_mprotect(mm, PAGE(4), PAGE(6), VM_READ));
	heddle_assert(maps(4, folio, _PAGE_PRESENT) &&
		      maps(5, folio, _PAGE_PRESENT));
	heddle_assert(maps(6, folio, _PAGE_PRESENT | _PAGE_RW) &&
		      maps(7, folio, _PAGE_PRESENT | _PAGE_RW));
}
STEPS(protect_part, huge_group, HUGE);

static void drop_part(void)
{
	struct folio *folio = huge_folio();

	heddle_assert(!do_madvise_dontneed(mm, PAGE(4), PAGE(6)));
	heddle_assert(!pte_at(4) && !pte_at(5));
	heddle_assert(maps(6, folio, _PAGE_PRESENT | _PAGE_RW));
	heddle_assert(counts(folio, 2, 2));
	heddle_assert(!do_madvise_dontneed(mm, PAGE(4), PAGE(8)) && mm->pmd[1]);
}
STEPS(drop_part, huge_group, HUGE);

static void drop_all(void)
{
	struct folio *folio = huge_folio();

	folio_get(folio);
	heddle_assert(!do_madvise_dontneed(mm, PAGE(4), PAGE(8)));
	heddle_assert(!mm->pmd[1] && counts(folio, 1, 0));
	folio_put(folio);
}
STEPS(drop_all, huge_group, HUGE);

/* A VMA that gets another bound between two groups leaves both whole. */
static void two_groups(void)
{
	mm_add_vma(mm, PAGE(0), PAGE(8));
	map_group();
}

static void shrink_beside(void)
{
	mmap_write_lock(mm);
	heddle_assert(!vma_shrink(at(4), PAGE(4), PAGE(8)) && is_huge());
	mmap_write_unlock(mm);
}
STEPS(shrink_beside, two_groups, HUGE);

/* Split where pages are numbers. */
static void split_numbers(void)
{
	split_huge_page_at(mm, PAGE(5));
	heddle_assert(pte_at(4) == PAGE_NUMBER(PAGE(4), 0));
	heddle_assert(pte_at(7) == PAGE_NUMBER(PAGE(7), 0));
	split_huge_page_at(mm, PAGE(5)); /* no more */
	heddle_assert(pte_at(4) == PAGE_NUMBER(PAGE(4), 0));
}
STEPS(split_numbers, huge_group, MM_THP);

static const struct heddle_variant parts_variants[] = {
	ALONE("changed", change), ALONE("protected", protect_part),
	ALONE("dropped", drop_part), ALONE("all dropped", drop_all),
	ALONE("left alone", shrink_beside), ALONE("numbers", split_numbers),
	{ .name = NULL },
};
TWIN_TASKS(parts, { "writer", steps_task });
#define parts_setup steps_setup
TWIN(parts, "huge_memory/parts of a group");

/* --- two tasks, one group ------------------------------------------------------------------ */

static void write_5(void *arg)
{
	(void)arg;
	heddle_assert(!fault_at(5, WRITE));
}

static void drop_4(void *arg)
{
	(void)arg;
	heddle_assert(!do_madvise_dontneed(mm, PAGE(4), PAGE(5)));
}

static void drop_group(void *arg)
{
	(void)arg;
	heddle_assert(!do_madvise_dontneed(mm, PAGE(4), PAGE(8)));
}

static void protect_group(void *arg)
{
	(void)arg;
	heddle_assert(!do_mprotect(mm, PAGE(4), PAGE(8), VM_READ));
}

/* Reclaim of page 4: without mmap_lock. */
static void reclaim_4(void *arg)
{
	(void)arg;
	rmap_unmap_anon(at(4)->anon_vma, 4);
}

static void split_check(void)
{
	heddle_assert(!is_huge() && !pte_at(4) && pte_at(5));
}

static void gone_check(void)
{
	heddle_assert(!is_huge() && !pte_at(4) && !pte_at(5));
}

static void protected_check(void)
{
	split_check();
	heddle_assert(!(pte_at(5) & _PAGE_RW));
}

/* On 6.6: since 6.14 mmap_lock has a seqcount, and what its writer does counts as
 * marked. */
#define PAIR(id, before, first, second, text, at_end)                  \
	static const struct steps id##_form = {                        \
		.form = { GEN1, .parts = HUGE }, .prepare = before,    \
	};                                                             \
	static const struct heddle_variant id##_variants[] = {         \
		{ .name = "safe", .data = &id##_form,                  \
		  .bound = 3, .fail = TWIN_NONE, .signals = TWIN_NONE }, \
		{ .name = NULL },                                      \
	};                                                             \
	TWIN_TASKS(id, { "first", first }, { "second", second });      \
	TWIN(id, text, .check = at_end)
static void one_check(void)
{
	heddle_assert(is_huge() && can_write() && counts(huge_folio(), 1, 1));
}

#define same_setup steps_setup
PAIR(same, a_group, write_5, write_5, "huge_memory/two faults, one page",
     one_check);
#define write_setup steps_setup
PAIR(write, protected_group, write_5, drop_4,
     "huge_memory/written to and split", split_check);
#define zaps_setup steps_setup
PAIR(zaps, huge_group, drop_group, drop_4,
     "huge_memory/dropped and split", gone_check);
#define protects_setup steps_setup
PAIR(protects, huge_group, protect_group, reclaim_4,
     "huge_memory/protected and split", protected_check);

/* --- khugepaged --------------------------------------------------------------------------- */

static void pages_4_and_6(void)
{
	mm_add_page(mm, PAGE(4), 44);
	mm_add_page(mm, PAGE(6), 66);
}

/* From now on: while the pages came one by one it was forbidden. */
static void may_be_huge(const struct vm_operations_struct *ops)
{
	struct vm_area_struct *vma = at(4);

	mmap_write_lock(mm);
	vma_start_write(vma);
	vma->vm_flags &= ~VM_NOHUGEPAGE;
	vma->vm_ops = ops;
	mmap_write_unlock(mm);
}

static void small_pages(void)
{
	mm_add_vma_flags(mm, PAGE(4), PAGE(8), RW | VM_NOHUGEPAGE);
	pages_4_and_6();
	may_be_huge(NULL);
}

static void hot_pages(void)
{
	small_pages();
	mm_load_tlb(1, mm, PAGE(4));
	mm_load_tlb(1, mm, PAGE(6));
}

/* It does, and gives up what was there: pages, their table, and what CPUs
 * remember of them. */
static void collapses(void)
{
	struct folio *old = (struct folio *)(pte_at(4) & ~_PAGE_BITS), *folio;

	folio_get(old);
	collapse_huge_page(mm, PAGE(5));
	heddle_assert(is_huge() && can_write());
	folio = huge_folio();
	heddle_assert(counts(folio, 1, 1) && folio_test_uptodate(folio));
	heddle_assert(folio->mapping == at(4)->anon_vma && folio->index == 4);
	heddle_assert(counts(old, 1, 0));
	folio_put(old);
	collapse_huge_page(mm, PAGE(5)); /* nothing is left to do */
	heddle_assert(huge_folio() == folio && counts(folio, 1, 1));
}
STEPS(collapses, small_pages, HUGE);
#define flushes collapses
static const struct steps flushes_steps = {
	.form = { V10, .parts = HUGE | MM_TLB },
	.prepare = hot_pages, .take = collapses,
};

#define no_file collapses
static const struct steps no_file_steps = {
	.form = { V10, .parts = HUGE | MM_FILE },
	.prepare = small_pages, .take = collapses,
};

static void low_and_high(void)
{
	mm_add_vma_flags(mm, PAGE(2), PAGE(10), RO | VM_NOHUGEPAGE);
	pages_4_and_6();
	may_be_huge(NULL);
}

static void collapses_read_only(void)
{
	collapse_huge_page(mm, PAGE(7));
	heddle_assert(is_huge() && !can_write());
}
STEPS(collapses_read_only, low_and_high, HUGE);

/* It does not, and nothing changes. */
static void does_not(void)
{
	unsigned long pmd = mm->pmd[1], pte = pte_at(6);

	collapse_huge_page(mm, PAGE(6));
	heddle_assert(mm->pmd[1] == pmd && pte_at(6) == pte);
}

static void starts_late(void)
{
	mm_add_vma(mm, PAGE(5), PAGE(9));
	mm_add_page(mm, PAGE(6), 66);
}

static void ends_early(void)
{
	mm_add_vma(mm, PAGE(3), PAGE(7));
	mm_add_page(mm, PAGE(6), 66);
}

static void forbidden(void)
{
	mm_add_vma_flags(mm, PAGE(4), PAGE(8), RW | VM_NOHUGEPAGE);
	mm_add_page(mm, PAGE(6), 66);
}

static void no_anon_vma(void)
{
	mm_add_vma_flags(mm, PAGE(4), PAGE(8), RW | VM_NOHUGEPAGE);
	mmap_read_lock(mm);
	heddle_assert(!handle_mm_fault(at(4), PAGE(6), 0)); /* the zero page */
	mmap_read_unlock(mm);
	may_be_huge(NULL);
}

static int no_fault(struct vm_fault *vmf)
{
	(void)vmf;
	return VM_FAULT_SIGBUS;
}

static const struct vm_operations_struct some_ops = { .fault = no_fault };

static void a_file(void)
{
	small_pages();
	may_be_huge(&some_ops);
}

static void no_vma(void)
{
	mm_add_vma(mm, PAGE(0), PAGE(4));
}

static void nothing_there(void)
{
	mm_add_vma_flags(mm, PAGE(3), PAGE(8), RW | VM_NOHUGEPAGE);
	mm_add_page(mm, PAGE(3), 33);
	may_be_huge(NULL);
}

#define DOES_NOT(before, parts_)                                       \
	static const struct steps before##_steps = {                   \
		.form = { V10, .parts = (parts_) },                    \
		.prepare = before, .take = does_not,                   \
	}
DOES_NOT(starts_late, HUGE);
DOES_NOT(ends_early, HUGE);
DOES_NOT(forbidden, HUGE);
DOES_NOT(no_anon_vma, HUGE);
DOES_NOT(a_file, HUGE | MM_FILE);
DOES_NOT(no_vma, HUGE);
DOES_NOT(nothing_there, HUGE);

static const struct heddle_variant collapse_variants[] = {
	ALONE("the group is a VMA", collapses),
	ALONE("a TLB", flushes), ALONE("its VMA has no file", no_file),
	ALONE("in a larger VMA, read-only", collapses_read_only),
	ALONE("VMA starts in the group", starts_late),
	ALONE("VMA ends in the group", ends_early),
	ALONE("VM_NOHUGEPAGE", forbidden),
	ALONE("no anon_vma", no_anon_vma), ALONE("a file", a_file),
	ALONE("no VMA", no_vma), ALONE("no table", nothing_there),
	{ .name = NULL },
};
TWIN_TASKS(collapse, { "khugepaged", steps_task });
#define collapse_setup steps_setup
TWIN(collapse, "khugepaged/when it makes a huge page");

/* All or nothing, also without memory. */
static void collapse_or_not(void)
{
	unsigned long pte = pte_at(4);

	collapse_huge_page(mm, PAGE(5));
	if (is_huge())
		return;
	heddle_assert(pte_at(4) == pte);
	heddle_mark("not collapsed");
}
STEPS(collapse_or_not, small_pages, HUGE);
static const char *const none_goals[] = { "not collapsed",
					  "huge page collapsed", NULL };
static const struct heddle_variant none_variants[] = {
	{ .name = "safe", .data = &collapse_or_not_steps }, { .name = NULL },
};
TWIN_TASKS(none, { "khugepaged", steps_task });
#define none_setup steps_setup
TWIN(none, "khugepaged/no memory", .goals = none_goals);

static void collapse_it(void *arg)
{
	(void)arg;
	collapse_huge_page(mm, PAGE(4));
}

static void unmap_group(void *arg)
{
	(void)arg;
	heddle_assert(!do_munmap(mm, PAGE(4), PAGE(8)));
}

static void nothing_check(void)
{
	heddle_assert(!mm->pmd[1]);
}

static void page_4_check(void)
{
	heddle_assert(is_huge() || !pte_at(4));
}

static void page_5_check(void)
{
	heddle_assert(is_huge());
}

/* A walk from the page uses the table that goes. */
#define walked_setup steps_setup
PAIR(walked, small_pages, collapse_it, reclaim_4,
     "khugepaged/a walk by reclaim", page_4_check);
#define faulted_setup steps_setup
PAIR(faulted, small_pages, collapse_it, write_5, "khugepaged/a fault",
     page_5_check);
#define unmapped_setup steps_setup
PAIR(unmapped, small_pages, collapse_it, unmap_group, "khugepaged/munmap",
     nothing_check);
