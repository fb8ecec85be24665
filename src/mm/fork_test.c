/* SPDX-License-Identifier: MIT */
/* Anonymous pages, fork and exit: safe and broken twins.
 *
 * Covers fork.c, memory.c and huge_memory.c (with the part MM_ANON).  Any one
 * allocation may fail in each, and a signal may come. */
#include <heddle/mm.h>
#include <heddle/rmap.h>

#include "../base/twin.h"
#include "mm.h"

enum { A = 0x2000, B = 0x3000, C = 0x4000, D = 0x8000 };

struct test {
	struct mm_form form;
	bool broken;
};

#define GEN1 .lock = &vma_lock_gen1, .free_by_rcu = true
#define GEN3 .lock = &vma_lock_v10, .lock_offset = 0x40000000
#define TEST(name, ...) \
	static const struct test name = { .form = { __VA_ARGS__ } }
#define BROKEN(name, ...) \
	static const struct test name = { .form = { __VA_ARGS__ }, \
					  .broken = true }
TEST(safe, GEN3, .parts = MM_ANON);
BROKEN(broken_task, GEN3, .parts = MM_ANON);
TEST(old, .free_by_rcu = true, .parts = MM_ANON);
TEST(old_exit, .free_by_rcu = true, .parts = MM_ANON,
     .without = MM_STEP_EXIT_LOCKS_MM);
TEST(no_lock, GEN1, .parts = MM_ANON | MM_TLB,
     .without = MM_STEP_FORK_LOCKS_VMAS);
TEST(lock, GEN1, .parts = MM_ANON | MM_TLB);
TEST(waits, GEN3, .parts = MM_ANON, .without = MM_STEP_ANON_PREPARE_TRIES);
TEST(huge, GEN3, .parts = MM_ANON | MM_THP);
BROKEN(huge_broken, GEN3, .parts = MM_ANON | MM_THP);

static bool broken(void)
{
	return ((const struct test *)heddle_variant_data())->broken;
}

#define FORMS(id, good, bad, limit, ...)                               \
	static const struct heddle_variant id##_variants[] = {         \
		{ .name = "safe", .data = &(good), .bound = limit },   \
		{ .name = "broken", .data = &(bad), .bound = limit,    \
		  .expect = { __VA_ARGS__ } },                         \
		{ .name = NULL },                                      \
	}

static struct mm_struct *mm, *child;

static struct folio *folio_of(struct mm_struct *of)
{
	return pte_folio(READ_ONCE(pte_offset(of, A)->pte[pte_index(A)]));
}

static void one_page(void)
{
	mm = mm_alloc();
	mm_add_vma(mm, A, B);
	mm_add_page(mm, A, 1);
}

/* --- references ------------------------------------------------------------ */

/* Somebody who has the mm_struct only, and wants to use the address space. */
static void foreign_user(void *arg)
{
	struct vm_area_struct *vma;

	(void)arg;
	if (!broken() && !mmget_not_zero(mm)) {
		heddle_mark("too late");
		mmdrop(mm);
		return;
	}
	mmap_read_lock(mm);
	vma = vma_lookup(mm, A);
	heddle_assert(vma && vma->vm_end == B);
	mmap_read_unlock(mm);
	if (!broken())
		mmput(mm);
	mmdrop(mm);
}

static void exit_task(void *arg)
{
	(void)arg;
	mmput(mm);
}

static void grabbed(void)
{
	one_page();
	mmgrab(mm);
}

static const char *const get_goals[] = { "address space torn down", NULL };
#define get_setup grabbed
TWIN_TASKS(get, { "exit", exit_task }, { "user", foreign_user });
/* with mmap_lock it finds no VMA any more */
FORMS(get, safe, broken_task, 0, SHOWS(ASSERT));
TWIN(get, "mm/mmget_not_zero", .goals = get_goals);

/* Up to 5.16 exit_mmap() took no lock: then a user without mmget uses what is
 * freed. */
