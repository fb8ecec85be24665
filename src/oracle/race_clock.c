/* SPDX-License-Identifier: MIT */
/* What is ordered before what?
 *
 * A release hands the clock of its task to the word that it writes; an acquire
 * of the word gets it.  Another store to the word ends that (a release sequence
 * goes on through RMWs, which add their own).  As in C11, and in the LKMM as far
 * as it has the notion:
 *
 * - A release fence followed by a marked store releases, at that word, what was
 *   before the fence; a marked load followed by an acquire fence acquires what
 *   was released at the word.  smp_wmb() is taken for a release fence, smp_rmb()
 *   for an acquire fence, smp_mb() for both.  In truth an smp_wmb() orders no
 *   earlier loads: what it does not order is not seen as a race here.  And two
 *   smp_mb() against store buffering order more than their halves: a program
 *   that protects plain accesses by that alone is told of a race that it has
 *   not.
 * - A marked load of a pointer acquires: the LKMM orders what depends on the
 *   address.  And what a task writes or releases after a marked load of any kind
 *   comes after what was released at the loaded word: the LKMM orders writes
 *   that depend on it (data, control), and releases.  Dependencies cannot be
 *   seen here, so each load is taken to have them, which can hide a race but
 *   makes none up.
 * - Readers of an rwsem or rwlock release to a clock of their own that only
 *   exclusive acquirers join: readers are not ordered among each other. */
#include "race.h"

/* --- clocks of words ----------------------------------------------------- */

struct race_sync *race_find_sync(const struct race_cell *c, u32 what)
{
	u16 i;

	for (i = c ? c->sync : 0; i;) {
		struct race_sync *s = race_unit(i);

		if (s->what == what)
			return s;
		i = s->next;
	}
	return NULL;
}

noinline struct race_sync *race_new_sync(struct race_cell *c, u32 what)
{
	u16 i = race_new_units(1 + race->room / 4);
	struct race_sync *s = race_unit(i);

	s->what = (u8)what;
	s->lock = W->cur->op.kind == HD_UNLOCK;
	s->next = c->sync;
	c->sync = i;
	return s;
}

static void get(struct hd_task *t, const struct race_cell *c, u32 what)
{
	const struct race_sync *s = race_find_sync(c, what);

	if (s)
		race_join(t->race_now, s->clock);
}

/* Hand on the task's clock. */
static void give(struct hd_task *t, struct race_cell *c, u32 what, bool replace)
{
	struct race_sync *s = race_find_sync(c, what);
	const u16 *now = t->race_now;

	if (!s)
		s = race_new_sync(c, what);
	if (replace)
		race_copy(s->clock, now);
	else
		race_join(s->clock, now);
	if (t->race_pending)
		race_join(s->clock, race_clock(t->id, RACE_PENDING));
	s->clock[t->id] = (u16)t->n;
	t->race_released = (u16)t->n;
}

/* --- fences -------------------------------------------------------------- */

static void acquire_fence(struct hd_task *t)
{
	if (!t->race_pending)
		return;
	race_join(t->race_now, race_clock(t->id, RACE_PENDING));
	t->race_pending = 0; /* it tells nothing more */
}

static void release_fence(struct hd_task *t)
{
	u16 *as_of = race_clock(t->id, RACE_FENCE);

	race_copy(as_of, t->race_now);
	as_of[t->id] = (u16)t->n;
	t->race_released = (u16)t->n;
	t->race_fenced = 1;
}

void race_fence(u8 order)
{
	struct hd_task *t = W->cur;

	if (!W->running)
		return;
	if (order == HD_ACQUIRE || order >= HD_ACQ_REL)
		acquire_fence(t);
	if (order >= HD_RELEASE)
		release_fence(t);
}

/* A marked store that releases nothing itself. */
static void after_fence(struct hd_task *t, struct race_cell *c, u32 what,
			bool replace)
{
	struct race_sync *s = race_find_sync(c, what);
	bool fenced = t->race_fenced;

	if (!s && !fenced)
		return;
	if (!s)
		s = race_new_sync(c, what);
	if (replace)
		memset(s->clock, 0, race->room * sizeof(s->clock[0]));
	if (fenced)
		race_join(s->clock, race_clock(t->id, RACE_FENCE));
}

/* --- what an op does ----------------------------------------------------- */

static bool is_lock(const struct hd_op *op)
{
	return op->kind >= HD_LOCK && op->kind <= HD_DOWNGRADE;
}

static bool is_pointer(const struct hd_op *op, u64 val)
{
	return op->kind == HD_LOAD && op->size == 8 &&
	       (hd_in_heap(val) || hd_in_statics(val));
}

void race_sync_before(struct hd_task *t, const struct hd_op *op, u8 order,
		      const struct race_cell *c, u64 val)
{
	u32 what = op->addr & 3;
	const struct race_sync *s;

	if (order == HD_FULL)
		acquire_fence(t);
	if (!c->sync || !(op->flags & HD_READ) || (op->flags & HD_PLAIN))
		return;
	if (order == HD_ACQUIRE || order >= HD_ACQ_REL || is_pointer(op, val)) {
		get(t, c, what);
		if (is_lock(op) && !(op->flags & HD_SHARED))
			get(t, c, what | RACE_READERS);
		return;
	}
	s = is_lock(op) ? NULL : race_find_sync(c, what);
	if (!s)
		return;
	race_join(race_clock(t->id, RACE_PENDING), s->clock);
	t->race_pending = 1;
}

void race_sync_after(struct hd_task *t, const struct hd_op *op, u8 order,
		     struct race_cell *c)
{
	bool replace = !(op->flags & HD_READ);
	u32 what = op->addr & 3;
	struct race_sync *s;

	if (order == HD_FULL)
		release_fence(t);
	if (!(op->flags & HD_WRITE))
		return;
	if (order >= HD_RELEASE) {
		if (is_lock(op) && (op->flags & HD_SHARED))
			what |= RACE_READERS;
		give(t, c, what, replace);
	} else if (is_lock(op)) {
		return; /* nobody acquires what taking a lock stores */
	} else if (op->flags & HD_PLAIN) {
		s = race_find_sync(c, what);
		if (s)
			memset(s->clock, 0, race->room * sizeof(s->clock[0]));
	} else {
		after_fence(t, c, what, replace);
	}
}

/* --- what primitives say ------------------------------------------------- */

void race_acquire(u64 key)
{
	get(W->cur, race_cell_at(race_granule(key)), RACE_KEY | (key & 3));
}

void race_release(u64 key, bool replace)
{
	give(W->cur, race_cell_of(race_granule(key)), RACE_KEY | (key & 3),
	     replace);
}

void race_pass(u64 from, u64 to)
{
	const struct race_sync *s =
		race_find_sync(race_cell_at(race_granule(from)),
			       RACE_KEY | (from & 3));
	struct race_cell *c = race_cell_of(race_granule(to));
	u32 what = RACE_KEY | (to & 3);
	struct race_sync *d;

	if (!s)
		return;
	d = race_find_sync(c, what);
	race_join((d ? d : race_new_sync(c, what))->clock, s->clock);
}
