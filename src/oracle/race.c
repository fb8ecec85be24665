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
 * Here, what most accesses are is dealt with in short; the whole of it is in
 * race_history.c. */
#include "race.h"

#include "oracle.h"

/* --- the history in short ------------------------------------------------ */

/* Has the task done as much since its last release?  Then this says no more. */
static __always_inline bool says_it(const struct hd_task *t,
				    const struct race_entry *e, u32 what)
{
	u32 common = e->key & race_key(0xffff, what);

	return common == race_key(t->id, what) && e->n > t->race_released;
}

/* Does the access cover the entry, if there is one, and come after it? */
static __always_inline bool covers(const struct hd_task *t, u32 what,
				   const struct race_entry *e)
{
	return !(e->what & ~what) && t->race_now[e->task] >= e->n;
}

static __always_inline void put(const struct hd_task *t, struct race_entry *e,
				u32 what)
{
	e->n = (u16)t->n;
	e->key = race_key(t->id, what);
}

/* What race_record() does where no more than two accesses are remembered: the
 * new one says nothing new, or takes the place of those before.  False: it is not
 * that simple, and nothing was done. */
static __always_inline bool read_shortly(const struct hd_task *t,
					 struct race_cell *c, u32 what)
{
	if (unlikely(c->w.next || what & ~c->noted & RACE_BOTH))
		return false;
	if (says_it(t, &c->w, what) || says_it(t, &c->r, what))
		return true;
	if (!race_ordered(t, &c->w, false) || !covers(t, what, &c->r))
		return false;
	put(t, &c->r, what);
	return true;
}

static __always_inline bool write_shortly(const struct hd_task *t,
					  struct race_cell *c, u32 what)
{
	if (unlikely(c->w.next || what & ~c->noted & RACE_BOTH))
		return false;
	if (says_it(t, &c->w, what))
		return true;
	if (!covers(t, what, &c->w) || !covers(t, what, &c->r))
		return false;
	race_no_entry(&c->r);
	put(t, &c->w, what);
	return true;
}

/* --- frees --------------------------------------------------------------- */

static bool freed_too_early(const struct race_access *a, const struct race_entry *o)
{
	if (!o->bytes || race_ordered(a->t, o, true) || o->bits & RACE_ASSERT)
		return false;
	race_raise(a, o, "free");
	return true;
}

/* Of four granules in a row: was no task there in this run, and is it known that
 * they are freed? */
static __always_inline bool is_nothing(u32 g)
{
	const u32 both = RACE_BOTH * 0x01010101u;
	u64 slots;
	u32 seen;

	memcpy(&slots, &race_slot[g], sizeof(slots));
	memcpy(&seen, &race_seen[g], sizeof(seen));
	return !slots && (seen & both) == both;
}

/* One verdict for the object: of its first field that somebody may still use.
 * A type-safe object may be looked at when it is free. */
static void on_free(const struct hd_task *t, const struct hd_op *op)
{
	struct race_access a = { .t = t, .pc = op->pc, .bytes = 15,
			    .bits = RACE_PLAIN | RACE_WRITE | RACE_ASSERT };
	u32 g = race_granule(op->addr), end = race_granule(op->addr + op->size - 1);

	if (hd_object_of((void *)op->addr)->state != HD_OBJ_FREED)
		return;
	for (; g <= end; g++) {
		const struct race_cell *c = race_cell_or_none(g);
		const struct race_entry *o;

		if (g + 3 <= end && is_nothing(g)) {
			g += 3;
			continue;
		}
		if (unlikely((race_seen[g] & RACE_BOTH) != RACE_BOTH))
			race_learn(g, RACE_BOTH);
		if (c == &race->none || !(c->w.key | c->r.key | c->w.next))
			continue;
		a.granule = g;
		for (o = &c->w; o; o = race_next(c, o))
			if (freed_too_early(&a, o))
				return;
	}
}

/* --- accesses of all kinds ----------------------------------------------- */

/* What the op orders in truth. */
static __always_inline u8 order_of(struct hd_task *t, const struct hd_op *op,
				   u64 old, u64 val)
{
	u8 order = op->order;

	if (unlikely(t->order_given)) {
		order = (u8)(t->order_given - 1);
		t->order_given = 0;
	}
	if ((op->kind == HD_LOCK || op->kind == HD_TRYLOCK) && old == val)
		return HD_RELAXED; /* not taken */
	return order;
}

/* Accesses in data_race() and in seqcount sections. */
static noinline bool is_quiet(struct hd_task *t, u32 *flags)
{
	if (t->race_off)
		return true;
	if (t->race_atomic)
		*flags &= ~(u32)RACE_PLAIN;
	else if (t->race_next) {
		t->race_next--;
		*flags &= ~(u32)RACE_PLAIN;
	}
	return false;
}

static __always_inline void record(const struct hd_task *t, struct race_cell *c,
				   u32 what, u64 changed)
{
	if (what & RACE_WRITE ? write_shortly(t, c, what) :
				read_shortly(t, c, what))
		return;
	race_record(t, c, what, changed);
}

