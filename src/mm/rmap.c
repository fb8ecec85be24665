/* SPDX-License-Identifier: MIT */
/* Reverse maps: which VMAs may map a page?
 *
 * Follows mm/rmap.c (__anon_vma_prepare, anon_vma_clone, anon_vma_fork,
 * unlink_anon_vmas, try_to_unmap), mm/vma.c (vma_link_file, unlink_file_vma) and
 * mm/memory.c (unmap_mapping_range) of 6.12.  Copied in logic: an anon_vma is
 * taken from a neighbour if there is one, is published under its own lock and
 * page_table_lock after a second look, and dies with its last link.  What is
 * simplified or different: include/heddle/rmap.h. */
#include <heddle/mm.h>
#include <heddle/rmap.h>

#include "mm.h"

/* --- lists ------------------------------------------------------------------- */

static void list_add_vma(struct vm_area_struct **list,
			 struct vm_area_struct *vma)
{
	u32 i;

	for (i = 0; i < MM_RMAP_VMAS && list[i]; i++)
		;
	if (i == MM_RMAP_VMAS)
		heddle_limit("VMAs of an anon_vma or a file");
	list[i] = vma;
}

static void list_del_vma(struct vm_area_struct **list,
			 struct vm_area_struct *vma)
{
	u32 i;

	for (i = 0; i < MM_RMAP_VMAS; i++)
		if (list[i] == vma)
			list[i] = NULL;
}

/* --- anon_vma ------------------------------------------------------------------ */

static struct anon_vma *anon_vma_alloc(void)
{
	struct anon_vma *av = kzalloc(sizeof(struct anon_vma), GFP_KERNEL);

	if (!av)
		return NULL;
	init_rwsem(&av->rwsem);
	refcount_set(&av->refcount, 1); /* of who made it */
	return av;
}

void put_anon_vma(struct anon_vma *av)
{
	if (refcount_dec_and_test(&av->refcount))
		kfree(av);
}

struct anon_vma *folio_get_anon_vma(struct folio *folio)
{
	struct anon_vma *av = READ_ONCE(folio->mapping);

	if (av)
		refcount_inc(&av->refcount);
	return av;
}

/* One link more between the two; av's list is the caller's to lock. */
static void anon_vma_chain_link(struct vm_area_struct *vma, struct anon_vma *av)
{
	u32 i;

	for (i = 0; i < MM_AVCS && vma->avc[i]; i++)
		;
	if (i == MM_AVCS)
		heddle_limit("anon_vmas of a VMA");
	vma->avc[i] = av;
	refcount_inc(&av->refcount);
	heddle_keep(av); /* its VMAs own it; check_leak.c judges leaks */
	list_add_vma(av->vma, vma);
}

static struct anon_vma *find_mergeable_anon_vma(struct vm_area_struct *vma)
{
	struct vm_area_struct *near[2] = {
		vma_next(vma->vm_mm, vma->vm_start),
		vma_prev(vma->vm_mm, vma->vm_start),
	};
	struct anon_vma *av;
	u32 i;

	for (i = 0; i < 2; i++) {
		if (!near[i] || (near[i]->vm_end != vma->vm_start &&
				 near[i]->vm_start != vma->vm_end))
			continue;
		av = READ_ONCE(near[i]->anon_vma);
		if (av)
			return av;
	}
	return NULL;
}

int __anon_vma_prepare(struct vm_area_struct *vma)
{
	struct anon_vma *av = find_mergeable_anon_vma(vma), *fresh = NULL;
	struct mm_struct *mm = vma->vm_mm;

	if (!av) {
		av = fresh = anon_vma_alloc();
		if (!av)
			return -ENOMEM;
	}
	anon_vma_lock_write(av);
	spin_lock(&mm->page_table_lock);
	if (likely(!vma->anon_vma)) {
		smp_store_release(&vma->anon_vma, av);
		anon_vma_chain_link(vma, av);
	}
	spin_unlock(&mm->page_table_lock);
	anon_vma_unlock_write(av);
	if (fresh)
		put_anon_vma(fresh);
	return 0;
}

/* A stack has an anon_vma also where pages are numbers. */
static bool has_anon_vmas(void)
{
	return mm_has(MM_ANON) || mm_form()->stack;
}

int anon_vma_clone(struct vm_area_struct *dst, struct vm_area_struct *src)
{
	u32 i;

	if (!has_anon_vmas())
		return 0;
	for (i = 0; i < MM_AVCS && src->avc[i]; i++) {
		if (heddle_fail("anon_vma_chain"))
			goto enomem;
		anon_vma_lock_write(src->avc[i]);
		anon_vma_chain_link(dst, src->avc[i]);
		anon_vma_unlock_write(src->avc[i]);
	}
	return 0;
enomem:
	heddle_mark("anon_vma_clone fails");
	/* else unlink_anon_vmas() would count it as active */
	dst->anon_vma = NULL;
	unlink_anon_vmas(dst);
	return -ENOMEM;
}

