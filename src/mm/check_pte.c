/* SPDX-License-Identifier: MIT */
/* pte-without-vma, pagetable: what unmapping promises.
 *
 * pte-without-vma   a PTE is installed at an address that no VMA of the tree
 *                   covers, or is still there when all tasks have ended, or
 *                   when its table is freed
 * pagetable         any access to a page table that was freed, or an upper entry
 *                   leads to one when all tasks have ended */
#include <heddle/mm.h>
#include <string.h>

#include "../engine/engine.h"
#include "check.h"

static void raise(u32 pc)
{
	struct hd_verdict v = { .kind = HD_V_PTE_WITHOUT_VMA, .pc = pc,
				.nnames = 1, .names = { "page_table" } };

	hd_raise(v);
}

static void on_note(const struct hd_event *ev)
{
	if (ev->op.code == MM_NOTE_PTE_SET &&
	    !check_covered((const struct mm_struct *)ev->op.addr, ev->old))
		raise(ev->op.pc);
}

static void raise_pagetable(u8 fatal, u32 pc)
{
	struct hd_verdict v = { .kind = HD_V_PAGETABLE, .fatal = fatal,
				.pc = pc, .nnames = 1,
				.names = { "page_table" } };

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
			raise(ev->op.pc);
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
			raise_pagetable(0, pc);
			continue;
		}
		for (k = 0; k < PTRS_PER_PTE; k++) {
			addr = i * PMD_SIZE + k * PAGE_SIZE;
			if (check_mapped(mm, addr) && !check_covered(mm, addr))
				raise(pc);
		}
	}
}

static void on_end(const struct hd_event *ev)
{
	const struct mm_struct *mm;
	u32 i;

	for (i = 0; (mm = check_mm(i)); i++)
		if (check_alive(mm))
			judge_mm(mm, ev->op.pc);
}

static void on_bad_access(const struct hd_event *ev)
{
	const struct hd_object *o;

	if (!hd_in_heap(ev->op.addr) ||
	    ev->op.addr >= HD_HEAP_BASE + W->heap_used || ev->op.code)
		return;
	o = hd_object_at(ev->op.addr);
	if (o && o->state == HD_OBJ_FREED && !strcmp(o->type, "page_table"))
		raise_pagetable(1, ev->op.pc);
}

void check_pte_start(void)
{
	hd_subscribe(HD_EV_NOTE, on_note);
	hd_subscribe(HD_FREE, on_free);
	hd_subscribe(HD_EV_BAD_ACCESS, on_bad_access);
	hd_subscribe(HD_EV_END, on_end);
}
