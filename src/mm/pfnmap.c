/* SPDX-License-Identifier: MIT */
/* Mappings of page frames that have no folio: a device's memory.
 *
 * Follows mm/memory.c of 5.8 to 6.12 (remap_pte_range, vmf_insert_pfn,
 * zap_vma_ptes).  Copied in logic: remap_pfn_range() insists on free entries,
 * vmf_insert_pfn() leaves an entry alone that is there, each under the table's
 * lock.  Simplified: no page protection, and the flags of the VMA are those
 * that mmap gave it. */
#include <heddle/vfio.h>

#include "mm.h"

#define pte_none(pte) (!(pte))

static unsigned long pfn_pte(unsigned long pfn)
{
	return pfn << PAGE_SHIFT | _PAGE_SPECIAL | _PAGE_RW | _PAGE_PRESENT;
}

void remap_pfn_range(struct vm_area_struct *vma, unsigned long addr,
		     unsigned long pfn, unsigned long size)
{
	unsigned long end = addr + size, *pte;
	struct page_table *table;

	for (; addr < end; addr += PAGE_SIZE) {
		table = pte_alloc(vma->vm_mm, addr);
		pte = &table->pte[pte_index(addr)];
		spin_lock(&table->ptl);
		BUG_ON(!pte_none(READ_ONCE(*pte)));
		WRITE_ONCE(*pte, pfn_pte(pfn));
		mm_note(MM_NOTE_PTE_SET, vma->vm_mm, (void *)addr,
			pfn_pte(pfn));
		spin_unlock(&table->ptl);
		pfn++;
	}
}

int vmf_insert_pfn(struct vm_area_struct *vma, unsigned long addr,
		   unsigned long pfn)
{
	set_pte(vma->vm_mm, pte_alloc(vma->vm_mm, addr), addr, pfn_pte(pfn));
	return VM_FAULT_NOPAGE;
}

void zap_vma_ptes(struct vm_area_struct *vma, unsigned long addr,
		  unsigned long size)
{
	unmap_region(vma->vm_mm, addr, addr + size);
}
