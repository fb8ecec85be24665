/* SPDX-License-Identifier: MIT */
/* Two page faults in one VMA against one munmap: seed 004.
 *
 * Source: as fault_vs_munmap.c.  Two readers ask what one cannot: does the
 * writer wait for both, and do they disturb each other?
 *
 * v10 is clean as far as it was searched: the bound is printed with it, the
 * unbounded space was not exhausted (26 million runs were not enough). */
#include "one_vma.h"

static const struct heddle_task tasks[] = {
	{ .name = "munmap", .fn = munmap_task },
	{ .name = "fault1", .fn = fault_task },
	{ .name = "fault2", .fn = fault_task },
	{ 0 },
};

static const struct mm_form v6 = { .lock = &vma_lock_v6,
				   .lock_offset = 0x40000000,
				   .free_by_rcu = true };
static const struct mm_form v10 = { .lock = &vma_lock_v10,
				    .lock_offset = 0x40000000 };
static const char *const goals[] = {
	"increment sees 0", "limit reached",  "wait at start_write",
	"wait at detach",   "re-check fails", "blocked fallback",
	"read lock granted", NULL,
};

static const char *const no_detach_wait[] = {
	"increment sees 0", "limit reached",	"wait at start_write",
	"re-check fails",   "blocked fallback", "read lock granted",
	NULL,
};

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
	{ "v10", "vm_refcnt v10 12/18, as merged in 6.15", &v10, .bound = 4,
	  .kernel = "6.15", .source = SEED_004_V10 },
	{ 0 },
};

static const struct heddle_question questions[] = {
	{ "Does the writer wait for two readers, and can two break what one "
	  "cannot?",
	  "v10 waits for both: clean as far as it was searched, which is to a "
	  "bound. v6 shows with two faults what it shows with one, and "
	  "nothing with fewer preemptions.",
	  "v10, v6" },
	{ 0 },
};

HEDDLE_SCENARIO(faults_vs_munmap) = {
	.name = "faults_vs_munmap",
	.title = "two page faults under the VMA lock against munmap",
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
