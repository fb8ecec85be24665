/* SPDX-License-Identifier: MIT */
/* The objects of the mm world, with the kernel's names (include/linux/
 * mm_types.h, 6.4 to 6.15): what is in an address space, and what a scenario
 * variant may choose of it (struct mm_form).
 *
 * The world is small: an address space has 16 pages in 4 groups of 4 (a group
 * is what a PMD entry maps), and no more VMAs than a tree node has slots. */
#ifndef HEDDLE_MM_TYPES_H
#define HEDDLE_MM_TYPES_H

#include <heddle/folio.h>
#include <heddle/heddle.h>
#include <heddle/kernel.h>

enum {
	MM_TREE_SLOTS = 8, /* VMAs of an address space */
	PTRS_PER_PTE = 4,  /* pages of a group */
	PTRS_PER_PMD = 4,  /* groups of an address space */
	MM_AVCS = 3,       /* anon_vmas that one VMA is linked to */
	MM_RMAP_VMAS = 16, /* VMAs linked to an anon_vma or a file */
};
#define PAGE_SHIFT 12
#define PAGE_SIZE 0x1000ul
#define PMD_SHIFT 14
#define PMD_SIZE 0x4000ul
#define PMD_MASK (~(PMD_SIZE - 1))
#define TASK_SIZE (PTRS_PER_PMD * PMD_SIZE)

struct vm_area_struct;
struct mm_struct;
struct vm_fault;
struct file;

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

/* The last level: the pages of one group. */
struct page_table {
	spinlock_t ptl;
	unsigned long pte[PTRS_PER_PTE];
};

/* Entries of both levels.  A PTE without the parts MM_ANON and MM_FILE is any
 * number but 0; else a folio's address, or a device's page frame if
 * _PAGE_SPECIAL, with these bits.  A PMD entry is 0, a table's address, or a
 * folio's with _PAGE_PSE: all pages of the group at once. */
#define _PAGE_PRESENT 0x1ul
#define _PAGE_RW 0x2ul
#define _PAGE_UFFD_WP 0x4ul
#define _PAGE_SPECIAL 0x8ul /* mapping of a device: no folio */
#define _PAGE_PSE 0x8ul
#define _PAGE_BITS 0xful

/* Without MM_ANON an anonymous page is a number, which says where it lies; it has
 * none of these bits and allows every access. */
#define PAGE_NUMBER(addr, node)                                        \
	((0x100ul * (1 + (unsigned long)(node)) + ((addr) >> PAGE_SHIFT)) << 4)
#define PAGE_NODE(pte) ((int)((pte) >> 12) - 1)

struct anon_vma {
	struct rw_semaphore rwsem;
	refcount_t refcount;       /* avcs that point here */
	struct vm_area_struct *vma[MM_RMAP_VMAS]; /* under rwsem */
};

struct address_space {
	struct rw_semaphore i_mmap_rwsem;
	struct vm_area_struct *i_mmap[MM_RMAP_VMAS]; /* under i_mmap_rwsem */
	struct folio *page[4];     /* the page cache */
};

struct file_operations {
	/* May change vm_flags, vm_ops, vm_private_data of a VMA that nobody
	 * sees yet. */
	int (*mmap)(struct file *file, struct vm_area_struct *vma);
};

struct file {
	refcount_t f_count;
	struct address_space *f_mapping;
	const struct file_operations *f_op; /* NULL: none */
};

struct mempolicy { /* MPOL_BIND (mempolicy.h) */
	atomic_t refcnt;
	int node;
};

struct vm_operations_struct {
	void (*open)(struct vm_area_struct *vma);
	void (*close)(struct vm_area_struct *vma);
	int (*fault)(struct vm_fault *vmf);
	/* NULL: fault() is never called under the VMA lock */
	int (*map_pages)(struct vm_fault *vmf);
	/* not NULL: the first write to a page of a shared mapping is told */
	int (*page_mkwrite)(struct vm_fault *vmf);
};

struct userfaultfd_ctx;

/* 6.4 to 6.14: a semaphore per VMA, held for write only for an instant. */
struct vma_lock {
	struct rw_semaphore lock;
};

