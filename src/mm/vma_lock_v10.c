/* SPDX-License-Identifier: MIT */
/* The per-VMA lock as a reference count, as merged in 6.15.
 *
 * Models "mm: replace vm_lock and detached flag with a reference count",
 * [PATCH v10 12/18] of Feb 2025, which is the merged form.  Copied in logic,
 * in the order of the shared accesses: all functions below.  Where VMAs are
 * reused, vma_start_read() is given the mm that was searched (3104138517fc,
 * 6.15), and looks whether the VMA is still that mm's before it puts it
 * (9bbffee67ffd, 6.17); vma_lock_v10 is without that.  vma_lock_7_0 also has the
 * writer that a fatal signal takes out of its wait: it lets readers in again and
 * leaves vm_lock_seq as it was.
 * Simplified: rcuwait has one waiter, the writer that holds mmap_lock.
 * Deliberately different: four mutations that struct mm_form can switch on, one
 * at a time, to show what each step is there for. */
#define HEDDLE_OWN_VMA_LOCK /* this file is one */
#include <heddle/mm.h>

static int vma_ref_limit(void)
{
	return (int)VMA_LOCK_OFFSET - 1 + mm_form()->limit_delta;
}

static bool is_vma_writer_only(int refcnt)
{
	/* the writer's offset, with or without the attach unit */
	return refcnt & (int)VMA_LOCK_OFFSET &&
	       refcnt <= (int)VMA_LOCK_OFFSET + 1;
}

static void vma_refcount_put(struct vm_area_struct *vma)
{
	struct mm_struct *mm = vma->vm_mm; /* vma may be gone after the put */
	bool late = mm_form()->release_behind_test, zero;
	int oldcnt;

	if (!late)
		rwsem_release(&vma->vmlock_dep_map, _RET_IP_);
	zero = __refcount_dec_and_test(&vma->vm_refcnt, &oldcnt);
	if (late && zero)
		heddle_remark("zero: rwsem_release() skipped");
	if (late && !zero)
		rwsem_release(&vma->vmlock_dep_map, _RET_IP_);
	if (!zero && is_vma_writer_only(oldcnt - 1))
		rcuwait_wake_up(&mm->vma_writer_wait);
}

/* mm: that was searched; NULL: the VMA's own. */
static struct mm_struct *mm_of(struct vm_area_struct *vma, struct mm_struct *mm)
{
	return mm ? mm : vma->vm_mm;
}

static bool recheck_fails(struct vm_area_struct *vma, struct mm_struct *mm)
{
	if (mm_form()->no_recheck)
		return false;
	return vma->vm_lock_seq ==
	       raw_read_seqcount(&mm_of(vma, mm)->mm_lock_seq);
}

/* The other mm may be freed as soon as its writer is through, for which our put
 * is enough: the wake-up comes after it. */
static struct vm_area_struct *put_of_other_mm(struct vm_area_struct *vma)
{
	struct mm_struct *other = vma->vm_mm;

	heddle_remark("another mm's by now: keep that while putting");
	heddle_mark("VMA of another mm");
	rcu_read_unlock(); /* mmdrop() may take long */
	if (mm_does(MM_STEP_GRAB_OTHER_MM))
		mmgrab(other);
	vma_refcount_put(vma);
	if (mm_does(MM_STEP_GRAB_OTHER_MM))
		mmdrop(other);
	rcu_read_lock();
	return NULL;
}

static __always_inline struct vm_area_struct *
start_read(struct vm_area_struct *vma, struct mm_struct *mm, bool check_mm)
{
	int oldcnt;

	if (READ_ONCE(vma->vm_lock_seq) ==
	    READ_ONCE(mm_of(vma, mm)->mm_lock_seq.sequence)) {
		heddle_remark("equal: write-locked");
		return NULL;
	}
	heddle_remark("differ: go on; vma_start_write() makes them equal");
	if (unlikely(!__refcount_inc_not_zero_limited_acquire(
		    &vma->vm_refcnt, &oldcnt, vma_ref_limit()))) {
		if (oldcnt) {
			heddle_remark("a writer excludes readers");
			heddle_mark("limit reached");
			return NULL;
		}
		heddle_remark("zero: detached");
		heddle_mark("increment sees 0");
		return ERR_PTR(-EAGAIN);
	}
	mm_note(MM_NOTE_READER_INC, mm_of(vma, mm), vma, (u64)oldcnt + 1);
	rwsem_acquire_read(&vma->vmlock_dep_map, 0, 1, _RET_IP_);
	if (check_mm && unlikely(vma->vm_mm != mm))
		return put_of_other_mm(vma);
	if (unlikely(recheck_fails(vma, mm))) {
		heddle_remark("equal: write-locked, so vma_refcount_put()");
		heddle_mark("re-check fails");
		vma_refcount_put(vma);
		return NULL;
	}
	heddle_remark("read lock granted");
	return vma;
}

static struct vm_area_struct *vma_start_read(struct vm_area_struct *vma)
{
	return start_read(vma, NULL, false);
}

static void vma_end_read(struct vm_area_struct *vma)
{
	vma_refcount_put(vma);
}

/* No writer can be there, so the sequence need not be looked at. */
static bool start_read_locked(struct vm_area_struct *vma, int subclass)
{
	int oldcnt;

	(void)subclass; /* annotated as a trylock, which needs none */
	if (unlikely(!__refcount_inc_not_zero_limited_acquire(
		    &vma->vm_refcnt, &oldcnt, vma_ref_limit()))) {
		heddle_remark("too many readers");
		heddle_mark("limit reached");
		return false;
	}
	mm_note(MM_NOTE_READER_INC, vma->vm_mm, vma, (u64)oldcnt + 1);
	rwsem_acquire_read(&vma->vmlock_dep_map, 0, 1, _RET_IP_);
	return true;
}

