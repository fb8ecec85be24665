/* SPDX-License-Identifier: MIT */
/* The mm world: what can be done with address spaces and VMAs, with the
 * kernel's names (6.4 to 6.15).  Its objects: mm_types.h.
 *
 * The per-VMA lock exists in several forms; a scenario variant selects one
 * through struct mm_form (heddle_variant()->data points to it).  A reviewer
 * who pastes the functions of a patch defines HEDDLE_OWN_VMA_LOCK before he
 * includes this header, fills a struct vma_lock_ops with them, and names it in
 * his mm_form: the rest of the world then calls his functions. */
#ifndef HEDDLE_MM_H
#define HEDDLE_MM_H

#include <heddle/fork.h>
#include <heddle/mm_types.h>
#include <heddle/tlb.h>

#define ERR_PTR(e) ((void *)(long)(e))
#define PTR_ERR(p) ((long)(p))
#define IS_ERR(p) ((unsigned long)(p) >= (unsigned long)-4095)
#define IS_ERR_OR_NULL(p) (!(p) || IS_ERR(p))

/* --- what the model tells the checks (src/mm/check_*.c) ---------------------- *
 *
 * The mm is what is judged: notes of one address space are judged together. */
enum mm_note {
	MM_NOTE_NEW = 1,       /* a = mm */
	MM_NOTE_READ_LOCKED,   /* a = vma: granted to this task */
	MM_NOTE_READ_UNLOCK,   /* a = vma: about to be given back */
	MM_NOTE_WRITE_LOCKED,  /* a = vma: vma_start_write() is through */
	MM_NOTE_WRITE_END_ALL, /* all VMAs of mm are no longer write-locked; b: and
				* mmap_lock is about to be */
	MM_NOTE_DETACHED,      /* a = vma: vma_mark_detached() begins */
	MM_NOTE_PTE_SET,       /* a = address */
	MM_NOTE_READER_INC,    /* a = vma, b = vm_refcnt afterwards */
	MM_NOTE_TREE,          /* the tree was changed */
	MM_NOTE_ATTACHED,      /* a = vma: vma_mark_attached() is through */
	MM_NOTE_PMD_SET,       /* a = address: a whole group is mapped */
	MM_NOTE_VMA_FREED,     /* a = vma: its memory is about to be given back */
	MM_NOTE_MM_FREED,      /* a = mm: the same */
	MM_NOTE_PAGE_COPIED,   /* a = folio: was read for a copy on write; it
				* is what is judged, not the mm */
	MM_NOTE_UNMAPPED,      /* what this task unmapped is mapped nowhere */
	MM_NOTE_CALL,          /* a call has mmap_lock for write and begins */
	MM_NOTE_CALL_FAILED,   /* b = error: mm must be what it was then; before
				* mmap_lock is given back (check_restored.c) */
};
void mm_note(enum mm_note code, const struct mm_struct *mm, const void *a,
	     u64 b);
/* The same about a VMA of its own mm; looking for that is no op. */
void mm_note_vma(enum mm_note code, const struct vm_area_struct *vma);

/* --- the VMA lock ---------------------------------------------------------------- */

/* vma_lock_gen1.c: a semaphore per VMA: 6.4 to 6.13, and 6.14 */
extern const struct vma_lock_ops vma_lock_gen1, vma_lock_gen2;
/* vma_lock_v6.c: vm_refcnt series as posted, v6 to v7 */
extern const struct vma_lock_ops vma_lock_v6, vma_lock_v6_complete, vma_lock_v7;
/* vma_lock_v10.c: as merged in 6.15, with the mutations of struct mm_form */
extern const struct vma_lock_ops vma_lock_v10;
/* With VMAs that may be reused by another mm: 6.15 and 6.16, and since 6.17. */
extern const struct vma_lock_ops vma_lock_6_15, vma_lock_6_17;
/* and with a writer that can be killed while it waits for readers */
extern const struct vma_lock_ops vma_lock_7_0;

