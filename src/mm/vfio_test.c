/* SPDX-License-Identifier: MIT */
/* Does check_vfio.c see a device's memory in reach while it is off, and only
 * then?  Do vfio.c, vfio_forms.c and pfnmap.c keep their promises on their own?
 * How they do against each other: scenario vfio_fault_vs_disable. */
#include <heddle/user_call.h>
#include <heddle/vfio.h>

#include "../base/twin.h"

enum { A = 0x2000, B = 0x4000, END = 0x5000 };

struct test {
	struct mm_form form;
	struct vfio_form vfio;
	bool broken;
};
#define TEST(id, o, w, b)                                              \
	static const struct test id = {                                \
		.form = { .parts = MM_FILE, .more = &id.vfio },        \
		.vfio = { .ops = &(o), .without = (w) },               \
		.broken = (b),                                         \
	}

static bool broken(void)
{
	return ((const struct test *)heddle_variant_data())->broken;
}

/* reach: goals of the safe form */
#define FORMS(id, reach, good, bad, ...)                               \
	static const struct heddle_variant id##_variants[] = {         \
		{ .name = "safe", .data = &(good), .goals = (reach) }, \
		{ .name = "broken", .data = &(bad),                    \
		  .expect = { __VA_ARGS__ } },                         \
		{ .name = NULL },                                      \
	}

TEST(list, vfio_5_14, 0, false);
TEST(list_broken, vfio_5_14, 0, true);
TEST(file, vfio_6_10, 0, false);

static struct mm_struct *mm, *mm2;
static struct vfio_pci_device *vdev;

static void one_mapping(void)
{
	mm = mm_alloc();
	vdev = vfio_pci_probe(true);
	vfio_pci_mmap(vdev, mm, A, B, 0); /* two pages */
	mm_add_vma(mm, B, END);
	do_user_addr_fault(mm, B, FAULT_FLAG_WRITE); /* a buffer */
}

static void two_mms(void)
{
	one_mapping();
	mm2 = mm_alloc();
	vfio_pci_mmap(vdev, mm2, B, END, 1);
	do_user_addr_fault(mm, A, FAULT_FLAG_WRITE);
	do_user_addr_fault(mm2, B, FAULT_FLAG_WRITE);
}

static unsigned long pte(struct mm_struct *m, unsigned long addr)
{
	struct page_table *table = pte_offset(m, addr);

	return table ? READ_ONCE(table->pte[pte_index(addr)]) : 0;
}

static void off(void *arg)
{
	(void)arg;
	heddle_assert(!vfio_pci_config_write(vdev, false, mm, B));
}

static void fault(void *arg)
{
	int ret;

	(void)arg;
	user_call_begin(vdev);
	ret = do_user_addr_fault(mm, A, FAULT_FLAG_USER | FAULT_FLAG_WRITE);
	user_call_end(ret & VM_FAULT_SIGBUS);
}

/* --- disabled-memory: mapped when it is turned off ----------------------- */

static void forget_to_zap(struct vfio_pci_device *v)
{
	down_write(&v->memory_lock);
}
static int fault_blindly(struct vfio_pci_device *v, struct vm_fault *vmf)
{
	int ret;

	down_read(&v->memory_lock);
	ret = vmf_insert_pfn(vmf->vma, vmf->address, v->pfn + vmf->pgoff);
	up_read(&v->memory_lock);
	return ret;
}
static const struct vfio_ops blind = {
	.fault = fault_blindly,
	.zap_and_down_write_memory_lock = forget_to_zap,
	.no_list = true,
};
TEST(careless, blind, 0, true);
TEST(careless_safe, blind, 0, false);

static void map_by_hand(void)
{
	one_mapping();
	remap_pfn_range(vma_lookup(mm, A), A, vdev->pfn, PAGE_SIZE);
}

/* One that nobody lives in is on its way to take its mappings away. */
static void map_in_dying_mm(void)
{
	map_by_hand();
	atomic_set(&mm->mm_users, broken());
}
static const char *const off_goals[] = { "memory turned off", NULL };
#define mapped_setup two_mms
TWIN_TASKS(mapped, { "off", off });
FORMS(mapped, off_goals, list, careless, SHOWS(DISABLED_MEMORY));
TWIN(mapped, "vfio/mapped when it is turned off");