typedef unsigned long vm_flags_t;
#define VM_READ 0x1ul
#define VM_WRITE 0x2ul
#define VM_SHARED 0x8ul
#define VM_GROWSDOWN 0x100ul
#define VM_UFFD_MISSING 0x200ul
#define VM_PFNMAP 0x400ul
#define VM_UFFD_WP 0x1000ul
#define VM_LOCKED 0x2000ul
#define VM_SOFTDIRTY 0x8000000ul
#define VM_NOHUGEPAGE 0x40000000ul

struct vm_area_struct {
	/* Written only under the VMA write lock, or while nobody sees the VMA
	 * (check_vma_fields.c): first to last of these. */
	unsigned long vm_start, vm_end; /* [start, end) */
	unsigned long vm_pgoff;
	vm_flags_t vm_flags;
	unsigned long vm_page_prot; /* _PAGE_RW: writes need no fault */
	struct anon_vma *anon_vma; /* NULL to not NULL also by a fault */
	const struct vm_operations_struct *vm_ops;
	struct file *vm_file;
	struct mempolicy *vm_policy;
	struct {
		struct userfaultfd_ctx *ctx;
	} vm_userfaultfd_ctx;

	struct mm_struct *vm_mm;
	void *vm_private_data;
	struct anon_vma *avc[MM_AVCS]; /* the anon_vma_chain */
	unsigned int vm_lock_seq;  /* == mm_lock_seq: write-locked */
	bool detached;             /* 6.4 to 6.14 */
	struct vma_lock *vm_lock;  /* 6.4 to 6.14 */
	refcount_t vm_refcnt;      /* 6.15: 0 detached, 1 attached, 1 + n readers */
	struct lockdep_map vmlock_dep_map;
	struct rcu_head vm_rcu;
};

struct mm_struct {
	struct maple_tree mm_mt;
	struct rw_semaphore mmap_lock;
	seqcount_t mm_lock_seq; /* odd while mmap_lock is held for write; up to
				 * 6.13: a number that grows at each unlock */
	struct rcuwait vma_writer_wait;
	spinlock_t page_table_lock; /* also what pmd_lock() takes */
	unsigned long pmd[PTRS_PER_PMD];
	int map_count;
	atomic_t mm_users;      /* 0: exit_mmap() */
	atomic_t mm_count;      /* 0: the struct is freed */
	unsigned long cpu_bitmap; /* CPUs whose TLBs may hold entries */
};

struct vm_fault {
	struct vm_area_struct *vma;
	unsigned long address, pgoff;
	unsigned int flags;
};

/* --- what a variant chooses ------------------------------------------------- */

struct vma_lock_ops {
	/* NULL: use mmap_lock; ERR_PTR(-EAGAIN): the VMA was detached, look it
	 * up again; else the VMA, read-locked. */
	struct vm_area_struct *(*start_read)(struct vm_area_struct *vma);
	/* Instead of it, if not NULL: the mm that was searched is passed, since
	 * the VMA may be another mm's by now (6.15). */
	struct vm_area_struct *(*start_read_mm)(struct mm_struct *mm,
						struct vm_area_struct *vma);
	void (*end_read)(struct vm_area_struct *vma);
	void (*start_write)(struct vm_area_struct *vma);
	void (*mark_attached)(struct vm_area_struct *vma);
	void (*mark_detached)(struct vm_area_struct *vma);
	/* Called when the VMA is freed, before its memory is given back. */
	void (*before_free)(struct vm_area_struct *vma);
	/* What follows may be NULL. */
	void (*init)(struct vm_area_struct *vma);
	/* Under mmap_lock, which keeps writers out; false: too many readers. */
	bool (*start_read_locked)(struct vm_area_struct *vma, int subclass);
	/* 0, or -EINTR if a fatal signal came; then nothing has changed */
	int (*start_write_killable)(struct vm_area_struct *vma);
	/* Up to 6.13: mm_lock_seq grows at unlock only. */
	bool seq_at_unlock;
	/* Up to 6.14: the reader looks at vma->detached once it has the lock. */
	bool detached_flag;
};

