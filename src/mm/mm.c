/* SPDX-License-Identifier: MIT */
/* Address spaces and VMAs: made by set-ups, freed by tasks.
 *
 * Follows kernel/fork.c (vm_area_free) of the vm_refcnt series: freed through
 * call_rcu in v6 10/16, at once into a SLAB_TYPESAFE_BY_RCU cache in the merged
 * form (6.15).  Which one: struct mm_form.  Simplified: no policy, no anon_vma,
 * no file, no accounting. */
#include <heddle/mm.h>

static struct kmem_cache *vma_cache;
static struct lock_class_key vm_lock_key;

void mm_note(enum mm_note code, const struct mm_struct *mm, const void *a,
	     u64 b)
{
	bool reader = code == MM_NOTE_READ_LOCKED ||
		      code == MM_NOTE_READ_UNLOCK || code == MM_NOTE_PTE_SET ||
		      code == MM_NOTE_READER_INC;

	hd_note(code, mm, !reader, (u64)a, b, HD_PC());
}

struct mm_struct *mm_alloc(void)
{
	struct mm_struct *mm = heddle_alloc(struct mm_struct);

	if (!vma_cache)
		vma_cache = kmem_cache_create("vm_area_struct",
					      sizeof(struct vm_area_struct), 0,
					      SLAB_TYPESAFE_BY_RCU, NULL);
	mm->mm_mt.root = heddle_alloc(struct maple_node);
	init_rwsem(&mm->mmap_lock);
	seqcount_init(&mm->mm_lock_seq);
	rcuwait_init(&mm->vma_writer_wait);
	spin_lock_init(&mm->page_table_lock);
	mm_note(MM_NOTE_NEW, mm, mm, 0);
	return mm;
}

static struct vm_area_struct *vm_area_alloc(struct mm_struct *mm)
{
	struct vm_area_struct *vma;

	if (mm_form()->free_by_rcu)
		vma = kzalloc(sizeof(struct vm_area_struct),
			      GFP_KERNEL | __GFP_NOFAIL);
	else
		vma = kmem_cache_zalloc(vma_cache,
					GFP_KERNEL | __GFP_NOFAIL);
	vma->vm_mm = mm;
	vma->vm_lock_seq = (unsigned int)-1;
	lockdep_init_map(&vma->vmlock_dep_map, "vm_lock", &vm_lock_key);
	refcount_set(&vma->vm_refcnt, 0);
	return vma;
}

struct vm_area_struct *mm_add_vma(struct mm_struct *mm, unsigned long start,
				  unsigned long end)
{
	struct vm_area_struct *vma = vm_area_alloc(mm);

	vma->vm_start = start;
	vma->vm_end = end;
	mmap_write_lock(mm);
	mm_form()->lock->start_write(vma);
	mm_form()->lock->mark_attached(vma);
	mas_store(mm, vma);
	mm->map_count++;
	mmap_write_unlock(mm);
	return vma;
}

static void vm_area_free_rcu_cb(struct rcu_head *head)
{
	kfree(container_of(head, struct vm_area_struct, vm_rcu));
}

void vm_area_free(struct vm_area_struct *vma)
{
	if (mm_form()->lock->before_free)
		mm_form()->lock->before_free(vma);
	if (mm_form()->free_by_rcu)
		call_rcu(&vma->vm_rcu, vm_area_free_rcu_cb);
	else
		kmem_cache_free(vma_cache, vma);
}
