/* SPDX-License-Identifier: MIT */
/* Page faults against VMAs that stay: mprotect twice, and unmapped neighbours.
 *
 * Source: 5e31275cc997 "mm: add per-VMA lock and helper functions to control it"
 * (6.4), and what became of it in 6.14 and 6.15.
 *
 * In seed 004 the VMA goes, and with it what the lock left behind.  Here it
 * stays, so that what one writer leaves must be right for the next one, and for
 * faults in between: the sequences of mm and VMA, the bounds of a VMA that was
 * split, PTEs and page tables that are somebody else's.  The code is the
 * accepted one; what can go wrong is shown by breaking it.
 *
 * What to read out of the variants:
 * - X: two mprotects, one takes the right to write away, the other one gives it
 *   back, in any order.  A write fault ends well or with SIGSEGV; each had an
 *   instant at which that was true (check_fault.c).  A signal may come while one
 *   mprotect waits for the other.
 * - X-above, X-below: the page in the middle of three goes.  A fault at the last
 *   one must notice neither that it is in a VMA of its own now, nor that it had
 *   no page table.  One at the first page finds the VMA that became smaller.
 * - X-two-faults: two faults, at pages of one table, and mprotect of one of them.
 *   The other one, which is in a VMA of its own then, may not be refused.  So in
 *   X-lower: the VMA that the fault has found now begins behind its address.
 * - X-pages: X with one mprotect and a page that is there already; X-empty: with
 *   no page table yet; X-tlb: with a CPU that may remember the right to write.
 * - X-hole: mprotect of three pages, of which the one in the middle may go before.
 *   Then it fails, behind the first; if it says that it has done it, it has.
 * - X-no-recheck: the second look at the sequence is left out, and a fault is let
 *   in after mprotect has locked the VMA.
 * - X-no-lock: mprotect does not lock the VMA.  As it is not split, nobody does:
 *   it changes under the fault (unlocked-write), which maps a page that may be
 *   written to (pte-rights).
 * - X-late-end: mm_lock_seq goes up behind the unlock of mmap_lock, which is
 *   against the rules (assert, lock-assert), and not for nothing.  6.6: the next
 *   writer finds the number of the last one in the VMA, takes it for its own,
 *   and does not lock; then the number moves on, and a reader is let in.  6.14:
 *   the next one begins with an odd number, so that its own is even, which to
 *   readers is that of no writer.
 * - X-no-ptes: the PTEs keep the right to write that the VMA lost. */
#include <heddle/mm.h>

enum { FIRST = 0x2000, SECOND = 0x3000, THIRD = 0x4000, END = 0x5000 };

/* What the tasks of a variant do. */
struct play {
	unsigned long end;      /* of the VMA, which begins at FIRST */
	bool unmaps;            /* SECOND; else mprotect of FIRST, or of SECOND: */
	bool upper;
	bool twice;             /* another one gives the right back */
	bool all;               /* another one, of the whole VMA */
	bool no_page;           /* at FIRST, in the beginning */
	unsigned int flags;     /* of the faults */
	unsigned long fault[2]; /* their addresses; 0: none */
};

static const struct play protects = {
	.end = SECOND, .twice = true, .fault = { FIRST },
	.flags = FAULT_FLAG_WRITE,
};
static const struct play protects_once = {
	.end = SECOND, .fault = { FIRST }, .flags = FAULT_FLAG_WRITE,
};
static const struct play protects_nothing = {
	.end = SECOND, .fault = { FIRST }, .flags = FAULT_FLAG_WRITE,
	.no_page = true,
};
static const struct play hole = {
	.end = END, .unmaps = true, .all = true, .fault = { THIRD },
	.flags = FAULT_FLAG_WRITE,
};
static const struct play above = {
	.end = END, .unmaps = true, .fault = { THIRD },
};
static const struct play below = {
	.end = END, .unmaps = true, .fault = { FIRST },
};
static const struct play two = {
	.end = THIRD, .fault = { FIRST, SECOND }, .flags = FAULT_FLAG_WRITE,
};
static const struct play lower = {
	.end = THIRD, .upper = true, .fault = { FIRST },
	.flags = FAULT_FLAG_WRITE,
};

