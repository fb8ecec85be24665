/* SPDX-License-Identifier: MIT */
/* The mm world, safe and broken twins: does each check say what it must, and
 * nothing else?  A twin's two forms differ in one place.
 *
 * Covers mm.c, vma_tree.c, mmap_lock.c, munmap.c, fault.c, pagetable.c, the
 * lock's forms vma_lock_v6.c and vma_lock_v10.c, and the checks: check.c,
 * check_vma_lock.c, check_pte.c. */
#include <heddle/mm.h>

#include "../base/twin.h"

enum { A = 0x2000, B = 0x3000, C = 0x4000, END = 0x5000 };

/* The model reads the form, the tasks below read broken. */
struct test {
	struct mm_form form;
	bool broken;
};

#define V10 .lock = &vma_lock_v10, .lock_offset = 0x40000000
#define OLD(l) .lock = &(l), .lock_offset = 0x40000000, .free_by_rcu = true
static const struct test v10 = { .form = { V10 } };
static const struct test broken_task = { .form = { V10 }, .broken = true };
static const struct test no_recheck = { .form = { V10, .no_recheck = true } };
static const struct test no_wait = { .form = { V10,
					       .no_wait_at_detach = true } };
static const struct test late = { .form = { V10, .release_behind_test = true } };
static const struct test early = { .form = { V10,
					     .early_free_pgtables = true } };
static const struct test narrow = { .form = { .lock = &vma_lock_v10,
					      .lock_offset = 4 } };
static const struct test too_many = { .form = { .lock = &vma_lock_v10,
						.lock_offset = 4,
						.limit_delta = 1 } };
static const struct test v6 = { .form = { OLD(vma_lock_v6) } };
static const struct test v6_complete = { .form = { OLD(vma_lock_v6_complete) } };
static const struct test v7 = { .form = { OLD(vma_lock_v7) } };

static bool broken(void)
{
	return ((const struct test *)heddle_variant_data())->broken;
}

#define FORMS(id, good, bad, ...)                                      \
	static const struct heddle_variant id##_variants[] = {         \
		{ .name = "safe", .data = &(good) },                   \
		{ .name = "broken", .data = &(bad),                    \
		  .expect = { __VA_ARGS__ } },                         \
		{ .name = NULL },                                      \
	}

static struct mm_struct *mm;
static struct vm_area_struct *a, *b;

static void one_vma(void)
{
	mm = mm_alloc();
	a = mm_add_vma(mm, A, B);
	pte_alloc(mm, A);
}

static void two_vmas(void)
{
	one_vma();
	b = mm_add_vma(mm, B, C);
}

/* What remains when all tasks have ended. */
static bool mapped(unsigned long addr)
{
	const struct maple_node *node = mm->mm_mt.root;
	u32 i;

	for (i = 0; i < node->nslots; i++)
		if (addr >= node->slot[i].first && addr <= node->slot[i].last)
			return true;
	return false;
}

/* --- the VMA lock: a reader alone, a writer alone ---------------------- */

static void reader(void *arg)
{
	struct vm_area_struct *vma = lock_vma_under_rcu(mm, A);

	(void)arg;
	if (vma) {
		heddle_assert(vma == a);
		vma_end_read(vma);
	}
	return_to_user();
}

static void writer(void *arg)
{
	(void)arg;
	mmap_write_lock(mm);
	vma_start_write(a);
	mm_note(MM_NOTE_WRITE_LOCKED, mm, a, 0);
	vma_start_write(a); /* is one already: must not wait for itself */
	WRITE_ONCE(a->vm_end, a->vm_end); /* what readers must not see half done */
	mmap_write_unlock(mm);
}

static void unmap_a(void *arg)
{
	(void)arg;
	do_munmap(mm, A, B);
	return_to_user();
}

static const char *const lock_goals[] = {
	"read lock granted", "wait at start_write", NULL,
};

#define exclusion_setup one_vma
TWIN_TASKS(exclusion, { "writer", writer }, { "reader", reader });
FORMS(exclusion, v10, no_recheck, SHOWS(EXCLUSION), SHOWS(DATA_RACE));
TWIN(exclusion, "mm/exclusion", .goals = lock_goals);

static const char *const detach_goals[] = { "read lock granted", NULL };
#define detached_setup one_vma
TWIN_TASKS(detached, { "munmap", unmap_a }, { "reader", reader });
/* freed under the reader, who looks at it outside of RCU */
FORMS(detached, v10, no_wait, SHOWS(DETACHED_READ_LOCK), SHOWS(FREED),
      SHOWS(USE_AFTER_FREE));
TWIN(detached, "mm/detached-read-lock", .goals = detach_goals);

