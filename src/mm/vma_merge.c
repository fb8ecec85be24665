/* SPDX-License-Identifier: MIT */
/* When does a range become one with its neighbours?
 *
 * Follows mm/vma.c of 6.12: vma_merge_existing_range, vma_merge_new_range,
 * commit_merge, vma_modify; the cases have the numbers of the old vma_merge():
 *   1 prev grows over a gap, next goes      4 the tail of vma moves into next
 *   2 prev grows                            5 prev grows into the head of vma
 *   3 next grows down                       6 prev swallows vma and next
 *                                           7 prev swallows vma
 *                                           8 next swallows vma
 * Copied in logic: what fits (flags, file, offset, policy, userfaultfd,
 * anon_vma), the order of locks, dup_anon_vma() before the commit and its undo,
 * that a VMA whose ops have a close() is never swallowed; that what mremap copies,
 * pages and all, is merged with no VMA without an anon_vma (up to 6.15), or with
 * one that gets it (6.18.8; from 6.16 until then it did not).  Simplified: no
 * names of anonymous VMAs; of two anon_vmas, equal ones fit, and one with none
 * (the kernel also looks at the length of the chains). */
#include <heddle/mm.h>

#include "mm.h"
#include "vma_modify.h"

static bool same_owner(const struct vm_area_struct *a,
		       const struct vm_area_struct *b)
{
	if (!mm_form()->parts)
		return true;
	return a->vm_file == b->vm_file && a->vm_ops == b->vm_ops &&
	       a->vm_policy == b->vm_policy &&
	       a->vm_userfaultfd_ctx.ctx == b->vm_userfaultfd_ctx.ctx;
}

static bool same_anon_vma(const struct vm_area_struct *a,
			  const struct vm_area_struct *b)
{
	const struct anon_vma *av, *bv;

	if (!mm_has(MM_ANON))
		return true;
	av = a->anon_vma;
	bv = b->anon_vma;
	return av == bv || !av || !bv;
}

/* Could a and, right behind it, b be one, with these flags? */
static bool can_merge(const struct vm_area_struct *a, vm_flags_t a_flags,
		      const struct vm_area_struct *b, vm_flags_t b_flags)
{
	if ((a_flags ^ b_flags) & ~VM_SOFTDIRTY || !same_owner(a, b) ||
	    a->vm_pgoff + ((a->vm_end - a->vm_start) >> PAGE_SHIFT) !=
		    b->vm_pgoff)
		return false;
	return same_anon_vma(a, b);
}

/* proto, a copy if it has an anon_vma, and vma are to be one. */
static bool takes(const struct vm_area_struct *vma,
		  const struct vm_area_struct *proto)
{
	return !mm_has(MM_ANON) || !proto->anon_vma || vma->anon_vma ||
	       mm_form()->modify & (MM_MODIFY_COPY_6_16 | MM_MODIFY_COPY_6_18_8);
}

static bool may_go(const struct vm_area_struct *vma)
{
	return !mm_has(MM_FILE) || !vma->vm_ops || !vma->vm_ops->close;
}

struct merge {
	struct vm_area_struct *target;   /* grows */
	struct vm_area_struct *shrinks;  /* gives up a part, or NULL */
	struct vm_area_struct *remove, *remove2;
	unsigned long start, end;        /* of target afterwards */
	unsigned long adjust;            /* new bound of shrinks */
};

/* Which side gives way is known by the bounds: a neighbour grows into vma. */
static void set_shrunk(const struct merge *m)
{
	if (m->adjust == m->end)
		vma_set_range(m->shrinks, m->adjust, m->shrinks->vm_end);
	else
		vma_set_range(m->shrinks, m->shrinks->vm_start, m->adjust);
}

static int commit_merge(const struct merge *m, struct vm_area_struct *dup)
{
	struct vma_prepare vp = { .vma = m->target, .adj_next = m->shrinks,
				  .remove = m->remove,
				  .remove2 = m->remove2 };

	if (heddle_fail("maple_node")) {
		undo_dup_anon_vma(dup);
		return -ENOMEM;
	}
	/* The bound that moves between target and shrinks is one for both, so
	 * the huge page that it cuts is split as target's.  (The kernel asks for
	 * shrinks too: it splits only what the VMA that it is asked for
	 * covered.) */
	vma_start_change(&vp, m->start, m->end);
	vma_set_range(m->target, m->start, m->end);
	if (m->shrinks)
		set_shrunk(m);
	mas_store(m->target->vm_mm, m->target);
	vma_complete(&vp);
	return 0;
}

