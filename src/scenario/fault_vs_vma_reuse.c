/* SPDX-License-Identifier: MIT */
/* A lookup holds on to a VMA that has become another process's: Z13.
 *
 * Source: CVE-2025-38554, fixed by 9bbffee67ffd "mm: fix a UAF when vma->mm is
 * freed after vma->vm_refcnt got dropped" (6.17); open since VMAs are reused at
 * once (3104138517fc, 6.15).
 *
 * A lookup under RCU in mm A finds a VMA and is preempted.  The VMA is unmapped
 * and freed, and, since its cache is SLAB_TYPESAFE_BY_RCU, becomes a VMA of mm B
 * the next moment.  The lookup raises its count, which works, sees that vm_mm is
 * not A, and puts it again.  Meanwhile B wants to unmap the VMA: it excludes
 * readers and waits for the one that is there.  The put lowers the count and then
 * wakes B's waiter, in B's mm_struct.  But B need not be asleep: if it looks at
 * the count between the two it is through, exits, and its mm_struct is freed.
 *
 * What to read out of the variants:
 * - 6.15: the wake-up is a use after free.  The variant begins where the VMA has
 *   just become B's and the lookup is about to raise its count; from there it
 *   takes three preemptions: the lookup before its decrement; B behind its
 *   announcement, before it looks; the lookup behind its decrement.  With two the
 *   wake-up comes in time, but nothing orders it before the free (assert-race).
 * - 6.15-whole is the same from the walk in A on: two preemptions more, behind
 *   the walk and behind B's attach.  The random strategies do not get there in three
 *   million schedules, the exhaustive search does in two seconds.
 * - 6.17 and 6.17-whole: looks at vm_mm before anything else that may end in a
 *   put, and holds B's mm_struct over the put.  6.17-no-grab only looks: as 6.15.
 * - 6.15-own-mm: vma_start_read() goes to the mm that the VMA names, as it did
 *   while VMAs were not reused, and nobody looks at vm_mm.  It may be B's and
 *   freed (use-after-free), half set (null-deref), is written meanwhile
 *   (data-race), and the lookup in A ends with a VMA of B (assert).
 *
 * Task other is A's munmap and then B's mmap and exit, in one: only their order
 * matters here.  B's tree is left out, nobody looks at it. */
#include <heddle/mm.h>

#define ADDR 0x2000ul

static struct mm_struct *a, *b;
static struct vm_area_struct *reused; /* NULL: not yet */

/* From the walk on; else from where the VMA that was found is B's. */
static const char whole[] = "whole";

/* The VMA's part of mmap(). */
static struct vm_area_struct *map_in_b(void)
{
	struct vm_area_struct *vma;

	mmap_write_lock(b);
	vma = vm_area_alloc(b);
	vma->vm_start = ADDR;
	vma->vm_end = ADDR + PAGE_SIZE;
	vma_start_write(vma);
	vma_mark_attached(vma);
	mmap_write_unlock(b);
	return vma;
}

static void setup(void)
{
	a = mm_alloc();
	b = mm_alloc();
	mm_add_vma(a, ADDR, ADDR + PAGE_SIZE);
	if (mm_form()->more == whole)
		return;
	heddle_assert(!do_munmap(a, ADDR, ADDR + PAGE_SIZE));
	reused = map_in_b();
}

/* The last part of lock_vma_under_rcu(). */
static struct vm_area_struct *lock_reused(void)
{
	struct vm_area_struct *vma;

	rcu_read_lock();
	vma = mm_form()->lock->start_read_mm(a, reused);
	rcu_read_unlock();
	return IS_ERR(vma) ? NULL : vma;
}

static void lookup_task(void *arg)
{
	struct vm_area_struct *vma =
		reused ? lock_reused() : lock_vma_under_rcu(a, ADDR);

	(void)arg;
	if (vma) {
		heddle_assert(vma->vm_mm == a);
		vma_end_read(vma);
	}
	return_to_user();
}