/* Parts of the world that cost ops only where a scenario has them. */
enum mm_part {
	MM_ANON = 1, /* anonymous pages are folios with references and rmap */
	MM_FILE = 2, /* VMAs have files or vm_ops, and i_mmap */
	MM_THP = 4,  /* a fault may map a whole group */
	MM_TLB = 8,  /* each CPU has a TLB, flushed late */
	MM_POLICY = 0x100, /* faults ask vm_policy for the node */
};

/* Where the VMA write locks are taken when a VMA's range changes (seed 001). */
enum mm_modify {
	MM_MODIFY_6_6 = 0, /* before vma_prepare(), as 6.6 to 6.18 */
	MM_MODIFY_6_2,     /* no VMA lock; vma_adjust_trans_huge() first */
	MM_MODIFY_V3,      /* lock, vma_adjust_trans_huge(), vma_prepare() */
	MM_MODIFY_GUESS,   /* vma_adjust_trans_huge(), vma_prepare() locks */
	MM_MODIFY_6_4,     /* vma_prepare() locks, vma_adjust_trans_huge() */
	MM_MODIFY_ORDER = 7,
	/* with one of these: */
	MM_MODIFY_END_ALL = 8,       /* vma_complete() ends all VMA locks */
	MM_MODIFY_DETACH_EARLY = 16, /* vma_prepare() detaches what goes */
	MM_MODIFY_DETACH_NEVER = 32, /* nobody detaches what goes */
	/* a VMA without anon_vma takes what mremap copies: */
	MM_MODIFY_COPY_6_16 = 64,    /* and stays without */
	MM_MODIFY_COPY_6_18_8 = 128, /* and gets it */
};

/* How a stack grows (stack.c); 0: no VMA does. */
enum mm_stack {
	MM_STACK_4_20 = 1, /* under mmap_lock for read; munmap downgrades */
	MM_STACK_5_8,      /* the same; munmap does not, next to a stack */
	MM_STACK_6_5,      /* under mmap_lock for write */
};

/* How mmap() puts a new VMA into the tree (mmap.c). */
enum mm_mmap {
	MM_MMAP_6_5 = 0,  /* write-locked; what lay there is unmapped before */
	MM_MMAP_6_4,      /* not locked */
	MM_MMAP_6_5_RC1,  /* write-locked, but under i_mmap_rwsem */
	MM_MMAP_6_12,     /* what lay there stays until it is overwritten */
};

/* Steps of the accepted code that a variant can leave out, to show what each
 * is there for: bits of mm_form.without. */
