/* SPDX-License-Identifier: MIT */
/* What CPUs remember of page tables, and when they forget it.
 *
 * Follows arch/x86/mm/tlb.c (switch_mm, flush_tlb_mm_range) and mm/mmu_gather.c
 * of 6.12, and what the hardware does between.  Copied in logic: a CPU enters
 * itself into the mm's mask before it loads the page table; a flush goes to the
 * CPUs of the mask, one after the other; unmapped pages are freed behind it.
 * What is simplified: include/heddle/tlb.h.
 *
 * User space and hardware know no memory model and no rules about races, so
 * their accesses are ops of their own kind here, and not plain C; a flush orders
 * what its CPU did before with what the flusher does behind. */
#include <heddle/mm.h>

#include "../engine/engine.h"
#include "mm.h"

#define BY_HARDWARE __attribute__((no_sanitize("thread")))
enum { WORD = sizeof(unsigned long) };

struct cpu_tlb *cpu_tlbs;
static unsigned long empty_zero_page; /* also what a device's memory holds */

void tlb_init(void)
{
	if (mm_has(MM_TLB) && !cpu_tlbs)
		cpu_tlbs = heddle_alloc_type("struct cpu_tlb",
					     MM_CPUS * sizeof(*cpu_tlbs));
}

/* --- an access by user space ------------------------------------------------- */

struct user_access {
	struct mm_struct *mm;
	struct cpu_tlb *tlb; /* NULL: no part MM_TLB */
	unsigned long addr, val;
	bool write;
	u32 pc;
};

static u32 page_number(unsigned long addr)
{
	return (addr >> PAGE_SHIFT) % MM_PAGES;
}

/* Looked at as a part of the op before. */
BY_HARDWARE static unsigned long peek(const unsigned long *word)
{
	hd_order_range(word, WORD, false);
	return *word;
}

static unsigned long *pte_of(unsigned long pmd, unsigned long addr)
{
	if (!pmd || pmd & _PAGE_PSE)
		return NULL;
	return &((struct page_table *)pmd)->pte[pte_index(addr)];
}

static unsigned long translation(const struct user_access *a)
{
	const unsigned long *pte;

	if (a->tlb)
		return peek(&a->tlb->entry[page_number(a->addr)].pte);
	pte = pte_of(peek(&a->mm->pmd[pmd_index(a->addr)]), a->addr);
	return pte ? peek(pte) : 0;
}

static bool allows(unsigned long entry, bool write)
{
	if (!(entry & _PAGE_BITS))
		return entry; /* a page that is a number */
	return entry & _PAGE_PRESENT && (!write || entry & _PAGE_RW);
}

/* The op went somewhere else: this memory was not accessed, if it is one. */
static void did_not(unsigned long val)
{
	W->cur->race_off++;
	hd_did(val, val);
	W->cur->race_off--;
}

/* One instruction.  False: no translation allows it. */
BY_HARDWARE static bool access_page(struct user_access *a)
{
	unsigned long entry = translation(a), *word = &empty_zero_page, old;
	struct folio *folio = pte_folio(entry);
	u8 flags = a->write ? HD_WRITE : HD_READ;

	if (!allows(entry, a->write))
		return false;
	if (folio)
		word = &folio->data[a->addr / WORD % 2];
	hd_publish(a->write ? HD_STORE : HD_LOAD, word, WORD, flags,
		   HD_RELAXED, a->pc);
	old = *word;
	if (translation(a) != entry) {
		heddle_remark("translation gone meanwhile: again");
		did_not(old);
		return access_page(a);
	}
	hd_judge(word, WORD, flags, a->pc);
	if (a->tlb)
		hd_sync_release(a->tlb, true);
	if (a->write && folio)
		*word = a->val;
	a->val = *word;
	hd_did(old, *word);
	return true;
}

BY_HARDWARE static void forget(struct cpu_tlb *tlb, u32 first, u32 n)
{
	u32 i;

	for (i = first; i < first + n; i++)
		tlb->entry[i].pte = tlb->entry[i].stale_by = 0;
}

BY_HARDWARE static void fill(struct cpu_tlb *tlb, unsigned long addr,
			     unsigned long pte)
{
	struct tlb_entry *e = &tlb->entry[page_number(addr)];

	e->pte = pte;
	e->stale_by = 0;
	hd_order_range(&e->pte, WORD, true);
}

/* The hardware walks the page table and remembers what it finds.  False: that
 * does not allow the access. */
BY_HARDWARE static bool walk(struct user_access *a)
{
	unsigned long *slot = &a->mm->pmd[pmd_index(a->addr)];
	unsigned long pmd = peek(slot), *pte = pte_of(pmd, a->addr), v;
	unsigned long *word = pte ? pte : slot;
	bool ok;

	/* what follows depends on the address that is found */
	hd_publish(HD_LOAD, word, WORD, HD_READ, HD_ACQUIRE, a->pc);
	if (peek(slot) != pmd) {
		did_not(pmd);
		return walk(a);
	}
	hd_judge(word, WORD, HD_READ, a->pc);
	hd_sync_release(a->tlb, true);
	v = *word;
	ok = pte && allows(v, a->write);
	if (ok) {
		fill(a->tlb, a->addr, v);
		heddle_remark("now in the TLB");
	}
	hd_did(v, v);
	return ok;
}

