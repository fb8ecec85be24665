/* SPDX-License-Identifier: MIT */
/* A walk that stays where it is: how long is a node good for?
 *
 * Follows find_vma_prev (mm/mmap.c) and mas_walk, mas_prev, mas_next
 * (lib/maple_tree.c) of 6.1 to 6.5.  Copied in logic: the walk remembers the
 * node that it found, goes on from there without asking the root again, and
 * starts anew if the node is dead by then.  To look at that is an access to the
 * node, so the walk lives off whatever keeps nodes alive: an RCU section, or
 * that nobody may store into the tree, which is what holders of mmap_lock rely
 * on.  Simplified: one level, so that a neighbour is never in another node. */
#include <heddle/mm.h>

#include "mm.h"

struct ma_state {
	struct mm_struct *mm;
	struct maple_node *node; /* NULL: start at the root */
	unsigned long index;
};

static void mas_start(struct ma_state *mas)
{
	if (!mas->node)
		mas->node = rcu_dereference_check(
			mas->mm->mm_mt.root,
			hd_lock_is_held(&mas->mm->mmap_lock.dep_map, -1));
}

static bool mas_rewalk_if_dead(struct ma_state *mas)
{
	smp_rmb();
	if (!READ_ONCE(mas->node->dead))
		return false;
	heddle_remark("node is dead: walk again");
	mas->node = NULL;
	return true;
}

/* What holds index, and if nothing does, what comes behind. */
static struct vm_area_struct *mas_find(struct ma_state *mas)
{
	struct vm_area_struct *vma;
	u32 i, n;

	do {
		mas_start(mas);
		vma = NULL;
		n = mas->node->nslots;
		for (i = 0; i < n && !vma; i++)
			if (mas->node->slot[i].last >= mas->index)
				vma = mas->node->slot[i].vma;
	} while (mas_rewalk_if_dead(mas));
	return vma;
}

static struct vm_area_struct *mas_prev(struct ma_state *mas)
{
	struct vm_area_struct *vma;
	u32 i, n;

	do {
		mas_start(mas);
		vma = NULL;
		n = mas->node->nslots;
		for (i = 0; i < n && mas->node->slot[i].last < mas->index; i++)
			vma = mas->node->slot[i].vma;
	} while (mas_rewalk_if_dead(mas));
	return vma;
}

struct vm_area_struct *find_vma_prev(struct mm_struct *mm, unsigned long addr,
				     struct vm_area_struct **prev)
{
	struct ma_state mas = { .mm = mm, .index = addr };
	struct vm_area_struct *vma = mas_find(&mas);

	*prev = mas_prev(&mas);
	return vma;
}
