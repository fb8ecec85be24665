/* SPDX-License-Identifier: MIT */
/* mmap() at a fixed address, safe and broken twins.
 *
 * Covers mmap.c, and check_pte.c where a page is there before its VMA. */
#include <heddle/mm.h>
#include <heddle/rmap.h>
#include <heddle/vfio.h>

#include "../base/twin.h"

enum { A = 0x2000, B = 0x3000, C = 0x4000, END = 0x5000 };

struct test {
	struct mm_form form;
	bool broken;
};

#define V10 .lock = &vma_lock_v10, .lock_offset = 0x40000000, .parts = MM_FILE
static const struct test v6_5 = { .form = { V10 } };
static const struct test v6_4 = { .form = { V10, .mmap = MM_MMAP_6_4 } };
#define GEN1 .lock = &vma_lock_gen1, .free_by_rcu = true, .parts = MM_FILE
static const struct test gen1 = { .form = { GEN1 } };
static const struct test rc1 = { .form = { GEN1, .mmap = MM_MMAP_6_5_RC1 } };
static const struct test gen1_6_12 = { .form = { GEN1, .mmap = MM_MMAP_6_12 } };
static const struct test v6_12 = { .form = { V10, .mmap = MM_MMAP_6_12 } };
static const struct test broken_task = {
	.form = { V10, .mmap = MM_MMAP_6_12 }, .broken = true
};

static bool broken(void)
{
	return ((const struct test *)heddle_variant_data())->broken;
}

#define FORMS(id, good, bad, ...)                                      \
	static const struct heddle_variant id##_variants[] = {         \
		{ .name = "safe", .data = &(good) },                   \
		{ .name = "broken", .data = &(bad),                    \
		  .expect = { __VA_ARGS__ } },                         \
		{ .name = NULL },                                      \
	}
#define BOTH(id)                                                       \
	static const struct heddle_variant id##_variants[] = {         \
		{ .name = "6.5", .data = &v6_5 },                      \
		{ .name = "6.12", .data = &v6_12 },                    \
		{ .name = NULL },                                      \
	}

static struct mm_struct *mm;
static struct file *file;
static int callback_err; /* what ->mmap returns */

/* --- a file that counts its mappings --------------------------------------- */

static int mapped;

static int fs_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;

	/* stands for reclaim */
	i_mmap_lock_read(vma->vm_file->f_mapping);
	i_mmap_unlock_read(vma->vm_file->f_mapping);
	set_pte(vma->vm_mm, pte_alloc(vma->vm_mm, vmf->address), vmf->address,
		0x1000 | _PAGE_SPECIAL | vma->vm_page_prot);
	return VM_FAULT_NOPAGE;
}

static int fs_nothing(struct vm_fault *vmf)
{
	(void)vmf;
	return 0;
}

static void fs_close(struct vm_area_struct *vma)
{
	(void)vma;
	mapped--;
}

static const struct vm_operations_struct ops = {
	.fault = fs_fault,
	.map_pages = fs_nothing,
	.page_mkwrite = fs_nothing,
	.close = fs_close,
};

static int fs_mmap(struct file *f, struct vm_area_struct *vma)
{
	(void)f;
	if (callback_err)
		return callback_err;
	vma->vm_ops = &ops;
	mapped++;
	return 0;
}

static const struct file_operations fs = { .mmap = fs_mmap };

static void with_file(void)
{
	mm = mm_alloc();
	file = mm_new_file();
	file->f_op = &fs;
}

static void old_and_file(void)
{
	with_file();
	mm_add_vma(mm, A, C);
}

static int map_a(void)
{
	return do_mmap(mm, A, B, VM_READ | VM_WRITE | VM_SHARED, file, 0);
}

/* --- when a new VMA may be seen ---------------------------------------------- */

static void map_task(void *arg)
{
	(void)arg;
	if (map_a())
		heddle_mark("mmap: no memory");
}

static void fault_a(void *arg)
{
	(void)arg;
	do_user_addr_fault(mm, A, FAULT_FLAG_USER);
}

static void told_check(void)
{
	struct page_table *table = pte_offset(mm, A);

	heddle_assert(!table || !(table->pte[pte_index(A)] & _PAGE_RW));
}

