/* SPDX-License-Identifier: MIT */
/* Kernel functions that mm patches call and that do nothing here: statistics,
 * notifiers, accounting.  They take any arguments; what returns something says
 * success.  A file that calls them includes this header.  heddle-cc lists those
 * that a file calls, because a verdict on the file says nothing about them. */
#ifndef HEDDLE_MM_STUBS_H
#define HEDDLE_MM_STUBS_H

#define HD_STUBS(X)                                                    \
	X(count_vm_event)                                              \
	X(count_vm_events)                                             \
	X(count_vm_vma_lock_event)                                     \
	X(khugepaged_enter_vma)                                        \
	X(mm_dec_nr_ptes)                                              \
	X(mm_inc_nr_ptes)                                              \
	X(mmu_notifier_range_init)                                     \
	X(mmu_notifier_invalidate_range_end)                           \
	X(mmu_notifier_invalidate_range_start)                         \
	X(perf_event_mmap)                                             \
	X(uprobe_munmap)                                               \
	X(validate_mm)                                                 \
	X(vm_stat_account)                                             \
	X(vm_unacct_memory)
/* 0: done, or allowed */
#define HD_STUBS_0(X)                                                  \
	X(security_vm_enough_memory_mm)                                \
	X(uprobe_mmap)
/* 1: yes */
#define HD_STUBS_1(X)                                                  \
	X(arch_validate_flags)                                         \
	X(may_expand_vm)

#define X(name) void name();
HD_STUBS(X)
#undef X
#define X(name) int name();
HD_STUBS_0(X)
HD_STUBS_1(X)
#undef X

#endif
