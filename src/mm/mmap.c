/* SPDX-License-Identifier: MIT */
/* mmap(2) at a fixed address: when can others see a new VMA, and what do they
 * see of the one that lay there?
 *
 * Follows mmap_region (mm/mmap.c, 6.4 to 6.12).  Copied in logic: the killable
 * write lock; what lies in the range goes first; merging, if the neighbours fit;
 * the VMA is filled in, also by the file's ->mmap, before it is stored; its flags
 * and page protection change once more when it is in the tree.  Since 6.5 it is
 * write-locked before the store; since 6.12 what lay there stays in the tree,
 * detached and without pages, until the store overwrites it, and may come back
 * if something fails.  Which of these: mm_form.mmap.
 * Simplified: the address is always given (MAP_FIXED), no accounting, no
 * security hooks; file mappings are not merged.
 * Deliberately different: what fails once pages were unmapped leaves a gap in
 * all forms (as in the kernel), and VMAs get VM_SOFTDIRTY always. */
#include <heddle/mm.h>

#include "mm.h"

struct mmap_state {
	struct mm_struct *mm;
	unsigned long addr, end, pgoff;
	vm_flags_t flags;
	struct file *file;
	struct vma_munmap vms; /* what lies there; 6.12: up to the end */
	bool cleared;          /* and its pages were unmapped */
};

static u32 form(void)
{
	return mm_form()->mmap;
}

/* mm/mmap.c: vm_get_page_prot, vma_set_page_prot. */
static unsigned long vm_get_page_prot(vm_flags_t flags)
{
	return _PAGE_PRESENT | (flags & VM_WRITE ? _PAGE_RW : 0);
}

static bool vma_wants_writenotify(struct vm_area_struct *vma)
{
	return (vma->vm_flags & (VM_SHARED | VM_WRITE)) ==
		       (VM_SHARED | VM_WRITE) &&
	       vma->vm_ops && vma->vm_ops->page_mkwrite;
}

static void vma_set_page_prot(struct vm_area_struct *vma)
{
	unsigned long prot = vm_get_page_prot(vma->vm_flags);

	if (vma_wants_writenotify(vma))
		prot &= ~_PAGE_RW;
	WRITE_ONCE(vma->vm_page_prot, prot);
}

static void vm_flags_set(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma_start_write(vma);
	vma->vm_flags |= flags;
}

/* --- what lay there --------------------------------------------------------- */

static int make_room(struct mmap_state *map)
{
	struct vma_munmap *vms = &map->vms;

	if (form() != MM_MMAP_6_12)
		return do_vmi_munmap(map->mm, map->addr, map->end);
	vms->mm = map->mm;
	vms->start = map->addr;
	vms->end = map->end;
	return vms_gather_munmap_vmas(vms);
}

static void clear_pages(struct mmap_state *map)
{
	if (map->vms.n && !map->cleared)
		vms_clear_ptes(&map->vms);
	map->cleared = true;
}

static void finish_old(struct mmap_state *map)
{
	clear_pages(map);
	map->mm->map_count -= (int)map->vms.n;
	vms_remove_vmas(&map->vms);
}

/* The new one did not come about: the old ones come back, or leave a gap. */
static void abort_old(struct mmap_state *map)
{
	u32 i;

	if (map->cleared && map->vms.n) {
		mas_clear(map->mm, map->addr, map->end);
		finish_old(map);
		return;
	}
	for (i = 0; i < map->vms.n; i++)
		vma_mark_attached(map->vms.vma[i]);
}

/* --- the new one -------------------------------------------------------------- */

static struct vm_area_struct *try_merge(struct mmap_state *map, int *err)
{
	struct vm_area_struct proto = {
		.vm_start = map->addr,
		.vm_end = map->end,
		.vm_pgoff = map->pgoff,
		.vm_flags = map->flags,
		.vm_mm = map->mm,
	};

	/* *err is 0 by now */
	return map->file ? NULL : vma_merge_new_range(&proto, NULL, err);
}

static int map_file(struct mmap_state *map, struct vm_area_struct *vma)
{
	vma->vm_file = map->file;
	get_file(map->file);
	clear_pages(map); /* ->mmap may map pages at once */
	if (map->file->f_op && map->file->f_op->mmap)
		return map->file->f_op->mmap(map->file, vma);
	return 0;
}

static void store_new(struct vm_area_struct *vma)
{
	struct address_space *mapping = NULL;

	if (vma->vm_file && (form() == MM_MMAP_6_4 || form() == MM_MMAP_6_5_RC1))
		mapping = vma->vm_file->f_mapping;
	if (mapping)
		i_mmap_lock_write(mapping);
	if (form() != MM_MMAP_6_4)
		vma_start_write(vma);
	vma_mark_attached(vma);
	mas_store(vma->vm_mm, vma);
	vma->vm_mm->map_count++;
	if (!mapping) {
		vma_link_file(vma);
		return;
	}
	__vma_link_file(vma, mapping);
	i_mmap_unlock_write(mapping);
}

static struct vm_area_struct *new_vma(struct mmap_state *map, int *err)
{
	struct vm_area_struct *vma;

	*err = -ENOMEM;
	if (heddle_fail("vm_area_struct"))
		return NULL;
	vma = vm_area_alloc(map->mm);
	if (!vma)
		return NULL;
	vma->vm_start = map->addr;
	vma->vm_end = map->end;
	vma->vm_pgoff = map->pgoff;
	vma->vm_flags = map->flags;
	vma->vm_page_prot = vm_get_page_prot(map->flags);
	*err = map->file ? map_file(map, vma) : 0;
	if (*err) {
		fput(map->file);
		vm_area_free(vma);
		return NULL;
	}
	if (heddle_fail("maple_node")) {
		*err = -ENOMEM;
		remove_vma(vma); /* ->close, since ->mmap was called */
		return NULL;
	}
	store_new(vma);
	return vma;
}

static int mmap_region(struct mmap_state *map)
{
	struct vm_area_struct *vma;
	int err = make_room(map);

	if (err)
		return err;
	if (form() != MM_MMAP_6_12) /* what lay there does not come back */
		mm_note(MM_NOTE_CALL, map->mm, NULL, 0);
	vma = try_merge(map, &err);
	if (!vma && !err)
		vma = new_vma(map, &err);
	if (!vma) {
		heddle_mark("mmap fails");
		abort_old(map);
		return err;
	}
	finish_old(map);
	vm_flags_set(vma, VM_SOFTDIRTY);
	vma_set_page_prot(vma);
	heddle_mark("mapped");
	return 0;
}

int do_mmap(struct mm_struct *mm, unsigned long addr, unsigned long end,
	    vm_flags_t flags, struct file *file, unsigned long pgoff)
{
	struct mmap_state map = { .mm = mm, .addr = addr, .end = end,
				  .pgoff = pgoff, .flags = flags,
				  .file = file };
	int err = mmap_write_lock_killable(mm);

	if (err)
		return err;
	mm_note(MM_NOTE_CALL, mm, NULL, 0);
	err = mmap_region(&map);
	if (err && !(map.cleared && map.vms.n)) /* else there is a gap */
		mm_note(MM_NOTE_CALL_FAILED, mm, NULL, (u64)err);
	mmap_write_unlock(mm);
	return err;
}
