/* SPDX-License-Identifier: MIT */
/* mmap() at a fixed address, safe and broken twins.
 *
 * Covers mmap.c. */
#include <heddle/mm.h>
#include <heddle/rmap.h>

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

	(void)arg;
	callback_err = broken() ? 0 : -EINVAL;
	heddle_assert(map_a() != 0);
	mmap_read_lock(mm);
	vma = vma_lookup(mm, A);
	heddle_assert(!vma || !vma->vm_file);
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

static const char *const kill_goals[] = { "killed", "mapped", NULL };
static const struct heddle_variant kill_variants[] = {
	{ .name = "safe", .data = &v6_12 },
	{ .name = NULL },
};
#define kill_setup with_file
TWIN_TASKS(kill, { "mmap", killed }, { "holder", holder });
TWIN(kill, "mmap/killed while it waits", .goals = kill_goals);
