/* SPDX-License-Identifier: MIT */
/* Stacks that grow, and walks that stay in a node: safe and broken twins.
 *
 * Covers stack.c and vma_iter.c. */
#include <heddle/mm.h>
#include <heddle/rmap.h>

#include "twins.h"

enum { LOW = 0x1000, BELOW = 0x3000, STACK = 0x4000, END = 0x5000 };

struct test {
	struct mm_form form;
	bool broken;
};

static const struct test v6_5 = { .form = { GEN1, .stack = MM_STACK_6_5 } };
static const struct test broken_task = {
	.form = { GEN1, .stack = MM_STACK_6_5 }, .broken = true
};
static const struct test v6_4 = { .form = { GEN1, .stack = MM_STACK_5_8 } };
static const struct test unlocked = {
	.form = { GEN1, .stack = MM_STACK_6_5, .without = MM_STEP_LOCK_STACK }
};

static bool broken(void)
{
	return ((const struct test *)heddle_variant_data())->broken;
}

static struct vm_area_struct *low, *stack;

static void one_stack(void)
{
	mm = mm_alloc();
	low = mm_add_vma(mm, LOW, LOW + PAGE_SIZE);
	stack = mm_add_vma_flags(mm, STACK, END,
				 VM_READ | VM_WRITE | VM_GROWSDOWN);
	heddle_assert(!anon_vma_prepare(stack));
	pte_alloc(mm, BELOW);
}

/* Only a lack of memory is an error, and then nothing has changed. */
static void grow(void *arg)
{
	int err = do_user_addr_fault(mm, BELOW, FAULT_FLAG_USER);

	(void)arg;
	if (err)
		heddle_mark("no memory");
}

static void grown_check(void)
{
	unsigned long page = pte_offset(mm, BELOW)->pte[pte_index(BELOW)];

	heddle_assert(page ? stack->vm_start == BELOW &&
			     stack->vm_pgoff == BELOW >> PAGE_SHIFT :
			     stack->vm_start == STACK);
}

/* Two expanders look at the tree that the other one changes.  And vm_start comes
 * before the tree: who sees it goes on as if the tree had it as well. */
static const char *const both_goals[] = { "stack grows", "no memory", NULL };
#define both_setup one_stack
TWIN_TASKS(both, { "f1", grow }, { "f2", grow });
FORMS(both, v6_5, v6_4, SHOWS(UNLOCKED_WRITE), SHOWS(ASSERT_RACE),
      SHOWS(USE_AFTER_FREE), SHOWS(DATA_RACE), SHOWS(PTE_WITHOUT_VMA));
TWIN(both, "stack/two faults, one stack", .goals = both_goals,
     .check = grown_check);

#define locked_setup one_stack
TWIN_TASKS(locked, { "fault", grow });
FORMS(locked, v6_5, unlocked, SHOWS(UNLOCKED_WRITE));
TWIN(locked, "stack/write-locked when it grows", .check = grown_check);

/* One fault alone: also under mmap_lock for read. */
static const struct test no_vma_lock = { .form = { .stack = MM_STACK_5_8 } };
#define alone_setup one_stack
TWIN_TASKS(alone, { "fault", grow });
SAFE_FORM(alone, no_vma_lock);
TWIN(alone, "stack/under mmap_lock for read", .goals = both_goals,
     .check = grown_check);

/* It may grow until it touches what lies below. */
static void grow_to_low(void *arg)
{
	unsigned long addr = broken() ? BELOW : low->vm_end;

	(void)arg;
	heddle_assert(!do_user_addr_fault(mm, addr, FAULT_FLAG_USER));
	heddle_assert(stack->vm_start == low->vm_end);
}

#define touch_setup one_stack
TWIN_TASKS(touch, { "fault", grow_to_low });
static const struct heddle_variant touch_variants[] = {
	{ .name = "safe", .data = &v6_5, .fail = TWIN_NONE },
	{ .name = "broken", .data = &broken_task, .fail = TWIN_NONE,
	  .expect = { SHOWS(ASSERT) } },
	{ .name = NULL },
};
TWIN(touch, "stack/down to its neighbour");

/* Who walks the reverse map does not see it half grown. */
static void look_through_rmap(void *arg)
{
	struct anon_vma *av = stack->anon_vma;

	(void)arg;
	if (!broken())
		anon_vma_lock_read(av);
	heddle_assert(stack->vm_pgoff == stack->vm_start >> PAGE_SHIFT);
	if (!broken())
		anon_vma_unlock_read(av);
}

#define half_grown_setup one_stack
TWIN_TASKS(half_grown, { "fault", grow }, { "walk", look_through_rmap });
FORMS(half_grown, v6_5, broken_task, SHOWS(ASSERT), SHOWS(DATA_RACE));
TWIN(half_grown, "stack/rmap walks wait");

