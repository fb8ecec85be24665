/* SPDX-License-Identifier: MIT */
/* What of the histories and clocks can decide a future verdict?
 *
 * For the bounded search, which expands no state twice.  Numbers of ops differ
 * in states that will behave alike, so none is hashed: of task u only those ops
 * count that stand in a history and are not yet ordered before all tasks that
 * can still run, and a clock is how many of these it is past.  Histories of
 * granules that only one task uses, that nobody writes, or nobody accesses
 * plainly, have no race to come and are left out (a free is both); that is learnt
 * from the runs, as in profile.c, and if a run of the search shows otherwise it
 * starts anew. */
#include "race.h"

#include "../base/hash.h"
#include "../engine/hot.h"

u8 race_seen[RACE_GRANULES];

void race_learn(u32 granule, u32 bits)
{
	if (!(bits & ~race_seen[granule] & RACE_BOTH))
		return;
	race_seen[granule] |= bits & RACE_BOTH;
	if (hd_eng.central)
		hd_eng.learned = true;
}

void race_forget_notes(void)
{
	u64 statics = (u64)(__stop_hd_data - __start_hd_data) / 4 + 2;

	memset(race_seen, 0, RACE_HEAP + statics);
	memset(race_seen + RACE_STACK, 0, RACE_GRANULES - RACE_STACK);
}

static bool can_race(u32 granule)
{
	u32 w = hd_word_of(race_address(granule));

	if ((race_seen[granule] & RACE_BOTH) != RACE_BOTH)
		return false;
	return hd_shared[w] & (HD_CHOICE | HD_CONFLICT);
}

/* --- which ops count ----------------------------------------------------- */

enum { WORDS = (HD_MAX_STEPS + 2) / 64 + 1 };
static struct of_task {
	u16 past;         /* ordered before all others that still run */
	u64 op[WORDS];    /* bit n: the n-th op counts */
	u16 below[WORDS]; /* how many that do stand in earlier words */
	u32 words;        /* in use */
} of[HD_MAX_TASKS];

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

/* How many of the task's ops that count are ordered before, if those up to n
 * are? */
static u32 rank(const struct of_task *o, u16 n)
{
	u64 upto = ~0ull >> (63 - n % 64);

	return o->below[n / 64] +
	       (u32)__builtin_popcountll(o->op[n / 64] & upto);
}

static void begin(u32 u)
{
	struct of_task *o = &of[u];

	o->past = before_all(u);
	o->words = (W->tasks[u].n + 1) / 64 + 1; /* claims are one ahead */
	memset(o->op, 0, o->words * sizeof(o->op[0]));
}

static void sum_up(struct of_task *o)
{
	u32 i, n = 0;

	for (i = 0; i < o->words; i++) {
		o->below[i] = (u16)n;
		n += (u32)__builtin_popcountll(o->op[i]);
	}
}

static bool counts(const struct race_entry *e)
{
	return e->bytes && (e->n > of[e->task].past || (e->bits & RACE_SCOPED));
}

static const struct race_cell *cell_before(const struct race_cell *c)
{
	u16 i = c ? c->chain : race->cells;

	return i ? race_unit(i) : NULL;
}

static bool find_ops(void)
{
	const struct race_cell *c = NULL;
	const struct race_entry *e;
	bool any = false;
	u32 u;

	for (u = 0; u < race->ntasks; u++)
		begin(u);
	while ((c = cell_before(c))) {
		if (!can_race(c->granule))
			continue;
		for (e = &c->w; e; e = race_next(c, e)) {
			if (!counts(e))
				continue;
			of[e->task].op[e->n / 64] |= 1ull << e->n % 64;
			any = true;
		}
	}
	for (u = 0; any && u < race->ntasks; u++)
		sum_up(&of[u]);
	return any;
}

/* --- hashes -------------------------------------------------------------- */

/* 0: it tells nothing that all do not know. */
static u64 hash_clock(const u16 *clock, u32 but)
{
	u64 h = 0;
	u32 u, r;

	for (u = 0; u < race->ntasks; u++) {
		if (u == but || clock[u] <= of[u].past)
			continue;
		r = rank(&of[u], clock[u]);
		if (r)
			h += hd_mix((u64)u << 32 | r);
	}
	return h;
}

static u64 hash_entries(const struct race_cell *c)
{
	const struct race_entry *e;
	u64 h = 0, mask;

	for (e = &c->w; e; e = race_next(c, e)) {
		if (!counts(e))
			continue;
		mask = e->bits & RACE_MASKED ? *(const u64 *)(e + 1) : 0;
		h += hd_mix(hd_mix((u64)c->granule << 32 | e->bits << 16 |
				   e->bytes << 8 | e->task) ^
			    rank(&of[e->task], e->n) ^ mask);
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

	if (!find_ops())
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
