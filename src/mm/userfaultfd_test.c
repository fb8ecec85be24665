/* SPDX-License-Identifier: MIT */
/* Does userfaultfd fill and move pages, with errors that have a reason?
 *
 * Covers userfaultfd.c, userfaultfd_copy.c, userfaultfd_move.c, userfaultfd_wp.c
 * and uaccess.c. */
#include <heddle/errno.h>
#include <heddle/uaccess.h>
#include <heddle/userfaultfd.h>

#include "../base/twin.h"

enum { SRC = 0x3000, DST = 0x4000, END = 0x5000 };

struct test {
	struct mm_form form;
	bool broken;
};

#define GEN3 .lock = &vma_lock_v10, .lock_offset = 0x40000000, \
	     .parts = MM_ANON
static const struct test good = { .form = { GEN3 } };
static const struct test bad = { .form = { GEN3 }, .broken = true };

static bool broken(void)
{
	return ((const struct test *)heddle_variant_data())->broken;
}

#define FORMS(id, safe, bad, ...)                                      \
	static const struct heddle_variant id##_variants[] = {         \
		{ .name = "safe", .data = &(safe) },                   \
		{ .name = "broken", .data = &(bad),                    \
		  .expect = { __VA_ARGS__ } },                         \
		{ .name = NULL },                                      \
	}

static struct mm_struct *mm;
static struct vm_area_struct *dst_vma;
static struct userfaultfd_ctx *ctx;

static void setup(void)
{
	struct vm_area_struct *src_vma;

	mm = mm_alloc();
	ctx = userfaultfd_new(mm);
	src_vma = mm_add_vma(mm, SRC, DST);
	dst_vma = mm_add_vma_flags(mm, DST, END,
				   VM_READ | VM_WRITE | VM_NOHUGEPAGE);
	userfaultfd_register(ctx, dst_vma, VM_UFFD_MISSING);
	pte_alloc(mm, DST);
	uffd_add_page(src_vma, SRC);
}

static unsigned long pte_at(unsigned long addr)
{
	struct page_table *table = pte_offset(mm, addr);

	return table ? READ_ONCE(table->pte[pte_index(addr)]) : 0;
}

static struct folio *folio_at(unsigned long addr)
{
	return (struct folio *)(pte_at(addr) & ~_PAGE_BITS);
}

/* --- copy ----------------------------------------------------------------------- */

static void copy(void *arg)
{
	int err = userfaultfd_copy(ctx, DST, mm, SRC);

	(void)arg;
	if (err == -EEXIST)
		heddle_mark("the other one was first");
	if (err == -ENOENT)
		heddle_mark("no VMA");
	if (err == -EAGAIN)
		heddle_mark("mm is changing");
	if (err == -ENOMEM)
		heddle_mark("no memory");
	heddle_assert(err != -EFAULT && err != -EINVAL);
}

static void copied_check(void)
{
	heddle_assert(!pte_at(DST) || folio_at(DST)->data[0] == SRC);
}

static const char *const twice_goals[] = { "page installed",
					   "the other one was first", "no memory",
					   NULL };
static const struct heddle_variant twice_variants[] = {
	{ .name = "safe", .data = &good, .bound = 3 },
	{ .name = NULL },
};
#define twice_setup setup
TWIN_TASKS(twice, { "copy1", copy }, { "copy2", copy });
TWIN(twice, "uffd/two copies", .goals = twice_goals, .check = copied_check);

static void unmap_dst(void *arg)
{
	(void)arg;
	do_munmap(mm, DST, END);
}

static const char *const unmapped_goals[] = { "page installed", "no VMA",
					      NULL };
static const struct heddle_variant unmapped_variants[] = {
	{ .name = "safe", .data = &good },
	{ .name = NULL },
};
#define unmapped_setup setup
TWIN_TASKS(unmapped, { "munmap", unmap_dst }, { "copy", copy });
TWIN(unmapped, "uffd/copy and munmap", .goals = unmapped_goals,
     .check = copied_check);

/* --- events ------------------------------------------------------------------------ */

/* What happens to mm must not be mixed with what a call does. */
static void event(void *arg)
{
	unsigned long before;

	(void)arg;
	if (!broken())
		userfaultfd_event_begin(ctx);
	before = pte_at(DST);
	heddle_mark("event under way");
	heddle_assert(pte_at(DST) == before);
	if (!broken())
		userfaultfd_event_end(ctx);
}

static const char *const event_goals[] = { "mm is changing", "page installed",
					   NULL };
static const struct heddle_variant event_variants[] = {
	{ .name = "safe", .data = &good, .goals = event_goals },
	{ .name = "broken", .data = &bad,
	  .expect = { SHOWS(ASSERT) } },
	{ .name = NULL },
};
#define event_setup setup
TWIN_TASKS(event, { "event", event }, { "copy", copy });
TWIN(event, "uffd/events");

/* --- move ------------------------------------------------------------------------- */

static void move(void *arg)
{
	int err = userfaultfd_move(ctx, DST, SRC, &uffd_move_merged);

	(void)arg;
	heddle_assert(!err || err == -EEXIST || err == -ENOENT);
	if (!err)
		heddle_mark("moved");
	if (err == -EEXIST)
		heddle_mark("dst is taken");
}

