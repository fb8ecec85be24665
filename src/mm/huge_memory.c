/* SPDX-License-Identifier: MIT */
/* A group of pages that is mapped as a whole by its PMD entry.
 *
 * Follows mm/huge_memory.c of 6.4 to 6.12: do_huge_pmd_anonymous_page,
 * zap_huge_pmd, __split_huge_pmd, vma_adjust_trans_huge.  Copied in logic: a
 * fault maps the whole group only if the VMA covers it, an entry changes under
 * the PMD's lock after a second look, whoever changes a part of the group
 * splits it first.  Simplified: the huge page is a number, not a folio; a split
 * makes a table with its four pages.  Not modelled: the deposited table, the
 * deferred split, the mmu notifier around vma_adjust_trans_huge. */
#include <heddle/mm.h>

#include "mm.h"

#define HUGE_PAGE(addr) (0x100000ul | ((addr) & PMD_MASK) | _PAGE_PSE)

/* The group is covered by [start, end). */
static bool covers_group(unsigned long start, unsigned long end,
			 unsigned long addr)
{
	return (addr & PMD_MASK) >= start && (addr & PMD_MASK) + PMD_SIZE <= end;
}

int do_huge_pmd_anonymous_page(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct mm_struct *mm = vma->vm_mm;
	unsigned long *pmd = &mm->pmd[pmd_index(vmf->address)];
	int ret = VM_FAULT_NOPAGE;

	if (vma->vm_flags & VM_NOHUGEPAGE ||
	    !covers_group(vma->vm_start, vma->vm_end, vmf->address))
		return 0;
	if (READ_ONCE(*pmd))
		return 0;
	spin_lock(pmd_lockptr(mm));
	if (!*pmd) {
		WRITE_ONCE(*pmd, HUGE_PAGE(vmf->address));
		mm_note(MM_NOTE_PMD_SET, mm, (void *)(vmf->address & PMD_MASK),
			*pmd);
		heddle_mark("huge page mapped");
	} else {
		ret = 0;
	}
	spin_unlock(pmd_lockptr(mm));
	return ret;
}

/* Under the PMD's lock: the group's pages one by one. */
static void split_huge_pmd_locked(unsigned long *pmd, unsigned long addr)
{
	struct page_table *table = kzalloc(sizeof(struct page_table),
					   GFP_ATOMIC | __GFP_NOFAIL);
	u32 i;

	heddle_keep(table); /* the address space owns it */
	spin_lock_init(&table->ptl);
	for (i = 0; i < PTRS_PER_PTE; i++)
		table->pte[i] = 0x100 + ((addr & PMD_MASK) >> PAGE_SHIFT) + i;
	heddle_mark("huge page split");
	WRITE_ONCE(*pmd, (unsigned long)table);
}

bool zap_huge_pmd(struct mm_struct *mm, unsigned long addr, unsigned long end)
{
	unsigned long *pmd = &mm->pmd[pmd_index(addr)];
	bool zapped = false;

	if (!(READ_ONCE(*pmd) & _PAGE_PSE))
		return false;
	spin_lock(pmd_lockptr(mm));
	if (*pmd & _PAGE_PSE) {
		zapped = covers_group(addr, end, addr);
		if (zapped)
			WRITE_ONCE(*pmd, 0);
		else
			split_huge_pmd_locked(pmd, addr);
	}
	spin_unlock(pmd_lockptr(mm));
	return zapped;
}

void split_huge_page_at(struct mm_struct *mm, unsigned long addr)
{
	unsigned long *pmd = &mm->pmd[pmd_index(addr)];

	spin_lock(pmd_lockptr(mm));
	if (*pmd & _PAGE_PSE)
		split_huge_pmd_locked(pmd, addr);
	spin_unlock(pmd_lockptr(mm));
}

void vma_adjust_trans_huge(struct vm_area_struct *vma, unsigned long start,
			   unsigned long end)
{
	if (!mm_has(MM_THP))
		return;
	/* a boundary between groups cuts none */
	if (start != vma->vm_start && start & ~PMD_MASK)
		split_huge_page_at(vma->vm_mm, start);
	if (end != vma->vm_end && end & ~PMD_MASK)
		split_huge_page_at(vma->vm_mm, end);
}
