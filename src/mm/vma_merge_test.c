/* SPDX-License-Identifier: MIT */
/* Which ranges become one: all eight cases, and what keeps two VMAs apart.
 *
 * Covers vma_merge.c, with mprotect.c, which asks for cases 4 to 8.  Each case
 * is tried twice: nothing fails; and each step that can fail does, one a run.
 * Then every page is as before. */
#include <heddle/mm.h>

#include "twins.h"

/* --- cases 4 to 8: [2, 4) becomes like its neighbours ------------------------ */

static int protect(void)
{
	return do_mprotect(mm, PAGE(2), PAGE(4), VM_READ);
}

#define EXISTING(id, ...) \
	static const struct call id = { .form = { V10 }, .make = protect, \
					__VA_ARGS__ }
EXISTING(case4, .before = { { 0, 4, 0, RW }, { 4, 6, 0, RO } },
	 .after = { { 0, 2, 0, RW }, { 2, 6, 0, RO } });
EXISTING(case5, .before = { { 0, 2, 0, RO }, { 2, 6, 0, RW } },
	 .after = { { 0, 4, 0, RO }, { 4, 6, 0, RW } });
EXISTING(case6,
	 .before = { { 0, 2, 0, RO }, { 2, 4, 0, RW }, { 4, 6, 0, RO } },
	 .after = { { 0, 6, 0, RO } });
EXISTING(case7,
	 .before = { { 0, 2, 0, RO }, { 2, 4, 0, RW }, { 4, 6, 0, RW } },
	 .after = { { 0, 4, 0, RO }, { 4, 6, 0, RW } });
EXISTING(case8,
	 .before = { { 0, 2, 0, RW }, { 2, 4, 0, RW }, { 4, 6, 0, RO } },
	 .after = { { 0, 2, 0, RW }, { 2, 6, 0, RO } });
EXISTING(middle, .before = { { 0, 6, 0, RW } },
	 .after = { { 0, 2, 0, RW }, { 2, 4, 0, RO }, { 4, 6, 0, RW } });
EXISTING(gap, .before = { { 0, 1, 0, RO }, { 2, 4, 0, RW }, { 5, 6, 0, RO } },
	 .after = { { 0, 1, 0, RO }, { 2, 4, 0, RO }, { 5, 6, 0, RO } });
/* linear, but not side by side */
EXISTING(linear_gap,
	 .before = { { 0, 1, 1, RO }, { 2, 4, 0, RW }, { 5, 6, -1, RO } },
	 .after = { { 0, 1, 1, RO }, { 2, 4, 0, RO }, { 5, 6, -1, RO } });
EXISTING(other_flags,
	 .before = { { 0, 2, 0, RO | VM_LOCKED }, { 2, 4, 0, RW } },
	 .after = { { 0, 2, 0, RO | VM_LOCKED }, { 2, 4, 0, RO } });
EXISTING(other_pgoff,
	 .before = { { 0, 2, 1, RO }, { 2, 4, 0, RW }, { 4, 6, 1, RO } },
	 .after = { { 0, 2, 1, RO }, { 2, 4, 0, RO }, { 4, 6, 1, RO } });
/* linear on one side only: case 7, and next stays */
EXISTING(one_pgoff,
	 .before = { { 0, 2, 3, RO }, { 2, 4, 3, RW }, { 4, 6, 0, RO } },
	 .after = { { 0, 4, 3, RO }, { 4, 6, 0, RO } });
EXISTING(same, .before = { { 0, 2, 0, RO }, { 2, 4, 0, RO } },
	 .after = { { 0, 2, 0, RO }, { 2, 4, 0, RO } });

CALLS(existing, "vma_merge/existing range",
      CALL("case 4", case4), CALL("case 5", case5), CALL("case 6", case6),
      CALL("case 7", case7), CALL("case 8", case8),
      CALL("a part of a VMA", middle), CALL_ONLY("gaps", gap),
      CALL_ONLY("gaps, linear", linear_gap),
      CALL_ONLY("other flags", other_flags),
      CALL_ONLY("other page numbers", other_pgoff),
      CALL("other page numbers on one side", one_pgoff),
      CALL_ONLY("nothing to change", same));

/* --- who owns the pages must be the same -------------------------------------- */

static void never(struct vm_area_struct *vma)
{
	heddle_assert(!vma); /* a VMA with a close() was merged away */
}

static const struct vm_operations_struct ops, closing = { .close = never };
static int key; /* stands for a userfaultfd context */

