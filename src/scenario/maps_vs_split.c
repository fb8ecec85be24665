/* SPDX-License-Identifier: MIT */
/* /proc/PID/maps is read while a VMA is split: does it miss a mapping?
 *
 * Source: lock_next_vma() (6.17), by which maps is read under VMA locks instead
 * of mmap_lock.  What it promises: addresses never go backwards, and what is
 * mapped while the walk lasts is shown.
 *
 * The walk looks for the first VMA at or behind an address, under RCU, and then
 * locks it.  Between the two a writer may have split it: what was found keeps the
 * upper part, and the lower part is a new VMA that the look-up did not see.  To
 * the walk this is a gap.  So if the VMA that it has locked begins behind the
 * address, it asks the sequence of mmap_lock whether there was a writer since it
 * looked, and if so looks again.
 *
 * What to read out of the variants:
 * - split, shrink: clean; each page that is mapped throughout is shown, and none
 *   twice.
 * - split-no-verify: nobody asks: the lower half is not shown (assert).
 * - split-late-seq: the sequence is taken down behind the look-up: the writer that
 *   came between the two is not noticed (assert).
 * - merge-split: a VMA joins the one before, which the walk has shown, and is
 *   split off again.  What the walk found there ends before the address once it
 *   has locked it.  Clean; a page that was shown may be shown again as a part of
 *   the larger VMA.
 * - merge-split-no-end: nobody looks at the end: the walk goes back (assert). */
#include <heddle/mm.h>

static struct mm_struct *mm;

enum { A = 0x1000, B = 0x2000, C = 0x3000, D = 0x4000 };

/* What the writer does. */
enum call { SPLIT, SHRINK, MERGE_SPLIT };
static const enum call split_call = SPLIT, shrink_call = SHRINK,
		       merge_split_call = MERGE_SPLIT;

static enum call the_call(void)
{
	return *(const enum call *)mm_form()->more;
}

static void setup(void)
{
	mm = mm_alloc();
	if (the_call() == MERGE_SPLIT) {
		mm_add_vma(mm, A, B);
		mm_add_vma_flags(mm, B, D, VM_READ);
	} else {
		mm_add_vma(mm, B, D);
	}
}

static void writer_task(void *arg)
{
	int err = 0;

	(void)arg;
	switch (the_call()) {
	case SPLIT:
		err = do_mprotect(mm, C, D, VM_READ);
		break;
	case SHRINK:
		err = do_munmap(mm, B, C);
		break;
	case MERGE_SPLIT:
		err = do_mprotect(mm, B, D, VM_READ | VM_WRITE);
		if (!err)
			err = do_mprotect(mm, B, D, VM_READ);
		break;
	}
	heddle_assert(!err);
}

/* Bit n: page n. */
static u32 pages(unsigned long start, unsigned long end)
{
	return (1u << (end >> PAGE_SHIFT)) - (1u << (start >> PAGE_SHIFT));
}

static void maps_task(void *arg)
{
	struct vm_area_struct *vma;
	unsigned long from = 0;
	bool lower_shown, upper_shown;
	u32 shown = 0;

	(void)arg;
	rcu_read_lock();
	while ((vma = lock_next_vma(mm, from))) {
		heddle_assert(!IS_ERR(vma));
		heddle_assert(vma->vm_end > from);
		if (the_call() != MERGE_SPLIT)
			heddle_assert(vma->vm_start >= from);
		shown |= pages(vma->vm_start, vma->vm_end);
		from = vma->vm_end;
		vma_end_read(vma);
	}
	rcu_read_unlock();
	lower_shown = shown & pages(B, C);
	upper_shown = shown & pages(C, D);
	heddle_assert(upper_shown); /* was mapped throughout */
	heddle_assert(lower_shown || the_call() == SHRINK);
	return_to_user();
}

static const struct heddle_task tasks[] = {
	{ .name = "writer", .fn = writer_task },
	{ .name = "maps", .fn = maps_task },
	{ 0 },
};

#define FORM(name, call, ...)                                          \
	static const struct mm_form name = {                           \
		.lock = &vma_lock_6_17, .lock_offset = 0x40000000,     \
		.more = &call##_call, __VA_ARGS__                      \
	}
FORM(split, split);
FORM(no_verify, split, .without = MM_STEP_NEXT_VMA_VERIFIES);
FORM(late_seq, split, .without = MM_STEP_NEXT_VMA_SEQ_FIRST);
FORM(shrink, shrink);
FORM(merge_split, merge_split);
FORM(no_end, merge_split, .without = MM_STEP_NEXT_VMA_ENDS_BEHIND);

static const struct heddle_variant variants[] = {
	{ .name = "split", .title = "a VMA is split, what is new below",
	  .data = &split, .kernel = "6.17" },
	{ .name = "split-no-verify", .title = "a gap is believed",
	  .data = &no_verify, .kernel = "mutation",
	  .expect = { { HD_V_ASSERT, 1 } } },
	{ .name = "split-late-seq", .title = "sequence taken behind the look-up",
	  .data = &late_seq, .kernel = "mutation",
	  .expect = { { HD_V_ASSERT, 1 } } },
	{ .name = "shrink", .title = "the lower half is unmapped",
	  .data = &shrink, .kernel = "6.17" },
	{ .name = "merge-split", .title = "a VMA grows and shrinks again",
	  .data = &merge_split, .kernel = "6.17", .bound = 2 },
	{ .name = "merge-split-no-end", .title = "its end is not looked at",
	  .data = &no_end, .kernel = "mutation",
	  .expect = { { HD_V_ASSERT, 1 } } },
	{ 0 },
};

static const char *const goals[] = { "next VMA without mmap_lock",
				     "next VMA under mmap_lock", NULL };

HEDDLE_SCENARIO(maps_vs_split) = {
	.name = "maps_vs_split",
	.title = "reading /proc/PID/maps against a split",
	.source = "mm/mmap_lock.c, lock_next_vma(), 6.17",
	.copied = "lock_next_vma() in the order of its shared accesses",
	.simplified = "no cached walk state; what is shown is a set of pages",
	.not_modelled = "seq_file's buffers and restarts; names of mappings",
	.variants = variants,
	.tasks = tasks,
	.setup = setup,
	.goals = goals,
};
