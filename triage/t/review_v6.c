/* SPDX-License-Identifier: MIT */
/* review_v6: one page fault against one munmap, on the VMA lock of
 * [PATCH v6 10/16] "mm: replace vm_lock and detached flag with a reference
 * count", as a reviewer would paste it into the frame of `heddle new`.
 *
 * Question: lookup under RCU races with the detach; is every read lock that is
 * taken given back, and is none granted on a VMA that is gone?
 *
 * heddle_cc.t builds this file outside the tree.  In our own words; order of
 * shared accesses per branch as in the patch. */
#define HEDDLE_OWN_VMA_LOCK
#include <heddle/mm.h>

/* --- the patch's functions ---------------------------------------------- */

#define VMA_REF_LIMIT ((int)VMA_STATE_LOCKED - 2)

static inline void vma_refcount_put(struct vm_area_struct *vma)
{
	int refcnt;

	if (!__refcount_dec_and_test(&vma->vm_refcnt, &refcnt)) {
		rwsem_release(&vma->vmlock_dep_map, _RET_IP_);

		if (refcnt & VMA_STATE_LOCKED)
			rcuwait_wake_up(&vma->vm_mm->vma_writer_wait);
	}
}

static inline bool vma_start_read(struct vm_area_struct *vma)
{
	int oldcnt;

	if (READ_ONCE(vma->vm_lock_seq) ==
	    READ_ONCE(vma->vm_mm->mm_lock_seq.sequence))
		return false;

	rwsem_acquire_read(&vma->vmlock_dep_map, 0, 0, _RET_IP_);
	if (unlikely(!__refcount_inc_not_zero_limited(&vma->vm_refcnt, &oldcnt,
						      VMA_REF_LIMIT))) {
		rwsem_release(&vma->vmlock_dep_map, _RET_IP_);
		return false;
	}
	lock_acquired(&vma->vmlock_dep_map, _RET_IP_);

	if (unlikely(oldcnt & VMA_STATE_LOCKED ||
		     vma->vm_lock_seq ==
			     raw_read_seqcount(&vma->vm_mm->mm_lock_seq))) {
		vma_refcount_put(vma);
		return false;
	}
	return true;
}

static inline void vma_end_read(struct vm_area_struct *vma)
{
	rcu_read_lock();
	vma_refcount_put(vma);
	rcu_read_unlock();
}

static void vma_start_write(struct vm_area_struct *vma)
{
	unsigned int mm_lock_seq = vma->vm_mm->mm_lock_seq.sequence;
	bool locked;

	mmap_assert_write_locked(vma->vm_mm);
	if (vma->vm_lock_seq == mm_lock_seq)
		return;
	locked = refcount_inc_not_zero(&vma->vm_refcnt);
	if (locked) {
		rwsem_acquire(&vma->vmlock_dep_map, 0, 0, _RET_IP_);
		refcount_add((int)VMA_STATE_LOCKED, &vma->vm_refcnt);
		rcuwait_wait_event(&vma->vm_mm->vma_writer_wait,
				   refcount_read(&vma->vm_refcnt) ==
					   VMA_STATE_LOCKED + 2,
				   TASK_UNINTERRUPTIBLE);
		lock_acquired(&vma->vmlock_dep_map, _RET_IP_);
	}
	WRITE_ONCE(vma->vm_lock_seq, mm_lock_seq);
	if (locked) {
		WARN_ON_ONCE(refcount_sub_and_test((int)VMA_STATE_LOCKED + 1,
						   &vma->vm_refcnt));
		rwsem_release(&vma->vmlock_dep_map, _RET_IP_);
	}
}

static inline void vma_mark_attached(struct vm_area_struct *vma)
{
	refcount_set(&vma->vm_refcnt, 1);
}

static inline void vma_mark_detached(struct vm_area_struct *vma)
{
	/* a reader that is still inside drops the last count */
	if (!refcount_dec_and_test(&vma->vm_refcnt))
		heddle_remark("not zero: ignored");
}

/* --- the world around them ---------------------------------------------- */

static struct vm_area_struct *start_read(struct vm_area_struct *vma)
{
	return vma_start_read(vma) ? vma : NULL;
}

static const struct vma_lock_ops ops = {
	.start_read = start_read,
	.end_read = vma_end_read,
	.start_write = vma_start_write,
	.mark_attached = vma_mark_attached,
	.mark_detached = vma_mark_detached,
};

static const struct mm_form form = {
	.lock = &ops,
	.lock_offset = 0x40000000,
	.free_by_rcu = true,
};

static struct mm_struct *mm;

static void setup(void)
{
	mm = mm_alloc();
	mm_add_vma(mm, 0x2000, 0x3000);
	pte_alloc(mm, 0x2000);
}

static void munmap_task(void *arg)
{
	do_munmap(mm, 0x2000, 0x3000);
	return_to_user();
}

static void fault_task(void *arg)
{
	do_user_addr_fault(mm, 0x2000, FAULT_FLAG_USER);
}

static const struct heddle_task tasks[] = {
	{ .name = "munmap", .fn = munmap_task },
	{ .name = "fault", .fn = fault_task },
	{ 0 },
};

static const struct heddle_variant variants[] = {
	{ .name = "posted", .title = "v6 10/16 as posted", .data = &form },
	{ 0 },
};

static const char *const goals[] = { "read lock granted", NULL };

HEDDLE_SCENARIO(review_v6) = {
	.name = "review_v6",
	.title = "a page fault against munmap",
	.source = "[PATCH v6 10/16] mm: replace vm_lock and detached flag "
		  "with a reference count",
	.not_modelled = "irq, slab reuse",
	.variants = variants,
	.tasks = tasks,
	.setup = setup,
	.goals = goals,
};
