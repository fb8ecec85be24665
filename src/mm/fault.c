/* SPDX-License-Identifier: MIT */
/* A user page fault, from the lookup under RCU to the return to user space.
 *
 * Follows lock_vma_under_rcu (mm/memory.c) of the vm_refcnt series and
 * do_user_addr_fault (arch/x86/mm/fault.c) of 6.12.  Copied in logic: the
 * lookup under RCU, the range check under the VMA lock, the retry when the VMA
 * was detached meanwhile (v10 and later), the fallback mmap_read_trylock, then
 * mmap_read_lock, and SIGSEGV when there is no VMA.  Simplified: an anonymous
 * fault that installs one page; the handler never asks for a retry. */
#include <heddle/mm.h>

struct vm_area_struct *lock_vma_under_rcu(struct mm_struct *mm,
					  unsigned long addr)
{
	struct vm_area_struct *vma;

	rcu_read_lock();
retry:
	vma = mas_walk(mm, addr);
	if (!vma)
		goto inval;
	vma = mm_form()->lock->start_read(vma);
	if (IS_ERR_OR_NULL(vma)) {
		if (PTR_ERR(vma) == -EAGAIN) {
			heddle_remark("detached meanwhile: look up again");
			cpu_relax(); /* an await: nothing changes before */
			goto retry;
		}
		goto inval;
	}
	mm_note(MM_NOTE_READ_LOCKED, mm, vma, 0);
	/* vm_start and vm_end are stable now that the VMA is locked */
	if (unlikely(addr < vma->vm_start || addr >= vma->vm_end)) {
		heddle_remark("address outside: not this VMA");
		mm_note(MM_NOTE_READ_UNLOCK, mm, vma, 0);
		mm_form()->lock->end_read(vma);
		goto inval;
	}
	rcu_read_unlock();
	heddle_mark("read lock granted");
	return vma;
inval:
	rcu_read_unlock();
	return NULL;
}

static int handle_mm_fault(struct mm_struct *mm, unsigned long addr)
{
	struct page_table *table = pte_alloc(mm);

	set_pte(mm, table, addr, 0x100 + (addr >> PAGE_SHIFT));
	return VM_FAULT_NOPAGE;
}

static struct vm_area_struct *lock_mm_and_find_vma(struct mm_struct *mm,
						   unsigned long addr)
{
	struct vm_area_struct *vma;

	if (!mmap_read_trylock(mm)) {
		heddle_mark("blocked fallback");
		mmap_read_lock(mm);
	}
	vma = vma_lookup(mm, addr);
	if (!vma)
		mmap_read_unlock(mm);
	return vma;
}

int do_user_addr_fault(struct mm_struct *mm, unsigned long addr)
{
	struct vm_area_struct *vma = lock_vma_under_rcu(mm, addr);
	int fault;

	if (vma) {
		fault = handle_mm_fault(mm, addr);
		mm_note(MM_NOTE_READ_UNLOCK, mm, vma, 0);
		mm_form()->lock->end_read(vma);
	} else if (lock_mm_and_find_vma(mm, addr)) {
		fault = handle_mm_fault(mm, addr);
		mmap_read_unlock(mm);
	} else {
		heddle_mark("no VMA: SIGSEGV");
		fault = VM_FAULT_SIGSEGV;
	}
	return_to_user();
	return fault;
}
