/* SPDX-License-Identifier: MIT */
/* leak: what an address space owns, and has lost.
 *
 * VMAs, page tables, pages and anon_vmas may outlive a run, in an address space
 * that does.  So the oracle of lifetimes leaves them alone, and they are judged
 * here, at the end of the run, by whether anything leads to them:
 *
 *   VMA, tree node   is in the tree of an mm
 *   vma_lock         belongs to a VMA that is not freed
 *   page table       is in an mm, and a VMA lies in its group
 *   mapping of vfio  is on the list of its device (check_vfio.c)
 *   anon_vma, file,  are counted as often as they are linked
 *   policy, page     (check_links.c, check_rmap.c)
 *
 * An mm that is freed has nothing of them left (the kernel's check_mm()). */
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

/* Only set-ups of mms that are being built have a NULL root. */
static const struct maple_node *tree_of(u32 i)
{
	const struct mm_struct *mm = check_mm(i);

	return check_alive(mm) ? mm->mm_mt.root : NULL;
}

bool check_in_a_tree(const struct vm_area_struct *vma)
{
	const struct maple_node *node;
	u32 i, k;

	for (i = 0; check_mm(i); i++) {
		node = tree_of(i);
		for (k = 0; node && k < node->nslots; k++)
			if (node->slot[k].vma == vma)
				return true;
	}
	return false;
}

static bool is_a_tree(const struct maple_node *node)
{
	u32 i;

	for (i = 0; check_mm(i); i++)
		if (tree_of(i) == node)
			return true;
	return false;
}

static bool has_a_vma_in(const struct mm_struct *mm, u64 start, u64 end)
{
	u64 addr;

	for (addr = start; addr < end; addr += PAGE_SIZE)
		if (check_covered(mm, addr))
			return true;
	return false;
}

static const char *lost_table(const struct page_table *table)
{
	const struct mm_struct *mm;
	u64 start;
	u32 i, k;

	for (i = 0; (mm = check_mm(i)); i++) {
		for (k = 0; check_alive(mm) && k < PTRS_PER_PMD; k++) {
			if (mm->pmd[k] != (u64)table)
				continue;
			start = (u64)k << PMD_SHIFT;
			return has_a_vma_in(mm, start, start + PMD_SIZE) ?
				       NULL :
				       "page_table that no VMA needs";
		}
	}
	return "page_table";
}

static bool has_its_vma(const struct vma_lock *lock)
{
	const struct vm_area_struct *vma;
	const struct hd_object *o;

	for (o = check_next(NULL, "vm_area_struct"); o;
	     o = check_next(o, "vm_area_struct")) {
		vma = (const void *)(o + 1);
		if (vma->vm_lock == lock && check_alive(vma))
			return true;
	}
	return false;
}

static void judge(const struct hd_object *o)
{
	const void *p = o + 1;
	const char *lost = NULL;

	if (!strcmp(o->type, "vm_area_struct")) {
		/* a set-up may keep one aside, for a task to map */
		if (o->alloc_task < W->ntasks && !check_in_a_tree(p))
			lost = o->type;
	} else if (!strcmp(o->type, "maple_node")) {
		lost = is_a_tree(p) ? NULL : o->type;
	} else if (!strcmp(o->type, "vma_lock")) {
		lost = has_its_vma(p) ? NULL : o->type;
	} else if (!strcmp(o->type, "page_table")) {
		lost = lost_table(p);
	} else if (!strcmp(o->type, "vfio_pci_mmap_vma")) {
		lost = check_vfio_listed(p) ? NULL : o->type;
	} else if (!strcmp(o->type, "folio")) {
		check_folio_counts(p, o->alloc_pc);
	} else {
		check_links(o);
	}
	if (lost)
		raise(lost, o->alloc_pc);
}

static void on_end(const struct hd_event *ev)
{
	const struct hd_object *o;

	(void)ev;
	if (!check_mm(0))
		return;
	for (o = check_next(NULL, NULL); o; o = check_next(o, NULL))
		/* what was not kept is judged by the oracle of lifetimes */
		if (o->state == HD_OBJ_LIVE && o->setup)
			judge(o);
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
