/* SPDX-License-Identifier: MIT */
/* Does UFFDIO_MOVE move a page as a whole, or leave everything as it was?
 *
 * Covers userfaultfd_move.c. */
#include <heddle/errno.h>
#include <heddle/rmap.h>
#include <heddle/user_call.h>
#include <heddle/userfaultfd.h>

#include "twins.h"

enum { SRC = 0x3000, DST = 0x4000, END = 0x5000, FAR = 0x8000 };

struct test {
	struct mm_form form;
	bool broken;
};

#define FORM V10, .parts = MM_ANON
static const struct test good = { .form = { FORM } };
static const struct test bad = { .form = { FORM }, .broken = true };

static bool broken(void)
{
	return ((const struct test *)heddle_variant_data())->broken;
}

static struct userfaultfd_ctx *ctx, *other;
static struct vm_area_struct *src, *dst;
static struct folio *page;

/* A page at SRC, one that was only read before it, and none at DST and FAR. */
static void setup(void)
{
	mm = mm_alloc();
	ctx = userfaultfd_new(mm);
	other = userfaultfd_new(mm);
	src = mm_add_vma(mm, SRC - PAGE_SIZE, DST);
	dst = mm_add_vma(mm, DST, END);
	mm_add_vma(mm, FAR, FAR + PAGE_SIZE);
	userfaultfd_register(ctx, dst, VM_UFFD_MISSING);
	page = uffd_add_page(src, SRC);
	pte_alloc(mm, DST);
	mmap_read_lock(mm);
	heddle_assert(!anon_vma_prepare(dst));
	mmap_read_unlock(mm);
}

static unsigned long pte_at(unsigned long addr)
{
	return READ_ONCE(pte_offset(mm, addr)->pte[pte_index(addr)]);
}

static int move(struct userfaultfd_ctx *by, unsigned long to,
		unsigned long from)
{
	return userfaultfd_move(by, to, from, &uffd_move_merged);
}

/* A page lies where the reverse map says, once, and nobody has it locked. */
static bool is_at(const struct folio *folio, const struct vm_area_struct *vma,
		  unsigned long addr)
{
	return folio == (struct folio *)(pte_at(addr) & ~_PAGE_BITS) &&
	       folio->mapping == vma->anon_vma &&
	       folio->index == addr >> PAGE_SHIFT &&
	       folio_ref_count(folio) == 1 && !folio_test_locked(folio);
}

static bool stays(void)
{
	return is_at(page, src, SRC) && !pte_at(DST) &&
	       refcount_read(&src->vm_refcnt) == 1 &&
	       refcount_read(&dst->vm_refcnt) == 1;
}

/* --- what is refused ------------------------------------------------------------ */

/* What user space did to the VMAs is the reason. */
static void refuse_flags(void)
{
	user_cause(mm, -EINVAL, true);
	heddle_assert(move(ctx, DST, SRC) == -EINVAL && stays());
	user_cause(mm, -EINVAL, false);
}

static void set_src_flags(vm_flags_t flags)
{
	mmap_write_lock(mm);
	vma_start_write(src);
	src->vm_flags = flags;
	mmap_write_unlock(mm);
}

static void refuse_read_only(unsigned long start, unsigned long end)
{
	heddle_assert(!do_mprotect(mm, start, end, RO));
	refuse_flags();
	heddle_assert(!do_mprotect(mm, start, end, RW));
}

static void refuse(void *arg)
{
	(void)arg;
	set_src_flags(broken() ? RW : RW | VM_LOCKED);
	refuse_flags();
	set_src_flags(RW);
	refuse_read_only(DST, END);
	refuse_read_only(SRC - PAGE_SIZE, END);
	heddle_assert(move(other, DST, SRC) == -EINVAL && stays());
	heddle_assert(move(ctx, DST, FAR) == -ENOENT && stays());
	heddle_assert(!do_user_addr_fault(mm, SRC - PAGE_SIZE,
					  FAULT_FLAG_USER));
	heddle_assert(move(ctx, DST, SRC - PAGE_SIZE) == -EBUSY && stays());
}

#define QUIET .fail = TWIN_NONE, .signals = TWIN_NONE
#define refused_setup setup
TWIN_TASKS(refused, { "task", refuse });
static const struct heddle_variant refused_variants[] = {
	{ .name = "safe", .data = &good, QUIET },
	{ .name = "broken", .data = &bad, QUIET,
	  .expect = { SHOWS(ASSERT) } },
	{ .name = NULL },
};
TWIN(refused, "uffd move/refused");

/* --- within one page table ------------------------------------------------------- */

static void one_table(void)
{
	mm = mm_alloc();
	ctx = userfaultfd_new(mm);
	src = dst = mm_add_vma(mm, SRC - PAGE_SIZE, DST);
	userfaultfd_register(ctx, dst, VM_UFFD_MISSING);
	page = uffd_add_page(src, SRC);
}

static void move_down(void *arg)
{
	unsigned long to = broken() ? SRC : SRC - PAGE_SIZE;

	(void)arg;
	heddle_assert(!move(ctx, to, SRC));
	heddle_assert(is_at(page, dst, to) && !pte_at(SRC));
	heddle_assert(refcount_read(&dst->vm_refcnt) == 1);
}

#define near_setup one_table
TWIN_TASKS(near, { "move", move_down });
FORMS(near, good, bad, SHOWS(ASSERT));
TWIN(near, "uffd move/within one page table");

