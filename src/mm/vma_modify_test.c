/* SPDX-License-Identifier: MIT */
/* A VMA is split, shrunk, expanded: what is there afterwards, what if a step
 * fails, and who must be locked meanwhile.
 *
 * Covers vma_modify.c. */
#include <heddle/mm.h>

#include "twins.h"

static int locked(int (*change)(void))
{
	int err;

	mmap_write_lock(mm);
	err = change();
	mmap_write_unlock(mm);
	return err;
}

/* --- one after the other -------------------------------------------------------- */

static int split_above(void)
{
	return split_vma(at(2), PAGE(3), false);
}

static int split_below(void)
{
	struct vm_area_struct *vma = at(2);
	int err = split_vma(vma, PAGE(3), true);

	heddle_assert(vma == at(3)); /* it keeps the upper part */
	return err;
}

static int shrink_end(void)
{
	return vma_shrink(at(2), PAGE(2), PAGE(3));
}

static int shrink_start(void)
{
	return vma_shrink(at(2), PAGE(4), PAGE(6));
}

static int shrink_both(void)
{
	return vma_shrink(at(2), PAGE(3), PAGE(5));
}

static int expand_up(void)
{
	return vma_expand(at(2), PAGE(2), PAGE(8), NULL);
}

static int expand_down(void)
{
	return vma_expand(at(2), PAGE(1), PAGE(6), NULL);
}

static int expand_over_next(void)
{
	return vma_expand(at(2), PAGE(2), PAGE(10), at(8));
}

#define CHANGES(fn) \
	static int do_##fn(void) { return locked(fn); } \
	static const struct call fn##_call = { \
		.form = { V10 }, .make = do_##fn,
CHANGES(split_above) .before = { { 2, 6, 1, RO } },
	.after = { { 2, 3, 1, RO }, { 3, 6, 1, RO } } };
CHANGES(split_below) .before = { { 2, 6, 1, RO } },
	.after = { { 2, 3, 1, RO }, { 3, 6, 1, RO } } };
CHANGES(shrink_end) .before = { { 2, 6, 1, RO } },
	.after = { { 2, 3, 1, RO } } };
CHANGES(shrink_start) .before = { { 2, 6, 1, RO } },
	.after = { { 4, 6, 1, RO } } };
CHANGES(shrink_both) .before = { { 2, 6, 1, RO } },
	.after = { { 3, 5, 1, RO } } };
CHANGES(expand_up) .before = { { 2, 6, 1, RO }, { 8, 10, 0, RW } },
	.after = { { 2, 8, 1, RO }, { 8, 10, 0, RW } } };
CHANGES(expand_down) .before = { { 2, 6, 1, RO } },
	.after = { { 1, 6, 1, RO } } };
CHANGES(expand_over_next) .before = { { 2, 6, 1, RO }, { 8, 10, 1, RO } },
	.after = { { 2, 10, 1, RO } } };

CALLS(range, "vma_modify/the range",
      CALL("split, new above", split_above_call),
      CALL("split, new below", split_below_call),
      CALL("shrink at the end", shrink_end_call),
      CALL("shrink at the start", shrink_start_call),
      CALL("shrink at both", shrink_both_call),
      CALL("expand up", expand_up_call),
      CALL("expand down", expand_down_call),
      CALL("expand over the next one", expand_over_next_call));

/* --- what a VMA has beside its range -------------------------------------------- */

static int opened;

static void open_op(struct vm_area_struct *vma)
{
	(void)vma;
	opened++;
}

static const struct vm_operations_struct counting = { .open = open_op };
static struct mempolicy *policy;

static void owned(void)
{
	struct file *file = mm_new_file();

	policy = heddle_alloc(struct mempolicy);
	mmap_write_lock(mm);
	vma_start_write(at(2));
	at(2)->vm_file = file;
	get_file(file);
	vma_link_file(at(2));
	at(2)->vm_ops = &counting;
	at(2)->vm_policy = policy;
	mmap_write_unlock(mm);
	mmap_read_lock(mm);
	heddle_assert(!anon_vma_prepare(at(2)));
	mmap_read_unlock(mm);
}

/* file, ops, policy go to both; i_mmap knows both; so does the anon_vma, but not
 * yet as the new one's own. */
static int split_owned(void)
{
	struct file *file = at(2)->vm_file;
	struct vm_area_struct *lower, *upper;
	u32 i, links = 0;
	int err;

	err = locked(split_below);
	lower = at(2);
	upper = at(3);
	for (i = 0; i < MM_RMAP_VMAS; i++)
		links += !!file->f_mapping->i_mmap[i];
	heddle_assert(links == (err ? 1 : 2));
	heddle_assert(refcount_read(&file->f_count) == (err ? 2 : 3));
	heddle_assert(opened == (err ? 0 : 1));
	heddle_assert(lower->vm_file == file && upper->vm_file == file &&
		      lower->vm_ops == &counting && lower->vm_policy == policy);
	return err;
}

