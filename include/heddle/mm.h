/* SPDX-License-Identifier: MIT */
/* The mm world: address spaces, VMAs, the VMA tree, the per-VMA lock, page
 * faults and munmap, with the kernel's names (6.12 to 6.15).
 *
 * The per-VMA lock exists in several forms; a scenario variant selects one
 * through struct mm_form (heddle_variant()->data points to it).  A reviewer
 * who pastes the functions of a patch defines HEDDLE_OWN_VMA_LOCK before he
 * includes this header, fills a struct vma_lock_ops with them, and names it in
 * his mm_form: the rest of the world then calls his functions. */
#ifndef HEDDLE_MM_H
#define HEDDLE_MM_H

#include <heddle/heddle.h>
#include <heddle/kernel.h>

enum { MM_TREE_SLOTS = 4, MM_PTES = 8 };
#define PAGE_SIZE 0x1000ul
#define PAGE_SHIFT 12

struct vm_area_struct;
struct mm_struct;

/* One node of the tree; immutable once it is published, but for dead. */
struct maple_node {
	u32 nslots;
	u32 dead;
	struct {
		unsigned long first, last; /* last is inside */
		struct vm_area_struct *vma;
	} slot[MM_TREE_SLOTS];
	struct rcu_head rcu;
};

struct maple_tree {
	struct maple_node *root;
};

/* A page table covers the first MM_PTES pages of the address space. */
struct page_table {
	spinlock_t ptl;
	unsigned long pte[MM_PTES]; /* 0: none, else a page's number */
};

struct mm_struct {
	struct maple_tree mm_mt;
	struct rw_semaphore mmap_lock;
	seqcount_t mm_lock_seq; /* odd while mmap_lock is held for write */
	struct rcuwait vma_writer_wait;
	spinlock_t page_table_lock;
	struct page_table *pmd; /* NULL: no page table */
	int map_count;
};

struct vm_area_struct {
	unsigned long vm_start, vm_end; /* [start, end) */
	struct mm_struct *vm_mm;
	unsigned int vm_lock_seq; /* == mm_lock_seq: write-locked */
	refcount_t vm_refcnt; /* 0 detached, 1 attached, 1 + n readers */
	struct lockdep_map vmlock_dep_map;
	struct rcu_head vm_rcu;
};

/* --- the form of the VMA lock -------------------------------------------------- */

struct vma_lock_ops {
	/* NULL: use mmap_lock; ERR_PTR(-EAGAIN): the VMA was detached, look it
	 * up again; else the VMA, read-locked. */
	struct vm_area_struct *(*start_read)(struct vm_area_struct *vma);
	void (*end_read)(struct vm_area_struct *vma);
	void (*start_write)(struct vm_area_struct *vma);
	void (*mark_attached)(struct vm_area_struct *vma);
	void (*mark_detached)(struct vm_area_struct *vma);
	/* Called when the VMA is freed, before its memory is given back. */
	void (*before_free)(struct vm_area_struct *vma);
};

struct mm_form {
	const struct vma_lock_ops *lock;
	u32 lock_offset;    /* VMA_LOCK_OFFSET, VMA_STATE_LOCKED */
	int limit_delta;    /* readers' limit is this much too high */
	bool free_by_rcu;   /* call_rcu; else at once, type-safe cache */
	bool no_recheck;    /* mutations of the accepted form: */
	bool no_wait_at_detach;
	bool release_behind_test;
	bool early_free_pgtables;
};

static __always_inline const struct mm_form *mm_form(void)
{
	return heddle_variant_data();
}

#define VMA_LOCK_OFFSET (mm_form()->lock_offset)
#define VMA_STATE_LOCKED VMA_LOCK_OFFSET

/* vma_lock_v6.c: vm_refcnt series as posted, v6 to v7 */
extern const struct vma_lock_ops vma_lock_v6, vma_lock_v6_complete, vma_lock_v7;
/* vma_lock_v10.c: as merged in 6.15, with the mutations of struct mm_form */
extern const struct vma_lock_ops vma_lock_v10;

