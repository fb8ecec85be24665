/* SPDX-License-Identifier: MIT */
/* May the kernel fault when it reads user memory, and what if it does?
 *
 * Follows pagefault_disable and copy_from_user (include/linux/uaccess.h) and
 * __might_fault (mm/memory.c) of 6.12.  Copied in logic: with page faults
 * disabled the copy of a page that is not there fails and no lock is touched;
 * else lockdep is told that mmap_lock may be taken for read.  Simplified: see
 * include/heddle/uaccess.h. */
#include <heddle/uaccess.h>

static u8 disabled[HD_KERNEL_TASKS]; /* per task: depth */

void pagefault_disable(void)
{
	disabled[hd_current()]++;
}

void pagefault_enable(void)
{
	disabled[hd_current()]--;
}

bool pagefault_disabled(void)
{
	return disabled[hd_current()];
}

void might_fault(struct mm_struct *mm)
{
	if (pagefault_disabled())
		return;
	might_sleep();
	might_lock_read(&mm->mmap_lock);
}

unsigned long copy_from_user(unsigned long *to, struct mm_struct *mm,
			     unsigned long addr)
{
	might_fault(mm);
	while (!user_load(mm, addr, to)) {
		if (pagefault_disabled()) {
			heddle_mark("copy fails: page faults disabled");
			return PAGE_SIZE;
		}
		heddle_mark("page fault in a copy");
		if (do_user_addr_fault(mm, addr, 0))
			return PAGE_SIZE;
	}
	return 0;
}
