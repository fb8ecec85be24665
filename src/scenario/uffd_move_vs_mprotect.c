/* SPDX-License-Identifier: MIT */
/* UFFDIO_MOVE locks two VMAs, while mprotect or munmap locks them too: seed 000.
 *
 * Source: Liam R. Howlett's mail of 12 Feb 2024 in the thread of [PATCH v4 3/3]
 * "userfaultfd: use per-vma locks in userfaultfd operations" (merged in 6.9).
 *
 * A reader of a VMA lock takes it by trylock under RCU; if that fails it waits
 * for mmap_lock instead.  Who needs two VMAs and has got the first one must not
 * wait for mmap_lock: its owner, who write-locks VMAs one after the other, may
 * wait for just that first one.  A page moves from A to B or from B to A, with
 * mprotect over both; which of src and dst is write-locked first is therefore
 * data, and the schedule chooses it.
 *
 * What to read out of the variants:
 * - v4-*: lockdep's report and the deadlock are different things.  The cycle is
 *   closed whenever the second VMA needs mmap_lock while the first is held: in
 *   v4-two-vmas already in the first sequential run, because dst has no anon_vma
 *   yet; the deadlock takes a preemption, and the order of addresses in which
 *   the writer meets first the VMA that the mover does not hold.
 * - lokesh-posted: the fallback waits for mmap_lock, lets go of it and returns
 *   success with no VMA locked: bad unlock balance; and when the writer goes on
 *   to unmap (lokesh-posted-munmap), whatever can be freed is used; the leak is a
 *   page table that the mover makes when munmap has freed those of the range.
 * - lokesh-corrected: no deadlock, but dst is held while down_read() takes src of
 *   the same class: lockdep's recursive locking.  The same in one VMA, where it
 *   is the same lock: no deadlock either, since no writer can be there.  quoted
 *   (the lines in the mail) has it in the first run, for want of a subclass.
 * - liam: clean as long as the sequence does not come round.  If it does, up to
 *   6.13 a VMA looks write-locked until the next unlock of mmap_lock, which
 *   cannot come while the mover holds it for read: an error without a reason
 *   (liam-overflow), or a retry for ever (liam-retry).
 * - merged-*: clean, against all that can come: each opponent needs another of
 *   the locks or looks (munmap of one VMA that of src; user space the TLB flush;
 *   a fault, MADV_DONTNEED the comparison of the PTEs).  merged-no-undo and
 *   merged-keeps-dst leave out what the merged form does when the second lock
 *   fails: let go of dst, and look it up again.  trust-rcu takes the failed
 *   lookup under RCU for an answer.
 * - merged-no-compare moves a page that MADV_DONTNEED has freed meanwhile, which
 *   needs mmap_lock for read only and so comes in between.
 * - *-overflow: not said on the list.  vma_start_write() returns at once if the
 *   numbers are equal, for then the caller has locked the VMA before.  If they
 *   are equal because the sequence has come round, it does not wait for a reader
 *   that is inside: exclusion, in 6.9 as in 6.15 (where it takes 2^31 write
 *   locks of mmap_lock during which the VMA is not write-locked).  The races and
 *   the error are what follows from it. */
#include "uffd_move.h"
#include "uffd_move_posted.h"

static struct result {
	bool upward; /* from A, where the page is, to B */
	int err;
} *result;

static void setup_result(void)
{
	setup();
	result = heddle_alloc(struct result);
}

/* Which of src and dst lies lower, and so is write-locked first, is data. */
static void move_task(void *arg)
{
	bool upward = !heddle_choose(2);
	int err;

	(void)arg;
	if (upward)
		err = userfaultfd_move(ctx, B, A, choice()->locking);
	else
		err = userfaultfd_move(ctx, A, B, choice()->locking);
	result->upward = upward;
	result->err = err;
}

static bool mapped(unsigned long addr)
{
	struct page_table *table = pte_offset(mm, addr);

	return table && table->pte[pte_index(addr)];
}

static unsigned long contents(unsigned long addr)
{
	struct page_table *table = pte_offset(mm, addr);
	unsigned long pte = table->pte[pte_index(addr)];

	return ((struct folio *)(pte & ~_PAGE_BITS))->data[0];
}

/* Nobody but munmap and madvise takes a page away. */
static bool page_may_be_gone(void)
{
	return choice()->writer == MUNMAP || choice()->writer == MUNMAP_A ||
	       choice()->writer == BOTH || choice()->writer == DONTNEED;
}

