/* SPDX-License-Identifier: MIT */
/* Is the next VMA found without mmap_lock, and said so if it is not to be had?
 *
 * Covers maps.c.  (What it sees of a writer: vma_lock_test.c, maps_vs_split.) */
#include <heddle/errno.h>
#include <heddle/mm.h>

#include "twins.h"

struct test {
	struct mm_form form;
	bool broken;
};

#define V6_17 .lock = &vma_lock_6_17, .lock_offset = 0x40000000
static const struct test v6_17 = { .form = { V6_17 } };
static const struct test broken_task = { .form = { V6_17 }, .broken = true };
/* room for two readers */
#define NARROW .lock = &vma_lock_6_17, .lock_offset = 4
static const struct test narrow = { .form = { NARROW } };
static const struct test narrow_broken = { .form = { NARROW }, .broken = true };

static bool broken(void)
{
	return ((const struct test *)heddle_variant_data())->broken;
}

static struct vm_area_struct *a, *b;

static void two_vmas(void)
{
	mm = mm_alloc();
	a = mm_add_vma(mm, PAGE(2), PAGE(3));
	b = mm_add_vma(mm, PAGE(4), PAGE(5));
}

static struct vm_area_struct *next(unsigned long addr)
{
	struct vm_area_struct *vma;

	rcu_read_lock();
	vma = lock_next_vma(mm, addr);
	rcu_read_unlock();
	if (!IS_ERR_OR_NULL(vma))
		heddle_assert(refcount_read(&vma->vm_refcnt) > 1);
	return vma;
}

static void put(struct vm_area_struct *vma)
{
	if (!IS_ERR_OR_NULL(vma))
		vma_end_read(vma);
}

/* --- alone ------------------------------------------------------------------- */

static void expect_next(unsigned long addr, const struct vm_area_struct *want)
{
	struct vm_area_struct *vma = next(addr);

	heddle_assert(vma == want);
	put(vma);
}

static void ask_all(void *arg)
{
	(void)arg;
	expect_next(0, a);
	expect_next(PAGE(2), a);
	expect_next(PAGE(3) - 1, a);
	expect_next(PAGE(3), broken() ? a : b);
	expect_next(PAGE(4), b);
	expect_next(PAGE(5), NULL);
}

static const char *const alone_goals[] = { "next VMA without mmap_lock", NULL };
#define alone_setup two_vmas
TWIN_TASKS(alone, { "task", ask_all });
FORMS(alone, v6_17, broken_task, SHOWS(ASSERT));
TWIN(alone, "maps/each address", .goals = alone_goals);

/* --- not to be had ------------------------------------------------------------- */

static void hold_a(void *arg)
{
	(void)arg;
	mmap_write_lock(mm);
	vma_start_write(a);
	mmap_write_unlock(mm);
}

static void may_be_killed(void *arg)
{
	struct vm_area_struct *vma = next(0);

	(void)arg;
	if (IS_ERR(vma)) {
		heddle_assert(PTR_ERR(vma) == (broken() ? -EAGAIN : -EINTR));
		heddle_mark("killed");
		return;
	}
	heddle_assert(vma == a);
	put(vma);
}

static const char *const killed_goals[] = {
	"next VMA under mmap_lock", "next VMA without mmap_lock", "killed", NULL
};
#define killed_setup two_vmas
TWIN_TASKS(killed, { "writer", hold_a }, { "maps", may_be_killed });
FORMS(killed, v6_17, broken_task, SHOWS(ASSERT));
TWIN(killed, "maps/killed while it waits", .goals = killed_goals);

static void crowd(void *arg)
{
	struct vm_area_struct *one = next(0), *two = next(0), *three = next(0);

	(void)arg;
	heddle_assert(one == a && two == a);
	heddle_assert(three == ERR_PTR(broken() ? -EINTR : -EAGAIN));
	put(two);
	put(one);
	heddle_assert(refcount_read(&a->vm_refcnt) == 1);
}

static const struct heddle_variant crowd_variants[] = {
	{ .name = "safe", .data = &narrow, .signals = TWIN_NONE },
	{ .name = "broken", .data = &narrow_broken, .signals = TWIN_NONE,
	  .expect = { SHOWS(ASSERT) } },
	{ .name = NULL },
};
#define crowd_setup two_vmas
TWIN_TASKS(crowd, { "task", crowd });
TWIN(crowd, "maps/too many readers");

/* The last one goes while it is looked for. */
static void unmap_b(void *arg)
{
	(void)arg;
	do_munmap(mm, PAGE(4), PAGE(5));
}

static void look_for_b(void *arg)
{
	struct vm_area_struct *vma = next(PAGE(3));

	(void)arg;
	heddle_assert(vma == b || (!vma && !broken()));
	if (!vma)
		heddle_mark("there is none");
	put(vma);
}

static const char *const last_goals[] = { "next VMA under mmap_lock",
					  "there is none", NULL };
static const struct heddle_variant last_variants[] = {
	{ .name = "safe", .data = &v6_17, .signals = TWIN_NONE },
	{ .name = "broken", .data = &broken_task, .signals = TWIN_NONE,
	  .expect = { SHOWS(ASSERT) } },
	{ .name = NULL },
};
#define last_setup two_vmas
TWIN_TASKS(last, { "munmap", unmap_b }, { "maps", look_for_b });
TWIN(last, "maps/the last one goes", .goals = last_goals);

/* --- a page that stays mapped is never jumped over ----------------------------- */

static struct vm_area_struct *whole;

static void one_vma(void)
{
	mm = mm_alloc();
	whole = mm_add_vma(mm, PAGE(2), PAGE(4));
}

static void split_whole(void *arg)
{
	int err;

	(void)arg;
	mmap_write_lock(mm);
	err = split_vma(whole, PAGE(3), true);
	mmap_write_unlock(mm);
	heddle_assert(!err);
}

static void look_from_2(void *arg)
{
	struct vm_area_struct *vma = next(PAGE(2));

	(void)arg;
	if (vma && vma->vm_end == PAGE(3))
		heddle_mark("the new one");
	heddle_assert(vma && vma->vm_start <= PAGE(2) && vma->vm_end > PAGE(2));
	put(vma);
}

static const char *const split_goals[] = { "the new one",
					   "next VMA under mmap_lock", NULL };
static const struct test no_verify = {
	.form = { V6_17, .without = MM_STEP_NEXT_VMA_VERIFIES }
};
#define QUIET .fail = TWIN_NONE, .signals = TWIN_NONE
static const struct heddle_variant split_variants[] = {
	{ .name = "safe", .data = &v6_17, QUIET },
	{ .name = "a gap is believed", .data = &no_verify, QUIET,
	  .expect = { SHOWS(ASSERT) } },
	{ .name = NULL },
};
#define split_setup one_vma
TWIN_TASKS(split, { "split", split_whole }, { "maps", look_from_2 });
TWIN(split, "maps/split meanwhile", .goals = split_goals);
