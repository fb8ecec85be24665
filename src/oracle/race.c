/* SPDX-License-Identifier: MIT */
/* Which accesses race?
 *
 * Two accesses of different tasks to common bytes, one of them a write, one of
 * them plain (unmarked), neither ordered before the other: that is the LKMM's
 * data race (tools/memory-model/Documentation/explanation.txt and
 * access-marking.txt, 6.12).  Marked accesses (READ_ONCE, WRITE_ONCE, atomics,
 * locks, smp_load_acquire ...) never race with each other.  The rule is strict:
 * a plain write races with READ_ONCE(), also if it is aligned and a word (KCSAN
 * can be told to assume such writes atomic; here that is not so).  It is about
 * order, not about time: the two need not meet in this run.
 *
 * As in KCSAN (kernel/kcsan/core.c, Documentation/dev-tools/kcsan.rst, 6.12):
 * - data_race() takes its accesses out, as if they were not there;
 * - accesses in a seqcount section, reader's or writer's, count as marked;
 * - ASSERT_EXCLUSIVE_*() claim that nobody writes, or accesses, concurrently:
 *   any access that is not ordered breaks the claim, marked or not;
 * - kfree() claims exclusive access to the whole object (verdict assert-race):
 *   an access that is not ordered before it could as well come after it.
 *
 * The history of a granule keeps every access that a later one may race with
 * and that no other entry covers: reads of one word by several tasks stay side
 * by side, as exhaustive search does not try their orders.  Set-up and end check
 * are ordered before and after all tasks; nothing is remembered of them. */
#include "race.h"

#include <heddle/compiler.h>

#include "oracle.h"

/* --- the history of a granule -------------------------------------------- */

static __always_inline bool ordered(const struct race_entry *o,
				    const struct race_access *a)
{
	return race_ordered(a->task, o->task, o->n, a->bits & RACE_WRITE) &&
	       (!(o->bits & RACE_SCOPED) || o->task == a->task);
}

static __always_inline bool races(const struct race_entry *o,
				  const struct race_access *a)
{
	u8 either = o->bits | a->bits;

	return (o->bytes & a->bytes) && (either & RACE_WRITE) &&
	       (either & RACE_PLAIN);
}

/* Whatever comes later and races with the weaker one, which is ordered before
 * the stronger, races with the stronger as well. */
static __always_inline bool is_stronger(u8 bits, u8 bytes, u8 weaker_bits,
					u8 weaker_bytes)
{
	return !(weaker_bits & ~bits) && !(weaker_bytes & ~bytes) &&
	       !((bits ^ weaker_bits) & RACE_ASSERT) &&
	       !((bits | weaker_bits) & (RACE_SCOPED | RACE_MASKED));
}

/* Claims about some bits look ahead only, at the bits that a write changes. */
static noinline bool breaks_claim(struct race_entry *o, const struct race_access *a)
{
	if ((a->bits & RACE_MASKED) || !(o->bits & RACE_MASKED))
		return !(a->bits & RACE_MASKED);
	if (W->unsettled) { /* a store's value is not known yet */
		W->store_watched = 1;
		return false;
	}
	return a->mask & *(u64 *)(o + 1);
}

/* The earlier o meets the access a.  True: o is of no more use. */
static bool meet(const struct race_access *a, struct race_entry *o, bool *known)
{
	if (!ordered(o, a)) {
		if (races(o, a) && (likely(!((a->bits | o->bits) & RACE_MASKED)) ||
				    breaks_claim(o, a)))
			race_raise(a, o, race_word(a->bits));
		return false;
	}
	if (o->task == a->task && o->n > race->released[a->task] &&
	    is_stronger(o->bits, o->bytes, a->bits, a->bytes)) {
		*known = true;
		return false;
	}
	return is_stronger(a->bits, a->bytes, o->bits, o->bytes);
}

static __always_inline void fill(struct race_entry *e, const struct race_access *a)
{
	e->n = a->n;
	e->task = a->task;
	e->bits = a->bits;
	e->bytes = a->bytes;
}

/* The latest write and the latest read have places of their own. */
static void put(struct race_cell *c, const struct race_access *a)
{
	struct race_entry *e = a->bits & RACE_WRITE ? &c->w : &c->r, *o;
	bool masked = a->bits & RACE_MASKED;
	u16 i;

	if (e->bytes || a->bits & RACE_ASSERT) {
		i = masked ? race_new_units(2) : race_new_entry();
		o = race_unit(i);
		if (masked)
			memcpy(o + 1, &a->mask, sizeof(a->mask));
		if (a->bits & RACE_ASSERT)
			e = o;
		else
			*o = *e;
		o->next = c->w.next;
		c->w.next = i;
	}
	fill(e, a);
}