BY_HARDWARE static struct cpu_tlb *switch_mm(u32 cpu, struct mm_struct *mm)
{
	struct cpu_tlb *tlb = &cpu_tlbs[cpu];

	if (cpu >= MM_CPUS)
		hd_limit("CPUs with a TLB");
	if (tlb->mm == mm)
		return tlb;
	hd_order_range(tlb, sizeof(*tlb), true);
	forget(tlb, 0, MM_PAGES); /* from here on no flush is needed */
	if (tlb->mm) /* on x86 each atomic op orders what is before */
		clear_bit_unlock(cpu, &tlb->mm->cpu_bitmap);
	set_bit(cpu, &mm->cpu_bitmap);
	tlb->mm = mm;
	return tlb;
}

/* False: the CPU faults. */
static bool try_access(struct user_access *a)
{
	hd_settle();
	if (mm_has(MM_TLB))
		a->tlb = switch_mm((u32)current->pid, a->mm);
	while (!access_page(a))
		if (!a->tlb || !walk(a))
			return false;
	return true;
}

static int access_user(struct user_access *a)
{
	unsigned int flags = FAULT_FLAG_USER |
			     (a->write ? FAULT_FLAG_WRITE : 0);
	int fault;

	while (!try_access(a)) {
		fault = do_user_addr_fault(a->mm, a->addr, flags);
		if (fault)
			return fault;
	}
	return 0;
}

bool user_load(struct mm_struct *mm, unsigned long addr, unsigned long *val)
{
	struct user_access a = { .mm = mm, .addr = addr, .pc = HD_PC() };
	bool done = try_access(&a);

	*val = a.val;
	return done;
}

int user_read(struct mm_struct *mm, unsigned long addr, unsigned long *val)
{
	struct user_access a = { .mm = mm, .addr = addr, .pc = HD_PC() };
	int fault = access_user(&a);

	*val = a.val;
	return fault;
}

int user_write(struct mm_struct *mm, unsigned long addr, unsigned long val)
{
	struct user_access a = { .mm = mm, .addr = addr, .val = val,
				 .write = true, .pc = HD_PC() };

	return access_user(&a);
}

void mm_load_tlb(u32 cpu, struct mm_struct *mm, unsigned long addr)
{
	const unsigned long *pte = pte_of(mm->pmd[pmd_index(addr)], addr);

	fill(switch_mm(cpu, mm), addr, pte ? *pte : 0);
}

/* --- flush ------------------------------------------------------------------------ */

/* The IPI, and what the CPU does when it comes. */
BY_HARDWARE static void flush_cpu(struct cpu_tlb *tlb, u32 first, u32 n, u32 pc)
{
	hd_publish(HD_STORE, &tlb->entry[first], n * sizeof(tlb->entry[0]),
		   HD_WRITE, HD_RELAXED, pc);
	forget(tlb, first, n);
	hd_sync_acquire(tlb); /* the CPU has done what it was about to do */
	hd_did(0, 0);
}

void __flush_tlb_range(struct mm_struct *mm, unsigned long start,
		       unsigned long end)
{
	unsigned long mask = smp_load_acquire(&mm->cpu_bitmap);
	u32 pc = HD_PC(), cpu;

	for (cpu = 0; cpu < MM_CPUS; cpu++)
		if (mask >> cpu & 1)
			flush_cpu(&cpu_tlbs[cpu], page_number(start),
				  (u32)((end - start) >> PAGE_SHIFT), pc);
}

/* --- pages that are unmapped, freed behind the flush -------------------------------- */

void tlb_gather_mmu(struct mmu_gather *tlb, struct mm_struct *mm)
{
	tlb->mm = mm;
	tlb->start = TASK_SIZE;
	tlb->end = 0;
	tlb->n = 0;
}

void tlb_remove_page(struct mmu_gather *tlb, unsigned long addr,
		     struct folio *folio)
{
	if (addr < tlb->start)
		tlb->start = addr;
	if (addr + PAGE_SIZE > tlb->end)
		tlb->end = addr + PAGE_SIZE;
	if (folio)
		tlb->page[tlb->n++] = folio;
}

void tlb_finish_mmu(struct mmu_gather *tlb)
{
	bool late = !mm_does(MM_STEP_FLUSH_BEFORE_FREE);
	u32 i;

	if (tlb->start >= tlb->end)
		return;
	if (!late)
		flush_tlb_range(tlb->mm, tlb->start, tlb->end);
	for (i = 0; i < tlb->n; i++)
		folio_put(tlb->page[i]);
	if (late)
		flush_tlb_range(tlb->mm, tlb->start, tlb->end);
}
