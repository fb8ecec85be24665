/* SPDX-License-Identifier: MIT */
/* Reverse maps: who shares an anon_vma, when does it die, and is every mapping
 * of a page found from the page?
 *
 * Covers rmap.c.  (What is true of all pages whenever a writer unlocks:
 * check_rmap.c.) */
#include <heddle/mm.h>

#include "twins.h"

#define ANON .parts = MM_ANON

struct test {
	struct mm_form form;
	bool broken;
};
static const struct test safe = { .form = { V10, ANON } };
static const struct test careless = { .form = { V10, ANON }, .broken = true };

static bool broken(void)
{
	return ((const struct test *)heddle_variant_data())->broken;
}

static struct vm_area_struct *a;

static void one_vma(void)
{
	mm = mm_alloc();
	a = mm_add_vma(mm, PAGE(2), PAGE(4));
}

static u32 vmas_of(const struct anon_vma *av)
{
	u32 i, n = 0;

	for (i = 0; i < MM_RMAP_VMAS; i++)
		n += !!av->vma[i];
	return n;
}

/* --- __anon_vma_prepare --------------------------------------------------- */

/* Two faults find that there is none; one of them makes it, or neither. */
static void prepare_a(void *arg)
{
	int err;

	(void)arg;
	mmap_read_lock(mm);
	err = anon_vma_prepare(a);
	if (err)
		heddle_mark("no memory");
	else
		heddle_assert(READ_ONCE(a->anon_vma));
	mmap_read_unlock(mm);
}

static void one_check(void)
{
	heddle_assert(a->anon_vma && vmas_of(a->anon_vma) == 1);
	heddle_assert(anon_links_ok(mm));
}

/* The second look is missing, and with it the locks. */
static void prepare_blindly(void *arg)
{
	struct anon_vma *av;

	if (!broken()) {
		prepare_a(arg);
		return;
	}
	mmap_read_lock(mm);
	if (!READ_ONCE(a->anon_vma)) {
		av = kzalloc(sizeof(struct anon_vma),
			     GFP_KERNEL | __GFP_NOFAIL);
		heddle_keep(av);
		init_rwsem(&av->rwsem);
		refcount_set(&av->refcount, 1);
		av->vma[0] = a;
		WRITE_ONCE(a->avc[0], av);
		smp_store_release(&a->anon_vma, av);
		heddle_mark("made one");
	}
	mmap_read_unlock(mm);
}

/* What it is once it will be for good: pages refer to it. */
static void same_twice(void *arg)
{
	struct anon_vma *first;

	prepare_blindly(arg);
	first = READ_ONCE(a->anon_vma);
	heddle_assert(!first || READ_ONCE(a->anon_vma) == first);
}

#define two_faults_setup one_vma
TWIN_TASKS(two_faults, { "f1", same_twice }, { "f2", same_twice });
static const struct heddle_variant two_faults_variants[] = {
	{ .name = "safe", .data = &safe, .fail = TWIN_NONE },
	{ .name = "broken", .data = &careless, .fail = TWIN_NONE,
	  .expect = { SHOWS(ASSERT), SHOWS(UNLOCKED_WRITE), SHOWS(RMAP) } },
	{ .name = NULL },
};
TWIN(two_faults, "rmap/two faults, one anon_vma", .check = one_check);

static const char *const memory_goals[] = { "no memory", NULL };
#define no_memory_setup one_vma
TWIN_TASKS(no_memory, { "f1", prepare_a }, { "f2", prepare_a });
static const struct heddle_variant no_memory_variants[] = {
	{ .name = "one failure", .data = &safe, .goals = memory_goals },
	{ .name = NULL },
};
/* the other one succeeds */
TWIN(no_memory, "rmap/no memory for an anon_vma", .check = one_check);

/* --- whose is taken ------------------------------------------------------- */

static bool shares(void)
{
	return at(2)->anon_vma == at(4)->anon_vma;
}

static int prepare(u32 page)
{
	int err;

	mmap_read_lock(mm);
	err = anon_vma_prepare(at(page));
	mmap_read_unlock(mm);
	return err;
}

