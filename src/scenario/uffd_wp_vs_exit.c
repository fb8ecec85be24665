/* SPDX-License-Identifier: MIT */
/* UFFDIO_WRITEPROTECT while the process that is watched exits.
 *
 * Source: CVE-2021-47461, "userfaultfd: fix a race between writeprotect and
 * exit_mmap()" (5.15).
 *
 * The monitor holds a userfaultfd of another process.  That keeps its mm_struct
 * (mm_count), but not its VMAs and pages, which are the users' (mm_users): when
 * the last of them exits, exit_mmap() takes all apart.  All calls of userfaultfd
 * but this one take a user's reference first, and find out if there is none
 * left.  This one took mmap_lock, which up to 5.16 exit_mmap() did not: there was
 * nobody left to keep out, it believed.
 *
 * What to read out of the variants:
 * - 5.7: VMA, page table and tree node are used after they were freed, or while
 *   they are.  One and the same preemption, before or after the lookup, decides
 *   which.
 * - 5.15: a user's reference; who comes too late gets -ESRCH.
 * - exit-locks: without the reference, with the mmap_lock that exit_mmap() takes
 *   since 5.17, for the OOM reaper's sake.  That would have done: the call finds
 *   no VMA. */
#include <heddle/errno.h>
#include <heddle/user_call.h>
#include <heddle/userfaultfd.h>

#define ADDR 0x2000ul

static struct mm_struct *mm;
static struct userfaultfd_ctx *ctx;

static void setup(void)
{
	struct vm_area_struct *vma;

	mm = mm_alloc();
	mmgrab(mm);
	ctx = userfaultfd_new(mm);
	vma = mm_add_vma(mm, ADDR, ADDR + PAGE_SIZE);
	userfaultfd_register(ctx, vma, VM_UFFD_WP);
	uffd_add_page(vma, ADDR);
}

static void exit_task(void *arg)
{
	(void)arg;
	mmput(mm);
}

static void monitor_task(void *arg)
{
	(void)arg;
	userfaultfd_writeprotect(ctx, ADDR);
	mmdrop(mm); /* close() */
}

static const struct heddle_task tasks[] = {
	{ "exit", exit_task, NULL },
	{ "monitor", monitor_task, NULL },
	{ 0 },
};

/* Up to 5.16 exit_mmap() took no lock. */
static const struct mm_form buggy = {
	.parts = MM_ANON,
	.without = MM_STEP_EXIT_LOCKS_MM | MM_STEP_WP_GETS_MM,
};
static const struct mm_form fixed = {
	.parts = MM_ANON, .without = MM_STEP_EXIT_LOCKS_MM,
};
static const struct mm_form exit_locks = {
	.parts = MM_ANON, .without = MM_STEP_WP_GETS_MM,
};

static const char *const goals[] = { "page write-protected",
				     "address space torn down", NULL };
static const char *const late[] = { "page write-protected",
				    "address space torn down",
				    "nobody uses it any more", NULL };

static const struct heddle_variant variants[] = {
	{ "5.7", "mmap_lock, and no user's reference", &buggy,
	  { { HD_V_USE_AFTER_FREE, 1 },
	    { HD_V_PAGETABLE, 1 },
	    { HD_V_ASSERT_RACE, 1 },
	    { HD_V_FREED, 1 } },
	  .kernel = "5.7-5.14" },
	{ "5.15", "mmget_not_zero(), mmput()", &fixed, .goals = late,
	  .kernel = "5.15" },
	{ "exit-locks", "no reference, but exit_mmap() takes mmap_lock",
	  &exit_locks, .kernel = "none" },
	{ 0 },
};

static const struct heddle_question questions[] = {
	{ "Is it enough to hold mmap_lock of an mm_struct that is kept?",
	  "Not of one without users, if exit_mmap() does not take it.", "5.7" },
	{ "Would mmap_lock in exit_mmap() have been enough?",
	  "Yes, since the call looks its VMA up under the lock.",
	  "exit-locks" },
	{ NULL },
};

HEDDLE_SCENARIO(uffd_wp_vs_exit) = {
	.name = "uffd_wp_vs_exit",
	.title = "UFFDIO_WRITEPROTECT against the exit of the process watched",
	.source = "CVE-2021-47461, userfaultfd: fix a race between "
		  "writeprotect and exit_mmap()",
	.bug = "Z31 CVE-2021-47461",
	.not_modelled = "several pages, the write fault, the OOM reaper",
	.copied = "which references and locks each side takes, and when",
	.simplified = "one page",
	.different = "VMAs are in a tree under RCU also before 6.1, though "
		     "exit_mmap() needs none to walk it",
	.questions = questions,
	.variants = variants,
	.tasks = tasks,
	.setup = setup,
	.goals = goals,
};