static noinline void record_among(struct race_cell *c, const struct race_access *a)
{
	u16 *link = &c->w.next;
	bool known = false;

	while (*link) {
		struct race_entry *o = race_unit(*link);
		u16 i = *link;

		if (!meet(a, o, &known)) {
			link = &o->next;
			continue;
		}
		*link = o->next;
		if (!(o->bits & RACE_MASKED))
			race_free_entry(i);
	}
	if (c->w.bytes && meet(a, &c->w, &known))
		c->w.bytes = 0;
	if (c->r.bytes && meet(a, &c->r, &known))
		c->r.bytes = 0;
	if (!known)
		put(c, a);
}

static noinline void record_slowly(const struct hd_task *t, const struct hd_op *op,
				   struct race_cell *c, u8 bits, u8 bytes, u64 mask)
{
	struct race_access a = { .n = (u16)t->n, .task = t->id, .bits = bits,
			    .bytes = bytes, .granule = c->granule,
			    .pc = op->pc, .mask = mask };

	record_among(c, &a);
}

/* Nothing of an entry that is ordered before the access is more than it? */
static __always_inline bool gives_way(const struct hd_task *t,
				      const struct race_entry *e, u32 what)
{
	return !(((u32)e->bytes << 8 | e->bits) & ~what) &&
	       (!e->bytes || race_ordered(t->id, e->task, e->n, what & RACE_WRITE));
}

/* Has the task done as much since its last release?  Then this says no more. */
static __always_inline bool says_it(const struct hd_task *t,
				    const struct race_entry *e, u32 what)
{
	return e->task == t->id && e->n > race->released[t->id] &&
	       !(what & ~((u32)e->bytes << 8 | e->bits)) &&
	       !(e->bits & RACE_ASSERT);
}

/* Judge the access against the history, and make it part of that.  Here the
 * usual cases: it says nothing new, or takes the place of the one before. */
static __always_inline void record(const struct hd_task *t, const struct hd_op *op,
				   struct race_cell *c, u8 bits, u8 bytes, u64 mask)
{
	u32 what = (u32)bytes << 8 | bits;
	struct race_entry *e = &c->r;

	race_note(c->granule, bits);
	if (unlikely(c->w.next))
		goto slow;
	if (says_it(t, &c->w, what))
		return;
	if (bits & RACE_WRITE) {
		if (!gives_way(t, &c->w, what) || !gives_way(t, &c->r, what))
			goto slow;
		c->r.bytes = 0;
		e = &c->w;
	} else {
		if (says_it(t, &c->r, what))
			return;
		if ((c->w.bytes &&
		     !race_ordered(t->id, c->w.task, c->w.n, false)) ||
		    !gives_way(t, &c->r, what))
			goto slow;
	}
	e->n = (u16)t->n;
	e->task = t->id;
	e->bits = bits;
	e->bytes = bytes;
	return;
slow:
	record_slowly(t, op, c, bits, bytes, mask);
}

/* --- frees --------------------------------------------------------------- */

static bool freed_too_early(const struct race_access *a, const struct race_entry *o)
{
	if (!o->bytes || ordered(o, a) || o->bits & RACE_ASSERT)
		return false;
	race_raise(a, o, "free");
	return true;
}

/* One verdict for the object: of its first field that somebody may still use.
 * A type-safe object may be looked at when it is free. */
static void on_free(const struct hd_task *t, const struct hd_op *op)
{
	struct race_access a = { .task = t->id, .pc = op->pc, .bytes = 15,
			    .bits = RACE_PLAIN | RACE_WRITE | RACE_ASSERT };
	u32 g = race_granule(op->addr), end = race_granule(op->addr + op->size - 1);

	if (hd_object_of((void *)op->addr)->state != HD_OBJ_FREED)
		return;
	for (; g <= end; g++) {
		const struct race_cell *c = race_cell_at(g);
		const struct race_entry *o = c ? &c->w : NULL;

		a.granule = g;
		race_note(g, a.bits);
		while (o) {
			if (freed_too_early(&a, o))
				return;
			o = race_next(c, o);
		}
	}
}

/* --- accesses ------------------------------------------------------------ */