static int low_then_high(void)
{
	int err = prepare(2);

	err = err ? err : prepare(4);
	heddle_assert(err || shares());
	return err;
}

static int high_then_low(void)
{
	int err = prepare(4);

	err = err ? err : prepare(2);
	heddle_assert(err || shares());
	return err;
}

static int strangers(void)
{
	int err = prepare(2);

	err = err ? err : prepare(5);
	heddle_assert(err || at(2)->anon_vma != at(5)->anon_vma);
	return err;
}

#define NEAR(id, fn, ...)                                              \
	static const struct call id = {                                \
		.form = { V10, ANON }, .make = fn,                     \
		.before = { __VA_ARGS__ }, .after = { __VA_ARGS__ },   \
	}
NEAR(prev, low_then_high, { 2, 4, 0, RW }, { 4, 6, 0, RO });
NEAR(next, high_then_low, { 2, 4, 0, RW }, { 4, 6, 0, RO });
NEAR(gap, strangers, { 2, 4, 0, RW }, { 5, 6, 0, RO });
/* the next one has none */
NEAR(between, low_then_high, { 2, 4, 0, RW }, { 4, 6, 0, RO }, { 6, 8, 0, RW });
CALLS(near, "rmap/whose anon_vma is taken",
      CALL_ONLY("the one's before, not the next one's", between),
      CALL_ONLY("the one's before", prev), CALL_ONLY("the next one's", next),
      CALL_ONLY("nobody's, over a gap", gap));

/* --- clone, fork, unlink -------------------------------------------------- */

/* VMAs that nobody sees, as vm_area_dup() leaves them. */
static struct vm_area_struct *child, *grandchild, *twin;

static void family(void)
{
	one_vma();
	heddle_assert(!prepare(2));
	child = vm_area_dup(a);
	grandchild = vm_area_dup(a);
	twin = vm_area_dup(a);
}

static int fork_twice(void)
{
	int err = anon_vma_fork(child, a);

	heddle_assert(!err || (!child->avc[0] && !child->anon_vma));
	if (err)
		return err;
	heddle_assert(child->anon_vma != a->anon_vma);
	heddle_assert(vmas_of(a->anon_vma) == 2);
	err = anon_vma_fork(grandchild, child);
	heddle_assert(!err || (!grandchild->avc[0] && !grandchild->anon_vma));
	if (err)
		return err;
	/* linked to all that its parent is linked to */
	heddle_assert(vmas_of(a->anon_vma) == 3);
	heddle_assert(vmas_of(child->anon_vma) == 2);
	heddle_assert(vmas_of(grandchild->anon_vma) == 1);
	return 0;
}

/* As split_vma() does; when it fails, nothing is left of it. */
static void clone_grandchild(void)
{
	twin->anon_vma = grandchild->anon_vma;
	if (anon_vma_clone(twin, grandchild)) {
		heddle_mark("clone fails");
		heddle_assert(!twin->anon_vma && !twin->avc[0]);
		heddle_assert(vmas_of(a->anon_vma) == 3);
		return;
	}
	heddle_assert(vmas_of(a->anon_vma) == 4);
	heddle_assert(twin->anon_vma == grandchild->anon_vma);
	unlink_anon_vmas(twin);
}

static void clones(void *arg)
{
	(void)arg;
	if (fork_twice())
		heddle_mark("fork fails");
	else
		clone_grandchild();
	if (child->avc[0])
		unlink_anon_vmas(child);
	if (grandchild->avc[0] && !broken())
		unlink_anon_vmas(grandchild);
	heddle_assert(!child->anon_vma);
	heddle_assert(broken() || !grandchild->avc[0]);
	vm_area_free(twin);
	vm_area_free(child);
	vm_area_free(grandchild);
}

static void one_left_check(void)
{
	heddle_assert(broken() || (vmas_of(a->anon_vma) == 1 &&
				   anon_links_ok(mm)));
}

