/* SPDX-License-Identifier: MIT */
/* stale-tlb: what the TLBs still allow, and the page table does not.
 *
 * A TLB may lag behind the page table only as long as whoever changed the page
 * table has not promised anything.  Judged is:
 *
 * - a task returns to user space (its system call or fault is over), or has
 *   unmapped a part of a file: no TLB holds an entry that this task made stale;
 * - a page is read for a copy on write: no TLB may write to it, else what is
 *   written behind the read is lost.
 *
 * An entry is stale if a PTE was changed under it so that it allows more than
 * the PTE, or maps another page.  PTEs are watched by their stores, so that code
 * that is pasted is judged as well. */
#include <heddle/mm.h>

#include "../engine/engine.h"
#include "check.h"

static bool watching; /* set in the set-up of each loaded variant */

static void raise(const char *what, u32 pc)
{
	struct hd_verdict v = { .kind = HD_V_STALE_TLB, .pc = pc, .nnames = 1,
				.names = { what } };

	hd_raise(v);
}

/* --- who makes what stale --------------------------------------------------- */

static bool allows_more(u64 entry, u64 pte)
{
	if (!(pte & _PAGE_PRESENT) || (entry ^ pte) & ~_PAGE_BITS)
		return true;
	return entry & ~pte & _PAGE_RW;
}

static void changed(const struct mm_struct *mm, u32 page, u64 pte, u8 task)
{
	struct tlb_entry *e;
	u32 cpu;

	for (cpu = 0; cpu < MM_CPUS; cpu++) {
		e = &cpu_tlbs[cpu].entry[page];
		if (cpu_tlbs[cpu].mm != mm || !e->pte)
			continue;
		if (allows_more(e->pte, pte))
			e->stale_by |= 1ul << task;
		else
			e->stale_by = 0;
	}
}

static void on_store(const struct hd_event *ev)
{
	const struct page_table *table;
	const struct mm_struct *mm;
	u64 off;
	u32 i, k;

	if (!hd_in_heap(ev->op.addr) || !W->running)
		return;
	for (i = 0; (mm = check_mm(i)); i++) {
		for (k = 0; k < PTRS_PER_PMD; k++) {
			table = (const struct page_table *)mm->pmd[k];
			if (!table || mm->pmd[k] & _PAGE_PSE)
				continue;
			off = ev->op.addr - (u64)table->pte;
			if (off < sizeof(table->pte))
				changed(mm, k * PTRS_PER_PTE + (u32)off / 8,
					ev->val, ev->task);
		}
	}
}

/* --- promises ------------------------------------------------------------------ */

static struct tlb_entry *entry_at(u32 i)
{
	return &cpu_tlbs[i / MM_PAGES].entry[i % MM_PAGES];
}

/* Who fills or flushes one is ordered with who judges. */
static void look_at_tlbs(void)
{
	hd_order_range(cpu_tlbs, MM_CPUS * sizeof(*cpu_tlbs), false);
}

static void judge_promise(const struct hd_event *ev)
{
	struct tlb_entry *e;
	u32 i;

	look_at_tlbs();
	for (i = 0; i < MM_CPUS * MM_PAGES; i++) {
		e = entry_at(i);
		if (!(e->stale_by >> ev->task & 1))
			continue;
		raise("entry left behind", ev->op.pc);
		e->stale_by &= ~(1ul << ev->task);
	}
}

static void judge_copy(u64 folio, u32 pc)
{
	struct tlb_entry *e;
	u32 i;

	look_at_tlbs();
	for (i = 0; i < MM_CPUS * MM_PAGES; i++) {
		e = entry_at(i);
		if ((e->pte & ~_PAGE_BITS) == folio && e->pte & _PAGE_RW)
			raise("page copied that a CPU may write to", pc);
	}
}

static void watch(void)
{
	if (watching)
		return;
	watching = true;
	hd_subscribe(HD_STORE, on_store);
	hd_subscribe(HD_USER, judge_promise);
}

static void on_note(const struct hd_event *ev)
{
	if (!mm_has(MM_TLB))
		return;
	switch (ev->op.code) {
	case MM_NOTE_NEW:
		watch();
		break;
	case MM_NOTE_UNMAPPED:
		judge_promise(ev);
		break;
	case MM_NOTE_PAGE_COPIED:
		judge_copy(ev->old, ev->op.pc);
		break;
	}
}

void check_tlb_start(void)
{
	watching = false;
	hd_subscribe(HD_EV_NOTE, on_note);
}