/* What the op orders in truth. */
static __always_inline u8 order_of(struct hd_task *t, const struct hd_op *op,
				   u64 old, u64 val)
{
	u8 order = op->order;

	if (unlikely(t->order_given)) {
		order = t->order_given - 1;
		t->order_given = 0;
	}
	if ((op->kind == HD_LOCK || op->kind == HD_TRYLOCK) && old == val)
		return HD_RELAXED; /* not taken */
	return order;
}

/* Accesses in data_race() and in seqcount sections. */
static noinline bool is_quiet(struct hd_task *t, u8 *bits)
{
	if (t->race_off)
		return true;
	if (t->race_atomic)
		*bits &= (u8)~RACE_PLAIN;
	else if (t->race_next) {
		t->race_next--;
		*bits &= (u8)~RACE_PLAIN;
	}
	return false;
}

static __always_inline u32 bytes_of(const struct hd_op *op)
{
	return ((1u << op->size) - 1) << (op->addr & 3);
}

/* The op on each granule that it touches; c: of the first. */
static __always_inline void record_all(const struct hd_task *t,
				       const struct hd_op *op, struct race_cell *c,
				       u8 bits, u64 changed)
{
	u32 bytes = bytes_of(op);

	changed <<= (op->addr & 3) * 8;
	for (;;) {
		record(t, op, c, bits, bytes & 15, (u32)changed);
		bytes >>= 4;
		if (likely(!bytes))
			return;
		changed >>= 32;
		c = race_cell_of(c->granule + 1);
	}
}

/* Does an access without an order of its own touch no clock? */
static __always_inline bool is_only_access(const struct hd_task *t,
					   const struct hd_op *op,
					   const struct race_cell *c)
{
	if (op->flags & HD_PLAIN)
		return !c->sync || !(op->flags & HD_WRITE);
	return !c->sync && (!(op->flags & HD_WRITE) ||
			    !(race->fenced >> t->id & 1));
}

static noinline void full(struct hd_task *t, const struct hd_op *op, u64 old,
			  u64 val)
{
	u8 order = order_of(t, op, old, val);
	u8 bits = op->flags & (HD_PLAIN | HD_WRITE);
	struct race_cell *c = race_cell_of(race_granule(op->addr));

	if (c->sync || order == HD_FULL)
		race_sync_before(t, op, order, c, val);
	if (likely(!t->race_quiet) || !is_quiet(t, &bits))
		record_all(t, op, c, bits, old ^ val);
	if (order != HD_RELAXED || !is_only_access(t, op, c))
		race_sync_after(t, op, order, c);
}

/* What the kinds of ops are to us.  Of RCU only what rcu.c says counts, and an
 * await reads what was read before. */
enum { NOTHING, ACCESS, FREE, ALLOC };
static const u8 role[HD_KINDS] = {
	[HD_LOAD] = ACCESS, [HD_STORE] = ACCESS, [HD_RMW] = ACCESS,
	[HD_LOCK] = ACCESS, [HD_TRYLOCK] = ACCESS, [HD_ACQUIRED] = ACCESS,
	[HD_UNLOCK] = ACCESS, [HD_DOWNGRADE] = ACCESS, [HD_WAIT] = ACCESS,
	[HD_WAKE] = ACCESS, [HD_JOIN] = ACCESS, [HD_FREE] = FREE,
	[HD_ALLOC] = ALLOC,
};

static noinline void other(struct hd_task *t, const struct hd_op *op)
{
	t->order_given = 0;
	if (!race_granule(op->addr))
		return;
	if (role[op->kind] == FREE && !t->race_off)
		on_free(t, op);
	if (role[op->kind] == ALLOC)
		race_acquire(op->addr); /* see kmem_cache_free() */
}

/* The usual locks and flags: one clock at the word. */
static __always_inline bool is_simple(const struct hd_task *t,
				      const struct hd_op *op,
				      const struct race_sync *s)
{
	if (!s || s->next || s->what != (op->addr & 3) ||
	    (op->flags & HD_SHARED) || t->order_given)
		return false;
	if (op->order == HD_ACQUIRE)
		return op->flags & HD_READ && (!(op->flags & HD_WRITE) ||
					       op->kind >= HD_LOCK ||
					       !(race->fenced >> t->id & 1));
	return op->order == HD_RELEASE && op->flags & HD_WRITE;
}

