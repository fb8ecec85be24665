/* SPDX-License-Identifier: MIT */
/* Where is the history of a granule kept, in a run and over a reset?  Units are
 * handed out in order and taken back by the snapshot alone, except entries. */
#include "race.h"

u16 race_new_units(u32 n)
{
	u32 at = W->annex_used / 8;

	if (unlikely(at + n > RACE_UNITS))
		hd_limit("race records");
	W->annex_used += n * 8;
	memset(race_unit((u16)at), 0, n * 8);
	return (u16)at;
}

noinline struct race_cell *race_new_cell(u32 granule)
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

u16 race_new_entry(void)
{
	u16 i = race->free;

	if (!i)
		return race_new_units(1);
	race->free = ((struct race_entry *)race_unit(i))->next;
	return i;
}

void race_free_entry(u16 i)
{
	struct race_entry *e = race_unit(i);

	e->next = race->free;
	race->free = i;
}

void race_forget(void)
{
	u16 i = W->annex_used ? race->cells : 0;

	while (i) {
		const struct race_cell *c = race_unit(i);

		race_slot[c->granule] = 0;
		i = c->chain;
	}
}

void race_recall(void)
{
	u16 i = race->cells;

	while (i) {
		const struct race_cell *c = race_unit(i);

		race_slot[c->granule] = i;
		i = c->chain;
	}
}