/* What is no stack does not grow. */
static void below_low(void *arg)
{
	unsigned long addr = broken() ? BELOW : LOW - PAGE_SIZE;
	int err = do_user_addr_fault(mm, addr, FAULT_FLAG_USER);

	(void)arg;
	heddle_assert(err == VM_FAULT_SIGSEGV && low->vm_start == LOW);
}

#define no_stack_setup one_stack
TWIN_TASKS(no_stack, { "fault", below_low });
static const struct heddle_variant no_stack_variants[] = {
	{ .name = "6.5", .data = &v6_5 },
	{ .name = "5.8", .data = &no_vma_lock },
	{ .name = "broken", .data = &broken_task,
	  .expect = { SHOWS(ASSERT) } },
	{ .name = NULL },
};
TWIN(no_stack, "stack/others do not grow");

/* Nor what is found once mmap_lock is held for write, if the stack has gone. */
static struct vm_area_struct *above;

static void stack_and_other(void)
{
	one_stack();
	above = mm_add_vma(mm, END, END + PAGE_SIZE);
}

static void unmap_stack(void *arg)
{
	(void)arg;
	do_munmap(mm, STACK, END);
}

static void fault_below(void *arg)
{
	(void)arg;
	if (do_user_addr_fault(mm, BELOW, FAULT_FLAG_USER) == VM_FAULT_SIGSEGV)
		heddle_mark("stack has gone");
	heddle_assert(above->vm_start == (broken() ? STACK : END));
}

static const char *const gone_goals[] = { "stack grows", "stack has gone",
					  NULL };
#define gone_setup stack_and_other
TWIN_TASKS(gone, { "munmap", unmap_stack }, { "fault", fault_below });
static const struct heddle_variant gone_variants[] = {
	{ .name = "safe", .data = &v6_5, .bound = 2 },
	{ .name = "broken", .data = &broken_task, .bound = 2,
	  .expect = { SHOWS(ASSERT) } },
	{ .name = NULL },
};
TWIN(gone, "stack/gone meanwhile", .goals = gone_goals);

/* --- a walk that stays in its node -------------------------------------- */

static void walk(void *arg)
{
	struct vm_area_struct *vma, *prev;

	(void)arg;
	if (!broken())
		mmap_read_lock(mm);
	vma = find_vma_prev(mm, STACK, &prev);
	heddle_assert(vma == stack && (!prev || prev == low));
	if (!prev)
		heddle_mark("walk: low has gone");
	if (!broken())
		mmap_read_unlock(mm);
}

static void unmap_low(void *arg)
{
	(void)arg;
	do_munmap(mm, LOW, LOW + PAGE_SIZE);
}

static const char *const walk_goals[] = { "walk: low has gone", NULL };
#define iter_setup one_stack
TWIN_TASKS(iter, { "munmap", unmap_low }, { "walk", walk });
FORMS(iter, v6_5, broken_task, SHOWS(RCU_USAGE), SHOWS(USE_AFTER_FREE),
      SHOWS(ASSERT_RACE));
TWIN(iter, "vma_iter/find_vma_prev wants mmap_lock", .goals = walk_goals);

/* Under RCU alone the node lives; if it is dead the walk starts anew. */
static void walk_under_rcu(void *arg)
{
	struct vm_area_struct *vma, *prev;

	(void)arg;
	rcu_read_lock();
	vma = find_vma_prev(mm, STACK, &prev);
	rcu_read_unlock();
	heddle_assert(vma == stack && (!prev || prev == low));
}

static const struct heddle_variant rewalk_variants[] = {
	{ .name = "safe", .data = &v6_5 },
	{ .name = NULL },
};
#define rewalk_setup one_stack
TWIN_TASKS(rewalk, { "munmap", unmap_low }, { "walk", walk_under_rcu });
TWIN(rewalk, "vma_iter/a dead node is left");

/* Alone: the VMA at each bound, and the one before. */
static void expect_pair(unsigned long addr, const struct vm_area_struct *vma,
			const struct vm_area_struct *prev)
{
	struct vm_area_struct *p = stack;

	mmap_read_lock(mm);
	heddle_assert(find_vma_prev(mm, addr, &p) == vma);
	heddle_assert(p == prev);
	mmap_read_unlock(mm);
}

static void find_each(void *arg)
{
	(void)arg;
	expect_pair(0, low, broken() ? low : NULL);
	expect_pair(LOW, low, NULL);
	expect_pair(LOW + PAGE_SIZE - 1, low, NULL);
	expect_pair(LOW + PAGE_SIZE, stack, low);
	expect_pair(STACK, stack, low);
	expect_pair(END - 1, stack, low);
	expect_pair(END, NULL, stack);
}

#define each_setup one_stack
TWIN_TASKS(each, { "task", find_each });
FORMS(each, v6_5, broken_task, SHOWS(ASSERT));
TWIN(each, "vma_iter/each bound");
