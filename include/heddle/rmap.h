/* SPDX-License-Identifier: MIT */
/* Reverse maps: from a page to the VMAs that may map it (include/linux/rmap.h,
 * mm/rmap.c, mm/vma.c; 6.12).
 *
 * An anon_vma lists VMAs under its rwsem, a file's address_space under
 * i_mmap_rwsem.  Lists are arrays instead of interval trees; an anon_vma is its
 * own root; links (anon_vma_chain) are no objects, but making one can fail.
 * Deliberately different: an anon_vma without links is freed at once, not into
 * a type-safe cache, so that a stale pointer is seen where it is used.  Without
 * the part MM_ANON, or MM_FILE, nothing here costs an op. */
#ifndef HEDDLE_RMAP_H
#define HEDDLE_RMAP_H

#include <heddle/mm_types.h>

/* Lock order: i_mmap_rwsem, then anon_vma->rwsem, then page table locks. */
static __always_inline void i_mmap_lock_write(struct address_space *mapping)
{
	down_write(&mapping->i_mmap_rwsem);
}
static __always_inline void i_mmap_unlock_write(struct address_space *mapping)
{
	up_write(&mapping->i_mmap_rwsem);
}
static __always_inline void i_mmap_lock_read(struct address_space *mapping)
{
	down_read(&mapping->i_mmap_rwsem);
}
static __always_inline void i_mmap_unlock_read(struct address_space *mapping)
{
	up_read(&mapping->i_mmap_rwsem);
}
static __always_inline void anon_vma_lock_write(struct anon_vma *av)
{
	down_write(&av->rwsem);
}
static __always_inline void anon_vma_unlock_write(struct anon_vma *av)
{
	up_write(&av->rwsem);
}
static __always_inline void anon_vma_lock_read(struct anon_vma *av)
{
	down_read(&av->rwsem);
}
static __always_inline void anon_vma_unlock_read(struct anon_vma *av)
{
	up_read(&av->rwsem);
}

static __always_inline bool anon_vma_trylock_write(struct anon_vma *av)
{
	return down_write_trylock(&av->rwsem);
}
/* With a reference, which keeps it alive: the folio is mapped and locked. */
struct anon_vma *folio_get_anon_vma(struct folio *folio);
void put_anon_vma(struct anon_vma *av);

/* The VMA gets an anon_vma if it has none: a neighbour's or a new one.  Under
 * mmap_lock, which keeps the neighbours alive.  0 or -ENOMEM. */
int __must_check __anon_vma_prepare(struct vm_area_struct *vma);
static __always_inline int __must_check
anon_vma_prepare(struct vm_area_struct *vma)
{
	return READ_ONCE(vma->anon_vma) ? 0 : __anon_vma_prepare(vma);
}
/* dst is linked to all that src is linked to.  -ENOMEM: to none, and dst has no
 * anon_vma. */
int __must_check anon_vma_clone(struct vm_area_struct *dst,
				struct vm_area_struct *src);
/* fork: the child's VMA is linked to the parent's, and gets one of its own. */
int __must_check anon_vma_fork(struct vm_area_struct *vma,
			       struct vm_area_struct *pvma);
void unlink_anon_vmas(struct vm_area_struct *vma);

/* vma->vm_file's list of VMAs; nothing where there is no file. */
void vma_link_file(struct vm_area_struct *vma);
void unlink_file_vma(struct vm_area_struct *vma);

/* For set-ups. */
struct file *mm_new_file(void);
void get_file(struct file *file);
void fput(struct file *file);

/* Take away what maps pages [first, last] of the file, in every address space
 * (mm/memory.c, unmap_mapping_range). */
void unmap_mapping_pages(struct address_space *mapping, unsigned long first,
			 unsigned long last);
/* What reclaim does with one page of an anon_vma: each VMA of the list that
 * covers page number index loses its entry (mm/rmap.c, try_to_unmap). */
void rmap_unmap_anon(struct anon_vma *av, unsigned long index);

#endif
