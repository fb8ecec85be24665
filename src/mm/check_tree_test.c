/* SPDX-License-Identifier: MIT */
/* tree, huge-pmd: is each way to break an address space seen, and no sound one
 * blamed?
 *
 * Covers check_tree.c, and huge_memory.c, which must keep huge pages inside of
 * their VMAs. */
#include <heddle/mm.h>

#include "twins.h"

struct breaks {
	struct mm_form form;
	void (*how)(struct maple_node *node);
};

static struct vm_area_struct *first, *second;

static void three_vmas(void)
{
	mm = mm_alloc();
	first = mm_add_vma(mm, PAGE(0), PAGE(4));
	second = mm_add_vma(mm, PAGE(4), PAGE(6));
	mm_add_vma(mm, PAGE(8), PAGE(12));
}

/* A writer, and what it has done by the time that it unlocks. */
static void break_it(void *arg)
{
	const struct breaks *b = heddle_variant_data();

	(void)arg;
	mmap_write_lock(mm);
	vma_start_write(first);
	vma_start_write(second);
	b->how(mm->mm_mt.root);
	mmap_write_unlock(mm);
}

static void how_not(struct maple_node *node)
{
	(void)node;
}

static void how_order(struct maple_node *node)
{
	struct vm_area_struct *vma = node->slot[0].vma;

	node->slot[0] = node->slot[1];
	node->slot[1].first = 0;
	node->slot[1].last = PAGE(4) - 1;
	node->slot[1].vma = vma;
}

static void how_range(struct maple_node *node)
{
	(void)node;
	second->vm_end = PAGE(5);
}

static void how_start(struct maple_node *node)
{
	(void)node;
	second->vm_start = PAGE(5);
}

static void how_overlap(struct maple_node *node)
{
	node->slot[0].last = PAGE(5) - 1;
	first->vm_end = PAGE(5);
}

static void how_empty(struct maple_node *node)
{
	node->slot[1].first = PAGE(6);
	second->vm_start = PAGE(6);
}

static void how_freed(struct maple_node *node)
{
	(void)node;
	vma_mark_detached(second);
	vm_area_free(second);
}

static void how_owner(struct maple_node *node)
{
	(void)node;
	second->vm_mm = NULL;
}

static void how_count(struct maple_node *node)
{
	(void)node;
	mm->map_count++;
}

static void huge(u32 page)
{
	struct vm_fault vmf = { .vma = at(page), .address = PAGE(page) };

	heddle_assert(do_huge_pmd_anonymous_page(&vmf) == VM_FAULT_NOPAGE);
}

/* Boundaries between groups cut none. */
static void how_huge_fits(struct maple_node *node)
{
	(void)node;
	huge(0);
	huge(9);
}

static void how_huge_cut(struct maple_node *node)
{
	(void)node;
	huge(0);
	mas_clear(mm, PAGE(3), PAGE(4));
	first->vm_end = PAGE(3);
}

static void how_huge_two(struct maple_node *node)
{
	huge(0);
	node->slot[1].first = PAGE(3);
	second->vm_start = PAGE(3);
	node->slot[0].last = PAGE(3) - 1;
	first->vm_end = PAGE(3);
}

#define BREAKS(id)                                                     \
	static const struct breaks id = {                              \
		.form = { V10, .parts = MM_THP }, .how = how_##id,     \
	}
BREAKS(not);
BREAKS(order);
BREAKS(range);
BREAKS(start);
BREAKS(overlap);
BREAKS(empty);
BREAKS(freed);
BREAKS(owner);
BREAKS(count);
BREAKS(huge_fits);
BREAKS(huge_cut);
BREAKS(huge_two);
static const struct breaks old_freed = {
	.form = { GEN1 }, .how = how_freed,
};

#define BROKEN(text, id, v) \
	{ .name = (text), .data = &(id), .fail = TWIN_NONE, \
	  .expect = { SHOWS(v) } }
#define SOUND(text, id) { .name = (text), .data = &(id), .fail = TWIN_NONE }
#define tree_setup three_vmas
TWIN_TASKS(tree, { "writer", break_it });
static const struct heddle_variant tree_variants[] = {
	SOUND("sound", not), BROKEN("not sorted", order, TREE),
	BROKEN("end", range, TREE), BROKEN("start", start, TREE),
	BROKEN("overlap", overlap, TREE), BROKEN("empty", empty, TREE),
	BROKEN("freed", freed, TREE),
	BROKEN("freed, 6.6", old_freed, TREE),
	BROKEN("of another mm", owner, TREE), BROKEN("map_count", count, TREE),
	SOUND("huge pages fit", huge_fits),
	{ .name = "huge page cut", .data = &huge_cut, .fail = TWIN_NONE,
	  .expect = { SHOWS(HUGE_PMD), SHOWS(PTE_WITHOUT_VMA) } },
	BROKEN("huge page in two VMAs", huge_two, HUGE_PMD), { .name = NULL },
};
TWIN(tree, "tree/what a writer leaves");

/* Also where no writer gives a lock back: at the end of the run. */
static void break_unseen(void *arg)
{
	(void)arg;
	if (heddle_variant()->expect[0].verdict)
		mm->map_count++;
}

#define at_end_setup three_vmas
TWIN_TASKS(at_end, { "careless", break_unseen });
static const struct heddle_variant at_end_variants[] = {
	SOUND("safe", not),
	{ .name = "broken", .data = &not, .fail = TWIN_NONE,
	  .expect = { SHOWS(TREE), SHOWS(LOCK_ASSERT) } },
	{ .name = NULL },
};
TWIN(at_end, "tree/at the end of the run");

