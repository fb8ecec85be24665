/* SPDX-License-Identifier: MIT */
/* The mm checks: rules of the address space, judged on the model's notes and
 * on ops, like oracles. */
#ifndef MM_CHECK_H
#define MM_CHECK_H

#include <heddle/mm.h>

#include "../engine/engine.h"

enum { CHECK_MMS = 8 }; /* address spaces known to the checks */

void mm_checks_start(void);

/* The i-th address space of the run, in the order in which they were made; NULL
 * behind the last.  It may have been freed. */
const struct mm_struct *check_mm(u32 i);
/* p is an object of the world that has not been freed. */
bool check_alive(const void *p);

/* The next object of the world behind o (NULL: the first) that has the type
 * (NULL: any), or NULL. */
struct hd_object;
const struct hd_object *check_next(const struct hd_object *o,
				   const char *type);
/* It is in the tree of an mm that is not freed (check_leak.c). */
bool check_in_a_tree(const struct vm_area_struct *vma);

/* A VMA of the tree covers addr; that one, or NULL. */
bool check_covered(const struct mm_struct *mm, unsigned long addr);
const struct vm_area_struct *check_vma_at(const struct mm_struct *mm,
					  unsigned long addr);
/* The page table has an entry for addr (check_pte.c). */
bool check_mapped(const struct mm_struct *mm, unsigned long addr);
/* For exhaustive search: what follows depends on all entries of the mm. */
void check_order_on_ptes(const struct mm_struct *mm);

/* Order, for exhaustive search, of what is judged by what others did: the VMAs of
 * an mm change (write), or a call looks at them; the page is mapped, or a fault
 * asks.  Memory that a check reads is ordered by hd_order_range(). */
static inline void check_order_on_vmas(const void *mm, bool write)
{
	hd_order_on((u64)mm | 7ull << 61, write);
}
static inline void check_order_on_page(const void *mm, u64 addr, bool write)
{
	hd_order_on(((u64)mm | 7ull << 61) + 1 + (addr >> PAGE_SHIFT), write);
}

void check_vma_lock_start(void);
void check_pte_start(void);
void check_tree_start(void);
void check_restored_start(void);
void check_user_start(void);
void check_fault_start(void);
void check_mm_start(void);
void check_tlb_start(void);
void check_rmap_start(void);
void check_leak_start(void);
/* At the end: is it counted as often as it is mapped (check_rmap.c)? */
void check_folio_counts(const struct folio *folio, u32 pc);
void check_vfio_start(void);
/* At the end: a device's list has the entry. */
struct vfio_pci_mmap_vma;
bool check_vfio_listed(const struct vfio_pci_mmap_vma *entry);
/* At the end: is o, if it is an anon_vma, a file or a policy, linked to VMAs as
 * it should be (check_links.c)? */
void check_links(const struct hd_object *o);

#endif
