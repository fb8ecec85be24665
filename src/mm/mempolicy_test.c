/* SPDX-License-Identifier: MIT */
/* Memory policies, safe and broken twins.
 *
 * Covers mempolicy.c. */
#include <heddle/mempolicy.h>
#include <heddle/mm.h>

#include "twins.h"

enum { A = 0x2000, B = 0x3000, END = 0x4000 };

struct test {
	struct mm_form form;
	bool broken;
};

#define POLICY GEN2, .parts = MM_POLICY
static const struct test locks = { .form = { POLICY } };
static const struct test broken_task = { .form = { POLICY }, .broken = true };
static const struct test no_locks = {
	.form = { POLICY, .without = MM_STEP_MBIND_LOCKS }
};
static const struct test late = {
	.form = { POLICY, .without = MM_STEP_MBIND_LOCKS_FIRST }
};

static bool broken(void)
{
	return ((const struct test *)heddle_variant_data())->broken;
}

static struct vm_area_struct *vma;

static void two_pages(void)
{
	mm = mm_alloc();
	vma = mm_add_vma(mm, A, END);
	mmap_write_lock(mm);
	vma_start_write(vma);
	vma->vm_policy = mpol_new(0);
	mmap_write_unlock(mm);
	pte_alloc(mm, A);
}

static int node_of(unsigned long addr)
{
	return PAGE_NODE(pte_offset(mm, addr)->pte[pte_index(addr)]);
}

static void fault(void *arg)
{
	(void)arg;
	heddle_assert(!do_user_addr_fault(mm, A, FAULT_FLAG_USER));
}

static void bind_all(void *arg)
{
	(void)arg;
	if (do_mbind(mm, A, END, 1))
		heddle_mark("mbind: no memory");
	else
		heddle_mark("mbind: done");
}

static const char *const goals[] = { "mbind: no memory", "mbind: done", NULL };

#define unlocked_setup two_pages
TWIN_TASKS(unlocked, { "mbind", bind_all }, { "fault", fault });
FORMS(unlocked, locks, no_locks, SHOWS(UNLOCKED_WRITE), SHOWS(DATA_RACE),
      SHOWS(ASSERT_RACE), SHOWS(USE_AFTER_FREE));
TWIN(unlocked, "mempolicy/replaced under the VMA lock", .goals = goals);

/* If mbind() succeeds, the page lies where it said. */
static bool bound;

static void bind_and_say(void *arg)
{
	(void)arg;
	bound = !do_mbind(mm, A, END, 1);
}

static void bound_check(void)
{
	heddle_assert(!bound || node_of(A) == 1);
}

#define missed_setup two_pages
TWIN_TASKS(missed, { "mbind", bind_and_say }, { "fault", fault });
FORMS(missed, locks, late, SHOWS(ASSERT));
TWIN(missed, "mempolicy/no page is missed", .check = bound_check);

/* Half of the VMA: both parts have a policy of their own, and both are put. */
static void bind_half(void *arg)
{
	int err = do_mbind(mm, A, broken() ? END : B, 1);

	(void)arg;
	fault(NULL);
	heddle_assert(!do_user_addr_fault(mm, B, FAULT_FLAG_USER));
	heddle_assert(node_of(B) == 0);
	heddle_assert(err || node_of(A) == 1);
	do_munmap(mm, A, END);
}

#define half_setup two_pages
TWIN_TASKS(half, { "mbind", bind_half });
FORMS(half, locks, broken_task, SHOWS(ASSERT));
TWIN(half, "mempolicy/split");

/* A hole ends it. */
static void bind_hole(void *arg)
{
	(void)arg;
	heddle_assert(do_mbind(mm, A, END + PAGE_SIZE, 1) != 0);
	if (broken())
		mpol_put(vma->vm_policy);
	do_munmap(mm, A, END);
}

#define hole_setup two_pages
TWIN_TASKS(hole, { "mbind", bind_hole });
FORMS(hole, locks, broken_task, SHOWS(USE_AFTER_FREE));
TWIN(hole, "mempolicy/hole, and one put too many");

/* --- which pages, and which policy ----------------------------------------- */

/* VMAs of some of the pages 1 to 3; what is mapped, and their policies, come
 * from node 1, and mbind() is about node 0. */
static void area_on_node_1(u32 first, u32 end)
{
	vma = mm_add_vma(mm, PAGE(first), PAGE(end));
	mmap_write_lock(mm);
	vma_start_write(vma);
	vma->vm_policy = mpol_new(1);
	mmap_write_unlock(mm);
}

