/* SPDX-License-Identifier: MIT */
/* Is each wait for the readers of a VMA broken off by a fatal signal, and does
 * the call say so?
 *
 * Covers the early locks (7.1) of vma_merge.c, vma_modify.c, mprotect.c,
 * munmap.c and mremap.c.  Every twin has one reader, in one of the VMAs that the
 * call has to lock; what an interrupted call leaves is check_restored.c's. */
#include <heddle/mm.h>

#include "twins.h"

#define KILLABLE { .lock = &vma_lock_7_0, .lock_offset = 0x40000000, \
		   .killable = true }

struct killed {
	struct mm_form form;
	struct area before[4];
	int (*make)(void);
	u8 page;      /* the reader's */
	bool mmap_lock; /* which it has instead of the VMA's */
};

static const struct killed *the_case(void)
{
	return heddle_variant_data();
}

static void killed_setup(void)
{
	mm = mm_alloc();
	add_areas(mm, the_case()->before);
}

static void writer(void *arg)
{
	int err = the_case()->make();

	(void)arg;
	heddle_assert(!err || err == -EINTR);
	if (err)
		heddle_mark("call killed");
	else
		heddle_mark("call done");
}

static void reader(void *arg)
{
	struct vm_area_struct *vma;

	(void)arg;
	if (the_case()->mmap_lock) {
		mmap_read_lock(mm);
		mmap_read_unlock(mm);
		return;
	}
	vma = lock_vma_under_rcu(mm, PAGE(the_case()->page));
	if (vma)
		vma_end_read(vma);
}

static int protect(void)
{
	return do_mprotect(mm, PAGE(2), PAGE(4), VM_READ);
}

static int map(void)
{
	return do_mmap(mm, PAGE(2), PAGE(4), RW, NULL, 2);
}

static int unmap(void)
{
	return do_munmap(mm, PAGE(2), PAGE(4));
}

static int move(void)
{
	return do_mremap(mm, PAGE(2), PAGE(2), PAGE(2), PAGE(8), MREMAP_FIXED);
}

static int shrink(void)
{
	int err;

	mmap_write_lock(mm);
	err = vma_shrink(at(2), PAGE(2), PAGE(3));
	mmap_write_unlock(mm);
	return err;
}

#define KILLED(id, fn, at, ...)                                        \
	static const struct killed id = { .form = KILLABLE,            \
					  .make = fn, .page = at, __VA_ARGS__ }
#define HEAD .before = { { 0, 2, 0, RO }, { 2, 6, 0, RW } }
#define ALL .before = { { 0, 2, 0, RO }, { 2, 4, 0, RW }, { 4, 6, 0, RO } }
#define ONE_VMA .before = { { 2, 4, 0, RW } }
#define GAP .before = { { 0, 2, 0, RW }, { 4, 6, 0, RW } }
KILLED(gives_way, protect, 4, HEAD);
KILLED(grows, protect, 0, HEAD);
KILLED(target, protect, 0, ALL);
KILLED(swallowed, protect, 2, ALL);
KILLED(swallowed_next, protect, 4, ALL);
KILLED(alone, protect, 2, ONE_VMA);
KILLED(splits, protect, 2, .before = { { 0, 6, 0, RW } });
KILLED(expands, map, 0, .before = { { 0, 2, 0, RW } });
KILLED(expands_over, map, 0, GAP);
KILLED(expands_over_next, map, 4, GAP);
KILLED(shrinks, shrink, 2, ONE_VMA);
KILLED(unmapped, unmap, 2, ONE_VMA);
KILLED(moved, move, 2, ONE_VMA);
KILLED(moved_over, move, 8, .before = { { 2, 4, 0, RW }, { 8, 10, 0, RO } });
KILLED(waits, move, 2, ONE_VMA, .mmap_lock = true);

#define CASE(text, id)                                                 \
	{ .name = (text), .data = &(id), .fail = TWIN_NONE, .signals = 1, \
	  .bound = 2 }
static const char *const goals[] = { "call killed", "call done", NULL };
TWIN_TASKS(killed, { "writer", writer }, { "reader", reader });
static const struct heddle_variant killed_variants[] = {
	CASE("merge, the VMA that gives way", gives_way),
	CASE("merge, the one that grows", grows),
	CASE("case 6, prev", target), CASE("case 6, vma", swallowed),
	CASE("case 6, next", swallowed_next),
	CASE("mprotect of a whole VMA", alone),
	CASE("split", splits), CASE("expand", expands),
	CASE("expand over next", expands_over),
	CASE("expand over next, that one", expands_over_next),
	CASE("shrink", shrinks), CASE("munmap", unmapped),
	CASE("mremap", moved), CASE("mremap, the new place", moved_over),
	CASE("mremap, mmap_lock", waits),
	{ .name = NULL },
};
TWIN(killed, "killed/while it waits", .goals = goals);
