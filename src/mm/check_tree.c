/* SPDX-License-Identifier: MIT */
/* tree, huge-pmd: what is true of an address space whenever nobody changes it.
 *
 * tree      the VMAs of the tree are sorted, disjoint, alive, as large as the
 *           tree says, and map_count many
 * huge-pmd  a group of pages that is mapped as a whole lies in one VMA, or in
 *           none
 *
 * Judged when a writer is about to give mmap_lock back, or to share it
 * (MM_NOTE_WRITE_END_ALL), and at the end of the run. */
#include <heddle/mm.h>

#include "../engine/engine.h"
#include "check.h"

static void raise(u8 kind, const char *name, u32 pc)
{
	struct hd_verdict v = { .kind = kind, .pc = pc, .nnames = 1,
				.names = { name } };

	hd_raise(v);
}

static const char *broken_slot(const struct maple_node *node, u32 i,
			       const struct mm_struct *mm)
{
	const struct vm_area_struct *vma = node->slot[i].vma;

	if (i && node->slot[i].first <= node->slot[i - 1].last)
		return "order";
	if (node->slot[i].first > node->slot[i].last)
		return "empty VMA";
	if (!vma)
		return NULL;
	if (!check_alive(vma))
		return "freed VMA";
	if (vma->vm_mm != mm)
		return "vm_mm";
	if (vma->vm_start != node->slot[i].first ||
	    vma->vm_end != node->slot[i].last + 1)
		return "range";
	return NULL;
}

static void judge_tree(const struct mm_struct *mm, u32 pc)
{
	const struct maple_node *node = mm->mm_mt.root;
	const char *broken = NULL;
	u32 i;

	for (i = 0; !broken && i < node->nslots; i++)
		broken = broken_slot(node, i, mm);
	if (!broken && (u32)mm->map_count != node->nslots)
		broken = "map_count";
	if (broken)
		raise(HD_V_TREE, broken, pc);
}

/* The group from addr on is cut by a bound of a VMA. */
static bool is_cut(const struct maple_node *node, u64 addr)
{
	u64 last = addr + PMD_SIZE - 1;
	u32 i;

	for (i = 0; i < node->nslots; i++) {
		if (node->slot[i].last < addr || node->slot[i].first > last)
			continue;
		if (node->slot[i].first > addr || node->slot[i].last < last)
			return true;
	}
	return false;
}

static void judge_huge(const struct mm_struct *mm, u32 pc)
{
	u32 i;

	for (i = 0; i < PTRS_PER_PMD; i++)
		if (mm->pmd[i] & _PAGE_PSE &&
		    is_cut(mm->mm_mt.root, (u64)i << PMD_SHIFT))
			raise(HD_V_HUGE_PMD, "mm_struct.pmd", pc);
}

static void judge(const struct mm_struct *mm, u32 pc)
{
	if (!check_alive(mm) || !mm->mm_mt.root)
		return;
	judge_tree(mm, pc);
	judge_huge(mm, pc);
}

static void on_note(const struct hd_event *ev)
{
	if (ev->op.code == MM_NOTE_WRITE_END_ALL && ev->val)
		judge((const struct mm_struct *)ev->op.addr, ev->op.pc);
}

static void on_end(const struct hd_event *ev)
{
	const struct mm_struct *mm;
	u32 i;

	for (i = 0; (mm = check_mm(i)); i++)
		judge(mm, ev->op.pc);
}

void check_tree_start(void)
{
	hd_subscribe(HD_EV_NOTE, on_note);
	hd_subscribe(HD_EV_END, on_end);
}