#define dying_setup map_in_dying_mm
TWIN_TASKS(dying, { "off", off });
FORMS(dying, off_goals, careless_safe, careless, SHOWS(DISABLED_MEMORY));
TWIN(dying, "vfio/mapped in an address space that ends");

/* The search tries both orders of a page's removal and of turning memory off,
 * although no access of theirs meets. */
static void off_at_once(void *arg)
{
	(void)arg;
	forget_to_zap(vdev);
	hd_note(VFIO_NOTE_MEMORY, vdev, true, false, 0, 0);
	up_write(&vdev->memory_lock);
}

static void unmap_page(void *arg)
{
	(void)arg;
	mmap_read_lock(mm);
	zap_vma_ptes(vma_lookup(mm, A), A, PAGE_SIZE);
	mmap_read_unlock(mm);
}

static const struct heddle_variant order_variants[] = {
	{ .name = "one order is wrong", .data = &list,
	  .expect = { SHOWS(DISABLED_MEMORY) } },
	{ .name = NULL },
};
#define order_setup map_by_hand
TWIN_TASKS(order, { "unmap", unmap_page }, { "off", off_at_once });
TWIN(order, "vfio/the last moment of a mapping");

/* --- disabled-memory: mapped, or read, while it is off ------------------- */

static void off_first(void)
{
	one_mapping();
	off(NULL);
}

static const char *const sigbus[] = { "memory is off: SIGBUS", NULL };
#define while_off_setup off_first
TWIN_TASKS(while_off, { "fault", fault });
FORMS(while_off, sigbus, file, careless, SHOWS(DISABLED_MEMORY));
TWIN(while_off, "vfio/mapped while it is off");

static void read_device(void *arg)
{
	(void)arg;
	vfio_pci_bar_read(vdev, mm, B);
}
TEST(read_unlocked, vfio_6_10, VFIO_STEP_READ_LOCKS, true);

static const char *const read_goals[] = { "device memory read",
					  "memory turned off", NULL };
#define reading_setup one_mapping
TWIN_TASKS(reading, { "off", off }, { "read", read_device });
FORMS(reading, read_goals, file, read_unlocked, SHOWS(DISABLED_MEMORY),
      SHOWS(DATA_RACE));
TWIN(reading, "vfio/read while it is turned off");

/* --- the reason for SIGBUS ----------------------------------------------- */

static int fault_sigbus(struct vfio_pci_device *v, struct vm_fault *vmf)
{
	(void)v;
	(void)vmf;
	return VM_FAULT_SIGBUS;
}
static const struct vfio_ops refuses = { .fault = fault_sigbus };
TEST(refusing, refuses, 0, true);

static const char *const maps[] = { "device mapped", NULL };
#define reason_setup one_mapping
TWIN_TASKS(reason, { "fault", fault });
FORMS(reason, maps, file, refusing, SHOWS(SPURIOUS_ERROR));
TWIN(reason, "vfio/SIGBUS has a reason");

/* --- entries ------------------------------------------------------------- */

static void insert_and_remap(void *arg)
{
	struct vm_area_struct *vma;
	unsigned long was;

	(void)arg;
	mmap_read_lock(mm);
	vma = vma_lookup(mm, A);
	vmf_insert_pfn(vma, A, vdev->pfn);
	was = pte(mm, A);
	vmf_insert_pfn(vma, A, vdev->pfn + 1);
	heddle_assert(pte(mm, A) == was);
	if (!broken())
		zap_vma_ptes(vma, A, PAGE_SIZE);
	remap_pfn_range(vma, A, vdev->pfn + 2, B - A);
	heddle_assert(pte(mm, A) == was + 2 * PAGE_SIZE);
	heddle_assert(pte(mm, A + PAGE_SIZE) == was + 3 * PAGE_SIZE);
	mmap_read_unlock(mm);
}

#define entries_setup one_mapping
TWIN_TASKS(entries, { "task", insert_and_remap });
FORMS(entries, NULL, list, list_broken, SHOWS(BUG));
TWIN(entries, "vfio/remap_pfn_range wants free entries");

/* --- one after the other ------------------------------------------------- */

static void fault_alone(void)
{
	int ret = do_user_addr_fault(mm, A, FAULT_FLAG_USER | FAULT_FLAG_WRITE);

	heddle_assert(!ret == !!pte(mm, A)); /* no memory for the list */
}