static void write_lock_all(void)
{
	u32 i;

	mmap_write_lock(mm);
	for (i = 0; i < mm->mm_mt.root->nslots; i++)
		vma_start_write(mm->mm_mt.root->slot[i].vma);
}

static void prev_has_file(void)
{
	struct file *file = mm_new_file();

	write_lock_all();
	at(0)->vm_file = file;
	get_file(file);
	vma_link_file(at(0));
	mmap_write_unlock(mm);
}

static void prev_has_ops(void)
{
	write_lock_all();
	at(0)->vm_ops = &ops;
	mmap_write_unlock(mm);
}

static void prev_has_policy(void)
{
	write_lock_all();
	at(0)->vm_policy = heddle_alloc(struct mempolicy);
	mmap_write_unlock(mm);
}

static void prev_has_ctx(void)
{
	write_lock_all();
	at(0)->vm_userfaultfd_ctx.ctx = (struct userfaultfd_ctx *)&key;
	mmap_write_unlock(mm);
}

static void set_ops(const struct vm_operations_struct *all)
{
	u32 i;

	write_lock_all();
	for (i = 0; i < mm->mm_mt.root->nslots; i++)
		mm->mm_mt.root->slot[i].vma->vm_ops = all;
	mmap_write_unlock(mm);
}

static void all_close(void)
{
	set_ops(&closing);
}

/* All map one file: whoever goes leaves its i_mmap and puts it (check_links.c). */
static void all_of_a_file(void)
{
	struct file *file = mm_new_file();
	struct vm_area_struct *vma;
	u32 i;

	set_ops(&ops);
	write_lock_all();
	for (i = 0; i < mm->mm_mt.root->nslots; i++) {
		vma = mm->mm_mt.root->slot[i].vma;
		vma->vm_file = file;
		get_file(file);
		vma_link_file(vma);
	}
	mmap_write_unlock(mm);
}

#define OWNER(id, what)                                                \
	static const struct call id = {                                \
		.form = { V10, .parts = MM_FILE }, .make = protect,    \
		.before = { { 0, 2, 0, RO }, { 2, 4, 0, RW } },        \
		.after = { { 0, 2, 0, RO }, { 2, 4, 0, RO } },         \
		.prepare = what,                                       \
	}
OWNER(file, prev_has_file);
OWNER(vm_ops, prev_has_ops);
OWNER(policy, prev_has_policy);
OWNER(ctx, prev_has_ctx);
OWNER(close7, all_close);
/* nobody goes: only a bound moves */
#define ALL_OWN(id, what, ...)                                         \
	static const struct call id = {                                \
		.form = { V10, .parts = MM_FILE }, .make = protect,    \
		.prepare = what, __VA_ARGS__                           \
	}
#define CLOSING(id, ...) ALL_OWN(id, all_close, __VA_ARGS__)
#define OF_A_FILE(id, ...) ALL_OWN(id, all_of_a_file, __VA_ARGS__)
CLOSING(close4, .before = { { 0, 4, 0, RW }, { 4, 6, 0, RO } },
	.after = { { 0, 2, 0, RW }, { 2, 6, 0, RO } });
CLOSING(close5, .before = { { 0, 2, 0, RO }, { 2, 6, 0, RW } },
	.after = { { 0, 4, 0, RO }, { 4, 6, 0, RW } });
CLOSING(close8, .before = { { 2, 4, 0, RW }, { 4, 6, 0, RO } },
	.after = { { 2, 4, 0, RO }, { 4, 6, 0, RO } });
OF_A_FILE(file4, .before = { { 0, 4, 0, RW }, { 4, 6, 0, RO } },
	  .after = { { 0, 2, 0, RW }, { 2, 6, 0, RO } });
OF_A_FILE(file6,
	  .before = { { 0, 2, 0, RO }, { 2, 4, 0, RW }, { 4, 6, 0, RO } },
	  .after = { { 0, 6, 0, RO } });
OF_A_FILE(file7, .before = { { 0, 2, 0, RO }, { 2, 4, 0, RW } },
	  .after = { { 0, 4, 0, RO } });

CALLS(owner, "vma_merge/owners",
      CALL_ONLY("file", file), CALL_ONLY("vm_ops", vm_ops),
      CALL_ONLY("policy", policy), CALL_ONLY("userfaultfd", ctx),
      CALL("one file, case 4", file4), CALL("one file, case 6", file6),
      CALL("one file, case 7", file7), CALL("close, case 4", close4), CALL("close, case 5", close5),
      CALL_ONLY("close, case 7", close7), CALL_ONLY("close, case 8", close8));