/* The page is where the call says that it is, and what was written is there. */
static void check(void)
{
	bool moved = result->upward && !result->err;

	heddle_assert(result->err != -EBUSY);
	if (page_may_be_gone())
		return;
	heddle_assert(result->upward || result->err);
	heddle_assert(result->err != -ENOENT);
	heddle_assert(mapped(B) == (moved || choice()->writer == FAULT));
	if (choice()->writer != USER)
		heddle_assert(mapped(A) == !moved);
	else if (mapped(A))
		heddle_assert(contents(A) == WRITTEN);
	else
		heddle_assert(contents(B) == WRITTEN);
}

static const struct heddle_task tasks[] = {
	{ "writer", writer_task, NULL },
	{ "move", move_task, NULL },
	{ 0 },
};


#define WITH_TLB (.lock = &vma_lock_gen1, .free_by_rcu = true, \
		  .parts = MM_ANON | MM_TLB)
#define NO_COMPARE (.lock = &vma_lock_gen1, .free_by_rcu = true, \
		    .parts = MM_ANON, \
		    .without = MM_STEP_MOVE_COMPARES_PTES)
FORM(v4, GEN1, &v4);
FORM(v4_diagram, GEN1, &v4_diagram);
FORM(v4_one, GEN1, &v4, .one_vma = true);
FORM(posted, GEN1, &lokesh_posted);
FORM(posted_munmap, GEN1, &lokesh_posted, .writer = BOTH);
FORM(corrected, GEN1, &lokesh_corrected);
FORM(corrected_one, GEN1, &lokesh_corrected, .one_vma = true);
FORM(quoted, GEN1, &quoted);
FORM(liam, GEN1, &liam);
FORM(liam_overflow, GEN1, &liam, .overflow = true, .writer = ELSEWHERE);
FORM(liam_retry, GEN1, &liam_retry, .overflow = true, .writer = ELSEWHERE);
FORM(liam_gen2, GEN2, &liam, .overflow = true, .writer = ELSEWHERE);
FORM(merged, GEN1, &uffd_move_merged);
FORM(merged_one, GEN1, &uffd_move_merged, .one_vma = true);
FORM(merged_munmap, GEN1, &uffd_move_merged, .writer = MUNMAP);
FORM(merged_munmap_a, GEN1, &uffd_move_merged, .writer = MUNMAP_A);
FORM(merged_far, GEN1, &uffd_move_merged, .overflow = true,
     .writer = ELSEWHERE);
FORM(merged_overflow, GEN1, &uffd_move_merged, .overflow = true);
FORM(no_undo, GEN1, &no_undo);
FORM(keeps_dst, GEN1, &keeps_dst, .writer = MUNMAP);
FORM(trust_rcu, GEN1, &trust_rcu);
FORM(merged_madvise, GEN1, &uffd_move_merged, .writer = DONTNEED);
FORM(merged_fault, GEN1, &uffd_move_merged, .writer = FAULT);
FORM(merged_user, WITH_TLB, &uffd_move_merged, .writer = USER);
FORM(no_compare, NO_COMPARE, &uffd_move_merged, .writer = DONTNEED);
FORM(gen3, GEN3, &uffd_move_merged);
FORM(gen3_munmap, GEN3, &uffd_move_merged, .writer = MUNMAP);
FORM(gen3_overflow, GEN3, &uffd_move_merged, .overflow = true);

static const char *const tried[] = { "both VMAs locked", "page moved",
				     "trylock while dst is held",
				     "trylock fails: blocks, does not abort",
				     NULL };
static const char *const undone[] = { "both VMAs locked", "page moved",
				      "undo, then both under mmap_lock", NULL };
static const char *const overflown[] = {
	"undo, then both under mmap_lock",
	"under mmap_lock, and yet write-locked", NULL,
};
static const char *const compared[] = { "page moved",
					"a PTE changed meanwhile", NULL };
static const char *const one_vma[] = { "both VMAs locked", "page moved", NULL };