static struct mm_struct *mm;
static bool all_done;

static const struct play *play(void)
{
	return mm_form()->more;
}

static void setup(void)
{
	mm = mm_alloc();
	mm_add_vma(mm, FIRST, play()->end);
	if (mm_has(MM_ANON) && !play()->no_page)
		mm_add_page(mm, FIRST, 1);
}

static void protect(vm_flags_t flags)
{
	unsigned long start = play()->upper ? SECOND : FIRST;

	if (do_mprotect(mm, start, start + PAGE_SIZE, flags))
		heddle_mark("mprotect is killed");
}

static void writer_task(void *arg)
{
	(void)arg;
	if (play()->unmaps)
		do_munmap(mm, SECOND, THIRD);
	else
		protect(VM_READ);
	return_to_user();
}

static void writer2_task(void *arg)
{
	(void)arg;
	if (play()->twice)
		protect(VM_READ | VM_WRITE);
	if (!play()->all)
		return;
	all_done = !do_mprotect(mm, FIRST, play()->end, VM_READ);
	if (all_done)
		heddle_mark("all is protected");
	else
		heddle_mark("mprotect meets a hole");
}

static void fault(unsigned long addr)
{
	int err;

	if (!addr)
		return;
	if (mm_has(MM_TLB))
		err = user_write(mm, addr, 2);
	else
		err = do_user_addr_fault(mm, addr,
					 FAULT_FLAG_USER | play()->flags);
	if (err)
		heddle_mark("write refused");
	else
		heddle_mark("fault succeeds");
}

static void fault_task(void *arg)
{
	(void)arg;
	fault(play()->fault[0]);
}

static void fault2_task(void *arg)
{
	(void)arg;
	fault(play()->fault[1]);
}

static const struct heddle_task tasks[] = {
	{ .name = "writer", .fn = writer_task },
	{ .name = "writer2", .fn = writer2_task },
	{ .name = "fault", .fn = fault_task },
	{ .name = "fault2", .fn = fault2_task },
	{ 0 },
};

static bool mapped(unsigned long addr)
{
	unsigned long pmd = mm->pmd[pmd_index(addr)];

	return pmd && ((struct page_table *)pmd)->pte[pte_index(addr)];
}

/* Nobody may refuse a fault that reads, and mprotect does what it says. */
static void check(void)
{
	const struct maple_node *node = mm->mm_mt.root;
	u32 i;

	for (i = 0; i < node->nslots && all_done; i++)
		heddle_assert(!(node->slot[i].vma->vm_flags & VM_WRITE));
	for (i = 0; i < 2 && !play()->flags; i++)
		heddle_assert(!play()->fault[i] || mapped(play()->fault[i]));
}

/* Rights are looked at where there is a part; MM_THP costs least. */
#define FORM(id, ...)                                                  \
	static const struct mm_form id = {                             \
		__VA_ARGS__, .parts = MM_THP, .more = &protects        \
	};                                                             \
	static const struct mm_form id##_pages = {                     \
		__VA_ARGS__, .parts = MM_ANON, .more = &protects_once  \
	};                                                             \
	static const struct mm_form id##_above = {                     \
		__VA_ARGS__, .more = &above                            \
	}
#define MORE(id, ...)                                                  \
	static const struct mm_form id##_below = {                     \
		__VA_ARGS__, .more = &below                            \
	};                                                             \
	static const struct mm_form id##_two = {                       \
		__VA_ARGS__, .parts = MM_THP, .more = &two             \
	}
