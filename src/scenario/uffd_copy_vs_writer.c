/* SPDX-License-Identifier: MIT */
/* UFFDIO_COPY holds mmap_lock and may fault on the page that it copies: seed 002.
 *
 * Source: Andrea Arcangeli's mail of 22 May 2015 in the thread of [PATCH 22/23]
 * "userfaultfd: avoid mmap_sem read recursion in mcopy_atomic" (merged in 4.3). */
#include "uffd_copy.h"

static struct mm_struct *mm;
static struct userfaultfd_ctx *ctx;

static void setup(void)
{
	heddle_rwsem_policy(choice()->policy);
	mm = new_mm();
	ctx = vma_lookup(mm, DST)->vm_userfaultfd_ctx.ctx;
	mm_add_vma(mm, C, C + PAGE_SIZE);
}

static void writer_task(void *arg)
{
	(void)arg;
	if (choice()->writer == MUNMAP)
		do_munmap(mm, SRC, DST + PAGE_SIZE);
	else
		do_mprotect(mm, C, C + PAGE_SIZE, VM_READ);
	return_to_user();
}

static void copy_task(void *arg)
{
	(void)arg;
	if (mm_form()->lock)
		userfaultfd_copy(ctx, DST, mm, SRC);
	else
		mcopy_atomic(mm, mm);
}

static const struct heddle_task tasks[] = {
	{ "writer", writer_task, NULL },
	{ "copy", copy_task, NULL },
	{ 0 },
};

FORM(before, MMAP_SEM, .copies_locked = true);
FORM(present, MMAP_SEM, .copies_locked = true, .present = true);
FORM(prefer, MMAP_SEM, .copies_locked = true,
     .policy = RWSEM_READER_PREFERRING);
FORM(rt, MMAP_SEM, .copies_locked = true, .policy = RWSEM_RT);
FORM(fixed, MMAP_SEM, .retry = -EFAULT);
FORM(fixed_munmap, MMAP_SEM, .retry = -EFAULT, .writer = MUNMAP);
FORM(leak, MMAP_SEM, .retry = -EFAULT, .writer = MUNMAP, .leaks = true);
FORM(zero, MMAP_SEM, .retry = -EFAULT, .what = ZEROPAGE);
FORM(zero_4_20, MMAP_SEM, .retry = -ENOENT, .what = ZEROPAGE);
FORM(kmap_local, MMAP_SEM, .retry = -ENOENT, .forgets_disable = true);
FORM(fix_4_20, MMAP_SEM, .retry = -ENOENT, .writer = MUNMAP);
FORM(today, GEN1, .writer = ELSEWHERE);
FORM(today_munmap, GEN1, .writer = MUNMAP);

static const struct heddle_variant variants[] = {
	{ "before", "", &before_form },
	{ "present", "", &present_form },
	{ "prefer", "", &prefer_form },
	{ "rt", "", &rt_form },
	{ "4.3", "", &fixed_form, .fail = 1 },
	{ "4.3-munmap", "", &fixed_munmap_form, .fail = 1 },
	{ "leak", "", &leak_form, .fail = 1 },
	{ "zero", "", &zero_form, .fail = 1 },
	{ "zero-4.20", "", &zero_4_20_form, .fail = 1 },
	{ "kmap-local", "", &kmap_local_form },
	{ "4.20", "", &fix_4_20_form, .fail = 1 },
	{ "today", "", &today_form, .fail = 1 },
	{ "today-munmap", "", &today_munmap_form, .fail = 1 },
	{ 0 },
};

HEDDLE_SCENARIO(uffd_copy_vs_writer) = {
	.name = "uffd_copy_vs_writer",
	.title = "UFFDIO_COPY faults under mmap_lock, and a writer waits for it",
	.source = SEED_002,
	.seed = "002",
	.not_modelled = NOT_MODELLED,
	.copied = COPIED,
	.simplified = SIMPLIFIED,
	.variants = variants,
	.tasks = tasks,
	.setup = setup,
};
