/* SPDX-License-Identifier: MIT */
/* What the parts of the mm world share among themselves; scenarios do not see
 * it. */
#ifndef MM_MM_H
#define MM_MM_H

#include <heddle/mempolicy.h>
#include <heddle/mm.h>
#include <heddle/rmap.h>

/* memory.c: an entry was cleared; its page loses a mapping.  Under ptl. */
void zap_present_page(struct mmu_gather *tlb, unsigned long addr,
		      unsigned long entry);
/* memory.c: the folio that a PTE maps; NULL: none, the zero page, a device's. */
static __always_inline struct folio *pte_folio(unsigned long pte)
{
	if (!(pte & _PAGE_PRESENT) || pte & _PAGE_SPECIAL)
		return NULL;
	return (struct folio *)(pte & ~_PAGE_BITS);
}
/* memory.c: folio is about to be mapped at addr, for the first time. */
void folio_add_new_anon_rmap(struct folio *folio, struct vm_area_struct *vma,
			     unsigned long addr);
/* memory.c: vma has an anon_vma; 0, VM_FAULT_OOM, or VM_FAULT_RETRY: the VMA lock
 * was dropped. */
int __must_check vmf_anon_prepare(struct vm_fault *vmf);
/* memory.c: fork's copy of the entries. */
int __must_check copy_page_range(struct vm_area_struct *dst_vma,
				 struct vm_area_struct *src_vma);
/* pagetable.c: under ptl, where nothing is mapped. */
void install_pte(struct mm_struct *mm, struct page_table *table,
		 unsigned long addr, unsigned long entry);
/* tlb.c: once per set-up. */
void tlb_init(void);
static __always_inline unsigned long
linear_page_index(struct vm_area_struct *vma, unsigned long addr)
{
	return ((addr - vma->vm_start) >> PAGE_SHIFT) + vma->vm_pgoff;
}
/* huge_memory.c: if addr's group is mapped as a whole: take it away, if [addr,
 * end) is the group, else split it and return false. */
bool zap_huge_pmd(struct mmu_gather *tlb, unsigned long addr,
		  unsigned long end);
/* huge_memory.c: map the whole group if vma has room for it, or let it be written
 * to if it is mapped.  VM_FAULT_NOPAGE;
 * 0: single pages; or what vmf_anon_prepare() says. */
int do_huge_pmd_anonymous_page(struct vm_fault *vmf);

/* munmap.c: what is being unmapped, in steps (mmap() takes them apart). */
struct vma_munmap {
	struct mm_struct *mm;
	unsigned long start, end;
	unsigned long floor, ceiling; /* page tables: where neighbours are */
	struct vm_area_struct *vma[MM_TREE_SLOTS];
	u32 n;
	bool keep_lock; /* for write, to the end */
};
/* Split off, write-locked, detached, but still in the tree; else as before. */
int __must_check vms_gather_munmap_vmas(struct vma_munmap *vms);
/* Pages, reverse maps and page tables of the range go. */
void vms_clear_ptes(struct vma_munmap *vms);
/* The VMAs, which are out of the tree, are freed. */
void vms_remove_vmas(struct vma_munmap *vms);

/* stack.c: mmap_lock is held for read.  The VMA that holds addr, after a stack
 * has grown there if need be; NULL: there is none, and the lock is dropped. */
struct vm_area_struct *find_vma_or_expand(struct mm_struct *mm,
					  unsigned long addr);

/* huge_memory.c, for khugepaged: take the group's table out, or NULL; put a huge
 * page where there is nothing. */
struct page_table *clear_pmd_table(struct mm_struct *mm, unsigned long addr);
void set_huge_pmd(struct vm_area_struct *vma, unsigned long addr,
		  unsigned long entry);
/* What a PMD entry may be; 0: no memory.  And given back, unused. */
unsigned long new_huge_page(unsigned long addr);
void put_huge_page(unsigned long entry);
/* huge_memory.c: if addr's group is mapped as a whole: it loses the write bit if
 * [addr, end) covers it, else it becomes single pages.  True: lost it. */
bool change_huge_pmd(struct mm_struct *mm, unsigned long addr,
		     unsigned long end);
/* huge_memory.c: if addr lies in a huge page, it becomes single ones. */
void split_huge_page_at(struct mm_struct *mm, unsigned long addr);
/* rmap.c: under i_mmap_rwsem. */
void __vma_link_file(struct vm_area_struct *vma, struct address_space *mapping);
void __unlink_file_vma(struct vm_area_struct *vma,
		       struct address_space *mapping);
/* fault.c: as vma_start_read(); forms since 6.15 are given the mm that was
 * searched. */
struct vm_area_struct *vma_start_read_of(struct mm_struct *mm,
					 struct vm_area_struct *vma);
/* vma_lock.c: 7.1: what a call is going to change it locks before it allocates,
 * and -EINTR if it is killed while it waits.  Else 0, and the VMA is locked
 * later. */
int __must_check vma_start_write_early(struct vm_area_struct *vma);
/* mm.c: what a VMA owns is given back, then the VMA (mm/vma.c, remove_vma). */
void remove_vma(struct vm_area_struct *vma);

#endif
