/* SPDX-License-Identifier: MIT */
/* Who gets a folio's lock, and when is it freed? */
#include <heddle/folio.h>

#include <heddle/errno.h>
#include <heddle/slab.h>

#include "bit_lock.h"
#include "kernel.h"

struct folio *folio_alloc(gfp_t gfp, unsigned int order)
{
	struct folio *folio;

	if (order)
		hd_limit("large folios");
	hd_settle();
	if (!(gfp & __GFP_NOFAIL) && heddle_fail("folio_alloc"))
		return NULL;
	folio = hd_heap_new("folio", sizeof(*folio), HD_PC());
	folio->_mapcount.counter = -1;
	folio->_refcount.counter = 1;
	return folio;
}

/* --- the lock --------------------------------------------------------- */

static struct bit_lock lock_of(struct folio *folio, u32 pc)
{
	return bit_lock_of(PG_locked, &folio->flags, pc);
}

static int lock(struct folio *folio, bool killable, u32 pc)
{
	struct bit_lock b = lock_of(folio, pc);

	hd_may_sleep("folio_lock", pc);
	if (bit_lock_try(&b, HD_LOCK) || bit_lock_wait(&b, killable))
		return 0;
	return -EINTR;
}

void folio_lock(struct folio *folio)
{
	lock(folio, false, HD_PC());
}

int folio_lock_killable(struct folio *folio)
{
	return lock(folio, true, HD_PC());
}

bool folio_trylock(struct folio *folio)
{
	struct bit_lock b = lock_of(folio, HD_PC());

	return bit_lock_try(&b, HD_TRYLOCK);
}

void folio_unlock(struct folio *folio)
{
	struct bit_lock b = lock_of(folio, HD_PC());

	if (!bit_lock_drop(&b))
		hd_bug_at("!folio_test_locked(folio)", b.pc);
}

/* --- waiting for a flag to be clear ----------------------------------- */

static int wait_flag(struct folio *folio, u32 flag, bool killable,
		     const char *name, u32 pc)
{
	struct bit_lock b = bit_lock_of(flag, &folio->flags, pc);
	bool is_clear;

	hd_may_sleep(name, pc);
	bit_lock_look(&b, HD_WAIT, HD_RELAXED);
	is_clear = bit_lock_is_free(&b);
	bit_lock_did(&b, *b.word);
	if (is_clear)
		return 0;
	if (W->probing) /* a condition that sleeps, looked at a last time */
		hd_probe_done(false);
	if (killable && hd_signal_comes())
		hd_publish(HD_WAIT, b.word, BIT_LOCK_SIZE, BIT_LOOK_FLAGS,
			   HD_ACQUIRE, pc);
	else
		hd_publish_when(HD_WAIT, b.word, BIT_LOCK_SIZE, BIT_LOOK_FLAGS,
				pc, bit_lock_is_free, &b);
	hd_judge(b.word, BIT_LOCK_SIZE, HD_READ, pc);
	bit_lock_did(&b, *b.word);
	return bit_lock_is_free(&b) ? 0 : -EINTR;
}

void folio_wait_locked(struct folio *folio)
{
	wait_flag(folio, PG_locked, false, "folio_wait_locked", HD_PC());
}

int folio_wait_locked_killable(struct folio *folio)
{
	return wait_flag(folio, PG_locked, true, "folio_wait_locked", HD_PC());
}

void folio_wait_writeback(struct folio *folio)
{
	wait_flag(folio, PG_writeback, false, "folio_wait_writeback", HD_PC());
}

int folio_wait_writeback_killable(struct folio *folio)
{
	return wait_flag(folio, PG_writeback, true, "folio_wait_writeback",
			 HD_PC());
}

void folio_start_writeback(struct folio *folio)
{
	struct bit_lock b = bit_lock_of(PG_writeback, &folio->flags, HD_PC());
	struct hd_op op = bit_lock_op(&b, HD_RMW, HD_FULL);

	hd_begin_lock(&op);
	if (!bit_lock_take(&b))
		hd_bug_at("folio_test_writeback(folio)", b.pc);
}

void folio_end_writeback(struct folio *folio)
{
	struct bit_lock b = bit_lock_of(PG_writeback, &folio->flags, HD_PC());

	if (!bit_lock_drop(&b))
		hd_bug_at("!folio_test_writeback(folio)", b.pc);
}

/* --- references ------------------------------------------------------- */

static struct hd_op count_op(struct folio *folio, u8 order, u32 pc)
{
	return (struct hd_op){ .addr = (u64)&folio->_refcount,
			       .size = sizeof(folio->_refcount), .pc = pc,
			       .kind = HD_RMW, .order = order,
			       .flags = HD_RW };
}

/* Adds i; the count before. */
static int add(struct folio *folio, int i, u8 order, u32 pc)
{
	struct hd_op op = count_op(folio, order, pc);
	int old;

	hd_begin_lock(&op);
	old = folio->_refcount.counter;
	folio->_refcount.counter = old + i;
	hd_did((u32)old, (u32)(old + i));
	return old;
}

void folio_get(struct folio *folio)
{
	u32 pc = HD_PC();

	/* kernel: also when close to an overflow */
	if (add(folio, 1, HD_RELAXED, pc) <= 0)
		hd_bug_at("folio_ref_zero_or_close_to_overflow(folio)", pc);
}

static bool is_freed(const struct folio *folio)
{
	const struct hd_object *o;

	if (!hd_in_heap((u64)folio) ||
	    (u64)folio >= HD_HEAP_BASE + W->heap_used)
		return false;
	o = hd_object_at((u64)folio);
	return o && o->state == HD_OBJ_FREED;
}

bool folio_try_get(struct folio *folio)
{
	struct hd_op op = count_op(folio, HD_FULL, HD_PC());
	int old;

	hd_publish_op(&op);
	if (!is_freed(folio)) /* else the count is 0, and may be read */
		hd_judge_lock(&op);
	old = folio->_refcount.counter;
	if (old)
		folio->_refcount.counter = old + 1;
	hd_did((u32)old, (u32)folio->_refcount.counter);
	return old;
}

void folio_put(struct folio *folio)
{
	u32 pc = HD_PC();
	int old = add(folio, -1, HD_FULL, pc);

	if (old <= 0)
		hd_bug_at("folio_ref_count(folio) == 0", pc);
	if (old != 1)
		return;
	if (folio->flags & BIT(PG_locked))
		hd_complain(HD_V_WARN, NULL, "Bad page state: locked", pc);
	/* a look at the count of a free folio is legal, so it is no race */
	W->cur->race_off++;
	hd_free(folio, pc);
	W->cur->race_off--;
}
