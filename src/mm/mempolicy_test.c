/* SPDX-License-Identifier: MIT */
/* Memory policies, safe and broken twins.
 *
 * Covers mempolicy.c. */
#include <heddle/mempolicy.h>
#include <heddle/mm.h>

#include "../base/twin.h"

enum { A = 0x2000, B = 0x3000, END = 0x4000 };

struct test {
	struct mm_form form;
	bool broken;
};

#define GEN2 .lock = &vma_lock_gen2, .free_by_rcu = true, .parts = MM_POLICY
static const struct test locks = { .form = { GEN2 } };
static const struct test broken_task = { .form = { GEN2 }, .broken = true };
static const struct test no_locks = {
	.form = { GEN2, .without = MM_STEP_MBIND_LOCKS }
};
static const struct test late = {
	.form = { GEN2, .without = MM_STEP_MBIND_LOCKS_FIRST }
};

static bool broken(void)
{
	return ((const struct test *)heddle_variant_data())->broken;
}

#define FORMS(id, good, bad, ...)                                      \
	static const struct heddle_variant id##_variants[] = {         \
		{ .name = "safe", .data = &(good) },                   \
		{ .name = "broken", .data = &(bad),                    \
		  .expect = { __VA_ARGS__ } },                         \
		{ .name = NULL },                                      \
	}

static struct mm_struct *mm;
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
