/* SPDX-License-Identifier: MIT */
/* not-restored: is each thing missed that a failed call left behind, and nothing
 * else?
 *
 * Covers check_restored.c: first on calls that are made up, then on those of
 * vma_modify.c, vma_merge.c and munmap.c with their undo left out. */
#include <heddle/mm.h>

#include "twins.h"

/* --- a call that fails, and what it forgot -------------------------------------------- */

struct forgets {
	struct mm_form form;
	void (*what)(struct vm_area_struct *vma);
};

static struct vm_area_struct *vma;

static void two_vmas(void)
{
	mm = mm_alloc();
	vma = mm_add_vma(mm, PAGE(2), PAGE(4));
	mm_add_vma_flags(mm, PAGE(4), PAGE(6), RO);
}

static void failing(void *arg)
{
	const struct forgets *f = heddle_variant_data();

	(void)arg;
	mmap_write_lock(mm);
	vma_start_write(vma);
	mm_note(MM_NOTE_CALL, mm, NULL, 0);
	f->what(vma);
	mm_note(MM_NOTE_CALL_FAILED, mm, NULL, (u64)-ENOMEM);
	mmap_write_unlock(mm);
}

static void forget_nothing(struct vm_area_struct *v)
{
	v->vm_flags |= VM_LOCKED;
	v->vm_flags &= ~VM_LOCKED;
}

/* Two halves are as good as one, and pages may go. */
static void forget_a_split(struct vm_area_struct *v)
{
	set_pte(mm, pte_alloc(mm, PAGE(2)), PAGE(2), 7);
	heddle_assert(!split_vma(v, PAGE(3), false));
	unmap_region(mm, PAGE(2), PAGE(4));
}

static void forget_flags(struct vm_area_struct *v)
{
	v->vm_flags |= VM_LOCKED;
}

static void forget_pgoff(struct vm_area_struct *v)
{
	v->vm_pgoff++;
}

static void forget_prot(struct vm_area_struct *v)
{
	v->vm_page_prot = _PAGE_RW;
}

static const struct vm_operations_struct ops;

static void forget_ops(struct vm_area_struct *v)
{
	v->vm_ops = &ops;
}

static void forget_file(struct vm_area_struct *v)
{
	v->vm_file = (struct file *)&ops;
}

static void forget_policy(struct vm_area_struct *v)
{
	v->vm_policy = (struct mempolicy *)&ops;
}

static void forget_ctx(struct vm_area_struct *v)
{
	v->vm_userfaultfd_ctx.ctx = (struct userfaultfd_ctx *)&ops;
}

static void forget_anon_vma(struct vm_area_struct *v)
{
	v->anon_vma = (struct anon_vma *)&ops;
}

static void forget_range(struct vm_area_struct *v)
{
	heddle_assert(!vma_shrink(v, PAGE(2), PAGE(3)));
}

static void forget_a_vma(struct vm_area_struct *v)
{
	(void)v;
	heddle_assert(!do_vmi_munmap(mm, PAGE(2), PAGE(4)));
}

static void forget_attached(struct vm_area_struct *v)
{
	vma_mark_detached(v);
}

/* Two VMAs change their flags: taken together they are as before. */
static void forget_order(struct vm_area_struct *v)
{
	struct vm_area_struct *next = vma_next(mm, PAGE(2));

	vma_start_write(next);
	next->vm_flags = v->vm_flags;
	v->vm_flags = RO;
}

