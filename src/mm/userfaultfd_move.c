/* SPDX-License-Identifier: MIT */
/* UFFDIO_MOVE: a page changes its place, and with it its PTE, anon_vma and index.
 *
 * Follows userfaultfd_move (fs/userfaultfd.c), move_pages, move_pages_pte and
 * validate_move_areas (mm/userfaultfd.c) of 6.9.  Copied in logic: mmap_changing
 * is looked at twice; both PTEs are read, the folio and its anon_vma are locked
 * by trylock first, else by waiting and starting again, and then both PTEs are
 * compared under both locks, which are taken by address; a PTE that changed
 * meanwhile means to start over, not to fail.  Simplified: one page; no swap,
 * pinned, large or zero pages. */
#include <heddle/rmap.h>
#include <heddle/user_call.h>
#include <heddle/userfaultfd.h>

#include "mm.h"

struct move {
	struct mm_struct *mm;
	struct vm_area_struct *dst_vma, *src_vma;
	struct page_table *dst_table, *src_table;
	unsigned long dst, src;           /* addresses */
	unsigned long dst_pte, src_pte;   /* as read first */
	struct folio *folio;              /* locked, with a reference */
	unsigned long folio_pte;          /* src_pte when it was locked */
	struct anon_vma *anon_vma;        /* locked for write */
};

static unsigned long *src_slot(const struct move *m)
{
	return &m->src_table->pte[pte_index(m->src)];
}

static unsigned long *dst_slot(const struct move *m)
{
	return &m->dst_table->pte[pte_index(m->dst)];
}

static void double_pt_lock(spinlock_t *a, spinlock_t *b)
{
	if (a > b && mm_does(MM_STEP_PTLS_BY_ADDRESS)) {
		spinlock_t *tmp = a;

		a = b;
		b = tmp;
	}
	spin_lock(a);
	if (a != b)
		spin_lock_nested(b, SINGLE_DEPTH_NESTING);
}

static void double_pt_unlock(spinlock_t *a, spinlock_t *b)
{
	spin_unlock(a);
	if (a != b)
		spin_unlock(b);
}

/* The error has its reason at the instant at which the PTE is read. */
static int read_ptes(struct move *m)
{
	spin_lock(&m->dst_table->ptl);
	m->dst_pte = READ_ONCE(*dst_slot(m));
	if (m->dst_pte)
		user_cause_here(-EEXIST);
	spin_unlock(&m->dst_table->ptl);
	if (m->dst_pte)
		return -EEXIST;
	spin_lock(&m->src_table->ptl);
	m->src_pte = READ_ONCE(*src_slot(m));
	if (!m->src_pte)
		user_cause_here(-ENOENT);
	spin_unlock(&m->src_table->ptl);
	return m->src_pte ? 0 : -ENOENT;
}

/* With a reference, and the lock if that can be had at once. */
static int get_folio(struct move *m, bool *locked)
{
	struct folio *folio = pte_folio(m->src_pte);

	if (!folio) {
		heddle_remark("the zero page is not moved");
		user_cause_here(-EBUSY);
		return -EBUSY;
	}
	spin_lock(&m->src_table->ptl);
	if (READ_ONCE(*src_slot(m)) != m->src_pte) {
		spin_unlock(&m->src_table->ptl);
		return -EAGAIN;
	}
	folio_get(folio);
	*locked = folio_trylock(folio);
	spin_unlock(&m->src_table->ptl);
	m->folio = folio;
	m->folio_pte = m->src_pte;
	return 0;
}

/* 1: it had to wait, so what was read may have changed. */
static int lock_folio(struct move *m)
{
	bool locked;
	int err = get_folio(m, &locked);

	if (err || locked)
		return err;
	heddle_mark("waits for the folio");
	folio_lock(m->folio);
	return 1;
}

static int lock_anon_vma(struct move *m)
{
	m->anon_vma = folio_get_anon_vma(m->folio);
	if (!m->anon_vma)
		return -EAGAIN;
	if (anon_vma_trylock_write(m->anon_vma))
		return 0;
	heddle_mark("waits for the anon_vma");
	anon_vma_lock_write(m->anon_vma);
	return 1;
}