static void moved_check(void)
{
	struct folio *folio = folio_at(DST);

	heddle_assert(folio && !pte_at(SRC) &&
		      folio->mapping == dst_vma->anon_vma &&
		      folio->index == DST >> PAGE_SHIFT);
}

static const char *const moved_goals[] = { "moved", NULL };
static const struct heddle_variant moved_variants[] = {
	{ .name = "safe", .data = &good, .goals = moved_goals },
	{ .name = NULL },
};
#define moved_setup setup
TWIN_TASKS(moved, { "move", move });
TWIN(moved, "uffd/move", .check = moved_check);

static void fault_dst(void *arg)
{
	(void)arg;
	do_user_addr_fault(mm, DST, FAULT_FLAG_USER | FAULT_FLAG_WRITE);
}

static const char *const taken_goals[] = { "moved", "dst is taken", NULL };
static const struct heddle_variant taken_variants[] = {
	{ .name = "safe", .data = &good, .goals = taken_goals },
	{ .name = NULL },
};
#define taken_setup setup
TWIN_TASKS(taken, { "fault", fault_dst }, { "move", move });
TWIN(taken, "uffd/move and fault");

/* A page that is moved without the VMA lock. */
static int no_lock(struct mm_struct *mm, unsigned long dst_start,
		   unsigned long src_start, struct vm_area_struct **dst_vmap,
		   struct vm_area_struct **src_vmap)
{
	int err;

	mmap_read_lock(mm);
	err = find_vmas_mm_locked(mm, dst_start, src_start, dst_vmap, src_vmap);
	mmap_read_unlock(mm);
	return err;
}

static void no_unlock(struct vm_area_struct *dst_vma,
		      struct vm_area_struct *src_vma)
{
	(void)dst_vma;
	(void)src_vma;
}

static const struct uffd_move_locking none = { no_lock, no_unlock };

static void move_unlocked(void *arg)
{
	(void)arg;
	userfaultfd_move(ctx, DST, SRC, broken() ? &none : &uffd_move_merged);
}

static void protect(void *arg)
{
	(void)arg;
	do_mprotect(mm, SRC, END, VM_READ);
}

#define unlocked_setup setup
TWIN_TASKS(unlocked, { "mprotect", protect }, { "move", move_unlocked });
FORMS(unlocked, good, bad, SHOWS(DATA_RACE), SHOWS(SPURIOUS_ERROR));
TWIN(unlocked, "uffd/move and mprotect");

/* --- write-protect ------------------------------------------------------------------- */

static void wp(void *arg)
{
	int err = userfaultfd_writeprotect(ctx, DST);

	(void)arg;
	heddle_assert(err == -ENOENT); /* not registered for that */
	mmap_write_lock(mm);
	vma_start_write(dst_vma);
	dst_vma->vm_flags |= VM_UFFD_WP;
	mmap_write_unlock(mm);
	uffd_add_page(dst_vma, DST);
	heddle_assert(!userfaultfd_writeprotect(ctx, DST));
	heddle_assert((pte_at(DST) & (_PAGE_RW | _PAGE_UFFD_WP)) ==
		      _PAGE_UFFD_WP);
	mmput(mm);
	heddle_assert(userfaultfd_writeprotect(ctx, DST) == -ESRCH);
}

static void grabbed_setup(void)
{
	setup();
	mmgrab(mm);
}

static const struct heddle_variant wp_variants[] = {
	{ .name = "safe", .data = &good },
	{ .name = NULL },
};
#define wp_setup grabbed_setup
TWIN_TASKS(wp, { "monitor", wp });
TWIN(wp, "uffd/write-protect");

/* --- faults in the kernel ------------------------------------------------------------ */

static void no_page_setup(void)
{
	mm = mm_alloc();
	mm_add_vma(mm, SRC, DST);
	pte_alloc(mm, SRC);
}

static void read_user(void *arg)
{
	unsigned long word;

	(void)arg;
	pagefault_disable();
	heddle_assert(copy_from_user(&word, mm, SRC) == PAGE_SIZE);
	pagefault_enable();
	heddle_assert(!copy_from_user(&word, mm, SRC));
	heddle_assert(!word && pte_at(SRC)); /* the zero page */
	heddle_assert(copy_from_user(&word, mm, DST) == PAGE_SIZE);
	return_to_user();
}

static const struct heddle_variant faulting_variants[] = {
	{ .name = "safe", .data = &good },
	{ .name = NULL },
};
#define faulting_setup no_page_setup
TWIN_TASKS(faulting, { "reader", read_user });
TWIN(faulting, "uaccess/disabled, enabled, no VMA");

/* Under mmap_lock: whether the page is there or not. */
static void read_locked(void *arg)
{
	unsigned long word;

	(void)arg;
	mmap_read_lock(mm);
	if (!broken())
		pagefault_disable();
	heddle_assert(!copy_from_user(&word, mm, SRC));
	if (!broken())
		pagefault_enable();
	mmap_read_unlock(mm);
}

#define locked_setup setup
TWIN_TASKS(locked, { "reader", read_locked });
FORMS(locked, good, bad, SHOWS(RECURSIVE));
TWIN(locked, "uaccess/might_fault");
