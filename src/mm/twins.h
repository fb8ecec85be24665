/* SPDX-License-Identifier: MIT */
/* What the tests of the mm world share: forms of the VMA lock to choose from,
 * and address spaces described in pages. */
#ifndef MM_TWINS_H
#define MM_TWINS_H

#include "../base/twin.h"
#include "mm.h"

#define V10 .lock = &vma_lock_v10, .lock_offset = 0x40000000
#define GEN1 .lock = &vma_lock_gen1, .free_by_rcu = true
#define GEN2 .lock = &vma_lock_gen2, .free_by_rcu = true

#define PAGE(n) ((unsigned long)(n) << PAGE_SHIFT)
#define RW (VM_READ | VM_WRITE)
#define RO VM_READ

/* A variant of a scenario id: safe, or one that shows what it names. */
#define FORMS(id, good, bad, ...)                                      \
	static const struct heddle_variant id##_variants[] = {         \
		{ .name = "safe", .data = &(good) },                   \
		{ .name = "broken", .data = &(bad),                    \
		  .expect = { __VA_ARGS__ } },                         \
		{ .name = NULL },                                      \
	}
#define SAFE_FORM(id, good)                                            \
	static const struct heddle_variant id##_variants[] = {         \
		{ .name = "safe", .data = &(good) },                   \
		{ .name = NULL },                                      \
	}

/* Pages [first, end) are one VMA, with the page number first + shift.  A list of
 * these ends with end == 0. */
struct area {
	u8 first, end;
	s8 shift;
	vm_flags_t flags;
};

static inline void add_areas(struct mm_struct *mm, const struct area *a)
{
	struct vm_area_struct *vma;

	for (; a->end; a++) {
		vma = mm_add_vma_flags(mm, PAGE(a->first), PAGE(a->end),
				       a->flags);
		mmap_write_lock(mm);
		vma_start_write(vma);
		vma->vm_pgoff = (unsigned long)(a->first + a->shift);
		mmap_write_unlock(mm);
	}
}

static inline bool is_area(const struct vm_area_struct *vma,
			   const struct area *a)
{
	return vma->vm_start == PAGE(a->first) && vma->vm_end == PAGE(a->end) &&
	       vma->vm_flags == a->flags &&
	       vma->vm_pgoff == (unsigned long)(a->first + a->shift);
}

/* Are these the VMAs of mm, no more and no fewer?  Without an op: for the end
 * of a run. */
static inline bool has_areas(const struct mm_struct *mm, const struct area *a)
{
	const struct maple_node *node = mm->mm_mt.root;
	u32 n = 0;

	for (; a[n].end; n++)
		if (n == node->nslots || !is_area(node->slot[n].vma, &a[n]))
			return false;
	return n == node->nslots && n == (u32)mm->map_count;
}

/* Is each page as these say, whoever holds it?  After a split that remains. */
static inline bool has_pages(const struct mm_struct *mm, const struct area *a)
{
	const struct maple_node *node = mm->mm_mt.root;
	const struct vm_area_struct *vma;
	u32 k, i, pages = 0, want = 0;

	for (i = 0; a[i].end; i++)
		want += (u32)(a[i].end - a[i].first);
	for (k = 0; k < node->nslots; k++) {
		vma = node->slot[k].vma;
		pages += (u32)((vma->vm_end - vma->vm_start) >> PAGE_SHIFT);
		for (i = 0; a[i].end; i++)
			if (vma->vm_start >= PAGE(a[i].first) &&
			    vma->vm_end <= PAGE(a[i].end))
				break;
		if (!a[i].end || vma->vm_flags != a[i].flags ||
		    (long)vma->vm_pgoff !=
			    (long)(vma->vm_start >> PAGE_SHIFT) + a[i].shift)
			return false;
	}
	return pages == want && node->nslots == (u32)mm->map_count;
}

/* How many VMAs of mm are linked to av, in both directions. */
static inline int linked_to(const struct mm_struct *mm,
			    const struct anon_vma *av)
{
	const struct maple_node *node = mm->mm_mt.root;
	u32 k, i;
	int n = 0;

	for (k = 0; k < node->nslots; k++)
		for (i = 0; i < MM_RMAP_VMAS; i++)
			n += av->vma[i] == node->slot[k].vma &&
			     node->slot[k].vma->avc[0] == av;
	return n;
}

