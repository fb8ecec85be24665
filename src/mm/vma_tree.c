/* SPDX-License-Identifier: MIT */
/* The VMA tree: what a lookup under RCU can see while a writer changes it.
 *
 * Models lib/maple_tree.c of 6.12 in RCU mode.  Simplified: one leaf node that
 * is replaced as a whole, published with one pointer store; the old node is
 * marked dead and freed after a grace period.  Copied in logic: readers take
 * what they need out of a node, then test whether it is dead and start again;
 * a range that is stored cuts what lay there.  Not modelled: in-place stores of
 * one slot, the cached walk state. */
#include <heddle/mm.h>

/* A macro, so that reports name the walk.  Where exit_mmap() takes no lock, trees
 * were not under RCU yet. */
#define root_of(mm)                                                    \
	rcu_dereference_check((mm)->mm_mt.root,                        \
		hd_lock_is_held(&(mm)->mmap_lock.dep_map, -1) ||       \
		!mm_does(MM_STEP_EXIT_LOCKS_MM))

struct vm_area_struct *mas_walk(struct mm_struct *mm, unsigned long addr)
{
	struct vm_area_struct *vma;
	struct maple_node *node;
	u32 i, n;

again:
	node = root_of(mm);
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

/* Slots are sorted: the first one that ends at addr or behind it. */
struct vm_area_struct *find_vma(struct mm_struct *mm, unsigned long addr)
{
	struct vm_area_struct *vma;
	struct maple_node *node;
	u32 i, n;

again:
	node = root_of(mm);
	vma = NULL;
	n = node->nslots;
	for (i = 0; i < n; i++) {
		if (node->slot[i].last < addr)
			continue;
		vma = node->slot[i].vma;
		break;
	}
	smp_rmb();
	if (READ_ONCE(node->dead))
		goto again;
	return vma;
}

struct vm_area_struct *vma_next(struct mm_struct *mm, unsigned long addr)
{
	struct maple_node *node = root_of(mm);
	u32 i, n = node->nslots;

	for (i = 0; i < n; i++)
		if (node->slot[i].first > addr)
			return node->slot[i].vma;
	return NULL;
}

struct vm_area_struct *vma_prev(struct mm_struct *mm, unsigned long addr)
{
	struct maple_node *node = root_of(mm);
	u32 i = node->nslots;

	while (i--)
		if (node->slot[i].last < addr)
			return node->slot[i].vma;
	return NULL;
}

static void publish(struct mm_struct *mm, struct maple_node *node)
{
	struct maple_node *old = mm->mm_mt.root;

	rcu_assign_pointer(mm->mm_mt.root, node);
	mm_note(MM_NOTE_TREE, mm, NULL, 0);
	/* walks that stand in it start again, and it stays as long as they may
	 * look */
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

static void add_slot(struct maple_node *node, unsigned long first,
		     unsigned long last, struct vm_area_struct *vma)
{
	u32 n = node->nslots;

	if (n == MM_TREE_SLOTS)
		heddle_limit("VMAs of a tree");
	node->slot[n].first = first;
	node->slot[n].last = last;
	node->slot[n].vma = vma;
	node->nslots = n + 1;
}

void mas_store_range(struct mm_struct *mm, unsigned long start,
		     unsigned long end, struct vm_area_struct *vma)
{
	struct maple_node *old = mm->mm_mt.root, *node = new_node();
	unsigned long first, last;
	struct vm_area_struct *there;
	bool stored = !vma;
	u32 i, n = old->nslots;

	for (i = 0; i < n; i++) {
		first = old->slot[i].first;
		last = old->slot[i].last;
		there = old->slot[i].vma;
		if (first < start)
			add_slot(node, first, last < start ? last : start - 1,
				 there);
		if (last >= start && !stored) {
			add_slot(node, start, end - 1, vma);
			stored = true;
		}
		if (last >= end)
			add_slot(node, first >= end ? first : end, last, there);
	}
	if (!stored)
		add_slot(node, start, end - 1, vma);
	publish(mm, node);
}
