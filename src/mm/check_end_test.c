/* SPDX-License-Identifier: MIT */
/* What the checks say when a run has ended: does each notice what was lost?
 *
 * Covers check_leak.c, check_links.c, and the parts of check_pte.c that are about
 * tables and rights.  The two forms of a twin differ in one step. */
#include <heddle/mempolicy.h>
#include <heddle/mm.h>
#include <heddle/rmap.h>

#include "twins.h"

enum { A = 0x2000, B = 0x3000, FAR = 0x4000, FAR_END = 0x5000 };

struct test {
	struct mm_form form;
	bool broken;
};
#define TEST(name, ...)                                                \
	static const struct test name = { .form = { __VA_ARGS__ } };   \
	static const struct test name##_broken = {                     \
		.form = { __VA_ARGS__ }, .broken = true                \
	}
TEST(v10, V10);
TEST(gen1, GEN1);
TEST(anon, V10, .parts = MM_ANON);
TEST(filed, V10, .parts = MM_FILE);
TEST(policy, V10, .parts = MM_POLICY);

static bool broken(void)
{
	return ((const struct test *)heddle_variant_data())->broken;
}

static struct vm_area_struct *a;

static void one_vma(void)
{
	mm = mm_alloc();
	a = mm_add_vma(mm, A, B);
}

static void one_table(void)
{
	one_vma();
	pte_alloc(mm, A);
}

/* a leaves the tree, and its tables go; what else it has stays. */
static void take_out(void)
{
	vma_start_write(a);
	vma_mark_detached(a);
	mas_clear(mm, A, B);
	mm->map_count--;
	free_pgtables(mm, 0, TASK_SIZE);
}

/* --- VMAs, nodes, locks, tables ----------------------------------------------- */

static void lose_vma(void *arg)
{
	(void)arg;
	a = vm_area_alloc(mm);
	if (!a)
		return;
	a->vm_start = FAR;
	a->vm_end = FAR_END;
	mmap_write_lock(mm);
	if (!broken())
		vma_link(a);
	mmap_write_unlock(mm);
}

#define vma_setup one_vma
TWIN_TASKS(vma, { "mmap", lose_vma });
FORMS(vma, v10, v10_broken, SHOWS(LEAK));
TWIN(vma, "end/a VMA in no tree");

static void lose_node(void *arg)
{
	struct maple_node *old = mm->mm_mt.root, *node;

	(void)arg;
	mmap_write_lock(mm);
	if (broken()) { /* put in the place of the old one, which stays */
		node = heddle_alloc(struct maple_node);
		*node = *old;
		rcu_assign_pointer(mm->mm_mt.root, node);
	} else {
		mas_store(mm, a);
	}
	mmap_write_unlock(mm);
}

#define node_setup one_vma
TWIN_TASKS(node, { "writer", lose_node });
FORMS(node, v10, v10_broken, SHOWS(LEAK));
TWIN(node, "end/a node that is no tree");

static void lose_lock(void *arg)
{
	(void)arg;
	mmap_write_lock(mm);
	take_out();
	mmap_write_unlock(mm);
	if (broken())
		a->vm_lock = NULL;
	vm_area_free(a);
}

#define lock_setup one_vma
TWIN_TASKS(lock, { "munmap", lose_lock });
FORMS(lock, gen1, gen1_broken, SHOWS(LEAK));
TWIN(lock, "end/a lock without a VMA");

static void lose_table(void *arg)
{
	(void)arg;
	mmap_write_lock(mm);
	if (broken())
		mm->pmd[pmd_index(A)] = 0;
	mmap_write_unlock(mm);
}

#define lost_setup one_table
TWIN_TASKS(lost, { "writer", lose_table });
FORMS(lost, v10, v10_broken, SHOWS(LEAK));
TWIN(lost, "end/a table in no mm");

static void keep_table(void *arg)
{
	(void)arg;
	if (!broken()) {
		do_munmap(mm, A, B);
		return;
	}
	mmap_write_lock(mm);
	vma_start_write(a);
	vma_mark_detached(a);
	mas_clear(mm, A, B);
	mm->map_count--;
	mmap_write_unlock(mm);
	vm_area_free(a);
}

