/* SPDX-License-Identifier: MIT */
/* Memory policies: on which node a VMA's pages shall lie
 * (include/linux/mempolicy.h, mm/mempolicy.c; 6.4, 6.5).
 *
 * A policy is MPOL_BIND to one node; node 0 is what a VMA without a policy gets.
 * It is counted: each VMA has one of its own, and frees it with the last
 * reference.  A fault that holds the VMA (or mmap_lock) uses the policy without
 * a reference.  Only scenarios with the part MM_POLICY have any. */
#ifndef HEDDLE_MEMPOLICY_H
#define HEDDLE_MEMPOLICY_H

#include <heddle/mm_types.h>

/* With one reference.  NULL: no memory. */
struct mempolicy *mpol_new(int node);
void mpol_get(struct mempolicy *pol);
void mpol_put(struct mempolicy *pol); /* NULL is fine */
/* dst, which nobody sees, gets a copy of src's policy.  0 or -ENOMEM. */
int __must_check vma_dup_policy(struct vm_area_struct *src,
				struct vm_area_struct *dst);
/* Where a page for vma comes from; under a lock that keeps the policy. */
int vma_policy_node(struct vm_area_struct *vma);

/* mbind(2) with MPOL_BIND and MPOL_MF_MOVE: pages that lie elsewhere are moved.
 * 0, -EFAULT (a hole), -ENOMEM. */
int do_mbind(struct mm_struct *mm, unsigned long start, unsigned long end,
	     int node);

#endif
