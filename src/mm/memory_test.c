/* SPDX-License-Identifier: MIT */
/* What does a page fault leave behind, and what does fork copy?
 *
 * Covers memory.c, and fault.c as far as it is about which lock a handler is
 * called under.  One task mostly: what others see of it is tested by fork_test.c
 * and the scenarios. */
#include <heddle/errno.h>
#include <heddle/mm.h>
#include <heddle/rmap.h>
#include <heddle/vfio.h>

#include "twins.h"

enum { WRITE = FAULT_FLAG_USER | FAULT_FLAG_WRITE, READ = FAULT_FLAG_USER };

static unsigned long *pte_at(struct mm_struct *of, u32 page)
{
	return &pte_offset(of, PAGE(page))->pte[page % PTRS_PER_PTE];
}

static struct folio *folio_of(struct mm_struct *of, u32 page)
{
	return pte_folio(*pte_at(of, page));
}

static int fault_at(u32 page, unsigned int flags)
{
	return do_user_addr_fault(mm, PAGE(page), flags);
}

/* --- anonymous pages -------------------------------------------------------- */

static void empty_vma(void)
{
	mm_add_vma(mm, PAGE(2), PAGE(4));
}

static void one_page(void)
{
	empty_vma();
	mm_add_page(mm, PAGE(2), 5);
}

static void read_only_page(void)
{
	mm_add_vma_flags(mm, PAGE(2), PAGE(4), RO);
	mm_add_page(mm, PAGE(2), 5);
}

static void first_write(void)
{
	struct folio *folio;

	heddle_assert(!fault_at(2, WRITE));
	folio = folio_of(mm, 2);
	heddle_assert(*pte_at(mm, 2) & _PAGE_RW && !*pte_at(mm, 3));
	heddle_assert(folio_test_uptodate(folio));
	heddle_assert(folio->mapping == at(2)->anon_vma && folio->index == 2);
	heddle_assert(folio_ref_count(folio) == 1 &&
		      !atomic_read(&folio->_mapcount));
}
STEPS(first_write, empty_vma, MM_ANON);

/* The zero page first, then one of its own. */
static void read_then_write(void)
{
	heddle_assert(!fault_at(2, READ) && !folio_of(mm, 2));
	heddle_assert(!(*pte_at(mm, 2) & _PAGE_RW) && !at(2)->anon_vma);
	heddle_assert(!fault_at(2, WRITE) && *pte_at(mm, 2) & _PAGE_RW);
	heddle_assert(!mm_word(mm, PAGE(2)));
	heddle_assert(folio_of(mm, 2)->mapping == at(2)->anon_vma);
}
STEPS(read_then_write, empty_vma, MM_ANON);

/* Who got there although the VMA forbids it, gets no right from it. */
static void forced(void)
{
	heddle_assert(folio_of(mm, 2) && !(*pte_at(mm, 2) & _PAGE_RW));
	heddle_assert(fault_at(2, WRITE) == VM_FAULT_SIGSEGV);
	heddle_assert(!fault_at(2, READ) && !(*pte_at(mm, 2) & _PAGE_RW));
}
STEPS(forced, read_only_page, MM_ANON);

/* A fault that comes too late leaves the page alone, also one that somebody has
 * pinned, which a write to a page that is protected would copy. */
static void too_late(void)
{
	struct folio *folio = folio_of(mm, 2);

	folio_get(folio);
	heddle_assert(!fault_at(2, WRITE) && folio_of(mm, 2) == folio);
	heddle_assert(!fault_at(2, READ) && folio_of(mm, 2) == folio);
	folio_put(folio);
}
STEPS(too_late, one_page, MM_ANON);

/* Under the VMA lock; there is no need for another one if mmap_lock is free. */
static void under_vma_lock(void)
{
	struct vm_area_struct *vma = lock_vma_under_rcu(mm, PAGE(2));

	heddle_assert(vma);
	heddle_assert(!handle_mm_fault(vma, PAGE(2),
				       WRITE | FAULT_FLAG_VMA_LOCK));
	heddle_assert(folio_of(mm, 2));
	vma_end_read(vma);
}
STEPS(under_vma_lock, empty_vma, MM_ANON);
/* It waits for mmap_lock there, which is wrong only if somebody else does not
 * give it back meanwhile. */
#define waits first_write
static const struct steps waits_steps = {
	.form = { V10, .parts = MM_ANON,
		  .without = MM_STEP_ANON_PREPARE_TRIES },
	.prepare = empty_vma, .take = first_write,
};

static const struct heddle_variant anon_variants[] = {
	ALONE("first write", first_write),
	ALONE("read, then write", read_then_write),
	ALONE("the VMA is read-only", forced),
	ALONE("the page is there", too_late),
	ALONE("under the VMA lock", under_vma_lock),
	ALONE("mmap_lock is waited for", waits), { .name = NULL },
};
TWIN_TASKS(anon, { "fault", steps_task });
#define anon_setup steps_setup
TWIN(anon, "memory/anonymous pages");

