/* SPDX-License-Identifier: MIT */
/* Page tables: one table per address space, allocated by a fault, emptied and
 * freed by munmap.
 *
 * Follows mm/memory.c of 6.12: pte_alloc, pte_offset_map_lock, zap_pte_range,
 * free_pgtables.  Copied in logic: the table is installed under a lock after a
 * second look, entries change under the table's own lock, munmap clears the
 * upper entry before it frees the table.  Simplified: one level above the
 * table; pages are numbers.  Deliberately different: a table is freed at once
 * after the TLB flush (as without MMU_GATHER_RCU_TABLE_FREE), and a fault does
 * not look at the upper entry again once it holds the table's lock: both make
 * an access to a freed table visible where it begins. */
#include <heddle/mm.h>

struct page_table *pte_alloc(struct mm_struct *mm)
{
	struct page_table *table = READ_ONCE(mm->pmd), *fresh;

	if (table)
		return table;
	fresh = kzalloc(sizeof(struct page_table), GFP_KERNEL | __GFP_NOFAIL);
	heddle_keep(fresh); /* the address space owns it */
	spin_lock_init(&fresh->ptl);
	spin_lock(&mm->page_table_lock);
	table = mm->pmd;
	if (!table) {
		WRITE_ONCE(mm->pmd, fresh);
		table = fresh;
	}
	spin_unlock(&mm->page_table_lock);
	if (table != fresh)
		kfree(fresh);
	return table;
}

void set_pte(struct mm_struct *mm, struct page_table *table,
	     unsigned long addr, unsigned long page)
{
	spin_lock(&table->ptl);
	if (!READ_ONCE(table->pte[addr >> PAGE_SHIFT])) {
		WRITE_ONCE(table->pte[addr >> PAGE_SHIFT], page);
		mm_note(MM_NOTE_PTE_SET, mm, (void *)addr, page);
	}
	spin_unlock(&table->ptl);
}

void unmap_region(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	struct page_table *table = READ_ONCE(mm->pmd);
	unsigned long addr;

	if (!table)
		return;
	spin_lock(&table->ptl);
	for (addr = start; addr < end; addr += PAGE_SIZE)
		if (READ_ONCE(table->pte[addr >> PAGE_SHIFT]))
			WRITE_ONCE(table->pte[addr >> PAGE_SHIFT], 0);
	spin_unlock(&table->ptl);
}

void free_pgtables(struct mm_struct *mm)
{
	struct page_table *table = READ_ONCE(mm->pmd);

	if (!table)
		return;
	WRITE_ONCE(mm->pmd, NULL);
	kfree(table);
}
