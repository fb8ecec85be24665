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

#endif
