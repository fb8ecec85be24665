/* SPDX-License-Identifier: MIT */
/* What user space does with a PCI device: map its memory, reach for it, turn it
 * on and off, reset it.
 *
 * Follows drivers/vfio/pci/vfio_pci.c, vfio_pci_config.c and vfio_pci_rdwr.c of
 * 5.8, and vfio_pci_core.c of 6.12.  Copied in logic: user memory is copied
 * before the locks are taken, or after they were released; memory_lock is held
 * for read around one access to the device, and for write from before the
 * command register changes until after it; a hot reset takes its locks by
 * trylock and gives all of them back if one is busy.  Simplified: one BAR, one
 * bit of the command register; no power management, no VF tokens. */
#include <heddle/rmap.h>
#include <heddle/uaccess.h>
#include <heddle/user_call.h>
#include <heddle/vfio.h>

static void note(enum vfio_note code, const struct vfio_pci_device *vdev, u64 a)
{
	hd_note(code, vdev, code == VFIO_NOTE_MEMORY, a, 0, HD_PC());
}

/* --- mappings ------------------------------------------------------------ */

static int vfio_pci_mmap_fault(struct vm_fault *vmf)
{
	return vfio_form()->ops->fault(vmf->vma->vm_private_data, vmf);
}

static void vfio_pci_mmap_close(struct vm_area_struct *vma)
{
	struct vfio_pci_device *vdev = vma->vm_private_data;
	struct vfio_pci_mmap_vma **link, *entry;

	if (vfio_form()->ops->no_list)
		return;
	mutex_lock(&vdev->vma_lock);
	for (link = &vdev->vma_list; (entry = *link); link = &entry->next) {
		if (entry->vma != vma)
			continue;
		*link = entry->next;
		kfree(entry);
		break;
	}
	mutex_unlock(&vdev->vma_lock);
}

/* No map_pages: never under the VMA lock. */
static const struct vm_operations_struct vfio_pci_mmap_ops = {
	.fault = vfio_pci_mmap_fault,
	.close = vfio_pci_mmap_close,
};

struct vm_area_struct *vfio_pci_mmap(struct vfio_pci_device *vdev,
				     struct mm_struct *mm, unsigned long start,
				     unsigned long end, unsigned long pgoff)
{
	struct vm_area_struct *vma;

	mmap_write_lock(mm);
	vma = vm_area_alloc(mm);
	BUG_ON(!vma); /* set-ups do not fail */
	vma->vm_start = start;
	vma->vm_end = end;
	vma->vm_pgoff = pgoff;
	vma->vm_flags = VM_READ | VM_WRITE | VM_SHARED | VM_PFNMAP;
	vma->vm_ops = &vfio_pci_mmap_ops;
	vma->vm_private_data = vdev;
	vma->vm_file = vdev->file;
	get_file(vma->vm_file);
	vma_link(vma);
	mmap_write_unlock(mm);
	return vma;
}

/* What calls that fail from now on have as their reason, or no longer. */
static void say_memory(const struct vfio_pci_device *vdev, bool enabled)
{
	user_cause(vdev, VM_FAULT_SIGBUS, !enabled);
	user_cause(vdev, -EIO, !enabled);
}

struct vfio_pci_device *vfio_pci_probe(bool memory_enabled)
{
	static unsigned long next_pfn; /* part of the world, as all static data */
	struct vfio_pci_device *vdev = heddle_alloc(struct vfio_pci_device);

	mutex_init(&vdev->vma_lock);
	init_rwsem(&vdev->memory_lock);
	init_waitqueue_head(&vdev->pause_wait);
	vdev->memory_enabled = memory_enabled;
	vdev->file = mm_new_file();
	vdev->pfn = 0x1000 + VFIO_BAR_PAGES * next_pfn++;
	note(VFIO_NOTE_NEW, vdev, memory_enabled);
	say_memory(vdev, memory_enabled);
	return vdev;
}

/* --- read(2), write(2) --------------------------------------------------- */