#ifndef HEDDLE_OWN_VMA_LOCK
static __always_inline struct vm_area_struct *
vma_start_read(struct vm_area_struct *vma)
{
	return mm_form()->lock->start_read(vma);
}
static __always_inline void vma_end_read(struct vm_area_struct *vma)
{
	mm_note_vma(MM_NOTE_READ_UNLOCK, vma);
	mm_form()->lock->end_read(vma);
}
static __always_inline void vma_start_write(struct vm_area_struct *vma)
{
	if (!mm_form()->lock)
		return;
	mm_form()->lock->start_write(vma);
	mm_note_vma(MM_NOTE_WRITE_LOCKED, vma);
}
static __always_inline void vma_mark_attached(struct vm_area_struct *vma)
{
	if (!mm_form()->lock)
		return;
	mm_form()->lock->mark_attached(vma);
	mm_note_vma(MM_NOTE_ATTACHED, vma);
}
static __always_inline void vma_mark_detached(struct vm_area_struct *vma)
{
	if (!mm_form()->lock)
		return;
	mm_note_vma(MM_NOTE_DETACHED, vma);
	mm_form()->lock->mark_detached(vma);
}
#endif
/* Under mmap_lock, which keeps writers out.  False: too many readers (6.15). */
bool vma_start_read_locked_nested(struct vm_area_struct *vma, int subclass);
static __always_inline bool vma_start_read_locked(struct vm_area_struct *vma)
{
	return vma_start_read_locked_nested(vma, 0);
}
int __must_check vma_start_write_killable(struct vm_area_struct *vma);
/* Verdict lock-assert if the caller has not write-locked it. */
void vma_assert_write_locked(struct vm_area_struct *vma);
/* The VMA that holds addr, read-locked under RCU alone (mm/memory.c); NULL: fall
 * back to mmap_lock. */
struct vm_area_struct *lock_vma_under_rcu(struct mm_struct *mm,
					  unsigned long addr);
/* The VMA that holds addr or the next one behind it, read-locked (maps.c; 6.17).
 * Called under RCU, which it may leave meanwhile.  NULL: there is none; or
 * -EAGAIN, -EINTR. */
struct vm_area_struct *lock_next_vma(struct mm_struct *mm, unsigned long addr);

/* --- mmap_lock (mmap_lock.c) ------------------------------------------------------ */

void mmap_write_lock(struct mm_struct *mm);
void mmap_write_lock_nested(struct mm_struct *mm, int subclass);
int __must_check mmap_write_lock_killable(struct mm_struct *mm);
void mmap_write_unlock(struct mm_struct *mm);
void mmap_write_downgrade(struct mm_struct *mm);
void mmap_read_lock(struct mm_struct *mm);
int __must_check mmap_read_lock_killable(struct mm_struct *mm);
bool mmap_read_trylock(struct mm_struct *mm);
void mmap_read_unlock(struct mm_struct *mm);
/* What the unlock and the downgrade do: all VMA write locks end. */
void vma_end_write_all(struct mm_struct *mm);
/* Read without it: false if a writer is there; true if one came since. */
bool mmap_lock_speculate_try_begin(struct mm_struct *mm, unsigned int *seq);
bool mmap_lock_speculate_retry(struct mm_struct *mm, unsigned int seq);
#define mmap_assert_write_locked(mm) lockdep_assert_held_write(&(mm)->mmap_lock)
#define mmap_assert_locked(mm) lockdep_assert_held(&(mm)->mmap_lock)

/* --- address spaces and VMAs (mm.c) -------------------------------------------------- */

/* For set-ups: a new, empty address space; with mm_users and mm_count 1. */
struct mm_struct *mm_alloc(void);
/* The same in memory that is there. */
void mm_init(struct mm_struct *mm);
/* For set-ups: map [start, end), attached and in the tree. */
struct vm_area_struct *mm_add_vma(struct mm_struct *mm, unsigned long start,
				  unsigned long end);
/* The same with vm_flags; that one has VM_READ | VM_WRITE. */
struct vm_area_struct *mm_add_vma_flags(struct mm_struct *mm,
					unsigned long start, unsigned long end,
					vm_flags_t flags);
/* The same with a file (part MM_FILE) and ops. */
struct vm_area_struct *mm_add_vma_file(struct mm_struct *mm,
				       unsigned long start, unsigned long end,
				       vm_flags_t flags, struct file *file,
				       const struct vm_operations_struct *ops);
struct vm_area_struct *vm_area_alloc(struct mm_struct *mm);
/* A copy that nobody sees, with a lock of its own; NULL: no memory. */
struct vm_area_struct *vm_area_dup(struct vm_area_struct *orig);
void vm_area_free(struct vm_area_struct *vma);