#define needless_setup one_table
TWIN_TASKS(needless, { "munmap", keep_table });
FORMS(needless, v10, v10_broken, SHOWS(LEAK));
TWIN(needless, "end/a table that no VMA needs");

/* A neighbour in the same group: the table is needed. */
static void needed_setup(void)
{
	one_table();
	mm_add_vma(mm, 0, PAGE_SIZE);
}

TWIN_TASKS(needed, { "munmap", keep_table });
SAFE_FORM(needed, v10_broken);
TWIN(needed, "end/a table that a neighbour needs");

static void free_full_table(void *arg)
{
	(void)arg;
	mmap_write_lock(mm);
	set_pte(mm, pte_offset(mm, A), A, 7);
	if (!broken())
		unmap_region(mm, A, B);
	free_pgtables(mm, 0, TASK_SIZE);
	mmap_write_unlock(mm);
}

#define full_setup one_table
TWIN_TASKS(full, { "munmap", free_full_table });
FORMS(full, v10, v10_broken, SHOWS(PTE_WITHOUT_VMA));
TWIN(full, "end/a table is freed with an entry in it");

static void free_table_only(void *arg)
{
	struct page_table *table = pte_offset(mm, A);

	(void)arg;
	mmap_write_lock(mm);
	if (!broken())
		WRITE_ONCE(mm->pmd[pmd_index(A)], 0);
	mmap_write_unlock(mm);
	kfree(table);
}

#define dangling_setup one_table
TWIN_TASKS(dangling, { "munmap", free_table_only });
FORMS(dangling, v10, v10_broken, SHOWS(PAGETABLE));
TWIN(dangling, "end/an upper entry of a freed table");

/* Broken: a page stays writable that nobody may write to any more. */
static void protect(void *arg)
{
	struct page_table *table = pte_offset(mm, A);

	(void)arg;
	mmap_write_lock(mm);
	vma_start_write(a);
	a->vm_flags = RO;
	spin_lock(&table->ptl);
	if (!broken())
		WRITE_ONCE(table->pte[pte_index(A)],
			   table->pte[pte_index(A)] & ~_PAGE_RW);
	spin_unlock(&table->ptl);
	mmap_write_unlock(mm);
}

static void rights_setup(void)
{
	one_vma();
	mm_add_page(mm, A, 1);
}

TWIN_TASKS(rights, { "mprotect", protect });
FORMS(rights, anon, anon_broken, SHOWS(PTE_RIGHTS));
TWIN(rights, "end/a page that can still be written to");

/* --- links ----------------------------------------------------------------------- */

static void with_anon_vma(void)
{
	one_table();
	mmap_read_lock(mm);
	heddle_assert(!anon_vma_prepare(a));
	mmap_read_unlock(mm);
}

static void unlink_anon(void *arg)
{
	(void)arg;
	mmap_write_lock(mm);
	take_out();
	mmap_write_unlock(mm);
	if (!broken())
		unlink_anon_vmas(a);
	vm_area_free(a);
}

#define unlink_setup with_anon_vma
TWIN_TASKS(unlink, { "munmap", unlink_anon });
/* the list has a VMA that no tree has, and no tree has one with this anon_vma */
FORMS(unlink, anon, anon_broken, SHOWS(RMAP));
TWIN(unlink, "end/an anon_vma of a VMA that is gone");

static void unlist(struct vm_area_struct **list)
{
	u32 i;

	for (i = 0; broken() && i < MM_RMAP_VMAS; i++)
		list[i] = NULL;
}

static void unlist_anon(void *arg)
{
	(void)arg;
	anon_vma_lock_write(a->anon_vma);
	unlist(a->anon_vma->vma);
	anon_vma_unlock_write(a->anon_vma);
}

#define unlisted_setup with_anon_vma
TWIN_TASKS(unlisted, { "rmap", unlist_anon });
FORMS(unlisted, anon, anon_broken, SHOWS(RMAP), SHOWS(LEAK));
TWIN(unlisted, "end/an anon_vma does not list its VMA");