/* --- cases 1 to 3: [2, 4) is free and about to be mapped ----------------------- */

static struct vm_area_struct *merged;

static int map_between(void)
{
	struct vm_area_struct proto = {
		.vm_mm = mm, .vm_start = PAGE(2), .vm_end = PAGE(4),
		.vm_pgoff = 2, .vm_flags = RW,
	};
	int err;

	mmap_write_lock(mm);
	if (mm_has(MM_FILE)) {
		proto.vm_ops = at(0)->vm_ops;
		proto.vm_file = at(0)->vm_file;
	}
	merged = vma_merge_new_range(&proto, NULL, &err);
	heddle_assert(!(merged && err));
	heddle_assert(!merged || merged == at(2));
	mmap_write_unlock(mm);
	return err;
}

#define NEW(id, ...)                                                   \
	static const struct call id = { .make = map_between, __VA_ARGS__ }
NEW(case1, .form = { V10 }, .before = { { 0, 2, 0, RW }, { 4, 6, 0, RW } },
    .after = { { 0, 6, 0, RW } });
NEW(case2, .form = { V10 }, .before = { { 0, 2, 0, RW }, { 4, 6, 0, RO } },
    .after = { { 0, 4, 0, RW }, { 4, 6, 0, RO } });
NEW(case3, .form = { V10 }, .before = { { 0, 2, 0, RO }, { 4, 6, 0, RW } },
    .after = { { 0, 2, 0, RO }, { 2, 6, 0, RW } });
NEW(case3_pgoff, .form = { V10 },
    .before = { { 0, 2, 7, RW }, { 4, 6, 0, RW } },
    .after = { { 0, 2, 7, RW }, { 2, 6, 0, RW } });
NEW(none, .form = { V10 }, .before = { { 0, 1, 0, RW }, { 4, 6, 1, RW } },
    .after = { { 0, 1, 0, RW }, { 4, 6, 1, RW } });
NEW(linear, .form = { V10 }, .before = { { 0, 1, 1, RW }, { 5, 6, -1, RW } },
    .after = { { 0, 1, 1, RW }, { 5, 6, -1, RW } });
NEW(file1, .form = { V10, .parts = MM_FILE }, .prepare = all_of_a_file,
    .before = { { 0, 2, 0, RW }, { 4, 6, 0, RW } },
    .after = { { 0, 6, 0, RW } });
NEW(close1, .form = { V10, .parts = MM_FILE }, .prepare = all_close,
    .before = { { 0, 2, 0, RW }, { 4, 6, 0, RW } },
    .after = { { 0, 4, 0, RW }, { 4, 6, 0, RW } });

CALLS(new_range, "vma_merge/new range",
      CALL("case 1", case1), CALL("case 2", case2), CALL("case 3", case3),
      CALL("other page numbers", case3_pgoff), CALL_ONLY("nothing fits", none),
      CALL_ONLY("linear, but apart", linear), CALL("one file, case 1", file1),
      CALL("close, case 1", close1));

/* --- reverse maps --------------------------------------------------------------- */

static void prepare_anon(u32 page)
{
	mmap_read_lock(mm);
	heddle_assert(!anon_vma_prepare(at(page)));
	mmap_read_unlock(mm);
}

static struct anon_vma *own;

/* Whoever goes had pages: its anon_vma must live on in the one that stays. */
static void next_faulted(void)
{
	prepare_anon(4);
	own = at(4)->anon_vma;
}

static void vma_faulted(void)
{
	prepare_anon(2);
	own = at(2)->anon_vma;
}

/* Two that each have one, made while they were no neighbours. */
static void both_faulted(void)
{
	struct mm_struct *other = mm_alloc();
	struct vm_area_struct *vma = mm_add_vma(other, PAGE(0), PAGE(2));

	prepare_anon(0);
	mmap_read_lock(other);
	heddle_assert(!anon_vma_prepare(vma));
	mmap_read_unlock(other);
	write_lock_all();
	at(4)->anon_vma = vma->anon_vma;
	heddle_assert(!anon_vma_clone(at(4), vma));
	mmap_write_unlock(mm);
	mmap_write_lock(other);
	vma_start_write(vma);
	unlink_anon_vmas(vma);
	mmap_write_unlock(other);
	own = at(0)->anon_vma;
}

static int protect_keeps_anon(void)
{
	int err = protect();

	heddle_assert(err || at(2)->anon_vma == own);
	return err;
}

static int map_keeps_anon(void)
{
	int err = map_between();

	heddle_assert(err || at(2)->anon_vma == own);
	return err;
}

