/* SPDX-License-Identifier: MIT */
/* leak: what an address space owns, and has lost.
 *
 * VMAs, page tables, pages and anon_vmas may outlive a run, in an address space
 * that does.  So the oracle of lifetimes leaves them alone, and they are judged
 * here, at the end of the run: each VMA that the run made is in the tree of an
 * mm, each page table is in one, each anon_vma has a VMA, each page is mapped as
 * often as it is counted (check_rmap.c).  An mm that is freed has nothing of
 * them left (the kernel's check_mm()). */
#include <heddle/mm.h>
#include <string.h>

#include "../engine/engine.h"
#include "check.h"

static void raise(const char *what, u32 pc)
{
	struct hd_verdict v = { .kind = HD_V_LEAK, .pc = pc, .nnames = 1,
				.names = { what } };

	hd_raise(v);
}

static bool in_a_tree(const struct vm_area_struct *vma)
{
	const struct maple_node *node;
	const struct mm_struct *mm;
	u32 i, k;

	for (i = 0; (mm = check_mm(i)); i++) {
		node = check_alive(mm) ? mm->mm_mt.root : NULL;
		for (k = 0; node && k < node->nslots; k++)
			if (node->slot[k].vma == vma)
				return true;
	}
	return false;
}

static bool in_a_pmd(const struct page_table *table)
{
	const struct mm_struct *mm;
	u32 i, k;

	for (i = 0; (mm = check_mm(i)); i++)
		for (k = 0; k < PTRS_PER_PMD; k++)
			if (check_alive(mm) && mm->pmd[k] == (u64)table)
				return true;
	return false;
}

static bool has_a_vma(const struct anon_vma *av)
{
	u32 i;

	for (i = 0; i < MM_RMAP_VMAS; i++)
		if (av->vma[i] && check_alive(av->vma[i]))
			return true;
	return false;
}

static void judge(const struct hd_object *o)
{
	const void *p = o + 1;

	if (!strcmp(o->type, "vm_area_struct")) {
		/* a set-up may keep one aside, for a task to map */
		if (o->alloc_task < W->ntasks && !in_a_tree(p))
			raise("vm_area_struct", o->alloc_pc);
	} else if (!strcmp(o->type, "page_table")) {
		if (!in_a_pmd(p))
			raise("page_table", o->alloc_pc);
	} else if (!strcmp(o->type, "anon_vma")) {
		if (!has_a_vma(p))
			raise("anon_vma", o->alloc_pc);
	} else if (!strcmp(o->type, "folio")) {
		check_folio_counts(p, o->alloc_pc);
	}
}

static void on_end(const struct hd_event *ev)
{
	u64 at = HD_HEAP_BASE + HD_GRANULE;
	const struct hd_object *o;

	(void)ev;
	if (!check_mm(0))
		return;
	while (at < HD_HEAP_BASE + W->heap_used) {
		o = (const struct hd_object *)at;
		/* what was not kept is judged by the oracle of lifetimes */
		if (o->state == HD_OBJ_LIVE && o->setup)
			judge(o);
		at += sizeof(*o) + ((o->size + HD_GRANULE - 1) &
				    ~(u64)(HD_GRANULE - 1));
	}
}

static void on_note(const struct hd_event *ev)
{
	const struct mm_struct *mm = (const struct mm_struct *)ev->op.addr;
	u32 i;

	if (ev->op.code != MM_NOTE_MM_FREED)
		return;
	if (mm->map_count || !mm->mm_mt.root || mm->mm_mt.root->nslots)
		raise("VMA of a freed mm", ev->op.pc);
	for (i = 0; i < PTRS_PER_PMD; i++)
		if (mm->pmd[i])
			raise("page table of a freed mm", ev->op.pc);
	if (mm->mm_users.counter)
		raise("user of a freed mm", ev->op.pc);
}

void check_leak_start(void)
{
	hd_subscribe(HD_EV_NOTE, on_note);
	hd_subscribe(HD_EV_END, on_end);
}
