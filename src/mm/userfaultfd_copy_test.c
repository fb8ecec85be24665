/* SPDX-License-Identifier: MIT */
/* Does UFFDIO_COPY fill a page as a whole or not at all, and what does
 * UFFDIO_WRITEPROTECT leave of one?
 *
 * Covers userfaultfd_copy.c and userfaultfd_wp.c. */
#include <heddle/errno.h>
#include <heddle/uaccess.h>
#include <heddle/userfaultfd.h>

#include "twins.h"

enum { SRC = 0x3000, DST = 0x4000, END = 0x5000, FAR = 0x8000 };

struct test {
	struct mm_form form;
	bool broken;
};

static const struct test good = { .form = { V10, .parts = MM_ANON } };
static const struct test bad = { .form = { V10, .parts = MM_ANON },
				 .broken = true };
static const struct test tlb = { .form = { V10, .parts = MM_ANON | MM_TLB } };

static bool broken(void)
{
	return ((const struct test *)heddle_variant_data())->broken;
}

static struct userfaultfd_ctx *ctx;
static struct vm_area_struct *dst;

/* No page is there yet. */
static void setup(void)
{
	mm = mm_alloc();
	ctx = userfaultfd_new(mm);
	mm_add_vma(mm, SRC, DST);
	dst = mm_add_vma(mm, DST, END);
	userfaultfd_register(ctx, dst, VM_UFFD_MISSING | VM_UFFD_WP);
	pte_alloc(mm, SRC);
	pte_alloc(mm, DST);
}

static unsigned long pte_at(unsigned long addr)
{
	return READ_ONCE(pte_offset(mm, addr)->pte[pte_index(addr)]);
}

/* A call has given everything back. */
static bool at_rest(void)
{
	return !pagefault_disabled() && refcount_read(&dst->vm_refcnt) == 1 &&
	       !rwsem_is_locked(&ctx->map_changing_lock);
}

/* --- copy ------------------------------------------------------------------------ */

/* The caller's page is not there: its fault fills it, and then there is one at
 * DST.  An allocation that fails is the only error. */
static void copy_absent(void *arg)
{
	int err = userfaultfd_copy(ctx, DST, mm, broken() ? FAR : SRC);
	const struct folio *folio;

	(void)arg;
	heddle_assert(at_rest());
	if (err) {
		heddle_assert(err == -ENOMEM || err == -EFAULT);
		heddle_assert(!pte_at(DST));
		heddle_mark("no memory");
		return;
	}
	folio = (struct folio *)(pte_at(DST) & ~_PAGE_BITS);
	heddle_assert(pte_at(SRC));
	heddle_assert(folio_test_uptodate(folio) && !folio->data[0]);
	heddle_assert(folio_ref_count(folio) == 1);
	heddle_mark("copied");
}

static const char *const absent_goals[] = { "no memory", "copied",
					    "retry with a page filled", NULL };
#define absent_setup setup
TWIN_TASKS(absent, { "copy", copy_absent });
static const struct heddle_variant absent_variants[] = {
	{ .name = "safe", .data = &good, .goals = absent_goals },
	{ .name = NULL },
};
TWIN(absent, "uffd copy/a page that is not there");

/* Nothing to copy, something to copy, and something is there already. */
static void copy_nothing(void *arg)
{
	(void)arg;
	heddle_assert(userfaultfd_copy(ctx, DST, mm, broken() ? SRC : FAR) ==
		      -EFAULT);
	heddle_assert(!pte_at(DST) && at_rest());
	heddle_assert(!userfaultfd_copy(ctx, DST, mm, SRC) && at_rest());
	heddle_assert(userfaultfd_copy(ctx, DST, mm, SRC) == -EEXIST);
	heddle_assert(at_rest());
	heddle_assert(userfaultfd_copy(ctx, SRC, mm, SRC) == -ENOENT);
	heddle_assert(at_rest());
}

