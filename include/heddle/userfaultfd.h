/* SPDX-License-Identifier: MIT */
/* userfaultfd: a task fills and moves pages of an address space, its own or
 * another's (include/linux/userfaultfd_k.h, mm/userfaultfd.c, fs/userfaultfd.c;
 * 6.9 to 6.15).
 *
 * Calls work on one page.  The variant (struct mm_form) must have the part
 * MM_ANON, and a form of the VMA lock. */
#ifndef HEDDLE_USERFAULTFD_H
#define HEDDLE_USERFAULTFD_H

#include <heddle/mm.h>

struct userfaultfd_ctx {
	struct mm_struct *mm;
	/* taken behind the VMA locks, and for write by events of mm */
	struct rw_semaphore map_changing_lock;
	atomic_t mmap_changing; /* not 0: an event is under way, -EAGAIN */
};

/* --- set-ups ---------------------------------------------------------------- */

struct userfaultfd_ctx *userfaultfd_new(struct mm_struct *mm);
/* vma gets flags: VM_UFFD_MISSING, VM_UFFD_WP. */
void userfaultfd_register(struct userfaultfd_ctx *ctx,
			  struct vm_area_struct *vma, vm_flags_t flags);
/* An anonymous page at addr of vma; its first word is addr. */
struct folio *uffd_add_page(struct vm_area_struct *vma, unsigned long addr);

/* --- VMA locks (userfaultfd.c) ------------------------------------------------ */

/* The VMA at addr, which gets an anon_vma.  Under mmap_lock.  ERR_PTR(-ENOENT),
 * ERR_PTR(-ENOMEM). */
struct vm_area_struct *find_vma_and_prepare_anon(struct mm_struct *mm,
						 unsigned long addr);
/* The same, read-locked and without mmap_lock; also ERR_PTR(-EAGAIN). */
struct vm_area_struct *uffd_lock_vma(struct mm_struct *mm, unsigned long addr);
struct vm_area_struct *uffd_mfill_lock(struct mm_struct *dst_mm,
				       unsigned long dst_start,
				       unsigned long len);
void uffd_mfill_unlock(struct vm_area_struct *vma);
/* Both VMAs under mmap_lock; they may be one. */
int find_vmas_mm_locked(struct mm_struct *mm, unsigned long dst_start,
			unsigned long src_start,
			struct vm_area_struct **dst_vmap,
			struct vm_area_struct **src_vmap);
int uffd_move_lock(struct mm_struct *mm, unsigned long dst_start,
		   unsigned long src_start, struct vm_area_struct **dst_vmap,
		   struct vm_area_struct **src_vmap);
void uffd_move_unlock(struct vm_area_struct *dst_vma,
		      struct vm_area_struct *src_vma);
/* Another form of these two, as posted. */
struct uffd_move_locking {
	int (*lock)(struct mm_struct *mm, unsigned long dst_start,
		    unsigned long src_start, struct vm_area_struct **dst_vmap,
		    struct vm_area_struct **src_vmap);
	void (*unlock)(struct vm_area_struct *dst_vma,
		       struct vm_area_struct *src_vma);
};
extern const struct uffd_move_locking uffd_move_merged;

/* --- ioctls: 0 or an error, from the call to the return to user space ---------- */

/* UFFDIO_MOVE (userfaultfd_move.c), within mm. */
int userfaultfd_move(struct userfaultfd_ctx *ctx, unsigned long dst,
		     unsigned long src,
		     const struct uffd_move_locking *locking);
/* UFFDIO_COPY (userfaultfd_copy.c) from src of current_mm. */
int userfaultfd_copy(struct userfaultfd_ctx *ctx, unsigned long dst,
		     struct mm_struct *current_mm, unsigned long src);

/* UFFDIO_WRITEPROTECT (userfaultfd_wp.c) of the page at start. */
int userfaultfd_writeprotect(struct userfaultfd_ctx *ctx, unsigned long start);
/* Parts of UFFDIO_COPY.  A page of one's own; NULL: no memory. */
struct folio *uffd_alloc_folio(void);
/* Under the VMA's lock.  -EEXIST: something is there, and folio still the
 * caller's. */
int mfill_atomic_install_pte(struct vm_area_struct *dst_vma, unsigned long dst,
			     struct folio *folio);

/* --- events of mm (remove, mremap, fork): calls meanwhile get -EAGAIN ----------- */

void userfaultfd_event_begin(struct userfaultfd_ctx *ctx);
void userfaultfd_event_end(struct userfaultfd_ctx *ctx);

#endif
