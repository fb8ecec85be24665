/* SPDX-License-Identifier: MIT */
/* What a page fault does once it has its VMA, and what fork and unmapping do
 * with the pages.
 *
 * Follows mm/memory.c of 6.12: handle_mm_fault, do_anonymous_page,
 * vmf_anon_prepare, do_wp_page, wp_page_copy, do_fault, copy_page_range,
 * zap_present_pte.  Copied in logic: a page is made before the table's lock is
 * taken and given back if the entry is taken by then; an anonymous page needs
 * the VMA's anon_vma, and under the VMA lock that is made with a trylock of
 * mmap_lock only; a write to a read-only page reuses it if nobody else has it,
 * else copies it, without the table's lock, and flushes the old entry before the
 * new one is set; a VMA whose ops have no map_pages is never handled under the
 * VMA lock (vmf_can_call_fault).  Simplified: PageAnonExclusive is no flag,
 * the reference count alone decides about reuse; no swap, migration, gup; a page
 * holds two words; fork splits huge pages.  A scenario without the part MM_ANON
 * has numbers for anonymous pages, without references and rmap, and fork does not
 * copy them. */
#include <heddle/mm.h>
#include <heddle/user_call.h>

#include "mm.h"

#define ZERO_PAGE (0x10ul | _PAGE_SPECIAL | _PAGE_PRESENT)

static int no_memory(void)
{
	user_cause_here(VM_FAULT_OOM);
	return VM_FAULT_OOM;
}

void release_fault_lock(struct vm_fault *vmf)
{
	if (vmf->flags & FAULT_FLAG_VMA_LOCK)
		vma_end_read(vmf->vma);
	else
		mmap_read_unlock(vmf->vma->vm_mm);
}

/* --- references and reverse maps of pages ------------------------------------ */

void folio_add_new_anon_rmap(struct folio *folio, struct vm_area_struct *vma,
			     unsigned long addr)
{
	folio->mapping = vma->anon_vma;
	folio->index = linear_page_index(vma, addr);
	atomic_set(&folio->_mapcount, 0);
	heddle_keep(folio); /* the address space owns it: check_rmap.c */
}

static unsigned long mk_pte(struct folio *folio, struct vm_area_struct *vma)
{
	return (unsigned long)folio | _PAGE_PRESENT |
	       (vma->vm_flags & VM_WRITE ? _PAGE_RW : 0);
}

void zap_present_page(struct mmu_gather *tlb, unsigned long addr,
		      unsigned long entry)
{
	struct folio *folio;

	if (!mm_has(MM_ANON))
		return;
	folio = pte_folio(entry);
	if (folio)
		atomic_dec(&folio->_mapcount);
	tlb_remove_page(tlb, addr, folio);
}

/* --- anonymous pages ----------------------------------------------------------- */

/* Under the VMA lock, which a writer who holds mmap_lock may wait for. */
static bool try_mmap_lock(struct mm_struct *mm)
{
	if (mm_does(MM_STEP_ANON_PREPARE_TRIES))
		return mmap_read_trylock(mm);
	mmap_read_lock(mm);
	return true;
}

int vmf_anon_prepare(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	bool try = vmf->flags & FAULT_FLAG_VMA_LOCK &&
		   mm_does(MM_STEP_VMF_ANON_PREPARE);
	int ret = 0;

	if (likely(READ_ONCE(vma->anon_vma)))
		return 0;
	if (try && !try_mmap_lock(vma->vm_mm)) {
		heddle_remark("no anon_vma, and mmap_lock is taken");
		vma_end_read(vma);
		return VM_FAULT_RETRY;
	}
	if (__anon_vma_prepare(vma))
		ret = no_memory();
	if (try)
		mmap_read_unlock(vma->vm_mm);
	return ret;
}

static void map_zero_page(struct vm_fault *vmf, struct page_table *table)
{
	set_pte(vmf->vma->vm_mm, table, vmf->address, ZERO_PAGE);
}

static int do_anonymous_page(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct page_table *table = pte_alloc(vma->vm_mm, vmf->address);
	struct folio *folio;
	int ret = 0;

	if (!table)
		return 0; /* a huge page by now */
	if (!(vmf->flags & FAULT_FLAG_WRITE)) {
		map_zero_page(vmf, table);
		return 0;
	}
	ret = vmf_anon_prepare(vmf);
	if (ret)
		return ret;
	folio = folio_alloc(GFP_KERNEL, 0);
	if (!folio)
		return no_memory();
	folio_mark_uptodate(folio);
	spin_lock(&table->ptl);
	if (READ_ONCE(table->pte[pte_index(vmf->address)])) {
		spin_unlock(&table->ptl);
		folio_put(folio);
		return 0;
	}
	folio_add_new_anon_rmap(folio, vma, vmf->address);
	install_pte(vma->vm_mm, table, vmf->address, mk_pte(folio, vma));
	spin_unlock(&table->ptl);
	heddle_mark("anonymous page mapped");
	return 0;
}