/* copy_to_user() takes the same locks.  0 or -EFAULT. */
static int copy_user(struct mm_struct *mm, unsigned long buf)
{
	unsigned long page;

	return copy_from_user(&page, mm, buf) ? -EFAULT : 0;
}

static void set_memory(struct vfio_pci_device *vdev, bool memory)
{
	WRITE_ONCE(vdev->reg, memory ? 0 : ~0u); /* what reads then see */
	vdev->memory_enabled = memory;
	note(VFIO_NOTE_MEMORY, vdev, memory);
	say_memory(vdev, memory);
	if (!memory)
		heddle_mark("memory turned off");
	if (memory && vfio_form()->ops->enabled)
		vfio_form()->ops->enabled(vdev);
}

int vfio_pci_config_write(struct vfio_pci_device *vdev, bool memory,
			  struct mm_struct *mm, unsigned long buf)
{
	bool outside = vfio_does(VFIO_STEP_COPY_OUTSIDE);
	int err = outside ? copy_user(mm, buf) : 0;

	if (err)
		return err;
	if (memory)
		down_write(&vdev->memory_lock);
	else
		vfio_form()->ops->zap_and_down_write_memory_lock(vdev);
	if (!outside)
		err = copy_user(mm, buf);
	if (!err)
		set_memory(vdev, memory);
	up_write(&vdev->memory_lock);
	return err;
}

/* The access itself; 0 or -EIO. */
static int read_memory(struct vfio_pci_device *vdev)
{
	if (!vdev->memory_enabled) {
		heddle_remark("memory is off: -EIO");
		return -EIO;
	}
	note(VFIO_NOTE_ACCESS, vdev, 0);
	(void)READ_ONCE(vdev->reg);
	note(VFIO_NOTE_ACCESS_END, vdev, 0);
	heddle_mark("device memory read");
	return 0;
}

int vfio_pci_bar_read(struct vfio_pci_device *vdev, struct mm_struct *mm,
		      unsigned long buf)
{
	bool outside = vfio_does(VFIO_STEP_COPY_OUTSIDE);
	bool lock = vfio_does(VFIO_STEP_READ_LOCKS);
	int err;

	user_call_begin(vdev);
	if (lock)
		down_read(&vdev->memory_lock);
	err = read_memory(vdev);
	if (!err && !outside)
		err = copy_user(mm, buf);
	if (lock)
		up_read(&vdev->memory_lock);
	if (!err && outside)
		err = copy_user(mm, buf);
	user_call_end(err);
	return err;
}

/* --- hot reset ----------------------------------------------------------- */

static bool lock_for_reset(struct vfio_pci_device *vdev)
{
	const struct vfio_ops *ops = vfio_form()->ops;

	if (vfio_does(VFIO_STEP_RESET_TRIES))
		return ops->try_zap_and_down_write_memory_lock(vdev);
	ops->zap_and_down_write_memory_lock(vdev);
	return true;
}

/* The device does not answer, whatever its command register says. */
static void reset_all(struct vfio_pci_device **vdev, u32 n)
{
	u32 i;

	heddle_mark("devices reset");
	for (i = 0; i < n; i++)
		note(VFIO_NOTE_MEMORY, vdev[i], false);
	for (i = 0; i < n; i++) {
		WRITE_ONCE(vdev[i]->reg, 0);
		note(VFIO_NOTE_MEMORY, vdev[i], true);
	}
}

int vfio_pci_hot_reset(struct vfio_pci_device **vdev, u32 n)
{
	bool busy;
	u32 i;

	for (i = 0; i < n; i++)
		if (!lock_for_reset(vdev[i]))
			break;
	busy = i < n;
	if (busy)
		heddle_mark("reset: -EBUSY");
	else
		reset_all(vdev, n);
	if (!busy || vfio_does(VFIO_STEP_RESET_UNDOES))
		while (i--)
			up_write(&vdev[i]->memory_lock);
	return busy ? -EBUSY : 0;
}
