/* SPDX-License-Identifier: MIT */
/* The frame in which each change of a VMA's range happens: vma_prepare(), the
 * change, vma_complete() (mm/vma.c, 6.4 to 6.12). */
#ifndef MM_VMA_MODIFY_H
#define MM_VMA_MODIFY_H

#include "mm.h"

struct vma_prepare {
	struct vm_area_struct *vma;      /* its range changes */
	struct vm_area_struct *adj_next; /* and this one's lower end, or NULL */
	struct vm_area_struct *insert;   /* goes into the tree, or NULL */
	struct vm_area_struct *remove, *remove2; /* are swallowed, or NULL */
	struct address_space *mapping;
	struct anon_vma *anon_vma;
};

/* Fill in what follows from the VMAs. */
void init_vma_prep(struct vma_prepare *vp);
void vma_prepare(struct vma_prepare *vp);
void vma_complete(struct vma_prepare *vp);
/* What the order of the variant says: lock, vma_prepare() and
 * vma_adjust_trans_huge() for vma becoming [start, end). */
void vma_start_change(struct vma_prepare *vp, unsigned long start,
		      unsigned long end);
void vma_set_range(struct vm_area_struct *vma, unsigned long start,
		   unsigned long end);
int __must_check dup_anon_vma(struct vm_area_struct *dst,
			      struct vm_area_struct *src,
			      struct vm_area_struct **dup);
/* dup: what dup_anon_vma() said, or NULL. */
void undo_dup_anon_vma(struct vm_area_struct *dup);

#endif
