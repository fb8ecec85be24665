/* SPDX-License-Identifier: MIT */
/* Who keeps an address space alive, and how it is copied and torn down
 * (include/linux/sched/mm.h, kernel/fork.c, mm/mmap.c; 6.12).
 *
 * mm_users counts who may use the VMAs and pages; at the last mmput() all of
 * them are unmapped and freed.  mm_count counts who may touch the mm_struct;
 * all users together are one of these.  Freed at the last mmdrop(). */
#ifndef HEDDLE_FORK_H
#define HEDDLE_FORK_H

#include <heddle/mm_types.h>

static __always_inline void mmgrab(struct mm_struct *mm)
{
	atomic_inc(&mm->mm_count);
}
void mmdrop(struct mm_struct *mm);

/* Only by somebody who is a user himself. */
static __always_inline void mmget(struct mm_struct *mm)
{
	atomic_inc(&mm->mm_users);
}
/* By somebody who has the mm_struct only.  False: exit_mmap() has begun. */
static __always_inline bool __must_check mmget_not_zero(struct mm_struct *mm)
{
	return atomic_inc_not_zero(&mm->mm_users);
}
/* What exit(2) does with its mm: the last user calls exit_mmap(). */
void mmput(struct mm_struct *mm);

/* fork(2), as far as it is about memory: a copy of the address space, whose
 * only user is the caller.  NULL: -ENOMEM or -EINTR in *err, and oldmm is as
 * before, but that its private pages may be write-protected. */
struct mm_struct *dup_mm(struct mm_struct *oldmm, int *err);

#endif
