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
 * an empty cell for each such granule, whose slot stays as it is, and a clock
 * where a lock was released.  (Not for other words: as long as they have none,
 * marked accesses of them are simple.) */

enum { MOST_KEPT = 1024, KEPT = 1 << 7 /* in race_seen */ };
static struct {
	u32 granule;
	u32 synced; /* bit i: a clock at i, see struct race_sync */
} kept[MOST_KEPT];
static u32 nkept;
static u16 last_kept; /* cells above are the run's own */
static bool collecting;

static void collect(const struct race_cell *c)
{
	const struct race_sync *s;
	u32 k = nkept;
	u16 i;

	if (race_seen[c->granule] & KEPT) {
		for (k = 0; c->sync && kept[k].granule != c->granule; k++)
			;
	} else if (nkept < MOST_KEPT) {
		race_seen[c->granule] |= KEPT;
		kept[nkept].granule = c->granule;
		kept[nkept++].synced = 0;
	}
	for (i = k < nkept ? c->sync : 0; i; i = s->next) {
		s = race_unit(i);
		if (s->lock)
			kept[k].synced |= 1u << s->what;
	}
}

void race_keep_none(void)
{
	nkept = last_kept = 0;
	collecting = true;
}

void race_prepare(void)
{
	u32 i, m;

	collecting = false;
	for (i = 0; i < nkept; i++) {
		struct race_cell *c = race_new_cell(kept[i].granule);

		c->noted = race_seen[c->granule];
		for (m = kept[i].synced; m; m &= m - 1)
			race_new_sync(c, (u32)__builtin_ctz(m));
	}
	last_kept = race->cells;
}

void race_forget(void)
{
	u16 i = W->annex_used ? race->cells : 0;

	while (i > last_kept) {
		const struct race_cell *c = race_unit(i);

		if (unlikely(collecting))
			collect(c);
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
