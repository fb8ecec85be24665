/* SPDX-License-Identifier: MIT */
/* Opponents: ready tasks on accepted code, for the task that a reviewer brings.
 *
 *   static const struct heddle_task tasks[] = {
 *           { .name = "move", .fn = move_task },
 *           heddle_against(munmap, mprotect, fault),
 *           { 0 },
 *   };
 *
 * and in the set-up  heddle_arena(mm, start, end);  which says where they act.
 * Each makes one call and returns to user space.  On which part of the arena
 * (all of it, the lower half, the upper half, or across the middle), in which
 * direction, and whether it reads or writes is a data choice: the schedule has
 * it, so run, explore and fuzz try all.
 *
 *   munmap mmap mprotect mremap madvise   system calls (mm.h)
 *   fork         copies the address space, and lets go of the copy
 *   exit         the process ends: its threads, which the other opponents are,
 *                have left by then; who is none of them has to mmget_not_zero()
 *   fault        a page fault at any page of the arena
 *   stack_fault  a fault one page below the first VM_GROWSDOWN VMA
 *   uffd_copy, uffd_move   ioctls of userfaultfd; the VMAs that the arena has in
 *                the set-up are registered (part MM_ANON)
 *   collapse     khugepaged makes a huge page of a group (6.12)
 *   writer       write-locks mmap_lock, then each VMA in the order of addresses
 */
#ifndef HEDDLE_OPPONENTS_H
#define HEDDLE_OPPONENTS_H

#include <heddle/mm.h>

struct mm_call {
	const char *name;
	void (*fn)(struct mm_struct *mm, unsigned long start,
		   unsigned long end);
};

/* What can happen to any address space ... */
#define HD_CALLS(X)                                                    \
	X(munmap)                                                      \
	X(fault)                                                       \
	X(mprotect)                                                    \
	X(mremap)                                                      \
	X(madvise)                                                     \
	X(mmap)                                                        \
	X(writer)                                                      \
	X(collapse)                                                    \
	X(stack_fault)                                                 \
	X(fork)
/* ... and what asks for more than VMAs. */
#define HD_SPECIAL_CALLS(X)                                            \
	X(uffd_copy)                                                   \
	X(uffd_move)                                                   \
	X(exit)

#define X(name) extern const struct mm_call heddle_call_##name;
HD_CALLS(X)
HD_SPECIAL_CALLS(X)
#undef X
/* In the order of HD_CALLS; NULL behind the last. */
extern const struct mm_call *const heddle_calls[];

/* In the set-up: the calls act on [start, end) of mm. */
void heddle_arena(struct mm_struct *mm, unsigned long start,
		  unsigned long end);
/* arg is a struct mm_call: made once, on a part of the arena. */
void heddle_opponent(void *arg);
/* One call on a part of the arena that the schedule chooses, up to the return
 * to user space. */
void heddle_make_call(const struct mm_call *call);

#define HD_AGAINST(n) \
	{ .name = #n, .fn = heddle_opponent, .arg = (void *)&heddle_call_##n }
#define HD_AGAINST_1(a) HD_AGAINST(a)
#define HD_AGAINST_2(a, ...) HD_AGAINST(a), HD_AGAINST_1(__VA_ARGS__)
#define HD_AGAINST_3(a, ...) HD_AGAINST(a), HD_AGAINST_2(__VA_ARGS__)
#define HD_AGAINST_4(a, ...) HD_AGAINST(a), HD_AGAINST_3(__VA_ARGS__)
#define HD_AGAINST_5(a, ...) HD_AGAINST(a), HD_AGAINST_4(__VA_ARGS__)
#define HD_AGAINST_6(a, ...) HD_AGAINST(a), HD_AGAINST_5(__VA_ARGS__)
#define HD_AGAINST_7(a, ...) HD_AGAINST(a), HD_AGAINST_6(__VA_ARGS__)
#define HD_AGAINST_8(a, ...) HD_AGAINST(a), HD_AGAINST_7(__VA_ARGS__)
#define HD_AGAINST_N(a, b, c, d, e, f, g, h, n, ...) HD_AGAINST_##n
/* One to eight names. */
#define heddle_against(...)                                            \
	HD_AGAINST_N(__VA_ARGS__, 8, 7, 6, 5, 4, 3, 2, 1, 0)(__VA_ARGS__)

#endif
