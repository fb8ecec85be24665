/* SPDX-License-Identifier: MIT */
/* The VMA tree: what a lookup under RCU can see while a writer changes it.
 *
 * Models lib/maple_tree.c of 6.12 in RCU mode.  Simplified: one leaf node that
 * is replaced as a whole, published with one pointer store; the old node is
 * marked dead and freed after a grace period.  Copied in logic: readers take
 * what they need out of a node, then test whether it is dead and start again.
 * Not modelled: in-place stores of one slot, the cached walk state. */
#include <heddle/mm.h>

struct vm_area_struct *mas_walk(struct mm_struct *mm, unsigned long addr)
{
	struct vm_area_struct *vma;
	struct maple_node *node;
	u32 i, n;

again:
	node = rcu_dereference_check(
		mm->mm_mt.root, hd_lock_is_held(&mm->mmap_lock.dep_map, -1));
	vma = NULL;
	n = node->nslots;
	for (i = 0; i < n; i++) {
		if (addr < node->slot[i].first || addr > node->slot[i].last)
			continue;
		vma = node->slot[i].vma;
		break;
	}
	smp_rmb();
	if (READ_ONCE(node->dead))
		goto again;
	return vma;
}

static void publish(struct mm_struct *mm, struct maple_node *node)
{
	struct maple_node *old = mm->mm_mt.root;

	rcu_assign_pointer(mm->mm_mt.root, node);
	mm_note(MM_NOTE_TREE, mm, NULL, 0);
	if (!old)
		return;
	WRITE_ONCE(old->dead, 1);
	kfree_rcu(old, rcu);
}

static struct maple_node *new_node(void)
{
	struct maple_node *node = kzalloc(
		sizeof(struct maple_node), GFP_KERNEL | __GFP_NOFAIL);

	heddle_keep(node); /* the tree owns it */
	return node;
}

void mas_clear(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	struct maple_node *old = mm->mm_mt.root, *node = new_node();
	u32 i, k = 0, n = old->nslots;

	for (i = 0; i < n; i++) {
		if (old->slot[i].first >= start && old->slot[i].last < end)
			continue;
		node->slot[k].first = old->slot[i].first;
		node->slot[k].last = old->slot[i].last;
		node->slot[k].vma = old->slot[i].vma;
		k++;
	}
	node->nslots = k;
	publish(mm, node);
}

void mas_store(struct mm_struct *mm, struct vm_area_struct *vma)
{
	struct maple_node *old = mm->mm_mt.root, *node = new_node();
	u32 i, n = old->nslots;

	for (i = 0; i < n; i++) {
		node->slot[i].first = old->slot[i].first;
		node->slot[i].last = old->slot[i].last;
		node->slot[i].vma = old->slot[i].vma;
	}
	node->slot[n].first = vma->vm_start;
	node->slot[n].last = vma->vm_end - 1;
	node->slot[n].vma = vma;
	node->nslots = n + 1;
	publish(mm, node);
}