/* --- whoever holds a lock of the page's ------------------------------------------ */

static void move_it(void *arg)
{
	int err = move(ctx, DST, SRC);

	(void)arg;
	heddle_assert(!err || err == -EAGAIN);
	if (err)
		heddle_mark("mm is changing");
	else
		heddle_mark("moved");
}

/* It stays where it is meanwhile. */
static void look_twice(void)
{
	unsigned long index = page->index;
	void *mapping = page->mapping;

	heddle_assert((index == SRC >> PAGE_SHIFT) == !pte_at(DST));
	heddle_assert(page->index == index && page->mapping == mapping);
}

static void lock_folio(void *arg)
{
	(void)arg;
	if (!broken())
		folio_lock(page);
	look_twice();
	if (!broken())
		folio_unlock(page);
}

static void lock_anon_vma(void *arg)
{
	struct anon_vma *av = src->anon_vma;

	(void)arg;
	if (!broken())
		anon_vma_lock_read(av);
	look_twice();
	if (!broken())
		anon_vma_unlock_read(av);
}

static void moved_check(void)
{
	struct folio *folio = (struct folio *)(pte_at(DST) & ~_PAGE_BITS);

	heddle_assert(is_at(folio, dst, DST) && !pte_at(SRC));
}

static const char *const folio_goals[] = { "moved", "waits for the folio",
					   NULL };
#define locked_setup setup
TWIN_TASKS(locked, { "holder", lock_folio }, { "move", move_it });
static const struct heddle_variant locked_variants[] = {
	{ .name = "safe", .data = &good, .goals = folio_goals },
	{ .name = "broken", .data = &bad,
	  .expect = { SHOWS(ASSERT), SHOWS(DATA_RACE) } },
	{ .name = NULL },
};
TWIN(locked, "uffd move/the folio is locked", .check = moved_check);

static const char *const rmap_goals[] = { "moved", "waits for the anon_vma",
					  NULL };
#define walked_setup setup
TWIN_TASKS(walked, { "walk", lock_anon_vma }, { "move", move_it });
static const struct heddle_variant walked_variants[] = {
	{ .name = "safe", .data = &good, .goals = rmap_goals },
	{ .name = "broken", .data = &bad,
	  .expect = { SHOWS(ASSERT), SHOWS(DATA_RACE) } },
	{ .name = NULL },
};
TWIN(walked, "uffd move/its reverse map is walked", .check = moved_check);

/* Who begins a walk holds nothing yet: what he reads is whole, and is marked. */
static void begin_walk(void *arg)
{
	struct anon_vma *av;

	(void)arg;
	if (broken()) {
		heddle_assert(page->mapping);
		return;
	}
	av = folio_get_anon_vma(page);
	heddle_assert(av == src->anon_vma || av == dst->anon_vma);
	put_anon_vma(av);
}

#define begun_setup setup
TWIN_TASKS(begun, { "walk", begin_walk }, { "move", move_it });
FORMS(begun, good, bad, SHOWS(DATA_RACE));
TWIN(begun, "uffd move/a walk begins", .check = moved_check);

/* --- another page by then --------------------------------------------------------- */

/* Its contents go, and it is written to anew. */
static void replace(void *arg)
{
	(void)arg;
	heddle_assert(!do_madvise_dontneed(mm, SRC, DST));
	heddle_assert(!do_user_addr_fault(mm, SRC,
					  FAULT_FLAG_USER | FAULT_FLAG_WRITE));
}

static void hold_folio(void *arg)
{
	(void)arg;
	folio_lock(page);
	folio_unlock(page);
	folio_put(page);
}

/* Found before it was replaced, moved, or between the two: none there. */
static void move_one(void *arg)
{
	int err = move(ctx, DST, SRC);

	(void)arg;
	heddle_assert(!err || err == -ENOENT);
}

static void placed(void)
{
	struct folio *folio;

	if (!pte_at(DST))
		return;
	folio = (struct folio *)(pte_at(DST) & ~_PAGE_BITS);
	heddle_assert(is_at(folio, dst, DST));
}

static const char *const replaced_goals[] = { "waits for the folio",
					      "page moved", NULL };
static void held_page(void)
{
	setup();
	folio_get(page); /* the holder's */
}
#define replaced_setup held_page
TWIN_TASKS(replaced, { "holder", hold_folio }, { "user", replace },
	   { "move", move_one });
static const struct heddle_variant replaced_variants[] = {
	{ .name = "safe", .data = &good, QUIET, .bound = 2,
	  .goals = replaced_goals },
	{ .name = NULL },
};
TWIN(replaced, "uffd move/another page by then", .check = placed);

/* --- events ------------------------------------------------------------------------ */

static void event(void *arg)
{
	unsigned long to, from;

	(void)arg;
	if (!broken())
		userfaultfd_event_begin(ctx);
	to = pte_at(DST);
	from = pte_at(SRC);
	heddle_assert(pte_at(DST) == to && pte_at(SRC) == from);
	if (!broken())
		userfaultfd_event_end(ctx);
}

static const char *const event_goals[] = { "moved", "mm is changing", NULL };
#define event_setup setup
TWIN_TASKS(event, { "event", event }, { "move", move_it });
static const struct heddle_variant event_variants[] = {
	{ .name = "safe", .data = &good, .goals = event_goals },
	{ .name = "broken", .data = &bad, .expect = { SHOWS(ASSERT) } },
	{ .name = NULL },
};
TWIN(event, "uffd move/events");
