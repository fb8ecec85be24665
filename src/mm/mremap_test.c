/* SPDX-License-Identifier: MIT */
/* mremap(2): what is where afterwards, whom the pages belong to, and what a
 * failure leaves.
 *
 * Covers mremap.c. */
#include <heddle/mm.h>

#include "twins.h"

static int remap(u32 from, u32 old, u32 new, u32 to, unsigned int flags)
{
	return do_mremap(mm, PAGE(from), PAGE(old), PAGE(new), PAGE(to), flags);
}

#define REMAP(id, args, ...)                                           \
	static int id##_call(void) { return remap args; }              \
	static const struct call id = { .form = { V10 },               \
					.make = id##_call, __VA_ARGS__ }

/* --- where it is ----------------------------------------------------------------- */

REMAP(shrink, (0, 4, 2, 0, 0), .before = { { 0, 4, 0, RO } },
      .after = { { 0, 2, 0, RO } });
REMAP(shrink_inside, (0, 4, 2, 0, 0), .before = { { 0, 6, 0, RO } },
      .after = { { 0, 2, 0, RO }, { 4, 6, 0, RO } });
REMAP(grow, (0, 2, 4, 0, 0), .before = { { 0, 2, 1, RO }, { 4, 5, 0, RW } },
      .after = { { 0, 4, 1, RO }, { 4, 5, 0, RW } });
REMAP(no_room, (0, 2, 4, 0, 0), .err = -ENOMEM,
      .before = { { 0, 2, 0, RO }, { 3, 5, 0, RW } },
      .after = { { 0, 2, 0, RO }, { 3, 5, 0, RW } });
REMAP(not_the_end, (0, 2, 4, 0, 0), .err = -ENOMEM,
      .before = { { 0, 6, 0, RO } }, .after = { { 0, 6, 0, RO } });
REMAP(same_size, (0, 2, 2, 0, 0), .before = { { 0, 2, 0, RO } },
      .after = { { 0, 2, 0, RO } });
REMAP(no_vma, (0, 4, 4, 0, 0), .err = -EFAULT, .before = { { 0, 2, 0, RO } },
      .after = { { 0, 2, 0, RO } });

CALLS(in_place, "mremap/in place",
      CALL_ONLY("shrink", shrink), CALL("shrink inside a VMA", shrink_inside),
      CALL("grow", grow), CALL_ONLY("no room", no_room),
      CALL_ONLY("not at the end", not_the_end),
      CALL_ONLY("the same size", same_size), CALL_ONLY("too long", no_vma));

/* --- elsewhere -------------------------------------------------------------------- */

REMAP(move, (0, 2, 2, 8, MREMAP_FIXED),
      .before = { { 0, 2, 3, RW }, { 4, 5, 0, RO } },
      .after = { { 4, 5, 0, RO }, { 8, 10, -5, RW } });
REMAP(move_grows, (0, 2, 4, 8, MREMAP_FIXED), .before = { { 0, 2, 0, RW } },
      .after = { { 8, 12, -8, RW } });
REMAP(move_shrinks, (0, 4, 2, 8, MREMAP_FIXED), .before = { { 0, 4, 0, RW } },
      .after = { { 8, 10, -8, RW } });
REMAP(over, (0, 2, 2, 8, MREMAP_FIXED),
      .before = { { 0, 2, 0, RW }, { 8, 10, 0, RO } },
      .after = { { 8, 10, -8, RW } });
REMAP(stays, (0, 2, 2, 8, MREMAP_FIXED | MREMAP_DONTUNMAP),
      .before = { { 0, 2, 0, RW | VM_LOCKED } },
      .after = { { 0, 2, 0, RW }, { 8, 10, -8, RW | VM_LOCKED } });
/* what is moved continues what lies before, or behind, its new place */
REMAP(joins_prev, (4, 2, 2, 8, MREMAP_FIXED),
      .before = { { 4, 6, 4, RW }, { 6, 8, 0, RW } },
      .after = { { 6, 10, 0, RW } });
REMAP(joins_next, (4, 2, 2, 8, MREMAP_FIXED),
      .before = { { 4, 6, 4, RW }, { 10, 12, 0, RW } },
      .after = { { 8, 12, 0, RW } });

/* only the upper half goes, and fits there */
REMAP(half_joins, (2, 2, 2, 8, MREMAP_FIXED),
      .before = { { 0, 4, 4, RW }, { 6, 8, -2, RW } },
      .after = { { 0, 2, 4, RW }, { 6, 10, -2, RW } });

CALLS(elsewhere, "mremap/elsewhere",
      CALL("move", move), CALL("move and grow", move_grows),
      CALL_ONLY("move and shrink", move_shrinks), CALL_ONLY("over a VMA", over),
      CALL("the old place stays", stays), CALL("joins prev", joins_prev),
      CALL("joins next", joins_next),
      CALL_ONLY("half of it joins", half_joins));

/* The new place is empty before anything else can fail: it stays so. */
static void moved_over_check(void)
{
	static const struct area left[] = { { 0, 2, 0, RW }, { 0 } };

	if (result)
		heddle_assert(has_areas(mm, left));
	else
		heddle_assert(has_areas(mm, over.after));
}

#define moved_over_setup call_setup
TWIN_TASKS(moved_over, { "mremap", call_task });
static const struct heddle_variant moved_over_variants[] = {
	{ .name = "safe", .data = &over, .goals = call_goals },
	{ .name = NULL },
};
TWIN(moved_over, "mremap/over a VMA, failures", .check = moved_over_check);

/* A part of a VMA moves.  The old place cannot be split off for want of memory:
 * then it stays mapped, but the call has happened. */
REMAP(part, (1, 1, 1, 8, MREMAP_FIXED), .before = { { 0, 4, 0, RW } },
      .after = { { 0, 1, 0, RW }, { 2, 4, 0, RW }, { 8, 9, -7, RW } });

static void part_check(void)
{
	static const struct area both[] = { { 0, 4, 0, RW }, { 8, 9, -7, RW },
					    { 0 } };

	if (result)
		heddle_assert(has_areas(mm, part.before));
	else
		heddle_assert(has_areas(mm, part.after) || has_pages(mm, both));
}

static const char *const part_goals[] = {
	"call fails", "call succeeds", "the old place stays mapped", NULL
};
#define part_setup call_setup
TWIN_TASKS(part, { "mremap", call_task });
static const struct heddle_variant part_variants[] = {
	{ .name = "safe", .data = &part, .goals = part_goals },
	{ .name = NULL },
};
TWIN(part, "mremap/a part of a VMA, failures", .check = part_check);

/* --- pages, and whom they belong to --------------------------------------------------- */

static struct anon_vma *own;

static void two_pages(void)
{
	mm_add_page(mm, PAGE(3), 33);
	mm_add_page(mm, PAGE(4), 44);
	own = at(2)->anon_vma;
}

static unsigned long pte_at(u32 page)
{
	struct page_table *table = pte_offset(mm, PAGE(page));

	return table ? table->pte[page % PTRS_PER_PTE] : 0;
}

/* Pages 2 to 5 to 9: into another group, at another place in it. */
static int move_pages(void)
{
	int err = remap(2, 4, 4, 9, MREMAP_FIXED);
	bool done = !err;

	heddle_assert(mm_word(mm, PAGE(done ? 10 : 3)) == 33);
	heddle_assert(mm_word(mm, PAGE(done ? 11 : 4)) == 44);
	heddle_assert(!pte_at(done ? 3 : 10) && !pte_at(done ? 4 : 11));
	heddle_assert(at(done ? 9 : 2)->anon_vma == own);
	return err;
}

static int leave_no_owner(void)
{
	int err = remap(2, 4, 4, 9, MREMAP_FIXED | MREMAP_DONTUNMAP);

	heddle_assert(err ? at(2)->anon_vma == own :
			    !at(2)->anon_vma && at(9)->anon_vma == own);
	return err;
}

#define PAGES(id, fn, ...)                                             \
	static const struct call id = {                                \
		.form = { V10, .parts = MM_ANON }, .make = fn,         \
		.prepare = two_pages, .before = { { 2, 6, 0, RW } },   \
		__VA_ARGS__                                            \
	}
PAGES(pages, move_pages, .after = { { 9, 13, -7, RW } });
PAGES(pages_stay, leave_no_owner,
      .after = { { 2, 6, 0, RW }, { 9, 13, -7, RW } });
CALLS(pages, "mremap/pages", CALL("move", pages),
      CALL("the old place stays", pages_stay));

/* --- against a fault at the old place ---------------------------------------------------- */

static const struct call moves = {
	.form = { V10 }, .before = { { 0, 1, 0, RW } },
};

static void mover(void *arg)
{
	(void)arg;
	pte_alloc(mm, PAGE(0));
	heddle_assert(!remap(0, 1, 1, 8, MREMAP_FIXED));
}

static void fault(void *arg)
{
	(void)arg;
	do_user_addr_fault(mm, PAGE(0), FAULT_FLAG_USER);
}

/* A page that the fault brought in time went along; later there is no VMA. */
static void fault_check(void)
{
	heddle_assert(!pte_at(0));
	if (pte_at(8))
		heddle_mark("page went along");
}

static const char *const fault_goals[] = { "page went along",
					   "no VMA: SIGSEGV", NULL };
#define fault_setup call_setup
TWIN_TASKS(fault, { "mremap", mover }, { "fault", fault });
static const struct heddle_variant fault_variants[] = {
	{ .name = "safe", .data = &moves, .fail = TWIN_NONE, .bound = 2 },
	{ .name = NULL },
};
TWIN(fault, "mremap/a fault at the old place", .check = fault_check,
     .goals = fault_goals);
