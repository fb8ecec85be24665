/* SPDX-License-Identifier: MIT */
/* BUG and WARN (include/asm-generic/bug.h, include/linux/mmdebug.h, 6.12).
 *
 * BUG is fatal, WARN is recorded; the condition's text is part of the verdict
 * and of its signature.  WARN forms evaluate to the condition.  Unlike the
 * kernel's, WARN_ON_ONCE is judged anew in each run. */
#ifndef HEDDLE_BUG_H
#define HEDDLE_BUG_H

#include <heddle/heddle.h>

void hd_bug(const char *cond);
void hd_warn(const char *cond);

#define BUG() hd_bug("BUG")
#define BUG_ON(cond)                                                   \
	do {                                                           \
		if (unlikely(cond))                                    \
			hd_bug(#cond);                                 \
	} while (0)
#define WARN_ON(cond)                                                  \
	({                                                             \
		bool __cond = !!(cond);                                \
		if (unlikely(__cond))                                  \
			hd_warn(#cond);                                \
		__cond;                                                \
	})
#define WARN_ON_ONCE(cond) WARN_ON(cond)
#define WARN(cond, ...) WARN_ON(cond)
#define WARN_ONCE(cond, ...) WARN_ON(cond)
#define VM_BUG_ON(cond) BUG_ON(cond)
#define VM_BUG_ON_VMA(cond, vma) BUG_ON(cond)
#define VM_BUG_ON_MM(cond, mm) BUG_ON(cond)
#define VM_WARN_ON(cond) ((void)WARN_ON(cond))
#define VM_WARN_ON_ONCE(cond) WARN_ON(cond)
#define VM_WARN_ON_ONCE_VMA(cond, vma) WARN_ON(cond)
#define VM_WARN_ON_VMG(cond, vmg) WARN_ON(cond)

#endif