#ifndef HEDDLE_OWN_VMA_LOCK
static __always_inline struct vm_area_struct *
vma_start_read(struct vm_area_struct *vma)
{
	return mm_form()->lock->start_read(vma);
}
static __always_inline void vma_end_read(struct vm_area_struct *vma)
{
	mm_form()->lock->end_read(vma);
}
static __always_inline void vma_start_write(struct vm_area_struct *vma)
{
	mm_form()->lock->start_write(vma);
}
static __always_inline void vma_mark_attached(struct vm_area_struct *vma)
{
	mm_form()->lock->mark_attached(vma);
}
static __always_inline void vma_mark_detached(struct vm_area_struct *vma)
{
	mm_form()->lock->mark_detached(vma);
}
#endif

#define ERR_PTR(e) ((void *)(long)(e))
#define PTR_ERR(p) ((long)(p))
#define IS_ERR(p) ((unsigned long)(p) >= (unsigned long)-4095)
#define IS_ERR_OR_NULL(p) (!(p) || IS_ERR(p))

/* --- mmap_lock (mmap_lock.c) ------------------------------------------------------ */

void mmap_write_lock(struct mm_struct *mm);
void mmap_write_unlock(struct mm_struct *mm);
void mmap_write_downgrade(struct mm_struct *mm);
void mmap_read_lock(struct mm_struct *mm);
bool mmap_read_trylock(struct mm_struct *mm);
void mmap_read_unlock(struct mm_struct *mm);
#define mmap_assert_write_locked(mm) lockdep_assert_held_write(&(mm)->mmap_lock)

/* --- address spaces and VMAs (mm.c, vma_tree.c) -------------------------------------- */

/* For set-ups: a new, empty address space. */
struct mm_struct *mm_alloc(void);
/* For set-ups: map [start, end), attached and in the tree. */
struct vm_area_struct *mm_add_vma(struct mm_struct *mm, unsigned long start,
				  unsigned long end);
void vm_area_free(struct vm_area_struct *vma);

/* The VMA that holds addr, or NULL.  Under RCU or mmap_lock. */
struct vm_area_struct *mas_walk(struct mm_struct *mm, unsigned long addr);
#define vma_lookup(mm, addr) mas_walk(mm, addr)
/* Take all VMAs inside [start, end) out of the tree with one store. */
void mas_clear(struct mm_struct *mm, unsigned long start, unsigned long end);
void mas_store(struct mm_struct *mm, struct vm_area_struct *vma);

/* --- what tasks do --------------------------------------------------------------- */

/* Look a VMA up under RCU and read-lock it; NULL: fall back to mmap_lock
 * (mm/memory.c). */
struct vm_area_struct *lock_vma_under_rcu(struct mm_struct *mm,
					  unsigned long addr);

enum { VM_FAULT_NOPAGE = 0, VM_FAULT_SIGSEGV = 1 };
/* A user page fault from entry to return to user space (arch/x86/mm/fault.c,
 * do_user_addr_fault): VMA lock first, else mmap_lock. */
int do_user_addr_fault(struct mm_struct *mm, unsigned long addr);
/* munmap(2) of whole VMAs, with the downgrade (mm/vma.c). */
int do_munmap(struct mm_struct *mm, unsigned long start, unsigned long end);

/* --- page tables (pagetable.c) ---------------------------------------------------- */

struct page_table *pte_alloc(struct mm_struct *mm);
void set_pte(struct mm_struct *mm, struct page_table *table,
	     unsigned long addr, unsigned long page);
void unmap_region(struct mm_struct *mm, unsigned long start, unsigned long end);
void free_pgtables(struct mm_struct *mm);

/* --- what the model tells the checks (src/mm/check_*.c) ------------------------------ *
 *
 * obj is the mm: notes of one address space are judged together. */
enum mm_note {
	MM_NOTE_NEW = 1,       /* a = mm */
	MM_NOTE_READ_LOCKED,   /* a = vma: granted to this task */
	MM_NOTE_READ_UNLOCK,   /* a = vma: about to be given back */
	MM_NOTE_WRITE_LOCKED,  /* a = vma: vma_start_write() is through */
	MM_NOTE_WRITE_END_ALL, /* all VMAs of mm are no longer write-locked */
	MM_NOTE_DETACHED,      /* a = vma: vma_mark_detached() begins */
	MM_NOTE_PTE_SET,       /* a = address */
	MM_NOTE_READER_INC,    /* a = vma, b = vm_refcnt afterwards */
	MM_NOTE_TREE,          /* the tree was changed */
};
void mm_note(enum mm_note code, const struct mm_struct *mm, const void *a,
	     u64 b);

#endif