static void get_anon(void *arg)
{
	(void)arg;
	if (broken())
		refcount_inc(&a->anon_vma->refcount);
}

#define got_setup with_anon_vma
TWIN_TASKS(got, { "rmap", get_anon });
FORMS(got, anon, anon_broken, SHOWS(LEAK));
TWIN(got, "end/a reference to an anon_vma is lost");

static struct file *file;

static void with_file(void)
{
	mm = mm_alloc();
	file = mm_new_file();
	a = mm_add_vma_file(mm, A, B, RW, file, NULL);
}

static void unlink_file(void *arg)
{
	(void)arg;
	mmap_write_lock(mm);
	take_out();
	mmap_write_unlock(mm);
	if (!broken())
		unlink_file_vma(a);
	fput(file);
	vm_area_free(a);
}

#define unlink_file_setup with_file
TWIN_TASKS(unlink_file, { "munmap", unlink_file });
FORMS(unlink_file, filed, filed_broken, SHOWS(RMAP));
TWIN(unlink_file, "end/a file lists a VMA that is gone");

static void unlist_file(void *arg)
{
	(void)arg;
	i_mmap_lock_write(file->f_mapping);
	unlist(file->f_mapping->i_mmap);
	i_mmap_unlock_write(file->f_mapping);
}

#define unlisted_file_setup with_file
TWIN_TASKS(unlisted_file, { "rmap", unlist_file });
FORMS(unlisted_file, filed, filed_broken, SHOWS(RMAP));
TWIN(unlisted_file, "end/a file does not list its VMA");

static void get_file_only(void *arg)
{
	(void)arg;
	get_file(file);
	if (!broken())
		fput(file);
}

#define got_file_setup with_file
TWIN_TASKS(got_file, { "task", get_file_only });
FORMS(got_file, filed, filed_broken, SHOWS(LEAK));
TWIN(got_file, "end/a reference to a file is lost");

static void put_file_only(void *arg)
{
	(void)arg;
	if (!broken())
		get_file(file);
	fput(file);
}

#define put_file_setup with_file
TWIN_TASKS(put_file, { "task", put_file_only });
FORMS(put_file, filed, filed_broken, SHOWS(REFCOUNT));
TWIN(put_file, "end/a reference to a file is put twice");

static void with_policy(void)
{
	one_vma();
	mmap_write_lock(mm);
	vma_start_write(a);
	a->vm_policy = mpol_new(1);
	mmap_write_unlock(mm);
}

static void get_policy(void *arg)
{
	(void)arg;
	mpol_get(a->vm_policy);
	if (!broken())
		mpol_put(a->vm_policy);
}

#define got_policy_setup with_policy
TWIN_TASKS(got_policy, { "task", get_policy });
FORMS(got_policy, policy, policy_broken, SHOWS(LEAK));
TWIN(got_policy, "end/a reference to a policy is lost");

/* Not freed, though nobody counts it any more. */
static void put_policy(void *arg)
{
	struct mempolicy *pol = a->vm_policy;

	(void)arg;
	mmap_write_lock(mm);
	vma_start_write(a);
	a->vm_policy = NULL;
	mmap_write_unlock(mm);
	if (broken())
		atomic_dec(&pol->refcnt);
	else
		mpol_put(pol);
}

#define put_policy_setup with_policy
TWIN_TASKS(put_policy, { "task", put_policy });
FORMS(put_policy, policy, policy_broken, SHOWS(LEAK));
TWIN(put_policy, "end/a policy that nobody has is not freed");

static void grab_mm(void *arg)
{
	(void)arg;
	mmgrab(mm);
	if (!broken())
		mmdrop(mm);
}

#define grabbed_setup one_vma
TWIN_TASKS(grabbed, { "task", grab_mm });
FORMS(grabbed, v10, v10_broken, SHOWS(LEAK));
TWIN(grabbed, "end/a reference to an mm is lost");