/* Each anon_vma lists the VMAs that have it, once, and no others; it has as many
 * references.  For one mm that never forked. */
static inline bool anon_links_ok(const struct mm_struct *mm)
{
	const struct maple_node *node = mm->mm_mt.root;
	const struct vm_area_struct *vma;
	const struct anon_vma *av;
	u32 k, i;
	int listed;

	for (k = 0; k < node->nslots; k++) {
		vma = node->slot[k].vma;
		av = vma->avc[0];
		if (vma->anon_vma != av || vma->avc[1])
			return false;
		if (!av)
			continue;
		for (i = 0, listed = 0; i < MM_RMAP_VMAS; i++)
			listed += !!av->vma[i];
		if (listed != linked_to(mm, av) ||
		    listed != av->refcount.refs.counter)
			return false;
	}
	return true;
}

/* --- calls, one after the other ------------------------------------------------ */

/* A call on an address space, and what must be there afterwards.  If a failure
 * is tried and it says so: page by page what was there before. */
struct call {
	struct mm_form form;
	struct area before[5], after[5];
	int (*make)(void);
	void (*prepare)(void); /* the set-up's last part; or NULL */
	int err;               /* the call's result without any failure */
};

static struct mm_struct *mm __attribute__((unused));
static int result;

static inline const struct call *the_call(void)
{
	return heddle_variant_data();
}

/* For one task alone: nobody replaces the node meanwhile. */
static inline struct vm_area_struct *at(u32 page)
{
	const struct maple_node *node = mm->mm_mt.root;
	u32 i;

	for (i = 0; i < node->nslots; i++)
		if (PAGE(page) >= node->slot[i].first &&
		    PAGE(page) <= node->slot[i].last)
			return node->slot[i].vma;
	return NULL;
}

static inline void call_setup(void)
{
	mm = mm_alloc();
	add_areas(mm, the_call()->before);
	if (the_call()->prepare)
		the_call()->prepare();
}

static inline void call_task(void *arg)
{
	(void)arg;
	result = the_call()->make();
	if (result)
		heddle_mark("call fails");
	else
		heddle_mark("call succeeds");
}

static inline void call_check(void)
{
	const struct call *c = the_call();

	if (heddle_variant()->fail == TWIN_NONE)
		heddle_assert(result == c->err);
	if (result == c->err)
		heddle_assert(has_areas(mm, c->after));
	else
		heddle_assert(result == -ENOMEM && has_pages(mm, c->before));
	heddle_assert(anon_links_ok(mm));
}

static const char *const call_goals[] __attribute__((unused)) = {
	"call fails", "call succeeds", NULL
};

/* Nothing fails; or also: each step fails that can. */
#define CALL_ONLY(text, id) \
	{ .name = (text), .data = &(id), .fail = TWIN_NONE }
#define CALL(text, id)                                                 \
	CALL_ONLY(text, id),                                           \
	{ .name = text ", failures", .data = &(id), .fail = 1,         \
	  .goals = call_goals }

#define CALLS(id, text, ...)                                           \
	static const struct heddle_variant id##_variants[] = {         \
		__VA_ARGS__, { .name = NULL },                         \
	};                                                             \
	TWIN_TASKS(id, { "call", call_task });                         \
	HEDDLE_SCENARIO(id##_twin) = {                                 \
		.name = (text),                                        \
		.variants = id##_variants,                             \
		.tasks = id##_tasks,                                   \
		.setup = call_setup,                                   \
		.check = call_check,                                   \
	}

/* --- steps of one task, one after the other; what they assert is the test ------- */

struct steps {
	struct mm_form form;
	void (*prepare)(void), (*take)(void);
};

static inline void steps_setup(void)
{
	const struct steps *s = heddle_variant_data();

	mm = mm_alloc();
	s->prepare();
}

static inline void steps_task(void *arg)
{
	const struct steps *s = heddle_variant_data();

	(void)arg;
	s->take();
	return_to_user();
}

#define STEPS(id, before, parts_)                                      \
	static const struct steps id##_steps = {                       \
		.form = { V10, .parts = (parts_) },                    \
		.prepare = before, .take = id,                         \
	}
/* Nothing fails. */
#define ALONE(text, id)                                                \
	{ .name = (text), .data = &id##_steps, .fail = TWIN_NONE,      \
	  .signals = TWIN_NONE }

#endif
