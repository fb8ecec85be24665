/* SPDX-License-Identifier: MIT */
/* The locks that each task holds, in order, as the annotations tell.
 *
 * Blocking acquires are announced before they block, so the top entry of a
 * blocked task is the lock that it waits for.  The lockdep oracle reads these
 * stacks; they go on after it has turned itself off. */
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
				     u32 code, u8 subclass, u64 old, u32 pc)
{
	if (unlikely(hd_eng.attentive || hd_subscribers[kind][0]))
		emit(kind, map, code, subclass, old, pc);
	else
		W->step++;
}

void hd_lock_acquire(struct lockdep_map *map, int subclass, int trylock,
		     int read, int check, u32 pc)
{
	u32 code = (u32)(read | trylock << 2 | check << 3);
	struct hd_task *t = W->cur;
	struct hd_held *h;

	hd_settle();
	if (unlikely(W->probing))
		return;
	annotate(HD_EV_ACQUIRE, map, code, (u8)subclass, 0, pc);
	if (t->nheld && hd_lock_oracle.acquire)
		hd_lock_oracle.acquire(t, map, code, (u8)subclass, pc);
	if (unlikely(t->nheld == HD_MAX_HELD))
		hd_limit("held locks");
	h = &t->held[t->nheld++];
	*h = (struct hd_held){ .map = map, .pc = pc, .n = t->n,
			       .read = (u8)read, .trylock = (u8)trylock,
			       .check = (u8)check, .subclass = (u8)subclass };
}

static int find(const struct hd_task *t, const struct lockdep_map *map)
{
	int i;

	for (i = t->nheld - 1; i >= 0; i--)
		if (t->held[i].map == map)
			return i;
	return -1;
}

static void unbalanced(struct lockdep_map *map, u32 pc)
{
	if (hd_lock_oracle.unbalanced)
		hd_lock_oracle.unbalanced(map, pc);
}

void hd_lock_release(struct lockdep_map *map, u32 pc)
{
	struct hd_task *t = W->cur;
	int i;

	hd_settle();
	if (W->probing)
		return;
	i = find(t, map);
	annotate(HD_EV_RELEASE, map, 0, 0, (u64)(s64)i, pc);
	if (i < 0) {
		unbalanced(map, pc);
		return;
	}
	for (t->nheld--; i < t->nheld; i++)
		t->held[i] = t->held[i + 1];
	t->held[i] = (struct hd_held){ 0 };
}

void hd_lock_downgrade(struct lockdep_map *map, u32 pc)
{
	struct hd_task *t = W->cur;
	int i;

	hd_settle();
	if (W->probing)
		return;
	i = find(t, map);
	annotate(HD_EV_DOWNGRADE, map, 0, 0, (u64)(s64)i, pc);
	if (i < 0)
		unbalanced(map, pc);
	else
		t->held[i].read = 1;
}
