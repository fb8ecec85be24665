/* SPDX-License-Identifier: MIT */
/* Does check_mm.c know which lock each store to an address space needs? */
#include <heddle/mm.h>

#include "twins.h"

enum { A = 0x2000, B = 0x3000 };

struct test {
	struct mm_form form;
	bool broken;
};
#define TEST(name, ...)                                                \
	static const struct test name = { .form = { __VA_ARGS__ } };   \
	static const struct test name##_broken = {                     \
		.form = { __VA_ARGS__ }, .broken = true                \
	}
TEST(v10, V10);
TEST(old, .stack = MM_STACK_5_8);

static bool broken(void)
{
	return ((const struct test *)heddle_variant_data())->broken;
}

static void one_page(void)
{
	mm = mm_alloc();
	mm_add_vma(mm, A, B);
	set_pte(mm, pte_alloc(mm, A), A, 7);
}

/* Under mmap_lock for write; broken: for read, with the spinlock of old. */
static void lock_tree(void)
{
	if (broken())
		mmap_read_lock(mm);
	else
		mmap_write_lock(mm);
}

static void unlock_tree(void)
{
	if (broken())
		mmap_read_unlock(mm);
	else
		mmap_write_unlock(mm);
}

static void count(void *arg)
{
	(void)arg;
	lock_tree();
	mm->map_count = 1;
	unlock_tree();
}

#define count_setup one_page
TWIN_TASKS(count, { "task", count });
FORMS(count, v10, v10_broken, SHOWS(LOCK_ASSERT));
TWIN(count, "locks/map_count");

static void store(void *arg)
{
	(void)arg;
	lock_tree();
	mas_store(mm, vma_lookup(mm, A));
	unlock_tree();
}

#define tree_setup one_page
TWIN_TASKS(tree, { "task", store });
FORMS(tree, v10, v10_broken, SHOWS(LOCK_ASSERT));
TWIN(tree, "locks/tree");

/* Up to 6.4 a stack did just that, with another lock; broken: without. */
static void grow(void *arg)
{
	(void)arg;
	mmap_read_lock(mm);
	if (!broken())
		spin_lock(&mm->page_table_lock);
	mas_store(mm, vma_lookup(mm, A));
	if (!broken())
		spin_unlock(&mm->page_table_lock);
	mmap_read_unlock(mm);
}

#define grow_setup one_page
TWIN_TASKS(grow, { "task", grow });
FORMS(grow, old, old_broken, SHOWS(LOCK_ASSERT));
TWIN(grow, "locks/tree, by a stack");

static void set_entry(void *arg)
{
	struct page_table *table = pte_offset(mm, A);

	(void)arg;
	if (!broken())
		spin_lock(&table->ptl);
	WRITE_ONCE(table->pte[pte_index(A)], 8);
	if (!broken())
		spin_unlock(&table->ptl);
}

#define pte_setup one_page
TWIN_TASKS(pte, { "task", set_entry });
FORMS(pte, v10, v10_broken, SHOWS(LOCK_ASSERT));
TWIN(pte, "locks/pte");

/* To take a table away needs no lock, to put it there does. */
static void set_upper_entry(void *arg)
{
	unsigned long table = mm->pmd[pmd_index(A)];

	(void)arg;
	WRITE_ONCE(mm->pmd[pmd_index(A)], 0);
	if (!broken())
		spin_lock(&mm->page_table_lock);
	WRITE_ONCE(mm->pmd[pmd_index(A)], table);
	if (!broken())
		spin_unlock(&mm->page_table_lock);
}

#define pmd_setup one_page
TWIN_TASKS(pmd, { "task", set_upper_entry });
FORMS(pmd, v10, v10_broken, SHOWS(LOCK_ASSERT));
TWIN(pmd, "locks/pmd");
