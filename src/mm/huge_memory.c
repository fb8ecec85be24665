/* SPDX-License-Identifier: MIT */
/* A group of pages that is mapped as a whole by its PMD entry.
 *
 * Follows mm/huge_memory.c of 6.4 to 6.12: do_huge_pmd_anonymous_page,
 * do_huge_pmd_wp_page, change_huge_pmd, zap_huge_pmd, __split_huge_pmd,
 * vma_adjust_trans_huge.  Copied in logic: a
 * fault maps the whole group only if the VMA covers it, an entry changes under
 * the PMD's lock after a second look, whoever changes a part of the group
 * splits it first.  Simplified: a huge page is one folio for all pages of its
 * group, also when it was split to a table with an entry for each; in scenarios
 * without the part MM_ANON it is a number.  Not modelled: the deposited table, the
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

/* 0: no memory, so single pages; else a folio, or what a PMD entry may be
 * without the part MM_ANON. */
unsigned long new_huge_page(unsigned long addr)
{
	struct folio *folio;

	if (!mm_has(MM_ANON))
		return HUGE_PAGE(addr);
	folio = folio_alloc(GFP_KERNEL, 0);
	if (!folio)
		return 0;
	set_bit(PG_head, &folio->flags);
	folio_mark_uptodate(folio);
	return (unsigned long)folio | _PAGE_PSE;
}

static struct folio *pmd_folio(unsigned long pmd)
{
	return mm_has(MM_ANON) ? (struct folio *)(pmd & ~_PAGE_BITS) : NULL;
}

/* Under the PMD's lock. */
static void map_huge_page(struct vm_area_struct *vma, unsigned long addr,
			  unsigned long *pmd, unsigned long entry)
{
	addr &= PMD_MASK;
	if (mm_has(MM_ANON)) {
		folio_add_new_anon_rmap(pmd_folio(entry), vma, addr);
		if (vma->vm_flags & VM_WRITE)
			entry |= _PAGE_RW;
	}
	WRITE_ONCE(*pmd, entry);
	mm_note(MM_NOTE_PMD_SET, vma->vm_mm, (void *)addr, entry);
	heddle_mark("huge page mapped");
}

/* Nobody else maps it, since fork splits huge pages: it is reused. */
static int do_huge_pmd_wp_page(struct vm_fault *vmf, unsigned long *pmd)
{
	spin_lock(pmd_lockptr(vmf->vma->vm_mm));
	if (*pmd & _PAGE_PSE)
		WRITE_ONCE(*pmd, *pmd | _PAGE_RW);
	spin_unlock(pmd_lockptr(vmf->vma->vm_mm));
	return VM_FAULT_NOPAGE;
}

static bool is_write_protected(unsigned long pmd)
{
	return mm_has(MM_ANON) && pmd & _PAGE_PSE && !(pmd & _PAGE_RW);
}

int do_huge_pmd_anonymous_page(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct mm_struct *mm = vma->vm_mm;
	unsigned long *pmd = &mm->pmd[pmd_index(vmf->address)], entry;
	int ret;

	entry = READ_ONCE(*pmd);
	if (vmf->flags & FAULT_FLAG_WRITE && is_write_protected(entry))
		return do_huge_pmd_wp_page(vmf, pmd);
	if (entry || vma->vm_flags & VM_NOHUGEPAGE ||
	    !covers_group(vma->vm_start, vma->vm_end, vmf->address))
		return 0;
	ret = mm_has(MM_ANON) ? vmf_anon_prepare(vmf) : 0;
	if (ret)
		return ret;
	entry = new_huge_page(vmf->address);
	if (!entry)
		return 0;
	spin_lock(pmd_lockptr(mm));
	if (!*pmd) {
		map_huge_page(vma, vmf->address, pmd, entry);
		ret = VM_FAULT_NOPAGE;
	}
	spin_unlock(pmd_lockptr(mm));
	if (!ret)
		put_huge_page(entry);
	return ret;
}

struct page_table *clear_pmd_table(struct mm_struct *mm, unsigned long addr)
{
	unsigned long *slot = &mm->pmd[pmd_index(addr)], pmd;

	spin_lock(pmd_lockptr(mm));
	pmd = *slot;
	if (pmd && !(pmd & _PAGE_PSE))
		WRITE_ONCE(*slot, 0);
	spin_unlock(pmd_lockptr(mm));
	return pmd & _PAGE_PSE ? NULL : (struct page_table *)pmd;
}

void set_huge_pmd(struct vm_area_struct *vma, unsigned long addr,
		  unsigned long entry)
{
	unsigned long *slot = &vma->vm_mm->pmd[pmd_index(addr)];

	spin_lock(pmd_lockptr(vma->vm_mm));
	BUG_ON(*slot);
	map_huge_page(vma, addr, slot, entry);
	spin_unlock(pmd_lockptr(vma->vm_mm));
}

void put_huge_page(unsigned long entry)
{
	if (mm_has(MM_ANON))
		folio_put(pmd_folio(entry));
}

/* Under the PMD's lock: the group's pages one by one. */
static void split_huge_pmd_locked(unsigned long *pmd, unsigned long addr)
{
	struct page_table *table = kzalloc(sizeof(struct page_table),
					   GFP_ATOMIC | __GFP_NOFAIL);
	struct folio *folio = pmd_folio(*pmd);
	u32 i;

	heddle_keep(table); /* the address space owns it */
	spin_lock_init(&table->ptl);
	for (i = 0; i < PTRS_PER_PTE; i++) {
		if (folio && i) {
			folio_get(folio);
			atomic_inc(&folio->_mapcount);
		}
		table->pte[i] = folio ? (*pmd & ~_PAGE_PSE) | _PAGE_PRESENT :
					PAGE_NUMBER((addr & PMD_MASK) +
						    i * PAGE_SIZE, 0);
	}
	heddle_mark("huge page split");
	smp_wmb(); /* the entries are there before the table is */
	WRITE_ONCE(*pmd, (unsigned long)table);
}

bool zap_huge_pmd(struct mmu_gather *tlb, unsigned long addr, unsigned long end)
{
	spinlock_t *ptl = pmd_lockptr(tlb->mm);
	unsigned long *pmd = &tlb->mm->pmd[pmd_index(addr)];
	struct folio *folio;
	bool zapped = false;

	if (!(READ_ONCE(*pmd) & _PAGE_PSE))
		return false;
	spin_lock(ptl);
	if (*pmd & _PAGE_PSE) {
		folio = pmd_folio(*pmd);
		zapped = covers_group(addr, end, addr);
		if (zapped) {
			WRITE_ONCE(*pmd, 0);
			if (folio)
				atomic_dec(&folio->_mapcount);
			tlb_remove_page(tlb, addr, folio);
		} else {
			split_huge_pmd_locked(pmd, addr);
		}
	}
	spin_unlock(ptl);
	return zapped;
}

bool change_huge_pmd(struct mm_struct *mm, unsigned long addr,
		     unsigned long end)
{
	unsigned long *pmd = &mm->pmd[pmd_index(addr)];
	bool changed = false;

	if (!(READ_ONCE(*pmd) & _PAGE_PSE))
		return false;
	spin_lock(pmd_lockptr(mm));
	if (*pmd & _PAGE_PSE) {
		changed = covers_group(addr, end, addr);
		if (changed)
			WRITE_ONCE(*pmd, *pmd & ~_PAGE_RW);
		else
			split_huge_pmd_locked(pmd, addr);
	}
	spin_unlock(pmd_lockptr(mm));
	return changed;
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
