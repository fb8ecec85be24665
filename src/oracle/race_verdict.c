/* SPDX-License-Identifier: MIT */
/* What is said of a race, and how often?  The verdict names what both did and
 * the field, so that it is one signature whichever came first. */
#include "race.h"

/* Of the verdicts that a run may have, races of a kind take no more than these,
 * and what else races in it is left to other runs: a struct that is copied
 * without a lock must not drown what other oracles say. */
enum { MOST_RACES = 8 };

const char *race_word(u8 bits)
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

/* Static data has no type: its place there tells one variable from another, and
 * triage finds the name. */
static void name_object(struct hd_verdict *v, u64 addr)
{
	const struct hd_object *o;

	if (hd_in_statics(addr))
		v->off = (u32)(addr - (u64)__start_hd_data) + 1;
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

/* Two accesses of eight bytes meet in two granules: that is one race. */
static bool was_raised(const struct race_access *a, const struct race_entry *o)
{
	bool same = race->last_granule + 1 == a->granule &&
		    race->last_n[0] == a->n && race->last_n[1] == o->n &&
		    race->last_task[0] == a->t->id &&
		    race->last_task[1] == o->task;

	race->last_granule = a->granule;
	race->last_n[0] = a->n;
	race->last_n[1] = o->n;
	race->last_task[0] = a->t->id;
	race->last_task[1] = o->task;
	return same;
}

void race_raise(const struct race_access *a, const struct race_entry *o,
		const char *what)
{
	struct hd_verdict v = { .kind = HD_V_DATA_RACE, .pc = a->pc,
				.other_task = o->task, .other_n = o->n };
	u64 addr;

	if ((a->bits | o->bits) & RACE_ASSERT)
		v.kind = HD_V_ASSERT_RACE;
	if (was_raised(a, o) || !room_for(v.kind))
		return;
	addr = race_address(a->granule) + (u64)__builtin_ctz(a->bytes & o->bytes);
	if (unlikely(hd_eng.profiling))
		hd_profile_raced(addr);
	name_both(&v, what, race_word(o->bits));
	name_object(&v, addr);
	hd_raise(v);
}
