/* SPDX-License-Identifier: MIT */
/* A write to a page that fork shared, while another CPU reads it and the child
 * exits: copy on write, and reuse.
 *
 * Source: do_wp_page(), wp_page_copy() and wp_can_reuse_anon_folio() of 6.12
 * (mm/memory.c).
 *
 * The parent's page is read-only and shared with the child.  A write copies it if
 * the child still has it, and takes it over if not; the child drops its
 * reference at any time in between.  Another CPU of the parent has the read-only
 * page in its TLB.
 *
 * What to read out of the variants:
 * - 6.12: the child sees what was there at fork, the parent's CPUs never see the
 *   old value behind the new one, and no page is lost: also where no page can be
 *   allocated.
 * - no-flush: the old entry is not flushed when the copy takes its place: the
 *   reader's CPU goes on with the old page (stale-tlb), which the child's exit
 *   frees (use-after-free), and sees old after new (assert).  No preemption is
 *   needed: TLBs are flushed by those who change the entry, or not at all. */
#include <heddle/mm.h>

#define ADDR 0x2000ul
#define SECOND (ADDR + 8) /* the word that is written; the other one stays */
enum { READER = 1 }; /* number of its task */

static struct mm_struct *mm, *child;
static bool written; /* user space's own flag: the write has returned */

static void setup(void)
{
	int err;

	mm = mm_alloc();
	mm_add_vma(mm, ADDR, ADDR + PAGE_SIZE);
	mm_add_page(mm, ADDR, 1);
	child = dup_mm(mm, &err);
	mm_load_tlb(READER, mm, ADDR);
}

static void write_task(void *arg)
{
	(void)arg;
	if (user_write(mm, SECOND, 2))
		heddle_mark("no memory");
	else
		smp_store_release(&written, true);
}

static void read_task(void *arg)
{
	bool new = smp_load_acquire(&written);
	unsigned long val = 0;

	(void)arg;
	heddle_assert(!user_read(mm, SECOND, &val));
	heddle_assert(val == 2 || !new);
}

static void child_task(void *arg)
{
	unsigned long val = 0;

	(void)arg;
	heddle_assert(!user_read(child, SECOND, &val) && val == 1);
	mmput(child);
}

static void check(void)
{
	heddle_assert(mm_word(mm, ADDR) == 1);
	heddle_assert(mm_word(mm, SECOND) == (written ? 2 : 1));
}

static const struct heddle_task tasks[] = {
	{ .name = "writer", .fn = write_task },
	{ .name = "reader", .fn = read_task },
	{ .name = "child", .fn = child_task },
	{ 0 },
};

#define FORM(name, ...)                                               \
	static const struct mm_form name = {                          \
		.lock = &vma_lock_gen1, .free_by_rcu = true,          \
		.parts = MM_ANON | MM_TLB, __VA_ARGS__                \
	}
FORM(k6_12);
FORM(no_flush, .without = MM_STEP_COPY_FLUSHES);

static const char *const goals[] = { "page copied on write", "page reused",
				     "no memory", "address space torn down",
				     NULL };
static const char *const no_failure[] = { "page copied on write",
					  "page reused", NULL };

static const struct heddle_variant variants[] = {
	{ .name = "6.12", .title = "as it is", .data = &k6_12,
	  .kernel = "6.4-6.13", .fail = 1, .bound = 2 },
	{ .name = "no-flush", .title = "the old entry is not flushed",
	  .data = &no_flush, .kernel = "mutation", .goals = no_failure,
	  .expect = { { HD_V_STALE_TLB, 0 },
		      { HD_V_ASSERT, 0 },
		      { HD_V_USE_AFTER_FREE, 0 } } },
	{ 0 },
};

HEDDLE_SCENARIO(write_vs_exit) = {
	.name = "write_vs_exit",
	.title = "copy on write against a child that exits",
	.source = "mm/memory.c of 6.12: do_wp_page(), wp_page_copy()",
	.copied = "do_wp_page(), wp_page_copy(), exit_mmap()",
	.simplified = "the reference count alone decides about reuse",
	.not_modelled = "PageAnonExclusive, swap cache, gup",
	.variants = variants,
	.tasks = tasks,
	.setup = setup,
	.check = check,
	.goals = goals,
};
