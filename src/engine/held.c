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

	/* who frees it looks at who holds it (oracle/lifetime.c) */
	hd_order_range(map, 1, false);

	hd_emit(&ev);
}

static __always_inline void annotate(u8 kind, struct lockdep_map *map,
				     u32 code, u8 subclass, u32 pc)
{
	if (unlikely(hd_eng.attentive || hd_subscribers[kind][0]))
		emit(kind, map, code, subclass, W->cur->nheld, pc);
	else
		W->step++;
}

/* The entry is written where it will stay if the oracle takes it. */
static __always_inline void acquire(u8 kind, const struct hd_held *want)
{
	u32 code = (u32)(want->read | want->trylock << 2 | want->check << 3);
	struct hd_task *t = W->cur;
	struct hd_held *e = &t->held[t->nheld];

	hd_settle();
	if (unlikely(W->probing))
		return;
	annotate(kind, want->map, code, want->subclass, want->pc);
	if (unlikely(t->nheld == HD_MAX_HELD))
		hd_limit("held locks");
	*e = *want;
	e->n = t->n;
	e->hardirqs_off = t->irqs_off;
	if (likely(hd_lock_oracle.acquire))
		hd_lock_oracle.acquire(t, e, kind == HD_EV_LOCK_SYNC);
}

void hd_lock_acquire(struct lockdep_map *map, int subclass, int trylock,
		     int read, int check, u32 pc)
{
	struct hd_held e = { .map = map, .pc = pc, .read = (u8)read,
			     .trylock = (u8)trylock, .check = (u8)check,
			     .subclass = (u8)subclass };

	acquire(HD_EV_ACQUIRE, &e);
}

void hd_lock_acquire_nest(struct lockdep_map *map, int subclass, int trylock,
			  int read, int check, struct lockdep_map *nest, u32 pc)
{
	struct hd_held e = { .map = map, .nest = nest, .pc = pc,
			     .read = (u8)read, .trylock = (u8)trylock,
			     .check = (u8)check, .subclass = (u8)subclass };

	acquire(HD_EV_ACQUIRE, &e);
}

void hd_lock_sync(struct lockdep_map *map, int subclass, int read, int check,
		  u32 pc)
{
	struct hd_held e = { .map = map, .pc = pc, .read = (u8)read,
			     .check = (u8)check, .subclass = (u8)subclass };

	acquire(HD_EV_LOCK_SYNC, &e);
}

void hd_lock_release(struct lockdep_map *map, u32 pc)
{
	hd_settle();
	if (W->probing)
		return;
	annotate(HD_EV_RELEASE, map, 0, 0, pc);
	if (likely(hd_lock_oracle.release))
		hd_lock_oracle.release(W->cur, map, pc);
}

void hd_lock_downgrade(struct lockdep_map *map, u32 pc)
{
	hd_settle();
	if (W->probing)
		return;
	annotate(HD_EV_DOWNGRADE, map, 0, 0, pc);
	if (hd_lock_oracle.downgrade)
		hd_lock_oracle.downgrade(W->cur, map, pc);
}

void hd_lock_set_subclass(struct lockdep_map *map, int subclass, u32 pc)
{
	hd_settle();
	if (W->probing)
		return;
	annotate(HD_EV_RECLASS, map, 0, (u8)subclass, pc);
	if (hd_lock_oracle.set_subclass)
		hd_lock_oracle.set_subclass(W->cur, map, (u32)subclass, pc);
}
