/* SPDX-License-Identifier: MIT */
/* pte-without-vma, pagetable: what unmapping promises.
 *
 * pte-without-vma   a PTE is installed at an address that no VMA of the tree
 *                   covers, or is still there when all tasks have ended
 * pagetable         any access to a page table that was freed */
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

static bool mapped(const struct mm_struct *mm, u32 page)
{
	u64 pmd = mm->pmd[page / PTRS_PER_PTE];

	if (pmd & _PAGE_PSE)
		return true;
	return pmd && ((const struct page_table *)pmd)->pte[page % PTRS_PER_PTE];
}

static void on_end(const struct hd_event *ev)
{
	const struct mm_struct *mm;
	u32 i, k;

	for (i = 0; (mm = check_mm(i)); i++)
		for (k = 0; check_alive(mm) && k < PTRS_PER_PMD * PTRS_PER_PTE; k++)
			if (mapped(mm, k) && !check_covered(mm, (u64)k << PAGE_SHIFT))
				raise(ev->op.pc);
}

static void on_bad_access(const struct hd_event *ev)
{
	struct hd_verdict v = { .kind = HD_V_PAGETABLE, .fatal = 1,
				.pc = ev->op.pc, .nnames = 1,
				.names = { "page_table" } };
	const struct hd_object *o;

	if (!hd_in_heap(ev->op.addr) ||
	    ev->op.addr >= HD_HEAP_BASE + W->heap_used || ev->op.code)
		return;
	o = hd_object_at(ev->op.addr);
	if (o && o->state == HD_OBJ_FREED && !strcmp(o->type, "page_table"))
		hd_raise(v);
}

void check_pte_start(void)
{
	hd_subscribe(HD_EV_NOTE, on_note);
	hd_subscribe(HD_EV_BAD_ACCESS, on_bad_access);
	hd_subscribe(HD_EV_END, on_end);
}