/* --- up to 6.6: without an anon_vma, under mmap_lock --------------------------------- */

static void needs_anon_vma(void)
{
	struct vm_area_struct *vma;

	heddle_assert(!lock_vma_under_rcu(mm, PAGE(2)));
	heddle_assert(!fault_at(2, WRITE));
	vma = lock_vma_under_rcu(mm, PAGE(2));
	heddle_assert(vma);
	if (vma)
		vma_end_read(vma);
}
#define OLD_STEPS(id, steps_)                                          \
	static const struct steps id##_steps = {                       \
		.form = { GEN1, .parts = MM_ANON, .without = (steps_) }, \
		.prepare = empty_vma, .take = needs_anon_vma,          \
	}
OLD_STEPS(k6_6, MM_STEP_VMF_ANON_PREPARE);
OLD_STEPS(k6_4, MM_STEP_VMF_ANON_PREPARE | MM_STEP_ANON_VMA_CHECK_LOCKED);
static const struct heddle_variant old_variants[] = {
	ALONE("6.5", k6_6), ALONE("6.4", k6_4), { .name = NULL },
};
TWIN_TASKS(old, { "fault", steps_task });
#define old_setup steps_setup
TWIN(old, "memory/no anon_vma, no VMA lock");

/* --- files: which lock, and how often ------------------------------------------------- */

static u32 calls;
static unsigned int seen_flags;
static unsigned long seen_pgoff;
static int answer;

static int file_fault(struct vm_fault *vmf)
{
	struct mm_struct *of = vmf->vma->vm_mm;

	calls++;
	seen_flags = vmf->flags;
	seen_pgoff = vmf->pgoff;
	if (answer == VM_FAULT_RETRY && calls == 1) {
		release_fault_lock(vmf);
		return VM_FAULT_RETRY;
	}
	set_pte(of, pte_alloc(of, vmf->address), vmf->address,
		PAGE_NUMBER(vmf->address, 0));
	if (answer != VM_FAULT_COMPLETED)
		return VM_FAULT_NOPAGE;
	release_fault_lock(vmf);
	return VM_FAULT_COMPLETED;
}

static int map_nothing(struct vm_fault *vmf)
{
	(void)vmf;
	return 0;
}

static const struct vm_operations_struct device_ops = { .fault = file_fault };
static const struct vm_operations_struct file_ops = {
	.fault = file_fault, .map_pages = map_nothing,
};

static void add_file(const struct vm_operations_struct *ops)
{
	struct vm_area_struct *vma;

	calls = 0;
	answer = 0;
	vma = mm_add_vma_file(mm, PAGE(4), PAGE(8), RW | VM_SHARED,
			      mm_new_file(), ops);
	mmap_write_lock(mm);
	vma_start_write(vma);
	vma->vm_pgoff = 10;
	mmap_write_unlock(mm);
}

static void a_file(void)
{
	add_file(&file_ops);
}

static void a_device(void)
{
	add_file(&device_ops);
}

/* A second fault finds the page and does not ask for it. */
static void file_page(void)
{
	heddle_assert(!fault_at(6, READ));
	heddle_assert(calls == 1 && seen_flags & FAULT_FLAG_VMA_LOCK);
	heddle_assert(seen_pgoff == 12);
	heddle_assert(!fault_at(6, READ) && calls == 1);
}
STEPS(file_page, a_file, MM_FILE);

static void device_page(void)
{
	heddle_assert(!fault_at(6, READ));
	heddle_assert(calls == 1 && !(seen_flags & FAULT_FLAG_VMA_LOCK));
}
STEPS(device_page, a_device, MM_FILE);

/* copy_from_user() and the like */
static void kernel_fault(void)
{
	heddle_assert(!fault_at(6, 0));
	heddle_assert(calls == 1 && !(seen_flags & FAULT_FLAG_VMA_LOCK));
}
STEPS(kernel_fault, a_file, MM_FILE);

/* The handler gave the lock back, whichever it was, and is done or is not. */
static void dropped(u32 page, unsigned int flags, int ret, u32 times)
{
	calls = 0;
	answer = ret;
	heddle_assert(!fault_at(page, flags) && calls == times);
	mmap_write_lock(mm); /* nobody has it, nor the VMA's */
	vma_start_write(at(page));
	mmap_write_unlock(mm);
}