#define ANON(id, ...)                                                  \
	static const struct call id = { .form = { V10, .parts = MM_ANON }, \
					__VA_ARGS__ }
#define SIX .before = { { 0, 2, 0, RO }, { 2, 4, 0, RW }, { 4, 6, 0, RO } }, \
	    .after = { { 0, 6, 0, RO } }, .make = protect_keeps_anon
ANON(anon6_vma, SIX, .prepare = vma_faulted);
ANON(anon6_next, SIX, .prepare = next_faulted);
ANON(anon7, .before = { { 0, 2, 0, RO }, { 2, 4, 0, RW } },
     .after = { { 0, 4, 0, RO } }, .make = protect_keeps_anon,
     .prepare = vma_faulted);
ANON(anon8, .before = { { 2, 4, 0, RW }, { 4, 6, 0, RO } },
     .after = { { 2, 6, 0, RO } }, .make = protect_keeps_anon,
     .prepare = vma_faulted);
ANON(anon4, .before = { { 0, 4, 0, RW }, { 4, 6, 0, RO } },
     .after = { { 0, 2, 0, RW }, { 2, 6, 0, RO } },
     .make = protect_keeps_anon, .prepare = vma_faulted);
ANON(anon5, .before = { { 0, 2, 0, RO }, { 2, 6, 0, RW } },
     .after = { { 0, 4, 0, RO }, { 4, 6, 0, RW } },
     .make = protect_keeps_anon, .prepare = vma_faulted);
/* prev and next are strangers: only one of them fits */
ANON(anon6_strangers,
     .before = { { 0, 2, 0, RO }, { 2, 4, 0, RW }, { 4, 6, 0, RO } },
     .after = { { 0, 4, 0, RO }, { 4, 6, 0, RO } },
     .make = protect_keeps_anon, .prepare = both_faulted);
/* they were one, so they have the same */
static int protect_and_back(void)
{
	int err = protect();

	return err ? err : do_mprotect(mm, PAGE(2), PAGE(4), RW);
}
ANON(anon_back, .before = { { 0, 4, 0, RW } }, .after = { { 0, 4, 0, RW } },
     .make = protect_and_back, .prepare = vma_faulted);
ANON(anon1, .before = { { 0, 2, 0, RW }, { 4, 6, 0, RW } },
     .after = { { 0, 6, 0, RW } }, .make = map_keeps_anon,
     .prepare = next_faulted);
ANON(anon1_strangers, .before = { { 0, 2, 0, RW }, { 4, 6, 0, RW } },
     .after = { { 0, 4, 0, RW }, { 4, 6, 0, RW } }, .make = map_keeps_anon,
     .prepare = both_faulted);

CALLS(anon, "vma_merge/anon_vma",
      CALL("case 1", anon1), CALL("case 1, strangers", anon1_strangers),
      CALL("case 4", anon4), CALL("case 5", anon5),
      CALL("case 6, vma's", anon6_vma), CALL("case 6, next's", anon6_next),
      CALL("case 6, strangers", anon6_strangers), CALL("case 7", anon7),
      CALL("case 8", anon8), CALL_ONLY("split and merged again", anon_back));

/* --- readers ----------------------------------------------------------------------- */

/* Whoever changes must be write-locked; orders that lock less are broken. */
static const struct call merge_6_6 = {
	.form = { GEN1 }, .make = protect,
	.before = { { 0, 2, 0, RO }, { 2, 6, 0, RW } },
};
static const struct call merge_6_2 = {
	.form = { GEN1, .modify = MM_MODIFY_6_2 }, .make = protect,
	.before = { { 0, 2, 0, RO }, { 2, 6, 0, RW } },
};

/* orders in which nobody but vma_prepare() locks, and its caller */
#define ORDER(id, which, ...)                                          \
	static const struct call id = {                                \
		.form = { GEN1, .modify = which }, .make = protect,    \
		.before = { __VA_ARGS__ },                             \
	}
#define THREE { 0, 2, 0, RO }, { 2, 4, 0, RW }, { 4, 6, 0, RO }
ORDER(merge_6_4, MM_MODIFY_6_4, { 0, 2, 0, RO }, { 2, 6, 0, RW });
ORDER(merge_v3, MM_MODIFY_V3, { 0, 2, 0, RO }, { 2, 6, 0, RW });
ORDER(next_goes_6_4, MM_MODIFY_6_4, THREE);
ORDER(next_goes_v3, MM_MODIFY_V3, THREE);
ORDER(next_goes_6_6, MM_MODIFY_6_6, THREE);

