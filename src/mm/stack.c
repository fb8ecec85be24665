/* SPDX-License-Identifier: MIT */
/* A fault below a stack: how does the VMA grow, and under which lock?
 *
 * Follows expand_downwards (mm/mmap.c, 4.20 to 6.5) and lock_mm_and_find_vma
 * (mm/memory.c, 6.5).  Copied in logic: up to 6.4 mmap_lock is held for read
 * only, and what expanders do to each other is settled by the anon_vma's lock
 * and page_table_lock; since 6.5 the lock is dropped, taken for write, killable,
 * the VMA looked up again, write-locked, and the lock downgraded.  A lookup by
 * find_vma() is an RCU section of its own.
 * Simplified: no rlimit, no accounting, no guard gap (the neighbour below is
 * looked at, because the walk matters, and forgives everything).  VM_GROWSUP
 * and mmap_upgrade_trylock(), which never succeeds, are left out.
 * Deliberately different: before 6.1 VMAs were in a tree without RCU, which a
 * stack changed in place; here its node is replaced as in 6.1. */
#include <heddle/mm.h>

#include "mm.h"

static int expand_downwards(struct vm_area_struct *vma, unsigned long addr)
{
	struct mm_struct *mm = vma->vm_mm;
	struct vm_area_struct *prev = vma_prev(mm, vma->vm_start);
	unsigned long grow;

	if (prev && prev->vm_end > addr)
		return -ENOMEM;
	if (heddle_fail("maple_node"))
		return -ENOMEM;
	if (anon_vma_prepare(vma))
		return -ENOMEM;
	if (mm_form()->stack == MM_STACK_6_5 && mm_does(MM_STEP_LOCK_STACK))
		vma_start_write(vma);
	anon_vma_lock_write(vma->anon_vma);
	if (addr < vma->vm_start) {
		spin_lock(&mm->page_table_lock);
		grow = (vma->vm_start - addr) >> PAGE_SHIFT;
		vma->vm_start = addr;
		vma->vm_pgoff -= grow;
		mas_store(mm, vma);
		spin_unlock(&mm->page_table_lock);
		heddle_mark("stack grows");
	} else {
		heddle_remark("somebody else was faster");
		heddle_mark("stack has grown already");
	}
	anon_vma_unlock_write(vma->anon_vma);
	return 0;
}

static bool needs_growth(struct vm_area_struct *vma, unsigned long addr)
{
	return vma && addr < vma->vm_start;
}

/* mmap_lock is held for read, and still is afterwards; NULL: no lock is. */
static struct vm_area_struct *expand_under_write_lock(struct mm_struct *mm,
						      unsigned long addr,
						      struct vm_area_struct *vma)
{
	mmap_read_unlock(mm);
	if (mmap_write_lock_killable(mm))
		return NULL;
	if (mm_does(MM_STEP_FIND_STACK_AGAIN))
		vma = find_vma(mm, addr);
	if (needs_growth(vma, addr) &&
	    (!(vma->vm_flags & VM_GROWSDOWN) || expand_downwards(vma, addr)))
		vma = NULL;
	if (!vma) {
		heddle_remark("gone meanwhile, or no memory");
		mmap_write_unlock(mm);
		return NULL;
	}
	mmap_write_downgrade(mm);
	return vma;
}

struct vm_area_struct *find_vma_or_expand(struct mm_struct *mm,
					  unsigned long addr)
{
	struct vm_area_struct *vma;

	rcu_read_lock();
	vma = find_vma(mm, addr);
	rcu_read_unlock();
	if (!needs_growth(vma, addr)) {
		if (!vma)
			mmap_read_unlock(mm);
		return vma;
	}
	if (!(vma->vm_flags & VM_GROWSDOWN)) {
		mmap_read_unlock(mm);
		return NULL;
	}
	if (mm_form()->stack == MM_STACK_6_5)
		return expand_under_write_lock(mm, addr, vma);
	if (!expand_downwards(vma, addr))
		return vma;
	mmap_read_unlock(mm);
	return NULL;
}
