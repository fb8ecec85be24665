/* SPDX-License-Identifier: MIT */
/* Nobody's plan: tasks that each run a short program of calls, all of them on
 * accepted code, with every oracle and every check on.
 *
 * Source: no mail; the calls are those of the mm world (include/heddle/
 * opponents.h), each of the release that the variant names.  What each task
 * calls, and on which part of the arena, is a data choice: this is the target to
 * leave running overnight.  --calls=munmap,fault,... keeps to those named.
 *
 * The arena: two VMAs side by side that differ in nothing but their rights, so
 * that mprotect() merges and splits them, one of them large enough for a huge
 * page; above it, free space for mremap(); and a stack.
 *
 * A verdict here is a bug of the kernel's, or of a model: until it is
 * understood it is the model's.  (Once it was both: mremap_vs_reclaim.c.) */
#include <heddle/opponents.h>

enum { CALLS = 2, START = 0x2000, MIDDLE = 0x4000, END = 0x8000,
       STACK = 0xb000, STACK_END = 0xc000 };

static struct mm_struct *mm;

#define X(name) #name,
static const char *const names[] = { HD_CALLS(X) NULL };
#undef X
static const struct mm_call *call[16]; /* that --calls allows */
static u32 ncalls;

static void setup(void)
{
	u32 i;

	mm = mm_alloc();
	mm_add_vma_flags(mm, START, MIDDLE, VM_READ);
	mm_add_vma(mm, MIDDLE, END);
	if (mm_form()->stack)
		mm_add_vma_flags(mm, STACK, STACK_END,
				 VM_READ | VM_WRITE | VM_GROWSDOWN);
	heddle_arena(mm, START, END);
	ncalls = 0;
	for (i = 0; heddle_calls[i]; i++)
		if (heddle_allows(heddle_calls[i]->name))
			call[ncalls++] = heddle_calls[i];
}

/* The n-th task begins with the n-th call unless the schedule says otherwise, so
 * that the empty schedule does something. */
static void program(void *arg)
{
	u32 i, first = (u32)(unsigned long)arg, n = ncalls;

	for (i = 0; i < CALLS; i++)
		heddle_make_call(call[(first + heddle_choose(n)) % n]);
}

static const struct heddle_task tasks[] = {
	{ .name = "one", .fn = program, .arg = (void *)0 },
	{ .name = "two", .fn = program, .arg = (void *)1 },
	{ .name = "three", .fn = program, .arg = (void *)2 },
	{ 0 },
};

#define FORM(name, ...)                                                \
	static const struct mm_form name = { .stack = MM_STACK_6_5, __VA_ARGS__ }
#define GEN1 .lock = &vma_lock_gen1, .free_by_rcu = true
#define GEN3(l)                                                        \
	.lock = &(l), .lock_offset = 0x40000000, .mmap = MM_MMAP_6_12
FORM(k6_6, GEN1, .parts = MM_THP);
FORM(k6_6_anon, GEN1, .parts = MM_THP | MM_ANON);
FORM(k6_14, .lock = &vma_lock_gen2, .free_by_rcu = true, .parts = MM_THP,
     .mmap = MM_MMAP_6_12);
FORM(k6_17, GEN3(vma_lock_6_17), .parts = MM_THP, .madvise_vma_lock = true);
FORM(k6_17_anon, GEN3(vma_lock_6_17), .parts = MM_THP | MM_ANON,
     .madvise_vma_lock = true);
FORM(k6_17_tlb, GEN3(vma_lock_6_17), .parts = MM_THP | MM_ANON | MM_TLB,
     .madvise_vma_lock = true);

static const struct heddle_variant variants[] = {
	{ .name = "6.6", .title = "VMA lock with a semaphore", .data = &k6_6,
	  .kernel = "6.6-6.11", .sampled = 20000 },
	{ .name = "6.6-anon", .title = "the same, pages with reverse maps",
	  .data = &k6_6_anon, .kernel = "6.6-6.11", .sampled = 20000 },
	{ .name = "6.14", .title = "and a sequence that counts twice",
	  .data = &k6_14, .kernel = "6.14", .sampled = 20000 },
	{ .name = "6.17", .title = "and the fix of CVE-2025-38554",
	  .data = &k6_17, .kernel = "6.17", .sampled = 20000 },
	{ .name = "6.17-anon", .title = "the same, pages with reverse maps",
	  .data = &k6_17_anon, .kernel = "6.17", .sampled = 20000 },
	{ .name = "6.17-tlb", .title = "and CPUs that remember; calls may fail",
	  .data = &k6_17_tlb, .kernel = "6.17", .sampled = 20000, .fail = 1,
	  .signals = 1 },
	{ 0 },
};

static const char *const goals[] = {
	"read lock granted", "huge page mapped", "huge page split",
	"huge page collapsed", "VMA split", "VMAs merged", "VMA moved", NULL,
};

HEDDLE_SCENARIO(mm_mix) = {
	.name = "mm_mix",
	.title = "three tasks that call what the schedule chooses",
	.source = "none: accepted code, 6.6 to 6.17",
	.different = "what mremap copies is merged as up to 6.15: from 6.16 to "
		     "6.18.7 that was wrong (mremap_vs_reclaim)",
	.variants = variants,
	.tasks = tasks,
	.setup = setup,
	.goals = goals,
	.calls = names,
};
