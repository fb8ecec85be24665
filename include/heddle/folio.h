/* SPDX-License-Identifier: MIT */
/* Folios: their lock and their references (include/linux/page-flags.h,
 * include/linux/pagemap.h, include/linux/page_ref.h, mm/filemap.c, 6.12).
 *
 * The lock is bit PG_locked of flags.  folio_lock() may sleep; it is one op on
 * the flags, and if the folio is locked a second one follows when it is not:
 * whoever runs first gets it.  There is no owner and no lockdep map, as in the
 * kernel: no order is judged, only a deadlock is seen.  The killable form
 * returns -EINTR if the schedule lets a signal come while it would sleep.
 * Unlocking a folio that is not locked is verdict bug (VM_BUG_ON_FOLIO).
 *
 * folio_put() frees the object at the last reference: every later access is a
 * use after free, except folio_try_get(), which then fails: that is how a
 * lookup without a lock goes about it.  A freed folio does not come back as
 * another one.  A folio freed while locked is verdict warn ("Bad page state").
 * A page is a folio of its own: there are no large folios. */
#ifndef HEDDLE_FOLIO_H
#define HEDDLE_FOLIO_H

#include <heddle/bitops.h>
#include <heddle/bug.h>

enum pageflags {
	PG_locked,
	PG_writeback,
	PG_referenced,
	PG_uptodate,
	PG_dirty,
	PG_lru,
	PG_active,
	PG_private,
	PG_head, /* maps a group of pages, and is one object for all of them */
};

struct folio {
	unsigned long flags; /* enum pageflags */
	void *mapping;
	unsigned long index;
	void *private;
	atomic_t _mapcount;
	atomic_t _refcount;
	unsigned long data[2]; /* what is on the page */
};

struct page {
	struct folio folio;
};
#define page_folio(page) (&(page)->folio)

/* With one reference, not locked; NULL if the schedule lets it fail (not in the
 * set-up).  order must be 0. */
struct folio *folio_alloc(gfp_t gfp, unsigned int order);

/* --- the lock --------------------------------------------------------- */

void folio_lock(struct folio *folio);
int __must_check folio_lock_killable(struct folio *folio);
bool folio_trylock(struct folio *folio);
void folio_unlock(struct folio *folio);
/* Sleep until it is not locked, without locking it. */
void folio_wait_locked(struct folio *folio);
int __must_check folio_wait_locked_killable(struct folio *folio);

/* Writeback: started by the holder of the lock, ended by anybody, and waited
 * for as for the lock.  Started twice or ended when not under way: verdict
 * bug. */
void folio_start_writeback(struct folio *folio);
void folio_end_writeback(struct folio *folio);
void folio_wait_writeback(struct folio *folio);
int __must_check folio_wait_writeback_killable(struct folio *folio);

#define lock_page(page) folio_lock(page_folio(page))
#define lock_page_killable(page) folio_lock_killable(page_folio(page))
#define trylock_page(page) folio_trylock(page_folio(page))
#define unlock_page(page) folio_unlock(page_folio(page))
#define wait_on_page_locked(page) folio_wait_locked(page_folio(page))

/* --- flags: one op each ------------------------------------------------ */

#define HD_FOLIO_TEST(name, bit)                                       \
	static __always_inline bool folio_test_##name(                 \
		const struct folio *folio)                             \
	{                                                              \
		return test_bit(bit, &folio->flags);                   \
	}
#define HD_FOLIO_FLAG(name, bit)                                       \
	HD_FOLIO_TEST(name, bit)                                       \
	static __always_inline void folio_set_##name(struct folio *folio) \
	{                                                              \
		set_bit(bit, &folio->flags);                           \
	}                                                              \
	static __always_inline void folio_clear_##name(struct folio *folio) \
	{                                                              \
		clear_bit(bit, &folio->flags);                         \
	}                                                              \
	static __always_inline bool folio_test_set_##name(             \
		struct folio *folio)                                   \
	{                                                              \
		return test_and_set_bit(bit, &folio->flags);           \
	}                                                              \
	static __always_inline bool folio_test_clear_##name(           \
		struct folio *folio)                                   \
	{                                                              \
		return test_and_clear_bit(bit, &folio->flags);         \
	}
HD_FOLIO_TEST(locked, PG_locked)
HD_FOLIO_TEST(writeback, PG_writeback)
HD_FOLIO_FLAG(referenced, PG_referenced)
HD_FOLIO_FLAG(dirty, PG_dirty)
HD_FOLIO_FLAG(lru, PG_lru)
HD_FOLIO_FLAG(active, PG_active)
HD_FOLIO_FLAG(private, PG_private)

/* What was read into the folio is seen by whoever sees the flag. */
static __always_inline bool folio_test_uptodate(const struct folio *folio)
{
	bool ret = test_bit(PG_uptodate, &folio->flags);

	if (ret)
		smp_rmb();
	return ret;
}

static __always_inline void folio_mark_uptodate(struct folio *folio)
{
	smp_wmb();
	set_bit(PG_uptodate, &folio->flags);
}

#define PageLocked(page) folio_test_locked(page_folio(page))
#define PageUptodate(page) folio_test_uptodate(page_folio(page))
#define SetPageUptodate(page) folio_mark_uptodate(page_folio(page))
#define PageDirty(page) folio_test_dirty(page_folio(page))

/* --- references: one op each ------------------------------------------- */

void folio_get(struct folio *folio); /* verdict bug from 0 */
bool folio_try_get(struct folio *folio);
void folio_put(struct folio *folio); /* verdict bug from 0 */

static __always_inline int folio_ref_count(const struct folio *folio)
{
	return atomic_read(&folio->_refcount);
}

#define get_page(page) folio_get(page_folio(page))
#define put_page(page) folio_put(page_folio(page))
#define page_count(page) folio_ref_count(page_folio(page))

#define VM_BUG_ON_FOLIO(cond, folio) VM_BUG_ON(cond)
#define VM_BUG_ON_PAGE(cond, page) VM_BUG_ON(cond)
#define VM_WARN_ON_ONCE_FOLIO(cond, folio) VM_WARN_ON_ONCE(cond)

#endif
