/* SPDX-License-Identifier: MIT */
/* What scenarios may declare (declared.t): a bug that needs a failed
 * allocation, one that needs a signal, and declarations that are wrong. */
#include <heddle/heddle.h>
#include <heddle/kernel.h>

struct part {
	u32 ready;
};

/* --- a failed allocation, and who cleans up behind it ----------------------- */

static const char frees[] = "the error path frees the first part";

static void make_pair(void *arg)
{
	struct part *one = kmalloc(sizeof(struct part), GFP_KERNEL), *two;

	(void)arg;
	if (!one)
		return;
	two = kmalloc(sizeof(struct part), GFP_KERNEL);
	if (two || heddle_variant_data())
		kfree(one);
	kfree(two);
}

static const struct heddle_task pair_tasks[] = {
	{ .name = "maker", .fn = make_pair }, { 0 },
};

static const struct heddle_variant pair_variants[] = {
	{ "leaks", "the error path forgets the first part", NULL,
	  { { HD_V_LEAK, 0 } },
	  .kernel = "6.4-6.5", .fail = 1 },
	{ "unasked", "the same where nothing fails", NULL, .bound = 1,
	  .kernel = "6.4-6.5" },
	{ "fixed", "the error path frees it", frees, .kernel = "6.6",
	  .source = "[PATCH v2 1/1] free the first part", .fail = 2 },
	{ 0 },
};

static const struct heddle_question pair_questions[] = {
	{ "Does the error path give back what it has?",
	  "No: if the second allocation fails, the first part is left.",
	  "leaks, fixed" },
	{ 0 },
};

HEDDLE_SCENARIO(pair) = {
	.name = "pair",
	.title = "two parts that are allocated one after the other",
	.source = "[PATCH 1/1] make a pair, 1 Jan 2024",
	.seed = "000",
	.copied = "the order of the two allocations",
	.simplified = "a part is a word",
	.different = "nothing is freed at the end but what was made",
	.not_modelled = "memory pressure",
	.questions = pair_questions,
	.variants = pair_variants,
	.tasks = pair_tasks,
};

/* --- a signal ------------------------------------------------------------------ */

static DEFINE_MUTEX(lock);

static void killable(void *arg)
{
	(void)arg;
	mutex_lock(&lock);
	if (fatal_signal_pending(current) && !heddle_variant_data())
		return;
	mutex_unlock(&lock);
}

static const struct heddle_task signal_tasks[] = {
	{ .name = "killable", .fn = killable }, { 0 },
};

static const struct heddle_variant signal_variants[] = {
	{ "returns", "returns with the lock", NULL, { { HD_V_HELD_AT_EXIT, 0 } },
	  .kernel = "6.12", .signals = 1 },
	{ "unlocks", "unlocks first", frees, .kernel = "6.13", .signals = 1 },
	{ 0 },
};

HEDDLE_SCENARIO(killed) = {
	.name = "killed", .title = "a signal under a lock",
	.source = "CVE-0000-2", .bug = "CVE-0000-2",
	.variants = signal_variants, .tasks = signal_tasks,
};

/* --- the same again, of an older kernel ------------------------------------------- */

static const struct heddle_variant old_variants[] = {
	{ "unlocks", "unlocks first, and this title is so long that a line "
	  "of 80 columns has no room for it", frees,
	  .kernel = "5.15", .signals = 1 },
	{ 0 },
};

static const struct heddle_question old_questions[] = {
	{ "Is the lock left?", "No.", "unlocks" },
	{ 0 },
};

HEDDLE_SCENARIO(killed_before) = {
	.name = "killed_before", .title = "a signal under a lock, long ago",
	.source = "CVE-0000-1", .bug = "CVE-0000-1",
	.variants = old_variants, .tasks = signal_tasks,
	.questions = old_questions,
};

/* --- declarations that are wrong ------------------------------------------------------ */

static u32 shared;

static void twice(void *arg)
{
	u32 seen = READ_ONCE(shared);

	(void)arg;
	WRITE_ONCE(shared, seen + 1);
}

static const struct heddle_task wrong_tasks[] = {
	{ .name = "t1", .fn = twice }, { .name = "t2", .fn = twice }, { 0 },
};

static void both_counted(void)
{
	heddle_assert(shared == 2);
}

static const struct heddle_variant wrong_variants[] = {
	{ "silent", "declares nothing", NULL },
	{ "other", "declares another verdict", NULL, { { HD_V_DEADLOCK, 1 } } },
	{ "number", "declares too many preemptions", NULL, { { HD_V_ASSERT, 2 } } },
	{ "early", "declares too few preemptions", NULL, { { HD_V_ASSERT, 0 } } },
	{ "right", "declares what it shows", NULL, { { HD_V_ASSERT, 1 } } },
	{ 0 },
};

static const struct heddle_question wrong_questions[] = {
	{ "Is an update lost?", "It is lost.", "right, other" },
	{ "How soon?", "With one preemption.", "right" },
	{ 0 },
};

HEDDLE_SCENARIO(wrong) = {
	.name = "wrong", .title = "an update that is lost",
	.variants = wrong_variants, .tasks = wrong_tasks, .check = both_counted,
	.questions = wrong_questions,
};
