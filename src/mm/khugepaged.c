/* SPDX-License-Identifier: MIT */
/* khugepaged makes one huge page out of the pages of a group.
 *
 * Follows mm/khugepaged.c of 6.12: collapse_huge_page, hugepage_vma_revalidate.
 * Copied in logic: mmap_lock for read is dropped while memory is allocated; the
 * VMA is looked up and judged anew under each lock; then mmap_lock and the VMA
 * for write, the anon_vma's lock, the entry cleared under the PMD's lock, the
 * huge page put in its place, the table freed.  Simplified: no page is in the
 * way, and what the pages held is not followed into the huge one.  Not modelled:
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
	return vma;
}

static bool allocate_unlocked(struct mm_struct *mm, unsigned long addr)
{
	bool fits;

	mmap_read_lock(mm);
	fits = hugepage_vma_revalidate(mm, addr);
	mmap_read_unlock(mm);
	return fits && !heddle_fail("huge page");
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

static void collapse(struct vm_area_struct *vma, unsigned long addr)
{
	struct mm_struct *mm = vma->vm_mm;
	struct anon_vma *av = mm_has(MM_ANON) ? vma->anon_vma : NULL;
	struct page_table *table;

	if (av)
		anon_vma_lock_write(av);
	table = clear_pmd_table(mm, addr);
	if (table) {
		give_up_pages(mm, table, addr);
		set_huge_pmd(mm, addr);
		heddle_mark("huge page collapsed");
	}
	if (av)
		anon_vma_unlock_write(av);
	if (table)
		kfree(table);
}

void collapse_huge_page(struct mm_struct *mm, unsigned long addr)
{
	struct vm_area_struct *vma;

	addr &= PMD_MASK;
	if (!allocate_unlocked(mm, addr))
		return;
	mmap_write_lock(mm);
	vma = hugepage_vma_revalidate(mm, addr);
	if (vma) {
		vma_start_write(vma);
		collapse(vma, addr);
	}
	mmap_write_unlock(mm);
}