static void reader(void *arg)
{
	struct vm_area_struct *vma = lock_vma_under_rcu(mm, PAGE(4));
	unsigned long start;

	(void)arg;
	if (!vma)
		return;
	start = vma->vm_start;
	heddle_assert(vma->vm_pgoff == start >> PAGE_SHIFT);
	vma_end_read(vma);
}

static void merger(void *arg)
{
	(void)arg;
	heddle_assert(!the_call()->make());
}

#define reader_setup call_setup
TWIN_TASKS(reader, { "writer", merger }, { "reader", reader });
static const struct heddle_variant reader_variants[] = {
	{ .name = "write-locked", .data = &merge_6_6, .fail = TWIN_NONE },
	{ .name = "6.4", .data = &merge_6_4, .fail = TWIN_NONE },
	{ .name = "v3", .data = &merge_v3, .fail = TWIN_NONE },
	{ .name = "of next, which goes", .data = &next_goes_6_6,
	  .fail = TWIN_NONE },
	{ .name = "the same, 6.4", .data = &next_goes_6_4, .fail = TWIN_NONE },
	{ .name = "the same, v3", .data = &next_goes_v3, .fail = TWIN_NONE },
	{ .name = "not locked", .data = &merge_6_2, .fail = TWIN_NONE,
	  .expect = { SHOWS(UNLOCKED_WRITE), SHOWS(DATA_RACE),
		      SHOWS(ASSERT) } },
	{ .name = NULL },
};
TWIN(reader, "vma_merge/a reader of the VMA that gives way");

/* --- huge pages -------------------------------------------------------------------- */

/* A bound moves to where the group of pages [4, 8) is mapped as a whole: then it
 * is no longer (check_tree.c). */
static const struct call huge4, huge5;
static int cut_huge_page(void)
{
	heddle_assert(!do_user_addr_fault(mm, PAGE(4), FAULT_FLAG_USER));
	heddle_assert(mm->pmd[1] & _PAGE_PSE);
	return heddle_variant_data() == &huge5 ?
		       do_mprotect(mm, PAGE(4), PAGE(6), VM_READ) :
		       do_mprotect(mm, PAGE(6), PAGE(8), VM_READ);
}

#define HUGE(id, ...)                                                  \
	static const struct call id = {                                \
		.form = { V10, .parts = MM_THP }, .make = cut_huge_page, \
		__VA_ARGS__                                            \
	}
HUGE(huge4, .before = { { 4, 8, 0, RW }, { 8, 9, 0, RO } },
     .after = { { 4, 6, 0, RW }, { 6, 9, 0, RO } });
HUGE(huge5, .before = { { 3, 4, 0, RO }, { 4, 8, 0, RW } },
     .after = { { 3, 6, 0, RO }, { 6, 8, 0, RW } });
CALLS(huge, "vma_merge/a bound in a huge page", CALL("case 4", huge4),
      CALL("case 5", huge5));

/* Whoever splits the huge page has locked the VMAs: a fault puts none there. */
static int protect_4_to_6(void)
{
	return do_mprotect(mm, PAGE(4), PAGE(6), VM_READ);
}

static void huge_fault(void *arg)
{
	(void)arg;
	do_user_addr_fault(mm, PAGE(6), FAULT_FLAG_USER);
}

#define SPLITS(id, ...)                                                \
	static const struct call id = {                                \
		.form = { GEN1, .parts = MM_THP, __VA_ARGS__ },        \
		.make = protect_4_to_6,                                \
		.before = { { 3, 4, 0, RO }, { 4, 8, 0, RW } },        \
	}
SPLITS(splits_6_4, .modify = MM_MODIFY_6_4);
SPLITS(splits_v3, .modify = MM_MODIFY_V3);
SPLITS(splits_6_6, 0);
SPLITS(splits_guess, .modify = MM_MODIFY_GUESS);

#define late_setup call_setup
TWIN_TASKS(late, { "writer", merger }, { "fault", huge_fault });
static const struct heddle_variant late_variants[] = {
	{ .name = "6.4", .data = &splits_6_4, .fail = TWIN_NONE },
	{ .name = "v3", .data = &splits_v3, .fail = TWIN_NONE },
	{ .name = "6.6", .data = &splits_6_6, .fail = TWIN_NONE },
	{ .name = "split first, then locked", .data = &splits_guess,
	  .fail = TWIN_NONE, .expect = { SHOWS(HUGE_PMD) } },
	{ .name = NULL },
};
TWIN(late, "vma_merge/a fault on a huge page that is split");