static void off_on_fault(void *arg)
{
	off(arg);
	heddle_assert(!pte(mm, A) && !pte(mm2, B));
	heddle_assert(!vdev->vma_list);
	fault_alone();
	heddle_assert(!vfio_pci_config_write(vdev, true, mm, B));
	fault_alone();
	fault_alone(); /* is there: nothing to do */
	do_munmap(mm, A, B);
	heddle_assert(!vdev->vma_list);
	off(arg);
}

/* A process that is ending is taken off the list, and left alone. */
static void off_while_one_ends(void *arg)
{
	atomic_set(&mm2->mm_users, 0);
	off(arg);
	heddle_assert(!pte(mm, A) && pte(mm2, B));
	heddle_assert(!vdev->vma_list);
}

static void reset_alone(void *arg)
{
	(void)arg;
	heddle_assert(!vfio_pci_hot_reset(&vdev, 1));
	heddle_assert(!pte(mm, A) && !pte(mm2, B));
	down_read(&vdev->memory_lock);
	heddle_assert(vfio_pci_hot_reset(&vdev, 1) == -EBUSY);
	up_read(&vdev->memory_lock);
	return_to_user();
}

static const struct heddle_variant alone_variants[] = {
	{ .name = "5.14", .data = &list },
	{ .name = "6.10", .data = &file },
	{ .name = NULL },
};
static const char *const alone_goals[] = {
	"device mapped", "memory is off: SIGBUS", "memory turned off", NULL,
};
#define alone_setup two_mms
TWIN_TASKS(alone, { "task", off_on_fault });
TWIN(alone, "vfio/off, on, munmap", .goals = alone_goals);

static const struct heddle_variant ends_variants[] = {
	{ .name = "5.14", .data = &list },
	{ .name = NULL },
};
#define ends_setup two_mms
TWIN_TASKS(ends, { "task", off_while_one_ends });
TWIN(ends, "vfio/off while a process ends", .goals = off_goals);

static const char *const reset_goals[] = { "devices reset", "reset: -EBUSY",
					   NULL };
#define reset_variants alone_variants
#define reset_setup two_mms
TWIN_TASKS(reset, { "task", reset_alone });
TWIN(reset, "vfio/hot reset", .goals = reset_goals);

/* Each mapping has the pages that it names, of its own device. */
static void which_pages(void *arg)
{
	struct vfio_pci_device *second = vfio_pci_probe(true);

	(void)arg;
	heddle_assert(pte(mm2, B) == pte(mm, A) + PAGE_SIZE);
	vfio_pci_mmap(second, mm2, A, A + PAGE_SIZE, 0);
	heddle_assert(!do_user_addr_fault(mm2, A, FAULT_FLAG_WRITE));
	heddle_assert(pte(mm2, A) == pte(mm, A) + VFIO_BAR_PAGES * PAGE_SIZE);
	heddle_assert(!vfio_pci_config_write(second, false, mm, B));
	heddle_assert(!pte(mm2, A) && pte(mm2, B) && pte(mm, A));
}

static const struct heddle_variant quiet_variants[] = {
	{ .name = "5.14", .data = &list, .fail = TWIN_NONE },
	{ .name = "6.10", .data = &file, .fail = TWIN_NONE },
	{ .name = NULL },
};
#define which_variants quiet_variants
#define which_setup two_mms
TWIN_TASKS(which, { "task", which_pages });
TWIN(which, "vfio/which pages");

/* A mapping that goes leaves the others on the list. */
static void unmap_one(void *arg)
{
	(void)arg;
	do_munmap(mm, A, B);
	heddle_assert(pte(mm2, B));
	off(arg);
	heddle_assert(!pte(mm2, B));
	heddle_assert(atomic_read(&mm->mm_users) == 1);
	heddle_assert(atomic_read(&mm2->mm_users) == 1);
}

#define unmap_variants quiet_variants
#define unmap_setup two_mms
TWIN_TASKS(unmap, { "task", unmap_one });
TWIN(unmap, "vfio/munmap of one");

/* What reads and writes of the device return, and what they leave. */
static void dead_device(void)
{
	one_mapping();
	vdev = vfio_pci_probe(false);
	vfio_pci_mmap(vdev, mm, END, END + PAGE_SIZE, 0);
}

