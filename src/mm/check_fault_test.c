/* SPDX-License-Identifier: MIT */
/* Does check_fault.c tell a page fault that did its work, or had a reason not to,
 * from one that says so?
 *
 * A careful fault looks at what it says under mmap_lock. */
#include <heddle/mm.h>
#include <heddle/user_call.h>

#include "twins.h"

enum { A = 0x2000, B = 0x3000 };

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
TEST(anon, V10, .parts = MM_ANON);
TEST(filed, V10, .parts = MM_FILE);

static bool broken(void)
{
	return ((const struct test *)heddle_variant_data())->broken;
}

static void one_vma(void)
{
	mm = mm_alloc();
	mm_add_vma(mm, A, B);
}

static void unmap(void *arg)
{
	(void)arg;
	do_munmap(mm, A, B);
}

/* --- a handler that forgets its work ---------------------------------------------- */

static int forgetful(struct vm_fault *vmf)
{
	struct page_table *table = pte_alloc(vmf->vma->vm_mm, vmf->address);

	if (!broken())
		set_pte(vmf->vma->vm_mm, table, vmf->address, 7);
	return VM_FAULT_NOPAGE;
}

static const struct vm_operations_struct ops = { .fault = forgetful };

static void with_ops(void)
{
	mm = mm_alloc();
	mm_add_vma_file(mm, A, B, RW, NULL, &ops);
}

static void fault(void *arg)
{
	(void)arg;
	if (do_user_addr_fault(mm, A, FAULT_FLAG_USER))
		heddle_mark("fault fails");
	else
		heddle_mark("fault succeeds");
}

static const char *const both[] = { "fault fails", "fault succeeds", NULL };
static const char *const succeeds[] = { "fault succeeds", NULL };

#define handler_setup with_ops
TWIN_TASKS(handler, { "munmap", unmap }, { "fault", fault });
FORMS(handler, filed, filed_broken, SHOWS(SPURIOUS_SUCCESS));
TWIN(handler, "fault/a handler maps nothing", .goals = both);

/* What was mapped may go again, and be a whole group. */
static void dontneed(void *arg)
{
	(void)arg;
	if (do_madvise_dontneed(mm, A, B))
		heddle_mark("madvise fails");
}

#define zapped_setup one_vma
TWIN_TASKS(zapped, { "madvise", dontneed }, { "fault", fault });
SAFE_FORM(zapped, v10);
TWIN(zapped, "fault/the page goes again", .goals = succeeds);

static void huge_setup(void)
{
	mm = mm_alloc();
	mm_add_vma(mm, PMD_SIZE, 2 * PMD_SIZE);
}

static void huge_fault(void *arg)
{
	(void)arg;
	heddle_assert(!do_user_addr_fault(mm, PMD_SIZE + PAGE_SIZE,
					  FAULT_FLAG_USER));
	heddle_mark("fault succeeds");
}

static const struct test thp = { .form = { V10, .parts = MM_THP } };
TWIN_TASKS(huge, { "fault1", huge_fault }, { "fault2", huge_fault });
SAFE_FORM(huge, thp);
TWIN(huge, "fault/the whole group is mapped", .goals = succeeds);

/* --- rights ------------------------------------------------------------------------ */

/* A write under mmap_lock; broken: does not ask. */
static void write_fault(void *arg)
{
	struct vm_area_struct *vma;
	int err = 0;

	(void)arg;
	user_fault_begin(mm, A, FAULT_FLAG_WRITE);
	mmap_read_lock(mm);
	vma = vma_lookup(mm, A);
	if (broken() || vma->vm_flags & VM_WRITE)
		err = handle_mm_fault(vma, A, FAULT_FLAG_WRITE);
	else
		err = VM_FAULT_SIGSEGV;
	mmap_read_unlock(mm);
	user_fault_end(err);
	if (err)
		heddle_mark("fault fails");
	else
		heddle_mark("fault succeeds");
}

static void read_only(void)
{
	mm = mm_alloc();
	mm_add_vma_flags(mm, A, B, RO);
}

static void make_writable(void *arg)
{
	(void)arg;
	if (do_mprotect(mm, A, B, RW))
		heddle_mark("mprotect fails");
}

#define rights_setup read_only
TWIN_TASKS(rights, { "mprotect", make_writable }, { "fault", write_fault });
FORMS(rights, anon, anon_broken, SHOWS(SPURIOUS_SUCCESS));
TWIN(rights, "fault/a write to what is read-only", .goals = both);

/* --- no reason to fail ------------------------------------------------------------- */

static void hasty_fault(void *arg)
{
	int err = 0;

	(void)arg;
	user_fault_begin(mm, A, 0);
	if (!mmap_read_trylock(mm)) {
		if (broken()) {
			user_fault_end(VM_FAULT_SIGSEGV);
			return;
		}
		mmap_read_lock(mm);
	}
	err = handle_mm_fault(vma_lookup(mm, A), A, 0);
	mmap_read_unlock(mm);
	user_fault_end(err);
	heddle_mark("fault succeeds");
}

static void store_again(void *arg)
{
	(void)arg;
	mmap_write_lock(mm);
	mas_store(mm, vma_lookup(mm, A));
	mmap_write_unlock(mm);
}

#define hasty_setup one_vma
TWIN_TASKS(hasty, { "writer", store_again }, { "fault", hasty_fault });
FORMS(hasty, v10, v10_broken, SHOWS(SPURIOUS_ERROR));
TWIN(hasty, "fault/SIGSEGV because a lock is busy", .goals = succeeds);
