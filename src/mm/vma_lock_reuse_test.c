/* SPDX-License-Identifier: MIT */
/* VMAs that are reused by another mm: safe and broken twins of what 6.15 and 6.17
 * added to the reference count in vma_lock_v10.c. */
#include <heddle/mm.h>

#include "../base/twin.h"

enum { A = 0x2000, B = 0x3000 };

#define FORM(name, ...) \
	static const struct mm_form name = { .lock_offset = 0x40000000, \
					     __VA_ARGS__ }
FORM(v6_15, .lock = &vma_lock_6_15);
FORM(v6_17, .lock = &vma_lock_6_17);
FORM(own_mm, .lock = &vma_lock_v10);

static struct mm_struct *mm, *other;
static struct vm_area_struct *vma;

/* Found in mm, other's by now. */
static void reused(void)
{
	mm = mm_alloc();
	other = mm_alloc();
	vma = mm_add_vma(other, A, B);
}

static void find_reused(void *arg)
{
	const struct vma_lock_ops *lock = mm_form()->lock;
	struct vm_area_struct *got;

	(void)arg;
	rcu_read_lock();
	got = lock->start_read_mm ? lock->start_read_mm(mm, vma) :
				    lock->start_read(vma);
	rcu_read_unlock();
	if (IS_ERR_OR_NULL(got))
		return;
	heddle_assert(got->vm_mm == mm);
	lock->end_read(got);
}

static void exit_other(void *arg)
{
	(void)arg;
	mmput(other);
}

static const char *const goals[] = { "VMA of another mm",
				     "wait at start_write", NULL };

/* The wake-up behind the put. */
static const struct heddle_variant wake_variants[] = {
	{ .name = "6.17", .data = &v6_17, .goals = goals },
	{ .name = "6.15", .data = &v6_15, .goals = goals,
	  .expect = { SHOWS(ASSERT_RACE), SHOWS(USE_AFTER_FREE) } },
	{ .name = NULL },
};
#define wake_setup reused
TWIN_TASKS(wake, { "exit", exit_other }, { "lookup", find_reused });
TWIN(wake, "vma_lock/the foreign mm outlives the put");

/* Alone: it must not keep what is not the mm's. */
static const struct heddle_variant foreign_variants[] = {
	{ .name = "6.17", .data = &v6_17 },
	{ .name = "6.15", .data = &v6_15 },
	{ .name = "own mm", .data = &own_mm, .expect = { SHOWS(ASSERT) } },
	{ .name = NULL },
};
static void balanced_check(void)
{
	heddle_assert(refcount_read(&vma->vm_refcnt) == 1);
	heddle_assert(atomic_read(&other->mm_count) == 1);
}
#define foreign_setup reused
TWIN_TASKS(foreign, { "lookup", find_reused });
TWIN(foreign, "vma_lock/a foreign VMA is put", .check = balanced_check);

/* One's own is locked; one that looks write-locked, by a number that was left
 * behind, is not, and one that is detached is to be looked up again. */
static void own(void)
{
	mm = other = mm_alloc();
	vma = mm_add_vma(mm, A, B);
}

static struct vm_area_struct *start(void)
{
	struct vm_area_struct *got;

	rcu_read_lock();
	got = mm_form()->lock->start_read_mm(mm, vma);
	rcu_read_unlock();
	return got;
}

static void lock_own(void *arg)
{
	(void)arg;
	heddle_assert(start() == vma && refcount_read(&vma->vm_refcnt) == 2);
	mm_form()->lock->end_read(vma);
	vma->vm_lock_seq = mm->mm_lock_seq.sequence;
	heddle_assert(!start());
	vma->vm_lock_seq = mm->mm_lock_seq.sequence - 1;
	mmap_write_lock(mm);
	vma_start_write(vma);
	vma_mark_detached(vma);
	mmap_write_unlock(mm);
	heddle_assert(start() == ERR_PTR(-EAGAIN));
	mmap_write_lock(mm);
	vma_start_write(vma);
	vma_mark_attached(vma);
	mmap_write_unlock(mm);
}

static const struct heddle_variant own_variants[] = {
	{ .name = "6.17", .data = &v6_17 },
	{ .name = "6.15", .data = &v6_15 },
	{ .name = NULL },
};
#define own_setup own
TWIN_TASKS(own, { "lookup", lock_own });
TWIN(own, "vma_lock/one's own VMA", .check = balanced_check);