/* --- writes to read-only pages ---------------------------------------------------- */

/* Under ptl: nobody else maps it or is about to. */
static bool wp_can_reuse_anon_folio(struct folio *folio,
				    struct vm_area_struct *vma)
{
	if (folio_ref_count(folio) > 1 || !folio_trylock(folio))
		return false;
	if (folio_ref_count(folio) != 1) {
		folio_unlock(folio);
		return false;
	}
	WRITE_ONCE(folio->mapping, vma->anon_vma); /* folio_move_anon_rmap() */
	folio_unlock(folio);
	return true;
}

/* Under ptl: new instead of old, which may be the zero page (NULL). */
static void replace_page(struct vm_fault *vmf, struct page_table *table,
			 struct folio *old, struct folio *new)
{
	struct mm_struct *mm = vmf->vma->vm_mm;

	WRITE_ONCE(table->pte[pte_index(vmf->address)], 0);
	if (mm_does(MM_STEP_COPY_FLUSHES))
		flush_tlb_page(mm, vmf->address);
	folio_add_new_anon_rmap(new, vmf->vma, vmf->address);
	install_pte(mm, table, vmf->address, mk_pte(new, vmf->vma));
	if (old)
		atomic_dec(&old->_mapcount);
	heddle_mark("page copied on write");
}

static struct folio *copy_of(struct folio *old)
{
	struct folio *new = folio_alloc(GFP_KERNEL, 0);

	if (!new || !old) /* the zero page holds 0, as does a new one */
		return new;
	WRITE_ONCE(new->data[0], READ_ONCE(old->data[0]));
	WRITE_ONCE(new->data[1], READ_ONCE(old->data[1]));
	hd_note(MM_NOTE_PAGE_COPIED, old, true, (u64)old, 0, HD_PC());
	folio_mark_uptodate(new);
	return new;
}

/* With a reference to old, if there is an old one. */
static int wp_page_copy(struct vm_fault *vmf, struct page_table *table,
			unsigned long entry, struct folio *old)
{
	struct folio *new, *unused;
	int ret = vmf_anon_prepare(vmf);

	if (ret)
		goto out;
	unused = new = copy_of(old);
	if (!new) {
		ret = no_memory();
		goto out;
	}
	spin_lock(&table->ptl);
	if (READ_ONCE(table->pte[pte_index(vmf->address)]) == entry) {
		replace_page(vmf, table, old, new);
		unused = old;
	} else {
		heddle_remark("changed meanwhile: the copy is not used");
	}
	spin_unlock(&table->ptl);
	if (unused)
		folio_put(unused);
out:
	if (old)
		folio_put(old);
	return ret;
}

/* Under ptl, which it drops. */
static int do_wp_page(struct vm_fault *vmf, struct page_table *table,
		      unsigned long entry)
{
	struct folio *folio = pte_folio(entry);

	if (folio && wp_can_reuse_anon_folio(folio, vmf->vma)) {
		WRITE_ONCE(table->pte[pte_index(vmf->address)],
			   entry | _PAGE_RW);
		spin_unlock(&table->ptl);
		heddle_mark("page reused");
		return 0;
	}
	if (folio)
		folio_get(folio);
	spin_unlock(&table->ptl);
	return wp_page_copy(vmf, table, entry, folio);
}

static int handle_pte_fault(struct vm_fault *vmf)
{
	struct page_table *table = pte_offset(vmf->vma->vm_mm, vmf->address);
	unsigned long *pte, entry;

	if (!table)
		return do_anonymous_page(vmf);
	pte = &table->pte[pte_index(vmf->address)];
	entry = READ_ONCE(*pte);
	if (!entry)
		return do_anonymous_page(vmf);
	if (!(vmf->flags & FAULT_FLAG_WRITE) || entry & _PAGE_RW)
		return 0; /* somebody was faster */
	spin_lock(&table->ptl);
	if (READ_ONCE(*pte) != entry) {
		spin_unlock(&table->ptl);
		return 0; /* the CPU tries again */
	}
	return do_wp_page(vmf, table, entry);
}

/* --- which handler ---------------------------------------------------------------- */

static int map_number(struct vm_area_struct *vma, unsigned long addr)
{
	struct mm_struct *mm = vma->vm_mm;
	struct page_table *table = pte_alloc(mm, addr);
	int node = mm_has(MM_POLICY) ? vma_policy_node(vma) : 0;

	if (table)
		set_pte(mm, table, addr, PAGE_NUMBER(addr, node));
	return VM_FAULT_NOPAGE;
}

