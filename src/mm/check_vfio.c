/* SPDX-License-Identifier: MIT */
/* disabled-memory: nobody reaches a device's memory while it is turned off.
 *
 * It is turned off while an address space that lives (mm_users > 0) maps a page
 * of it, or while a read(2) or write(2) reaches for it; or one of both comes
 * later, while it is off.  Page tables are looked at themselves, so it does not
 * matter which model code filled or emptied them. */
#include <heddle/vfio.h>

#include "../engine/engine.h"
#include "check.h"

enum { MAX_DEVICES = 4 };

struct device_state {
	u64 vdev;     /* address; 0: free entry */
	u32 accesses; /* read(2) and write(2) under way */
	u32 enabled;
};
static struct device_state *state; /* world */

static struct device_state *find(u64 vdev)
{
	u32 i;

	for (i = 0; i < MAX_DEVICES; i++)
		if (state[i].vdev == vdev || !state[i].vdev)
			break;
	if (i == MAX_DEVICES)
		hd_limit("devices known to the checks");
	state[i].vdev = vdev;
	return &state[i];
}

static void raise(const char *what, u32 pc)
{
	struct hd_verdict v = { .kind = HD_V_DISABLED_MEMORY, .pc = pc,
				.nnames = 1, .names = { what } };

	hd_raise(v);
}

static bool is_page_of(u64 entry, u64 vdev)
{
	u64 first = ((const struct vfio_pci_device *)vdev)->pfn;

	return entry & _PAGE_PRESENT && entry & _PAGE_SPECIAL &&
	       (entry >> PAGE_SHIFT) - first < VFIO_BAR_PAGES;
}

/* The search must know that what is read here matters; that it is freed, too. */
static bool group_maps(const struct mm_struct *mm, u32 group, u64 vdev)
{
	const struct page_table *table = (void *)mm->pmd[group];
	bool maps = false;
	u32 i;

	if (!table || mm->pmd[group] & _PAGE_PSE)
		return false;
	hd_order_range(table->pte, sizeof(table->pte), false);
	if (!check_alive(table))
		return false;
	for (i = 0; i < PTRS_PER_PTE; i++)
		maps |= is_page_of(table->pte[i], vdev);
	return maps;
}

static bool mapped(u64 vdev)
{
	const struct mm_struct *mm;
	bool maps = false;
	u32 i, group;

	for (i = 0; (mm = check_mm(i)); i++) {
		hd_order_range(&mm->mm_users, sizeof(mm->mm_users), false);
		hd_order_range(mm->pmd, sizeof(mm->pmd), false);
		if (!check_alive(mm) || !mm->mm_users.counter)
			continue;
		for (group = 0; group < PTRS_PER_PMD; group++)
			maps |= group_maps(mm, group, vdev);
	}
	return maps;
}

static void memory(struct device_state *d, bool enabled, u32 pc)
{
	d->enabled = enabled;
	if (enabled)
		return;
	if (d->accesses)
		raise("read or write", pc);
	if (mapped(d->vdev))
		raise("mapping", pc);
}

static void access(struct device_state *d, bool ends, u32 pc)
{
	d->accesses += ends ? -1u : 1u;
	if (!ends && !d->enabled)
		raise("read or write", pc);
}

/* An entry is set: is it a page of a device whose memory is off? */
static void pte_set(u64 entry, u32 pc)
{
	u32 i;

	for (i = 0; i < MAX_DEVICES && state[i].vdev; i++) {
		if (!is_page_of(entry, state[i].vdev))
			continue;
		/* as a note on the device would be */
		hd_order_on(state[i].vdev | 1ull << 63, false);
		if (!state[i].enabled)
			raise("mapping", pc);
	}
}

static void on_note(const struct hd_event *ev)
{
	u64 vdev = ev->op.addr;

	switch (ev->op.code) {
	case VFIO_NOTE_NEW:
		find(vdev)->enabled = (u32)ev->old;
		break;
	case VFIO_NOTE_MEMORY:
		memory(find(vdev), ev->old, ev->op.pc);
		break;
	case VFIO_NOTE_ACCESS:
	case VFIO_NOTE_ACCESS_END:
		access(find(vdev), ev->op.code == VFIO_NOTE_ACCESS_END,
		       ev->op.pc);
		break;
	case MM_NOTE_PTE_SET:
		pte_set(ev->val, ev->op.pc);
		break;
	}
}

bool check_vfio_listed(const struct vfio_pci_mmap_vma *entry)
{
	const struct vfio_pci_device *vdev;
	const struct vfio_pci_mmap_vma *e;
	u32 i;

	for (i = 0; i < MAX_DEVICES && state[i].vdev; i++) {
		vdev = (const void *)state[i].vdev;
		for (e = vdev->vma_list; e; e = e->next)
			if (e == entry)
				return true;
	}
	return false;
}

void check_vfio_start(void)
{
	state = hd_world_reserve(MAX_DEVICES * sizeof(*state));
	hd_subscribe(HD_EV_NOTE, on_note);
}
