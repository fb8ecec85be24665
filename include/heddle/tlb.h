/* SPDX-License-Identifier: MIT */
/* Translations that CPUs remember, and what user space does through them
 * (part MM_TLB, which needs MM_ANON; arch/x86/mm/tlb.c, mm/mmu_gather.c, 6.12).
 *
 * Each task is a CPU of its own, so it has a TLB of its own: per page the PTE
 * that it saw last.  An instruction of user space that reads or writes a word of
 * memory is one op on the page's contents: it uses the TLB entry if that allows
 * the access, and a flush cannot come in between.  Else the page table is walked
 * (one op, no lock), and if the PTE does not allow it either, the CPU faults.  So
 * an entry may be older than the page table until somebody flushes it.
 *
 * Simplified: a TLB has room for all pages of one address space and none for a
 * second; an entry is filled by an access only; an IPI arrives when it is sent;
 * no accessed and dirty bits, no huge pages.  Without the part there is no TLB:
 * an access walks the page table each time, and a flush is nothing. */
#ifndef HEDDLE_TLB_H
#define HEDDLE_TLB_H

#include <heddle/mm_types.h>

/* The word at addr, which must lie in the world's address space (a page holds
 * two: at its start and 8 bytes behind); 0, or VM_FAULT_SIGSEGV, _SIGBUS, _OOM. */
int __must_check user_read(struct mm_struct *mm, unsigned long addr,
			   unsigned long *val);
int __must_check user_write(struct mm_struct *mm, unsigned long addr,
			    unsigned long val);

/* One instruction that reads, without what follows if the CPU faults (false). */
bool __must_check user_load(struct mm_struct *mm, unsigned long addr,
			    unsigned long *val);

/* No CPU uses a translation of mm any more that was loaded before. */
void __flush_tlb_range(struct mm_struct *mm, unsigned long start,
		       unsigned long end);
static __always_inline void flush_tlb_range(struct mm_struct *mm,
					    unsigned long start,
					    unsigned long end)
{
	if (mm_has(MM_TLB))
		__flush_tlb_range(mm, start, end);
}
static __always_inline void flush_tlb_page(struct mm_struct *mm,
					   unsigned long addr)
{
	flush_tlb_range(mm, addr & ~(PAGE_SIZE - 1),
			(addr & ~(PAGE_SIZE - 1)) + PAGE_SIZE);
}
static __always_inline void flush_tlb_mm(struct mm_struct *mm)
{
	flush_tlb_range(mm, 0, TASK_SIZE);
}

/* For set-ups: the CPU of task number cpu has used addr before. */
void mm_load_tlb(u32 cpu, struct mm_struct *mm, unsigned long addr);

/* What unmaps collects pages, and frees them when no TLB has them any more. */
struct mmu_gather {
	struct mm_struct *mm;
	unsigned long start, end; /* what was unmapped of it */
	struct folio *page[PTRS_PER_PMD * PTRS_PER_PTE];
	u32 n;
};
void tlb_gather_mmu(struct mmu_gather *tlb, struct mm_struct *mm);
/* A present entry of addr was cleared; folio (or NULL) is put at the end. */
void tlb_remove_page(struct mmu_gather *tlb, unsigned long addr,
		     struct folio *folio);
void tlb_finish_mmu(struct mmu_gather *tlb);

/* --- for src/mm/check_tlb.c ---------------------------------------------------- */

enum { MM_CPUS = 4, MM_PAGES = PTRS_PER_PMD * PTRS_PER_PTE };
struct tlb_entry {
	unsigned long pte;      /* as it was walked; 0: none */
	unsigned long stale_by; /* the check's: these tasks made it stale */
};
struct cpu_tlb {
	struct mm_struct *mm; /* whose page table is loaded */
	struct tlb_entry entry[MM_PAGES];
};
extern struct cpu_tlb *cpu_tlbs; /* MM_CPUS of them; NULL: no part MM_TLB */

#endif
