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

/* Of the verdicts that a run may have, races of a kind take no more than these,
 * and what else races in it is left to other runs: a struct that is copied
 * without a lock must not drown what other oracles say. */
enum { MOST_RACES = 3 };
static const u64 NOT_KNOWN = ~0ull; /* bits that a store changes */

/* The access that is being judged. */
struct access {
	u16 n;
	u8 task, bits, bytes;
	u32 granule, pc;
	u64 mask;
};

/* --- memory -------------------------------------------------------------- */

u16 race_new_units(u32 n)
{
	u32 at = W->annex_used / 8;

	if (unlikely(at + n > RACE_UNITS))
		hd_limit("race records");
	W->annex_used += n * 8;
	memset(race_unit((u16)at), 0, n * 8);
	return (u16)at;
}

static noinline struct race_cell *new_cell(u32 granule)
{
	u16 i = race_new_units(sizeof(struct race_cell) / 8);
	struct race_cell *c = race_unit(i);

	if (unlikely(granule >= RACE_GRANULES))
		hd_limit("static data");
	c->granule = granule;
	c->chain = race->cells;
	race->cells = i;
	race_slot[granule] = i;
	return c;
}

struct race_cell *race_cell_of(u32 granule)
{
	struct race_cell *c = race_cell_at(granule);

	return likely(c != NULL) ? c : new_cell(granule);
}

static u16 new_entry(void)
{
	u16 i = race->free;

	if (!i)
		return race_new_units(1);
	race->free = ((struct race_entry *)race_unit(i))->next;
	return i;
}

static void free_entry(u16 i)
{
	struct race_entry *e = race_unit(i);

	e->next = race->free;
	race->free = i;
}

static void forget(void)
{
	u16 i = W->annex_used ? race->cells : 0;

	while (i) {
		const struct race_cell *c = race_unit(i);

		race_slot[c->granule] = 0;
		i = c->chain;
	}
}

static void recall(void)
{
	u16 i = race->cells;

	while (i) {
		const struct race_cell *c = race_unit(i);

		race_slot[c->granule] = i;
		i = c->chain;
	}
}

/* --- the verdict --------------------------------------------------------- */

static const char *word_of(u8 bits)
{
	return bits & RACE_ASSERT ? "assert" :
	       bits & RACE_WRITE ? "write" : "read";
}

static void name_both(struct hd_verdict *v, const char *a, const char *b)
{
	bool swap = strcmp(a, b) > 0;

	v->nnames = 2;
	v->names[0] = swap ? b : a;
	v->names[1] = swap ? a : b;
}

static void name_object(struct hd_verdict *v, u64 addr)
{
	const struct hd_object *o;

	if (!hd_in_heap(addr))
		return;
	o = hd_object_at(addr);
	if (!o || addr < (u64)(o + 1))
		return;
	v->type = o->type;
	v->off = (u32)(addr - (u64)(o + 1));
}

static bool room_for(u8 kind)
{
	u32 i, n = 0;

	for (i = 0; i < W->nverdicts; i++)
		n += W->verdicts[i].kind == kind;
	return n < MOST_RACES;
}

static noinline void raise(const struct access *a, const struct race_entry *o,
			   const char *what)
{
	struct hd_verdict v = { .kind = HD_V_DATA_RACE, .pc = a->pc,
				.other_task = o->task, .other_n = o->n };

	if ((a->bits | o->bits) & RACE_ASSERT)
		v.kind = HD_V_ASSERT_RACE;
	if (!room_for(v.kind))
		return;
	name_both(&v, what, word_of(o->bits));
	name_object(&v, race_address(a->granule) +
				(u64)__builtin_ctz(a->bytes & o->bytes));
	hd_raise(v);
}

/* --- the history of a granule -------------------------------------------- */

static __always_inline bool ordered(const struct race_entry *o, u32 task,
				    const u16 *clock)
{
	return o->task == task ||
	       (clock[o->task] >= o->n && !(o->bits & RACE_SCOPED));
}

static __always_inline bool races(const struct race_entry *o,
				  const struct access *a)
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
static noinline bool breaks_claim(struct race_entry *o, const struct access *a)
{
	if ((a->bits & RACE_MASKED) || !(o->bits & RACE_MASKED))
		return !(a->bits & RACE_MASKED);
	if (W->unsettled && a->mask == NOT_KNOWN) {
		W->store_watched = 1;
		return false;
	}
	return a->mask & *(u64 *)(o + 1);
}