static int move_present_pte(struct move *m)
{
	struct vm_area_struct *vma = m->dst_vma;
	int err = -EAGAIN;

	double_pt_lock(&m->dst_table->ptl, &m->src_table->ptl);
	if (mm_does(MM_STEP_MOVE_COMPARES_PTES) &&
	    (READ_ONCE(*src_slot(m)) != m->src_pte ||
	     READ_ONCE(*dst_slot(m)) != m->dst_pte)) {
		heddle_mark("a PTE changed meanwhile");
		goto out;
	}
	WRITE_ONCE(*src_slot(m), 0);
	flush_tlb_page(m->mm, m->src);
	WRITE_ONCE(m->folio->mapping, vma->anon_vma);
	m->folio->index = linear_page_index(vma, m->dst);
	install_pte(m->mm, m->dst_table, m->dst, m->src_pte);
	heddle_mark("page moved");
	err = 0;
out:
	double_pt_unlock(&m->dst_table->ptl, &m->src_table->ptl);
	return err;
}

static int move_pages_pte(struct move *m)
{
	int err;

	m->folio = NULL;
	m->anon_vma = NULL;
	m->dst_table = pte_alloc(m->mm, m->dst);
	m->src_table = pte_offset(m->mm, m->src);
	if (!m->src_table) {
		user_cause_here(-ENOENT);
		return -ENOENT;
	}
retry:
	err = read_ptes(m);
	if (!err && m->folio && m->folio_pte != m->src_pte) {
		heddle_remark("another page by now: start over");
		err = -EAGAIN;
	}
	if (!err && !m->folio)
		err = lock_folio(m);
	if (!err && !m->anon_vma)
		err = lock_anon_vma(m);
	if (err > 0)
		goto retry;
	if (!err)
		err = move_present_pte(m);
	if (m->anon_vma) {
		anon_vma_unlock_write(m->anon_vma);
		put_anon_vma(m->anon_vma);
	}
	if (m->folio) {
		folio_unlock(m->folio);
		folio_put(m->folio);
	}
	return err;
}

static int validate_move_areas(struct userfaultfd_ctx *ctx, struct move *m)
{
	vm_flags_t src = m->src_vma->vm_flags, dst = m->dst_vma->vm_flags;

	if ((src ^ dst) & (VM_READ | VM_WRITE | VM_LOCKED))
		return -EINVAL;
	if (!(src & VM_WRITE)) {
		user_cause_here(-EINVAL);
		return -EINVAL;
	}
	if (m->dst_vma->vm_userfaultfd_ctx.ctx != ctx) {
		user_cause_here(-EINVAL);
		return -EINVAL;
	}
	return 0;
}

static int move_pages(struct userfaultfd_ctx *ctx, struct move *m,
		      const struct uffd_move_locking *locking)
{
	int err = locking->lock(m->mm, m->dst, m->src, &m->dst_vma,
				&m->src_vma);

	if (err)
		return err;
	heddle_mark("both VMAs locked");
	down_read(&ctx->map_changing_lock);
	if (atomic_read(&ctx->mmap_changing))
		err = -EAGAIN;
	else
		err = validate_move_areas(ctx, m);
	if (!err) {
		while ((err = move_pages_pte(m)) == -EAGAIN)
			cond_resched();
	}
	up_read(&ctx->map_changing_lock);
	locking->unlock(m->dst_vma, m->src_vma);
	return err;
}

int userfaultfd_move(struct userfaultfd_ctx *ctx, unsigned long dst,
		     unsigned long src,
		     const struct uffd_move_locking *locking)
{
	struct move m = { .mm = ctx->mm, .dst = dst, .src = src };
	int err;

	user_call_begin(m.mm);
	user_call_needs_vma(m.mm, dst);
	user_call_needs_vma(m.mm, src);
	if (atomic_read(&ctx->mmap_changing))
		err = -EAGAIN;
	else
		err = move_pages(ctx, &m, locking);
	return_to_user();
	user_call_end(err);
	return err;
}