/* Another fault was faster: nothing is left to do. */
static bool already_mapped(const struct vm_fault *vmf)
{
	struct page_table *table = pte_offset(vmf->vma->vm_mm, vmf->address);

	return table && READ_ONCE(table->pte[pte_index(vmf->address)]);
}

static int do_fault(struct vm_fault *vmf)
{
	const struct vm_operations_struct *ops = vmf->vma->vm_ops;

	if (already_mapped(vmf))
		return 0;
	if (vmf->flags & FAULT_FLAG_VMA_LOCK && !ops->map_pages) {
		heddle_remark("no map_pages: not under the VMA lock");
		vma_end_read(vmf->vma);
		return VM_FAULT_RETRY;
	}
	vmf->pgoff = linear_page_index(vmf->vma, vmf->address);
	return ops->fault(vmf);
}

int handle_mm_fault(struct vm_area_struct *vma, unsigned long addr,
		    unsigned int flags)
{
	struct vm_fault vmf = { .vma = vma, .address = addr, .flags = flags };
	int ret;

	if (mm_has(MM_FILE) && vma->vm_ops)
		return do_fault(&vmf);
	if (mm_has(MM_THP)) {
		ret = do_huge_pmd_anonymous_page(&vmf);
		if (ret)
			return ret;
	}
	if (mm_has(MM_ANON))
		return handle_pte_fault(&vmf);
	return map_number(vma, addr);
}

static struct folio *folio_at(struct mm_struct *mm, unsigned long addr)
{
	return pte_folio(pte_offset(mm, addr)->pte[pte_index(addr)]);
}

unsigned long mm_word(struct mm_struct *mm, unsigned long addr)
{
	return folio_at(mm, addr)->data[addr / sizeof(unsigned long) % 2];
}

void mm_add_page(struct mm_struct *mm, unsigned long addr, unsigned long val)
{
	mmap_read_lock(mm);
	BUG_ON(handle_mm_fault(vma_lookup(mm, addr), addr, FAULT_FLAG_WRITE));
	mmap_read_unlock(mm);
	folio_at(mm, addr)->data[0] = val;
	folio_at(mm, addr)->data[1] = val;
}

/* --- fork --------------------------------------------------------------------------- */

/* Under both tables' locks. */
static void copy_present_pte(struct vm_area_struct *dst_vma, unsigned long addr,
			     struct page_table *dst, struct page_table *src)
{
	unsigned long *pte = &src->pte[pte_index(addr)];
	unsigned long entry = READ_ONCE(*pte);
	struct folio *folio = pte_folio(entry);

	if (!entry)
		return;
	if (folio) {
		folio_get(folio);
		atomic_inc(&folio->_mapcount);
	}
	if (entry & _PAGE_RW && !(dst_vma->vm_flags & VM_SHARED)) {
		entry &= ~_PAGE_RW;
		WRITE_ONCE(*pte, entry); /* the TLBs are flushed later */
	}
	install_pte(dst_vma->vm_mm, dst, addr, entry);
}

/* The part of a VMA that lies in one group. */
static int copy_pte_range(struct vm_area_struct *dst_vma,
			  struct vm_area_struct *src_vma, unsigned long addr,
			  unsigned long end)
{
	struct page_table *dst, *src;

	if (mm_has(MM_THP))
		split_huge_page_at(src_vma->vm_mm, addr);
	src = pte_offset(src_vma->vm_mm, addr);
	if (!src)
		return 0;
	if (heddle_fail("page_table"))
		return -ENOMEM;
	dst = pte_alloc(dst_vma->vm_mm, addr);
	spin_lock(&dst->ptl);
	spin_lock_nested(&src->ptl, SINGLE_DEPTH_NESTING);
	for (; addr < end; addr += PAGE_SIZE)
		copy_present_pte(dst_vma, addr, dst, src);
	spin_unlock(&src->ptl);
	spin_unlock(&dst->ptl);
	return 0;
}

int copy_page_range(struct vm_area_struct *dst_vma,
		    struct vm_area_struct *src_vma)
{
	unsigned long addr = src_vma->vm_start, end = src_vma->vm_end, next;
	int err = 0;

	/* else faults bring back what the child needs */
	if (!mm_has(MM_ANON) ||
	    (!src_vma->anon_vma && !(src_vma->vm_flags & VM_PFNMAP)))
		return 0;
	for (; !err && addr < end; addr = next) {
		next = (addr + PMD_SIZE) & PMD_MASK;
		if (next > end)
			next = end;
		err = copy_pte_range(dst_vma, src_vma, addr, next);
	}
	return err;
}
