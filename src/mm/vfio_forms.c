/* SPDX-License-Identifier: MIT */
/* How faults and turning memory off exclude each other, in the accepted forms.
 *
 * Follows drivers/vfio/pci of 5.8 (abafbc551fdd), of 5.14 to 6.9 (6a45ece4c9af)
 * and of 6.10 (aac6db75a9fc): the fault, vfio_pci_zap_and_vma_lock, zap_bars.
 * Copied in logic: up to 6.9 the mappings are found by a list, one address
 * space after the other, because vma_lock nests inside mmap_lock and must be
 * given up to take it; since 6.10 by the file.  Simplified: one BAR; a hot
 * reset of several devices takes both locks of one before those of the next.
 *
 * The lock order: up to 6.9 mmap_lock, vma_lock, memory_lock, page table lock;
 * 6.10 mmap_lock, memory_lock, i_mmap_rwsem, page table lock. */
#include <heddle/rmap.h>
#include <heddle/vfio.h>

/* --- the list (5.8 to 6.9) ----------------------------------------------- */

int __vfio_pci_add_vma(struct vfio_pci_device *vdev, struct vm_area_struct *vma)
{
	struct vfio_pci_mmap_vma *entry =
		kzalloc(sizeof(struct vfio_pci_mmap_vma), GFP_KERNEL);

	if (!entry)
		return -ENOMEM;
	heddle_keep(entry); /* the device owns it */
	entry->vma = vma;
	entry->next = vdev->vma_list;
	vdev->vma_list = entry;
	return 0;
}

static bool in_list(const struct vfio_pci_device *vdev,
		    const struct vm_area_struct *vma)
{
	const struct vfio_pci_mmap_vma *entry;

	for (entry = vdev->vma_list; entry; entry = entry->next)
		if (entry->vma == vma)
			return true;
	return false;
}

static void del_entry(struct vfio_pci_mmap_vma **link)
{
	struct vfio_pci_mmap_vma *entry = *link;

	*link = entry->next;
	kfree(entry);
}

/* The address space of the list's first VMA, with a reference; one that ends
 * takes its mappings away itself. */
static struct mm_struct *first_mm(struct vfio_pci_device *vdev)
{
	struct mm_struct *mm;

	while (vdev->vma_list) {
		mm = vdev->vma_list->vma->vm_mm;
		if (mmget_not_zero(mm))
			return mm;
		heddle_mark("its process ends");
		del_entry(&vdev->vma_list);
	}
	return NULL;
}

/* Under mmap_lock and vma_lock. */
static void zap_vmas_of(struct vfio_pci_device *vdev, struct mm_struct *mm)
{
	struct vfio_pci_mmap_vma **link = &vdev->vma_list;
	struct vm_area_struct *vma;

	while (*link) {
		vma = (*link)->vma;
		if (vma->vm_mm != mm) {
			link = &(*link)->next;
			continue;
		}
		del_entry(link);
		zap_vma_ptes(vma, vma->vm_start, vma->vm_end - vma->vm_start);
		heddle_mark("mapping taken away");
	}
}

/* With a reference to mm.  try: false instead of waiting. */
static bool zap_mm(struct vfio_pci_device *vdev, struct mm_struct *mm, bool try)
{
	bool got = true;

	if (!try)
		mmap_read_lock(mm);
	else if (!mmap_read_trylock(mm))
		return false;
	if (!try)
		mutex_lock(&vdev->vma_lock);
	else
		got = mutex_trylock(&vdev->vma_lock);
	if (got) {
		zap_vmas_of(vdev, mm);
		mutex_unlock(&vdev->vma_lock);
	}
	mmap_read_unlock(mm);
	return got;
}

static bool zap_and_vma_lock(struct vfio_pci_device *vdev, bool try)
{
	struct mm_struct *mm;
	bool done;

	for (;;) {
		if (!try)
			mutex_lock(&vdev->vma_lock);
		else if (!mutex_trylock(&vdev->vma_lock))
			return false;
		mm = first_mm(vdev);
		if (!mm)
			return true;
		mutex_unlock(&vdev->vma_lock);
		done = zap_mm(vdev, mm, try);
		mmput(mm);
		if (!done)
			return false;
	}
}

void vfio_pci_zap_and_vma_lock(struct vfio_pci_device *vdev)
{
	zap_and_vma_lock(vdev, false);
	if (vfio_does(VFIO_STEP_ZAP_LOOKS))
		return;
	mutex_unlock(&vdev->vma_lock);
	mutex_lock(&vdev->vma_lock);
}

