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

/* what goes would be detached early, but nothing does */
static const struct call detach_early = {
	.form = { GEN1, .modify = MM_MODIFY_DETACH_EARLY },
	.make = do_split_above, .before = { { 2, 6, 1, RO } },
	.after = { { 2, 3, 1, RO }, { 3, 6, 1, RO } },
};

CALLS(range, "vma_modify/the range",
      CALL("split, new above", split_above_call),
      CALL("split, new below", split_below_call),
      CALL("shrink at the end", shrink_end_call),
      CALL("shrink at the start", shrink_start_call),
      CALL("shrink at both", shrink_both_call),
      CALL("expand up", expand_up_call),
      CALL("expand down", expand_down_call),
      CALL("expand over the next one", expand_over_next_call),
      CALL("split, a form that detaches early", detach_early));

/* --- what a VMA has beside its range -------------------------------------------- */

static int opened;

static void open_op(struct vm_area_struct *vma)
{
	(void)vma;
	opened++;
}

static const struct vm_operations_struct counting = { .open = open_op }, plain;
static struct mempolicy *policy;
static int key; /* stands for a userfaultfd context, and for private data */

static void owned_by(const struct vm_operations_struct *ops)
{
	struct file *file = mm_new_file();

	policy = mpol_new(1);
	mmap_write_lock(mm);
	vma_start_write(at(2));
	at(2)->vm_file = file;
	get_file(file);
	vma_link_file(at(2));
	at(2)->vm_ops = ops;
	at(2)->vm_policy = policy;
	at(2)->vm_userfaultfd_ctx.ctx = (struct userfaultfd_ctx *)&key;
	at(2)->vm_private_data = &key;
	mmap_write_unlock(mm);
	mmap_read_lock(mm);
	heddle_assert(!anon_vma_prepare(at(2)));
	mmap_read_unlock(mm);
}

static void owned(void)
{
	owned_by(&counting);
}

static void owned_plain(void)
{
	owned_by(&plain);
}

static bool same_policy(const struct vm_area_struct *vma)
{
	return mm_has(MM_POLICY) ? vma->vm_policy->node == policy->node :
				   vma->vm_policy == policy;
}

static bool same_owners(const struct vm_area_struct *a,
			const struct vm_area_struct *b)
{
	return a->vm_file == b->vm_file && a->vm_ops == b->vm_ops &&
	       a->vm_userfaultfd_ctx.ctx == b->vm_userfaultfd_ctx.ctx &&
	       a->vm_private_data == b->vm_private_data &&
	       a->anon_vma == b->anon_vma && same_policy(a);
}

/* file, ops, policy go to both; i_mmap knows both; so does the anon_vma, but not
 * yet as the new one's own. */
static int split_owned(void)
{
	const struct vm_operations_struct *ops = at(2)->vm_ops;
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
	heddle_assert(opened == (err || ops != &counting ? 0 : 1));
	heddle_assert(upper->vm_file == file && upper->vm_ops == ops &&
		      upper->vm_policy == policy && upper->anon_vma &&
		      upper->vm_private_data == &key);
	heddle_assert(same_owners(lower, upper));
	return err;
}

#define OWNED(id, has, what)                                           \
	static const struct call id = {                                \
		.form = { V10, .parts = MM_FILE | MM_ANON | (has) },   \
		.make = split_owned, .prepare = what,                  \
		.before = { { 2, 6, 0, RW } },                         \
		.after = { { 2, 3, 0, RW }, { 3, 6, 0, RW } },         \
	}
OWNED(split_owned_call, 0, owned);
OWNED(split_plain, 0, owned_plain);
OWNED(split_policy, MM_POLICY, owned);
CALLS(owned, "vma_modify/a split of what is owned",
      CALL("file and pages", split_owned_call), CALL("no open", split_plain),
      CALL("and a policy", split_policy));

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

/* --- against who comes from a page ------------------------------------------------- */

static struct anon_vma *own;

static void has_anon_vma(void)
{
	mmap_read_lock(mm);
	heddle_assert(!anon_vma_prepare(at(2)));
	mmap_read_unlock(mm);
	own = at(2)->anon_vma;
}

/* Its bounds change under the lock that a walk of the reverse map holds. */
static void rmap_walk(void *arg)
{
	(void)arg;
	rmap_unmap_anon(own, 5);
}

#define WALKED(id, fn, ...)                                          \
	static const struct call id = {                              \
		.form = { V10, .parts = MM_ANON }, .make = fn,       \
		.prepare = has_anon_vma, .before = { __VA_ARGS__ },  \
	}
WALKED(walk_shrink, do_shrink_start, { 2, 6, 0, RO });
WALKED(walk_expand, do_expand_up, { 2, 6, 0, RO });
WALKED(walk_over_next, do_expand_over_next, { 2, 6, 0, RO }, { 8, 10, 0, RO });

#define walk_setup call_setup
TWIN_TASKS(walk, { "writer", changer }, { "walk", rmap_walk });
static const struct heddle_variant walk_variants[] = {
	{ .name = "shrink", .data = &walk_shrink, .fail = TWIN_NONE },
	{ .name = "expand", .data = &walk_expand, .fail = TWIN_NONE },
	{ .name = "expand over next", .data = &walk_over_next,
	  .fail = TWIN_NONE },
	{ .name = NULL },
};
TWIN(walk, "vma_modify/a walk of the reverse map");

/* What is swallowed is out of the tree before it is given back. */
static void look_up_next(void *arg)
{
	struct vm_area_struct *vma = lock_vma_under_rcu(mm, PAGE(8));

	(void)arg;
	if (vma)
		vma_end_read(vma);
}

static const struct call swallows_6_6 = {
	.form = { GEN1 }, .make = do_expand_over_next,
	.before = { { 2, 6, 1, RO }, { 8, 10, 1, RO } },
};
static const struct call swallows_6_4 = {
	.form = { GEN1, .modify = MM_MODIFY_6_4 }, .make = do_expand_over_next,
	.before = { { 2, 6, 1, RO }, { 8, 10, 1, RO } },
};
#define swallow_setup call_setup
TWIN_TASKS(swallow, { "writer", changer }, { "reader", look_up_next });
static const struct heddle_variant swallow_variants[] = {
	{ .name = "6.6", .data = &swallows_6_6, .fail = TWIN_NONE },
	{ .name = "6.4", .data = &swallows_6_4, .fail = TWIN_NONE },
	{ .name = NULL },
};
TWIN(swallow, "vma_modify/a reader of what is swallowed");

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