static const char *const seen_goals[] = { "mapped", "mmap: no memory",
					  "read lock granted", NULL };
#define seen_setup with_file
TWIN_TASKS(seen, { "mmap", map_task }, { "fault", fault_a });
FORMS(seen, v6_5, v6_4, SHOWS(UNLOCKED_WRITE), SHOWS(ASSERT));
TWIN(seen, "mmap/write-locked before it is seen", .goals = seen_goals,
     .check = told_check);

/* vma_start_write() under i_mmap_rwsem; a fault takes them the other way. */
#define order_setup with_file
TWIN_TASKS(order, { "mmap", map_task }, { "fault", fault_a });
FORMS(order, gen1, rc1, SHOWS(CIRCULAR));
TWIN(order, "mmap/i_mmap_rwsem", .check = told_check);

/* --- over something ------------------------------------------------------------ */

static void fault_then_map(void *arg)
{
	(void)arg;
	fault_a(NULL);
	map_task(NULL);
}

static void part_check(void)
{
	struct vm_area_struct *a = vma_lookup(mm, A), *b = vma_lookup(mm, B);

	heddle_assert(b && b->vm_end == C && !b->vm_file);
	heddle_assert(!a || a == b || a->vm_end == B);
	heddle_assert(mapped == (a && a->vm_file ? 1 : 0));
	/* no old page in it */
	heddle_assert(!a || !a->vm_file || !pte_offset(mm, A) ||
		      !pte_offset(mm, A)->pte[pte_index(A)]);
}

#define part_setup old_and_file
BOTH(part);
TWIN_TASKS(part, { "mmap", fault_then_map });
TWIN(part, "mmap/over a part of another", .check = part_check);

/* A lookup under RCU: 6.12 shows no gap while nothing fails. */
static bool failed;

static void map_and_say(void *arg)
{
	(void)arg;
	failed = map_a();
}

static bool gap;

static void look_up(void *arg)
{
	(void)arg;
	rcu_read_lock();
	gap = !mas_walk(mm, A);
	rcu_read_unlock();
}

static void gap_check(void)
{
	heddle_assert(failed || !gap);
}

#define gap_setup old_and_file
TWIN_TASKS(gap, { "mmap", map_and_say }, { "lookup", look_up });
FORMS(gap, v6_12, v6_5, SHOWS(ASSERT));
TWIN(gap, "mmap/no gap", .check = gap_check);

/* --- what fails ------------------------------------------------------------------ */

static void refused(void *arg)
{
	struct vm_area_struct *vma;
	int err;

	(void)arg;
	callback_err = broken() ? 0 : -EINVAL;
	err = map_a();
	heddle_assert(err);
	mmap_read_lock(mm);
	vma = vma_lookup(mm, A);
	/* its pages are gone: a gap */
	heddle_assert(err == -EINVAL ? !vma : !vma || !vma->vm_file);
	mmap_read_unlock(mm);
	heddle_assert(!mapped && refcount_read(&file->f_count) == 1);
}

static void refused_locked(void *arg)
{
	(void)arg;
	refused(NULL);
	do_munmap(mm, 0, TASK_SIZE);
	heddle_assert(!mm->map_count);
}

#define refuse_setup old_and_file
TWIN_TASKS(refuse, { "mmap", refused_locked });
FORMS(refuse, v6_12, broken_task, SHOWS(ASSERT));
TWIN(refuse, "mmap/->mmap refuses");

/* Nobody finds the old one when it is freed. */
static void reads_a(void *arg)
{
	struct vm_area_struct *vma = lock_vma_under_rcu(mm, A);

	(void)arg;
	if (vma)
		vma_end_read(vma);
}

static void refused_once(void *arg)
{
	(void)arg;
	callback_err = -EINVAL;
	heddle_assert(map_a() == -EINVAL);
}

static const struct heddle_variant freed_variants[] = {
	{ .name = "6.12", .data = &gen1_6_12, .fail = TWIN_NONE, .bound = 2 },
	{ .name = NULL },
};
#define freed_setup old_and_file
TWIN_TASKS(freed, { "mmap", refused_once }, { "reader", reads_a });
TWIN(freed, "mmap/->mmap refuses, and a reader");