/* The op on each granule that it touches; c: of the first. */
static __always_inline void record_all(const struct hd_task *t,
				       const struct hd_op *op, struct race_cell *c,
				       u32 flags, u64 changed)
{
	u32 bytes = hd_bytes_of(op->addr, op->size);

	flags &= RACE_BOTH;
	changed <<= (op->addr & 3) * 8;
	for (;;) {
		record(t, c, (bytes & 15) << 8 | flags, (u32)changed);
		bytes >>= 4;
		if (likely(!bytes))
			return;
		changed >>= 32;
		c = race_cell_of(c->granule + 1);
	}
}

/* Does an access without an order of its own touch no clock? */
static __always_inline bool is_only_access(const struct hd_task *t, u32 flags,
					   const struct race_cell *c)
{
	u32 kind = flags & RACE_BOTH;

	return c->sync ? kind == RACE_PLAIN : kind != RACE_WRITE || !t->race_fenced;
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

/* The op only adds (HD_COMMUTES), but its place among others that add says which
 * clock a fence behind it gets: their order matters after all. */
static noinline void order_adds(const struct hd_op *op)
{
	hd_order_range((void *)op->addr, op->size, true);
	if (hd_eng.profiling)
		hd_profile_raced(op->addr);
}

static noinline void on_any(struct hd_task *t, u64 old, u64 val)
{
	const struct hd_op *op = &t->op;
	u32 g = race_granule(op->addr), flags = op->flags;
	struct race_cell *c;
	u8 order;

	if (unlikely(role[op->kind] != ACCESS || op->size - 1 > 7)) {
		other(t, op);
		return;
	}
	if (unlikely(!g)) {
		t->order_given = 0; /* a lock on a stack */
		return;
	}
	order = order_of(t, op, old, val);
	c = race_cell_of(g);
	if (c->sync || order == HD_FULL)
		race_sync_before(t, op, order, c, val);
	if (likely(!t->race_quiet) || !is_quiet(t, &flags))
		record_all(t, op, c, flags, old ^ val);
	if (order != HD_RELAXED || !is_only_access(t, op->flags, c)) {
		if (unlikely(op->flags & HD_COMMUTES))
			order_adds(op);
		race_sync_after(t, op, order, c);
	}
}

/* --- what most accesses are ---------------------------------------------- */

/* record() where the history of the lock word is several ops on it, none of them
 * plain: they race with nothing that is done here.  False: there is more in it; what
 * was done until then need not be undone. */
static __always_inline bool record_contended(const struct hd_task *t,
					     struct race_cell *c)
{
	u16 *link = &c->w.next, i;
	bool known = false;

	if ((c->w.what & ~RACE_LOCK) || c->r.key || t->race_pending ||
	    !(c->noted & RACE_WRITE))
		return false;
	if (says_it(t, &c->w, RACE_LOCK))
		known = true;
	else if (race_ordered(t, &c->w, false))
		race_no_entry(&c->w);
	while ((i = *link)) {
		struct race_entry *e = race_unit(i);

		if (e->what & ~RACE_LOCK)
			return false;
		if (says_it(t, e, RACE_LOCK)) {
			known = true;
		} else if (race_ordered(t, e, false)) {
			*link = e->next;
			race_free_entry(i);
			continue;
		}
		link = &e->next;
	}
	if (known)
		return true;
	if (c->w.key)
		race_push(c, &c->w);
	put(t, &c->w, RACE_LOCK);
	return true;
}

static noinline void on_contended(struct hd_task *t, struct race_cell *c,
				  u64 changed)
{
	if (!record_contended(t, c))
		race_record(t, c, RACE_LOCK, changed);
}

/* Has the lock nothing but a clock of its own, and the task nothing special? */
static __always_inline bool is_plain_lock(const struct hd_task *t,
					  const struct race_cell *c)
{
	const struct race_sync *s = race_unit(c->sync);

	return c->sync && !(s->next | s->what) && !(t->op.addr & 3) &&
	       !t->race_special;
}

static __always_inline u16 *clock_of(const struct race_cell *c)
{
	return ((struct race_sync *)race_unit(c->sync))->clock;
}

/* record() where the lock word has no other history than one earlier op on it. */
static __always_inline bool record_alone(const struct hd_task *t,
					 struct race_cell *c)
{
	if (c->w.next || c->r.key || c->w.what != RACE_LOCK ||
	    !race_ordered(t, &c->w, false))
		return false;
	if (!says_it(t, &c->w, RACE_LOCK))
		put(t, &c->w, RACE_LOCK);
	return true;
}

static void on_take(struct hd_task *t, u64 old, u64 val)
{
	struct race_cell *c = race_cell_or_none(race_granule(t->op.addr));

	if (unlikely(!W->running))
		return;
	if (unlikely(!is_plain_lock(t, c))) {
		on_any(t, old, val);
		return;
	}
	if (old == val && t->op.kind < HD_ACQUIRED) { /* not taken */
		on_contended(t, c, 0);
		return;
	}
	race_join(t->race_now, clock_of(c));
	if (!record_alone(t, c))
		on_contended(t, c, old ^ val);
}

static void on_give(struct hd_task *t, u64 old, u64 val)
{
	struct race_cell *c = race_cell_or_none(race_granule(t->op.addr));

	if (unlikely(!W->running))
		return;
	if (unlikely(!is_plain_lock(t, c) || t->race_pending)) {
		on_any(t, old, val);
		return;
	}
	if (!record_alone(t, c))
		on_contended(t, c, old ^ val);
	race_join(clock_of(c), t->race_now);
	clock_of(c)[t->id] = t->race_released = (u16)t->n;
}

/* An RMW of one granule that orders nothing. */
static __always_inline bool is_plain_rmw(const struct hd_task *t,
					 const struct race_cell *c)
{
	const struct hd_op *op = &t->op;

	return op->order == HD_RELAXED && op->size == 4 && !(op->addr & 3) &&
	       !t->race_special && !t->race_fenced && !c->sync &&
	       c != &race->none;
}

static __always_inline struct race_cell *heap_cell(const struct hd_op *op)
{
	return race_cell_or_none((u32)((op->addr - HD_HEAP_BASE) / 4));
}

/* A load or store that touches no clock and is not that simple. */
static noinline void on_bytes(const struct hd_task *t, u32 flags)
{
	record_all(t, &t->op, race_cell_of(race_granule(t->op.addr)), flags, 0);
}

/* A load that orders nothing, of static data. */
static __always_inline bool is_static_load(const struct hd_task *t,
					   const struct race_cell *c)
{
	return t->op.order == HD_RELAXED && t->op.size - 1 < 8 &&
	       c != &race->none && !t->race_special && is_only_access(t, t->op.flags, c);
}

static void on_access(struct hd_task *t, u64 old, u64 val)
{
	const struct hd_op *op = &t->op;
	struct race_cell *c;

	if (unlikely(!W->running))
		return;
	c = race_cell_or_none(race_granule(op->addr));
	if (op->kind == HD_RMW && is_plain_rmw(t, c))
		record(t, c, RACE_WORD | RACE_WRITE, old ^ val);
	else if (op->kind == HD_LOAD && is_static_load(t, c))
		on_bytes(t, op->flags);
	else
		on_any(t, old, val);
}

static noinline void on_quiet(struct hd_task *t, u32 flags)
{
	if (!is_quiet(t, &flags))
		on_bytes(t, flags);
}

static void on_load(struct hd_task *t, u32 what, u64 val)
{
	struct race_cell *c = heap_cell(&t->op);

	if (unlikely(!W->running))
		return;
	what &= ~(u32)HD_READ;
	if (c->sync && !(what & RACE_PLAIN))
		on_any(t, val, val);
	else if (unlikely(t->race_special))
		on_quiet(t, what);
	else if (what >= 1 << 12 || !read_shortly(t, c, what))
		on_bytes(t, what);
}

static void on_store(struct hd_task *t, u32 what, u64 old)
{
	struct race_cell *c = heap_cell(&t->op);

	if (unlikely(!W->running))
		return;
	if (c->sync || (t->race_fenced && !(what & RACE_PLAIN)))
		on_any(t, old, old);
	else if (unlikely(t->race_special))
		on_quiet(t, what);
	else if (what >= 1 << 12 || !write_shortly(t, c, what))
		on_bytes(t, what);
}

/* --- loading ------------------------------------------------------------- */

void hd_race_start(void)
{
	u64 statics = (u64)(__stop_hd_data - __start_hd_data) / 4 + 2;

	memset(race_slot, 0, (RACE_HEAP + statics) * 2);
	memset(race_slot + RACE_STACK, 0, (RACE_GRANULES - RACE_STACK) * 2);
	race_forget_notes();
	race_keep_none();
}

/* All tasks are known now. */
void hd_race_tasks(void)
{
	u32 room = (W->ntasks + 7u) & ~7u, i;

	W->annex_used = sizeof(struct race_state) +
			W->ntasks * RACE_CLOCKS * room * (u32)sizeof(u16);
	memset(race, 0, W->annex_used);
	race->none.w.next = 1;
	race->ntasks = W->ntasks;
	race->room = (u16)room;
	for (i = 0; i < W->ntasks; i++) {
		W->tasks[i].race_now = race_clock(i, RACE_NOW);
		W->tasks[i].race_now[i] = RACE_OWN;
	}
	hd_access_oracle = (struct hd_access_oracle){
		.access = on_access, .load = on_load, .store = on_store,
		.take = on_take, .give = on_give,
		.settled = race_settled,
		.acquire = race_acquire, .release = race_release,
		.pass = race_pass,
		.fence = race_fence, .exclusive = race_exclusive,
		.forget = race_forget, .recall = race_recall, .prepare = race_prepare,
		.hash = race_hash,
	};
}
