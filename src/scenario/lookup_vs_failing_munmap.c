/* SPDX-License-Identifier: MIT */
/* A munmap() that runs out of memory gives back a VMA that a lookup has found.
 *
 * Source: vms_gather_munmap_vmas and reattach_vmas (mm/vma.c, 6.12), with the
 * forms of the VMA lock of the vm_refcnt series (seed 004).
 *
 * The range covers one VMA and half of the next.  munmap() write-locks and
 * detaches the first, then has to split the second, gets no memory, attaches the
 * first again and returns -ENOMEM: as if nothing had happened.  A lookup may meet
 * the VMA in each of these states.  Without preemption this is a sequential error
 * path; what can be lost is what detach and attach assume about readers.
 *
 * What to read out of the variants:
 * - 6.4 and 6.15: the lookup gives up, or looks again until the VMA is attached.
 *   So the retry ends here, too, where the VMA never leaves the tree.
 * - 6.15-no-wait, as in v6 of the series, does not wait for readers when it
 *   detaches.  The attach overwrites the count of a reader that is still to put:
 *   its decrement takes the attach's unit, and the VMA stays in the tree with
 *   count 0 (assert).  To 6.15 that means look again, the VMA must be about to
 *   leave the tree; this one is not, so that every later lookup spins for good.
 *   The other verdicts are those of fault_vs_munmap, from runs in which munmap()
 *   succeeds: a lock granted on a detached VMA, which is then freed. */
#include <heddle/mm.h>

#define ADDR 0x2000ul
#define NEXT 0x3000ul
#define END 0x5000ul

static struct mm_struct *mm;
static struct vm_area_struct *first;
static bool failed;

static void setup(void)
{
	mm = mm_alloc();
	first = mm_add_vma(mm, ADDR, NEXT);
	mm_add_vma_flags(mm, NEXT, END, VM_READ);
}

static void munmap_task(void *arg)
{
	int err = do_munmap(mm, ADDR, NEXT + PAGE_SIZE);

	(void)arg;
	heddle_assert(!err || err == -ENOMEM);
	failed = err;
	return_to_user();
}

static void lookup_task(void *arg)
{
	struct vm_area_struct *vma = lock_vma_under_rcu(mm, ADDR);

	(void)arg;
	if (vma)
		vma_end_read(vma);
	return_to_user();
}

/* After -ENOMEM all is as before. */
static void check(void)
{
	if (!failed)
		return;
	heddle_assert(mm->map_count == 2 && vma_lookup(mm, ADDR) == first);
	if (mm_form()->lock->detached_flag)
		heddle_assert(!first->detached);
	else
		heddle_assert(refcount_read(&first->vm_refcnt) == 1);
}

static const struct heddle_task tasks[] = {
	{ .name = "munmap", .fn = munmap_task },
	{ .name = "lookup", .fn = lookup_task },
	{ 0 },
};

#define FORM(name, ...) \
	static const struct mm_form name = { .lock_offset = 0x40000000, \
					     __VA_ARGS__ }
FORM(v6_4, .lock = &vma_lock_gen1, .free_by_rcu = true);
FORM(v6_15, .lock = &vma_lock_v10);
FORM(no_wait, .lock = &vma_lock_v10, .no_wait_at_detach = true);

static const char *const goals[] = { "munmap aborts", "read lock granted",
				     NULL };

static const struct heddle_variant variants[] = {
	{ .name = "6.4", .title = "a semaphore per VMA", .data = &v6_4,
	  .kernel = "6.4-6.13", .fail = 1 },
	{ .name = "6.15", .title = "the reference count", .data = &v6_15,
	  .kernel = "6.15-", .fail = 1 },
	{ .name = "6.15-no-wait", .title = "6.15 without the wait at detach",
	  .data = &no_wait, .fail = 1,
	  .source = "broken on purpose: one step left out",
	  .expect = { { HD_V_ASSERT, 3 }, { HD_V_DETACHED_READ_LOCK, 3 },
		      { HD_V_FREED, 3 }, { HD_V_USE_AFTER_FREE, 3 } } },
	{ 0 },
};

static const struct heddle_question questions[] = {
	{ "Does the retry after -EAGAIN end?",
	  "Yes: count 0 is followed by a store into the tree or, here, by an "
	  "attach, and no reader can keep the writer from either.",
	  "6.15" },
	{ "And if a reader's decrement can meet the attach?",
	  "No: the VMA keeps count 0 and stays in the tree.", "6.15-no-wait" },
	{ 0 },
};

HEDDLE_SCENARIO(lookup_vs_failing_munmap) = {
	.name = "lookup_vs_failing_munmap",
	.title = "a lookup finds a VMA that munmap detaches and gives back",
	.source = "mm/vma.c: reattach_vmas, 6.12",
	.seed = "004",
	.copied = "vms_gather_munmap_vmas, reattach_vmas",
	.simplified = "the VMAs detached are in an array",
	.not_modelled = "pages",
	.questions = questions,
	.variants = variants,
	.tasks = tasks,
	.setup = setup,
	.check = check,
	.goals = goals,
};
