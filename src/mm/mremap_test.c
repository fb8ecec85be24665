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
REMAP(grow_last, (0, 2, 4, 0, 0), .before = { { 0, 2, 0, RO } },
      .after = { { 0, 4, 0, RO } });
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
      CALL("grow", grow), CALL("grow, nothing behind it", grow_last),
      CALL_ONLY("no room", no_room),
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

/* What lies at the new place must be split, which may fail: it stays. */
REMAP(over_part, (0, 2, 2, 8, MREMAP_FIXED),
      .before = { { 0, 2, 0, RW }, { 7, 11, 0, RO } },
      .after = { { 7, 8, 0, RO }, { 8, 10, -8, RW }, { 10, 11, 0, RO } });

static void over_part_check(void)
{
	static const struct area left[] = { { 0, 2, 0, RW }, { 7, 8, 0, RO },
					    { 10, 11, 0, RO }, { 0 } };

	if (result)
		heddle_assert(has_areas(mm, left) ||
			      has_pages(mm, over_part.before));
	else
		heddle_assert(has_areas(mm, over_part.after));
}

#define over_part_setup call_setup
TWIN_TASKS(over_part, { "mremap", call_task });
static const struct heddle_variant over_part_variants[] = {
	{ .name = "safe", .data = &over_part, .goals = call_goals },
	{ .name = NULL },
};
TWIN(over_part, "mremap/over a part of a VMA, failures",
     .check = over_part_check);

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

/* One page, to another place in its own page table. */
static int move_in_table(void)
{
	int err = remap(4, 1, 1, 6, MREMAP_FIXED);

	heddle_assert(mm_word(mm, PAGE(err ? 4 : 6)) == 44);
	heddle_assert(!pte_at(err ? 6 : 4));
	return err;
}

static void one_page(void)
{
	mm_add_page(mm, PAGE(4), 44);
}

/* The rest of the old VMA still has pages, and so an owner of them. */
static int leave_a_half(void)
{
	int err = remap(2, 2, 2, 9, MREMAP_FIXED | MREMAP_DONTUNMAP);

	heddle_assert(at(2)->anon_vma == own);
	heddle_assert(mm_word(mm, PAGE(4)) == 44);
	heddle_assert(err || at(9)->anon_vma == own);
	return err;
}

/* [2, 4) would continue [6, 8) at its new place, but each has its own pages. */
static void two_strangers(void)
{
	mm_add_page(mm, PAGE(3), 33);
	mm_add_page(mm, PAGE(6), 66);
	heddle_assert(at(2)->anon_vma != at(6)->anon_vma);
}

static int move_to_stranger(void)
{
	return remap(2, 2, 2, 8, MREMAP_FIXED);
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
PAGES(half_stays, leave_a_half, .after = { { 2, 6, 0, RW }, { 9, 11, -7, RW } });
static const struct call in_table = {
	.form = { V10, .parts = MM_ANON }, .make = move_in_table,
	.prepare = one_page, .before = { { 4, 5, 0, RW } },
	.after = { { 6, 7, -2, RW } },
};
static const struct call strangers = {
	.form = { V10, .parts = MM_ANON }, .make = move_to_stranger,
	.prepare = two_strangers,
	.before = { { 2, 4, 6, RW }, { 6, 8, 0, RW } },
	.after = { { 6, 8, 0, RW }, { 8, 10, 0, RW } },
};
CALLS(pages, "mremap/pages", CALL("move", pages),
      CALL("the old place stays", pages_stay),
      CALL("half of the old place stays", half_stays),
      CALL("in one page table", in_table), CALL("to a stranger", strangers));

/* --- what else it has ------------------------------------------------------------------ */

static int opened, closed;

static void open_op(struct vm_area_struct *vma)
{
	(void)vma;
	opened++;
}

static void close_op(struct vm_area_struct *vma)
{
	(void)vma;
	closed++;
}

static const struct vm_operations_struct counting = { .open = open_op,
						      .close = close_op };
static const struct vm_operations_struct plain;
static int key; /* stands for a userfaultfd context */

static void all_have(const struct vm_operations_struct *ops)
{
	struct file *file = mm_new_file();
	struct mempolicy *policy = mpol_new(1);
	struct vm_area_struct *vma;
	u32 i;

	mmap_write_lock(mm);
	for (i = 0; i < mm->mm_mt.root->nslots; i++) {
		vma = mm->mm_mt.root->slot[i].vma;
		vma_start_write(vma);
		vma->vm_file = file;
		get_file(file);
		vma_link_file(vma);
		vma->vm_ops = ops;
		vma->vm_userfaultfd_ctx.ctx = (struct userfaultfd_ctx *)&key;
		vma->vm_policy = policy;
		mpol_get(policy);
	}
	mmap_write_unlock(mm);
	mpol_put(policy);
}

static void all_counted(void)
{
	all_have(&counting);
}

static void all_plain(void)
{
	all_have(&plain);
}

/* The copy is told that it is one, and the old place that it goes. */
static int move_counted(void)
{
	int err = remap(0, 2, 2, 8, MREMAP_FIXED);

	heddle_assert(opened == closed && opened <= 1);
	heddle_assert(err || opened == 1);
	return err;
}

#define HAVING(id, has, what, fn, ...)                                 \
	static const struct call id = {                                \
		.form = { V10, .parts = MM_FILE | (has) },             \
		.prepare = what, .make = fn, __VA_ARGS__               \
	}
#define GOES_TO_8 .before = { { 0, 2, 0, RW } }, .after = { { 8, 10, -8, RW } }
HAVING(counted, 0, all_counted, move_counted, GOES_TO_8);
HAVING(not_told, 0, all_plain, move_call, GOES_TO_8);
HAVING(of_nothing, 0, NULL, move_call, GOES_TO_8);
HAVING(with_policy, MM_POLICY | MM_ANON, all_plain, move_call, GOES_TO_8);
/* the same owners: it continues what lies there */
HAVING(joins_owner, 0, all_plain, joins_prev_call,
       .before = { { 4, 6, 4, RW }, { 6, 8, 0, RW } },
       .after = { { 6, 10, 0, RW } });
CALLS(owned, "mremap/what is owned", CALL("file and ops", counted),
      CALL("no open", not_told), CALL("neither", of_nothing),
      CALL("policy", with_policy), CALL("joins what has the same", joins_owner));

/* --- a user with the old translation --------------------------------------------------- */

static void hot_page(void)
{
	mm_add_page(mm, PAGE(3), 33);
	mm_load_tlb(1, mm, PAGE(3));
}

static void hot_mover(void *arg)
{
	(void)arg;
	heddle_assert(!remap(3, 1, 1, 8, MREMAP_FIXED));
	return_to_user();
}

static void user(void *arg)
{
	(void)arg;
	if (user_write(mm, PAGE(3), 34))
		heddle_mark("the page has gone");
}

static const struct call hot = {
	.form = { V10, .parts = MM_ANON | MM_TLB }, .prepare = hot_page,
	/* the neighbour keeps the page table, else freeing it would flush */
	.before = { { 2, 3, 0, RO }, { 3, 4, 0, RW } },
};
static const char *const hot_goals[] = { "the page has gone", NULL };
#define hot_setup call_setup
TWIN_TASKS(hot, { "mremap", hot_mover }, { "user", user });
static const struct heddle_variant hot_variants[] = {
	{ .name = "safe", .data = &hot, .fail = TWIN_NONE, .bound = 2 },
	{ .name = NULL },
};
TWIN(hot, "mremap/a user with the old translation", .goals = hot_goals);

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
