/* SPDX-License-Identifier: MIT */
/* The stage of seed 004: one address space with one VMA of one page, and the
 * two tasks that meet there.  Shared by fault_vs_munmap and its larger forms. */
#ifndef SCENARIO_ONE_VMA_H
#define SCENARIO_ONE_VMA_H

#include <heddle/mm.h>

#define ADDR 0x2000ul
#define SEED_004                                                         \
	"[PATCH v6 10/16] mm: replace vm_lock and detached flag with a " \
	"reference count, 16 Dec 2024"
#define NOT_MODELLED "irq, slab reuse, split and merge, file mappings"

static struct mm_struct *mm;

static void setup(void)
{
	mm = mm_alloc();
	mm_add_vma(mm, ADDR, ADDR + PAGE_SIZE);
	pte_alloc(mm, ADDR);
}

static void munmap_task(void *arg)
{
	(void)arg;
	do_munmap(mm, ADDR, ADDR + PAGE_SIZE);
	return_to_user();
}

static void fault_task(void *arg)
{
	(void)arg;
	do_user_addr_fault(mm, ADDR, FAULT_FLAG_USER);
}

/* The later forms of the patch, and what all of these scenarios are of them. */
#define SEED_004_V7                                                      \
	"[PATCH v7 12/17] mm: replace vm_lock and detached flag with a " \
	"reference count, 26 Dec 2024"
#define SEED_004_V10                                                      \
	"[PATCH v10 12/18] mm: replace vm_lock and detached flag with a " \
	"reference count, Feb 2025"
#define BROKEN SEED_004_V10 ", broken on purpose"
#define COPIED                                                               \
	"the shared accesses, in their order, of vma_start_read, "           \
	"vma_start_write, vma_refcount_put, vma_mark_attached and "          \
	"vma_mark_detached of each version; of lock_vma_under_rcu and its "  \
	"fallback to mmap_lock; of munmap from the write lock over detach, " \
	"downgrade and page tables to the free; of mm_lock_seq"
#define SIMPLIFIED                                                          \
	"the VMA tree is one node, replaced as a whole; one level of page " \
	"tables; a fault installs one anonymous page and never asks for a " \
	"retry; rcuwait has one waiter"
#define DIFFERENT                                                          \
	"a page table is freed at once after the flush, and a fault does " \
	"not look at the upper entry again: an access to a freed table "   \
	"shows where it begins"

#endif