static void page_on_node_1(u32 page)
{
	set_pte(mm, pte_alloc(mm, PAGE(page)), PAGE(page),
		PAGE_NUMBER(PAGE(page), 1));
}

static int node_of_new(u32 page)
{
	heddle_assert(node_of(PAGE(page)) == -1); /* none is there yet */
	heddle_assert(!do_user_addr_fault(mm, PAGE(page), FAULT_FLAG_USER));
	return node_of(PAGE(page));
}

static void three_pages_setup(void)
{
	mm = mm_alloc();
	area_on_node_1(1, 4);
	page_on_node_1(2);
}

/* The VMA is split twice; either may fail, and then nothing is moved. */
static void bind_middle(void *arg)
{
	int err = do_mbind(mm, PAGE(2), PAGE(broken() ? 4 : 3), 0);

	(void)arg;
	if (err)
		heddle_mark("mbind: no memory");
	else
		heddle_mark("mbind: done");
	heddle_assert(node_of(PAGE(2)) == !!err);
	heddle_assert(node_of_new(1) == 1);
	heddle_assert(node_of_new(3) == 1);
}

#define middle_setup three_pages_setup
TWIN_TASKS(middle, { "mbind", bind_middle });
FORMS(middle, locks, broken_task, SHOWS(ASSERT));
TWIN(middle, "mempolicy/the middle of a VMA", .goals = goals);

/* A VMA of many pages of which few are there: no others are made. */
static void bind_three(void *arg)
{
	int err = do_mbind(mm, PAGE(1), PAGE(4), broken());

	(void)arg;
	heddle_assert(node_of(PAGE(2)) == !!err);
	heddle_assert(node_of_new(1) == !!err);
	heddle_assert(node_of_new(3) == !!err);
}

#define sparse_setup three_pages_setup
TWIN_TASKS(sparse, { "mbind", bind_three });
FORMS(sparse, locks, broken_task, SHOWS(ASSERT));
TWIN(sparse, "mempolicy/pages that are not there");

static void two_areas_setup(void)
{
	mm = mm_alloc();
	area_on_node_1(1, 2);
	area_on_node_1(3, 4);
	page_on_node_1(1);
}

/* What is mapped stays where it is, and the VMA behind the hole as it is. */
static void bind_over_hole(void *arg)
{
	(void)arg;
	heddle_assert(do_mbind(mm, PAGE(1), PAGE(broken() ? 2 : 4), 0) != 0);
	heddle_assert(node_of(PAGE(1)) == 1);
	heddle_assert(node_of_new(3) == 1);
}

#define over_setup two_areas_setup
TWIN_TASKS(over, { "mbind", bind_over_hole });
FORMS(over, locks, broken_task, SHOWS(ASSERT));
TWIN(over, "mempolicy/over a hole");

/* Faults of a VMA behind the range need not wait, although the search for those
 * in it comes upon that one. */
static void bind_up_to_it(void *arg)
{
	unsigned int seq = vma->vm_lock_seq;

	(void)arg;
	heddle_assert(do_mbind(mm, PAGE(1), PAGE(broken() ? 4 : 3), 0) != 0);
	heddle_assert(vma->vm_lock_seq == seq);
}

#define behind_setup two_areas_setup
TWIN_TASKS(behind, { "mbind", bind_up_to_it });
FORMS(behind, locks, broken_task, SHOWS(ASSERT));
TWIN(behind, "mempolicy/the VMA behind is not locked");

/* A VMA without a policy, and a part that gets one. */
static void no_policy_setup(void)
{
	mm = mm_alloc();
	vma = mm_add_vma(mm, PAGE(1), PAGE(3));
	pte_alloc(mm, PAGE(1));
}

static void bind_first_of_two(void *arg)
{
	int err = do_mbind(mm, PAGE(1), PAGE(broken() ? 3 : 2), 1);

	(void)arg;
	heddle_assert(node_of_new(1) == !err);
	heddle_assert(node_of_new(2) == 0);
}

TWIN_TASKS(no_policy, { "mbind", bind_first_of_two });
FORMS(no_policy, locks, broken_task, SHOWS(ASSERT));
TWIN(no_policy, "mempolicy/none");

/* The last reference frees it, none before. */
static void share(void *arg)
{
	struct mempolicy *pol = mpol_new(1);

	(void)arg;
	if (!pol)
		return;
	if (!broken())
		mpol_get(pol);
	mpol_put(pol);
	heddle_assert(pol->node == 1);
	mpol_put(pol);
}

#define shared_setup two_pages
TWIN_TASKS(shared, { "owners", share });
FORMS(shared, locks, broken_task, SHOWS(USE_AFTER_FREE));
TWIN(shared, "mempolicy/two owners");
