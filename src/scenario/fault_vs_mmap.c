/* SPDX-License-Identifier: MIT */
/* A page fault finds the VMA that mmap() is still working on: Z04 and Z05.
 *
 * Source: 33313a747e81 "mm: lock newly mapped VMA which can be modified after it
 * becomes visible" (6.5-rc1, 6.4.3), and 1c7873e33645 "mm: lock newly mapped VMA
 * with corrected ordering" (6.5-rc1).
 *
 * mmap() stores the new VMA into the tree and goes on changing it: flags, and the
 * page protection that follows from them.  Under mmap_lock nobody could see that;
 * with VMA locks everybody can who looks up under RCU, since a VMA that was never
 * write-locked looks unlocked.  The file system of this scenario wants to be told
 * of the first write to each page of a shared mapping (page_mkwrite), so the last
 * thing that mmap() does is to take the write bit out of the protection.  A read
 * fault before that maps its page with the bit: the write that follows is never
 * told, and the data is lost with the page.
 *
 * What to read out of the variants:
 * - 6.4: nothing of the sort can happen yet, since file mappings are not handled
 *   under the VMA lock (no map_pages here).  That a VMA can be found although it
 *   is not write-locked breaks the rule all the same (unlocked-write), which is
 *   why it was fixed before it hurt.
 * - 6.4-file: the same with file faults under the VMA lock (6.6).  A fault
 *   between store and vm_flags_set() leaves a page with the write bit: one
 *   preemption (assert).
 * - 6.5-rc1-first: the first fix write-locked the VMA while i_mmap_rwsem was held.
 *   A fault that needs memory may reclaim, which walks reverse maps under
 *   i_mmap_rwsem with the VMA lock held: circular.  No deadlock is behind it: the
 *   VMA is new, so that nobody can hold its lock.  It needs no preemption, both
 *   orders only have to be seen.
 * - 6.5: write-locked first, then i_mmap_rwsem. */
#include <heddle/mm.h>
#include <heddle/rmap.h>

#define ADDR 0x2000ul

static struct mm_struct *mm;
static struct file *file;

static int fs_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct page_table *table = pte_alloc(vma->vm_mm, vmf->address);

	/* stands for reclaim, which walks the reverse maps of other pages */
	i_mmap_lock_read(vma->vm_file->f_mapping);
	i_mmap_unlock_read(vma->vm_file->f_mapping);
	set_pte(vma->vm_mm, table, vmf->address,
		0x1000 | _PAGE_SPECIAL | vma->vm_page_prot);
	return VM_FAULT_NOPAGE;
}

static int fs_page_mkwrite(struct vm_fault *vmf)
{
	(void)vmf;
	return 0;
}

static int fs_map_pages(struct vm_fault *vmf)
{
	(void)vmf;
	return 0;
}

static const struct vm_operations_struct no_map_pages = {
	.fault = fs_fault,
	.page_mkwrite = fs_page_mkwrite,
};
static const struct vm_operations_struct ops = {
	.fault = fs_fault,
	.map_pages = fs_map_pages,
	.page_mkwrite = fs_page_mkwrite,
};

static int fs_mmap(struct file *f, struct vm_area_struct *vma)
{
	(void)f;
	vma->vm_ops = mm_form()->more;
	return 0;
}

static const struct file_operations fs = { .mmap = fs_mmap };

static void setup(void)
{
	mm = mm_alloc();
	file = mm_new_file();
	file->f_op = &fs;
	pte_alloc(mm, ADDR);
}

static void mmap_task(void *arg)
{
	(void)arg;
	do_mmap(mm, ADDR, ADDR + PAGE_SIZE, VM_READ | VM_WRITE | VM_SHARED,
		file, 0);
	return_to_user();
}

static void fault_task(void *arg)
{
	(void)arg;
	do_user_addr_fault(mm, ADDR, FAULT_FLAG_USER);
}

static void check(void)
{
	unsigned long pte = pte_offset(mm, ADDR)->pte[pte_index(ADDR)];
	bool first_write_is_told = !(pte & _PAGE_RW);

	heddle_assert(first_write_is_told);
}

static const struct heddle_task tasks[] = {
	{ .name = "mmap", .fn = mmap_task },
	{ .name = "fault", .fn = fault_task },
	{ 0 },
};

#define GEN1 .lock = &vma_lock_gen1, .free_by_rcu = true, .parts = MM_FILE
static const struct mm_form v6_4 = { GEN1, .mmap = MM_MMAP_6_4,
				     .more = &no_map_pages };
static const struct mm_form v6_4_file = { GEN1, .mmap = MM_MMAP_6_4,
					  .more = &ops };
static const struct mm_form first = { GEN1, .mmap = MM_MMAP_6_5_RC1,
				      .more = &ops };
static const struct mm_form v6_5 = { GEN1, .more = &ops };
static const struct mm_form v6_15 = { .lock = &vma_lock_v10,
				      .lock_offset = 0x40000000,
				      .parts = MM_FILE,
				      .mmap = MM_MMAP_6_12, .more = &ops };

static const char *const goals[] = { "mapped", "no VMA: SIGSEGV",
				     "read lock granted", NULL };

static const struct heddle_variant variants[] = {
	{ .name = "6.4", .title = "not write-locked; file faults use mmap_lock",
	  .data = &v6_4, .kernel = "6.4.0-6.4.2",
	  .expect = { { HD_V_UNLOCKED_WRITE, 0 } } },
	{ .name = "6.4-file", .title = "the same, file faults under the VMA lock",
	  .data = &v6_4_file, .source = "6.4 with the file faults of 6.6",
	  .expect = { { HD_V_UNLOCKED_WRITE, 0 }, { HD_V_ASSERT, 1 } } },
	{ .name = "6.5-rc1-first", .title = "write-locked under i_mmap_rwsem",
	  .data = &first, .source = "33313a747e81",
	  .expect = { { HD_V_CIRCULAR, 0 } } },
	{ .name = "6.5", .title = "write-locked before i_mmap_rwsem",
	  .data = &v6_5, .kernel = "6.5-6.14", .source = "1c7873e33645" },
	{ .name = "6.15", .title = "the same with the reference count",
	  .data = &v6_15, .kernel = "6.15-" },
	{ 0 },
};

HEDDLE_SCENARIO(fault_vs_mmap) = {
	.name = "fault_vs_mmap",
	.title = "a fault finds the VMA that mmap() is still working on",
	.source = "33313a747e81, 1c7873e33645",
	.bug = "Z04 33313a747e81, Z05 1c7873e33645",
	.copied = "mmap_region: from ->mmap to vma_set_page_prot",
	.simplified = "no accounting, pages are numbers",
	.different = "VMAs get VM_SOFTDIRTY always",
	.not_modelled = "uprobes, mlock, real reclaim",
	.variants = variants,
	.tasks = tasks,
	.setup = setup,
	.check = check,
	.goals = goals,
};
