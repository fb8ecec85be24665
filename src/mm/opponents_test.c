/* SPDX-License-Identifier: MIT */
/* Do ready opponents do what their names say, and is the accepted code that they
 * call clean against a fault?
 *
 * Covers opponents.c, khugepaged.c, stubs.c. */
#include <heddle/mm_stubs.h>
#include <heddle/opponents.h>

#include "../base/twin.h"

enum { START = 0x4000, END = 0x8000 };

#define GEN1 .lock = &vma_lock_gen1, .free_by_rcu = true, .parts = MM_THP
static const struct mm_form k6_6 = { GEN1, .stack = MM_STACK_6_5 };
static const struct mm_form no_lock = { GEN1,
					.without = MM_STEP_COLLAPSE_LOCKS };

static struct mm_struct *mm;

static void arena_setup(void)
{
	mm = mm_alloc();
	mm_add_vma_flags(mm, START, END, VM_READ | VM_WRITE | VM_GROWSDOWN);
	heddle_arena(mm, START, END);
}

static void small_page(void)
{
	arena_setup();
	set_pte(mm, pte_alloc(mm, START), START, PAGE_NUMBER(START, 0));
}

static void fault_there(void *arg)
{
	(void)arg;
	do_user_addr_fault(mm, START, FAULT_FLAG_USER);
}

#define ONE(id, form)                                                  \
	static const struct heddle_variant id##_variants[] = {         \
		{ .name = "6.6", .data = &(form), .bound = 1 },        \
		{ .name = NULL }                                       \
	}

#define GOALS(...) .goals = (const char *const[]){ __VA_ARGS__, NULL }

/* --- khugepaged ------------------------------------------------------------- */

static bool is_huge(void)
{
	return mm->pmd[pmd_index(START)] & _PAGE_PSE;
}

static void collapse_alone(void *arg)
{
	(void)arg;
	collapse_huge_page(mm, START + PAGE_SIZE);
	if (!is_huge())
		return; /* no memory */
	heddle_mark("collapsed");
	if (do_munmap(mm, START + PAGE_SIZE, END))
		return;
	heddle_assert(!is_huge());
	collapse_huge_page(mm, START); /* its VMA is too small now */
	heddle_assert(!is_huge());
	heddle_mark("not collapsed");
}

#define alone_setup small_page
TWIN_TASKS(alone, { "khugepaged", collapse_alone });
ONE(alone, k6_6);
TWIN(alone, "mm/collapse alone", GOALS("collapsed", "not collapsed"));

static const char *const collapse_goals[] = { "huge page collapsed",
					      "read lock granted", NULL };
#define collapse_setup small_page
TWIN_TASKS(collapse, HD_AGAINST(collapse), { "fault", fault_there });
static const struct heddle_variant collapse_variants[] = {
	{ .name = "safe", .data = &k6_6 },
	{ .name = "without the VMA lock", .data = &no_lock,
	  .expect = { SHOWS(PAGETABLE), SHOWS(FREED), SHOWS(ASSERT_RACE),
		      SHOWS(BUG), SHOWS(PTE_WITHOUT_VMA) } },
	{ .name = NULL },
};
TWIN(collapse, "mm/collapse and fault", .goals = collapse_goals);

/* --- each opponent against a fault -------------------------------------------- */

#define AGAINST_FAULT(call, ...)                                       \
	TWIN_TASKS(call, HD_AGAINST(call), { "fault", fault_there });  \
	ONE(call, k6_6);                                               \
	TWIN(call, "mm/" #call " and fault", __VA_ARGS__)
#define munmap_setup arena_setup
AGAINST_FAULT(munmap, GOALS("VMA split", "no VMA: SIGSEGV"));
#define mprotect_setup arena_setup
AGAINST_FAULT(mprotect, GOALS("VMA split"));
#define madvise_setup arena_setup
AGAINST_FAULT(madvise, GOALS("read lock granted"));
#define writer_setup arena_setup
AGAINST_FAULT(writer, GOALS("blocked fallback"));
#define stack_fault_setup arena_setup
AGAINST_FAULT(stack_fault, GOALS("stack grows"));
#define fork_setup arena_setup
AGAINST_FAULT(fork, GOALS("blocked fallback"));

/* --- exit waits for the process's threads, not for others ---------------------- */

static void foreign(void *arg)
{
	(void)arg;
	if (!mmget_not_zero(mm)) {
		heddle_mark("too late");
		return;
	}
	mmap_read_lock(mm);
	if (vma_lookup(mm, START))
		heddle_mark("in time");
	mmap_read_unlock(mm);
	mmput(mm);
}

static void kept_setup(void)
{
	arena_setup();
	mmgrab(mm);
}

static void gone_check(void)
{
	heddle_assert(!atomic_read(&mm->mm_users));
	heddle_assert(!mm->map_count);
}

#define exit_setup kept_setup
TWIN_TASKS(exit, heddle_against(madvise, exit), { "foreign", foreign });
ONE(exit, k6_6);
TWIN(exit, "mm/exit and who is no thread", .check = gone_check,
     GOALS("too late", "in time"));

/* --- stubs ------------------------------------------------------------------------ */

static void calls_stubs(void *arg)
{
	(void)arg;
	vm_stat_account(mm, 0, 1);
	heddle_assert(may_expand_vm(mm, 0, 1) && !uprobe_mmap(NULL));
}

#define stubs_setup arena_setup
TWIN_TASKS(stubs, { "stubs", calls_stubs });
ONE(stubs, k6_6);
TWIN(stubs, "mm/stubs");
