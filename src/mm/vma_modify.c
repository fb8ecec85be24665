/* SPDX-License-Identifier: MIT */
#include <heddle/mm.h>

#include "mm.h"

int split_vma(struct vm_area_struct *vma, unsigned long addr, bool new_below)
{
	struct vm_area_struct *new = vm_area_dup(vma);

	if (!new)
		return -ENOMEM;
	vma_start_write(vma);
	vma_start_write(new);
	vma_adjust_trans_huge(vma, vma->vm_start, addr);
	if (new_below) {
		new->vm_end = addr;
		vma->vm_start = addr;
	} else {
		new->vm_start = addr;
		vma->vm_end = addr;
	}
	vma_mark_attached(new);
	mas_store(vma->vm_mm, new);
	vma->vm_mm->map_count++;
	return 0;
}
