/* SPDX-License-Identifier: MIT */
/* What locks say about themselves: annotations, on their way to the lock oracle
 * and, where anybody listens, into events.
 *
 * Blocking acquires are announced before they block, so the top entry of a
 * blocked task is the lock that it waits for.  The oracle keeps the stacks of
 * held locks; they go on after it has turned itself off. */
#include <heddle/lockdep.h>

#include "engine.h"

static noinline void emit(u8 kind, struct lockdep_map *map, u32 code,
			  u8 subclass, u64 old, u32 pc)
{
	struct hd_event ev = { .op = { .kind = kind, .addr = (u64)map,
				       .arg = subclass, .code = code,
				       .pc = pc },
			       .old = old, .text = map->name };

	hd_emit(&ev);
}

bool hd_locks_are_direct(void)
{
	return hd_lock_oracle.acquire && hd_lock_oracle.release &&
	       !hd_eng.attentive && !hd_eng.central &&
	       !hd_subscribers[HD_EV_ACQUIRE][0] &&
	       !hd_subscribers[HD_EV_RELEASE][0];
}

/* Is there more to do than to tell the oracle? */
static __always_inline bool is_heard(void)
{
	return !hd_eng.direct || W->unsettled;
}

/* false: nobody is to know of it. */
static bool annotate(u8 kind, struct lockdep_map *map, u32 code, u8 subclass,
		     u32 pc)
{
	hd_settle();
	if (W->probing)
		return false;
	/* who frees it looks at who holds it (oracle/lifetime.c), which any
	 * search has to know */
	if (hd_eng.central || hd_eng.attentive)
		hd_order_range(map, 1, false);
	if (hd_eng.attentive || hd_subscribers[kind][0])
		emit(kind, map, code, subclass, W->cur->nheld, pc);
	else
		W->step++;
	return true;
}

static noinline bool announce(u8 kind, const struct hd_held *e)
{
	if (!annotate(kind, e->map,
		      (u32)(e->read | e->trylock << 2 | e->check << 3),
		      e->subclass, e->pc))
		return false;
	if (unlikely(W->cur->nheld == HD_MAX_HELD))
		hd_limit("held locks");
	return true;
}

static noinline void acquire_heard(u8 kind, struct hd_held e)
{
	struct hd_task *t = W->cur;

	if (!announce(kind, &e) || !hd_lock_oracle.acquire)
		return;
	e.n = t->n;
	e.hardirqs_off = t->irqs_off;
	t->held[t->nheld] = e; /* where it stays if the oracle takes it */
	hd_lock_oracle.acquire(t, &t->held[t->nheld], kind == HD_EV_LOCK_SYNC);
}

/* Apart, for the sake of its frame. */
static noinline void acquire_plainly(struct lockdep_map *map, u32 mode, u32 pc)
{
	acquire_heard(HD_EV_ACQUIRE, (struct hd_held){
		.map = map, .pc = pc, .mode = mode });
}

void hd_lock_acquire(struct lockdep_map *map, int subclass, int trylock,
		     int read, int check, u32 pc)
{
	u32 mode = (u32)(read | trylock << 8 | check << 16 | subclass << 24);
	struct hd_task *t = W->cur;
	struct hd_held *e = &t->held[t->nheld];

	if (unlikely(is_heard() || t->nheld == HD_MAX_HELD)) {
		acquire_plainly(map, mode, pc);
		return;
	}
	W->step++;
	e->map = map;
	e->nest = NULL;
	e->pc = pc;
	e->n = t->n;
	e->references = 0;
	e->mode = mode;
	e->irq_context = 0;
	e->hardirqs_off = t->irqs_off;
	hd_lock_oracle.acquire(t, e, false);
}

void hd_lock_acquire_nest(struct lockdep_map *map, int subclass, int trylock,
			  int read, int check, struct lockdep_map *nest, u32 pc)
{
	struct hd_held e = { .map = map, .nest = nest, .pc = pc,
			     .read = (u8)read, .trylock = (u8)trylock,
			     .check = (u8)check, .subclass = (u8)subclass };

	acquire_heard(HD_EV_ACQUIRE, e);
}

void hd_lock_sync(struct lockdep_map *map, int subclass, int read, int check,
		  u32 pc)
{
	struct hd_held e = { .map = map, .pc = pc, .read = (u8)read,
			     .check = (u8)check, .subclass = (u8)subclass };

	acquire_heard(HD_EV_LOCK_SYNC, e);
}

static noinline void release_heard(struct lockdep_map *map, u32 pc)
{
	if (annotate(HD_EV_RELEASE, map, 0, 0, pc) && hd_lock_oracle.release)
		hd_lock_oracle.release(W->cur, map, pc);
}

void hd_lock_release(struct lockdep_map *map, u32 pc)
{
	if (unlikely(is_heard())) {
		release_heard(map, pc);
		return;
	}
	W->step++;
	hd_lock_oracle.release(W->cur, map, pc);
}

void hd_lock_downgrade(struct lockdep_map *map, u32 pc)
{
	if (annotate(HD_EV_DOWNGRADE, map, 0, 0, pc) &&
	    hd_lock_oracle.downgrade)
		hd_lock_oracle.downgrade(W->cur, map, pc);
}

void hd_lock_set_subclass(struct lockdep_map *map, int subclass, u32 pc)
{
	if (annotate(HD_EV_RECLASS, map, 0, (u8)subclass, pc) &&
	    hd_lock_oracle.set_subclass)
		hd_lock_oracle.set_subclass(W->cur, map, (u32)subclass, pc);
}
