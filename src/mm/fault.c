/* SPDX-License-Identifier: MIT */
/* A page fault, from the lookup under RCU to the return to user space.
 *
 * Follows lock_vma_under_rcu (mm/memory.c; 6.4, and the vm_refcnt series) and
 * do_user_addr_fault (arch/x86/mm/fault.c) of 6.12.  Copied in logic: the
 * lookup under RCU, the range check under the VMA lock, the retry when the VMA
 * was detached meanwhile, the fallback mmap_read_trylock, then mmap_read_lock,
 * the retry when the handler dropped its lock, SIGSEGV when there is no VMA or
 * it does not allow the access, and that a fault of the kernel itself
 * (copy_from_user) never uses the VMA lock.  Simplified: access rights are
 * looked at only in scenarios that have a part (mm_form.parts). */
#include <heddle/mm.h>
#include <heddle/user_call.h>

#include "mm.h"

static bool detached_meanwhile(struct vm_area_struct *vma)
{
	if (!mm_form()->lock->detached_flag || !vma->detached)
		return false;
	vma_end_read(vma);
	return true;
}

/* 6.4 to 6.6: a fault that has to find an anon_vma looks at the neighbours of the
 * VMA, which the VMA lock does not keep. */
static bool needs_mmap_lock(struct vm_area_struct *vma)
{
	return !mm_does(MM_STEP_VMF_ANON_PREPARE) && !READ_ONCE(vma->anon_vma);
}

struct vm_area_struct *vma_start_read_of(struct mm_struct *mm,
					 struct vm_area_struct *vma)
{
	const struct vma_lock_ops *lock = mm_form()->lock;

	return lock->start_read_mm ? lock->start_read_mm(mm, vma) :
				     lock->start_read(vma);
}

struct vm_area_struct *lock_vma_under_rcu(struct mm_struct *mm,
					  unsigned long addr)
{
	struct vm_area_struct *vma;

	rcu_read_lock();
retry:
	vma = mas_walk(mm, addr);
	if (!vma)
		goto inval;
	if (!mm_does(MM_STEP_ANON_VMA_CHECK_LOCKED) && needs_mmap_lock(vma))
		goto inval;
	vma = vma_start_read_of(mm, vma);
	if (IS_ERR_OR_NULL(vma) || detached_meanwhile(vma)) {
		if (!vma || (IS_ERR(vma) && PTR_ERR(vma) != -EAGAIN))
			goto inval;
		heddle_remark("detached meanwhile: look up again");
		cpu_relax(); /* an await: nothing changes before */
		goto retry;
	}
	mm_note(MM_NOTE_READ_LOCKED, mm, vma, 0);
	/* vm_start and vm_end are stable now that the VMA is locked */
	if (unlikely(addr < vma->vm_start || addr >= vma->vm_end)) {
		heddle_remark("address outside: not this VMA");
		goto inval_end_read;
	}
	if (mm_does(MM_STEP_ANON_VMA_CHECK_LOCKED) && needs_mmap_lock(vma)) {
		heddle_remark("no anon_vma: under mmap_lock");
		goto inval_end_read;
	}
	rcu_read_unlock();
	heddle_mark("read lock granted");
	return vma;
inval_end_read:
	vma_end_read(vma);
inval:
	rcu_read_unlock();
	return NULL;
}

static struct vm_area_struct *lock_mm_and_find_vma(struct mm_struct *mm,
						   unsigned long addr)
{
	struct vm_area_struct *vma;

	if (!mmap_read_trylock(mm)) {
		heddle_mark("blocked fallback");
		mmap_read_lock(mm);
	}
	if (mm_form()->stack)
		return find_vma_or_expand(mm, addr);
	vma = vma_lookup(mm, addr);
	if (!vma)
		mmap_read_unlock(mm);
	return vma;
}

static bool access_error(struct vm_area_struct *vma, unsigned int flags)
{
	if (!mm_form()->parts)
		return false;
	return !(vma->vm_flags & (flags & FAULT_FLAG_WRITE ? VM_WRITE :
							     VM_READ));
}

/* Under mmap_lock, again while the handler drops it. */
static int fault_under_mmap_lock(struct mm_struct *mm, unsigned long addr,
				 unsigned int flags)
{
	struct vm_area_struct *vma;
	int fault;

	for (;;) {
		vma = lock_mm_and_find_vma(mm, addr);
		if (!vma) {
			heddle_mark("no VMA: SIGSEGV");
			return VM_FAULT_SIGSEGV;
		}
		if (access_error(vma, flags)) {
			mmap_read_unlock(mm);
			return VM_FAULT_SIGSEGV;
		}
		fault = handle_mm_fault(vma, addr, flags);
		if (fault & VM_FAULT_COMPLETED)
			return fault;
		if (!(fault & VM_FAULT_RETRY))
			break;
		flags |= FAULT_FLAG_TRIED;
	}
	mmap_read_unlock(mm);
	return fault;
}

/* VM_FAULT_RETRY: not done, and no lock is held. */
static int fault_under_vma_lock(struct mm_struct *mm, unsigned long addr,
				unsigned int flags)
{
	struct vm_area_struct *vma;
	int fault;

	if (!(flags & FAULT_FLAG_USER) || !mm_form()->lock)
		return VM_FAULT_RETRY;
	vma = lock_vma_under_rcu(mm, addr);
	if (!vma)
		return VM_FAULT_RETRY;
	if (access_error(vma, flags)) {
		vma_end_read(vma);
		return VM_FAULT_SIGSEGV;
	}
	fault = handle_mm_fault(vma, addr, flags | FAULT_FLAG_VMA_LOCK);
	if (!(fault & (VM_FAULT_RETRY | VM_FAULT_COMPLETED)))
		vma_end_read(vma);
	return fault;
}

int do_user_addr_fault(struct mm_struct *mm, unsigned long addr,
		       unsigned int flags)
{
	int fault;

	flags |= FAULT_FLAG_ALLOW_RETRY | FAULT_FLAG_KILLABLE;
	user_fault_begin(mm, addr, flags);
	fault = fault_under_vma_lock(mm, addr, flags);
	if (fault & VM_FAULT_RETRY)
		fault = fault_under_mmap_lock(mm, addr, flags);
	user_fault_end(fault);
	if (flags & FAULT_FLAG_USER)
		return_to_user();
	return fault & (VM_FAULT_OOM | VM_FAULT_SIGBUS | VM_FAULT_SIGSEGV);
}
