/* SPDX-License-Identifier: MIT */
/* Which VMAs do calls of userfaultfd lock, and what is left if they cannot?
 *
 * Covers the VMA locks of userfaultfd.c. */
#include <heddle/errno.h>
#include <heddle/userfaultfd.h>

#include "twins.h"

struct test {
	struct mm_form form;
	bool broken;
};

static const struct test good = { .form = { V10, .parts = MM_ANON } };
static const struct test bad = { .form = { V10, .parts = MM_ANON },
				 .broken = true };
/* room for two readers */
#define NARROW .lock = &vma_lock_v10, .lock_offset = 4, .parts = MM_ANON
static const struct test narrow = { .form = { NARROW } };
static const struct test narrow_bad = { .form = { NARROW }, .broken = true };

static bool broken(void)
{
	return ((const struct test *)heddle_variant_data())->broken;
}

static struct userfaultfd_ctx *ctx;
static struct vm_area_struct *src, *dst;

/* Two pages without an anon_vma, and behind them one page with one. */
static void setup(void)
{
	mm = mm_alloc();
	ctx = userfaultfd_new(mm);
	dst = mm_add_vma(mm, PAGE(2), PAGE(4));
	userfaultfd_register(ctx, dst, VM_UFFD_MISSING);
	src = mm_add_vma(mm, PAGE(4), PAGE(5));
	uffd_add_page(src, PAGE(4));
}

/* A writer that waits has added its offset. */
static int readers(const struct vm_area_struct *vma)
{
	int count = refcount_read(&vma->vm_refcnt) - 1;

	return count % (int)VMA_LOCK_OFFSET;
}

/* --- one ----------------------------------------------------------------------- */

/* None beside it whose anon_vma it could share. */
static void alone(void)
{
	mm = mm_alloc();
	ctx = userfaultfd_new(mm);
	dst = mm_add_vma(mm, PAGE(2), PAGE(4));
	userfaultfd_register(ctx, dst, VM_UFFD_MISSING);
}

static void prepare(void *arg)
{
	struct vm_area_struct *vma;

	(void)arg;
	heddle_assert(dst->vm_flags & VM_UFFD_MISSING);
	mmap_read_lock(mm);
	vma = find_vma_and_prepare_anon(mm, PAGE(1));
	heddle_assert(vma == ERR_PTR(-ENOENT));
	vma = find_vma_and_prepare_anon(mm, PAGE(broken() ? 4 : 2));
	mmap_read_unlock(mm);
	if (IS_ERR(vma))
		heddle_mark("no memory");
	heddle_assert(vma == (dst->anon_vma ? dst : ERR_PTR(-ENOMEM)));
}

static const char *const no_memory[] = { "no memory", NULL };
#define prepared_setup alone
TWIN_TASKS(prepared, { "task", prepare });
static const struct heddle_variant prepared_variants[] = {
	{ .name = "safe", .data = &good, .goals = no_memory },
	{ .name = "broken", .data = &bad, .expect = { SHOWS(ASSERT) } },
	{ .name = NULL },
};
TWIN(prepared, "uffd/a VMA gets its anon_vma");

/* A shared one has none to get. */
static void lock_shared(void *arg)
{
	struct vm_area_struct *vma;

	(void)arg;
	mmap_write_lock(mm);
	vma_start_write(dst);
	dst->vm_flags |= broken() ? 0 : VM_SHARED;
	mmap_write_unlock(mm);
	vma = uffd_lock_vma(mm, PAGE(2));
	heddle_assert(vma == dst && !dst->anon_vma && readers(dst) == 1);
	vma_end_read(vma);
	mmap_read_lock(mm);
	vma = find_vma_and_prepare_anon(mm, PAGE(2));
	mmap_read_unlock(mm);
	heddle_assert(vma == dst && !dst->anon_vma);
}

#define shared_setup setup
TWIN_TASKS(shared, { "task", lock_shared });
static const struct heddle_variant shared_variants[] = {
	{ .name = "safe", .data = &good },
	{ .name = "broken", .data = &bad, .fail = TWIN_NONE,
	  .expect = { SHOWS(ASSERT) } },
	{ .name = NULL },
};
TWIN(shared, "uffd/a shared VMA");