#define nothing_setup setup
TWIN_TASKS(nothing, { "copy", copy_nothing });
static const struct heddle_variant nothing_variants[] = {
	{ .name = "safe", .data = &good, .fail = TWIN_NONE },
	{ .name = "broken", .data = &bad, .fail = TWIN_NONE,
	  .expect = { SHOWS(ASSERT) } },
	{ .name = NULL },
};
TWIN(nothing, "uffd copy/from nowhere, to where a page is");

/* Who sees it in the page table sees a page that is filled. */
static void copy(void *arg)
{
	(void)arg;
	userfaultfd_copy(ctx, DST, mm, SRC);
}

static void see(void *arg)
{
	unsigned long pte = pte_at(DST);
	const struct folio *folio = (struct folio *)(pte & ~_PAGE_BITS);

	(void)arg;
	if (!pte)
		return;
	heddle_mark("sees it");
	heddle_assert(folio && folio_test_uptodate(folio));
}

static const char *const seen_goals[] = { "sees it", NULL };
#define seen_setup setup
TWIN_TASKS(seen, { "copy", copy }, { "walk", see });
static const struct heddle_variant seen_variants[] = {
	{ .name = "safe", .data = &good, .goals = seen_goals },
	{ .name = NULL },
};
TWIN(seen, "uffd copy/a page is filled before it is seen");

/* --- write-protect ----------------------------------------------------------------- */

static void protect_each(void *arg)
{
	struct vm_area_struct *far = mm_add_vma(mm, FAR, FAR + PAGE_SIZE);

	(void)arg;
	userfaultfd_register(ctx, far, VM_UFFD_WP);
	heddle_assert(!userfaultfd_writeprotect(ctx, FAR)); /* no table */
	heddle_assert(!userfaultfd_writeprotect(ctx, DST));
	heddle_assert(!pte_at(DST));
	heddle_assert(userfaultfd_writeprotect(ctx, SRC) == -ENOENT);
	heddle_assert(userfaultfd_writeprotect(ctx, END) == -ENOENT);
}

#define each_setup setup
TWIN_TASKS(each, { "task", protect_each });
static const struct heddle_variant each_variants[] = {
	{ .name = "safe", .data = &good },
	{ .name = NULL },
};
TWIN(each, "uffd wp/where nothing is to protect");

/* Nothing changes in an event. */
static void page_at_dst(void)
{
	setup();
	uffd_add_page(dst, DST);
}

static void event(void *arg)
{
	unsigned long before;

	(void)arg;
	if (!broken())
		userfaultfd_event_begin(ctx);
	mmap_write_lock(mm); /* an event of munmap, mremap or fork */
	before = pte_at(DST);
	mmap_write_unlock(mm);
	heddle_assert(pte_at(DST) == before);
	if (!broken())
		userfaultfd_event_end(ctx);
}

static void protect(void *arg)
{
	int err = userfaultfd_writeprotect(ctx, DST);

	(void)arg;
	heddle_assert(!err || err == -EAGAIN);
	if (err)
		heddle_mark("mm is changing");
}

static const char *const event_goals[] = { "mm is changing",
					   "page write-protected", NULL };
#define event_setup page_at_dst
TWIN_TASKS(event, { "event", event }, { "monitor", protect });
static const struct heddle_variant event_variants[] = {
	{ .name = "safe", .data = &good, .goals = event_goals },
	{ .name = "broken", .data = &bad, .expect = { SHOWS(ASSERT) } },
	{ .name = NULL },
};
TWIN(event, "uffd wp/events");

/* No CPU writes to it any more once the call has returned. */
static void hot_page(void)
{
	page_at_dst();
	mm_load_tlb(1, mm, DST);
}

static void load(void *arg)
{
	unsigned long word;

	(void)arg;
	heddle_assert(user_load(mm, DST, &word) && word == DST);
}

#define hot_setup hot_page
TWIN_TASKS(hot, { "monitor", protect }, { "user", load });
static const struct heddle_variant hot_variants[] = {
	{ .name = "safe", .data = &tlb },
	{ .name = NULL },
};
TWIN(hot, "uffd wp/TLBs");