static const char *const clone_goals[] = { "fork fails", "clone fails", NULL };
#define clones_setup family
TWIN_TASKS(clones, { "fork", clones });
static const struct heddle_variant clones_variants[] = {
	{ .name = "nothing fails", .data = &safe, .fail = TWIN_NONE },
	{ .name = "links fail", .data = &safe, .goals = clone_goals },
	{ .name = "not unlinked", .data = &careless, .fail = TWIN_NONE,
	  .expect = { SHOWS(RMAP) } },
	{ .name = NULL },
};
TWIN(clones, "rmap/clone, fork, unlink", .check = one_left_check);

/* Nothing to link to, nothing to make. */
static int fork_without(void)
{
	struct vm_area_struct *copy = vm_area_dup(at(4));
	struct folio folio = { .mapping = NULL };
	struct anon_vma *av = at(2)->anon_vma;
	int err;

	if (!copy)
		return -ENOMEM;
	err = anon_vma_fork(copy, at(4));
	heddle_assert(!err && !copy->anon_vma && !copy->avc[0]);
	vm_area_free(copy);
	/* and a reference is to what is there */
	heddle_assert(!folio_get_anon_vma(&folio));
	folio.mapping = av;
	heddle_assert(folio_get_anon_vma(&folio) == av);
	heddle_assert(refcount_read(&av->refcount) == 2);
	put_anon_vma(av);
	return 0;
}

static void prepare_2(void)
{
	heddle_assert(!prepare(2));
}

static const struct call without = {
	.form = { V10, ANON }, .make = fork_without, .prepare = prepare_2,
	.before = { { 2, 3, 0, RW }, { 4, 6, 0, RW } },
	.after = { { 2, 3, 0, RW }, { 4, 6, 0, RW } },
};
CALLS(without, "rmap/no anon_vma", CALL_ONLY("fork", without));

/* The last link goes: so does the anon_vma; whoever still has it, uses what was
 * freed. */
static void unlink_last(void *arg)
{
	struct anon_vma *av = a->anon_vma;

	(void)arg;
	mmap_write_lock(mm);
	vma_start_write(a);
	if (broken())
		unlink_anon_vmas(a);
	anon_vma_lock_write(av);
	anon_vma_unlock_write(av);
	if (!broken())
		unlink_anon_vmas(a);
	mmap_write_unlock(mm);
}

#define last_setup family
TWIN_TASKS(last, { "writer", unlink_last });
FORMS(last, safe, careless, SHOWS(USE_AFTER_FREE));
TWIN(last, "rmap/the last link");

/* --- walks ---------------------------------------------------------------- */

static bool page_at(struct mm_struct *of, u32 page)
{
	struct page_table *table = pte_offset(of, PAGE(page));

	return table && table->pte[page % PTRS_PER_PTE];
}

static void two_pages(void)
{
	one_vma();
	mm_add_page(mm, PAGE(2), 22);
	mm_add_page(mm, PAGE(3), 33);
}

/* Reclaim takes page 3 away while its VMA is split.  It must be found: in the one
 * half or in the other. */
static void reclaim(void *arg)
{
	struct anon_vma *av = a->anon_vma;

	(void)arg;
	rmap_unmap_anon(av, 3);
	heddle_mark("walked");
}

static void split_it(void *arg)
{
	(void)arg;
	mmap_write_lock(mm);
	heddle_assert(!split_vma(at(2), PAGE(3), false));
	mmap_write_unlock(mm);
}

static void gone_check(void)
{
	heddle_assert(page_at(mm, 2) && !page_at(mm, 3));
}

static const char *const walk_goals[] = { "walked", "VMA split", NULL };
#define walk_setup two_pages
TWIN_TASKS(walk, { "split", split_it }, { "reclaim", reclaim });
static const struct heddle_variant walk_variants[] = {
	{ .name = "safe", .data = &safe, .fail = TWIN_NONE },
	{ .name = NULL },
};
TWIN(walk, "rmap/a walk and a split", .check = gone_check,
     .goals = walk_goals);

/* --- files ---------------------------------------------------------------- */