/* A VMA that has one is locked while somebody changes another. */
static void lock_beside_writer(void *arg)
{
	struct vm_area_struct *vma;

	(void)arg;
	mmap_write_lock(mm);
	vma_start_write(dst);
	vma = uffd_lock_vma(mm, PAGE(broken() ? 2 : 4));
	heddle_assert(vma == src);
	vma_end_read(src);
	mmap_write_unlock(mm);
}

#define beside_setup setup
TWIN_TASKS(beside, { "task", lock_beside_writer });
FORMS(beside, good, bad, SHOWS(RECURSIVE), SHOWS(DEADLOCK));
TWIN(beside, "uffd/needs no mmap_lock");

static void fill_lock(unsigned long addr, unsigned long len, bool ok)
{
	struct vm_area_struct *vma = uffd_mfill_lock(mm, addr, len);

	heddle_assert(ok ? vma == dst && readers(dst) == 1 :
			   vma == ERR_PTR(-ENOENT));
	if (!IS_ERR(vma))
		uffd_mfill_unlock(vma);
	heddle_assert(!readers(dst) && !readers(src));
}

static void fill_locks(void *arg)
{
	(void)arg;
	fill_lock(PAGE(2), PAGE_SIZE, true);
	fill_lock(PAGE(2), 2 * PAGE_SIZE, !broken());
	fill_lock(PAGE(3), PAGE_SIZE, true);
	fill_lock(PAGE(3), 2 * PAGE_SIZE, false);
	fill_lock(PAGE(4), PAGE_SIZE, false); /* not registered */
	fill_lock(PAGE(5), PAGE_SIZE, false);
}

#define fill_setup setup
TWIN_TASKS(fill, { "task", fill_locks });
static const struct heddle_variant fill_variants[] = {
	{ .name = "safe", .data = &good, .fail = TWIN_NONE },
	{ .name = "broken", .data = &bad, .fail = TWIN_NONE,
	  .expect = { SHOWS(ASSERT) } },
	{ .name = NULL },
};
TWIN(fill, "uffd/the whole range is registered");

/* --- both ------------------------------------------------------------------------ */

static void expect_both(int (*lock)(struct mm_struct *, unsigned long,
				    unsigned long, struct vm_area_struct **,
				    struct vm_area_struct **),
			u32 at, u32 from, struct vm_area_struct *want_dst,
			struct vm_area_struct *want_src)
{
	struct vm_area_struct *d = NULL, *s = NULL;

	heddle_assert(!lock(mm, PAGE(at), PAGE(from), &d, &s));
	heddle_assert(d == want_dst && s == want_src);
	if (lock != uffd_move_lock)
		return;
	heddle_assert(readers(d) == 1 && readers(s) == 1);
	uffd_move_unlock(d, s);
	heddle_assert(!readers(d) && !readers(s));
}

static void lock_pairs(void *arg)
{
	(void)arg;
	expect_both(uffd_move_lock, 2, 4, dst, broken() ? dst : src);
	expect_both(uffd_move_lock, 4, 3, src, dst);
	expect_both(uffd_move_lock, 2, 3, dst, dst);
	mmap_read_lock(mm);
	expect_both(find_vmas_mm_locked, 2, 4, dst, src);
	expect_both(find_vmas_mm_locked, 4, 3, src, dst);
	expect_both(find_vmas_mm_locked, 3, 2, dst, dst);
	mmap_read_unlock(mm);
}

#define pairs_setup setup
TWIN_TASKS(pairs, { "task", lock_pairs });
static const struct heddle_variant pairs_variants[] = {
	{ .name = "safe", .data = &good, .fail = TWIN_NONE },
	{ .name = "broken", .data = &bad, .fail = TWIN_NONE,
	  .expect = { SHOWS(ASSERT) } },
	{ .name = NULL },
};
TWIN(pairs, "uffd/which two VMAs");

/* src looks locked, by a number that was left behind; so both are locked under
 * mmap_lock. */
static void stale_src(void)
{
	setup();
	mmap_read_lock(mm);
	heddle_assert(!anon_vma_prepare(dst));
	mmap_read_unlock(mm);
	src->vm_lock_seq = mm->mm_lock_seq.sequence;
}

static void lock_or_give_up(void *arg)
{
	struct vm_area_struct *d, *s;
	int err = uffd_move_lock(mm, PAGE(2), PAGE(4), &d, &s);

	(void)arg;
	if (err) {
		heddle_assert(err == -EAGAIN && !broken());
		heddle_mark("too many readers");
		return;
	}
	heddle_assert(d == dst && s == src && readers(d) && readers(s));
	heddle_mark("both locked");
	uffd_move_unlock(d, s);
}

