/* SPDX-License-Identifier: MIT */
/* fork that fails half-way, or not, while reclaim looks in; and who is last.
 *
 * Source: dup_mmap() and exit_mmap() of 6.12 and 6.15 (kernel/fork.c, mm/mmap.c);
 * no bug, but the path on which several were: a child that is half made can be
 * reached through the reverse map of its pages, long before it is in any tree,
 * and must be torn down like any other address space.
 *
 * fork copies an anonymous VMA and one with a file; each allocation of it may
 * fail, and a signal may come.  The child exits at once.  Reclaim takes the
 * page away wherever its anon_vma says that it is mapped.  Both tasks use the
 * parent; the last one tears it down.
 *
 * What to read out of it: nothing is lost or freed twice, the file has as many
 * references as before and was closed as often as opened, and no lock order is
 * broken (mmap_lock of the parent, of the child, i_mmap_rwsem, anon_vma, both
 * tables).  Reclaim never waits for mmap_lock, so it meets a child that fork
 * still holds locked. */
#include <heddle/mm.h>
#include <heddle/rmap.h>

#include "../mm/mm.h"

enum { ANON = 0x2000, FILE = 0x3000, END = 0x4000 };

static struct mm_struct *mm;
static struct file *file;
static struct folio *folio;
static int opened;

static void count_open(struct vm_area_struct *vma)
{
	(void)vma;
	opened++;
}

static void count_close(struct vm_area_struct *vma)
{
	(void)vma;
	opened--;
}

static const struct vm_operations_struct ops = { .open = count_open,
						 .close = count_close };

static void map_file(void)
{
	struct vm_area_struct *vma = mm_add_vma(mm, FILE, END);

	mmap_write_lock(mm);
	vma_start_write(vma);
	vma->vm_ops = &ops;
	vma->vm_file = file;
	mmap_write_unlock(mm);
	get_file(file);
	opened = 1;
	vma_link_file(vma);
}

static void setup(void)
{
	mm = mm_alloc();
	mmget(mm); /* two tasks use it */
	mm_add_vma(mm, ANON, FILE);
	mm_add_page(mm, ANON, 1);
	folio = pte_folio(pte_offset(mm, ANON)->pte[pte_index(ANON)]);
	folio_get(folio); /* reclaim has it on its list */
	file = mm_new_file();
	map_file();
}

static void fork_task(void *arg)
{
	struct mm_struct *child;
	int err;

	(void)arg;
	child = dup_mm(mm, &err);
	heddle_assert(child ? !err : err == -ENOMEM || err == -EINTR);
	if (child)
		mmput(child);
	mmput(mm);
	return_to_user();
}

static void reclaim_task(void *arg)
{
	(void)arg;
	folio_lock(folio);
	rmap_unmap_anon(folio->mapping, folio->index);
	folio_unlock(folio);
	folio_put(folio);
	mmput(mm); /* the task's own, not reclaim's */
}

static void check(void)
{
	u32 i;

	heddle_assert(refcount_read(&file->f_count) == 1 && !opened);
	for (i = 0; i < MM_RMAP_VMAS; i++)
		heddle_assert(!file->f_mapping->i_mmap[i]);
}

static const struct heddle_task tasks[] = {
	{ .name = "fork", .fn = fork_task },
	{ .name = "reclaim", .fn = reclaim_task },
	{ 0 },
};

#define FORM(name, ...)                                               \
	static const struct mm_form name = { .parts = MM_ANON | MM_FILE, \
					     __VA_ARGS__ }
FORM(k6_12, .lock = &vma_lock_gen1, .free_by_rcu = true);
FORM(k6_15, .lock = &vma_lock_v10, .lock_offset = 0x40000000);

static const char *const goals[] = {
	"forked", "fork fails half-way", "address space torn down", NULL,
};

static const struct heddle_variant variants[] = {
	{ .name = "6.12", .title = "anything may fail", .data = &k6_12,
	  .kernel = "6.4-6.13", .fail = 1, .signals = 1, .bound = 1 },
	{ .name = "6.15", .title = "the same, the lock as a reference count",
	  .data = &k6_15, .kernel = "6.15", .fail = 1, .signals = 1,
	  .bound = 1 },
	{ 0 },
};

HEDDLE_SCENARIO(fork_vs_reclaim) = {
	.name = "fork_vs_reclaim",
	.title = "fork that may fail against reclaim of a page it copies",
	.source = "kernel/fork.c and mm/mmap.c of 6.12: dup_mmap(), exit_mmap()",
	.copied = "order of locks, copies and links; what is undone; exit_mmap()",
	.simplified = "reclaim holds a reference to the page, and the parent "
		      "keeps its anon_vma alive",
	.not_modelled = "the mark in the child's tree where the copy failed, "
			"the OOM reaper, swap",
	.variants = variants,
	.tasks = tasks,
	.setup = setup,
	.check = check,
	.goals = goals,
};
