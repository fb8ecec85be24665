/* SPDX-License-Identifier: MIT */
/* A writer is killed while it waits for a page fault to leave the VMA.
 *
 * Source: vma_start_write_killable() (7.0) and its use in mm/vma.c (7.1).  Until
 * then a writer that waits for the readers of a VMA cannot be killed, and nobody
 * who waits for its mmap_lock gets on meanwhile.
 *
 * The writer has mmap_lock, has announced itself in vm_refcnt (no reader gets in
 * any more) and waits for the fault that is inside.  A fatal signal comes.  Now
 * the announcement must go, vm_lock_seq must not have been set, and whatever the
 * call has done so far must be undone: 7.1 takes the locks before it allocates
 * anything, so that for most calls this is nothing.  munmap() of several VMAs has
 * detached those that it had locked before.
 *
 * After -EINTR each variant has to find the mm as it was before the call
 * (not-restored), and that readers are let in again: the writer itself looks, as
 * any other thread could.
 *
 * What to read out of the variants:
 * - munmap, mprotect, split, mremap, fork: clean, with a signal wherever the call
 *   can sleep; the wait is broken off (a goal), and the call also comes through.
 * - munmap-6.17: the writer that cannot be killed: the signal ends no wait.
 * - readers-kept-out: the announcement stays: no reader ever gets in again
 *   (assert), which is not how it was before the call (not-restored).
 * - mark-before-wait: vm_lock_seq is set first.  After -EINTR the VMA counts as
 *   write-locked until mmap_lock is given back, though a reader is inside
 *   (exclusion): a writer that goes on after the failure would not wait for it.
 *   Nothing orders that store against a reader's look, either (data-race).
 * - no-reattach: munmap() forgets the first VMA: not-restored; who looks for it
 *   repeats the lookup for good, so here nobody looks. */
#include <heddle/fork.h>
#include <heddle/mm.h>

static struct mm_struct *mm;

enum { A = 0x2000, B = 0x3000, C = 0x4000, TO = 0x8000 };

/* What is done to B.  In split, A and B are one VMA; else they differ. */
enum call { MUNMAP, SPLIT, MPROTECT, MREMAP, FORK };
static const enum call munmap_call = MUNMAP, split_call = SPLIT,
		       mprotect_call = MPROTECT, mremap_call = MREMAP,
		       fork_call = FORK;

static enum call the_call(void)
{
	return *(const enum call *)mm_form()->more;
}

static void setup(void)
{
	mm = mm_alloc();
	if (the_call() == SPLIT) {
		mm_add_vma(mm, A, C);
	} else {
		mm_add_vma(mm, A, B);
		mm_add_vma_flags(mm, B, C, VM_READ);
	}
	pte_alloc(mm, B);
}

static int fork_and_exit(void)
{
	int err;
	struct mm_struct *child = dup_mm(mm, &err);

	if (child)
		mmput(child);
	return err;
}

static int make_the_call(void)
{
	switch (the_call()) {
	case MUNMAP:
		return do_munmap(mm, A, C);
	case SPLIT:
		return do_munmap(mm, B, C);
	case MPROTECT:
		return do_mprotect(mm, B, C, VM_READ | VM_WRITE);
	case MREMAP:
		return do_mremap(mm, B, C - B, C - B, TO, MREMAP_FIXED);
	default:
		return fork_and_exit();
	}
}

/* No writer is left: nothing may keep a reader out. */
static void look(unsigned long addr)
{
	struct vm_area_struct *vma = lock_vma_under_rcu(mm, addr);

	heddle_assert(vma);
	if (vma)
		vma_end_read(vma);
}

static void writer_task(void *arg)
{
	int err = make_the_call();

	(void)arg;
	if (err) {
		heddle_assert(err == -EINTR);
		heddle_mark("call killed");
	} else {
		heddle_mark("call done");
	}
	if (err && mm_does(MM_STEP_REATTACH)) {
		look(A);
		look(B);
	}
	return_to_user();
}

static void fault_task(void *arg)
{
	(void)arg;
	do_user_addr_fault(mm, B, FAULT_FLAG_USER);
}

static const struct heddle_task tasks[] = {
	{ .name = "writer", .fn = writer_task },
	{ .name = "fault", .fn = fault_task },
	{ 0 },
};

#define FORM(name, call, ...)                                       \
	static const struct mm_form name = {                        \
		.lock = &vma_lock_7_0, .lock_offset = 0x40000000,   \
		.killable = true, .more = &call##_call, __VA_ARGS__ \
	}
FORM(munmap, munmap);
FORM(split, split);
FORM(mprotect, mprotect);
FORM(mremap, mremap);
FORM(fork, fork);
FORM(kept_out, mprotect, .without = MM_STEP_LET_READERS_IN);
FORM(early_mark, mprotect, .without = MM_STEP_SEQ_BEHIND_WAIT);
FORM(no_reattach, munmap, .without = MM_STEP_REATTACH);
static const struct mm_form munmap_6_17 = {
	.lock = &vma_lock_6_17, .lock_offset = 0x40000000, .more = &munmap_call,
};

static const char *const waits[] = { "call done", "wait at start_write", NULL };

#define CLEAN(text, form, words, ...) \
	{ .name = (text), .title = (words), .data = &(form), .kernel = "7.1", \
	  .signals = 1, __VA_ARGS__ }
static const struct heddle_variant variants[] = {
	CLEAN("munmap", munmap, "two VMAs, the second one has a reader"),
	CLEAN("split", split, "munmap of a part of the reader's VMA"),
	CLEAN("mprotect", mprotect, "the reader's VMA is about to be merged"),
	CLEAN("mremap", mremap, "the reader's VMA is about to move"),
	CLEAN("fork", fork, "the reader's VMA is about to be copied"),
	{ .name = "munmap-6.17", .title = "a wait that cannot be broken off",
	  .data = &munmap_6_17, .kernel = "6.17-6.19", .signals = 1,
	  .goals = waits },
	{ .name = "readers-kept-out", .title = "the announcement stays",
	  .data = &kept_out, .kernel = "mutation", .signals = 1,
	  .expect = { { HD_V_NOT_RESTORED, 1 }, { HD_V_ASSERT, 1 } } },
	{ .name = "mark-before-wait", .title = "vm_lock_seq is set first",
	  .data = &early_mark, .kernel = "mutation", .signals = 1,
	  .expect = { { HD_V_DATA_RACE, 0 }, { HD_V_EXCLUSION, 1 } } },
	{ .name = "no-reattach", .title = "what was detached stays detached",
	  .data = &no_reattach, .kernel = "mutation", .signals = 1,
	  .expect = { { HD_V_NOT_RESTORED, 1 } } },
	{ 0 },
};

static const char *const goals[] = { "call done", "call killed",
				     "killed while it waits", NULL };

HEDDLE_SCENARIO(fault_vs_killed_writer) = {
	.name = "fault_vs_killed_writer",
	.title = "a writer is killed while it waits for a reader",
	.source = "vma_start_write_killable(), 7.0, and its use in mm/vma.c, 7.1",
	.copied = "the killable writer; locks before allocations; the undo of "
		  "munmap",
	.simplified = "all calls of the world are killable, not those of "
		      "mm/vma.c alone",
	.different = "a killed task goes on, to look at what it left",
	.not_modelled = "the exit that follows the signal",
	.variants = variants,
	.tasks = tasks,
	.setup = setup,
	.goals = goals,
};
