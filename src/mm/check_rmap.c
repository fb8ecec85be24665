/* SPDX-License-Identifier: MIT */
/* rmap: can each anonymous page be found from the page?
 *
 * For each page that a VMA of the tree maps: the page is alive; so is its
 * anon_vma; the VMA is in that anon_vma's list; and the page's index is the one
 * at which a walk would look.  At the end of the run also: as many mappings and
 * references are counted as there are entries that map the page; a page that
 * nobody maps has been freed; and none is left locked.  A page that is freed is
 * counted as mapped nowhere.
 *
 * Judged at the end, and when a writer is about to give mmap_lock back or to
 * share it: then no VMA is half linked.  Faults that go on meanwhile publish a
 * page only with its reverse map. */
#include <heddle/mm.h>
#include <string.h>

#include "../engine/engine.h"
#include "check.h"

static void raise(u8 kind, const char *what, u32 pc)
{
	struct hd_verdict v = { .kind = kind, .pc = pc, .nnames = 1,
				.names = { what } };

	hd_raise(v);
}

/* The folio that addr's entry maps. */
static const struct folio *mapped_at(const struct mm_struct *mm, u64 addr)
{
	u64 pmd = mm->pmd[(addr >> PMD_SHIFT) % PTRS_PER_PMD], pte;

	if (!pmd)
		return NULL;
	if (pmd & _PAGE_PSE)
		return (const struct folio *)(pmd & ~_PAGE_BITS);
	pte = ((const struct page_table *)pmd)->pte[(addr >> PAGE_SHIFT) %
						    PTRS_PER_PTE];
	if (!(pte & _PAGE_PRESENT) || pte & _PAGE_SPECIAL)
		return NULL;
	return (const struct folio *)(pte & ~_PAGE_BITS);
}

/* --- from the page to the VMA ---------------------------------------------- */

static bool is_anon(const struct folio *folio)
{
	const void *p = folio->mapping;

	return !p || !hd_in_heap((u64)p) ||
	       !strcmp(hd_object_of(p)->type, "anon_vma");
}

static bool in_list(const struct anon_vma *av, const struct vm_area_struct *vma)
{
	u32 i;

	for (i = 0; i < MM_RMAP_VMAS; i++)
		if (av->vma[i] == vma)
			return true;
	return false;
}

static bool right_index(const struct folio *folio,
			const struct vm_area_struct *vma, u64 addr)
{
	u64 index = ((addr - vma->vm_start) >> PAGE_SHIFT) + vma->vm_pgoff;
	u64 n = folio->flags >> PG_head & 1 ? PTRS_PER_PTE : 1;

	return index - folio->index < n;
}

/* What is wrong with it, or NULL. */
static const char *broken(const struct folio *folio,
			  const struct vm_area_struct *vma, u64 addr)
{
	const struct anon_vma *av;

	if (!check_alive(folio))
		return "freed page is mapped";
	if (!is_anon(folio))
		return NULL;
	av = folio->mapping;
	if (!av)
		return "page without anon_vma";
	if (!check_alive(av))
		return "anon_vma of a mapped page is freed";
	if (!in_list(av, vma))
		return "anon_vma does not list the VMA";
	if (!right_index(folio, vma, addr))
		return "index of a page";
	return NULL;
}

static void judge_mm(const struct mm_struct *mm, u32 pc)
{
	const struct maple_node *node = mm->mm_mt.root;
	const struct folio *folio;
	const char *what;
	u64 addr;
	u32 i;

	check_order_on_ptes(mm);
	for (i = 0; node && i < node->nslots; i++) {
		if (!node->slot[i].vma)
			continue;
		for (addr = node->slot[i].first; addr < node->slot[i].last;
		     addr += PAGE_SIZE) {
			folio = mapped_at(mm, addr);
			what = folio ? broken(folio, node->slot[i].vma, addr) :
				       NULL;
			if (what)
				raise(HD_V_RMAP, what, pc);
		}
	}
}

/* --- from the page to its counters ------------------------------------------ */

static int entries_of(const struct folio *folio)
{
	const struct mm_struct *mm;
	int n = 0;
	u64 i, k;

	for (i = 0; (mm = check_mm((u32)i)); i++) {
		if (!check_alive(mm))
			continue;
		for (k = 0; k < TASK_SIZE; k += PAGE_SIZE) {
			if (mapped_at(mm, k) != folio)
				continue;
			n++;
			if (mm->pmd[k >> PMD_SHIFT] & _PAGE_PSE)
				k |= ~PMD_MASK & ~(PAGE_SIZE - 1);
		}
	}
	return n;
}

void check_folio_counts(const struct folio *folio, u32 pc)
{
	int n = entries_of(folio);

	if (folio->flags >> PG_locked & 1)
		raise(HD_V_HELD_AT_EXIT, "lock of a page", pc);
	if (!folio->mapping || !is_anon(folio))
		return;
	if (folio->_mapcount.counter + 1 != n)
		raise(HD_V_RMAP, "_mapcount of a page", pc);
	if (folio->_refcount.counter > n)
		raise(HD_V_LEAK, "folio", pc);
	if (folio->_refcount.counter < n)
		raise(HD_V_RMAP, "_refcount of a page", pc);
}

static void on_free(const struct hd_event *ev)
{
	const struct folio *folio = (const struct folio *)ev->op.addr;

	if (!check_mm(0) || !mm_has(MM_ANON) || strcmp(hd_object_of(folio)->type, "folio"))
		return;
	if (folio->mapping && is_anon(folio) && folio->_mapcount.counter != -1)
		raise(HD_V_RMAP, "_mapcount of a freed page", ev->op.pc);
}

static void on_note(const struct hd_event *ev)
{
	if (ev->op.code == MM_NOTE_WRITE_END_ALL && ev->val && mm_has(MM_ANON))
		judge_mm((const struct mm_struct *)ev->op.addr, ev->op.pc);
}

static void on_end(const struct hd_event *ev)
{
	const struct mm_struct *mm;
	u32 i;

	for (i = 0; (mm = check_mm(i)) && mm_has(MM_ANON); i++)
		if (check_alive(mm))
			judge_mm(mm, ev->op.pc);
}

void check_rmap_start(void)
{
	hd_subscribe(HD_EV_NOTE, on_note);
	hd_subscribe(HD_FREE, on_free);
	hd_subscribe(HD_EV_END, on_end);
}
