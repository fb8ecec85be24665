/* SPDX-License-Identifier: MIT */
/* The kernel reads user memory, and may fault on it (include/linux/uaccess.h,
 * mm/memory.c, 6.12).
 *
 * The address space of the running task is a parameter, since tasks have none of
 * their own; it needs the part MM_ANON.  What is copied of a page is its first
 * word.  A page that is present is read without a lock, as hardware does (tlb.h);
 * else there is a page fault, which takes mmap_lock for read, unless page faults
 * are disabled: then the read fails.  A call that may fault says so to lockdep,
 * whether it does or not (might_fault). */
#ifndef HEDDLE_UACCESS_H
#define HEDDLE_UACCESS_H

#include <heddle/mm.h>

void pagefault_disable(void);
void pagefault_enable(void);
bool pagefault_disabled(void);
void might_fault(struct mm_struct *mm);
/* One page from addr.  What was not copied: 0, or PAGE_SIZE. */
unsigned long __must_check copy_from_user(unsigned long *to,
					  struct mm_struct *mm,
					  unsigned long addr);

#endif