#define FORGETS(id) \
	static const struct forgets id = { .form = { V10 }, .what = forget_##id }
#define OLD_FORGETS(id, fn) \
	static const struct forgets id = { .form = { GEN1 }, .what = fn }
FORGETS(nothing);
FORGETS(a_split);
FORGETS(flags);
FORGETS(pgoff);
FORGETS(prot);
FORGETS(file);
FORGETS(policy);
FORGETS(ctx);
FORGETS(anon_vma);
FORGETS(range);
FORGETS(a_vma);
FORGETS(attached);
FORGETS(order);
static const struct forgets ops_forgotten = { .form = { V10 },
					      .what = forget_ops };
OLD_FORGETS(old_nothing, forget_nothing);
OLD_FORGETS(old_attached, forget_attached);

#define MISSED(text, id) \
	{ .name = (text), .data = &(id), .fail = TWIN_NONE, \
	  .expect = { SHOWS(NOT_RESTORED) } }
#define FINE(text, id) \
	{ .name = (text), .data = &(id), .fail = TWIN_NONE }
#define fields_setup two_vmas
TWIN_TASKS(fields, { "call", failing });
static const struct heddle_variant fields_variants[] = {
	FINE("all undone", nothing), FINE("all undone, 6.6", old_nothing),
	FINE("a split stays, pages go", a_split),
	MISSED("vm_flags", flags), MISSED("vm_pgoff", pgoff),
	MISSED("vm_page_prot", prot), MISSED("vm_ops", ops_forgotten),
	MISSED("vm_file", file), MISSED("vm_policy", policy),
	MISSED("userfaultfd", ctx), MISSED("anon_vma", anon_vma),
	MISSED("a part", range), MISSED("a VMA", a_vma),
	MISSED("attached", attached), MISSED("attached, 6.6", old_attached),
	MISSED("two that differ", order), { .name = NULL },
};
TWIN(fields, "not-restored/what a call forgets");

/* --- calls of the world, without their undo ---------------------------------------------- */

static int protect(void)
{
	return do_mprotect(mm, PAGE(2), PAGE(4), VM_READ);
}

static int unmap(void)
{
	return do_munmap(mm, PAGE(2), PAGE(4));
}

static int map_between(void)
{
	/* not on the stack: AddressSanitizer would see there the poison of
	 * frames that the search has left */
	static struct vm_area_struct proto;
	int err;

	proto.vm_mm = mm;
	proto.vm_start = PAGE(2);
	proto.vm_end = PAGE(4);
	proto.vm_pgoff = 2;
	proto.vm_flags = RW;
	mmap_write_lock(mm);
	mm_note(MM_NOTE_CALL, mm, NULL, 0);
	vma_merge_new_range(&proto, NULL, &err);
	if (err)
		mm_note(MM_NOTE_CALL_FAILED, mm, NULL, (u64)err);
	mmap_write_unlock(mm);
	return err;
}

static void last_has_pages(void)
{
	u32 page = at(2) ? 2 : 4;

	mmap_read_lock(mm);
	heddle_assert(!anon_vma_prepare(at(page)));
	mmap_read_unlock(mm);
}

#define UNDO(id, step, ...)                                            \
	static const struct call id = { .form = { V10, .parts = MM_ANON }, \
					__VA_ARGS__ };                 \
	static const struct call id##_not = {                          \
		.form = { V10, .parts = MM_ANON, .without = step },    \
		__VA_ARGS__                                            \
	}
UNDO(merge, MM_STEP_UNDO_DUP_ANON_VMA, .make = protect,
     .prepare = last_has_pages,
     .before = { { 0, 2, 0, RO }, { 2, 4, 0, RW } });
UNDO(expand, MM_STEP_UNDO_DUP_ANON_VMA, .make = map_between,
     .prepare = last_has_pages,
     .before = { { 0, 2, 0, RW }, { 4, 6, 0, RW } });
UNDO(abort, MM_STEP_REATTACH, .make = unmap,
     .before = { { 2, 3, 0, RO }, { 3, 5, 0, RW } });
static const struct call old_abort = {
	.form = { GEN1 }, .make = unmap,
	.before = { { 2, 3, 0, RO }, { 3, 5, 0, RW } },
};
static const struct call old_abort_not = {
	.form = { GEN1, .without = MM_STEP_REATTACH }, .make = unmap,
	.before = { { 2, 3, 0, RO }, { 3, 5, 0, RW } },
};

#define UNDONE(text, id)                                               \
	{ .name = (text), .data = &(id), .goals = call_goals },        \
	{ .name = text ", not undone", .data = &(id##_not),            \
	  .goals = call_goals, .expect = { SHOWS(NOT_RESTORED) } }
#define undo_setup call_setup
TWIN_TASKS(undo, { "call", call_task });
static const struct heddle_variant undo_variants[] = {
	UNDONE("merge", merge), UNDONE("expand", expand),
	UNDONE("munmap", abort), UNDONE("munmap, 6.6", old_abort),
	{ .name = NULL },
};
TWIN(undo, "not-restored/calls that fail");