static const struct heddle_question questions[] = {
	{ "Has v4 a deadlock problem?",
	  "Yes. With src held the mover waits for mmap_lock, whose owner waits "
	  "for src: two tasks, one preemption, and the order of addresses in "
	  "which the writer meets the other VMA first. Also when src and dst "
	  "lie in one VMA. lockdep complains without any preemption, since a "
	  "fresh dst has no anon_vma and always needs mmap_lock.",
	  "v4-two-vmas, v4-diagram, v4-one-vma" },
	{ "On contention you will now abort vs block. Is it?",
	  "It blocks: no interleaving returns an error for contention alone, in "
	  "Lokesh's form and in the merged one. When the trylock fails dst is "
	  "let go and mmap_lock waited for. What he posted, however, comes "
	  "back from there with no VMA locked.",
	  "lokesh-posted, lokesh-corrected, merged, merged-6.15" },
	{ "lock_vma_under_rcu() may fail due to seq overflow: is a direct "
	  "down_read() needed under mmap_lock?",
	  "Up to 6.13 yes: a VMA can look write-locked until mmap_lock is next "
	  "unlocked for write, so the lookup fails for good while the mover "
	  "holds it for read: an error without a reason, or a retry for ever. "
	  "From 6.14 on no: the sequence is even whenever there are readers, "
	  "and the number of a VMA is odd.",
	  "liam, liam-overflow, liam-retry, liam-6.14, merged-far" },
	{ "Is such an overflow otherwise harmless, as it can only make a VMA "
	  "look locked?",
	  "No, and this the thread does not say: the writer goes by the same "
	  "two numbers. If they are equal by overflow vma_start_write() takes "
	  "the VMA for its own and does not wait for a reader inside.",
	  "merged-overflow, merged-6.15-overflow" },
	{ "Is it final if the lookup under RCU finds nothing?",
	  "No. It also finds nothing while a writer is there.",
	  "trust-rcu" },
	{ "Once dst was let go, must it be looked up again?",
	  "Yes, munmap may have freed it meanwhile.", "merged-keeps-dst" },
	{ NULL },
};

