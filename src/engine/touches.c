/* SPDX-License-Identifier: MIT */
/* Lists of what transitions touch; see touches.h. */
#include "touches.h"

#include <string.h>

#include "hot.h"

static struct hd_touch *arena;
static u32 used;
static const u32 ROOM = 1u << 24;

u32 hd_touches_used(void)
{
	return used;
}

void hd_touches_cut(u32 to)
{
	used = to;
}

static u64 hash_of(const struct hd_touch *t)
{
	u64 word = t->addr >> 3, last = (t->addr + t->size - 1) >> 3, bits = 0;

	if (last - word >= 8)
		return ~0ull;
	for (; word <= last; word++)
		bits |= 1ull << (word * 0x9e3779b97f4a7c15ull >> 58);
	return bits;
}

static struct touches put(const struct hd_touch *touch, u32 n)
{
	struct touches t = { .at = used, .n = n };
	u32 i;

	for (i = 0; i < n; i++) {
		arena[used + i] = touch[i];
		t.any |= hash_of(&touch[i]);
		if (touch[i].how != HD_READS)
			t.written |= hash_of(&touch[i]);
	}
	return t;
}

/* The arena's last entries are never used up: pending ops go there. */
static bool has_room(u32 n)
{
	if (!arena)
		arena = hd_map_memory(ROOM * sizeof(*arena));
	return used + n + HD_MAX_READS < ROOM;
}

struct touches hd_touches_keep(void)
{
	struct touches t = { .at = used, .all = true };

	if (!has_room(hd_eng.ntouch) || hd_eng.touch_overflow)
		return t;
	t = put(hd_eng.touch, hd_eng.ntouch);
	used += t.n;
	return t;
}

void hd_touches_take_up(const struct touches *t)
{
	hd_eng.ntouch = t->n;
	hd_eng.touch_overflow = t->all;
	if (t->n)
		memcpy(hd_eng.touch, arena + t->at,
		       t->n * sizeof(hd_eng.touch[0]));
}

/* --- sums --------------------------------------------------------------------- */

void hd_touches_clear_sum(struct hd_touch_sum *s)
{
	s->n = 0;
	s->all = false;
}

static bool is_in(const struct hd_touch_sum *s, const struct hd_touch *t)
{
	u32 i;

	for (i = 0; i < s->n; i++)
		if (s->touch[i].addr == t->addr && s->touch[i].size == t->size &&
		    (s->touch[i].how == t->how || s->touch[i].how == HD_WRITES))
			return true;
	return false;
}

void hd_touches_add(struct hd_touch_sum *s, const struct touches *t)
{
	u32 i;

	s->all |= t->all;
	for (i = 0; i < t->n && !s->all; i++) {
		if (is_in(s, &arena[t->at + i]))
			continue;
		if (s->n == ARRAY_SIZE(s->touch))
			s->all = true;
		else
			s->touch[s->n++] = arena[t->at + i];
	}
}

struct touches hd_touches_of_sum(const struct hd_touch_sum *s)
{
	struct touches t = { .at = used, .all = true };

	if (s->all || !has_room(s->n))
		return t;
	t = put(s->touch, s->n);
	used += t.n;
	return t;
}

/* --- comparing ------------------------------------------------------------------ */

struct touches hd_touches_of_pending(const struct hd_task *t)
{
	struct hd_touch touch[HD_MAX_READS + 1];
	u32 i, n = 0;

	if (!has_room(0))
		return (struct touches){ .all = true };
	if (t->op.size)
		touch[n++] = (struct hd_touch){ t->op.addr, t->op.size,
						HD_WRITES };
	if (t->op.kind == HD_AWAIT)
		for (i = 0; i < t->nreads && i < HD_MAX_READS; i++)
			touch[n++] = (struct hd_touch){
				hd_read_addr(t->reads[i].addr),
				hd_read_size(t->reads[i].addr), HD_READS };
	return put(touch, n);
}

static bool meet(const struct hd_touch *x, const struct hd_touch *y)
{
	if (x->how == HD_READS && y->how == HD_READS)
		return false;
	if (x->addr >= y->addr + y->size || y->addr >= x->addr + x->size)
		return false;
	return !(x->how == HD_ADDS && y->how == HD_ADDS &&
		 x->addr == y->addr && x->size == y->size);
}

static bool have_common(const struct touches *a, const struct touches *b)
{
	u32 i, j;

	for (i = 0; i < a->n; i++) {
		for (j = 0; j < b->n; j++)
			if (meet(arena + a->at + i, arena + b->at + j))
				return true;
	}
	return false;
}

bool hd_dependent(const struct touches *a, const struct touches *b)
{
	if (a->all || b->all)
		return true;
	if (!((a->written & b->any) | (a->any & b->written)))
		return false;
	return have_common(a, b);
}

static bool is_live(u64 addr)
{
	const struct hd_object *o;

	if (!hd_in_heap(addr))
		return hd_in_statics(addr) || hd_in_shared_stack(addr);
	o = hd_object_at(addr);
	return o && o->state == HD_OBJ_LIVE;
}

bool hd_in_vain(const struct hd_task *t)
{
	u64 word;

	if (!(t->op.flags & HD_UNTIL_ZERO) || !is_live(t->op.addr))
		return false;
	word = hd_peek(t->op.addr, t->op.size);
	return word && word != t->id + 1u;
}

void hd_touches_forget_write(u64 addr)
{
	u32 i;

	for (i = 0; i < hd_eng.ntouch; i++)
		if (hd_eng.touch[i].addr == addr)
			hd_eng.touch[i].how = HD_READS;
}