static __always_inline bool vma_is_anonymous(const struct vm_area_struct *vma)
{
	return !vma->vm_ops;
}

/* --- the VMA tree (vma_tree.c) --------------------------------------------------------- */

/* The VMA that holds addr, or NULL.  Under RCU or mmap_lock. */
struct vm_area_struct *mas_walk(struct mm_struct *mm, unsigned long addr);
#define vma_lookup(mm, addr) mas_walk(mm, addr)
/* The first VMA that ends behind addr, or NULL. */
struct vm_area_struct *find_vma(struct mm_struct *mm, unsigned long addr);
/* The same, and in *prev the one before.  The walk goes on from the node where
 * it stands (vma_iter.c): under mmap_lock. */
struct vm_area_struct *find_vma_prev(struct mm_struct *mm, unsigned long addr,
				     struct vm_area_struct **prev);
/* The neighbours of what lies at addr, or NULL. */
struct vm_area_struct *vma_next(struct mm_struct *mm, unsigned long addr);
struct vm_area_struct *vma_prev(struct mm_struct *mm, unsigned long addr);
/* [start, end) becomes vma's, or nobody's (NULL), with one store; what lay there
 * is cut or dropped. */
void mas_store_range(struct mm_struct *mm, unsigned long start,
		     unsigned long end, struct vm_area_struct *vma);
static __always_inline void mas_store(struct mm_struct *mm,
				      struct vm_area_struct *vma)
{
	mas_store_range(mm, vma->vm_start, vma->vm_end, vma);
}
static __always_inline void mas_clear(struct mm_struct *mm, unsigned long start,
				      unsigned long end)
{
	mas_store_range(mm, start, end, NULL);
}

/* --- page faults (fault.c, memory.c) ------------------------------------------------------ */

/* include/linux/mm_types.h */
enum {
	VM_FAULT_OOM = 0x1,
	VM_FAULT_SIGBUS = 0x2,
	VM_FAULT_SIGSEGV = 0x40,
	VM_FAULT_NOPAGE = 0x100,
	VM_FAULT_RETRY = 0x400,     /* the lock was dropped: try again */
	VM_FAULT_COMPLETED = 0x4000, /* done, and the lock was dropped */
};
enum {
	FAULT_FLAG_WRITE = 0x1,
	FAULT_FLAG_ALLOW_RETRY = 0x4,
	FAULT_FLAG_RETRY_NOWAIT = 0x8,
	FAULT_FLAG_KILLABLE = 0x10,
	FAULT_FLAG_TRIED = 0x20,
	FAULT_FLAG_USER = 0x40,
	FAULT_FLAG_VMA_LOCK = 0x1000,
};
/* A page fault (arch/x86/mm/fault.c, do_user_addr_fault): from user space, with
 * FAULT_FLAG_USER, VMA lock first, else mmap_lock, up to the return to user
 * space; from a copy_from_user(), without it, under mmap_lock.  0, or
 * VM_FAULT_SIGSEGV, _SIGBUS, _OOM. */
int do_user_addr_fault(struct mm_struct *mm, unsigned long addr,
		       unsigned int flags);
/* For set-ups: an anonymous page at addr, val in both words. */
void mm_add_page(struct mm_struct *mm, unsigned long addr, unsigned long val);
/* For end checks: the word at addr of a page that is mapped. */
unsigned long mm_word(struct mm_struct *mm, unsigned long addr);
int handle_mm_fault(struct vm_area_struct *vma, unsigned long addr,
		    unsigned int flags);
/* Drop the lock under which the fault runs: the VMA's or mmap_lock. */
void release_fault_lock(struct vm_fault *vmf);

/* --- page tables (pagetable.c) ---------------------------------------------------- */

static __always_inline unsigned int pmd_index(unsigned long addr)
{
	return (addr >> PMD_SHIFT) & (PTRS_PER_PMD - 1);
}
static __always_inline unsigned int pte_index(unsigned long addr)
{
	return (addr >> PAGE_SHIFT) & (PTRS_PER_PTE - 1);
}
static __always_inline spinlock_t *pmd_lockptr(struct mm_struct *mm)
{
	return &mm->page_table_lock;
}
/* The table of addr's group, made if need be; NULL: no memory, or huge. */
struct page_table *pte_alloc(struct mm_struct *mm, unsigned long addr);
/* The table of addr's group, or NULL: none, or huge. */
struct page_table *pte_offset(struct mm_struct *mm, unsigned long addr);
/* If there is none yet. */
void set_pte(struct mm_struct *mm, struct page_table *table,
	     unsigned long addr, unsigned long page);