/* The earlier o meets the access a.  True: o is of no more use. */
static bool meet(const struct access *a, struct race_entry *o, const u16 *clock,
		 bool *known)
{
	if (!ordered(o, a->task, clock)) {
		if (races(o, a) && (likely(!((a->bits | o->bits) & RACE_MASKED)) ||
				    breaks_claim(o, a)))
			raise(a, o, word_of(a->bits));
		return false;
	}
	if (o->task == a->task && o->n > race->released[a->task] &&
	    is_stronger(o->bits, o->bytes, a->bits, a->bytes)) {
		*known = true;
		return false;
	}
	return is_stronger(a->bits, a->bytes, o->bits, o->bytes);
}

/* The latest access comes first; a claim with its mask stands behind. */
static void put(struct race_cell *c, const struct access *a)
{
	struct race_entry *e = &c->first, *m;
	u16 i;

	if (unlikely(a->bits & RACE_MASKED)) {
		i = race_new_units(2);
		m = race_unit(i);
		memcpy(m + 1, &a->mask, sizeof(a->mask));
		m->next = e->next;
		e->next = i;
		e = m;
	} else if (e->bytes) {
		i = new_entry();
		*(struct race_entry *)race_unit(i) = *e;
		e->next = i;
	}
	e->n = a->n;
	e->task = a->task;
	e->bits = a->bits;
	e->bytes = a->bytes;
}

/* Judge the access against the history, and make it part of that. */
static noinline void record(struct race_cell *c, const struct access *a)
{
	const u16 *clock = a->bits & RACE_WRITE ?
				   race_clock_of_write(&W->tasks[a->task]) :
				   race_clock(a->task, RACE_NOW);
	struct race_entry *e = &c->first;
	u16 *link = &e->next;
	bool known = false;

	while (*link) {
		struct race_entry *o = race_unit(*link);
		u16 i = *link;

		if (!meet(a, o, clock, &known)) {
			link = &o->next;
			continue;
		}
		*link = o->next;
		if (!(o->bits & RACE_MASKED))
			free_entry(i);
	}
	if (e->bytes && meet(a, e, clock, &known))
		e->bytes = 0;
	if (!known)
		put(c, a);
}

/* --- frees --------------------------------------------------------------- */

static bool freed_too_early(const struct hd_op *op, u32 granule,
			    const struct race_entry *o, const u16 *clock)
{
	struct access a = { .task = W->cur->id, .pc = op->pc, .bytes = 0xff,
			    .bits = RACE_PLAIN | RACE_WRITE | RACE_ASSERT,
			    .granule = granule };

	if (!o->bytes || ordered(o, a.task, clock) || o->bits & RACE_ASSERT)
		return false;
	raise(&a, o, "free");
	return true;
}

/* One verdict for the object: of its first field that somebody may still use.
 * A type-safe object may be looked at when it is free. */
