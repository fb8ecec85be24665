/* SPDX-License-Identifier: MIT */
/* How are all VMAs seen, one after the other, without mmap_lock?
 *
 * Follows lock_next_vma and lock_next_vma_under_mmap_lock (mm/mmap_lock.c, 6.17),
 * by which /proc/PID/maps is read.  Copied in logic: the sequence of mmap_lock is
 * taken down before the look-up; the VMA is read-locked; one that by now ends
 * before the address is none; one that begins behind it may hide another, so
 * that a look-up anew must find the same if there was a writer meanwhile; what
 * cannot be told is looked up under mmap_lock.  Simplified: no cached walk
 * state. */
#include <heddle/mm.h>

#include "mm.h"

/* Where a writer cannot be: what is found is what is there. */
static struct vm_area_struct *under_mmap_lock(struct mm_struct *mm,
					      unsigned long addr)
{
	struct vm_area_struct *vma;
	int err = mmap_read_lock_killable(mm);

	if (err)
		return ERR_PTR(err);
	heddle_mark("next VMA under mmap_lock");
	vma = find_vma(mm, addr);
	if (vma && !vma_start_read_locked(vma))
		vma = ERR_PTR(-EAGAIN); /* too many readers */
	mmap_read_unlock(mm);
	return vma;
}

/* NULL: there is none (*none), or not to be had. */
static struct vm_area_struct *find_and_lock(struct mm_struct *mm,
					    unsigned long addr, bool *none)
{
	struct vm_area_struct *vma;

	for (;;) {
		vma = find_vma(mm, addr);
		*none = !vma;
		if (!vma)
			return NULL;
		vma = vma_start_read_of(mm, vma);
		if (!IS_ERR(vma))
			break;
		cpu_relax(); /* detached: nothing changes before */
	}
	if (vma)
		mm_note(MM_NOTE_READ_LOCKED, mm, vma, 0);
	return vma;
}

/* vma is locked, so it stays as it is; but is it the one? */
static bool is_next(struct mm_struct *mm, struct vm_area_struct *vma,
		    unsigned long addr, bool began, unsigned int seq)
{
	if (mm_does(MM_STEP_NEXT_VMA_ENDS_BEHIND) && addr >= vma->vm_end) {
		heddle_remark("ends before the address by now");
		return false;
	}
	if (addr >= vma->vm_start || !mm_does(MM_STEP_NEXT_VMA_VERIFIES))
		return true;
	if (began && !mmap_lock_speculate_retry(mm, seq))
		return true;
	heddle_remark("a gap, and a writer was there: look again");
	return find_vma(mm, addr) == vma;
}

struct vm_area_struct *lock_next_vma(struct mm_struct *mm, unsigned long addr)
{
	struct vm_area_struct *vma;
	unsigned int seq;
	bool began, none;

	began = mmap_lock_speculate_try_begin(mm, &seq);
	vma = find_and_lock(mm, addr, &none);
	if (none)
		return NULL;
	if (!mm_does(MM_STEP_NEXT_VMA_SEQ_FIRST))
		began = mmap_lock_speculate_try_begin(mm, &seq);
	if (vma && is_next(mm, vma, addr, began, seq)) {
		heddle_mark("next VMA without mmap_lock");
		return vma;
	}
	rcu_read_unlock();
	if (vma)
		vma_end_read(vma);
	vma = under_mmap_lock(mm, addr);
	rcu_read_lock();
	return vma;
}
