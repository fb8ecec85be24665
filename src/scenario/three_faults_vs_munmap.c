/* SPDX-License-Identifier: MIT */
/* Three page faults in one VMA against one munmap, with a narrow offset.
 *
 * Source: as fault_vs_munmap.c (seed 004).  The readers' limit must leave
 * VMA_LOCK_OFFSET to the writer alone.  With the kernel's 0x40000000 no search
 * gets there; with an offset of 4, the attach unit and three readers are 4, so
 * a limit that is one too high lets readers alone look like a writer. */
#include "one_vma.h"

static const struct heddle_task tasks[] = {
	{ .name = "munmap", .fn = munmap_task },
	{ .name = "fault1", .fn = fault_task },
	{ .name = "fault2", .fn = fault_task },
	{ .name = "fault3", .fn = fault_task },
	{ 0 },
};

static const struct mm_form narrow = { .lock = &vma_lock_v10,
				       .lock_offset = 4 };
static const struct mm_form limit1 = { .lock = &vma_lock_v10,
				       .lock_offset = 4,
				       .limit_delta = 1 };

static const char *const goals[] = {
	"limit reached", "wait at start_write", "read lock granted", NULL,
};

static const struct heddle_variant variants[] = {
	{ "v10-narrow", "v10, VMA_LOCK_OFFSET 4", &narrow, .bound = 2,
	  .kernel = "6.15", .source = SEED_004_V10 },
	{ "v10-limit-plus-1", "v10, offset 4, readers' limit 1 too high",
	  &limit1,
	  { { HD_V_ASSERT, 1 } },
	  .source = BROKEN },
	{ 0 },
};

static const struct heddle_question questions[] = {
	{ "Does the readers' limit leave VMA_LOCK_OFFSET to the writer?",
	  "Yes in v10, whose limit is the offset less one: clean to a bound, "
	  "with an offset so narrow that readers get there. One more, and "
	  "readers alone look like a writer. v6 leaves one count more, since "
	  "its writer counts itself as well: not searched.",
	  "v10-narrow, v10-limit-plus-1" },
	{ 0 },
};

HEDDLE_SCENARIO(three_faults_vs_munmap) = {
	.name = "three_faults_vs_munmap",
	.title = "three page faults under the VMA lock against munmap",
	.source = SEED_004,
	.not_modelled = NOT_MODELLED,
	.seed = "004",
	.copied = COPIED,
	.simplified = SIMPLIFIED,
	.different = DIFFERENT "; VMA_LOCK_OFFSET is 4 instead of 0x40000000",
	.questions = questions,
	.variants = variants,
	.tasks = tasks,
	.setup = setup,
	.goals = goals,
};