/* --- huge pages ------------------------------------------------------------------- */

/* Pages of the group 4 to 8: as one, alone, or none. */
static bool is_huge(void)
{
	return mm->pmd[1] & _PAGE_PSE;
}

static bool is_single(u32 page)
{
	return !is_huge() && mm->pmd[1] &&
	       ((struct page_table *)mm->pmd[1])->pte[page % PTRS_PER_PTE];
}

static void huge_group(void)
{
	huge(4);
	heddle_assert(is_huge());
}

static int unmap_all(void)
{
	int err = do_munmap(mm, PAGE(4), PAGE(8));

	heddle_assert(!mm->pmd[1]);
	return err;
}

/* What stays is mapped page by page. */
static int unmap_a_part(void)
{
	int err = do_munmap(mm, PAGE(5), PAGE(7));

	heddle_assert(err || (is_single(4) && !is_single(5) && !is_single(6) &&
			      is_single(7)));
	return err;
}

static int drop_a_part(void)
{
	int err = do_madvise_dontneed(mm, PAGE(4), PAGE(6));

	heddle_assert(!is_single(4) && !is_single(5) && is_single(6) &&
		      is_single(7));
	return err;
}

/* A boundary of the VMA that is one of the group leaves it whole. */
static int split_beside(void)
{
	int err;

	huge(8);
	mmap_write_lock(mm);
	err = split_vma(at(4), PAGE(8), false);
	mmap_write_unlock(mm);
	heddle_assert(is_huge() && mm->pmd[2] & _PAGE_PSE);
	return err;
}

static int split_through(void)
{
	int err;

	mmap_write_lock(mm);
	err = split_vma(at(4), PAGE(6), false);
	mmap_write_unlock(mm);
	heddle_assert(err ? is_huge() : is_single(4) && is_single(7));
	return err;
}

/* The neighbour grows into the group: it is cut, though no VMA is split. */
static int merge_through(void)
{
	int err = do_mprotect(mm, PAGE(4), PAGE(6), VM_READ);

	heddle_assert(err ? is_huge() : is_single(4) && is_single(7));
	return err;
}

static int move_group(void)
{
	int err = do_mremap(mm, PAGE(4), PAGE(4), PAGE(4), PAGE(12),
			    MREMAP_FIXED);

	heddle_assert(err || (!mm->pmd[1] && mm->pmd[3]));
	return err;
}

#define HUGE(id, ...)                                                 \
	static const struct call huge_##id = {                        \
		.form = { V10, .parts = MM_THP }, .make = id,         \
		.prepare = huge_group, __VA_ARGS__                    \
	}
HUGE(unmap_all, .before = { { 4, 8, 0, RW } }, .after = { { 0 } });
HUGE(unmap_a_part, .before = { { 4, 8, 0, RW } },
     .after = { { 4, 5, 0, RW }, { 7, 8, 0, RW } });
HUGE(drop_a_part, .before = { { 4, 8, 0, RW } }, .after = { { 4, 8, 0, RW } });
HUGE(split_beside, .before = { { 4, 12, 0, RW } },
     .after = { { 4, 8, 0, RW }, { 8, 12, 0, RW } });
HUGE(split_through, .before = { { 4, 8, 0, RW } },
     .after = { { 4, 6, 0, RW }, { 6, 8, 0, RW } });
HUGE(merge_through, .before = { { 2, 4, 0, RO }, { 4, 8, 0, RW } },
     .after = { { 2, 6, 0, RO }, { 6, 8, 0, RW } });
HUGE(move_group, .before = { { 4, 8, 0, RW } },
     .after = { { 12, 16, -8, RW } });

CALLS(huge, "huge_memory/who changes a part of the group",
      CALL_ONLY("unmapped", huge_unmap_all),
      CALL("a part unmapped", huge_unmap_a_part),
      CALL_ONLY("a part dropped", huge_drop_a_part),
      CALL("split beside it", huge_split_beside),
      CALL("split through it", huge_split_through),
      CALL("neighbour grows into it", huge_merge_through),
      CALL_ONLY("moved", huge_move_group));

/* Where no huge page may be: the fault brings a single one. */
static void fault_5(void *arg)
{
	(void)arg;
	heddle_assert(!do_user_addr_fault(mm, PAGE(5), FAULT_FLAG_USER));
}

static void single_check(void)
{
	heddle_assert(is_single(5) && !is_single(4));
}

static void huge_check(void)
{
	heddle_assert(is_huge());
}

#define WHERE(id, ...)                                                \
	static const struct call id = { .form = { V10, .parts = MM_THP }, \
					.before = { __VA_ARGS__ } };  \
	SAFE_FORM(id, id)
WHERE(too_high, { 5, 9, 0, RW });
WHERE(too_low, { 2, 7, 0, RW });
WHERE(forbidden, { 4, 8, 0, RW | VM_NOHUGEPAGE });
WHERE(fits, { 4, 8, 0, RW });
TWIN_TASKS(too_high, { "f1", fault_5 }, { "f2", fault_5 });
#define too_low_tasks too_high_tasks
#define forbidden_tasks too_high_tasks
#define fits_tasks too_high_tasks
#define too_high_setup call_setup
#define too_low_setup call_setup
#define forbidden_setup call_setup
#define fits_setup call_setup
TWIN(too_high, "huge_memory/a VMA that begins in the group",
     .check = single_check);
TWIN(too_low, "huge_memory/a VMA that ends in the group",
     .check = single_check);
TWIN(forbidden, "huge_memory/VM_NOHUGEPAGE", .check = single_check);
TWIN(fits, "huge_memory/two faults, one huge page", .check = huge_check);