#define GEN1 .lock = &vma_lock_gen1, .free_by_rcu = true
#define GEN2 .lock = &vma_lock_gen2, .free_by_rcu = true
#define V10 .lock = &vma_lock_v10, .lock_offset = 0x40000000
FORM(k6_6, GEN1);
FORM(k6_14, GEN2);
FORM(k6_15, V10);
MORE(k6_6, GEN1);
MORE(k6_15, V10);
static const struct mm_form k6_15_empty = {
	V10, .parts = MM_ANON, .more = &protects_nothing,
};
static const struct mm_form k6_15_tlb = {
	V10, .parts = MM_ANON | MM_TLB, .more = &protects_once,
};
static const struct mm_form k6_15_lower = {
	V10, .parts = MM_THP, .more = &lower,
};
static const struct mm_form k6_15_hole = {
	V10, .parts = MM_THP, .more = &hole,
};
static const struct mm_form no_recheck = {
	V10, .parts = MM_THP, .more = &protects, .no_recheck = true,
};
#define WITHOUT(id, step, part, plays, ...)                            \
	static const struct mm_form id = {                             \
		__VA_ARGS__, .parts = part, .more = &plays,            \
		.without = MM_STEP_##step                              \
	}
WITHOUT(no_lock, MPROTECT_LOCKS, MM_ANON, protects_once, GEN1);
WITHOUT(no_lock_6_15, MPROTECT_LOCKS, MM_ANON, protects_once, V10);
WITHOUT(late_end, SEQ_BEFORE_UNLOCK, MM_THP, protects, GEN1);
WITHOUT(late_end_6_14, SEQ_BEFORE_UNLOCK, MM_THP, protects, GEN2);
WITHOUT(no_ptes, MPROTECT_PTES, MM_ANON, protects_once, V10);

#define BROKEN "the accepted form, broken on purpose"

static const char *const goals[] = {
	"read lock granted", "blocked fallback", "re-check fails",
	"write refused", "fault succeeds", "mprotect is killed", NULL,
};
static const char *const pages_goals[] = {
	"read lock granted", "write refused", "fault succeeds", NULL,
};
static const char *const hole_goals[] = {
	"read lock granted", "write refused", "fault succeeds",
	"all is protected", "mprotect meets a hole", NULL,
};
static const char *const lower_goals[] = {
	"read lock granted", "fault succeeds", "VMA split", NULL,
};
static const char *const split_goals[] = {
	"read lock granted", "blocked fallback", "VMA split", NULL,
};

