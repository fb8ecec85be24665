/* SPDX-License-Identifier: MIT */
/* Page tables: one table per group of pages, allocated by a fault, emptied and
 * freed by munmap.
 *
 * Follows mm/memory.c of 6.12: pte_alloc, pte_offset_map_lock, zap_pte_range,
 * free_pgtables.  Copied in logic: the table is installed under a lock after a
 * second look, entries change under the table's own lock, munmap clears the
 * upper entry before it frees the table, and frees only tables that no other
 * VMA needs (floor and ceiling).  Simplified: one level above the table.
 * Deliberately different: a table is freed at once after the TLB flush (as
 * without MMU_GATHER_RCU_TABLE_FREE), and a fault does not look at the upper
 * entry again once it holds the table's lock: both make an access to a freed
 * table visible where it begins. */
#include <heddle/mm.h>

#include "mm.h"

struct page_table *pte_offset(struct mm_struct *mm, unsigned long addr)
{
	unsigned long pmd = READ_ONCE(mm->pmd[pmd_index(addr)]);

	return pmd & _PAGE_PSE ? NULL : (struct page_table *)pmd;
}

struct page_table *pte_alloc(struct mm_struct *mm, unsigned long addr)
{
	unsigned long *slot = &mm->pmd[pmd_index(addr)];
	unsigned long pmd = READ_ONCE(*slot);
	struct page_table *fresh;

	if (pmd)
		return pmd & _PAGE_PSE ? NULL : (struct page_table *)pmd;
	fresh = kzalloc(sizeof(struct page_table), GFP_KERNEL | __GFP_NOFAIL);
	heddle_keep(fresh); /* the address space owns it */
	spin_lock_init(&fresh->ptl);
	spin_lock(pmd_lockptr(mm));
	pmd = *slot;
	if (!pmd) {
		pmd = (unsigned long)fresh;
		smp_wmb(); /* whoever finds the table finds its lock */
		WRITE_ONCE(*slot, pmd);
	}
	spin_unlock(pmd_lockptr(mm));
	if (pmd != (unsigned long)fresh)
		kfree(fresh);
	return pmd & _PAGE_PSE ? NULL : (struct page_table *)pmd;
}

void install_pte(struct mm_struct *mm, struct page_table *table,
		 unsigned long addr, unsigned long entry)
{
	WRITE_ONCE(table->pte[pte_index(addr)], entry);
	mm_note(MM_NOTE_PTE_SET, mm, (void *)addr, entry);
}

void set_pte(struct mm_struct *mm, struct page_table *table,
	     unsigned long addr, unsigned long page)
{
	unsigned long *pte = &table->pte[pte_index(addr)];

	spin_lock(&table->ptl);
	if (!READ_ONCE(*pte))
		install_pte(mm, table, addr, page);
	spin_unlock(&table->ptl);
}

static void zap_pte_range(struct mmu_gather *tlb, struct page_table *table,
			  unsigned long addr, unsigned long end)
{
	unsigned long *pte, entry;

	spin_lock(&table->ptl);
	for (; addr < end; addr += PAGE_SIZE) {
		pte = &table->pte[pte_index(addr)];
		entry = READ_ONCE(*pte);
		if (!entry)
			continue;
		WRITE_ONCE(*pte, 0);
		zap_present_page(tlb, addr, entry);
	}
	spin_unlock(&table->ptl);
}

void unmap_region(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	struct page_table *table;
	struct mmu_gather tlb;
	unsigned long next;

	tlb_gather_mmu(&tlb, mm);
	for (; start < end; start = next) {
		next = (start + PMD_SIZE) & PMD_MASK;
		if (next > end)
			next = end;
		if (mm_has(MM_THP) && zap_huge_pmd(&tlb, start, next))
			continue;
		table = pte_offset(mm, start);
		if (table)
			zap_pte_range(&tlb, table, start, next);
	}
	tlb_finish_mmu(&tlb);
}

void free_pgtables(struct mm_struct *mm, unsigned long floor,
		   unsigned long ceiling)
{
	struct page_table *table;
	unsigned long addr;

	for (addr = (floor + PMD_SIZE - 1) & PMD_MASK;
	     addr + PMD_SIZE <= ceiling; addr += PMD_SIZE) {
		table = pte_offset(mm, addr);
		if (!table)
			continue;
		WRITE_ONCE(mm->pmd[pmd_index(addr)], 0);
		/* CPUs may be walking it */
		flush_tlb_range(mm, addr, addr + PMD_SIZE);
		kfree(table);
	}
}