void unmap_region(struct mm_struct *mm, unsigned long start, unsigned long end);
/* Free the tables of the groups that lie in [floor, ceiling). */
void free_pgtables(struct mm_struct *mm, unsigned long floor,
		   unsigned long ceiling);
/* vma is about to become [start, end): no huge page may cross its bounds. */
void vma_adjust_trans_huge(struct vm_area_struct *vma, unsigned long start,
			   unsigned long end);

/* --- changing VMAs, under mmap_lock for write (vma_modify.c, vma_merge.c) -------- */

/* Two VMAs out of one; the new one is the lower part if new_below.  -ENOMEM: as
 * before. */
int __must_check split_vma(struct vm_area_struct *vma, unsigned long addr,
			   bool new_below);
/* vma becomes smaller; what it no longer covers was unmapped before. */
int __must_check vma_shrink(struct vm_area_struct *vma, unsigned long start,
			    unsigned long end);
/* vma becomes larger, over free space, or over next as a whole, which goes. */
int __must_check vma_expand(struct vm_area_struct *vma, unsigned long start,
			    unsigned long end, struct vm_area_struct *next);
/* [start, end) of vma is about to be like its neighbours: merge with those that
 * fit (cases 4 to 8).  The VMA that now holds start; NULL: nothing fits, or no
 * memory (*err). */
struct vm_area_struct *vma_merge_existing_range(struct vm_area_struct *vma,
						unsigned long start,
						unsigned long end,
						vm_flags_t flags, int *err);
/* Where proto lies is free and about to be mapped as it says (cases 1 to 3): its
 * mm, range, offset, flags and owners count.  copied: the VMA whose pages mremap
 * will move there, or NULL.  The VMA that now holds it. */
struct vm_area_struct *vma_merge_new_range(const struct vm_area_struct *proto,
					   struct vm_area_struct *copied,
					   int *err);
/* A new VMA that nobody sees goes into tree and file. */
void vma_link(struct vm_area_struct *vma);
/* What is to be like flags in [start, end) of vma: merged or split off
 * (mm/vma.c, vma_modify). */
struct vm_area_struct *vma_modify(struct vm_area_struct *vma,
				  unsigned long start, unsigned long end,
				  vm_flags_t flags, int *err);

/* --- system calls ------------------------------------------------------------------ */

/* munmap(2) (munmap.c): with splits, and the downgrade (mm/vma.c). */
int do_munmap(struct mm_struct *mm, unsigned long start, unsigned long end);
/* The same as a part of another call, under mmap_lock for write. */
int do_vmi_munmap(struct mm_struct *mm, unsigned long start, unsigned long end);
/* mmap(2) with MAP_FIXED (mmap.c): of nothing (file is NULL), or of the file from
 * page pgoff on.  -ENOMEM after the old pages went leaves a gap. */
int do_mmap(struct mm_struct *mm, unsigned long addr, unsigned long end,
	    vm_flags_t flags, struct file *file, unsigned long pgoff);
/* mprotect(2) (mprotect.c): flags: VM_READ, VM_WRITE. */
int do_mprotect(struct mm_struct *mm, unsigned long start, unsigned long end,
		vm_flags_t flags);
/* mremap(2) (mremap.c) of a range of one VMA to new_addr, which is unmapped
 * first; 0 as new_addr: shrink or grow where it is. */
enum { MREMAP_FIXED = 2, MREMAP_DONTUNMAP = 4 };
int do_mremap(struct mm_struct *mm, unsigned long addr, unsigned long old_len,
	      unsigned long new_len, unsigned long new_addr,
	      unsigned int flags);
/* khugepaged looks at addr's group (khugepaged.c). */
void collapse_huge_page(struct mm_struct *mm, unsigned long addr);
/* madvise(2) with MADV_DONTNEED (madvise.c). */
int do_madvise_dontneed(struct mm_struct *mm, unsigned long start,
			unsigned long end);

#endif