enum mm_step {
	/* write-lock a new VMA before it goes into the tree (6.6) */
	MM_STEP_LOCK_NEW_VMA = 1 << 0,
	/* dup_anon_vma() is called with the VMA write-locked (6.5-rc4) */
	MM_STEP_DUP_ANON_VMA_LOCKS = 1 << 1,
	/* khugepaged write-locks the VMA before it takes the table out (6.4) */
	MM_STEP_COLLAPSE_LOCKS = 1 << 2,
	/* munmap shares mmap_lock while it frees (4.20) */
	MM_STEP_DOWNGRADE = 1 << 8,
	/* write-lock a stack before it grows (6.5) */
	MM_STEP_LOCK_STACK = 1 << 9,
	/* look the stack up again once mmap_lock is held for write (6.5) */
	MM_STEP_FIND_STACK_AGAIN = 1 << 10,
	/* mbind() write-locks the VMAs, before it looks for pages (6.5) */
	MM_STEP_MBIND_LOCKS = 1 << 11,
	MM_STEP_MBIND_LOCKS_FIRST = 1 << 12,
	/* a reader that puts another mm's VMA holds that mm meanwhile (6.17) */
	MM_STEP_GRAB_OTHER_MM = 1 << 13,
	/* fork write-locks the VMAs of the parent (6.4.3) */
	MM_STEP_FORK_LOCKS_VMAS = 1 << 16,
	/* fork flushes the parent's TLB entries before it unlocks */
	MM_STEP_FORK_FLUSHES = 1 << 17,
	/* exit_mmap() takes mmap_lock (5.17) */
	MM_STEP_EXIT_LOCKS_MM = 1 << 18,
	/* unmapped pages are freed behind the TLB flush */
	MM_STEP_FLUSH_BEFORE_FREE = 1 << 19,
	/* a page that is copied on write: flush the old entry in between */
	MM_STEP_COPY_FLUSHES = 1 << 20,
	/* a fault under the VMA lock takes mmap_lock itself for the anon_vma
	 * (6.7); without it, such a VMA's fault is under mmap_lock (6.4) */
	MM_STEP_VMF_ANON_PREPARE = 1 << 21,
	/* whether it has an anon_vma is looked at under the VMA lock (6.5) */
	MM_STEP_ANON_VMA_CHECK_LOCKED = 1 << 22,
	/* there mmap_lock is tried, not waited for, under the VMA lock */
	MM_STEP_ANON_PREPARE_TRIES = 1 << 23,
	/* UFFDIO_MOVE takes two page table locks by address */
	MM_STEP_PTLS_BY_ADDRESS = 1 << 24,
	/* and compares both PTEs once it holds them */
	MM_STEP_MOVE_COMPARES_PTES = 1 << 25,
	/* UFFDIO_COPY disables page faults while it holds locks */
	MM_STEP_COPY_DISABLES_FAULTS = 1 << 26,
	/* UFFDIO_WRITEPROTECT gets a user's reference of the mm (5.15) */
	MM_STEP_WP_GETS_MM = 1 << 27,
	/* munmap that fails attaches again what it had detached */
	MM_STEP_REATTACH = 1ull << 32,
	/* a merge that fails takes back dup_anon_vma() */
	MM_STEP_UNDO_DUP_ANON_VMA = 1ull << 33,
	/* a writer that is killed while it waits lets readers in again (7.0) */
	MM_STEP_LET_READERS_IN = 1ull << 34,
	/* a VMA is marked as write-locked when its readers have left */
	MM_STEP_SEQ_BEHIND_WAIT = 1ull << 35,
	/* lock_next_vma(): was there a writer since the look-up? */
	MM_STEP_NEXT_VMA_VERIFIES = 1ull << 36,
	/* it takes down the sequence before it looks */
	MM_STEP_NEXT_VMA_SEQ_FIRST = 1ull << 37,
	/* it looks whether the VMA still ends behind the address */
	MM_STEP_NEXT_VMA_ENDS_BEHIND = 1ull << 38,
	/* mprotect write-locks the VMA whose flags it sets (6.4) */
	MM_STEP_MPROTECT_LOCKS = 1ull << 39,
	/* and takes the write bit out of its PTEs */
	MM_STEP_MPROTECT_PTES = 1ull << 40,
	/* mm_lock_seq goes up before mmap_lock is unlocked, not behind it */
	MM_STEP_SEQ_BEFORE_UNLOCK = 1ull << 41,
};

struct mm_form {
	const struct vma_lock_ops *lock; /* NULL: before 6.4, mmap_lock alone */
	u32 lock_offset;    /* VMA_LOCK_OFFSET, VMA_STATE_LOCKED */
	int limit_delta;    /* readers' limit is this much too high */
	bool free_by_rcu;   /* call_rcu; else at once, type-safe cache */
	bool no_recheck;    /* mutations of the accepted form: */
	bool no_wait_at_detach;
	bool release_behind_test;
	bool early_free_pgtables;
	u32 parts;          /* enum mm_part */
	u8 modify;          /* enum mm_modify */
	u8 stack;           /* enum mm_stack */
	u8 mmap;            /* enum mm_mmap */
	bool madvise_vma_lock; /* MADV_DONTNEED under the VMA lock (6.16) */
	bool killable;      /* calls lock VMAs killably, first of all (7.1) */
	u64 without;        /* enum mm_step */
	const void *more;   /* the scenario's own choice */
};

static __always_inline const struct mm_form *mm_form(void)
{
	return heddle_variant_data();
}
static __always_inline bool mm_has(u32 parts)
{
	return mm_form()->parts & parts;
}
/* Is the step done in this variant? */
static __always_inline bool mm_does(u64 step)
{
	return !(mm_form()->without & step);
}

#define VMA_LOCK_OFFSET (mm_form()->lock_offset)
#define VMA_STATE_LOCKED VMA_LOCK_OFFSET

#endif
