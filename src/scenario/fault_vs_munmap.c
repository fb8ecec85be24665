/* SPDX-License-Identifier: MIT */
/* One page fault against one munmap: seed 004.
 *
 * Source: Peter Zijlstra's answer of 16 Dec 2024 to [PATCH v6 10/16] "mm:
 * replace vm_lock and detached flag with a reference count" (the vm_refcnt
 * series, merged in 6.15 after v10).  He drew how a lookup under RCU that races
 * with the detach leaves lockdep's map acquired.  The model finds that, and a
 * thing the mail does not say: the read lock can be granted on the detached
 * VMA, after which the fault installs a page where there is no VMA any more.
 *
 * What to read out of the variants:
 * - The imbalance needs the fault to pass its early check (vm_lock_seq against
 *   mm_lock_seq) BEFORE vma_start_write(): afterwards both are equal and the
 *   fault gives up at once.  The mail's drawing leaves the early check out.
 * - One and the same imbalance ends as circular or as held-at-user.  If munmap
 *   still holds mmap_lock when the fault falls back, the trylock fails, and the
 *   blocking mmap_read_lock() with the map still held closes a cycle; else the
 *   fault gets mmap_lock and returns to user space with the map held.
 * - v7 waits at detach and so grants no lock on a detached VMA; the imbalance
 *   is still there.  v10 releases the map before the decrement: clean.
 * - In v6 10/16 the VMA is freed by call_rcu; a reader that was granted the
 *   detached VMA uses it after the grace period (use-after-free).
 * - Up to v7 the reader's increment is relaxed, so that its second, plain look
 *   at vm_lock_seq is not ordered behind the writer's WRITE_ONCE() of it: a
 *   data-race, though no increment is lost.  The increment became an acquire
 *   later in the series; in v10 there is no race.
 * - The other races belong to the bugs: a lock granted on a detached VMA lets
 *   the fault look at mm->pmd while munmap clears it (data-race), and use the
 *   page table or the VMA unordered with their free (assert-race).
 *
 * The v10-* variants break the merged form in one place each. */
#include "one_vma.h"

static const struct heddle_task tasks[] = {
	{ .name = "munmap", .fn = munmap_task },
	{ .name = "fault", .fn = fault_task },
	{ 0 },
};

#define FORM(name, ...)                                          \
	static const struct mm_form name = { .lock_offset = 0x40000000, \
					     __VA_ARGS__ }
FORM(v6, .lock = &vma_lock_v6, .free_by_rcu = true);
FORM(v6_complete, .lock = &vma_lock_v6_complete, .free_by_rcu = true);
FORM(v7, .lock = &vma_lock_v7, .free_by_rcu = true);
FORM(v10, .lock = &vma_lock_v10);
FORM(no_recheck, .lock = &vma_lock_v10, .no_recheck = true);
FORM(no_wait, .lock = &vma_lock_v10, .no_wait_at_detach = true);
FORM(late, .lock = &vma_lock_v10, .release_behind_test = true);
FORM(early_free, .lock = &vma_lock_v10, .early_free_pgtables = true);
static const struct mm_form limit3 = {
	.lock = &vma_lock_v10,
	.lock_offset = 4,
	.limit_delta = 3,
};

static const char *const goals[] = {
	"increment sees 0", "limit reached",  "wait at start_write",
	"wait at detach",   "re-check fails", "blocked fallback",
	"read lock granted", NULL,
};

/* v6 and v10-no-wait never wait at detach */
static const char *const no_detach_wait[] = {
	"increment sees 0", "limit reached",	"wait at start_write",
	"re-check fails",   "blocked fallback", "read lock granted",
	NULL,
};

static const char *const granted[] = { "read lock granted",
				       "wait at start_write", NULL };

static const struct heddle_variant variants[] = {
	{ "v6", "vm_refcnt v6 10/16, as posted", &v6,
	  { { HD_V_DATA_RACE, 2 },
	    { HD_V_HELD_AT_USER, 3 },
	    { HD_V_DETACHED_READ_LOCK, 3 },
	    { HD_V_PTE_WITHOUT_VMA, 3 },
	    { HD_V_FREED, 3 },
	    { HD_V_ASSERT_RACE, 3 },
	    { HD_V_CIRCULAR, 4 },
	    { HD_V_PAGETABLE, 4 },
	    { HD_V_USE_AFTER_FREE, 4 } },
	  .goals = no_detach_wait },
	{ "v6-complete", "whole v6 series: waits for readers at free",
	  &v6_complete,
	  { { HD_V_DATA_RACE, 2 },
	    { HD_V_DETACHED_READ_LOCK, 3 },
	    { HD_V_PTE_WITHOUT_VMA, 3 },
	    { HD_V_HELD_AT_USER, 4 },
	    { HD_V_FREED, 4 },
	    { HD_V_CIRCULAR, 4 },
	    { HD_V_ASSERT_RACE, 4 },
	    { HD_V_PAGETABLE, 4 } } },
	{ "v7", "vm_refcnt v7 12/17: waits for readers at detach", &v7,
	  { { HD_V_DATA_RACE, 2 },
	    { HD_V_CIRCULAR, 4 },
	    { HD_V_FREED, 4 },
	    { HD_V_HELD_AT_USER, 5 } } },
	{ "v10", "vm_refcnt v10 12/18, as merged in 6.15", &v10, .bound = 0 },
	{ "v10-no-recheck", "v10 without the second look at the sequence",
	  &no_recheck,
	  { { HD_V_EXCLUSION, 2 }, { HD_V_DETACHED_READ_LOCK, 2 } },
	  .goals = granted },
	{ "v10-no-wait", "v10 without the wait at detach", &no_wait,
	  { { HD_V_DETACHED_READ_LOCK, 3 },
	    { HD_V_PTE_WITHOUT_VMA, 4 },
	    { HD_V_FREED, 3 },
	    { HD_V_USE_AFTER_FREE, 3 },
	    { HD_V_DATA_RACE, 4 },
	    { HD_V_ASSERT_RACE, 4 },
	    { HD_V_PAGETABLE, 4 } },
	  .goals = no_detach_wait },
	{ "v10-late-release", "v10 with rwsem_release() behind the test", &late,
	  { { HD_V_CIRCULAR, 4 }, { HD_V_FREED, 4 }, { HD_V_HELD_AT_USER, 5 } } },
	{ "v10-early-free", "v10, page tables freed before readers have left",
	  &early_free,
	  { { HD_V_PAGETABLE, 1 },
	    { HD_V_PTE_WITHOUT_VMA, 1 },
	    { HD_V_FREED, 1 },
	    { HD_V_DATA_RACE, 1 },
	    { HD_V_ASSERT_RACE, 1 } } },
	{ "v10-limit-plus-3", "v10, offset 4, readers' limit 3 too high",
	  &limit3,
	  { { HD_V_DATA_RACE, 1 },
	    { HD_V_DETACHED_READ_LOCK, 2 },
	    { HD_V_EXCLUSION, 2 } },
	  .goals = granted },
	{ 0 },
};

HEDDLE_SCENARIO(fault_vs_munmap) = {
	.name = "fault_vs_munmap",
	.title = "a page fault under the VMA lock against munmap",
	.source = SEED_004,
	.not_modelled = NOT_MODELLED,
	.variants = variants,
	.tasks = tasks,
	.setup = setup,
	.goals = goals,
};
