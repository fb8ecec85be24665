/* SPDX-License-Identifier: MIT */
/* What of the histories and clocks can decide a future verdict?
 *
 * For the bounded search, which expands no state twice.  Numbers of ops differ
 * in states that will behave alike, so none is hashed: of task u only those ops
 * count that stand in a history and are not yet ordered before all tasks that
 * can still run, and a clock is how many of these it is past.  Histories of
 * granules that only one task uses, or that nobody accesses plainly nor frees,
 * have no race to come and are left out; both are learnt from the runs, as it is
 * in profile.c, and if a run of the search shows otherwise it starts anew. */
#include "race.h"

#include "../base/hash.h"
#include "../engine/hot.h"

static u8 plain[RACE_GRANULES];

void race_note_plain(u32 granule)
{
	if (likely(plain[granule]))
		return;
	plain[granule] = 1;
	if (hd_eng.central)
		hd_eng.learned = true;
}

void race_forget_plain(void)
{
	memset(plain, 0, sizeof(plain));
}

static bool can_race(u32 granule)
{
	u32 w = hd_word_of(race_address(granule));

	if (!plain[granule])
		return false;
	return w >= HD_WORDS - 1 ||
	       ((hd_shared[w] | hd_shared[w + 1]) & (HD_CHOICE | HD_CONFLICT));
}

/* --- which ops count ----------------------------------------------------- */

enum { MOST_OPS = 4096 };
static u32 ops[MOST_OPS]; /* task << 16 | n, in order */
static u32 nops;
static u16 past[HD_MAX_TASKS]; /* ordered before all others that still run */

static u16 before_all(u32 u)
{
	u16 least = UINT16_MAX;
	u32 t;

	for (t = 0; t < race->ntasks; t++) {
		u16 n = race_clock(t, RACE_NOW)[u];

		if (t != u && W->tasks[t].state != HD_DONE && n < least)
			least = n;
	}
	return least;
}

static void insert(u32 key)
{
	u32 lo = 0, hi = nops;

	while (lo < hi) {
		u32 mid = (lo + hi) / 2;

		if (ops[mid] < key)
			lo = mid + 1;
		else
			hi = mid;
	}
	if ((lo < nops && ops[lo] == key) || nops == MOST_OPS)
		return;
	memmove(&ops[lo + 1], &ops[lo], (nops - lo) * sizeof(ops[0]));
	ops[lo] = key;
	nops++;
}

static bool counts(const struct race_entry *e)
{
	return e->bytes && (e->n > past[e->task] || (e->bits & RACE_SCOPED));
}

static const struct race_entry *next_of(const struct race_entry *e)
{
	return e->next ? race_unit(e->next) : NULL;
}

static const struct race_cell *cell_before(const struct race_cell *c)
{
	u16 i = c ? c->chain : race->cells;

	return i ? race_unit(i) : NULL;
}

static void find_ops(void)
{
	const struct race_cell *c = NULL;
	const struct race_entry *e;
	u32 u;

	nops = 0;
	for (u = 0; u < race->ntasks; u++)
		past[u] = before_all(u);
	while ((c = cell_before(c))) {
		if (!can_race(c->granule))
			continue;
		for (e = &c->first; e; e = next_of(e))
			if (counts(e))
				insert((u32)e->task << 16 | e->n);
	}
}

/* How many of u's ops that count are ordered before, if those up to n are? */
static u32 rank(u32 u, u16 n)
{
	u32 lo = 0, hi = nops, from;

	if (nops == MOST_OPS)
		return n; /* as good, and tells more states apart */
	for (from = 0; from < nops && ops[from] >> 16 < u; from++)
		;
	for (lo = from; lo < hi && ops[lo] <= (u << 16 | n); lo++)
		;
	return lo - from;
}

/* --- hashes -------------------------------------------------------------- */

/* 0: it tells nothing that all do not know. */
static u64 hash_clock(const u16 *clock, u32 but)
{
	u64 h = 0;
	u32 u, r;

	for (u = 0; u < race->ntasks; u++) {
		if (u == but || clock[u] <= past[u])
			continue;
		r = rank(u, clock[u]);
		if (r)
			h += hd_mix((u64)u << 32 | r);
	}
	return h;
}

static u64 hash_entries(const struct race_cell *c)
{
	const struct race_entry *e;
	u64 h = 0, mask;

	for (e = &c->first; e; e = next_of(e)) {
		if (!counts(e))
			continue;
		mask = e->bits & RACE_MASKED ? *(const u64 *)(e + 1) : 0;
		h += hd_mix(hd_mix((u64)c->granule << 32 | e->bits << 16 |
				   e->bytes << 8 | e->task) ^
			    rank(e->task, e->n) ^ mask);
	}
	return h;
}

static u64 hash_sync(const struct race_cell *c)
{
	u64 h = 0, x;
	u16 i = c->sync;

	while (i) {
		const struct race_sync *s = race_unit(i);

		x = hash_clock(s->clock, UINT32_MAX);
		if (x)
			h += hd_mix(x ^ hd_mix((u64)c->granule << 8 | s->what));
		i = s->next;
	}
	return h;
}

u64 race_hash(void)
{
	const struct race_cell *c = NULL;
	u64 h = 0, x;
	u32 t, i;

	find_ops();
	if (!nops)
		return 0;
	while ((c = cell_before(c))) {
		if (can_race(c->granule))
			h += hash_entries(c);
		h += hash_sync(c);
	}
	for (t = 0; t < race->ntasks; t++) {
		if (W->tasks[t].state == HD_DONE)
			continue;
		for (i = 0; i < RACE_CLOCKS; i++) {
			x = hash_clock(race_clock(t, i),
				       i == RACE_FENCE ? UINT32_MAX : t);
			if (x)
				h += hd_mix(x ^ (t << 8 | i));
		}
	}
	return h;
}