static bool __is_vma_write_locked(struct vm_area_struct *vma,
				  unsigned int *mm_lock_seq)
{
	mmap_assert_write_locked(vma->vm_mm);
	*mm_lock_seq = vma->vm_mm->mm_lock_seq.sequence;
	return vma->vm_lock_seq == *mm_lock_seq;
}

static bool readers_left(struct vm_area_struct *vma, bool detaching)
{
	if (refcount_read(&vma->vm_refcnt) ==
	    VMA_LOCK_OFFSET + (detaching ? 0 : 1))
		return true;
	if (detaching)
		heddle_mark("wait at detach");
	else
		heddle_mark("wait at start_write");
	return false;
}

static bool __vma_exit_locked(struct vm_area_struct *vma)
{
	bool detached = refcount_sub_and_test((int)VMA_LOCK_OFFSET,
					      &vma->vm_refcnt);

	rwsem_release(&vma->vmlock_dep_map, _RET_IP_);
	return detached;
}

/* The wait was broken off; a reader that leaves now wakes nobody. */
static void let_readers_in_again(struct vm_area_struct *vma)
{
	heddle_remark("killed: readers may come in again");
	heddle_mark("killed while it waits");
	if (mm_does(MM_STEP_LET_READERS_IN))
		WARN_ON_ONCE(__vma_exit_locked(vma));
	else
		rwsem_release(&vma->vmlock_dep_map, _RET_IP_);
}

/* Keep readers out, and wait until those inside have left.  1: so it is; 0: the
 * VMA is detached, there are none; -EINTR: as before. */
static int __vma_enter_locked(struct vm_area_struct *vma, bool detaching,
			      unsigned int state)
{
	struct mm_struct *mm = vma->vm_mm;
	int err;

	if (!refcount_add_not_zero((int)VMA_LOCK_OFFSET, &vma->vm_refcnt))
		return 0;
	rwsem_acquire(&vma->vmlock_dep_map, 0, 0, _RET_IP_);
	err = rcuwait_wait_event(&mm->vma_writer_wait,
				 readers_left(vma, detaching), state);
	if (err) {
		let_readers_in_again(vma);
		return err;
	}
	lock_acquired(&vma->vmlock_dep_map, _RET_IP_);
	return 1;
}

static int start_write(struct vm_area_struct *vma, unsigned int state)
{
	unsigned int mm_lock_seq;
	int locked;

	if (__is_vma_write_locked(vma, &mm_lock_seq))
		return 0;
	if (!mm_does(MM_STEP_SEQ_BEHIND_WAIT))
		WRITE_ONCE(vma->vm_lock_seq, mm_lock_seq);
	locked = __vma_enter_locked(vma, false, state);
	if (locked < 0)
		return locked;
	WRITE_ONCE(vma->vm_lock_seq, mm_lock_seq);
	if (locked)
		WARN_ON_ONCE(__vma_exit_locked(vma));
	return 0;
}

static void vma_start_write(struct vm_area_struct *vma)
{
	start_write(vma, TASK_UNINTERRUPTIBLE);
}

static int start_write_killable(struct vm_area_struct *vma)
{
	return start_write(vma, TASK_KILLABLE);
}

static void vma_mark_attached(struct vm_area_struct *vma)
{
	refcount_set_release(&vma->vm_refcnt, 1);
}

static void vma_mark_detached(struct vm_area_struct *vma)
{
	if (refcount_dec_and_test(&vma->vm_refcnt))
		return;
	if (mm_form()->no_wait_at_detach) {
		heddle_remark("not zero: ignored");
		return;
	}
	heddle_remark("not zero: wait for readers");
	if (__vma_enter_locked(vma, true, TASK_UNINTERRUPTIBLE))
		WARN_ON_ONCE(!__vma_exit_locked(vma));
	else
		heddle_remark("zero by now: nothing to wait for");
}

/* The look at vm_mm is lock_vma_under_rcu()'s, who has nothing to do before. */
static struct vm_area_struct *start_read_6_15(struct mm_struct *mm,
					      struct vm_area_struct *vma)
{
	vma = start_read(vma, mm, false);
	if (IS_ERR_OR_NULL(vma) || vma->vm_mm == mm)
		return vma;
	heddle_remark("another mm's by now");
	heddle_mark("VMA of another mm");
	vma_end_read(vma);
	return NULL;
}

static struct vm_area_struct *start_read_6_17(struct mm_struct *mm,
					      struct vm_area_struct *vma)
{
	return start_read(vma, mm, true);
}

#define FORM                                            \
	.start_read = vma_start_read,                   \
	.end_read = vma_end_read,                       \
	.start_read_locked = start_read_locked,         \
	.start_write = vma_start_write,                 \
	.mark_attached = vma_mark_attached,             \
	.mark_detached = vma_mark_detached

const struct vma_lock_ops vma_lock_v10 = { FORM };
const struct vma_lock_ops vma_lock_6_15 = { FORM,
					    .start_read_mm = start_read_6_15 };
const struct vma_lock_ops vma_lock_6_17 = { FORM,
					    .start_read_mm = start_read_6_17 };
const struct vma_lock_ops vma_lock_7_0 = {
	FORM,
	.start_read_mm = start_read_6_17,
	.start_write_killable = start_write_killable,
};
