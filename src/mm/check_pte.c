/* SPDX-License-Identifier: MIT */
/* pte-without-vma, pagetable: what unmapping promises.
 *
 * pte-without-vma   a PTE is installed at an address that no VMA of the tree
 *                   covers, or is still there when all tasks have ended, or
 *                   when its table is freed.  A task that has mmap_lock for write
 *                   may install it first and store the VMA then (remap_pfn_range
 *                   in ->mmap): it is judged when it gives the lock back
 * pte-rights        a PTE can be written to, and its VMA cannot: when a writer
 *                   gives mmap_lock back or shares it, and at the end (of pages
 *                   that are folios)
 * pagetable         any access to a page table that was freed, or an upper entry
 *                   leads to one when all tasks have ended */
#include <heddle/mm.h>
#include <string.h>

#include "../engine/engine.h"
#include "check.h"

static u16 *early; /* world: of each check_mm(), a bit a page: judged later */

static void raise(u8 kind, u8 fatal, u32 pc)
{
	struct hd_verdict v = { .kind = kind, .fatal = fatal, .pc = pc,
				.nnames = 1, .names = { "page_table" } };

	hd_raise(v);
}

static void on_free(const struct hd_event *ev)
{
	const struct hd_object *o = hd_object_of((const void *)ev->op.addr);
	const struct page_table *table = (const void *)ev->op.addr;
	u32 i;

	if (ev->op.size != sizeof(*table) || strcmp(o->type, "page_table"))
		return;
	for (i = 0; i < PTRS_PER_PTE; i++)
		if (table->pte[i])
			raise(HD_V_PTE_WITHOUT_VMA, 0, ev->op.pc);
}

bool check_mapped(const struct mm_struct *mm, unsigned long addr)
{
	u64 pmd = mm->pmd[(addr >> PMD_SHIFT) % PTRS_PER_PMD];
	const struct page_table *table = (const struct page_table *)pmd;

	if (pmd & _PAGE_PSE)
		return true;
	return pmd && table->pte[(addr >> PAGE_SHIFT) % PTRS_PER_PTE];
}

/* Does an upper entry lead to a table that was freed? */
static bool dangling(u64 pmd)
{
	return pmd && !(pmd & _PAGE_PSE) && !check_alive((const void *)pmd);
}

static void judge_mm(const struct mm_struct *mm, u32 pc)
{
	u64 addr;
	u32 i, k;

	for (i = 0; i < PTRS_PER_PMD; i++) {
		if (dangling(mm->pmd[i])) {
			raise(HD_V_PAGETABLE, 0, pc);
			continue;
		}
		for (k = 0; k < PTRS_PER_PTE; k++) {
			addr = i * PMD_SIZE + k * PAGE_SIZE;
			if (check_mapped(mm, addr) && !check_covered(mm, addr))
				raise(HD_V_PTE_WITHOUT_VMA, 0, pc);
		}
	}
}

static u64 pte_at(const struct mm_struct *mm, u64 addr)
{
	u64 pmd = mm->pmd[addr >> PMD_SHIFT];

	if (pmd & _PAGE_PSE)
		return pmd | _PAGE_PRESENT;
	if (!pmd || dangling(pmd))
		return 0;
	return ((const struct page_table *)pmd)
		->pte[(addr >> PAGE_SHIFT) % PTRS_PER_PTE];
}

void check_order_on_ptes(const struct mm_struct *mm)
{
	u32 i;

	hd_order_range(mm->pmd, sizeof(mm->pmd), false);
	for (i = 0; i < PTRS_PER_PMD; i++) {
		const struct page_table *table = (const void *)mm->pmd[i];

		if (table && !(mm->pmd[i] & _PAGE_PSE))
			hd_order_range(table->pte, sizeof(table->pte), false);
	}
}

static void judge_rights(const struct mm_struct *mm, u32 pc)
{
	const struct maple_node *node = mm->mm_mt.root;
	u64 addr, pte;
	u32 i;

	check_order_on_ptes(mm);
	for (i = 0; node && i < node->nslots; i++) {
		if (!node->slot[i].vma ||
		    node->slot[i].vma->vm_flags & VM_WRITE)
			continue;
		for (addr = node->slot[i].first; addr < node->slot[i].last;
		     addr += PAGE_SIZE) {
			pte = pte_at(mm, addr);
			if (pte & _PAGE_PRESENT && pte & _PAGE_RW)
				raise(HD_V_PTE_RIGHTS, 0, pc);
		}
	}
}

static void on_end(const struct hd_event *ev)
{
	const struct mm_struct *mm;
	u32 i;

	for (i = 0; (mm = check_mm(i)); i++) {
		if (!check_alive(mm))
			continue;
		judge_mm(mm, ev->op.pc);
		if (mm_has(MM_ANON))
			judge_rights(mm, ev->op.pc);
	}
}

static u16 *early_of(const struct mm_struct *mm)
{
	u32 i;

	for (i = 0; check_mm(i) && check_mm(i) != mm; i++)
		;
	return check_mm(i) ? &early[i] : NULL;
}

static void on_set(const struct mm_struct *mm, u64 addr, u32 pc)
{
	u16 *pages = early_of(mm);

	check_order_on_vmas(mm, false);
	if (check_covered(mm, addr))
		return;
	if (pages && addr < TASK_SIZE &&
	    hd_lock_is_held(&mm->mmap_lock.dep_map, 0))
		*pages |= (u16)(1u << (addr >> PAGE_SHIFT));
	else
		raise(HD_V_PTE_WITHOUT_VMA, 0, pc);
}

/* The writer is done with the tree. */
static void judge_early(const struct mm_struct *mm, u32 pc)
{
	u16 *pages = early_of(mm);
	u64 addr;

	for (addr = 0; pages && *pages && addr < TASK_SIZE; addr += PAGE_SIZE)
		if (*pages & 1u << (addr >> PAGE_SHIFT) &&
		    check_mapped(mm, addr) && !check_covered(mm, addr))
			raise(HD_V_PTE_WITHOUT_VMA, 0, pc);
	if (pages)
		*pages = 0;
}

static void on_note(const struct hd_event *ev)
{
	const struct mm_struct *mm = (const struct mm_struct *)ev->op.addr;

	if (ev->op.code == MM_NOTE_PTE_SET)
		on_set(mm, ev->old, ev->op.pc);
	if (ev->op.code != MM_NOTE_WRITE_END_ALL || !ev->val)
		return;
	judge_early(mm, ev->op.pc);
	if (mm_has(MM_ANON))
		judge_rights(mm, ev->op.pc);
}

static void on_bad_access(const struct hd_event *ev)
{
	const struct hd_object *o;

	if (!hd_in_heap(ev->op.addr) ||
	    ev->op.addr >= HD_HEAP_BASE + W->heap_used || ev->op.code)
		return;
	o = hd_object_at(ev->op.addr);
	if (o && o->state == HD_OBJ_FREED && !strcmp(o->type, "page_table"))
		raise(HD_V_PAGETABLE, 1, ev->op.pc);
}

void check_pte_start(void)
{
	early = hd_world_reserve(CHECK_MMS * sizeof(*early));
	hd_subscribe(HD_EV_NOTE, on_note);
	hd_subscribe(HD_FREE, on_free);
	hd_subscribe(HD_EV_BAD_ACCESS, on_bad_access);
	hd_subscribe(HD_EV_END, on_end);
}
