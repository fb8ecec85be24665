/* SPDX-License-Identifier: MIT */
/* A PCI device in the hands of a user-space driver, whose memory can be mapped
 * and can be turned off (drivers/vfio/pci; 5.8 to 6.12).
 *
 * While the command register says that memory is off nobody may reach it: not
 * through a mapping, and not through read(2) and write(2) of the device.  So
 * who turns it off takes all mappings away, and a page fault brings them back
 * when it is on.  How the two exclude each other is what the forms differ in
 * (struct vfio_ops); a scenario names one in struct vfio_form, to which
 * mm_form.more points, and sets the part MM_FILE. */
#ifndef HEDDLE_VFIO_H
#define HEDDLE_VFIO_H

#include <heddle/mm.h>

enum { VFIO_BAR_PAGES = 4 }; /* page frames pfn .. pfn + 3 are the device's */

/* A mapping that a fault has filled since it was last taken away. */
struct vfio_pci_mmap_vma {
	struct vm_area_struct *vma;
	struct vfio_pci_mmap_vma *next;
};

struct vfio_pci_device {
	struct mutex vma_lock;       /* up to 6.9 */
	struct vfio_pci_mmap_vma *vma_list; /* under vma_lock */
	struct rw_semaphore memory_lock;
	bool memory_enabled;         /* PCI_COMMAND_MEMORY; under memory_lock */
	bool pause_faults;           /* Jason Gunthorpe's sketch; vma_lock */
	wait_queue_head_t pause_wait;
	u32 reg;                     /* a word of the device's memory */
	struct file *file;           /* its f_mapping: all mappings (6.10) */
	unsigned long pfn;
};

struct vfio_ops {
	/* Under mmap_lock for read. */
	int (*fault)(struct vfio_pci_device *vdev, struct vm_fault *vmf);
	/* Memory is about to be turned off: afterwards no mapping is left, and
	 * memory_lock is held for write. */
	void (*zap_and_down_write_memory_lock)(struct vfio_pci_device *vdev);
	/* The same, but fail instead of waiting; NULL: no hot reset. */
	bool (*try_zap_and_down_write_memory_lock)(struct vfio_pci_device *vdev);
	/* Memory was turned on, memory_lock is still held; or NULL */
	void (*enabled)(struct vfio_pci_device *vdev);
	bool no_list;                /* 6.10: mappings are found by the file */
};
extern const struct vfio_ops vfio_5_14, vfio_6_10;

/* Steps of the accepted forms that a variant can leave out. */
enum vfio_step {
	/* fault: memory_lock for read while it looks at memory_enabled and maps */
	VFIO_STEP_FAULT_LOCKS = 1 << 0,
	/* fault: look whether the list has the VMA already (5.14) */
	VFIO_STEP_FAULT_LOOKS = 1 << 1,
	/* fault: keep vma_lock until the pages are mapped (5.14) */
	VFIO_STEP_FAULT_KEEPS = 1 << 2,
	/* zap: look once more whether the list is empty, under the vma_lock that
	 * is kept */
	VFIO_STEP_ZAP_LOOKS = 1 << 3,
	/* zap: keep vma_lock until memory_lock is held */
	VFIO_STEP_ZAP_KEEPS = 1 << 4,
	/* zap: memory_lock first (6.10) */
	VFIO_STEP_LOCK_FIRST = 1 << 5,
	/* read(2): memory_lock for read around the access */
	VFIO_STEP_READ_LOCKS = 1 << 6,
	/* read(2) and write(2): user memory is not touched under memory_lock */
	VFIO_STEP_COPY_OUTSIDE = 1 << 7,
	/* hot reset: trylocks, and -EBUSY */
	VFIO_STEP_RESET_TRIES = 1 << 8,
	/* hot reset: give back the locks that it got, if it fails */
	VFIO_STEP_RESET_UNDOES = 1 << 9,

	/* what 5.8 to 5.13 lacked */
	VFIO_5_8_WITHOUT = VFIO_STEP_FAULT_LOOKS | VFIO_STEP_FAULT_KEEPS,
};

struct vfio_form {
	const struct vfio_ops *ops;
	u32 without; /* enum vfio_step */
};
static __always_inline const struct vfio_form *vfio_form(void)
{
	return mm_form()->more;
}
static __always_inline bool vfio_does(u32 step)
{
	return !(vfio_form()->without & step);
}

/* --- what the model tells the checks (src/mm/check_vfio.c) --------------- */

enum vfio_note {
	VFIO_NOTE_NEW = 0x300, /* a = memory_enabled */
	VFIO_NOTE_MEMORY,      /* a = does it answer?  has just changed */
	VFIO_NOTE_ACCESS,      /* read(2) or write(2) reaches for the memory */
	VFIO_NOTE_ACCESS_END,
};

/* --- for set-ups --------------------------------------------------------- */

struct vfio_pci_device *vfio_pci_probe(bool memory_enabled);
/* mmap(2) at [start, end) of the device's pages from pgoff on. */
struct vm_area_struct *vfio_pci_mmap(struct vfio_pci_device *vdev,
				     struct mm_struct *mm, unsigned long start,
				     unsigned long end, unsigned long pgoff);

/* --- system calls --------------------------------------------------------- *
 *
 * That memory is off is the reason (user_call.h) for VM_FAULT_SIGBUS, -EIO.
 *
 * mm, buf: the caller's memory that write(2) copies from and read(2) fills. */

/* write(2) of the command register; 0 or -EFAULT. */
int vfio_pci_config_write(struct vfio_pci_device *vdev, bool memory,
			  struct mm_struct *mm, unsigned long buf);
/* read(2) of the device's memory; 0, -EIO or -EFAULT. */
int vfio_pci_bar_read(struct vfio_pci_device *vdev, struct mm_struct *mm,
		      unsigned long buf);
/* VFIO_DEVICE_PCI_HOT_RESET of n devices; 0, or -EBUSY: nothing was done. */
int vfio_pci_hot_reset(struct vfio_pci_device **vdev, u32 n);

/* --- what forms are made of ---------------------------------------------- */

/* Each VMA is taken off the list and unmapped, one address space after the other.
 * Returns with vma_lock held and, if VFIO_STEP_ZAP_LOOKS, the list empty. */
void vfio_pci_zap_and_vma_lock(struct vfio_pci_device *vdev);
/* Under vma_lock; 0 or -ENOMEM. */
int __must_check __vfio_pci_add_vma(struct vfio_pci_device *vdev,
				    struct vm_area_struct *vma);
/* The whole VMA becomes the device's pages; VM_FAULT_NOPAGE. */
int vfio_pci_remap(struct vfio_pci_device *vdev, struct vm_area_struct *vma);

/* --- page frames without folios (pfnmap.c; mm/memory.c) ------------------ */

/* Entries must be free: BUG. */
void remap_pfn_range(struct vm_area_struct *vma, unsigned long addr,
		     unsigned long pfn, unsigned long size);
/* An entry that is there stays; VM_FAULT_NOPAGE. */
int vmf_insert_pfn(struct vm_area_struct *vma, unsigned long addr,
		   unsigned long pfn);
void zap_vma_ptes(struct vm_area_struct *vma, unsigned long addr,
		  unsigned long size);

#endif