/* No more than two readers at a time, of either. */
static void crowd(void *arg)
{
	struct vm_area_struct *vma = arg ? src : dst;
	int n = 0;

	mmap_read_lock(mm);
	while (n < 2 && vma_start_read_locked(vma))
		n++;
	mmap_read_unlock(mm);
	while (n--)
		vma_end_read(vma);
}

static void none_left_check(void)
{
	heddle_assert(dst->vm_refcnt.refs.counter == 1);
	heddle_assert(src->vm_refcnt.refs.counter == 1);
}

static const char *const crowd_goals[] = { "too many readers", "both locked",
					   NULL };
#define CROWDED(id)                                                    \
	static const struct heddle_variant id##_variants[] = {         \
		{ .name = "safe", .data = &narrow, .bound = 3,         \
		  .goals = crowd_goals },                              \
		{ .name = "broken", .data = &narrow_bad, .bound = 3,   \
		  .expect = { SHOWS(ASSERT) } },                       \
		{ .name = NULL },                                      \
	}
#define dst_crowd_setup stale_src
TWIN_TASKS(dst_crowd, { "move", lock_or_give_up }, { "readers", crowd });
CROWDED(dst_crowd);
TWIN(dst_crowd, "uffd/too many readers of dst", .check = none_left_check);

#define src_crowd_setup stale_src
TWIN_TASKS(src_crowd, { "move", lock_or_give_up },
	   { "readers", crowd, (void *)1 });
CROWDED(src_crowd);
TWIN(src_crowd, "uffd/too many readers of src", .check = none_left_check);

/* The same where one VMA alone is locked under mmap_lock. */
static void lock_one_or_give_up(void *arg)
{
	struct vm_area_struct *vma = uffd_lock_vma(mm, PAGE(2));

	(void)arg;
	if (IS_ERR(vma)) {
		heddle_assert(vma == ERR_PTR(-EAGAIN) && !broken());
		heddle_mark("too many readers");
		return;
	}
	heddle_assert(vma == dst && readers(dst));
	heddle_mark("both locked");
	vma_end_read(vma);
}

static void stale_dst(void)
{
	stale_src();
	dst->vm_lock_seq = mm->mm_lock_seq.sequence;
}

#define one_crowd_setup stale_dst
TWIN_TASKS(one_crowd, { "fill", lock_one_or_give_up }, { "readers", crowd });
CROWDED(one_crowd);
TWIN(one_crowd, "uffd/too many readers of one", .check = none_left_check);

/* Two VMAs when it looked first, and one when it has mmap_lock. */
static void two_that_merge(void)
{
	mm = mm_alloc();
	dst = mm_add_vma(mm, PAGE(2), PAGE(4));
	src = mm_add_vma_flags(mm, PAGE(4), PAGE(5), VM_READ);
	mmap_read_lock(mm);
	heddle_assert(!anon_vma_prepare(dst));
	mmap_read_unlock(mm);
	src->vm_lock_seq = mm->mm_lock_seq.sequence;
}

static void merge(void *arg)
{
	(void)arg;
	heddle_assert(!do_mprotect(mm, PAGE(4), PAGE(5), RW));
}

static void lock_merging(void *arg)
{
	struct vm_area_struct *d, *s;

	(void)arg;
	heddle_assert(!uffd_move_lock(mm, PAGE(2), PAGE(4), &d, &s));
	heddle_assert(readers(d) == 1 && readers(s) == 1);
	if (d == s)
		heddle_mark("are one by now");
	uffd_move_unlock(d, s);
}

static void one_left_check(void)
{
	heddle_assert(dst->vm_refcnt.refs.counter == 1);
}

static const char *const merge_goals[] = { "are one by now", NULL };
static const struct heddle_variant merging_variants[] = {
	{ .name = "safe", .data = &good, .fail = TWIN_NONE,
	  .signals = TWIN_NONE, .bound = 2,
	  .goals = merge_goals },
	{ .name = NULL },
};
#define merging_setup two_that_merge
TWIN_TASKS(merging, { "mprotect", merge }, { "move", lock_merging });
TWIN(merging, "uffd/two VMAs that merge", .check = one_left_check);