/* The old VMA comes back as it was if nothing of it was unmapped. */
static void anon_over(void *arg)
{
	struct page_table *table;

	(void)arg;
	fault_a(NULL);
	if (!do_mmap(mm, A, C, VM_READ, NULL, A >> PAGE_SHIFT))
		return;
	heddle_mark("old one is back");
	table = pte_offset(mm, A);
	heddle_assert(table && table->pte[pte_index(A)]);
	heddle_assert(!do_user_addr_fault(mm, A, FAULT_FLAG_USER));
}

static const char *const back_goals[] = { "old one is back", NULL };
static const struct heddle_variant back_variants[] = {
	{ .name = "6.12", .data = &v6_12 },
	{ .name = "6.5", .data = &v6_5, .expect = { SHOWS(ASSERT) } },
	{ .name = NULL },
};
#define back_setup old_and_file
TWIN_TASKS(back, { "mmap", anon_over });
TWIN(back, "mmap/6.12 gives the old one back", .goals = back_goals);

/* --- what it is ------------------------------------------------------------------ */

static const struct vm_operations_struct quiet = { .fault = fs_fault };

static int quiet_mmap(struct file *f, struct vm_area_struct *vma)
{
	(void)f;
	vma->vm_ops = &quiet;
	return 0;
}

static const struct file_operations quiet_fs = { .mmap = quiet_mmap }, no_mmap;

static struct file *file_with(const struct file_operations *f_op)
{
	struct file *f = mm_new_file();

	f->f_op = f_op;
	return f;
}

static struct vm_area_struct *map_at(u32 n, vm_flags_t flags, struct file *f)
{
	unsigned long addr = A + n * PAGE_SIZE;

	heddle_assert(!do_mmap(mm, addr, addr + PAGE_SIZE, flags, f, n));
	return mm->mm_mt.root->slot[n].vma;
}

static void kinds(void *arg)
{
	vm_flags_t priv = VM_READ | VM_WRITE, shared = priv | VM_SHARED;
	struct vm_area_struct *v;

	(void)arg;
	/* who wants to be told of writes gets them by faults */
	v = map_at(0, shared, file);
	heddle_assert(v->vm_file == file && v->vm_ops == &ops);
	heddle_assert(!(v->vm_page_prot & _PAGE_RW));
	heddle_assert(v->vm_flags == (shared | VM_SOFTDIRTY));
	v = map_at(1, priv, file);
	heddle_assert(v->vm_page_prot & _PAGE_RW);
	v = map_at(2, shared, file_with(&quiet_fs));
	heddle_assert(v->vm_ops == &quiet && v->vm_page_prot & _PAGE_RW);
	v = map_at(3, shared, file_with(NULL));
	heddle_assert(v->vm_file && !v->vm_ops && v->vm_page_prot & _PAGE_RW);
	v = map_at(4, shared, file_with(&no_mmap));
	heddle_assert(v->vm_file && !v->vm_ops);
	v = map_at(5, priv, NULL);
	heddle_assert(!v->vm_file && v->vm_page_prot & _PAGE_RW);
	/* the same flags and the next page number, but a file */
	v = map_at(6, priv, file_with(NULL));
	heddle_assert(v->vm_file && v->vm_start == A + 6 * PAGE_SIZE);
	heddle_assert(mm->map_count == 7);
}

#define kinds_setup with_file
TWIN_TASKS(kinds, { "mmap", kinds });
static const struct heddle_variant kinds_variants[] = {
	{ .name = "6.5", .data = &v6_5, .fail = TWIN_NONE, .bound = 1 },
	{ .name = "6.12", .data = &v6_12, .fail = TWIN_NONE, .bound = 1 },
	{ .name = "6.5-rc1", .data = &rc1, .fail = TWIN_NONE, .bound = 1 },
	{ .name = NULL },
};
TWIN(kinds, "mmap/each kind");

/* A file whose ->mmap maps its page at once: that is the one that stays. */
static int eager_mmap(struct file *f, struct vm_area_struct *vma)
{
	(void)f;
	set_pte(vma->vm_mm, pte_alloc(vma->vm_mm, vma->vm_start), vma->vm_start,
		0x5000 | _PAGE_SPECIAL | vma->vm_page_prot);
	return 0;
}

