/* SPDX-License-Identifier: MIT */
/* Address spaces and VMAs: made by set-ups and system calls, freed by tasks.
 *
 * Follows kernel/fork.c (vm_area_alloc, vm_area_dup, vm_area_free) up to 6.15:
 * freed at once into an ordinary cache before 6.4, through call_rcu up to v6
 * 10/16 of the vm_refcnt series, at once into a SLAB_TYPESAFE_BY_RCU cache in
 * the merged form.  Which one: struct mm_form.  Copied in logic: a copy gets a
 * lock of its own, never the original's.  Simplified: no accounting. */
#include <heddle/mm.h>

#include "mm.h"

static struct kmem_cache *vma_cache;
static struct lock_class_key vm_lock_key;

/* Notes that may come in either order.  What a call says about itself concerns
 * only what the owner of mmap_lock does. */
static bool mm_note_reads(enum mm_note code)
{
	return code == MM_NOTE_READ_LOCKED || code == MM_NOTE_READ_UNLOCK ||
	       code == MM_NOTE_PTE_SET || code == MM_NOTE_PMD_SET ||
	       code == MM_NOTE_READER_INC || code == MM_NOTE_CALL ||
	       code == MM_NOTE_CALL_FAILED;
}

void mm_note(enum mm_note code, const struct mm_struct *mm, const void *a,
	     u64 b)
{
	hd_note(code, mm, !mm_note_reads(code), (u64)a, b, HD_PC());
}

__attribute__((no_sanitize("thread")))
void mm_note_vma(enum mm_note code, const struct vm_area_struct *vma)
{
	hd_note(code, vma->vm_mm, !mm_note_reads(code), (u64)vma, 0, HD_PC());
}

struct mm_struct *mm_alloc(void)
{
	struct mm_struct *mm = heddle_alloc(struct mm_struct);

	mm_init(mm);
	return mm;
}

void mm_init(struct mm_struct *mm)
{
	if (!vma_cache)
		vma_cache = kmem_cache_create("vm_area_struct",
					      sizeof(struct vm_area_struct), 0,
					      SLAB_TYPESAFE_BY_RCU, NULL);
	mm->mm_mt.root = heddle_alloc(struct maple_node);
	init_rwsem(&mm->mmap_lock);
	seqcount_init(&mm->mm_lock_seq);
	rcuwait_init(&mm->vma_writer_wait);
	spin_lock_init(&mm->page_table_lock);
	atomic_set(&mm->mm_users, 1);
	atomic_set(&mm->mm_count, 1);
	tlb_init();
	mm_note(MM_NOTE_NEW, mm, mm, 0);
}

static void vma_lock_init(struct vm_area_struct *vma)
{
	if (!mm_form()->lock)
		return;
	if (mm_form()->lock->init) {
		mm_form()->lock->init(vma);
		return;
	}
	vma->vm_lock_seq = (unsigned int)-1;
	lockdep_init_map(&vma->vmlock_dep_map, "vm_lock", &vm_lock_key);
	refcount_set(&vma->vm_refcnt, 0);
}

static bool type_safe(void)
{
	return mm_form()->lock && !mm_form()->free_by_rcu;
}

static struct vm_area_struct *new_vma(struct mm_struct *mm, gfp_t gfp)
{
	struct vm_area_struct *vma;

	if (!type_safe())
		vma = kzalloc(sizeof(struct vm_area_struct), gfp);
	else
		vma = kmem_cache_zalloc(vma_cache, gfp);
	if (!vma)
		return NULL;
	heddle_keep(vma); /* the tree owns it; check_leak.c judges leaks */
	vma->vm_mm = mm;
	vma_lock_init(vma);
	return vma;
}

struct vm_area_struct *vm_area_alloc(struct mm_struct *mm)
{
	return new_vma(mm, GFP_KERNEL);
}

struct vm_area_struct *vm_area_dup(struct vm_area_struct *orig)
{
	struct vm_area_struct *vma = new_vma(orig->vm_mm, GFP_KERNEL);

	if (!vma)
		return NULL;
	vma->vm_start = orig->vm_start;
	vma->vm_end = orig->vm_end;
	vma->vm_pgoff = orig->vm_pgoff;
	vma->vm_flags = orig->vm_flags;
	if (!mm_form()->parts)
		return vma;
	vma->vm_page_prot = orig->vm_page_prot;
	if (mm_has(MM_ANON)) /* the links are the caller's to make */
		vma->anon_vma = orig->anon_vma;
	vma->vm_ops = orig->vm_ops;
	vma->vm_file = orig->vm_file;
	vma->vm_policy = orig->vm_policy;
	vma->vm_userfaultfd_ctx.ctx = orig->vm_userfaultfd_ctx.ctx;
	vma->vm_private_data = orig->vm_private_data;
	return vma;
}

struct vm_area_struct *mm_add_vma_file(struct mm_struct *mm,
				       unsigned long start, unsigned long end,
				       vm_flags_t flags, struct file *file,
				       const struct vm_operations_struct *ops)
{
	struct vm_area_struct *vma = new_vma(mm, GFP_KERNEL | __GFP_NOFAIL);

	vma->vm_start = start;
	vma->vm_end = end;
	vma->vm_pgoff = start >> PAGE_SHIFT;
	vma->vm_flags = flags;
	vma->vm_ops = ops;
	vma->vm_file = file;
	if (file)
		get_file(file);
	mmap_write_lock(mm);
	vma_start_write(vma);
	vma_mark_attached(vma);
	mas_store(mm, vma);
	mm->map_count++;
	vma_link_file(vma);
	mmap_write_unlock(mm);
	return vma;
}

struct vm_area_struct *mm_add_vma_flags(struct mm_struct *mm,
					unsigned long start, unsigned long end,
					vm_flags_t flags)
{
	return mm_add_vma_file(mm, start, end, flags, NULL, NULL);
}

struct vm_area_struct *mm_add_vma(struct mm_struct *mm, unsigned long start,
				  unsigned long end)
{
	return mm_add_vma_flags(mm, start, end, VM_READ | VM_WRITE);
}

static void free_vma_lock(struct vm_area_struct *vma)
{
	if (mm_form()->lock && mm_form()->lock->detached_flag)
		kfree(vma->vm_lock);
}

static void vm_area_free_rcu_cb(struct rcu_head *head)
{
	struct vm_area_struct *vma =
		container_of(head, struct vm_area_struct, vm_rcu);

	free_vma_lock(vma);
	kfree(vma);
}

void remove_vma(struct vm_area_struct *vma)
{
	if (mm_has(MM_FILE)) {
		if (vma->vm_ops && vma->vm_ops->close)
			vma->vm_ops->close(vma);
		if (vma->vm_file)
			fput(vma->vm_file);
	}
	if (mm_has(MM_POLICY))
		mpol_put(vma->vm_policy);
	vm_area_free(vma);
}

void vm_area_free(struct vm_area_struct *vma)
{
	if (mm_form()->lock && mm_form()->lock->before_free)
		mm_form()->lock->before_free(vma);
	mm_note_vma(MM_NOTE_VMA_FREED, vma);
	if (mm_form()->free_by_rcu)
		call_rcu(&vma->vm_rcu, vm_area_free_rcu_cb);
	else if (type_safe())
		kmem_cache_free(vma_cache, vma);
	else
		kfree(vma);
}
