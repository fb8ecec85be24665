/* SPDX-License-Identifier: MIT */
/* Where is the history of a granule kept, in a run and over a reset?  Units are
 * handed out in order and taken back by the snapshot alone, except entries. */
#include "race.h"

u16 race_new_units(u32 n)
{
	u32 at = W->annex_used / 8;
	u64 *unit = race_unit((u16)at);

	if (unlikely(at + n > RACE_UNITS))
		hd_limit("race records");
	W->annex_used += n * 8;
	do { /* as volatile: they are too few for a call of memset() */
		*(volatile u64 *)unit++ = 0;
	} while (--n);
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

/* --- over a reset --------------------------------------------------------
 *
 * What the runs of the profile touched, nearly every run will: the template has
 * an empty cell for each such granule, and its slot stays as it is. */

enum { MOST_KEPT = 1024, KEPT = 1 << 7 /* in race_seen */ };
static u32 kept[MOST_KEPT];
static u32 nkept;
static u16 last_kept; /* cells above are the run's own */
static bool collecting;

static void collect(u32 granule)
{
	if (race_seen[granule] & KEPT || nkept == MOST_KEPT)
		return;
	race_seen[granule] |= KEPT;
	kept[nkept++] = granule;
}

void race_keep_none(void)
{
	nkept = last_kept = 0;
	collecting = true;
}

void race_prepare(void)
{
	u32 i;

	collecting = false;
	for (i = 0; i < nkept; i++)
		race_new_cell(kept[i])->noted = race_seen[kept[i]];
	last_kept = race->cells;
}

void race_forget(void)
{
	u16 i = W->annex_used ? race->cells : 0;

	while (i > last_kept) {
		const struct race_cell *c = race_unit(i);

		if (unlikely(collecting))
			collect(c->granule);
		race_slot[c->granule] = 0;
		i = c->chain;
	}
}

void race_recall(void)
{
	u16 i = race->cells;

	while (i > last_kept) {
		const struct race_cell *c = race_unit(i);

		race_slot[c->granule] = i;
		i = c->chain;
	}
}