static void drops_lock(void)
{
	dropped(4, READ, VM_FAULT_COMPLETED, 1);
	dropped(5, 0, VM_FAULT_COMPLETED, 1);
	dropped(6, READ, VM_FAULT_RETRY, 2);
	heddle_assert(!(seen_flags & FAULT_FLAG_VMA_LOCK));
	dropped(7, 0, VM_FAULT_RETRY, 2);
	heddle_assert(seen_flags & FAULT_FLAG_TRIED);
}
STEPS(drops_lock, a_file, MM_FILE);

static const struct heddle_variant file_variants[] = {
	ALONE("map_pages", file_page), ALONE("no map_pages", device_page),
	ALONE("of the kernel", kernel_fault),
	ALONE("the handler drops the lock", drops_lock), { .name = NULL },
};
TWIN_TASKS(file, { "fault", steps_task });
#define file_setup steps_setup
TWIN(file, "memory/handlers of files");

/* --- fork ----------------------------------------------------------------------------- */

static struct mm_struct *child;

static void fork_it(void)
{
	int err;

	child = dup_mm(mm, &err);
	heddle_assert(child && !err);
}

/* Nobody may write to what both have; who reads does not copy it. */
static void private_page(void)
{
	struct folio *folio = folio_of(mm, 2);

	fork_it();
	heddle_assert(folio_of(child, 2) == folio);
	heddle_assert(folio_ref_count(folio) == 2 &&
		      atomic_read(&folio->_mapcount) == 1);
	heddle_assert(!((*pte_at(mm, 2) | *pte_at(child, 2)) & _PAGE_RW));
	heddle_assert(!*pte_at(child, 3));
	heddle_assert(!fault_at(2, READ) && folio_of(mm, 2) == folio);
	heddle_assert(!(*pte_at(mm, 2) & _PAGE_RW));
	mmput(child);
}
STEPS(private_page, one_page, MM_ANON);

/* The first one to write gets a copy, which is like the page; the other one keeps
 * it, and from then on it is found from its own anon_vma. */
static void both_write(void)
{
	struct folio *folio = folio_of(mm, 2), *copy;

	fork_it();
	heddle_assert(!fault_at(2, WRITE));
	copy = folio_of(mm, 2);
	heddle_assert(copy != folio && folio_test_uptodate(copy));
	heddle_assert(copy->data[0] == 5 && copy->data[1] == 5);
	heddle_assert(folio_ref_count(copy) == 1 && folio_ref_count(folio) == 1);
	heddle_assert(!do_user_addr_fault(child, PAGE(2), WRITE));
	heddle_assert(folio_of(child, 2) == folio);
	heddle_assert(*pte_at(child, 2) & _PAGE_RW);
	mmap_read_lock(child);
	heddle_assert(folio->mapping == vma_lookup(child, PAGE(2))->anon_vma);
	mmap_read_unlock(child);
	mmput(child);
}
STEPS(both_write, one_page, MM_ANON);

/* The zero page: a fault brings it back. */
static void zero_page(void)
{
	heddle_assert(!fault_at(2, READ));
	fork_it();
	heddle_assert(!child->pmd[0]);
	mmput(child);
}
STEPS(zero_page, empty_vma, MM_ANON);

/* So it does with pages that are numbers. */
static void page_number(void)
{
	heddle_assert(!fault_at(2, READ) && mm->pmd[0]);
	fork_it();
	heddle_assert(!child->pmd[0]);
	mmput(child);
}
STEPS(page_number, empty_vma, MM_FILE);

static void device_memory(void)
{
	remap_pfn_range(mm_add_vma_flags(mm, PAGE(2), PAGE(6),
					 RW | VM_SHARED | VM_PFNMAP),
			PAGE(3), 0x77, 2 * PAGE_SIZE);
}

/* No fault brings it back; and both write to it. */
static void device_fork(void)
{
	fork_it();
	heddle_assert(*pte_at(mm, 3) & _PAGE_RW);
	heddle_assert(*pte_at(child, 3) == *pte_at(mm, 3));
	heddle_assert(*pte_at(child, 4) == *pte_at(mm, 4));
	heddle_assert(!*pte_at(child, 2) && !*pte_at(child, 5));
	mmput(child);
}
STEPS(device_fork, device_memory, MM_ANON);

/* A driver that does not want to know about it; the file is held once more. */
static void file_fork(void)
{
	struct file *file = at(4)->vm_file;
	unsigned int count = refcount_read(&file->f_count);

	fork_it();
	heddle_assert(refcount_read(&file->f_count) == count + 1);
	mmput(child);
	heddle_assert(refcount_read(&file->f_count) == count);
}
STEPS(file_fork, a_file, MM_FILE);

static void huge_group(void)
{
	mm_add_vma(mm, PAGE(4), PAGE(8));
	mmap_read_lock(mm);
	heddle_assert(handle_mm_fault(at(4), PAGE(5), FAULT_FLAG_WRITE) ==
		      VM_FAULT_NOPAGE);
	mmap_read_unlock(mm);
}

