/* SPDX-License-Identifier: MIT */
/* Two processes copy pages into each other, and in each one a writer waits: seed
 * 002, the case that the mail calls non-cooperative.
 *
 * Source: as uffd_copy_vs_writer.
 *
 * Each copier holds the other's mmap_lock when it faults on a page of its own.  So
 * no task takes one lock twice, and yet the same happens: both wait behind a
 * writer that waits for the other copier.  Four tasks are needed, and three of
 * the switches between them are no preemptions.  lockdep says recursive: to it
 * both locks are one class.
 *
 * before-prefer, before-rt: without the deadlock, as in uffd_copy_vs_writer; the
 * same lines deadlock or not by what the semaphore does with readers. */
#include "uffd_copy.h"

static struct mm_struct *a, *b;

static void setup(void)
{
	heddle_rwsem_policy(choice()->policy);
	a = new_mm();
	b = new_mm();
}

/* mmap, mprotect, brk ... */
static void writer_task(void *arg)
{
	struct mm_struct *mm = arg ? b : a;

	mmap_write_lock(mm);
	mmap_write_unlock(mm);
	return_to_user();
}

static void copy_task(void *arg)
{
	if (arg)
		mcopy_atomic(a, b);
	else
		mcopy_atomic(b, a);
}

static const struct heddle_task tasks[] = {
	{ "writer-a", writer_task, NULL },
	{ "copy-to-b", copy_task, NULL },
	{ "writer-b", writer_task, "" },
	{ "copy-to-a", copy_task, "" },
	{ 0 },
};

FORM(before, MMAP_SEM, .copies_locked = true);
FORM(before_prefer, MMAP_SEM, .copies_locked = true,
     .policy = RWSEM_READER_PREFERRING);
FORM(before_rt, MMAP_SEM, .copies_locked = true, .policy = RWSEM_RT);
FORM(fixed, MMAP_SEM, .retry = -EFAULT);

static const struct heddle_variant variants[] = {
	{ "before", "copies under mmap_lock", &before_form,
	  { { HD_V_RECURSIVE, 0 }, { HD_V_DEADLOCK, 1 } },
	  .kernel = "posted" },
	{ "before-prefer", "the same; readers go before waiting writers",
	  &before_prefer_form, { { HD_V_RECURSIVE, 0 } }, .bound = 1,
	  .kernel = "posted" },
	{ "before-rt", "the same, semaphores as with PREEMPT_RT",
	  &before_rt_form, { { HD_V_RECURSIVE, 0 } }, .bound = 1,
	  .kernel = "posted" },
	{ "4.3", "faults disabled; else without the lock, and once more",
	  &fixed_form, .bound = 2, .kernel = "4.3-4.19" },
	{ 0 },
};
static const char *const goals[] = { "page installed",
				     "retry with a page filled", NULL };

static const struct heddle_question questions[] = {
	{ "And if the lock is of a different process, in the non-cooperative "
	  "case?",
	  "Then no task takes a lock twice, but two processes that copy into "
	  "each other, with a writer in each, deadlock in the same way: four "
	  "tasks, one preemption. The fix helps there, too.",
	  "before, 4.3" },
	{ "In practice it'd be safe to read-lock recurse?",
	  "Here, too, only if a waiting writer does not keep readers out.",
	  "before, before-prefer, before-rt" },
	{ NULL },
};

HEDDLE_SCENARIO(uffd_copies_vs_writers) = {
	.name = "uffd_copies_vs_writers",
	.title = "two UFFDIO_COPY into each other's address space, two writers",
	.source = SEED_002,
	.seed = "002",
	.not_modelled = NOT_MODELLED,
	.copied = COPIED,
	.simplified = SIMPLIFIED,
	.different = DIFFERENT,
	.questions = questions,
	.variants = variants,
	.tasks = tasks,
	.setup = setup,
	.goals = goals,
};