static __always_inline void on_simple(const struct hd_task *t,
				      const struct hd_op *op, struct race_cell *c,
				      struct race_sync *s, u64 old, u64 val)
{
	const u16 *now = race_clock(t->id, RACE_NOW);
	bool failed = (op->kind == HD_LOCK || op->kind == HD_TRYLOCK) &&
		      old == val;

	if (op->order == HD_ACQUIRE && !failed)
		race_join(race_clock(t->id, RACE_NOW), s->clock);
	record_all(t, op, c, op->flags & HD_WRITE, old ^ val);
	if (op->order == HD_ACQUIRE)
		return;
	if (op->flags & HD_READ)
		race_join(s->clock, now);
	else
		race_copy(s->clock, now);
	if (unlikely(race->pending >> t->id & 1))
		race_join(s->clock, race_clock(t->id, RACE_PENDING));
	s->clock[t->id] = (u16)t->n;
	race->released[t->id] = (u16)t->n;
}

/* Here the usual cases in short; full() has them all. */
static noinline void on_access_new(struct hd_task *t, const struct hd_op *op,
				   u64 old, u64 val)
{
	struct race_cell *c;
	struct race_sync *s;
	u32 g;

	if (unlikely(role[op->kind] != ACCESS || op->size - 1 > 7)) {
		other(t, op);
		return;
	}
	g = race_granule(op->addr);
	if (unlikely(!g)) {
		t->order_given = 0; /* a lock on a stack */
		return;
	}
	c = race_cell_of(g);
	s = c->sync ? race_unit(c->sync) : NULL;
	if (unlikely(t->race_quiet)) {
		full(t, op, old, val);
	} else if (op->order == HD_RELAXED && is_only_access(t, op, c)) {
		t->order_given = 0;
		record_all(t, op, c, op->flags & (HD_PLAIN | HD_WRITE),
			   old ^ val);
	} else if (is_simple(t, op, s)) {
		on_simple(t, op, c, s, old, val);
	} else {
		full(t, op, old, val);
	}
}

/* Nothing of an entry but the task's own, and no more than this access says? */
static __always_inline bool is_covered(const struct hd_task *t,
				       const struct race_entry *e, u32 what)
{
	return !(((u32)e->bytes << 8 | e->bits) & ~what) &&
	       (!e->bytes || e->task == t->id);
}

/* An access that orders nothing, of one granule: the same epoch, in which the
 * task did as much here since its last release; or nobody else was here. */
static __always_inline bool on_own(struct hd_task *t, const struct hd_op *op,
				   struct race_cell *c)
{
	u32 what = bytes_of(op) << 8 | (op->flags & (HD_PLAIN | HD_WRITE));

	if (what >> 12 || !is_only_access(t, op, c))
		return false;
	if (says_it(t, &c->w, what))
		return true;
	if (op->flags & HD_WRITE) {
		if (!is_covered(t, &c->w, what) || !is_covered(t, &c->r, what))
			return false;
		c->r.bytes = 0;
		c->w = (struct race_entry){ .n = (u16)t->n, .task = t->id,
					    .bits = (u8)what,
					    .bytes = (u8)(what >> 8) };
		race_note(c->granule, (u8)what);
		return true;
	}
	if (says_it(t, &c->r, what))
		return true;
	if ((c->w.bytes && c->w.task != t->id) || !is_covered(t, &c->r, what))
		return false;
	c->r = (struct race_entry){ .n = (u16)t->n, .task = t->id,
				    .bits = (u8)what,
				    .bytes = (u8)(what >> 8) };
	race_note(c->granule, (u8)what);
	return true;
}

/* A lock of one granule that nothing but its own ops touched, taken or given
 * by an exclusive holder. */
static __always_inline bool on_lock(struct hd_task *t, const struct hd_op *op,
				    struct race_cell *c, bool failed)
{
	struct race_sync *s = race_unit(c->sync);
	u16 *now = race_clock(t->id, RACE_NOW);

	if (!c->sync || s->next || s->what || c->r.bytes || failed ||
	    c->w.bits != RACE_WRITE || c->w.bytes != 15 || op->size != 4 ||
	    op->flags != (HD_READ | HD_WRITE) || t->order_given)
		return false;
	if (op->kind != HD_UNLOCK)
		race_join(now, s->clock);
	if (!race_ordered(t->id, c->w.task, c->w.n, false))
		return false;
	if (op->kind == HD_UNLOCK) {
		if (op->order != HD_RELEASE || race->pending >> t->id & 1)
			return false;
		race_join(s->clock, now);
		s->clock[t->id] = race->released[t->id] = (u16)t->n;
	}
	c->w.n = (u16)t->n;
	c->w.task = t->id;
	return true;
}

