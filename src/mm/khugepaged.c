/* SPDX-License-Identifier: MIT */
/* khugepaged makes one huge page out of the pages of a group.
 *
 * Follows mm/khugepaged.c of 6.12: collapse_huge_page, hugepage_vma_revalidate.
 * Copied in logic: mmap_lock for read is dropped while memory is allocated; the
 * VMA is looked up and judged anew under each lock; then mmap_lock and the VMA
 * for write, the anon_vma's lock, the entry cleared under the PMD's lock, the
 * huge page put in its place, the table freed.  Simplified: no page is in the
 * way, and what the pages held is not followed into the huge one;
 * READ_ONCE() of anon_vma, where the kernel has a plain load that races.  Not modelled:
 * files (collapse_file, retract_page_tables), gup-fast. */
#include <heddle/mm.h>
#include <heddle/rmap.h>

#include "mm.h"

static struct vm_area_struct *hugepage_vma_revalidate(struct mm_struct *mm,
						      unsigned long addr)
{
	struct vm_area_struct *vma = find_vma(mm, addr);

	if (!vma || vma->vm_flags & VM_NOHUGEPAGE || vma->vm_start > addr ||
	    vma->vm_end < addr + PMD_SIZE)
		return NULL;
	if (mm_has(MM_FILE) && vma->vm_ops)
		return NULL;
	if (mm_has(MM_ANON) && !READ_ONCE(vma->anon_vma))
		return NULL; /* nothing there to collapse */
	return vma;
}

/* 0: no need, or no memory. */
static unsigned long allocate_unlocked(struct mm_struct *mm, unsigned long addr)
{
	struct vm_area_struct *vma;

	mmap_read_lock(mm);
	vma = hugepage_vma_revalidate(mm, addr);
	mmap_read_unlock(mm);
	return vma ? new_huge_page(addr) : 0;
}

/* What the group's pages held is copied; they lose their mappings. */
static void give_up_pages(struct mm_struct *mm, struct page_table *table,
			  unsigned long addr)
{
	struct mmu_gather tlb;
	unsigned long entry;
	u32 i;

	tlb_gather_mmu(&tlb, mm);
	spin_lock(&table->ptl);
	for (i = 0; i < PTRS_PER_PTE; i++) {
		entry = READ_ONCE(table->pte[i]);
		if (!entry)
			continue;
		WRITE_ONCE(table->pte[i], 0);
		zap_present_page(&tlb, addr + i * PAGE_SIZE, entry);
	}
	spin_unlock(&table->ptl);
	tlb_finish_mmu(&tlb);
}

/* False: the huge page was not used. */
static bool collapse(struct vm_area_struct *vma, unsigned long addr,
		     unsigned long huge)
{
	struct mm_struct *mm = vma->vm_mm;
	struct anon_vma *av = mm_has(MM_ANON) ? vma->anon_vma : NULL;
	struct page_table *table;

	if (av)
		anon_vma_lock_write(av);
	table = clear_pmd_table(mm, addr);
	if (table) {
		give_up_pages(mm, table, addr);
		set_huge_pmd(vma, addr, huge);
		heddle_mark("huge page collapsed");
	}
	if (av)
		anon_vma_unlock_write(av);
	if (table)
		kfree(table);
	return table;
}

void collapse_huge_page(struct mm_struct *mm, unsigned long addr)
{
	struct vm_area_struct *vma;
	unsigned long huge;
	bool used = false;

	addr &= PMD_MASK;
	huge = allocate_unlocked(mm, addr);
	if (!huge)
		return;
	mmap_write_lock(mm);
	vma = hugepage_vma_revalidate(mm, addr);
	if (vma) {
		if (mm_does(MM_STEP_COLLAPSE_LOCKS))
			vma_start_write(vma);
		used = collapse(vma, addr, huge);
	}
	mmap_write_unlock(mm);
	if (!used)
		put_huge_page(huge);
}
