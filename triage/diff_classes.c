/* SPDX-License-Identifier: MIT */
/* Which runs of two variants are one class, as far as both variants can tell?
 *
 * Compared are the accesses that both variants make and that conflict with one
 * that both make, too.  A class is a set of facts about these: of each conflicting
 * pair that came, which of the two was first; and which accesses came at all. */
#include "diff.h"

#include <stdlib.h>
#include <string.h>

#include "../src/base/hash.h"

void *diff_allot(u64 n, u64 size)
{
	void *p = calloc(n ? n : 1, size);

	if (p)
		return p;
	fprintf(stderr, "heddle: out of memory\n");
	exit(EXIT_FAULT);
}

/* --- facts -------------------------------------------------------------------- */

static bool in_both(const struct access *a)
{
	return a->seen[0] && a->seen[1];
}

static void find_shared(struct comparison *c)
{
	const struct access *a = c->d->access;
	u32 i, k, n = c->d->naccesses;

	c->shared = diff_allot(n, sizeof(c->shared[0]));
	for (i = 0; i < n; i++)
		for (k = 0; k < i && in_both(&a[i]); k++)
			if (in_both(&a[k]) && accesses_conflict(c->d, i, k))
				c->shared[i] = c->shared[k] = true;
	for (i = 0; i < n; i++) {
		c->nshared += c->shared[i];
		for (k = 0; k < i; k++)
			if (c->shared[k] && a[k].word == a[i].word)
				break;
		c->nwords += c->shared[i] && k == i;
	}
}

static bool add_fact(struct comparison *c, u8 kind, u32 x, u32 y)
{
	if (c->nfacts == DIFF_FACTS)
		return false;
	c->fact[c->nfacts++] = (struct fact){ kind, (u16)x, (u16)y };
	return true;
}

/* Is there a run of either side without the access? */
static bool *find_optional(const struct comparison *c)
{
	bool *optional = diff_allot(c->d->naccesses, sizeof(optional[0]));
	u32 *runs = diff_allot(c->d->naccesses, sizeof(runs[0]));
	u32 i, k, s, total = 0;

	for (s = 0; s < 2; s++) {
		const struct side *side = &c->d->side[s];

		for (i = 0; i < side->nruns; i++) {
			const u16 *row = run_accesses(side, &side->runs[i]);

			for (k = 0; k < side->runs[i].naccesses; k++)
				runs[row[k]]++;
		}
		total += side->nruns;
	}
	for (i = 0; i < c->d->naccesses; i++)
		optional[i] = runs[i] < total;
	free(runs);
	return optional;
}

/* Facts of order come in twos: x before y, y before x. */
static bool find_facts(struct comparison *c)
{
	bool *optional = find_optional(c), room = true;
	u32 x, y;

	c->fact = diff_allot(DIFF_FACTS, sizeof(c->fact[0]));
	for (x = 0; x < c->d->naccesses; x++)
		for (y = 0; y < x && c->shared[x] && room; y++)
			if (c->shared[y] && accesses_conflict(c->d, x, y))
				room = add_fact(c, FACT_ORDER, x, y) &&
				       add_fact(c, FACT_ORDER, y, x);
	for (x = 0; x < c->d->naccesses && room; x++)
		if (c->shared[x] && optional[x])
			room = add_fact(c, FACT_CAME, x, x) &&
			       add_fact(c, FACT_MISSING, x, x);
	free(optional);
	c->words = (c->nfacts + 63) / 64;
	return room;
}

/* --- classes -------------------------------------------------------------------- */

static void set_facts(const struct comparison *c, u64 *set, const u32 *at)
{
	u32 i;

	memset(set, 0, c->words * sizeof(set[0]));
	for (i = 0; i < c->nfacts; i++) {
		const struct fact *f = &c->fact[i];
		bool so = f->kind == FACT_MISSING ? !at[f->x] : at[f->x] != 0;

		if (f->kind == FACT_ORDER)
			so = at[f->x] && at[f->x] < at[f->y];
		if (so)
			set[i / 64] |= 1ull << i % 64;
	}
}

static u64 hash_of(const struct comparison *c, const u64 *set)
{
	u64 h = 1;
	u32 i;

	for (i = 0; i < c->words; i++)
		h = hd_fold(h, set[i]);
	return hd_mix(h);
}

static struct class *class_of(const struct comparison *c,
			      const struct classes *of, const u32 *slot,
			      u32 mask, u64 hash, const u64 *set)
{
	u32 i = (u32)hash & mask;

	for (; slot[i]; i = (i + 1) & mask) {
		struct class *k = &of->at[slot[i] - 1];

		if (k->hash == hash &&
		    !memcmp(k->facts, set, c->words * sizeof(set[0])))
			return k;
	}
	return NULL;
}

static void enter(u32 *slot, u32 mask, u64 hash, u32 number)
{
	u32 i = (u32)hash & mask;

	while (slot[i])
		i = (i + 1) & mask;
	slot[i] = number;
}