static const struct call split_owned_call = {
	.form = { V10, .parts = MM_FILE | MM_ANON }, .make = split_owned,
	.prepare = owned, .before = { { 2, 6, 0, RW } },
	.after = { { 2, 3, 0, RW }, { 3, 6, 0, RW } },
};
CALLS(owned, "vma_modify/a split of what is owned",
      CALL("file and pages", split_owned_call));

/* --- the order of locks, against a reader ----------------------------------------- */

static void reader(void *arg)
{
	struct vm_area_struct *vma = lock_vma_under_rcu(mm, PAGE(2));

	(void)arg;
	if (!vma)
		return;
	heddle_mark("a reader is in");
	/* both words of one instant; page 2 leaves the VMA */
	heddle_assert(vma->vm_pgoff == vma->vm_start >> PAGE_SHIFT);
	heddle_assert(PAGE(2) >= vma->vm_start && PAGE(2) < vma->vm_end);
	vma_end_read(vma);
}

static void changer(void *arg)
{
	(void)arg;
	heddle_assert(!the_call()->make());
}

static const char *const reader_goals[] = { "a reader is in", NULL };
#define SHRINK(id, ...)                                              \
	static const struct call id = { .form = { __VA_ARGS__ },     \
					.before = { { 2, 6, 0, RO } }, \
					.make = do_shrink_start }
#define SPLIT(id, ...)                                               \
	static const struct call id = { .form = { __VA_ARGS__ },     \
					.before = { { 2, 6, 0, RO } }, \
					.make = do_split_below }
SHRINK(shrink_6_2, GEN1, .modify = MM_MODIFY_6_2);
SHRINK(shrink_v3, GEN1, .modify = MM_MODIFY_V3);
SHRINK(shrink_6_4, GEN1, .modify = MM_MODIFY_6_4);
SHRINK(shrink_6_6, GEN1);
SHRINK(shrink_6_15, V10);
SPLIT(split_6_4, GEN1, .modify = MM_MODIFY_6_4);
SPLIT(split_6_6, GEN1);
SPLIT(split_6_15, V10);
SPLIT(split_new, V10, .without = MM_STEP_LOCK_NEW_VMA);

#define reader_setup call_setup
TWIN_TASKS(reader, { "writer", changer }, { "reader", reader });
static const struct heddle_variant reader_variants[] = {
	{ .name = "shrink, 6.2", .data = &shrink_6_2, .fail = TWIN_NONE,
	  .expect = { SHOWS(UNLOCKED_WRITE), SHOWS(DATA_RACE), SHOWS(ASSERT) } },
	{ .name = "shrink, v3", .data = &shrink_v3, .fail = TWIN_NONE },
	{ .name = "shrink, 6.4", .data = &shrink_6_4, .fail = TWIN_NONE },
	{ .name = "shrink, 6.6", .data = &shrink_6_6, .fail = TWIN_NONE },
	{ .name = "shrink, 6.15", .data = &shrink_6_15, .fail = TWIN_NONE },
	{ .name = "split, 6.6", .data = &split_6_6, .fail = TWIN_NONE },
	{ .name = "split, 6.15", .data = &split_6_15, .fail = TWIN_NONE },
	/* the new one goes into the tree unlocked: a reader may be in it while
	 * the call is not through (6.6 locks it) */
	{ .name = "split, 6.4", .data = &split_6_4, .fail = TWIN_NONE,
	  .expect = { SHOWS(UNLOCKED_WRITE) } },
	{ .name = "split, new VMA not locked", .data = &split_new,
	  .fail = TWIN_NONE, .expect = { SHOWS(UNLOCKED_WRITE) } },
	{ .name = NULL },
};
TWIN(reader, "vma_modify/a reader", .goals = reader_goals);

/* --- huge pages ---------------------------------------------------------------------- */

static void huge_fault(void *arg)
{
	(void)arg;
	do_user_addr_fault(mm, PAGE(4), FAULT_FLAG_USER);
}

/* v3 moves the bounds with the VMA locked, 6.2 does not lock, and the fault maps
 * a whole group behind vma_adjust_trans_huge(). */
#define HUGE(id, ...)                                                \
	static const struct call id = {                              \
		.form = { GEN1, .parts = MM_THP, __VA_ARGS__ },      \
		.before = { { 4, 8, 0, RW } }, .make = do_huge_split, \
	}
static int do_huge_split(void)
{
	int err;

	mmap_write_lock(mm);
	err = split_vma(at(4), PAGE(6), false);
	mmap_write_unlock(mm);
	return err;
}
HUGE(huge_6_6, 0);
HUGE(huge_guess, .modify = MM_MODIFY_GUESS);

#define huge_setup call_setup
TWIN_TASKS(huge, { "writer", changer }, { "fault", huge_fault });
static const struct heddle_variant huge_variants[] = {
	{ .name = "locked first", .data = &huge_6_6, .fail = TWIN_NONE },
	{ .name = "split first, then locked", .data = &huge_guess,
	  .fail = TWIN_NONE,
	  .expect = { SHOWS(HUGE_PMD), SHOWS(UNLOCKED_WRITE) } },
	{ .name = NULL },
};
TWIN(huge, "vma_modify/a split under a huge page");
