/* SPDX-License-Identifier: MIT */
/* A page fault meets mmap(MAP_FIXED) over a mapping that is in use: Z42, and what
 * the bug of seed 004 does there.
 *
 * Source: "mm: avoid MAP_FIXED gap exposure" (6.12), and [PATCH v6 10/16] "mm:
 * replace vm_lock and detached flag with a reference count".
 *
 * Where there was a mapping before the call, and there is one after it, there
 * always is one for user space: a fault must not fail, and a page of the old
 * mapping must not turn up in the new one.  Up to 6.11 mmap() unmaps what lay
 * there and then stores the new VMA, two stores into the tree, so that a lookup
 * under RCU may see a gap that never existed.  6.12 keeps the old VMA, detached
 * and without pages, until the new one overwrites it.
 *
 * What to read out of the variants:
 * - 6.11: the gap does no harm to a fault, because NULL means nothing to it: it
 *   asks again under mmap_lock.
 * - 6.11-lookup: a reader that takes NULL for an answer, as /proc/PID/maps under
 *   RCU would: one preemption (assert).  6.12-lookup: it always finds one.
 * - 6.12 and 6.15, the fault again: where the old VMA stays in the tree a reader
 *   may find it detached, and looks up again until the new one is there.
 * - v6: a read lock on a detached VMA (seed 004) is granted behind mmap(), whose
 *   unlock makes the VMA look unlocked.  The fault then installs a page of the old
 *   mapping inside the new one, where nothing is wrong with the address: no check
 *   for PTEs without VMA sees it (assert).  The other verdicts are those of
 *   fault_vs_munmap:v6. */
#include <heddle/mm.h>
#include <heddle/rmap.h>

#define ADDR 0x2000ul
#define PAGE_OF_FILE (0x1000 | _PAGE_SPECIAL)

static struct mm_struct *mm;
static struct file *file;
static const char lookup[] = "lookup";

static int fs_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;

	set_pte(vma->vm_mm, pte_alloc(vma->vm_mm, vmf->address), vmf->address,
		PAGE_OF_FILE | vma->vm_page_prot);
	return VM_FAULT_NOPAGE;
}

static int fs_map_pages(struct vm_fault *vmf)
{
	(void)vmf;
	return 0;
}

static const struct vm_operations_struct ops = {
	.fault = fs_fault,
	.map_pages = fs_map_pages,
};

static int fs_mmap(struct file *f, struct vm_area_struct *vma)
{
	(void)f;
	vma->vm_ops = &ops;
	return 0;
}

static const struct file_operations fs = { .mmap = fs_mmap };

static void setup(void)
{
	mm = mm_alloc();
	mm_add_vma(mm, ADDR, ADDR + PAGE_SIZE);
	file = mm_new_file();
	file->f_op = &fs;
}

static void mmap_task(void *arg)
{
	(void)arg;
	heddle_assert(!do_mmap(mm, ADDR, ADDR + PAGE_SIZE, VM_READ, file, 0));
	return_to_user();
}

static void read_task(void *arg)
{
	struct vm_area_struct *vma;

	(void)arg;
	if (mm_form()->more != lookup) {
		heddle_assert(!do_user_addr_fault(mm, ADDR, FAULT_FLAG_USER));
		return;
	}
	rcu_read_lock();
	vma = mas_walk(mm, ADDR);
	rcu_read_unlock();
	heddle_assert(vma);
}

static void check(void)
{
	struct page_table *table = pte_offset(mm, ADDR);
	unsigned long pte = table ? table->pte[pte_index(ADDR)] : 0;
	bool page_is_the_file_s = !pte || pte & _PAGE_SPECIAL;

	heddle_assert(page_is_the_file_s);
}

static const struct heddle_task tasks[] = {
	{ .name = "mmap", .fn = mmap_task },
	{ .name = "read", .fn = read_task },
	{ 0 },
};

#define FORM(name, ...)                                                \
	static const struct mm_form name = { .lock_offset = 0x40000000, \
					     .parts = MM_FILE, __VA_ARGS__ }
#define GEN1 .lock = &vma_lock_gen1, .free_by_rcu = true
FORM(v6_11, GEN1);
FORM(v6_11_lookup, GEN1, .more = lookup);
FORM(v6_12, GEN1, .mmap = MM_MMAP_6_12);
FORM(v6_12_lookup, GEN1, .mmap = MM_MMAP_6_12, .more = lookup);
FORM(v6_15, .lock = &vma_lock_v10, .mmap = MM_MMAP_6_12);
FORM(v6, .lock = &vma_lock_v6, .free_by_rcu = true, .mmap = MM_MMAP_6_12);

static const char *const goals[] = { "mapped", "read lock granted", NULL };
static const char *const mapped[] = { "mapped", NULL };

static const struct heddle_variant variants[] = {
	{ .name = "6.11", .title = "unmaps, then maps: a gap", .data = &v6_11,
	  .kernel = "6.5-6.11" },
	{ .name = "6.11-lookup", .title = "a reader that trusts the gap",
	  .data = &v6_11_lookup, .goals = mapped,
	  .source = "a reader of no release",
	  .expect = { { HD_V_ASSERT, 1 } } },
	{ .name = "6.12", .title = "the old VMA stays until it is overwritten",
	  .data = &v6_12, .kernel = "6.12-6.14" },
	{ .name = "6.12-lookup", .title = "the reader that trusts the tree",
	  .data = &v6_12_lookup, .goals = mapped,
	  .source = "a reader of no release", .kernel = "asked" },
	{ .name = "6.15", .title = "the same with the reference count",
	  .data = &v6_15, .kernel = "6.15-" },
	{ .name = "v6", .title = "vm_refcnt v6 10/16: lock on a detached VMA",
	  .data = &v6, .kernel = "posted",
	  .source = "[PATCH v6 10/16] mm: replace vm_lock and detached flag "
		    "with a reference count, 16 Dec 2024",
	  .expect = { { HD_V_DATA_RACE, 2 }, { HD_V_HELD_AT_USER, 3 },
		      { HD_V_DETACHED_READ_LOCK, 3 }, { HD_V_FREED, 3 },
		      { HD_V_ASSERT_RACE, 3 }, { HD_V_ASSERT, 3 },
		      { HD_V_CIRCULAR, 4 }, { HD_V_USE_AFTER_FREE, 4 } } },
	{ 0 },
};

HEDDLE_SCENARIO(fault_vs_mmap_fixed) = {
	.name = "fault_vs_mmap_fixed",
	.title = "a fault where mmap(MAP_FIXED) replaces a mapping",
	.source = "mm: avoid MAP_FIXED gap exposure, 6.12",
	.bug = "Z42 MAP_FIXED gap",
	.copied = "mmap_region, vms_gather_munmap_vmas",
	.simplified = "one VMA for another, pages are numbers",
	.not_modelled = "partly overlapping ranges, userfaultfd",
	.variants = variants,
	.tasks = tasks,
	.setup = setup,
	.check = check,
	.goals = goals,
};
