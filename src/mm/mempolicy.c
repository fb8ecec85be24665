/* SPDX-License-Identifier: MIT */
/* mbind(2): how is the policy of a VMA replaced that faults are using?
 *
 * Follows mm/mempolicy.c of 6.4 and 6.5: do_mbind, queue_pages_range,
 * mbind_range, vma_replace_policy, get_vma_policy.  Copied in logic: under
 * mmap_lock for write the pages that lie on other nodes are collected, then each
 * VMA gets a copy of the policy and puts its old one, then what was collected is
 * moved.  Since 6.5 all VMAs of the range are write-locked before that.
 * Simplified: one node per policy, no merging, pages are numbers
 * (PAGE_NUMBER), and to move one is to replace its entry. */
#include <heddle/mempolicy.h>
#include <heddle/mm.h>

#include "mm.h"

struct mempolicy *mpol_new(int node)
{
	struct mempolicy *pol = kzalloc(sizeof(struct mempolicy), GFP_KERNEL);

	if (!pol)
		return NULL;
	heddle_keep(pol); /* its VMA owns it */
	atomic_set(&pol->refcnt, 1);
	pol->node = node;
	return pol;
}

void mpol_get(struct mempolicy *pol)
{
	atomic_inc(&pol->refcnt);
}

void mpol_put(struct mempolicy *pol)
{
	if (pol && atomic_dec_and_test(&pol->refcnt))
		kfree(pol);
}

int vma_dup_policy(struct vm_area_struct *src, struct vm_area_struct *dst)
{
	struct mempolicy *pol = src->vm_policy;

	if (pol) {
		pol = mpol_new(pol->node);
		if (!pol)
			return -ENOMEM;
	}
	dst->vm_policy = pol;
	return 0;
}

int vma_policy_node(struct vm_area_struct *vma)
{
	struct mempolicy *pol = vma->vm_policy;

	return pol ? pol->node : 0;
}

/* --- mbind ------------------------------------------------------------------ */

struct pagelist {
	unsigned long addr[PTRS_PER_PMD * PTRS_PER_PTE];
	u32 n;
};

static void queue_pages_range(struct mm_struct *mm, unsigned long start,
			      unsigned long end, int node, struct pagelist *list)
{
	struct page_table *table;
	unsigned long pte;

	for (; start < end; start += PAGE_SIZE) {
		table = pte_offset(mm, start);
		if (!table)
			continue;
		spin_lock(&table->ptl);
		pte = READ_ONCE(table->pte[pte_index(start)]);
		if (pte && PAGE_NODE(pte) != node)
			list->addr[list->n++] = start;
		spin_unlock(&table->ptl);
	}
}

static void migrate_pages(struct mm_struct *mm, const struct pagelist *list,
			  int node)
{
	struct page_table *table;
	unsigned long addr;
	u32 i;

	for (i = 0; i < list->n; i++) {
		addr = list->addr[i];
		table = pte_offset(mm, addr);
		spin_lock(&table->ptl);
		WRITE_ONCE(table->pte[pte_index(addr)],
			   PAGE_NUMBER(addr, node));
		spin_unlock(&table->ptl);
		heddle_mark("page moved to its node");
	}
}

static int vma_replace_policy(struct vm_area_struct *vma, int node)
{
	struct mempolicy *old, *new = mpol_new(node);

	if (!new)
		return -ENOMEM;
	if (mm_does(MM_STEP_MBIND_LOCKS))
		vma_start_write(vma);
	old = vma->vm_policy;
	vma->vm_policy = new;
	mpol_put(old);
	return 0;
}

static int mbind_range(struct vm_area_struct *vma, unsigned long start,
		       unsigned long end, int node)
{
	int err = 0;

	if (vma->vm_start < start)
		err = split_vma(vma, start, true);
	if (!err && vma->vm_end > end)
		err = split_vma(vma, end, false);
	return err ? err : vma_replace_policy(vma, node);
}

/* Before the pages are looked for: else a fault adds one behind the search. */
static void lock_vmas(struct mm_struct *mm, unsigned long start,
		      unsigned long end)
{
	struct vm_area_struct *vma;

	for (; start < end; start = vma->vm_end) {
		vma = find_vma(mm, start);
		if (!vma || vma->vm_start >= end)
			break;
		vma_start_write(vma);
	}
}

static int mbind_locked(struct mm_struct *mm, unsigned long start,
			unsigned long end, int node)
{
	struct pagelist list = { .n = 0 };
	struct vm_area_struct *vma;
	unsigned long addr, next;
	int err = 0;

	if (mm_does(MM_STEP_MBIND_LOCKS) && mm_does(MM_STEP_MBIND_LOCKS_FIRST))
		lock_vmas(mm, start, end);
	queue_pages_range(mm, start, end, node, &list);
	for (addr = start; !err && addr < end; addr = next) {
		vma = find_vma(mm, addr);
		if (!vma || vma->vm_start > addr)
			return -EFAULT;
		next = vma->vm_end;
		err = mbind_range(vma, start, end, node);
	}
	if (!err)
		migrate_pages(mm, &list, node);
	return err;
}

int do_mbind(struct mm_struct *mm, unsigned long start, unsigned long end,
	     int node)
{
	int err;

	mmap_write_lock(mm);
	err = mbind_locked(mm, start, end, node);
	mmap_write_unlock(mm);
	return err;
}