static void on_free(const struct hd_task *t, const struct hd_op *op)
{
	u32 g = race_granule(op->addr), end = race_granule(op->addr + op->size - 1);
	const u16 *clock = race_clock_of_write(t);

	if (hd_object_of((void *)op->addr)->state != HD_OBJ_FREED)
		return;
	for (; g <= end; g++) {
		const struct race_cell *c = race_cell_at(g);
		const struct race_entry *o = c ? &c->first : NULL;

		race_note(g, RACE_PLAIN | RACE_WRITE);
		while (o) {
			if (freed_too_early(op, g, o, clock))
				return;
			o = o->next ? race_unit(o->next) : NULL;
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
	return ((1u << op->size) - 1) << (op->addr & 7);
}

/* The part of the op that lies in one granule. */
static void judge(struct hd_task *t, const struct hd_op *op, u32 granule,
		  u32 bytes, u8 bits, u64 mask)
{
	struct access a = { .n = (u16)t->n, .task = t->id, .bits = bits,
			    .bytes = (u8)bytes, .granule = granule,
			    .pc = op->pc, .mask = mask };

	race_note(granule, bits);
	record(race_cell_of(granule), &a);
}

static noinline void full(struct hd_task *t, const struct hd_op *op, u64 old,
			  u64 val)
{
	u8 order = order_of(t, op, old, val), bits = 0;
	u32 bytes = bytes_of(op), g = race_granule(op->addr);
	u64 mask = W->unsettled ? NOT_KNOWN : (old ^ val) << (op->addr & 7) * 8;

	if (op->flags & HD_PLAIN)
		bits |= RACE_PLAIN;
	if (op->flags & HD_WRITE)
		bits |= RACE_WRITE;
	if (unlikely(!g))
		return; /* a lock on a stack */
	race_sync_before(t, op, order, race_cell_at(g), val);
	if (likely(!t->race_quiet) || !is_quiet(t, &bits)) {
		judge(t, op, g, bytes & 0xff, bits, mask);
		if (unlikely(bytes >> 8))
			judge(t, op, g + 1, bytes >> 8, bits, mask);
	}
	race_sync_after(t, op, order, race_cell_of(g));
}

/* Ops that are accesses of the model, and which else there are. */
static noinline void other(struct hd_task *t, const struct hd_op *op, u64 old,
			   u64 val)
{
	if (op->kind == HD_FREE) {
		on_free(t, op);
		return;
	}
	if (op->kind == HD_ALLOC) {
		race_acquire(op->addr); /* freed before: see kmem_cache_free() */
		return;
	}
	/* of RCU only what rcu.c says; an await reads what was read before */
	if ((op->kind >= HD_LOCK && op->kind <= HD_WAKE) ||
	    op->kind == HD_JOIN)
		full(t, op, old, val);
}

/* The usual case: nothing to synchronise, and the same task did as much to these
 * bytes since its last release, which says all that this access would say. */
static void on_access(struct hd_task *t, const struct hd_op *op, u64 old,
		      u64 val)
{
	const struct race_cell *c;
	u32 bytes, g;
	u8 bits;

	if (unlikely(!W->running))
		return;
	if (unlikely(!op->size || op->size > 8 || op->kind > HD_RMW)) {
		if (op->size && race_granule(op->addr))
			other(t, op, old, val);
		t->order_given = 0;
		return;
	}
	if (op->flags & HD_PLAIN && !t->race_quiet) {
		g = race_granule(op->addr);
		c = race_cell_at(g); /* none: of granule 0 there is none */
		bytes = bytes_of(op);
		bits = RACE_PLAIN | (op->flags & HD_WRITE ? RACE_WRITE : 0);
		if (c && c->first.task == t->id &&
		    c->first.n > race->released[t->id] && !c->first.next &&
		    is_stronger(c->first.bits, c->first.bytes, bits,
				(u8)bytes) && !(bytes >> 8) &&
		    (!c->sync || !(op->flags & HD_WRITE)))
			return;
	}
	full(t, op, old, val);
}

/* A store that a claim about bits had to wait for. */
static void on_settled(const struct hd_op *op, u64 old, u64 val)
{
	struct hd_task *t = W->cur;
	u8 bits = op->flags & HD_PLAIN ? RACE_PLAIN | RACE_WRITE : RACE_WRITE;

	if (W->running && !t->race_off && old != val)
		judge(t, op, race_granule(op->addr), bytes_of(op) & 0xff, bits,
		      (old ^ val) << (op->addr & 7) * 8);
}

/* --- claims -------------------------------------------------------------- */

/* The scope of a claim is over: from now on it is as any other. */
static void close_scope(struct race_cell *c, const struct access *a)
{
	struct race_entry *o = &c->first;

	while (o->bytes != a->bytes || o->task != a->task ||
	       o->bits != (a->bits | RACE_SCOPED)) {
		if (!o->next)
			return;
		o = race_unit(o->next);
	}
	o->bits = a->bits;
	o->n = a->n;
}

/* A claim is made between two ops: it has the number of the next one. */
static void on_exclusive(u64 addr, u32 size, u8 what, u64 mask, u32 pc, bool end)
{
	struct hd_op op = { .addr = addr, .size = size < 8 ? size : 8 };
	struct access a = { .n = (u16)(W->cur->n + 1), .task = W->cur->id,
			    .pc = pc, .bits = RACE_PLAIN | RACE_ASSERT,
			    .bytes = (u8)bytes_of(&op),
			    .granule = race_granule(addr) };
	struct race_cell *c = race_cell_of(a.granule);

	if (what & HD_EXCLUSIVE_ACCESS)
		a.bits |= RACE_WRITE;
	if (what & HD_EXCLUSIVE_BITS) {
		a.bits |= RACE_MASKED;
		a.mask = mask << (addr & 7) * 8;
	}
	race_note(a.granule, a.bits);
	if (what & HD_EXCLUSIVE_SCOPED && !end)
		a.bits |= RACE_SCOPED;
	if (end)
		close_scope(c, &a);
	else
		record(c, &a);
}

/* --- loading ------------------------------------------------------------- */

void hd_race_start(void)
{
	u64 statics = (u64)(__stop_hd_data - __start_hd_data) / 8 + 2;

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
		.forget = forget, .recall = recall, .hash = race_hash,
	};
}