/* The release of the map behind the test, and the forms that were posted. */
static const struct heddle_variant release_variants[] = {
	{ .name = "before the test", .data = &v10 },
	{ .name = "behind the test", .data = &late,
	  .expect = { SHOWS(HELD_AT_USER), SHOWS(FREED) } },
	{ .name = "v7", .data = &v7,
	  .expect = { SHOWS(HELD_AT_USER), SHOWS(FREED), SHOWS(DATA_RACE) } },
	{ .name = "v6-complete", .data = &v6_complete,
	  .expect = { SHOWS(HELD_AT_USER), SHOWS(DETACHED_READ_LOCK),
		      SHOWS(FREED), SHOWS(DATA_RACE) } },
	{ .name = "v6", .data = &v6,
	  .expect = { SHOWS(HELD_AT_USER), SHOWS(DETACHED_READ_LOCK),
		      SHOWS(USE_AFTER_FREE), SHOWS(FREED), SHOWS(DATA_RACE),
		      SHOWS(ASSERT_RACE) } },
	{ .name = NULL },
};
#define release_setup one_vma
TWIN_TASKS(release, { "munmap", unmap_a }, { "reader", reader });
TWIN(release, "mm/release of the map", .goals = detach_goals);

/* Three readers and an offset of 4: the limit must leave one to the writer. */
static const char *const offset_goals[] = { "limit reached",
					    "read lock granted", NULL };
#define offset_setup one_vma
TWIN_TASKS(offset, { "r1", reader }, { "r2", reader }, { "r3", reader });
FORMS(offset, narrow, too_many, SHOWS(ASSERT));
TWIN(offset, "mm/readers stay below VMA_LOCK_OFFSET");

static const struct heddle_variant limit_variants[] = {
	{ .name = "safe", .data = &narrow, .goals = offset_goals },
	{ .name = NULL },
};
#define limit_setup one_vma
#define limit_tasks offset_tasks
TWIN(limit, "mm/the limit is reached");

/* --- faults and page tables ------------------------------------------------ */

static void fault_a(void *arg)
{
	(void)arg;
	do_user_addr_fault(mm, A, FAULT_FLAG_USER);
}

static const char *const fault_goals[] = { "read lock granted",
					   "no VMA: SIGSEGV", NULL };
#define fault_setup one_vma
TWIN_TASKS(fault, { "munmap", unmap_a }, { "fault", fault_a });
/* leak: a fault makes a new table, and nobody is left to free it */
FORMS(fault, v10, early, SHOWS(PAGETABLE), SHOWS(PTE_WITHOUT_VMA),
      SHOWS(FREED), SHOWS(LEAK), SHOWS(DATA_RACE), SHOWS(ASSERT_RACE));
TWIN(fault, "mm/fault and munmap", .goals = fault_goals);

/* A fault that looks the VMA up, and does not keep it from going away. */
static void careless_fault(void *arg)
{
	struct page_table *table = pte_alloc(mm, A);

	(void)arg;
	mmap_read_lock(mm);
	if (!vma_lookup(mm, A)) {
		mmap_read_unlock(mm);
		return;
	}
	if (broken())
		mmap_read_unlock(mm);
	set_pte(mm, table, A, 7);
	if (!broken())
		mmap_read_unlock(mm);
}

static void clear_a(void *arg)
{
	(void)arg;
	mmap_write_lock(mm);
	mas_clear(mm, A, B);
	mm->map_count--;
	unmap_region(mm, A, B);
	mmap_write_unlock(mm);
}

#define pte_setup two_vmas /* the table stays, for b */
TWIN_TASKS(pte, { "clear", clear_a }, { "fault", careless_fault });
FORMS(pte, v10, broken_task, SHOWS(PTE_WITHOUT_VMA));
TWIN(pte, "mm/pte-without-vma, installed");

static void forgets_to_zap(void *arg)
{
	(void)arg;
	mmap_write_lock(mm);
	mas_clear(mm, A, B);
	mm->map_count--;
	if (!broken())
		unmap_region(mm, A, B);
	mmap_write_unlock(mm);
}

static void with_a_page(void)
{
	two_vmas();
	set_pte(mm, pte_offset(mm, A), A, 7);
}

#define left_setup with_a_page
TWIN_TASKS(left, { "clear", forgets_to_zap });
FORMS(left, v10, broken_task, SHOWS(PTE_WITHOUT_VMA));
TWIN(left, "mm/pte-without-vma, left behind");

static void free_tables(void *arg)
{
	(void)arg;
	mmap_write_lock(mm);
	unmap_region(mm, A, B);
	free_pgtables(mm, 0, PMD_SIZE);
	mmap_write_unlock(mm);
}

static void touch_table(void *arg)
{
	(void)arg;
	if (!broken())
		mmap_read_lock(mm);
	set_pte(mm, pte_alloc(mm, A), A, 7);
	if (!broken())
		mmap_read_unlock(mm);
}

#define table_setup one_vma
TWIN_TASKS(table, { "free", free_tables }, { "touch", touch_table });
/* the entry is set behind unmap_region(), too */
FORMS(table, v10, broken_task, SHOWS(PAGETABLE), SHOWS(FREED),
      SHOWS(PTE_WITHOUT_VMA), SHOWS(DATA_RACE), SHOWS(ASSERT_RACE));
TWIN(table, "mm/pagetable");

/* Two faults that find no table: one is installed, the other given back. */
static void no_table(void)
{
	mm = mm_alloc();
	a = mm_add_vma(mm, A, B);
}

static void both_faults_check(void)
{
	heddle_assert(mm->pmd[0] && pte_offset(mm, A)->pte[pte_index(A)]);
}

