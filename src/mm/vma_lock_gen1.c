/* SPDX-License-Identifier: MIT */
/* The per-VMA lock as a semaphore: 6.4 to 6.13, and 6.14.
 *
 * Models vma_start_read, vma_end_read, vma_start_write and vma_mark_detached of
 * include/linux/mm.h, 6.4 to 6.14.  Copied in logic, in the order of the shared
 * accesses: the reader's first look at the sequence, the trylock, the second
 * look; the writer holds the semaphore only to wait for readers, and from then
 * on is known by its number; readers look at detached once they have the lock
 * (lock_vma_under_rcu).  gen1: the number grows when mmap_lock is unlocked or
 * downgraded; gen2 (6.14): also when it is locked, so that it is odd meanwhile.
 * The number's store and load are release and acquire (since 6.5-rc4).
 * Simplified: the number is a seqcount_t in both. */
#define HEDDLE_OWN_VMA_LOCK /* this file is one */
#include <heddle/mm.h>

static struct lock_class_key vm_lock_key;

static void vma_lock_init(struct vm_area_struct *vma)
{
	vma->vm_lock = kzalloc(sizeof(struct vma_lock),
			       GFP_KERNEL | __GFP_NOFAIL);
	heddle_keep(vma->vm_lock); /* lives as long as the VMA: check_leak.c */
	hd_init_rwsem(&vma->vm_lock->lock, "vm_lock", &vm_lock_key);
	vma->vm_lock_seq = (unsigned int)-1;
	vma->detached = true;
}

static struct vm_area_struct *vma_start_read(struct vm_area_struct *vma)
{
	if (READ_ONCE(vma->vm_lock_seq) ==
	    READ_ONCE(vma->vm_mm->mm_lock_seq.sequence)) {
		heddle_remark("equal: write-locked");
		return NULL;
	}
	if (unlikely(!down_read_trylock(&vma->vm_lock->lock))) {
		heddle_remark("a writer holds it or waits");
		return NULL;
	}
	if (unlikely(vma->vm_lock_seq ==
		     raw_read_seqcount(&vma->vm_mm->mm_lock_seq))) {
		heddle_remark("equal: write-locked meanwhile");
		heddle_mark("re-check fails");
		up_read(&vma->vm_lock->lock);
		return NULL;
	}
	return vma;
}

static void vma_end_read(struct vm_area_struct *vma)
{
	rcu_read_lock(); /* keeps vma alive till the end of up_read() */
	up_read(&vma->vm_lock->lock);
	rcu_read_unlock();
}

static bool start_read_locked(struct vm_area_struct *vma, int subclass)
{
	down_read_nested(&vma->vm_lock->lock, subclass);
	return true;
}

static bool __is_vma_write_locked(struct vm_area_struct *vma,
				  unsigned int *mm_lock_seq)
{
	mmap_assert_write_locked(vma->vm_mm);
	*mm_lock_seq = vma->vm_mm->mm_lock_seq.sequence;
	return vma->vm_lock_seq == *mm_lock_seq;
}

static void vma_start_write(struct vm_area_struct *vma)
{
	unsigned int mm_lock_seq;

	if (__is_vma_write_locked(vma, &mm_lock_seq))
		return;
	down_write(&vma->vm_lock->lock);
	/* looked at without the semaphore by vma_start_read() */
	WRITE_ONCE(vma->vm_lock_seq, mm_lock_seq);
	up_write(&vma->vm_lock->lock);
}

static void vma_mark_attached(struct vm_area_struct *vma)
{
	vma->detached = false;
}

static void vma_mark_detached(struct vm_area_struct *vma)
{
	vma->detached = true;
}

#define FORM                                            \
	.init = vma_lock_init,                          \
	.start_read = vma_start_read,                   \
	.end_read = vma_end_read,                       \
	.start_read_locked = start_read_locked,         \
	.start_write = vma_start_write,                 \
	.mark_attached = vma_mark_attached,             \
	.mark_detached = vma_mark_detached,             \
	.detached_flag = true

const struct vma_lock_ops vma_lock_gen1 = { FORM, .seq_at_unlock = true };
const struct vma_lock_ops vma_lock_gen2 = { FORM };
