/* SPDX-License-Identifier: MIT */
/* Lockdep as an oracle: the annotations of a run go in, and the one report
 * that it makes becomes a verdict.  The graph is world state: it holds the
 * orders of this run alone.
 *
 * Under exhaustive search, what is read of the graph and what changes it are
 * declared as touches of one key, so that every order in which dependencies
 * can be recorded is explored. */
#include "lockdep.h"

#include <string.h>

#include "../base/hash.h"
#include "oracle.h"

struct lockdep *lockdep;

static void order(bool write)
{
	hd_order_on(HD_ORDER_KEY(HD_ORDER_LOCKDEP), write);
}

/* A part of lockdep returned: raise what it reported. */
static noinline void raise(u32 pc)
{
	order(true);
	hd_raise(lockdep_verdict(pc));
}

/* --- acquire ---------------------------------------------------------------- */

/* e: the free entry on top of t's stack.  The usual case: the chain was validated
 * before, and nothing about it can have become wrong: wait types are a matter
 * of the chain where no interrupt makes them stricter. */
static __always_inline bool is_routine(const struct lockdep *ld,
				       struct hd_task *t, struct hd_held *e,
				       bool irqs)
{
	const struct lockdep_chain *chain = ld->chain, *c;
	u32 class, next, what;

	if (unlikely(e->nest || e->subclass > 1 || t->nheld >= HD_MAX_HELD - 1))
		return false;
	class = e->map->class_cache[e->subclass];
	what = (class - 1) | (u32)e->read << 13;
	next = t->nheld ? t->chain : 0;
	for (next = chain[next].child; next; next = c->sibling) {
		c = &chain[next];
		if (likely(c->what == what))
			break;
	}
	if (unlikely(!class || !next) ||
	    (unlikely(!c->validated) && !e->trylock && e->check))
		return false;
	e->class = (u16)(class - 1);
	if (irqs && !lockdep_usage_is_known(t, e))
		return false;
	e->chain = t->chain;
	t->nheld++; /* e lies there */
	t->chain = (u16)next;
	return true;
}

/* What an acquire can change that others see: edges and their kinds, usage, a
 * chain that was trusted for its nest lock. */
static u64 changes(void)
{
	u64 sum = lockdep->edge_bytes + lockdep->nested;
	u32 i, n = lockdep_nedges();

	for (i = 0; i < n; i++)
		sum = sum * 31 + lockdep->edge[i].dep;
	n = lockdep->irqs ? lockdep_nclasses() : 0;
	for (i = 0; i < n; i++)
		sum = sum * 31 + lockdep->class[i].usage;
	return sum;
}

static noinline void acquire_checked(struct hd_task *t, struct hd_held *e,
				     bool sync)
{
	u64 before = changes();

	if (!lockdep_acquire(t, e, sync))
		raise(e->pc);
	else if (changes() != before)
		order(true);
}

/* Can a dependency come from what is held?  A read section of RCU alone has
 * none. */
static __always_inline bool orders(const struct hd_task *t)
{
	return t->nheld > 1 || (t->nheld && t->held[0].check);
}

/* After the report nothing more is reported: what could have been, had it come
 * before, is ordered with it all the same. */
static noinline void acquire_off(struct hd_task *t, struct hd_held *e,
				 bool sync)
{
	if (t->nheld || lockdep->irqs || e->nest || !e->map->key ||
	    e->subclass >= LOCKDEP_SUBCLASSES)
		order(false);
	lockdep_acquire(t, e, sync);
}

/* With interrupts, under exhaustive search, after a report, or a lock_sync(). */
static noinline void acquire_with_care(struct hd_task *t, struct hd_held *e,
				       bool sync)
{
	bool irqs = lockdep->irqs;

	if (lockdep->off) {
		acquire_off(t, e, sync);
		return;
	}
	if ((orders(t) && !e->trylock && e->check) || irqs)
		order(false);
	if (sync || t->in_irq || !is_routine(lockdep, t, e, irqs))
		acquire_checked(t, e, sync);
}

static void on_acquire(struct hd_task *t, struct hd_held *e, bool sync)
{
	const struct lockdep *ld = lockdep;

	if (unlikely(ld->off_or_irqs || hd_eng.central || sync))
		acquire_with_care(t, e, sync);
	else if (unlikely(!is_routine(ld, t, e, false)))
		acquire_checked(t, e, false);
}

/* --- the rest ---------------------------------------------------------------- */

/* Does a lock above map look at the graph when it is taken again? */
static bool retakes(const struct hd_task *t, const struct lockdep_map *map)
{
	u32 i = t->nheld;

	while (i-- > 0 && t->held[i].map != map)
		if (!t->held[i].trylock && t->held[i].check)
			return true;
	return i == UINT32_MAX; /* not held: a report */
}

static noinline void release_checked(struct hd_task *t, struct lockdep_map *map,
				     u32 pc)
{
	u64 before = changes();
	bool off = lockdep->off;

	if (retakes(t, map))
		order(false);
	if (!lockdep_release(t, map) && !off)
		raise(pc);
	else if (changes() != before)
		order(true);
}

static void on_release(struct hd_task *t, struct lockdep_map *map, u32 pc)
{
	struct hd_held *top = &t->held[t->nheld - 1];

	if (likely(t->nheld && top->map == map && !top->references)) {
		t->chain = top->chain;
		t->nheld--;
		return;
	}
	release_checked(t, map, pc);
}

static void on_downgrade(struct hd_task *t, struct lockdep_map *map, u32 pc)
{
	u64 before = changes();
	bool off = lockdep->off;

	if (t->nheld != 1 || t->held[0].map != map)
		order(false);
	if (!lockdep_downgrade(t, map) && !off)
		raise(pc);
	else if (changes() != before)
		order(true);
}