#define ABOVE "the VMA below goes, and was one with it"
#define BELOW "the VMA above goes, and was one with it"
#define PAGES "one mprotect, of a page that is there"
#define TWO "two faults, and mprotect of one page"
static const struct heddle_variant variants[] = {
	{ .name = "6.6", .title = "two mprotects, there and back",
	  .data = &k6_6, .kernel = "6.6-6.13", .signals = 1 },
	{ .name = "6.6-pages", .title = PAGES, .data = &k6_6_pages,
	  .kernel = "6.6-6.13", .goals = pages_goals },
	{ .name = "6.6-above", .title = ABOVE, .data = &k6_6_above,
	  .kernel = "6.6-6.13", .goals = split_goals },
	{ .name = "6.6-below", .title = BELOW, .data = &k6_6_below,
	  .kernel = "6.6-6.13", .goals = split_goals },
	{ .name = "6.6-two-faults", .title = TWO, .data = &k6_6_two,
	  .kernel = "6.6-6.13", .goals = split_goals },
	{ .name = "6.14", .title = "two mprotects, there and back",
	  .data = &k6_14, .kernel = "6.14", .signals = 1 },
	{ .name = "6.14-pages", .title = PAGES, .data = &k6_14_pages,
	  .kernel = "6.14", .goals = pages_goals },
	{ .name = "6.14-above", .title = ABOVE, .data = &k6_14_above,
	  .kernel = "6.14", .goals = split_goals },
	{ .name = "6.15", .title = "two mprotects, there and back",
	  .data = &k6_15, .kernel = "6.15", .signals = 1 },
	{ .name = "6.15-pages", .title = PAGES, .data = &k6_15_pages,
	  .kernel = "6.15", .goals = pages_goals },
	{ .name = "6.15-above", .title = ABOVE, .data = &k6_15_above,
	  .kernel = "6.15", .goals = split_goals },
	{ .name = "6.15-below", .title = BELOW, .data = &k6_15_below,
	  .kernel = "6.15", .goals = split_goals },
	{ .name = "6.15-two-faults", .title = TWO, .data = &k6_15_two,
	  .kernel = "6.15", .goals = split_goals, .bound = 2 },
	{ .name = "6.15-lower", .title = "mprotect of the page above",
	  .data = &k6_15_lower, .kernel = "6.15", .goals = lower_goals },
	{ .name = "6.15-empty", .title = "one mprotect, without a page table",
	  .data = &k6_15_empty, .kernel = "6.15", .goals = pages_goals },
	{ .name = "6.15-tlb", .title = "one mprotect, and a TLB",
	  .data = &k6_15_tlb, .kernel = "6.15", .goals = pages_goals },
	{ .name = "6.15-hole", .title = "mprotect of what is unmapped",
	  .data = &k6_15_hole, .kernel = "6.15", .goals = hole_goals,
	  .bound = 1, .fail = 1 },
	{ .name = "6.15-no-recheck",
	  .title = "without the second look at the sequence",
	  .data = &no_recheck, .source = BROKEN,
	  .expect = { { HD_V_DATA_RACE, 0 }, { HD_V_EXCLUSION, 2 } } },
	{ .name = "6.6-no-lock", .title = "mprotect does not lock the VMA",
	  .data = &no_lock, .source = BROKEN, .goals = pages_goals,
	  .expect = { { HD_V_UNLOCKED_WRITE, 0 }, { HD_V_DATA_RACE, 0 },
		      { HD_V_PTE_RIGHTS, 1 } } },
	{ .name = "6.15-no-lock", .title = "mprotect does not lock the VMA",
	  .data = &no_lock_6_15, .source = BROKEN, .goals = pages_goals,
	  .expect = { { HD_V_UNLOCKED_WRITE, 0 }, { HD_V_DATA_RACE, 0 },
		      { HD_V_PTE_RIGHTS, 1 } } },
	{ .name = "6.6-late-end",
	  .title = "the sequence goes up behind the unlock",
	  .data = &late_end, .source = BROKEN,
	  .expect = { { HD_V_ASSERT, 0 }, { HD_V_LOCK_ASSERT, 0 },
		      { HD_V_DATA_RACE, 0 }, { HD_V_UNLOCKED_WRITE, 2 },
		      { HD_V_EXCLUSION, 3 } } },
	{ .name = "6.14-late-end",
	  .title = "the sequence goes up behind the unlock",
	  .data = &late_end_6_14, .source = BROKEN,
	  .expect = { { HD_V_ASSERT, 0 }, { HD_V_LOCK_ASSERT, 0 },
		      { HD_V_DATA_RACE, 1 }, { HD_V_UNLOCKED_WRITE, 2 },
		      { HD_V_EXCLUSION, 2 } } },
	{ .name = "6.15-no-ptes", .title = "PTEs keep the right to write",
	  .data = &no_ptes, .source = BROKEN, .goals = pages_goals,
	  .expect = { { HD_V_PTE_RIGHTS, 0 } } },
	{ 0 },
};

HEDDLE_SCENARIO(fault_vs_mprotect) = {
	.name = "fault_vs_mprotect",
	.title = "page faults in VMAs that are changed, and stay",
	.source = "5e31275cc997 (6.4), and the forms of 6.14 and 6.15",
	.copied = "the VMA lock of each release, mm_lock_seq over several "
		  "writers, mprotect and munmap with a split, the retry of a "
		  "fault under mmap_lock",
	.simplified = "16 pages of address space; a fault that finds its page "
		      "does not look at anything else",
	.different = "in the variants that have no pages, PTEs have no rights",
	.not_modelled = "merging (fault_vs_merge), huge pages "
			"(fault_vs_shrink), pkeys",
	.variants = variants,
	.tasks = tasks,
	.setup = setup,
	.check = check,
	.goals = goals,
};