static const u64 MOST_BYTES = 1ull << 30; /* of facts of one side's classes */

/* The classes of one side, and a table of them by hash.  False: too many. */
static bool sort_runs(const struct comparison *c, const struct side *s,
		      struct classes *of, u32 *slot, u32 mask)
{
	u32 *at = diff_allot(c->d->naccesses, sizeof(at[0]));
	u64 *set = diff_allot(c->words, sizeof(set[0])), hash;
	struct class *k;
	bool room = true;
	u32 i, j;

	of->at = diff_allot(s->nruns, sizeof(of->at[0]));
	of->of_run = diff_allot(s->nruns, sizeof(of->of_run[0]));
	for (i = 0; i < s->nruns && room; i++) {
		const struct run_kept *r = &s->runs[i];
		const u16 *row = run_accesses(s, r);

		memset(at, 0, c->d->naccesses * sizeof(at[0]));
		for (j = 0; j < r->naccesses; j++)
			at[row[j]] = j + 1;
		set_facts(c, set, at);
		hash = hash_of(c, set);
		k = class_of(c, of, slot, mask, hash, set);
		if (!k) {
			k = &of->at[of->n++];
			*k = (struct class){ .hash = hash, .facts = set,
					     .witness = r };
			enter(slot, mask, hash, of->n);
			set = diff_allot(c->words, sizeof(set[0]));
			room = 8ull * of->n * c->words <= MOST_BYTES;
		}
		of->of_run[i] = (u32)(k - of->at);
		k->verdicts |= r->verdicts;
		if (tells_more(r, k->witness))
			k->witness = r;
	}
	free(set);
	free(at);
	return room;
}

static void match(struct comparison *c, const u32 *slot, u32 mask)
{
	struct classes *a = &c->side[0], *b = &c->side[1];
	u32 i;

	for (i = 0; i < a->n; i++) {
		struct class *x = &a->at[i], *y;

		y = class_of(c, b, slot, mask, x->hash, x->facts);
		if (!y)
			continue;
		x->common = y->common = true;
		x->extra = x->verdicts & ~y->verdicts;
		y->extra = y->verdicts & ~x->verdicts;
		c->common++;
		c->changed += x->extra || y->extra;
	}
	c->only[0] = a->n - c->common;
	c->only[1] = b->n - c->common;
}

bool compare(struct comparison *c, struct diff *d)
{
	u32 s, mask = 1, *slot = NULL;
	bool room = true;

	memset(c, 0, sizeof(*c));
	c->d = d;
	find_shared(c);
	if (!find_facts(c))
		return false;
	while (mask < 2 * d->side[0].nruns || mask < 2 * d->side[1].nruns)
		mask = 2 * mask + 1;
	for (s = 0; s < 2 && room; s++) {
		free(slot);
		slot = diff_allot(mask + 1ull, sizeof(slot[0]));
		room = sort_runs(c, &d->side[s], &c->side[s], slot, mask);
	}
	if (room)
		match(c, slot, mask);
	free(slot);
	return room;
}

/* --- questions -------------------------------------------------------------------- */

static struct classes chosen(const struct classes *of,
			     bool (*is_it)(const struct class *k))
{
	struct classes to = { .at = diff_allot(of->n, sizeof(to.at[0])) };
	u32 i;

	for (i = 0; i < of->n; i++)
		if (is_it(&of->at[i]))
			to.at[to.n++] = of->at[i];
	return to;
}

static bool is_any(const struct class *k)
{
	return k->facts;
}

static bool is_not_common(const struct class *k)
{
	return !k->common;
}

static bool shows_more(const struct class *k)
{
	return k->common && k->extra;
}

static bool shows_no_more(const struct class *k)
{
	return k->common && !k->extra;
}

void ask_what_only(const struct comparison *c, u32 side, struct question *q)
{
	q->own = chosen(&c->side[side], is_not_common);
	q->other = chosen(&c->side[!side], is_any);
}

/* The witness of each is to show what more there is. */
void ask_what_more(const struct comparison *c, u32 side, struct question *q)
{
	const struct side *s = &c->d->side[side];
	const struct classes *of = &c->side[side];
	const struct run_kept **best = diff_allot(of->n, sizeof(best[0]));
	u32 i, n = 0;

	for (i = 0; i < s->nruns; i++) {
		const struct run_kept *r = &s->runs[i], **b;

		b = &best[of->of_run[i]];
		if (r->verdicts & of->at[of->of_run[i]].extra &&
		    (!*b || r->preemptions < (*b)->preemptions))
			*b = r;
	}
	q->own = chosen(of, shows_more);
	q->other = chosen(of, shows_no_more);
	for (i = 0; i < of->n; i++) {
		if (!shows_more(&of->at[i]))
			continue;
		q->own.at[n].verdicts = q->own.at[n].extra;
		q->own.at[n++].witness = best[i];
	}
	free(best);
}