static void zap_list(struct vfio_pci_device *vdev)
{
	bool keep = vfio_does(VFIO_STEP_ZAP_KEEPS);

	vfio_pci_zap_and_vma_lock(vdev);
	if (!keep)
		mutex_unlock(&vdev->vma_lock);
	down_write(&vdev->memory_lock);
	if (keep)
		mutex_unlock(&vdev->vma_lock);
}

static bool try_zap_list(struct vfio_pci_device *vdev)
{
	bool got;

	if (!zap_and_vma_lock(vdev, true))
		return false;
	got = down_write_trylock(&vdev->memory_lock);
	mutex_unlock(&vdev->vma_lock);
	return got;
}

/* --- faults -------------------------------------------------------------- */

int vfio_pci_remap(struct vfio_pci_device *vdev, struct vm_area_struct *vma)
{
	remap_pfn_range(vma, vma->vm_start, vdev->pfn + vma->vm_pgoff,
			vma->vm_end - vma->vm_start);
	heddle_mark("device mapped");
	return VM_FAULT_NOPAGE;
}

static int memory_is_off(void)
{
	heddle_mark("memory is off: SIGBUS");
	return VM_FAULT_SIGBUS;
}

/* 5.14: the list changes when the pages do, in the eyes of who has vma_lock. */
static int remap_and_add(struct vfio_pci_device *vdev,
			 struct vm_area_struct *vma)
{
	int ret = vfio_pci_remap(vdev, vma);

	if (!__vfio_pci_add_vma(vdev, vma))
		return ret;
	heddle_mark("no memory for the list: OOM");
	zap_vma_ptes(vma, vma->vm_start, vma->vm_end - vma->vm_start);
	return VM_FAULT_OOM;
}

/* 5.8: the list is first; the pages come when vma_lock has been released. */
static int add_and_remap(struct vfio_pci_device *vdev,
			 struct vm_area_struct *vma)
{
	int err = __vfio_pci_add_vma(vdev, vma);

	mutex_unlock(&vdev->vma_lock);
	return err ? VM_FAULT_OOM : vfio_pci_remap(vdev, vma);
}

static int fault_list(struct vfio_pci_device *vdev, struct vm_fault *vmf)
{
	bool lock = vfio_does(VFIO_STEP_FAULT_LOCKS), unlocked = false;
	int ret = VM_FAULT_NOPAGE;

	mutex_lock(&vdev->vma_lock);
	if (lock)
		down_read(&vdev->memory_lock);
	if (!vdev->memory_enabled) {
		ret = memory_is_off();
	} else if (vfio_does(VFIO_STEP_FAULT_LOOKS) &&
		   in_list(vdev, vmf->vma)) {
		heddle_mark("another fault was faster");
	} else if (vfio_does(VFIO_STEP_FAULT_KEEPS)) {
		ret = remap_and_add(vdev, vmf->vma);
	} else {
		ret = add_and_remap(vdev, vmf->vma);
		unlocked = true;
	}
	if (lock)
		up_read(&vdev->memory_lock);
	if (!unlocked)
		mutex_unlock(&vdev->vma_lock);
	return ret;
}

const struct vfio_ops vfio_5_14 = {
	.fault = fault_list,
	.zap_and_down_write_memory_lock = zap_list,
	.try_zap_and_down_write_memory_lock = try_zap_list,
};

/* --- 6.10: no list ------------------------------------------------------- */

static int fault_insert(struct vfio_pci_device *vdev, struct vm_fault *vmf)
{
	bool lock = vfio_does(VFIO_STEP_FAULT_LOCKS);
	int ret;

	if (lock)
		down_read(&vdev->memory_lock);
	if (!vdev->memory_enabled) {
		ret = memory_is_off();
	} else {
		ret = vmf_insert_pfn(vmf->vma, vmf->address,
				     vdev->pfn + vmf->pgoff);
		heddle_mark("device mapped");
	}
	if (lock)
		up_read(&vdev->memory_lock);
	return ret;
}

static void zap_bars(struct vfio_pci_device *vdev)
{
	unmap_mapping_pages(vdev->file->f_mapping, 0, VFIO_BAR_PAGES - 1);
}

static void zap_file(struct vfio_pci_device *vdev)
{
	if (!vfio_does(VFIO_STEP_LOCK_FIRST))
		zap_bars(vdev);
	down_write(&vdev->memory_lock);
	if (vfio_does(VFIO_STEP_LOCK_FIRST))
		zap_bars(vdev);
}

static bool try_zap_file(struct vfio_pci_device *vdev)
{
	if (!down_write_trylock(&vdev->memory_lock))
		return false;
	zap_bars(vdev);
	return true;
}

const struct vfio_ops vfio_6_10 = {
	.fault = fault_insert,
	.zap_and_down_write_memory_lock = zap_file,
	.try_zap_and_down_write_memory_lock = try_zap_file,
	.no_list = true,
};