static void on_set_subclass(struct hd_task *t, struct lockdep_map *map,
			    u32 subclass, u32 pc)
{
	u64 before = changes();
	bool off = lockdep->off;

	order(false);
	if (!lockdep_set_subclass(t, map, subclass) && !off)
		raise(pc);
	else if (changes() != before)
		order(true);
}

static bool on_is_held(const struct hd_task *t, const struct lockdep_map *map,
		       int read)
{
	bool off = lockdep->off, held = lockdep_holds(t, map, read);

	if (unlikely(lockdep->off && !off))
		raise(0);
	return held;
}

static void on_freed(const struct hd_task *t, u64 from, u64 size, u32 pc)
{
	if (likely(!t->nheld))
		return;
	order(false);
	if (!lockdep_no_locks_freed((struct hd_task *)t, from, size))
		raise(pc);
}

static void on_context(struct hd_task *t, u32 what)
{
	if (!lockdep->irqs)
		return;
	order(t->nheld && !lockdep->off);
	if (!lockdep->off && !lockdep_context(t, what))
		raise(0);
}

static void still_held(u8 verdict, u32 pc)
{
	if (likely(W->cur->nheld == W->cur->held_below))
		return;
	order(false);
	if (!lockdep_nothing_held(W->cur, verdict))
		raise(pc);
}

static void on_user(const struct hd_event *ev)
{
	still_held(HD_V_HELD_AT_USER, ev->op.pc);
}

static void on_exit_task(const struct hd_event *ev)
{
	if (!W->cur->daemon)
		still_held(HD_V_HELD_AT_EXIT, ev->op.pc);
}

/* --- state -------------------------------------------------------------------- */

/* Orders as a set: in which order they were recorded matters only to the
 * search among recursive readers, and chains only where one was trusted for
 * its nest lock. */
static u64 hash_state(u64 h)
{
	u64 edges = 0;
	u32 i, n = lockdep_nedges();

	for (i = 0; i < n; i++) {
		const struct lockdep_edge *e = &lockdep->edge[i];
		u64 x = hd_mix((u64)lockdep->class[e->from].key ^
			       hd_mix((u64)lockdep->class[e->to].key) ^
			       (u64)lockdep->class[e->from].subclass << 56 ^
			       (u64)lockdep->class[e->to].subclass << 60 ^
			       e->dep);

		edges = lockdep->recursive ? hd_fold(edges, x) : edges + x;
	}
	h = hd_fold(h, edges + lockdep->off);
	n = lockdep->irqs ? lockdep_nclasses() : 0;
	for (i = 0; i < n; i++)
		h += hd_mix((u64)lockdep->class[i].key ^
			    (u64)lockdep->class[i].usage << 48);
	n = lockdep->nested ? lockdep->chain_bytes / 8 : 0;
	for (i = 0; i < n; i++)
		h = hd_fold(h, *(u64 *)&lockdep->chain[i]);
	return h;
}

static void empty(void)
{
	memset(&lockdep_found, 0, sizeof(lockdep_found));
	lockdep->chain[0] = (struct lockdep_chain){ .what = 0xffff };
	lockdep->chain_bytes = sizeof(struct lockdep_chain);
	lockdep->class_bytes = lockdep->edge_bytes = 0;
	lockdep->origin_bytes = 0;
	lockdep->off = lockdep->nested = lockdep->recursive = 0;
}

static struct lockdep apart, *behind;

void lockdep_apart(void)
{
	static struct lockdep_class class[LOCKDEP_CLASSES];
	static struct lockdep_edge edge[LOCKDEP_EDGES];
	static struct lockdep_chain chain[LOCKDEP_CHAINS];
	static struct lockdep_origin origin[LOCKDEP_EDGES];

	hd_world_map();
	if (lockdep != &apart)
		behind = lockdep;
	apart.class = class;
	apart.edge = edge;
	apart.chain = chain;
	apart.origin = origin;
	lockdep = &apart;
}

void lockdep_empty(void)
{
	empty();
}

void lockdep_back(void)
{
	lockdep = behind;
}

/* --- start --------------------------------------------------------------------- */

/* Without them no lock is ever used in an interrupt: usage need not be kept. */
static bool has_handlers(const struct heddle_scenario *s)
{
	const struct heddle_task *t;

	for (t = s->tasks; t->name; t++)
		if (t->irq)
			return true;
	return false;
}

void hd_lockdep_start(void)
{
	struct lockdep *l = hd_world_reserve(sizeof(*l));

	lockdep = l;
	l->class = hd_world_reserve_table(
		LOCKDEP_CLASSES * sizeof(struct lockdep_class), &l->class_bytes);
	l->edge = hd_world_reserve_table(
		LOCKDEP_EDGES * sizeof(struct lockdep_edge), &l->edge_bytes);
	l->chain = hd_world_reserve_table(
		LOCKDEP_CHAINS * sizeof(struct lockdep_chain), &l->chain_bytes);
	l->origin = hd_world_reserve_table(
		LOCKDEP_EDGES * sizeof(struct lockdep_origin),
		&l->origin_bytes);
	l->irqs = has_handlers(hd_eng.scenario);
	empty();
	hd_world_hash_by(hash_state);
	hd_lock_oracle = (struct hd_lock_oracle){
		.acquire = on_acquire,
		.release = on_release,
		.downgrade = on_downgrade,
		.set_subclass = on_set_subclass,
		.is_held = on_is_held,
		.freed = on_freed,
		.context = on_context,
	};
	hd_subscribe(HD_USER, on_user);
	hd_subscribe(HD_EV_EXIT, on_exit_task);
}