/* The cases that most accesses are, without a call. */
static void on_access(struct hd_task *t, const struct hd_op *op, u64 old,
		      u64 val)
{
	u64 off = op->addr - HD_HEAP_BASE;
	struct race_cell *c;
	u32 i;

	if (unlikely(!W->running))
		return;
	if (off >= HD_HEAP_SIZE)
		goto rest;
	i = race_slot[off / 4];
	c = race_unit((u16)i);
	if (!i || c->w.next || t->race_quiet)
		goto rest;
	if (op->kind <= HD_STORE) {
		if (op->order == HD_RELAXED && on_own(t, op, c))
			return;
	} else if (op->kind >= HD_LOCK && op->kind <= HD_UNLOCK) {
		if (on_lock(t, op, c, op->kind < HD_ACQUIRED && old == val))
			return;
	}
rest:
	on_access_new(t, op, old, val);
}

/* A store that a claim about bits had to wait for. */
static void on_settled(const struct hd_op *op, u64 old, u64 val)
{
	struct hd_task *t = W->cur;
	u8 bits = op->flags & HD_PLAIN ? RACE_PLAIN | RACE_WRITE : RACE_WRITE;

	if (W->running && !t->race_off && old != val)
		record_slowly(t, op, race_cell_of(race_granule(op->addr)), bits,
			      (u8)bytes_of(op) & 15,
			      (u32)((old ^ val) << (op->addr & 3) * 8));
}

/* --- claims -------------------------------------------------------------- */

/* The scope of a claim is over: from now on it is as any other. */
static void close_scope(struct race_cell *c, const struct race_access *a)
{
	struct race_entry *o;
	u16 i;

	for (i = c->w.next; i; i = o->next) {
		o = race_unit(i);
		if (o->bytes != a->bytes || o->task != a->task ||
		    o->bits != (a->bits | RACE_SCOPED))
			continue;
		o->bits = a->bits;
		o->n = a->n;
		return;
	}
}

/* A claim is made between two ops: it has the number of the next one. */
static void on_exclusive(u64 addr, u32 size, u8 what, u64 mask, u32 pc, bool end)
{
	struct hd_op op = { .addr = addr, .size = size < 8 ? size : 8 };
	struct race_access a = { .n = (u16)(W->cur->n + 1), .task = W->cur->id,
			    .pc = pc, .bits = RACE_PLAIN | RACE_ASSERT,
			    .granule = race_granule(addr) };
	u32 bytes = bytes_of(&op), skip = addr & 3;

	if (what & HD_EXCLUSIVE_ACCESS)
		a.bits |= RACE_WRITE;
	if (what & HD_EXCLUSIVE_BITS)
		a.bits |= RACE_MASKED;
	if (what & HD_EXCLUSIVE_SCOPED && !end)
		a.bits |= RACE_SCOPED;
	for (; bytes; bytes >>= 4, a.granule++) {
		struct race_cell *c = race_cell_of(a.granule);

		a.bytes = bytes & 15;
		a.mask = (u32)(mask << skip * 8);
		mask >>= (4 - skip) * 8;
		skip = 0;
		race_note(a.granule, a.bits);
		if (end)
			close_scope(c, &a);
		else
			record_among(c, &a);
	}
}

/* --- loading ------------------------------------------------------------- */

void hd_race_start(void)
{
	u64 statics = (u64)(__stop_hd_data - __start_hd_data) / 4 + 2;

	memset(race_slot, 0, (RACE_HEAP + statics) * 2);
	race_forget_notes();
}

/* All tasks are known now. */
void hd_race_tasks(void)
{
	u32 room = (W->ntasks + 7u) & ~7u;

	W->annex_used = sizeof(struct race_state) +
			W->ntasks * RACE_CLOCKS * room * (u32)sizeof(u16);
	memset(race, 0, W->annex_used);
	race->ntasks = W->ntasks;
	race->room = (u16)room;
	hd_access_oracle = (struct hd_access_oracle){
		.access = on_access, .settled = on_settled,
		.acquire = race_acquire, .release = race_release,
		.pass = race_pass,
		.fence = race_fence, .exclusive = on_exclusive,
		.forget = race_forget, .recall = race_recall, .hash = race_hash,
	};
}