static void careless_user(void *arg)
{
	struct vm_area_struct *vma;

	(void)arg;
	mmap_read_lock(mm);
	vma = vma_lookup(mm, A);
	if (vma)
		heddle_assert(vma->vm_end == B);
	mmap_read_unlock(mm);
	mmdrop(mm);
}

#define exit_lock_setup grabbed
TWIN_TASKS(exit_lock, { "exit", exit_task }, { "user", careless_user });
FORMS(exit_lock, old, old_exit, 2, SHOWS(USE_AFTER_FREE), SHOWS(ASSERT_RACE));
TWIN(exit_lock, "mm/exit_mmap takes mmap_lock");

/* --- fork ------------------------------------------------------------------------- */

static void fork_and_exit(void *arg)
{
	int err;

	(void)arg;
	child = dup_mm(mm, &err);
	heddle_assert(child ? !err : err == -ENOMEM || err == -EINTR);
	if (child && !broken())
		mmput(child);
	mmput(mm);
}

static void two_users(void)
{
	one_page();
	mmget(mm);
}

/* Whoever is last frees everything, also if the fork failed half-way. */
static const char *const fork_goals[] = {
	"forked", "fork fails half-way", "address space torn down", NULL,
};
#define fork_setup two_users
TWIN_TASKS(fork, { "fork", fork_and_exit }, { "exit", exit_task });
FORMS(fork, safe, broken_task, 1, SHOWS(LEAK));
TWIN(fork, "mm/fork and two exits", .goals = fork_goals);

/* A failed fork leaves the parent as it was: it writes, and nobody is left that
 * shares the page. */
static void fork_fails(void *arg)
{
	int err;

	(void)arg;
	child = dup_mm(mm, &err);
	if (child)
		mmput(child);
	if (user_write(mm, A, 2))
		heddle_mark("no memory");
	else
		heddle_assert(mm_word(mm, A) == 2);
	if (broken())
		mm->map_count++;
}

static const char *const fail_goals[] = { "fork fails half-way", "page reused",
					  NULL };
#define failed_setup one_page
TWIN_TASKS(failed, { "fork", fork_fails });
FORMS(failed, safe, broken_task, 0, SHOWS(TREE), SHOWS(LOCK_ASSERT));
TWIN(failed, "mm/fork fails, parent as before", .goals = fail_goals);

/* --- copy on write ------------------------------------------------------------------ */

static void forked(void)
{
	int err;

	one_page();
	child = dup_mm(mm, &err);
	heddle_keep(child);
}

static void parent_writes(void *arg)
{
	(void)arg;
	if (user_write(mm, A, 2))
		heddle_mark("no memory");
	if (broken()) /* as if the parent had written to the page they share */
		WRITE_ONCE(folio_of(child)->data[0], 2);
}

static void child_reads(void *arg)
{
	unsigned long val;

	(void)arg;
	heddle_assert(!user_read(child, A, &val) && val == 1);
}

static const char *const cow_goals[] = { "page copied on write", NULL };
#define cow_setup forked
TWIN_TASKS(cow, { "parent", parent_writes }, { "child", child_reads });
FORMS(cow, safe, broken_task, 0, SHOWS(ASSERT));
TWIN(cow, "mm/copy on write", .goals = cow_goals);

/* Both write: one copies, the other reuses, or both copy. */
static void child_writes(void *arg)
{
	(void)arg;
	if (user_write(child, A, 3))
		heddle_mark("no memory");
	if (broken())
		folio_get(folio_of(child));
}

static void parent_writes_too(void *arg)
{
	(void)arg;
	if (user_write(mm, A, 2))
		heddle_mark("no memory");
}

static void both_check(void)
{
	unsigned long p = mm_word(mm, A), c = mm_word(child, A);

	heddle_assert((p == 1 || p == 2) && (c == 1 || c == 3));
}

static const char *const both_goals[] = { "page copied on write", "page reused",
					  NULL };
#define both_setup forked
TWIN_TASKS(both, { "parent", parent_writes_too }, { "child", child_writes });
FORMS(both, safe, broken_task, 3, SHOWS(LEAK));
TWIN(both, "mm/parent and child write", .goals = both_goals,
     .check = both_check);