int anon_vma_fork(struct vm_area_struct *vma, struct vm_area_struct *pvma)
{
	struct anon_vma *av;

	if (!mm_has(MM_ANON) || !pvma->anon_vma)
		return 0;
	vma->anon_vma = NULL; /* its pages so far are the parent's */
	if (anon_vma_clone(vma, pvma))
		return -ENOMEM;
	av = anon_vma_alloc();
	if (!av) {
		unlink_anon_vmas(vma);
		return -ENOMEM;
	}
	vma->anon_vma = av;
	anon_vma_lock_write(av);
	anon_vma_chain_link(vma, av);
	anon_vma_unlock_write(av);
	put_anon_vma(av);
	return 0;
}

void unlink_anon_vmas(struct vm_area_struct *vma)
{
	struct anon_vma *av;
	u32 i;

	if (!has_anon_vmas())
		return;
	for (i = 0; i < MM_AVCS && vma->avc[i]; i++) {
		av = vma->avc[i];
		vma->avc[i] = NULL;
		anon_vma_lock_write(av);
		list_del_vma(av->vma, vma);
		anon_vma_unlock_write(av);
		put_anon_vma(av);
	}
	if (vma->anon_vma)
		vma->anon_vma = NULL;
}

/* --- files ------------------------------------------------------------------------ */

struct file *mm_new_file(void)
{
	struct file *file = heddle_alloc(struct file);

	file->f_mapping = heddle_alloc(struct address_space);
	init_rwsem(&file->f_mapping->i_mmap_rwsem);
	refcount_set(&file->f_count, 1);
	return file;
}

void get_file(struct file *file)
{
	refcount_inc(&file->f_count);
}

/* The last one out: nothing is left to be done here, the inode stays. */
void fput(struct file *file)
{
	WARN_ON_ONCE(refcount_dec_and_test(&file->f_count));
}

void vma_link_file(struct vm_area_struct *vma)
{
	struct address_space *mapping;

	if (!mm_has(MM_FILE) || !vma->vm_file)
		return;
	mapping = vma->vm_file->f_mapping;
	i_mmap_lock_write(mapping);
	list_add_vma(mapping->i_mmap, vma);
	i_mmap_unlock_write(mapping);
}

void unlink_file_vma(struct vm_area_struct *vma)
{
	struct address_space *mapping;

	if (!mm_has(MM_FILE) || !vma->vm_file)
		return;
	mapping = vma->vm_file->f_mapping;
	i_mmap_lock_write(mapping);
	list_del_vma(mapping->i_mmap, vma);
	i_mmap_unlock_write(mapping);
}

/* For those who hold the locks: vma_prepare(), vma_complete(). */
void __vma_link_file(struct vm_area_struct *vma, struct address_space *mapping)
{
	list_add_vma(mapping->i_mmap, vma);
}

void __unlink_file_vma(struct vm_area_struct *vma,
		       struct address_space *mapping)
{
	list_del_vma(mapping->i_mmap, vma);
}

/* --- from the page to its mappings ------------------------------------------------- */

/* Pages [first, last] of what vma maps, as far as it covers them. */
static void zap_pages_of(struct vm_area_struct *vma, unsigned long first,
			 unsigned long last)
{
	unsigned long start = vma->vm_start, end = vma->vm_end;
	unsigned long pgoff = vma->vm_pgoff;
	unsigned long n = (end - start) >> PAGE_SHIFT;

	if (first >= pgoff + n || last < pgoff)
		return;
	if (first > pgoff)
		start += (first - pgoff) << PAGE_SHIFT;
	if (last < pgoff + n - 1)
		end -= (pgoff + n - 1 - last) << PAGE_SHIFT;
	unmap_region(vma->vm_mm, start, end);
}

void unmap_mapping_pages(struct address_space *mapping, unsigned long first,
			 unsigned long last)
{
	struct vm_area_struct *vma;
	u32 i;

	i_mmap_lock_read(mapping);
	for (i = 0; i < MM_RMAP_VMAS; i++) {
		vma = mapping->i_mmap[i];
		if (vma)
			zap_pages_of(vma, first, last);
	}
	i_mmap_unlock_read(mapping);
	if (mm_has(MM_TLB))
		hd_note(MM_NOTE_UNMAPPED, mapping, true, 0, 0, HD_PC());
}

void rmap_unmap_anon(struct anon_vma *av, unsigned long index)
{
	struct vm_area_struct *vma;
	u32 i;

	anon_vma_lock_read(av);
	for (i = 0; i < MM_RMAP_VMAS; i++) {
		vma = av->vma[i];
		if (vma)
			zap_pages_of(vma, index, index);
	}
	anon_vma_unlock_read(av);
}
