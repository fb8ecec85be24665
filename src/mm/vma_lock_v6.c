/* SPDX-License-Identifier: MIT */
/* The per-VMA lock as a reference count: v6 and v7 of the vm_refcnt series.
 *
 * Models "mm: replace vm_lock and detached flag with a reference count",
 * [PATCH v6 10/16] of 16 Dec 2024 (seed 004) and [PATCH v7 12/17] of 26 Dec
 * 2024.  Order of shared accesses per branch as in the patch: early check,
 * annotation, limited increment, second check; the release of the lockdep map
 * only where the put does not reach zero.
 * Three forms:
 *   v6           detach drops the attach unit and ignores the result
 *   v6-complete  the whole v6 series: besides, vm_area_free() waits for readers
 *   v7           detach waits for readers; the put is still the old one
 * Copied in logic: all functions below.  Simplified: rcuwait has one waiter,
 * the writer that holds mmap_lock.  Not modelled: reuse of a freed VMA. */
#define HEDDLE_OWN_VMA_LOCK /* this file is one */
#include <heddle/mm.h>

static void vma_refcount_put(struct vm_area_struct *vma)
{
	struct mm_struct *mm;
	int refcnt;

	if (__refcount_dec_and_test(&vma->vm_refcnt, &refcnt)) {
		heddle_remark("zero: rwsem_release() skipped");
		return;
	}
	rwsem_release(&vma->vmlock_dep_map, _RET_IP_);
	if (refcnt & (int)VMA_STATE_LOCKED) {
		mm = vma->vm_mm;
		rcuwait_wake_up(&mm->vma_writer_wait);
	}
}

static struct vm_area_struct *vma_start_read(struct vm_area_struct *vma)
{
	int oldcnt;

	if (READ_ONCE(vma->vm_lock_seq) ==
	    READ_ONCE(vma->vm_mm->mm_lock_seq.sequence)) {
		heddle_remark("equal: write-locked");
		return NULL;
	}
	heddle_remark("differ: go on; vma_start_write() makes them equal");
	rwsem_acquire_read(&vma->vmlock_dep_map, 0, 0, _RET_IP_);
	/* one count is left for a writer */
	if (unlikely(!__refcount_inc_not_zero_limited(
		    &vma->vm_refcnt, &oldcnt, (int)VMA_STATE_LOCKED - 2))) {
		if (oldcnt)
			heddle_mark("limit reached");
		else
			heddle_mark("increment sees 0");
		rwsem_release(&vma->vmlock_dep_map, _RET_IP_);
		return NULL;
	}
	lock_acquired(&vma->vmlock_dep_map, _RET_IP_);
	if (oldcnt & (int)VMA_STATE_LOCKED ||
	    vma->vm_lock_seq == raw_read_seqcount(&vma->vm_mm->mm_lock_seq)) {
		heddle_remark("equal: write-locked, so vma_refcount_put()");
		heddle_mark("re-check fails");
		vma_refcount_put(vma);
		return NULL;
	}
	heddle_remark("differ: read lock granted");
	return vma;
}

static void vma_end_read(struct vm_area_struct *vma)
{
	rcu_read_lock(); /* keeps vma alive through the put */
	vma_refcount_put(vma);
	rcu_read_unlock();
}

static bool __is_vma_write_locked(struct vm_area_struct *vma,
				  unsigned int *mm_lock_seq)
{
	mmap_assert_write_locked(vma->vm_mm);
	*mm_lock_seq = vma->vm_mm->mm_lock_seq.sequence;
	return vma->vm_lock_seq == *mm_lock_seq;
}

static bool readers_left(struct vm_area_struct *vma, bool attached)
{
	if ((u32)refcount_read(&vma->vm_refcnt) ==
	    VMA_STATE_LOCKED + (attached ? 2 : 1))
		return true;
	if (attached)
		heddle_mark("wait at start_write");
	else
		heddle_mark("wait at detach");
	return false;
}

/* Keep readers out, and wait until those inside have left.  attached: the
 * attach unit is still counted. */
static bool __vma_enter_locked(struct vm_area_struct *vma, bool attached)
{
	struct mm_struct *mm = vma->vm_mm;

	if (!refcount_inc_not_zero(&vma->vm_refcnt))
		return false;
	rwsem_acquire(&vma->vmlock_dep_map, 0, 0, _RET_IP_);
	refcount_add((int)VMA_STATE_LOCKED, &vma->vm_refcnt);
	rcuwait_wait_event(&mm->vma_writer_wait,
			   readers_left(vma, attached),
			   TASK_UNINTERRUPTIBLE);
	lock_acquired(&vma->vmlock_dep_map, _RET_IP_);
	return true;
}

static bool __vma_exit_locked(struct vm_area_struct *vma)
{
	bool detached = refcount_sub_and_test((int)VMA_STATE_LOCKED + 1,
					      &vma->vm_refcnt);

	rwsem_release(&vma->vmlock_dep_map, _RET_IP_);
	return detached;
}

static void vma_start_write(struct vm_area_struct *vma)
{
	unsigned int mm_lock_seq;
	bool locked;

	if (__is_vma_write_locked(vma, &mm_lock_seq))
		return;
	locked = __vma_enter_locked(vma, true);
	WRITE_ONCE(vma->vm_lock_seq, mm_lock_seq);
	if (locked)
		WARN_ON_ONCE(__vma_exit_locked(vma));
}

static void vma_mark_attached(struct vm_area_struct *vma)
{
	refcount_set(&vma->vm_refcnt, 1);
}

static void vma_mark_detached(struct vm_area_struct *vma)
{
	if (!refcount_dec_and_test(&vma->vm_refcnt))
		heddle_remark("not zero: ignored");
}

static void wait_for_readers(struct vm_area_struct *vma)
{
	if (!refcount_read(&vma->vm_refcnt))
		return;
	if (__vma_enter_locked(vma, false))
		WARN_ON_ONCE(!__vma_exit_locked(vma));
}

static void vma_mark_detached_v7(struct vm_area_struct *vma)
{
	if (refcount_dec_and_test(&vma->vm_refcnt))
		return;
	heddle_remark("not zero: wait for readers");
	if (__vma_enter_locked(vma, false))
		WARN_ON_ONCE(!__vma_exit_locked(vma));
	else
		heddle_remark("zero by now: nothing to wait for");
}

const struct vma_lock_ops vma_lock_v6 = {
	.start_read = vma_start_read,
	.end_read = vma_end_read,
	.start_write = vma_start_write,
	.mark_attached = vma_mark_attached,
	.mark_detached = vma_mark_detached,
};

const struct vma_lock_ops vma_lock_v6_complete = {
	.start_read = vma_start_read,
	.end_read = vma_end_read,
	.start_write = vma_start_write,
	.mark_attached = vma_mark_attached,
	.mark_detached = vma_mark_detached,
	.before_free = wait_for_readers,
};

const struct vma_lock_ops vma_lock_v7 = {
	.start_read = vma_start_read,
	.end_read = vma_end_read,
	.start_write = vma_start_write,
	.mark_attached = vma_mark_attached,
	.mark_detached = vma_mark_detached_v7,
};
