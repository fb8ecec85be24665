/* SPDX-License-Identifier: MIT */
/* Which accesses of a granule must be remembered, and which of these race with
 * the one that comes now?
 *
 * The history of a granule keeps every access that a later one may race with
 * and that no other entry covers: reads of one word by several tasks stay side
 * by side, as exhaustive search does not try their orders.  Set-up and end check
 * are ordered before and after all tasks; nothing is remembered of them.  What
 * most accesses are is dealt with in race.c, in short. */
#include "race.h"

enum { CLAIM = RACE_ASSERT | RACE_SCOPED | RACE_MASKED };

static __always_inline bool ordered(const struct race_entry *o,
				    const struct race_access *a)
{
	return race_ordered(a->t, o, a->bits & RACE_WRITE) &&
	       (!(o->bits & RACE_SCOPED) || o->task == a->t->id);
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
static __always_inline bool is_stronger(u16 what, u16 weaker)
{
	return !(weaker & ~what) && !((what ^ weaker) & RACE_ASSERT) &&
	       !((what | weaker) & (RACE_SCOPED | RACE_MASKED));
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

static noinline void not_ordered(const struct race_access *a, struct race_entry *o)
{
	if (races(o, a) && (likely(!((a->bits | o->bits) & RACE_MASKED)) ||
			    breaks_claim(o, a)))
		race_raise(a, o, race_word(a->bits));
}

/* The earlier o meets the access a.  True: o is of no more use. */
static __always_inline bool meet(const struct race_access *a,
				 struct race_entry *o, bool *known)
{
	if (!ordered(o, a)) {
		if (unlikely((o->bits | a->bits) & RACE_PLAIN))
			not_ordered(a, o);
		return false;
	}
	if (o->task == a->t->id && o->n > a->t->race_released &&
	    is_stronger(o->what, a->what)) {
		*known = true;
		return false;
	}
	return is_stronger(a->what, o->what);
}

/* The latest write and the latest read have places of their own. */
static __always_inline void put(struct race_cell *c, const struct race_access *a)
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
	e->n = a->n;
	e->key = race_key(a->t->id, a->what);
}

void race_record_among(struct race_cell *c, const struct race_access *a)
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
		race_no_entry(&c->w);
	if (c->r.bytes && meet(a, &c->r, &known))
		race_no_entry(&c->r);
	if (!known)
		put(c, a);
}

/* --- accesses that are no claims ------------------------------------------ */

static noinline void record_at_length(const struct hd_task *t, struct race_cell *c,
				      u32 what, u64 mask)
{
	struct race_access a = { .t = t, .n = (u16)t->n, .what = (u16)what,
				 .granule = c->granule, .pc = t->op.pc,
				 .mask = mask };

	race_note(c, what);
	race_record_among(c, &a);
}

enum met { STAYS = 0, KNOWN = 1, HARD = 2, GOES };

/* What meet() says, where it is easy to say. */
static __always_inline enum met meets(const struct hd_task *t, u32 what,
				      const struct race_entry *o)
{
	u32 either = o->what | what;

	if (unlikely(either & CLAIM))
		return HARD;
	if (t->race_now[o->task] < o->n) {
		/* not ordered: two marked ones or two reads do not race */
		if ((either & RACE_BOTH) == RACE_BOTH ||
		    (what & RACE_WRITE && t->race_pending))
			return HARD;
		return STAYS;
	}
	if (o->task == t->id && o->n > t->race_released && !(what & ~o->what))
		return KNOWN;
	return o->what & ~what ? STAYS : GOES;
}

/* race_record_among() without a call, as long as all is easy; what was done until
 * then, need not be undone. */
void race_record(const struct hd_task *t, struct race_cell *c, u32 what, u64 mask)
{
	struct race_entry *e;
	u16 *link = &c->w.next, i;
	enum met m, known = STAYS;

	while ((i = *link)) {
		e = race_unit(i);
		m = meets(t, what, e);
		if (m == GOES) {
			*link = e->next;
			race_free_entry(i);
			continue;
		}
		known |= m;
		link = &e->next;
	}
	if (c->w.key) {
		m = meets(t, what, &c->w);
		if (m == GOES)
			race_no_entry(&c->w);
		else
			known |= m;
	}
	if (c->r.key) {
		m = meets(t, what, &c->r);
		if (m == GOES)
			race_no_entry(&c->r);
		else
			known |= m;
	}
	if (unlikely(known & HARD || what & ~c->noted & RACE_BOTH)) {
		record_at_length(t, c, what, mask);
		return;
	}
	if (known)
		return;
	e = what & RACE_WRITE ? &c->w : &c->r;
	if (e->key)
		race_push(c, e);
	e->n = (u16)t->n;
	e->key = race_key(t->id, what);
}
