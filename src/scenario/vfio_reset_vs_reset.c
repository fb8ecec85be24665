/* SPDX-License-Identifier: MIT */
/* Two hot resets of the same two devices, and a fault on one of them.
 *
 * Source: vfio_pci_ioctl_pci_hot_reset() in drivers/vfio/pci, 5.8 to 6.12.
 *
 * A reset of a bus or slot concerns all devices behind it.  It needs the
 * memory_lock of each, for write, with no mapping left, and user space chooses
 * the order of the devices.  The locks are one class, and no order among them
 * is known, so it must not wait for the second while it holds the first: it
 * tries, and gives everything back with -EBUSY.
 *
 * What to read out of the variants:
 * - 5.14, 6.10: clean.  Two resets may both fail: nobody promises more.
 * - *-waits: two resets in opposite order block each other.  lockdep says so at
 *   the second lock of the first reset, as it is of the same class (recursive);
 *   where there is a vma_lock, that one is taken inside of the first device's
 *   memory_lock, and before this comes to pass the cycle is reported
 *   (circular).
 * - 6.10-keeps: what a forgotten unlock on the way out looks like. */
#include <heddle/user_call.h>
#include <heddle/vfio.h>

#define DEV 0x2000ul

static struct mm_struct *mm;
static struct vfio_pci_device *vdev[2];

static void setup(void)
{
	mm = mm_alloc();
	vdev[0] = vfio_pci_probe(true);
	vdev[1] = vfio_pci_probe(true);
	vfio_pci_mmap(vdev[0], mm, DEV, DEV + PAGE_SIZE, 0);
	pte_alloc(mm, DEV);
}

static void reset(struct vfio_pci_device *first, struct vfio_pci_device *second)
{
	struct vfio_pci_device *both[2] = { first, second };

	vfio_pci_hot_reset(both, 2);
	return_to_user();
}

static void reset_task(void *arg)
{
	(void)arg;
	reset(vdev[0], vdev[1]);
}

static void reset2_task(void *arg)
{
	(void)arg;
	reset(vdev[1], vdev[0]);
}

/* The memory bit is on all the time: SIGBUS would have no reason. */
static void fault_task(void *arg)
{
	int ret;

	(void)arg;
	user_call_begin(vdev[0]);
	ret = do_user_addr_fault(mm, DEV, FAULT_FLAG_USER | FAULT_FLAG_WRITE);
	user_call_end(ret);
}

static const struct heddle_task tasks[] = {
	{ .name = "reset", .fn = reset_task },
	{ .name = "reset2", .fn = reset2_task },
	{ .name = "fault", .fn = fault_task },
	{ 0 },
};

#define FORM(id, o, w)                                                    \
	static const struct vfio_form id##_form = { .ops = &(o),          \
						    .without = (w) };     \
	static const struct mm_form id = { .parts = MM_FILE,              \
					   .more = &id##_form }
FORM(v5_14, vfio_5_14, 0);
FORM(v6_10, vfio_6_10, 0);
FORM(v5_14_waits, vfio_5_14, VFIO_STEP_RESET_TRIES);
FORM(v6_10_waits, vfio_6_10, VFIO_STEP_RESET_TRIES);
FORM(v6_10_keeps, vfio_6_10, VFIO_STEP_RESET_UNDOES);

static const char *const goals[] = { "devices reset", "reset: -EBUSY",
				     "device mapped", NULL };
static const char *const no_busy[] = { "devices reset", "device mapped",
				       NULL };

#define IN_5_14 "6a45ece4c9af vfio/pci: Handle concurrent vma faults"
#define IN_6_10 "aac6db75a9fc vfio/pci: Use unmap_mapping_range()"
#define BROKEN "ours: one step left out"

static const struct heddle_variant variants[] = {
	{ "5.14", "trylocks, all given back if one is busy", &v5_14,
	  .kernel = "5.8-6.9", .source = IN_5_14 },
	{ "6.10", "the same without the list", &v6_10, .kernel = "6.10-6.12",
	  .source = IN_6_10 },
	{ "5.14-waits", "5.14 with waiting locks", &v5_14_waits,
	  { { HD_V_CIRCULAR, 0 }, { HD_V_DEADLOCK, 1 } },
	  .source = BROKEN, .goals = no_busy },
	{ "6.10-waits", "6.10 with waiting locks", &v6_10_waits,
	  { { HD_V_RECURSIVE, 0 }, { HD_V_DEADLOCK, 1 } },
	  .source = BROKEN, .goals = no_busy },
	{ "6.10-keeps", "6.10, a reset that fails keeps its locks",
	  &v6_10_keeps, { { HD_V_HELD_AT_USER, 1 }, { HD_V_DEADLOCK, 1 } },
	  .source = BROKEN },
	{ 0 },
};

HEDDLE_SCENARIO(vfio_reset_vs_reset) = {
	.name = "vfio_reset_vs_reset",
	.title = "two hot resets of two devices, in opposite order",
	.source = "drivers/vfio/pci, vfio_pci_ioctl_pci_hot_reset(), 5.8 to "
		  "6.12 (its rule)",
	.not_modelled = "the reset itself, groups, power management",
	.copied = "which locks are tried, in which order, and given back",
	.simplified = "each device's locks are taken together; two devices",
	.different = "up to 6.9 the kernel takes all vma_locks before the first "
		     "memory_lock",
	.variants = variants,
	.tasks = tasks,
	.setup = setup,
	.goals = goals,
};
