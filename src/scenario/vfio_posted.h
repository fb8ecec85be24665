/* SPDX-License-Identifier: MIT */
/* What was posted or proposed on the list before the accepted form of the vfio
 * fix was found: for vfio_fault_vs_disable.
 *
 * Follows [PATCH 3/3] "vfio-pci: Invalidate mmaps and block MMIO access on
 * disabled memory" of 1 May 2020 (v1) and the sketches in its thread.  Copied
 * in logic: the order of locks, the trylock and both of its ways out, the loop
 * around wait_event().  The sketches leave the zap out; here it is that of the
 * accepted form. */
#ifndef SCENARIO_VFIO_POSTED_H
#define SCENARIO_VFIO_POSTED_H

#include <heddle/vfio.h>

/* v1: vma_lock guards the list alone. */
static int add_then_remap(struct vfio_pci_device *vdev,
			  struct vm_area_struct *vma)
{
	int err;

	mutex_lock(&vdev->vma_lock);
	err = __vfio_pci_add_vma(vdev, vma);
	mutex_unlock(&vdev->vma_lock);
	return err ? VM_FAULT_OOM : vfio_pci_remap(vdev, vma);
}

/* Under memory_lock. */
static int map_if_enabled(struct vfio_pci_device *vdev, struct vm_fault *vmf)
{
	if (vdev->memory_enabled)
		return add_then_remap(vdev, vmf->vma);
	heddle_mark("memory is off: SIGBUS");
	return VM_FAULT_SIGBUS;
}

static void zap_under_memory_lock(struct vfio_pci_device *vdev)
{
	down_write(&vdev->memory_lock);
	vfio_pci_zap_and_vma_lock(vdev);
	mutex_unlock(&vdev->vma_lock);
}

/* --- naive: what the zap's order implies for the fault ------------------- */

static int fault_naive(struct vfio_pci_device *vdev, struct vm_fault *vmf)
{
	int ret;

	down_read(&vdev->memory_lock);
	ret = map_if_enabled(vdev, vmf);
	up_read(&vdev->memory_lock);
	return ret;
}

static const struct vfio_ops naive_ops = {
	.fault = fault_naive,
	.zap_and_down_write_memory_lock = zap_under_memory_lock,
};

/* --- v1 as posted -------------------------------------------------------- */

static int wait_and_retry(struct vfio_pci_device *vdev, struct vm_fault *vmf)
{
	unsigned int flags = vmf->flags;

	if (!(flags & FAULT_FLAG_ALLOW_RETRY)) {
		heddle_mark("no retry allowed: SIGBUS");
		return VM_FAULT_SIGBUS;
	}
	heddle_mark("memory_lock is busy: retry");
	if (flags & FAULT_FLAG_RETRY_NOWAIT)
		return VM_FAULT_RETRY;
	release_fault_lock(vmf);
	if (flags & FAULT_FLAG_KILLABLE) {
		if (!down_read_killable(&vdev->memory_lock))
			up_read(&vdev->memory_lock);
	} else {
		down_read(&vdev->memory_lock);
		up_read(&vdev->memory_lock);
	}
	return VM_FAULT_RETRY;
}

static int fault_v1(struct vfio_pci_device *vdev, struct vm_fault *vmf)
{
	int ret;

	if (!down_read_trylock(&vdev->memory_lock))
		return wait_and_retry(vdev, vmf);
	ret = map_if_enabled(vdev, vmf);
	up_read(&vdev->memory_lock);
	return ret;
}

static const struct vfio_ops v1_ops = {
	.fault = fault_v1,
	.zap_and_down_write_memory_lock = zap_under_memory_lock,
};

/* --- pause_faults -------------------------------------------------------- */

static int fault_pause(struct vfio_pci_device *vdev, struct vm_fault *vmf)
{
	int ret = VM_FAULT_OOM;

	mutex_lock(&vdev->vma_lock);
	while (READ_ONCE(vdev->pause_faults)) {
		mutex_unlock(&vdev->vma_lock);
		heddle_mark("fault waits");
		wait_event(vdev->pause_wait, !READ_ONCE(vdev->pause_faults));
		mutex_lock(&vdev->vma_lock);
	}
	if (!__vfio_pci_add_vma(vdev, vmf->vma))
		ret = vfio_pci_remap(vdev, vmf->vma);
	mutex_unlock(&vdev->vma_lock);
	return ret;
}

/* As sketched: at the end, when the list has become empty. */
static void pause_at_the_end(struct vfio_pci_device *vdev)
{
	vfio_pci_zap_and_vma_lock(vdev);
	WRITE_ONCE(vdev->pause_faults, true);
	mutex_unlock(&vdev->vma_lock);
	down_write(&vdev->memory_lock);
}

/* As Alex Williamson answers: before the first VMA is taken away. */
static void pause_at_the_start(struct vfio_pci_device *vdev)
{
	mutex_lock(&vdev->vma_lock);
	WRITE_ONCE(vdev->pause_faults, true);
	mutex_unlock(&vdev->vma_lock);
	vfio_pci_zap_and_vma_lock(vdev);
	mutex_unlock(&vdev->vma_lock);
	down_write(&vdev->memory_lock);
}

static void end_pause(struct vfio_pci_device *vdev)
{
	WRITE_ONCE(vdev->pause_faults, false);
	wake_up_all(&vdev->pause_wait);
}

static const struct vfio_ops pause_ops = {
	.fault = fault_pause,
	.zap_and_down_write_memory_lock = pause_at_the_end,
	.enabled = end_pause,
};

static const struct vfio_ops pause_first_ops = {
	.fault = fault_pause,
	.zap_and_down_write_memory_lock = pause_at_the_start,
	.enabled = end_pause,
};

#endif