/* --- faults --------------------------------------------------------------------------- */

static void no_page(void)
{
	mm = mm_alloc();
	mm_add_vma(mm, A, B);
}

static void fault(void *arg)
{
	(void)arg;
	if (do_user_addr_fault(mm, A, FAULT_FLAG_USER | FAULT_FLAG_WRITE))
		heddle_mark("no memory");
}

static void change(void *arg)
{
	(void)arg;
	if (do_mprotect(mm, A, B, VM_READ))
		heddle_mark("interrupted");
}

/* The fault has no anon_vma yet, and mprotect() waits for its VMA lock. */
static const char *const prepare_goals[] = { "anonymous page mapped",
					     "no memory", NULL };
#define prepare_setup no_page
TWIN_TASKS(prepare, { "mprotect", change }, { "fault", fault });
FORMS(prepare, safe, waits, 3, SHOWS(CIRCULAR), SHOWS(DEADLOCK));
TWIN(prepare, "mm/vmf_anon_prepare tries mmap_lock", .goals = prepare_goals);

/* Two faults for one page: one page is mapped, the other given back; or the
 * zero page comes first, and is copied. */
static void read_fault(void *arg)
{
	(void)arg;
	heddle_assert(!do_user_addr_fault(mm, A, FAULT_FLAG_USER));
}

static void written(void *arg)
{
	unsigned long val;

	(void)arg;
	if (user_write(mm, A, 5))
		return;
	heddle_assert(!user_read(mm, A, &val) && val == 5);
	if (broken())
		atomic_inc(&folio_of(mm)->_mapcount);
}

static const char *const same_goals[] = { "anonymous page mapped",
					  "page copied on write", NULL };
#define same_setup no_page
TWIN_TASKS(same, { "write", written }, { "fault", fault },
	   { "read", read_fault });
FORMS(same, safe, broken_task, 1, SHOWS(RMAP));
TWIN(same, "mm/three faults, one page", .goals = same_goals);

/* The parent's writes during fork: the rule is tested by fork_vs_write, too. */
static void fork_task(void *arg)
{
	int err;

	(void)arg;
	child = dup_mm(mm, &err);
	if (child)
		mmput(child);
	return_to_user();
}

static void hot_page(void)
{
	one_page();
	mm_load_tlb(1, mm, A);
}

static void write_hot(void *arg)
{
	(void)arg;
	if (user_write(mm, A, 2))
		heddle_mark("no memory");
}

#define lock_setup hot_page
TWIN_TASKS(lock, { "fork", fork_task }, { "writer", write_hot },
	   { "fault", fault });
FORMS(lock, lock, no_lock, 1, SHOWS(STALE_TLB));
TWIN(lock, "mm/fork locks the parent's VMAs");

/* --- huge pages ------------------------------------------------------------------------- */

static void a_group(void)
{
	mm = mm_alloc();
	mm_add_vma(mm, C, D);
	mmget(mm);
}

static void fault_huge(void *arg)
{
	(void)arg;
	if (do_user_addr_fault(mm, C, FAULT_FLAG_USER | FAULT_FLAG_WRITE))
		heddle_mark("no memory");
	mmput(mm);
}

static void cut_huge(void *arg)
{
	struct folio *folio;

	(void)arg;
	if (do_munmap(mm, C, C + PAGE_SIZE))
		heddle_mark("no memory");
	folio = folio_alloc(GFP_KERNEL | __GFP_NOFAIL, 0);
	if (!broken())
		folio_put(folio);
	mmput(mm);
}

static const char *const huge_goals[] = {
	"huge page mapped", "huge page split", "address space torn down", NULL,
};
#define huge_setup a_group
TWIN_TASKS(huge, { "munmap", cut_huge }, { "fault", fault_huge });
FORMS(huge, huge, huge_broken, 1, SHOWS(LEAK));
TWIN(huge, "mm/huge page cut and torn down", .goals = huge_goals);