static void use_device(void *arg)
{
	const unsigned long nowhere = 0xf000;

	(void)arg;
	heddle_assert(vfio_pci_bar_read(vdev, mm, B) == -EIO);
	heddle_assert(vfio_pci_config_write(vdev, true, mm, nowhere) == -EFAULT);
	heddle_assert(vfio_pci_bar_read(vdev, mm, B) == -EIO);
	heddle_assert(!vfio_pci_config_write(vdev, true, mm, B));
	heddle_assert(!vdev->reg && !vfio_pci_bar_read(vdev, mm, B));
	user_cause(vdev, -EFAULT, true); /* no memory at nowhere */
	heddle_assert(vfio_pci_bar_read(vdev, mm, nowhere) == -EFAULT);
	heddle_assert(!do_user_addr_fault(mm, END, FAULT_FLAG_WRITE));
	heddle_assert(!vfio_pci_config_write(vdev, true, mm, B));
	heddle_assert(pte(mm, END)); /* was on: nothing to take away */
	heddle_assert(vfio_pci_config_write(vdev, false, mm, nowhere) ==
		      -EFAULT);
	heddle_assert(pte(mm, END)); /* and is on */
	WRITE_ONCE(vdev->reg, 7);
	heddle_assert(!vfio_pci_hot_reset(&vdev, 1));
	heddle_assert(!vdev->reg && !pte(mm, END));
	heddle_assert(!vfio_pci_config_write(vdev, false, mm, B));
	heddle_assert(vdev->reg == ~0u);
}

#define use_variants quiet_variants
#define use_setup dead_device
TWIN_TASKS(use, { "task", use_device });
TWIN(use, "vfio/off, no buffer, on, reset, off");

/* What is taken off the list is freed. */
static void lose_entry(void *arg)
{
	(void)arg;
	if (broken())
		vdev->vma_list = vdev->vma_list->next;
	else
		do_munmap(mm2, B, END);
}

#define lost_setup two_mms
TWIN_TASKS(lost, { "task", lose_entry });
FORMS(lost, NULL, list, list_broken, SHOWS(LEAK));
TWIN(lost, "vfio/an entry of the list is lost");

/* The mappings of an address space are taken away under its mmap_lock.  Where
 * munmap shares that while it frees, this is not enough: 5.14-munmap of
 * vfio_fault_vs_disable. */
static const struct test list_alone = {
	.form = { .parts = MM_FILE, .more = &list_alone.vfio,
		  .without = MM_STEP_DOWNGRADE },
	.vfio = { .ops = &vfio_5_14 },
};

static void unmap_mm(void *arg)
{
	(void)arg;
	do_munmap(mm, A, B);
}

static const struct heddle_variant beside_variants[] = {
	{ .name = "5.14, no downgrade", .data = &list_alone, .bound = 2 },
	{ .name = "6.10", .data = &file, .bound = 2 },
	{ .name = NULL },
};
#define beside_setup two_mms
TWIN_TASKS(beside, { "munmap", unmap_mm }, { "off", off });
TWIN(beside, "vfio/off, and munmap in another process", .goals = off_goals);

/* --- a hot reset that finds a lock taken -------------------------------------- */

static void reset_or_busy(void *arg)
{
	int err = vfio_pci_hot_reset(&vdev, 1);

	(void)arg;
	heddle_assert(!err || err == -EBUSY);
	if (!err)
		heddle_assert(!pte(mm, A) && !pte(mm2, B));
	heddle_assert(atomic_read(&mm->mm_users) == 1);
	heddle_assert(atomic_read(&mm2->mm_users) == 1);
}

static void change_vmas(void *arg)
{
	(void)arg;
	mmap_write_lock(mm2);
	mmap_write_unlock(mm2);
}

static void use_list(void *arg)
{
	(void)arg;
	mutex_lock(&vdev->vma_lock);
	mutex_unlock(&vdev->vma_lock);
}

#define busy_mm_variants alone_variants
#define busy_mm_setup two_mms
TWIN_TASKS(busy_mm, { "mmap", change_vmas }, { "reset", reset_or_busy });
static const char *const any_reset[] = { "devices reset", NULL };
TWIN(busy_mm, "vfio/hot reset, mmap_lock is taken", .goals = any_reset);

static const struct heddle_variant busy_list_variants[] = {
	{ .name = "5.14", .data = &list, .goals = reset_goals },
	{ .name = NULL },
};
#define busy_list_setup two_mms
TWIN_TASKS(busy_list, { "list", use_list }, { "reset", reset_or_busy });
TWIN(busy_list, "vfio/hot reset, the list's lock is taken");