static int lock_for_merge(const struct merge *m, struct vm_area_struct *vma)
{
	int err = vma_start_write_early(vma);

	if (!err)
		err = vma_start_write_early(m->target);
	if (!err && m->remove2)
		err = vma_start_write_early(m->remove2);
	if (err || (mm_form()->modify & MM_MODIFY_ORDER) != MM_MODIFY_6_6)
		return err;
	vma_start_write(vma); /* 6.6: all of them before dup_anon_vma() */
	/* it is never vma */
	vma_start_write(m->target);
	if (m->remove2)
		vma_start_write(m->remove2);
	return 0;
}

static struct vm_area_struct *merge(const struct merge *m,
				    struct vm_area_struct *vma, int *err)
{
	struct vm_area_struct *dup = NULL;

	*err = lock_for_merge(m, vma);
	if (!*err)
		*err = dup_anon_vma(m->target, vma, &dup);
	if (!*err && m->remove2)
		*err = dup_anon_vma(m->target, m->remove2, &dup);
	if (!*err)
		*err = commit_merge(m, dup);
	if (*err) {
		heddle_mark("merge fails");
		return NULL;
	}
	heddle_mark("VMAs merged");
	return m->target;
}

struct vm_area_struct *vma_merge_existing_range(struct vm_area_struct *vma,
						unsigned long start,
						unsigned long end,
						vm_flags_t flags, int *err)
{
	struct mm_struct *mm = vma->vm_mm;
	bool head = start == vma->vm_start, tail = end == vma->vm_end;
	struct vm_area_struct *prev = head ? vma_prev(mm, start) : NULL;
	struct vm_area_struct *next = tail ? vma_next(mm, start) : NULL;
	struct merge m = { 0 };

	*err = 0;
	if (prev && (prev->vm_end != start ||
		     !can_merge(prev, prev->vm_flags, vma, flags)))
		prev = NULL;
	if (next && (next->vm_start != end ||
		     !can_merge(vma, flags, next, next->vm_flags)))
		next = NULL;
	if (prev && next && !same_anon_vma(prev, next))
		next = NULL;
	if (head && tail && !may_go(vma))
		prev = next = NULL;
	/* and if vma may, next may as well: it fits, so it has the same
	 * ops */
	if (!prev && !next)
		return NULL;
	m.target = prev ? prev : next;
	m.start = prev ? prev->vm_start : start;
	m.end = next ? next->vm_end : end;
	if (head && tail) { /* 6, 7, 8 */
		m.remove = vma;
		m.remove2 = prev ? next : NULL;
	} else { /* 5, 4 */
		m.shrinks = vma;
		m.adjust = prev ? end : start;
	}
	return merge(&m, vma, err);
}

/* target becomes [start, end): next goes, or is NULL. */
static int expand_over(struct vm_area_struct *target, unsigned long start,
		       unsigned long end, struct vm_area_struct *next,
		       struct vm_area_struct *copied)
{
	struct vm_area_struct *dup = NULL;
	int err = 0;

	if (copied && mm_form()->modify & MM_MODIFY_COPY_6_18_8) {
		vma_start_write(target);
		err = dup_anon_vma(target, copied, &dup);
	}
	if (!err)
		err = vma_expand(target, start, end, next);
	if (err)
		undo_dup_anon_vma(dup);
	return err;
}

struct vm_area_struct *vma_merge_new_range(const struct vm_area_struct *proto,
					   struct vm_area_struct *copied,
					   int *err)
{
	struct mm_struct *mm = proto->vm_mm;
	struct vm_area_struct *prev = vma_prev(mm, proto->vm_start);
	struct vm_area_struct *next = vma_next(mm, proto->vm_start);
	struct vm_area_struct *target;

	*err = 0;
	if (prev && (prev->vm_end != proto->vm_start || !takes(prev, proto) ||
		     !can_merge(prev, prev->vm_flags, proto, proto->vm_flags)))
		prev = NULL;
	if (next && (next->vm_start != proto->vm_end || !takes(next, proto) ||
		     !can_merge(proto, proto->vm_flags, next, next->vm_flags)))
		next = NULL;
	if (prev && next && (!may_go(next) || !same_anon_vma(prev, next)))
		next = NULL;
	target = prev ? prev : next;
	if (!target)
		return NULL;
	*err = expand_over(target, prev ? prev->vm_start : proto->vm_start,
			   next ? next->vm_end : proto->vm_end,
			   prev ? next : NULL, copied);
	return *err ? NULL : target;
}

struct vm_area_struct *vma_modify(struct vm_area_struct *vma,
				  unsigned long start, unsigned long end,
				  vm_flags_t flags, int *err)
{
	struct vm_area_struct *merged =
		vma_merge_existing_range(vma, start, end, flags, err);

	if (merged || *err)
		return merged;
	if (vma->vm_start < start) {
		*err = split_vma(vma, start, true);
		if (*err)
			return NULL;
	}
	if (vma->vm_end > end) {
		*err = split_vma(vma, end, false);
		if (*err)
			return NULL;
	}
	return vma;
}