#define LOKESH "Lokesh Gidra's answer in the thread, 12 Feb 2024"
#define LIAM "Liam R. Howlett's suggestion in the thread, 12 Feb 2024"
#define BROKEN "the merged form, broken on purpose"
static const struct heddle_variant variants[] = {
	{ "v4-two-vmas", "src, then dst, each as if it were the only one",
	  &v4_form, { { HD_V_CIRCULAR, 0 }, { HD_V_DEADLOCK, 1 } },
	  .kernel = "posted" },
	{ "v4-diagram", "dst, then src, as the thread draws it",
	  &v4_diagram_form, { { HD_V_CIRCULAR, 1 }, { HD_V_DEADLOCK, 1 } },
	  .source = "the diagram that the mail quotes, 12 Feb 2024",
	  .kernel = "posted" },
	{ "v4-one-vma", "src and dst in one VMA, which is locked twice",
	  &v4_one_form, { { HD_V_CIRCULAR, 1 }, { HD_V_DEADLOCK, 1 } },
	  .kernel = "posted" },
	{ "lokesh-posted", "tries src; the fallback forgets to lock",
	  &posted_form, { { HD_V_UNBALANCE, 1 } }, .source = LOKESH,
	  .kernel = "proposed" },
	{ "lokesh-posted-munmap", "the same against mprotect, then munmap",
	  &posted_munmap_form,
	  { { HD_V_UNBALANCE, 1 },
	    { HD_V_USE_AFTER_FREE, 2 },
	    { HD_V_PTE_WITHOUT_VMA, 2 },
	    { HD_V_PAGETABLE, 2 },
	    { HD_V_LEAK, 2 },
	    { HD_V_DATA_RACE, 2 },
	    { HD_V_ASSERT_RACE, 2 } },
	  .source = LOKESH, .kernel = "proposed" },
	{ "lokesh-corrected", "the same, and the fallback locks both",
	  &corrected_form, { { HD_V_RECURSIVE, 1 } }, .bound = 3, .goals = tried,
	  .source = LOKESH, .kernel = "proposed" },
	{ "lokesh-corrected-one-vma", "src and dst in one VMA",
	  &corrected_one_form, { { HD_V_RECURSIVE, 1 } }, .bound = 3, .source = LOKESH,
	  .kernel = "proposed" },
	{ "quoted", "both under mmap_lock, as in the lines quoted", &quoted_form,
	  { { HD_V_RECURSIVE, 0 } }, .bound = 3, .source = LOKESH, .kernel = "proposed" },
	{ "liam", "src by a lookup under RCU also under mmap_lock", &liam_form,
	  .goals = undone, .source = LIAM, .kernel = "proposed" },
	{ "liam-overflow", "the same; the sequence has come round",
	  &liam_overflow_form, { { HD_V_SPURIOUS_ERROR, 0 } },
	  .goals = overflown, .source = LIAM, .kernel = "proposed" },
	{ "liam-retry", "the same, which tries until it succeeds",
	  &liam_retry_form, { { HD_V_LIVELOCK, 0 } }, .goals = overflown,
	  .source = LIAM, .kernel = "proposed" },
	{ "liam-6.14", "with the sequence of 6.14, close to coming round",
	  &liam_gen2_form, .source = LIAM, .kernel = "proposed" },
	{ "merged", "undo, then both under mmap_lock", &merged_form,
	  .goals = undone, .kernel = "6.9-6.13", .fail = 1 },
	{ "merged-one-vma", "src and dst in one VMA", &merged_one_form,
	  .goals = one_vma, .kernel = "6.9-6.13" },
	{ "merged-munmap", "against munmap", &merged_munmap_form,
	  .goals = undone, .kernel = "6.9-6.13" },
	{ "merged-munmap-one", "against munmap of one of the two VMAs",
	  &merged_munmap_a_form, .bound = 2, .goals = undone,
	  .kernel = "6.9-6.13" },
	{ "merged-far", "the sequence has come round; a writer elsewhere",
	  &merged_far_form, .goals = undone, .kernel = "6.9-6.13" },
	{ "merged-overflow", "the sequence has come round",
	  &merged_overflow_form,
	  { { HD_V_DATA_RACE, 0 },
	    { HD_V_EXCLUSION, 1 },
	    { HD_V_SPURIOUS_ERROR, 1 } },
	  .kernel = "6.9-6.13" },
	{ "merged-no-undo", "waits for mmap_lock with dst held", &no_undo_form,
	  { { HD_V_CIRCULAR, 1 }, { HD_V_DEADLOCK, 1 } }, .source = BROKEN },
	{ "merged-keeps-dst", "does not look dst up again", &keeps_dst_form,
	  { { HD_V_USE_AFTER_FREE, 1 },
	    { HD_V_DETACHED_READ_LOCK, 1 },
	    { HD_V_ASSERT_RACE, 1 }, { HD_V_FREED, 2 } },
	  .source = BROKEN },
	{ "merged-madvise", "against MADV_DONTNEED of the page",
	  &merged_madvise_form, .goals = compared, .kernel = "6.9-6.13" },
	{ "merged-fault", "against a page fault at dst", &merged_fault_form,
	  .goals = compared, .kernel = "6.9-6.13" },
	{ "merged-user", "against a write to the page, through a TLB",
	  &merged_user_form, .kernel = "6.9-6.13" },
	{ "merged-no-compare", "does not compare the PTEs under both locks",
	  &no_compare_form, { { HD_V_RMAP, 1 } }, .source = BROKEN },
	{ "trust-rcu", "nothing under RCU: -ENOENT", &trust_rcu_form,
	  { { HD_V_SPURIOUS_ERROR, 1 }, { HD_V_ASSERT, 1 } },
	  .source = BROKEN },
	{ "merged-6.15", "the VMA lock is a reference count", &gen3_form,
	  .goals = undone, .kernel = "6.15", .fail = 1 },
	{ "merged-6.15-munmap", "against munmap", &gen3_munmap_form,
	  .goals = undone, .kernel = "6.15" },
	{ "merged-6.15-overflow", "the sequence has come round",
	  &gen3_overflow_form,
	  { { HD_V_DATA_RACE, 0 },
	    { HD_V_EXCLUSION, 1 },
	    { HD_V_SPURIOUS_ERROR, 1 } },
	  .kernel = "6.15" },
	{ 0 },
};
static const char *const goals[] = { "both VMAs locked", "page moved", NULL };

HEDDLE_SCENARIO(uffd_move_vs_mprotect) = {
	.name = "uffd_move_vs_mprotect",
	.title = "UFFDIO_MOVE locks two VMAs against mprotect and munmap",
	.source = SEED_000,
	.seed = "000",
	.not_modelled = NOT_MODELLED,
	.copied = COPIED,
	.simplified = SIMPLIFIED,
	.different = DIFFERENT,
	.questions = questions,
	.variants = variants,
	.tasks = tasks,
	.setup = setup_result,
	.check = check,
	.goals = goals,
};
