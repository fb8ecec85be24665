/* SPDX-License-Identifier: MIT */
/* fork write-protects a page while two threads of the parent write to it: Z02.
 *
 * Source: "fork: lock VMAs of the parent process when forking", commit
 * fb49c455323f (6.4.3), after reports of corrupted memory in threaded programs.
 *
 * fork makes the pages of the parent read-only, one after the other, and flushes
 * the TLBs once, at its end.  Up to then a CPU may still write to such a page
 * through its old TLB entry.  That was harmless as long as nobody could copy the
 * page: a fault needs mmap_lock, which fork holds for write.  Since 6.4 a fault
 * may do with the VMA lock alone, which fork did not take.
 *
 * The page holds two words; "writer" has it in its TLB and writes the first one,
 * "fault" writes the second one.
 *
 * What to read out of the variants:
 * - 6.4: the fault copies the page while the writer's CPU may write to it
 *   (stale-tlb: the rule, one preemption); what it writes between the copy and
 *   the flush is lost to the parent, though the store had completed, and the
 *   child sees it (assert: the harm, two preemptions).  Neither side does
 *   anything wrong alone, and no lock is missing in any report of lockdep.
 * - 6.4.3: fork write-locks each VMA before it copies it: the fault falls back
 *   to mmap_lock, and waits until the TLBs are flushed.  6.15: the same with the
 *   reference count; 6.15-no-lock shows that it is needed there as well.
 * - 6.3: without a VMA lock the order was right all the time.
 * - no-flush, flush-late: with the VMA locks, but without the flush, or with it
 *   behind the unlock: the same bug again, also without any concurrency of fork
 *   (an entry is left behind: stale-tlb, no preemption).
 *
 * A clean answer is relative to its bound: two preemptions show each bug, and
 * 6.4.3 is clean with three. */
#include <heddle/mm.h>

#define ADDR 0x2000ul

static struct mm_struct *mm;
static const int flush_late = 1;

static void setup(void)
{
	mm = mm_alloc();
	mm_add_vma(mm, ADDR, ADDR + PAGE_SIZE);
	mm_add_page(mm, ADDR, 1);
	mm_load_tlb(1, mm, ADDR); /* the writer's */
}

static void fork_task(void *arg)
{
	struct mm_struct *child;
	int err;

	(void)arg;
	child = dup_mm(mm, &err);
	heddle_assert(child);
	heddle_keep(child); /* it lives on, and is not looked at */
	if (mm_form()->more == &flush_late)
		flush_tlb_mm(mm);
	return_to_user();
}

static void write_task(void *arg)
{
	(void)arg;
	heddle_assert(!user_write(mm, ADDR, 2));
}

static void fault_task(void *arg)
{
	(void)arg;
	heddle_assert(!user_write(mm, ADDR + 8, 3));
}

static void check(void)
{
	bool write_is_lost = mm_word(mm, ADDR) != 2 ||
			     mm_word(mm, ADDR + 8) != 3;

	heddle_assert(!write_is_lost);
}

static const struct heddle_task tasks[] = {
	{ .name = "fork", .fn = fork_task },
	{ .name = "writer", .fn = write_task },
	{ .name = "fault", .fn = fault_task },
	{ 0 },
};

#define FORM(name, ...)                                               \
	static const struct mm_form name = { .parts = MM_ANON | MM_TLB, \
					     __VA_ARGS__ }
#define GEN1 .lock = &vma_lock_gen1, .free_by_rcu = true
#define GEN3 .lock = &vma_lock_v10, .lock_offset = 0x40000000
FORM(k6_3, .free_by_rcu = true);
FORM(k6_4, GEN1, .without = MM_STEP_FORK_LOCKS_VMAS);
FORM(k6_4_3, GEN1);
FORM(k6_15, GEN3);
FORM(no_lock, GEN3, .without = MM_STEP_FORK_LOCKS_VMAS);
FORM(no_flush, GEN1, .without = MM_STEP_FORK_FLUSHES);
FORM(late, GEN1, .without = MM_STEP_FORK_FLUSHES, .more = &flush_late);

static const char *const goals[] = { "forked", "page copied on write", NULL };
static const char *const locked[] = { "forked", "page copied on write",
				      "blocked fallback", "read lock granted",
				      NULL };

static const struct heddle_variant variants[] = {
	{ .name = "6.3", .title = "faults need mmap_lock", .data = &k6_3,
	  .kernel = "up to 6.3", .bound = 2 },
	{ .name = "6.4", .title = "fork does not lock the VMAs that it copies",
	  .data = &k6_4, .kernel = "6.4-6.4.2",
	  .expect = { { HD_V_STALE_TLB, 1 }, { HD_V_ASSERT, 2 } } },
	{ .name = "6.4.3", .title = "fork write-locks each VMA of the parent",
	  .data = &k6_4_3, .kernel = "6.4.3-6.13", .bound = 3,
	  .goals = locked },
	{ .name = "6.15", .title = "the same, the lock as a reference count",
	  .data = &k6_15, .kernel = "6.15", .bound = 2, .goals = locked },
	{ .name = "6.15-no-lock", .title = "without the write lock",
	  .data = &no_lock, .kernel = "mutation",
	  .expect = { { HD_V_STALE_TLB, 1 }, { HD_V_ASSERT, 2 } } },
	{ .name = "no-flush", .title = "fork does not flush the TLBs",
	  .data = &no_flush, .kernel = "mutation",
	  .expect = { { HD_V_STALE_TLB, 0 }, { HD_V_ASSERT, 1 } } },
	{ .name = "flush-late", .title = "fork flushes behind the unlock",
	  .data = &late, .kernel = "mutation",
	  .expect = { { HD_V_STALE_TLB, 1 }, { HD_V_ASSERT, 2 } } },
	{ 0 },
};

static const struct heddle_question questions[] = {
	{ "fork holds mmap_lock for write: is that not enough?",
	  "It was until 6.4.  A fault under the VMA lock does not take it, and "
	  "copies a page that another CPU still writes to.",
	  "6.3, 6.4, 6.4.3" },
	{ "Why must the write locks last until the TLBs are flushed?",
	  "The copy is right only when no CPU can write to the page any more; "
	  "flushed behind the unlock, the write is lost all the same.",
	  "no-flush, flush-late, 6.4.3" },
	{ NULL },
};

HEDDLE_SCENARIO(fork_vs_write) = {
	.name = "fork_vs_write",
	.title = "fork against two threads that write to one page",
	.source = "fork: lock VMAs of the parent process when forking, "
		  "commit fb49c455323f",
	.bug = "Z02 fb49c455323f",
	.questions = questions,
	.copied = "dup_mmap()'s order of locks, copies and flush; do_wp_page()",
	.simplified = "the TLB: include/heddle/tlb.h; the child does not run",
	.not_modelled = "gup and its write_protect_seq, PageAnonExclusive, "
			"mmu notifiers",
	.variants = variants,
	.tasks = tasks,
	.setup = setup,
	.check = check,
	.goals = goals,
};