static const struct file_operations eager_fs = { .mmap = eager_mmap };

static void eager(void *arg)
{
	vm_flags_t flags = VM_READ | VM_WRITE;

	(void)arg;
	fault_a(NULL);
	heddle_assert(!do_mmap(mm, A, C, flags, file_with(&eager_fs), 0));
	heddle_assert(pte_offset(mm, A)->pte[pte_index(A)] ==
		      (0x5000 | _PAGE_SPECIAL | _PAGE_PRESENT | _PAGE_RW));
}

static const struct heddle_variant eager_variants[] = {
	{ .name = "6.12", .data = &v6_12, .fail = TWIN_NONE },
	{ .name = NULL },
};
#define eager_setup old_and_file
TWIN_TASKS(eager, { "mmap", eager });
TWIN(eager, "mmap/->mmap maps pages at once");

/* Who goes through the mappings of the file meanwhile has i_mmap_rwsem. */
static void truncate(void *arg)
{
	(void)arg;
	unmap_mapping_pages(file->f_mapping, 0, 1);
}

#define truncate_setup with_file
TWIN_TASKS(truncate, { "mmap", map_task }, { "truncate", truncate });
static const struct heddle_variant truncate_variants[] = {
	{ .name = "6.5-rc1", .data = &rc1, .fail = TWIN_NONE },
	{ .name = "6.12", .data = &v6_12, .fail = TWIN_NONE },
	{ .name = NULL },
};
TWIN(truncate, "mmap/truncate");

/* --- merging ------------------------------------------------------------------- */

static void merge_both(void *arg)
{
	(void)arg;
	if (do_mmap(mm, C, END, VM_READ | VM_WRITE, NULL, C >> PAGE_SHIFT))
		return;
	if (do_mmap(mm, B, C, broken() ? VM_READ : VM_READ | VM_WRITE, NULL,
		    B >> PAGE_SHIFT))
		return;
	heddle_assert(mm->map_count == 1);
}

static void only_a(void)
{
	mm = mm_alloc();
	mm_add_vma(mm, A, B);
}

#define merge_setup only_a
TWIN_TASKS(merge, { "mmap", merge_both });
FORMS(merge, v6_12, broken_task, SHOWS(ASSERT));
TWIN(merge, "mmap/merges with both neighbours");

static void killed(void *arg)
{
	int err = map_a();

	(void)arg;
	if (err == -EINTR)
		heddle_mark("killed");
	heddle_assert(!err || !mapped);
}

static void holder(void *arg)
{
	(void)arg;
	mmap_write_lock(mm);
	mmap_write_unlock(mm);
}

/* A device's ->mmap maps its memory at once, before the VMA can be found. */
static int device_mmap(struct file *f, struct vm_area_struct *vma)
{
	(void)f;
	if (callback_err)
		return callback_err;
	remap_pfn_range(vma, vma->vm_start, 1, PAGE_SIZE);
	return 0;
}

static const struct file_operations device = { .mmap = device_mmap };

static void with_device(void)
{
	with_file();
	file->f_op = &device;
}

static void map_device(void *arg)
{
	(void)arg;
	if (!broken()) {
		heddle_assert(!map_a());
		return;
	}
	mmap_write_lock(mm);
	set_pte(mm, pte_alloc(mm, A), A, 7); /* and no VMA ever */
	mmap_write_unlock(mm);
}

static const struct heddle_variant early_variants[] = {
	{ .name = "6.5", .data = &v6_5, .fail = TWIN_NONE },
	{ .name = "broken", .data = &broken_task,
	  .expect = { SHOWS(PTE_WITHOUT_VMA), SHOWS(LEAK) } },
	{ .name = NULL },
};
#define early_setup with_device
TWIN_TASKS(early, { "mmap", map_device });
TWIN(early, "mmap/pages before the VMA");

static const char *const kill_goals[] = { "killed", "mapped", NULL };
static const struct heddle_variant kill_variants[] = {
	{ .name = "safe", .data = &v6_12 },
	{ .name = NULL },
};
#define kill_setup with_file
TWIN_TASKS(kill, { "mmap", killed }, { "holder", holder });
TWIN(kill, "mmap/killed while it waits", .goals = kill_goals);
