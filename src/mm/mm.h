/* SPDX-License-Identifier: MIT */
/* What the parts of the mm world share among themselves; scenarios do not see
 * it. */
#ifndef MM_MM_H
#define MM_MM_H

#include <heddle/mm.h>

/* memory.c: an entry was cleared; its page loses a mapping.  Under ptl. */
void zap_present_page(struct mm_struct *mm, unsigned long addr,
		      unsigned long entry);
/* huge_memory.c: if addr's group is mapped as a whole: take it away, if [addr,
 * end) is the group, else split it and return false. */
bool zap_huge_pmd(struct mm_struct *mm, unsigned long addr, unsigned long end);
/* huge_memory.c: map the whole group if vma has room for it.  VM_FAULT_NOPAGE,
 * or 0: single pages. */
int do_huge_pmd_anonymous_page(struct vm_fault *vmf);

#endif
