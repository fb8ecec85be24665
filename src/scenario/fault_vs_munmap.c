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
 *   page table or the VMA unordered with their free (assert-race).  If munmap
 *   had freed the table, the fault makes a new one, which nobody frees (leak).
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
	    { HD_V_LEAK, 3 },
	    { HD_V_FREED, 3 },
	    { HD_V_ASSERT_RACE, 3 },
	    { HD_V_CIRCULAR, 4 },
	    { HD_V_PAGETABLE, 4 },
	    { HD_V_USE_AFTER_FREE, 4 } },
	  .kernel = "posted", .goals = no_detach_wait },
	{ "v6-complete", "whole v6 series: waits for readers at free",
	  &v6_complete,
	  { { HD_V_DATA_RACE, 2 },
	    { HD_V_DETACHED_READ_LOCK, 3 },
	    { HD_V_PTE_WITHOUT_VMA, 3 },
	    { HD_V_LEAK, 3 },
	    { HD_V_HELD_AT_USER, 4 },
	    { HD_V_FREED, 4 },
	    { HD_V_CIRCULAR, 4 },
	    { HD_V_ASSERT_RACE, 4 },
	    { HD_V_PAGETABLE, 4 } },
	  .kernel = "posted" },
	{ "v7", "vm_refcnt v7 12/17: waits for readers at detach", &v7,
	  { { HD_V_DATA_RACE, 2 },
	    { HD_V_CIRCULAR, 4 },
	    { HD_V_FREED, 4 },
	    { HD_V_HELD_AT_USER, 5 } },
	  .kernel = "posted", .source = SEED_004_V7 },
	{ "v10", "vm_refcnt v10 12/18, as merged in 6.15", &v10, .bound = 0,
	  .kernel = "6.15", .source = SEED_004_V10 },
	{ "v10-no-recheck", "v10 without the second look at the sequence",
	  &no_recheck,
	  { { HD_V_EXCLUSION, 2 }, { HD_V_DETACHED_READ_LOCK, 2 } },
	  .source = BROKEN, .goals = granted },
	{ "v10-no-wait", "v10 without the wait at detach", &no_wait,
	  { { HD_V_DETACHED_READ_LOCK, 3 },
	    { HD_V_PTE_WITHOUT_VMA, 4 },
	    { HD_V_LEAK, 4 },
	    { HD_V_FREED, 3 },
	    { HD_V_USE_AFTER_FREE, 3 },
	    { HD_V_DATA_RACE, 4 },
	    { HD_V_ASSERT_RACE, 4 },
	    { HD_V_PAGETABLE, 4 } },
	  .source = BROKEN, .goals = no_detach_wait },
	{ "v10-late-release", "v10 with rwsem_release() behind the test", &late,
	  { { HD_V_CIRCULAR, 4 }, { HD_V_FREED, 4 }, { HD_V_HELD_AT_USER, 5 } },
	  .source = BROKEN },
	{ "v10-early-free", "v10, page tables freed before readers have left",
	  &early_free,
	  { { HD_V_PAGETABLE, 1 },
	    { HD_V_PTE_WITHOUT_VMA, 1 },
	    { HD_V_LEAK, 1 },
	    { HD_V_FREED, 1 },
	    { HD_V_DATA_RACE, 1 },
	    { HD_V_ASSERT_RACE, 1 } },
	  .source = BROKEN },
	{ "v10-limit-plus-3", "v10, offset 4, readers' limit 3 too high",
	  &limit3,
	  { { HD_V_DATA_RACE, 1 },
	    { HD_V_DETACHED_READ_LOCK, 2 },
	    { HD_V_EXCLUSION, 2 } },
	  .source = BROKEN, .goals = granted },
	{ 0 },
};

static const struct heddle_question questions[] = {
	{ "A lookup under RCU races with the detach: can the reader's put be "
	  "the one that takes the count to zero, and leave lockdep's map "
	  "acquired?",
	  "Yes. In v6 the fault returns to user space with the map held (3 "
	  "preemptions); in the order that the mail draws, it still meets "
	  "munmap's mmap_lock and closes a cycle (4). v7 still has it. v10 "
	  "releases the map before the decrement, and never shows it; with "
	  "the release behind the test it is back.",
	  "v6, v7, v10, v10-late-release" },
	{ "The patch says that a reader may see a lock that is not there, but "
	  "never misses one, since vm_lock_seq is looked at under the count. "
	  "Is that so?",
	  "Not in v6, and this the mail does not say: detach ignores the "
	  "reader that it finds, the downgrade moves mm_lock_seq on, and the "
	  "reader's second look finds two different numbers. It is granted "
	  "the lock of a detached VMA, and the fault installs a page where "
	  "there is no VMA (3). From v7 on detach waits for the reader, and "
	  "no such lock is granted; without that wait, or without the second "
	  "look, v10 breaks, too.",
	  "v6, v7, v10, v10-no-wait, v10-no-recheck" },
	{ "Is the raised count harmless in v6, as the series also waits for "
	  "readers when it frees the VMA?",
	  "No. That wait comes when munmap has freed the page tables: it "
	  "saves the VMA's own memory (no use after free of it is left), and "
	  "nothing else.",
	  "v6, v6-complete" },
	{ "Is a relaxed increment enough for the reader?",
	  "No. Up to v7 the second look at vm_lock_seq races with the "
	  "writer's store of it (2). v10 increments with acquire: no race.",
	  "v6, v7, v10" },
	{ 0 },
};

HEDDLE_SCENARIO(fault_vs_munmap) = {
	.name = "fault_vs_munmap",
	.title = "a page fault under the VMA lock against munmap",
	.source = SEED_004,
	.not_modelled = NOT_MODELLED,
	.seed = "004",
	.copied = COPIED,
	.simplified = SIMPLIFIED,
	.different = DIFFERENT,
	.questions = questions,
	.variants = variants,
	.tasks = tasks,
	.setup = setup,
	.goals = goals,
};