/* The VMA's part of mmput() and exit_mmap(). */
static void exit_b(struct vm_area_struct *vma)
{
	if (!atomic_dec_and_test(&b->mm_users))
		return;
	mmap_write_lock(b);
	vma_start_write(vma);
	vma_mark_detached(vma);
	vm_area_free(vma);
	mmap_write_unlock(b);
	mmdrop(b);
}

static void other_task(void *arg)
{
	(void)arg;
	if (reused) {
		exit_b(reused);
		return;
	}
	do_munmap(a, ADDR, ADDR + PAGE_SIZE);
	exit_b(map_in_b());
}

static const struct heddle_task tasks[] = {
	{ .name = "other", .fn = other_task },
	{ .name = "lookup", .fn = lookup_task },
	{ 0 },
};

#define FORM(name, ...) \
	static const struct mm_form name = { .lock_offset = 0x40000000, \
					     __VA_ARGS__ }
FORM(v6_15, .lock = &vma_lock_6_15);
FORM(v6_15_whole, .lock = &vma_lock_6_15, .more = whole);
FORM(v6_17, .lock = &vma_lock_6_17);
FORM(v6_17_whole, .lock = &vma_lock_6_17, .more = whole);
FORM(no_grab, .lock = &vma_lock_6_17, .without = MM_STEP_GRAB_OTHER_MM);
FORM(own_mm, .lock = &vma_lock_v10, .more = whole);

static const char *const goals[] = { "VMA of another mm", "increment sees 0",
				     "wait at start_write", NULL };
static const char *const whole_goals[] = {
	"VMA of another mm", "read lock granted", "increment sees 0",
	"wait at start_write", "wait at detach", NULL,
};

static const struct heddle_variant variants[] = {
	{ .name = "6.15", .title = "wakes the writer of a foreign mm",
	  .data = &v6_15, .kernel = "6.15-6.16", .source = "3104138517fc",
	  .expect = { { HD_V_ASSERT_RACE, 2 }, { HD_V_USE_AFTER_FREE, 3 } } },
	{ .name = "6.15-whole", .title = "the same from the walk on",
	  .data = &v6_15_whole, .kernel = "6.15-6.16", .goals = whole_goals,
	  .expect = { { HD_V_ASSERT_RACE, 4 }, { HD_V_USE_AFTER_FREE, 5 } } },
	{ .name = "6.17", .title = "holds the foreign mm meanwhile",
	  .data = &v6_17, .kernel = "6.17-", .source = "9bbffee67ffd" },
	{ .name = "6.17-whole", .title = "the same from the walk on",
	  .data = &v6_17_whole, .kernel = "6.17-", .goals = whole_goals },
	{ .name = "6.17-no-grab", .title = "6.17 without mmgrab()",
	  .data = &no_grab, .source = "broken on purpose: one step left out",
	  .expect = { { HD_V_ASSERT_RACE, 2 }, { HD_V_USE_AFTER_FREE, 3 } } },
	{ .name = "6.15-own-mm", .title = "asks the VMA which mm it is in",
	  .data = &own_mm, .source = "broken on purpose: one step left out",
	  .expect = { { HD_V_DATA_RACE, 1 }, { HD_V_USE_AFTER_FREE, 1 },
		      { HD_V_ASSERT, 2 }, { HD_V_NULL_DEREF, 2 },
		      { HD_V_ASSERT_RACE, 2 } } },
	{ 0 },
};

HEDDLE_SCENARIO(fault_vs_vma_reuse) = {
	.name = "fault_vs_vma_reuse",
	.title = "a lookup holds on to a VMA that has become another process's",
	.source = "CVE-2025-38554, 9bbffee67ffd",
	.bug = "Z13 CVE-2025-38554",
	.copied = "vma_start_read, vma_refcount_put, __vma_enter_locked",
	.simplified = "B maps and exits without a tree, in the task that unmaps A",
	.not_modelled = "pages that the VMA could be given back with",
	.variants = variants,
	.tasks = tasks,
	.setup = setup,
	.goals = goals,
};