static const struct test file_safe = { .form = { V10, .parts = MM_FILE } };
static struct file *file;
static struct mm_struct *other;

static struct vm_area_struct *add_file_vma(struct mm_struct *of, u32 first,
					   u32 end, u32 pgoff)
{
	struct vm_area_struct *vma = mm_add_vma_file(
		of, PAGE(first), PAGE(end), RW | VM_SHARED, file, NULL);
	u32 i;

	mmap_write_lock(of);
	vma_start_write(vma);
	vma->vm_pgoff = pgoff;
	mmap_write_unlock(of);
	for (i = first; i < end; i++)
		set_pte(of, pte_alloc(of, PAGE(i)), PAGE(i), 0x7770);
	return vma;
}

/* Pages 10 to 13 of the file at 2 to 5 here, 12 to 15 at 6 to 9 elsewhere. */
static void two_mms(void)
{
	file = mm_new_file();
	mm = mm_alloc();
	other = mm_alloc();
	a = add_file_vma(mm, 2, 6, 10);
	add_file_vma(other, 6, 10, 12);
	add_file_vma(mm, 8, 9, 20);
}

/* What is gone: pages [first, last] of the file, here and elsewhere. */
static void unmapped(u32 first, u32 last)
{
	u32 i;

	for (i = 0; i < 4; i++) {
		heddle_assert(page_at(mm, 2 + i) ==
			      (10 + i < first || 10 + i > last));
		heddle_assert(page_at(other, 6 + i) ==
			      (12 + i < first || 12 + i > last));
	}
	heddle_assert(page_at(mm, 8));
}

struct range {
	struct mm_form form;
	u32 first, last;
};

static void truncate(void *arg)
{
	const struct range *r = heddle_variant_data();

	(void)arg;
	unmap_mapping_pages(file->f_mapping, r->first, r->last);
	unmapped(r->first, r->last);
}

#define RANGE(id, ...)                                                 \
	static const struct range id = {                               \
		.form = { V10, .parts = MM_FILE }, __VA_ARGS__         \
	}
RANGE(both, 12, 13);
RANGE(low, 0, 10);
RANGE(high, 14, 19);
RANGE(before, 0, 9);
RANGE(behind, 16, 19);
RANGE(most, 11, 15);
#define WHAT(text, id) { .name = (text), .data = &(id) }
#define truncate_setup two_mms
TWIN_TASKS(truncate, { "truncate", truncate });
static const struct heddle_variant truncate_variants[] = {
	WHAT("in both", both), WHAT("the first one", low),
	WHAT("the last two", high), WHAT("before all", before),
	WHAT("behind all", behind), WHAT("most", most), { .name = NULL },
};
TWIN(truncate, "rmap/unmap_mapping_pages");

/* The list while VMAs come and go: it has those of the trees, and the file has a
 * reference of each. */
static void change_file_vmas(void *arg)
{
	(void)arg;
	mmap_write_lock(mm);
	heddle_assert(!split_vma(a, PAGE(4), false));
	mmap_write_unlock(mm);
	heddle_assert(!do_munmap(mm, PAGE(3), PAGE(5)));
}

static void drop_12(void *arg)
{
	(void)arg;
	unmap_mapping_pages(file->f_mapping, 12, 12);
}

static void listed_check(void)
{
	u32 i, n = 0;

	for (i = 0; i < MM_RMAP_VMAS; i++)
		n += !!file->f_mapping->i_mmap[i];
	/* [2, 3), [5, 6), [8, 9), the other mm's; and who opened it */
	heddle_assert(n == 4 && file->f_count.refs.counter == 5);
	heddle_assert(!page_at(mm, 4) && !page_at(other, 6));
}

#define listed_setup two_mms
TWIN_TASKS(listed, { "munmap", change_file_vmas }, { "truncate", drop_12 });
static const struct heddle_variant listed_variants[] = {
	{ .name = "safe", .data = &file_safe, .fail = TWIN_NONE, .bound = 1 },
	{ .name = NULL },
};
TWIN(listed, "rmap/i_mmap while VMAs come and go", .check = listed_check);