/* One page by the other, for both. */
static void huge_fork(void)
{
	struct folio *folio;

	fork_it();
	folio = folio_of(mm, 4);
	heddle_assert(folio && folio_of(mm, 7) == folio &&
		      folio_of(child, 4) == folio && folio_of(child, 7) == folio);
	heddle_assert(!((*pte_at(mm, 7) | *pte_at(child, 7)) & _PAGE_RW));
	heddle_assert(folio_ref_count(folio) == 8);
	mmput(child);
}
STEPS(huge_fork, huge_group, MM_ANON | MM_THP);

static const struct heddle_variant fork_variants[] = {
	ALONE("a page", private_page), ALONE("both write", both_write),
	ALONE("the zero page", zero_page), ALONE("a number", page_number),
	ALONE("a device's memory", device_fork), ALONE("a file", file_fork),
	ALONE("a huge page", huge_fork), { .name = NULL },
};
TWIN_TASKS(fork, { "fork", steps_task });
#define fork_setup steps_setup
TWIN(fork, "memory/what fork copies");

/* The copy of the pages fails: the child's VMA is in its tree by then, and its
 * driver has seen it. */
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
	heddle_mark("closed");
}

static const struct vm_operations_struct counting_ops = {
	.open = count_open, .close = count_close, .fault = file_fault,
};

static void opened_device(void)
{
	opened = 0;
	remap_pfn_range(mm_add_vma_file(mm, PAGE(2), PAGE(3),
					RW | VM_SHARED | VM_PFNMAP,
					mm_new_file(), &counting_ops),
			PAGE(2), 0x77, PAGE_SIZE);
}

static void fork_or_not(void)
{
	int err;

	child = dup_mm(mm, &err);
	if (child) {
		heddle_assert(!err && opened == 1);
		heddle_keep(child);
		return;
	}
	heddle_assert(err == -ENOMEM && !opened);
}
STEPS(fork_or_not, opened_device, MM_ANON | MM_FILE);

static const char *const opened_goals[] = { "forked", "closed", NULL };
static const struct heddle_variant opened_variants[] = {
	{ .name = "safe", .data = &fork_or_not_steps, .signals = TWIN_NONE },
	{ .name = NULL },
};
TWIN_TASKS(opened, { "fork", steps_task });
#define opened_setup steps_setup
TWIN(opened, "memory/fork that fails behind open", .goals = opened_goals);

/* --- who holds the page that is copied ------------------------------------------------- */

static void shared_page(void)
{
	int err;

	one_page();
	child = dup_mm(mm, &err);
	heddle_keep(child);
}

static void write_fault(void *arg)
{
	(void)arg;
	heddle_assert(!fault_at(2, WRITE));
}

/* Both mappings go while the fault has the page in hand. */
static void drop_both(void *arg)
{
	(void)arg;
	do_madvise_dontneed(mm, PAGE(2), PAGE(3));
	do_madvise_dontneed(child, PAGE(2), PAGE(3));
}

static const struct steps shared_steps = {
	.form = { V10, .parts = MM_ANON }, .prepare = shared_page,
};
static const char *const copy_goals[] = { "page copied on write", NULL };
static const struct heddle_variant held_variants[] = {
	{ .name = "safe", .data = &shared_steps, .fail = TWIN_NONE,
	  .bound = 2 },
	{ .name = NULL },
};
TWIN_TASKS(held, { "fault", write_fault }, { "madvise", drop_both });
#define held_setup steps_setup
TWIN(held, "memory/copied while it goes", .goals = copy_goals);

/* Somebody without the table's lock has a reference for a moment, as gup-fast
 * does: it is copied, or it was there before or behind; the page is unlocked
 * again. */
static struct folio *pinned;

static void protected_page(void)
{
	one_page();
	pinned = folio_of(mm, 2);
	*pte_at(mm, 2) &= ~_PAGE_RW;
}

static void pin(void *arg)
{
	(void)arg;
	if (!folio_try_get(pinned))
		return;
	folio_lock(pinned); /* it was not left locked */
	heddle_assert(pinned->mapping); /* which nobody changes meanwhile */
	folio_unlock(pinned);
	folio_put(pinned);
}

static const struct steps pin_steps = {
	.form = { V10, .parts = MM_ANON }, .prepare = protected_page,
};
static const char *const pin_goals[] = { "page copied on write", "page reused",
					 NULL };
static const struct heddle_variant pin_variants[] = {
	{ .name = "safe", .data = &pin_steps, .fail = TWIN_NONE },
	{ .name = NULL },
};
TWIN_TASKS(pin, { "fault", write_fault }, { "pin", pin });
#define pin_setup steps_setup
TWIN(pin, "memory/a reference without the lock", .goals = pin_goals);