#define alloc_setup no_table
TWIN_TASKS(alloc, { "f1", fault_a }, { "f2", fault_a });
static const struct heddle_variant alloc_variants[] = {
	{ .name = "safe", .data = &v10 },
	{ .name = NULL },
};
TWIN(alloc, "mm/two faults, one table", .check = both_faults_check);

/* --- the tree ------------------------------------------------------------------ */

static void look_up(void *arg)
{
	struct vm_area_struct *vma;

	(void)arg;
	if (!broken())
		rcu_read_lock();
	vma = mas_walk(mm, A);
	if (!broken())
		rcu_read_unlock();
	heddle_assert(!vma || vma == a);
	if (vma)
		heddle_mark("lookup: found");
	else
		heddle_mark("lookup: gone");
}

static void replace_b(void *arg)
{
	(void)arg;
	mmap_write_lock(mm);
	mas_clear(mm, A, B);
	mas_store(mm, b);
	mmap_write_unlock(mm);
}

static void b_outside(void)
{
	one_vma();
	b = mm_add_vma(mm, B, C);
	mmap_write_lock(mm);
	mas_clear(mm, B, C);
	mm->map_count--;
	mmap_write_unlock(mm);
}

static const char *const tree_goals[] = { "lookup: found", "lookup: gone",
					  NULL };
#define tree_setup b_outside
TWIN_TASKS(tree, { "writer", replace_b }, { "reader", look_up });
FORMS(tree, v10, broken_task, SHOWS(RCU_USAGE), SHOWS(USE_AFTER_FREE),
      SHOWS(ASSERT_RACE));
TWIN(tree, "mm/lookup under RCU", .goals = tree_goals);

/* One VMA goes, its neighbour must not notice. */
static void fault_b(void *arg)
{
	unsigned long addr = broken() ? A : B;

	(void)arg;
	heddle_assert(!do_user_addr_fault(mm, addr, FAULT_FLAG_USER));
}

static void b_stays_check(void)
{
	heddle_assert(mm->map_count == 1 && mapped(B) && !mapped(A));
}

#define neighbour_setup two_vmas
TWIN_TASKS(neighbour, { "munmap", unmap_a }, { "fault", fault_b });
FORMS(neighbour, v10, broken_task, SHOWS(ASSERT));
TWIN(neighbour, "mm/one of two VMAs unmapped", .check = b_stays_check);

static void unmap_b(void *arg)
{
	(void)arg;
	do_munmap(mm, B, C);
}

static void unmap_both(void *arg)
{
	(void)arg;
	do_munmap(mm, A, END);
}

static void nothing_check(void)
{
	heddle_assert(!mm->map_count && !mapped(A) && !mapped(B) &&
		      !mm->pmd[0] && !mm->pmd[1]);
}

static const struct heddle_variant neighbours_variants[] = {
	{ .name = "safe", .data = &v10 },
	{ .name = NULL },
};
#define neighbours_setup two_vmas
TWIN_TASKS(neighbours, { "munmap1", unmap_a }, { "munmap2", unmap_b });
TWIN(neighbours, "mm/two munmaps of neighbours", .check = nothing_check);

#define overlap_setup two_vmas
#define overlap_variants neighbours_variants
TWIN_TASKS(overlap, { "munmap1", unmap_a }, { "munmap2", unmap_both });
TWIN(overlap, "mm/two munmaps of one range", .check = nothing_check);

/* --- mmap_lock and its sequence ------------------------------------------------ */

static void write_and_downgrade(void *arg)
{
	u32 seq;

	(void)arg;
	mmap_write_lock(mm);
	seq = READ_ONCE(mm->mm_lock_seq.sequence);
	heddle_assert(seq & 1);
	mmap_write_downgrade(mm);
	heddle_assert(READ_ONCE(mm->mm_lock_seq.sequence) == seq + 1);
	mmap_read_unlock(mm);
}

static void read_sequence(void *arg)
{
	(void)arg;
	if (!broken() && !mmap_read_trylock(mm)) {
		heddle_mark("trylock fails");
		mmap_read_lock(mm);
	}
	heddle_assert(!(READ_ONCE(mm->mm_lock_seq.sequence) & 1));
	if (!broken())
		mmap_read_unlock(mm);
}

#define sequence_setup one_vma
TWIN_TASKS(sequence, { "writer", write_and_downgrade },
	   { "reader", read_sequence });
FORMS(sequence, v10, broken_task, SHOWS(ASSERT));
TWIN(sequence, "mm/sequence is odd while write-locked");

/* vma_start_write() without mmap_lock. */
static void bare_writer(void *arg)
{
	(void)arg;
	if (!broken())
		mmap_write_lock(mm);
	vma_start_write(a);
	if (!broken())
		mmap_write_unlock(mm);
}

#define bare_setup one_vma
TWIN_TASKS(bare, { "writer", bare_writer });
/* and mm_lock_seq is that of no writer */
FORMS(bare, v10, broken_task, SHOWS(LOCK_ASSERT), SHOWS(ASSERT));
TWIN(bare, "mm/start_write wants mmap_lock");
