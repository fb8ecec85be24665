/* SPDX-License-Identifier: MIT */
/* Two UFFDIO_MOVE against one mprotect: seed 000 with another reader.
 *
 * Source: as uffd_move_vs_mprotect.
 *
 * One task moves a page from A to B, another one from B to A.  What to read out
 * of the variants:
 * - merged-*: clean; both movers hold the same two VMA locks, in the other order,
 *   which between readers is no deadlock.
 * - merged-6.15-limit: since 6.15 the read lock may also fail under mmap_lock, if
 *   there are too many readers, and the call then fails with -EAGAIN: the one
 *   error that contention alone can cause.  It takes 2^30 readers; here two.
 * - merged-6.15-leak: the same, if dst is not unlocked when src has failed: the
 *   lock is held in user space, and the writer waits for it.
 * - crossing-*: two pages, whose folios and anon_vmas have nothing to do with each
 *   other, cross on their way.  What is left to collide is the pair of page table
 *   locks, taken by address; crossing-unordered takes dst's first.  lockdep says
 *   nothing, since one of the two is annotated as nested. */
#include "uffd_move.h"

/* The merged form under mmap_lock, broken: src fails, dst stays locked. */
static int leaky_lock(struct mm_struct *mm, unsigned long dst_start,
		      unsigned long src_start, struct vm_area_struct **dst_vmap,
		      struct vm_area_struct **src_vmap)
{
	int err;

	mmap_read_lock(mm);
	err = find_vmas_mm_locked(mm, dst_start, src_start, dst_vmap, src_vmap);
	if (!err && (!vma_start_read_locked(*dst_vmap) ||
		     !vma_start_read_locked_nested(*src_vmap, 1)))
		err = -EAGAIN;
	mmap_read_unlock(mm);
	return err;
}

static const struct uffd_move_locking leaky = { leaky_lock, uffd_move_unlock };

/* --- two pages that cross ---------------------------------------------------- */

#define LEFT 0x2000ul /* page, free */
#define RIGHT 0x9000ul /* free, page */

static void crossing_setup(void)
{
	struct vm_area_struct *left, *right;

	mm = mm_alloc();
	ctx = userfaultfd_new(mm);
	left = mm_add_vma(mm, LEFT, LEFT + 2 * PAGE_SIZE);
	right = mm_add_vma(mm, RIGHT, RIGHT + 2 * PAGE_SIZE);
	userfaultfd_register(ctx, left, VM_UFFD_MISSING);
	userfaultfd_register(ctx, right, VM_UFFD_MISSING);
	uffd_add_page(left, LEFT);
	uffd_add_page(right, RIGHT + PAGE_SIZE);
}

static bool crossing(void)
{
	return choice()->writer == NOBODY;
}

static void moves_setup(void)
{
	if (crossing())
		crossing_setup();
	else
		setup();
}

static void move_task(void *arg)
{
	(void)arg;
	if (crossing())
		userfaultfd_move(ctx, RIGHT, LEFT, choice()->locking);
	else
		userfaultfd_move(ctx, B, A, choice()->locking);
}

static void move_back_task(void *arg)
{
	(void)arg;
	if (crossing())
		userfaultfd_move(ctx, LEFT + PAGE_SIZE, RIGHT + PAGE_SIZE,
				 choice()->locking);
	else
		userfaultfd_move(ctx, A, B, choice()->locking);
}

static const struct heddle_task tasks[] = {
	{ "writer", writer_task, NULL },
	{ "move", move_task, NULL },
	{ "move-back", move_back_task, NULL },
	{ 0 },
};

/* --- variants ------------------------------------------------------------------ */

#define LIMIT (.lock = &vma_lock_v10, .lock_offset = 4, .limit_delta = -1, \
	       .parts = MM_ANON)
#define UNORDERED (.lock = &vma_lock_gen1, .free_by_rcu = true, \
		   .parts = MM_ANON, \
		   .without = MM_STEP_PTLS_BY_ADDRESS)
FORM(merged, GEN1, &uffd_move_merged);
FORM(gen3, GEN3, &uffd_move_merged);
FORM(limit, LIMIT, &uffd_move_merged);
FORM(leak, LIMIT, &leaky);
FORM(cross, GEN1, &uffd_move_merged, .writer = NOBODY);
FORM(unordered, UNORDERED, &uffd_move_merged, .writer = NOBODY);

static const char *const both_pages[] = { "page moved", NULL };
#define BROKEN "the merged form, broken on purpose"
static const struct heddle_variant variants[] = {
	{ "merged", "dst first, undo, then both under mmap_lock", &merged_form,
	  .bound = 2, .kernel = "6.9-6.13" },
	{ "merged-6.15", "the VMA lock is a reference count", &gen3_form,
	  .bound = 2, .kernel = "6.15" },
	{ "merged-6.15-limit", "no more than one reader of a VMA", &limit_form,
	  { { HD_V_SPURIOUS_ERROR, 1 } }, .kernel = "6.15" },
	{ "merged-6.15-leak", "the same, dst stays locked if src fails",
	  &leak_form,
	  { { HD_V_SPURIOUS_ERROR, 1 },
	    { HD_V_HELD_AT_USER, 1 },
	    { HD_V_DEADLOCK, 1 } },
	  .source = BROKEN },
	{ "crossing", "two pages cross", &cross_form, .goals = both_pages,
	  .kernel = "6.9-6.13" },
	{ "crossing-unordered", "dst's page table lock first", &unordered_form,
	  { { HD_V_DEADLOCK, 2 } }, .source = BROKEN },
	{ 0 },
};
static const char *const goals[] = {
	"both VMAs locked", "page moved", "undo, then both under mmap_lock",
	"waits for the folio", NULL,
};

static const struct heddle_question questions[] = {
	{ "On contention you will now abort vs block. Is it?",
	  "It blocks, also if there are two movers. One exception came with "
	  "6.15: with too many readers (2^30) of a VMA the call fails with "
	  "-EAGAIN.",
	  "merged, merged-6.15, merged-6.15-limit" },
	{ NULL },
};

HEDDLE_SCENARIO(uffd_moves_vs_mprotect) = {
	.name = "uffd_moves_vs_mprotect",
	.title = "two UFFDIO_MOVE against mprotect",
	.source = SEED_000,
	.seed = "000",
	.not_modelled = NOT_MODELLED,
	.copied = COPIED,
	.simplified = SIMPLIFIED,
	.different = DIFFERENT,
	.questions = questions,
	.variants = variants,
	.tasks = tasks,
	.setup = moves_setup,
	.goals = goals,
};
