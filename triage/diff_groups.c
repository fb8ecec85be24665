/* SPDX-License-Identifier: MIT */
/* What do some classes have that no other class has?
 *
 * The others are those of the other variant, or those with other verdicts.  For each
 * class: a small set of its facts that no other class has together; every class with
 * these facts is explained by them.  First single facts, those that explain most
 * classes before others.  Then, for a class that none explains, the best pair (by a
 * table of which facts come together in others) or a larger set that explains more:
 * all facts of the class, less one after the other as long as no other class has the
 * rest; the facts that few classes share go first. */
#include "diff.h"

#include <stdlib.h>
#include <string.h>

enum { SAMPLE = 256 }; /* classes asked which pair explains most */
/* Words read to find out which facts come together: some seconds. */
static const u64 MOST_WORK = 1ull << 33;

struct search {
	const struct comparison *c;
	struct classes own, other;
	struct groups *g;
	u64 *known;     /* facts that some other class has */
	u64 *together;  /* a row of words per fact: those that come with it there */
	u32 *cover;     /* by fact: classes */
};

/* Of two facts that explain the same: orders are understood best, and of these
 * the one whose accesses are next to each other. */
static s64 clarity(const struct comparison *c, u32 fact)
{
	const struct fact *f = &c->fact[fact];
	const struct access *a = c->d->access;

	if (f->kind == FACT_ORDER)
		return (1ll << 40) + (s64)a[f->x].n - (s64)a[f->y].n;
	return (f->kind == FACT_CAME ? 1ll << 32 : 0) - (s64)a[f->x].n;
}

/* --- groups ------------------------------------------------------------------------ */

static bool has_all(const struct class *k, const struct group *g)
{
	u32 i;

	for (i = 0; i < g->nfacts; i++)
		if (!class_has(k, g->fact[i]))
			return false;
	return true;
}

static bool is_open(const struct class *k)
{
	return !k->group;
}

/* All classes that g explains become its own; only: this one alone. */
static void close_group(struct search *s, struct group *g, struct class *only)
{
	u32 i;

	g->nclasses = 0;
	g->all = ~0ull;
	for (i = 0; i < s->own.n; i++) {
		struct class *k = &s->own.at[i];

		if (!is_open(k) || (only ? k != only : !has_all(k, g)))
			continue;
		k->group = s->g->n + 1;
		g->nclasses++;
		g->some |= k->verdicts;
		g->all &= k->verdicts;
		if (!g->witness || tells_more(k->witness, g->witness))
			g->witness = k->witness;
	}
	s->g->at[s->g->n++] = *g;
}

/* --- one fact ------------------------------------------------------------------------ */

static void find_known(struct search *s)
{
	u32 i, w;

	for (i = 0; i < s->other.n; i++)
		for (w = 0; w < s->c->words; w++)
			s->known[w] |= s->other.at[i].facts[w];
}

static void count_bits(u32 *count, u64 bits, u32 first)
{
	for (; bits; bits &= bits - 1)
		count[first + (u32)__builtin_ctzll(bits)]++;
}

static bool explain_by_one(struct search *s)
{
	struct group g = { .nfacts = 1 };
	u32 i, w, most = 0;
	s64 clearest = 0;

	memset(s->cover, 0, s->c->nfacts * sizeof(s->cover[0]));
	for (i = 0; i < s->own.n; i++)
		for (w = 0; w < s->c->words && is_open(&s->own.at[i]); w++)
			count_bits(s->cover, s->own.at[i].facts[w] &
				   ~s->known[w], 64 * w);
	for (i = 0; i < s->c->nfacts; i++) {
		if (!s->cover[i] || s->cover[i] < most ||
		    (s->cover[i] == most && clarity(s->c, i) <= clearest))
			continue;
		most = s->cover[i];
		clearest = clarity(s->c, i);
		g.fact[0] = i;
	}
	if (most)
		close_group(s, &g, NULL);
	return most > 0;
}

/* --- two facts ------------------------------------------------------------------------- */

static u64 *row_of(const struct search *s, u32 fact)
{
	return s->together + (u64)fact * s->c->words;
}

static void find_together(struct search *s)
{
	u32 i, w, v;

	s->together = diff_allot((u64)s->c->nfacts * s->c->words, sizeof(u64));
	for (i = 0; i < s->other.n; i++) {
		const u64 *set = s->other.at[i].facts;

		for (w = 0; w < s->c->words; w++) {
			u64 bits = set[w];

			for (; bits; bits &= bits - 1) {
				u64 *row = row_of(s, 64 * w +
					(u32)__builtin_ctzll(bits));

				for (v = 0; v < s->c->words; v++)
					row[v] |= set[v];
			}
		}
	}
}

/* Of the open classes that have the fact p: which other fact of k, that never
 * comes with p in others, do most have? */
static void best_with(struct search *s, const struct class *k, u32 p,
		      struct group *g, u32 *most, s64 *clearest)
{
	u32 i, w, asked = 0;

	memset(s->cover, 0, s->c->nfacts * sizeof(s->cover[0]));
	for (i = 0; i < s->own.n && asked < SAMPLE; i++) {
		const struct class *t = &s->own.at[i];

		if (!is_open(t) || !class_has(t, p))
			continue;
		asked++;
		for (w = 0; w < s->c->words; w++)
			count_bits(s->cover, t->facts[w] & k->facts[w] &
				   ~row_of(s, p)[w], 64 * w);
	}
	for (i = 0; i < p; i++) {
		s64 clear = clarity(s->c, p) + clarity(s->c, i);

		if (!s->cover[i] || s->cover[i] < *most ||
		    (s->cover[i] == *most && clear <= *clearest))
			continue;
		*most = s->cover[i];
		*clearest = clear;
		g->fact[0] = i;
		g->fact[1] = p;
	}
}

static struct group best_pair(struct search *s, const struct class *k)
{
	struct group g = { .nfacts = 2 };
	s64 clearest = 0;
	u32 p, w;

	for (p = 0; p < s->c->nfacts; p++) {
		if (!class_has(k, p))
			continue;
		for (w = 0; w < s->c->words; w++)
			if (k->facts[w] & ~row_of(s, p)[w])
				break;
		if (w < s->c->words)
			best_with(s, k, p, &g, &g.nclasses, &clearest);
	}
	return g;
}

/* --- more facts --------------------------------------------------------------- */

static const struct search *sorting;

/* Those that few open classes have, and those that are hard to understand, first. */
static int by_worth(const void *x, const void *y)
{
	u32 a = *(const u32 *)x, b = *(const u32 *)y;
	s64 d;

	if (sorting->cover[a] != sorting->cover[b])
		return sorting->cover[a] < sorting->cover[b] ? -1 : 1;
	d = clarity(sorting->c, a) - clarity(sorting->c, b);
	return d < 0 ? -1 : d > 0;
}

/* The facts of k, in that order. */
static u32 facts_by_worth(struct search *s, const struct class *k, u32 *fact)
{
	u32 i, w, n = 0;

	memset(s->cover, 0, s->c->nfacts * sizeof(s->cover[0]));
	for (i = 0; i < s->own.n; i++)
		for (w = 0; w < s->c->words && is_open(&s->own.at[i]); w++)
			count_bits(s->cover, s->own.at[i].facts[w] &
				   k->facts[w], 64 * w);
	for (i = 0; i < s->c->nfacts; i++)
		if (class_has(k, i))
			fact[n++] = i;
	sorting = s;
	qsort(fact, n, sizeof(fact[0]), by_worth);
	return n;
}

/* Is there another class that lacks this fact alone? */
static bool is_needed(const struct search *s, const u32 *lacks, u32 fact)
{
	u32 i;

	for (i = 0; i < s->other.n; i++)
		if (lacks[i] == 1 && !class_has(&s->other.at[i], fact))
			return true;
	return false;
}

static struct group least_set(struct search *s, const struct class *k)
{
	u32 *lacks = diff_allot(s->other.n, sizeof(lacks[0]));
	u32 *fact = diff_allot(s->c->nfacts, sizeof(fact[0]));
	u32 i, w, j, n = facts_by_worth(s, k, fact);
	struct group g = { 0 };

	for (i = 0; i < s->other.n; i++)
		for (w = 0; w < s->c->words; w++)
			lacks[i] += (u32)__builtin_popcountll(
				k->facts[w] & ~s->other.at[i].facts[w]);
	for (j = 0; j < n; j++) {
		if (is_needed(s, lacks, fact[j])) {
			if (g.nfacts < GROUP_FACTS)
				g.fact[g.nfacts] = fact[j];
			g.nfacts++;
			continue;
		}
		for (i = 0; i < s->other.n; i++)
			lacks[i] -= !class_has(&s->other.at[i], fact[j]);
	}
	free(lacks);
	free(fact);
	return g;
}

static u32 covered(const struct search *s, const struct group *g)
{
	u32 i, n = 0;

	for (i = 0; i < s->own.n; i++)
		n += is_open(&s->own.at[i]) && has_all(&s->own.at[i], g);
	return n;
}

static bool other_has_all(const struct search *s, const struct group *g)
{
	u32 i;

	for (i = 0; i < s->other.n; i++)
		if (has_all(&s->other.at[i], g))
			return true;
	return false;
}

/* Where an order matters only because its accesses come at all, say that. */
static void weaken(struct search *s, const struct class *k, struct group *g)
{
	u32 i, z, n, most = covered(s, g);

	for (i = 0; i < g->nfacts; i++) {
		u32 was = g->fact[i], best = was;

		if (s->c->fact[was].kind != FACT_ORDER)
			continue;
		for (z = 0; z < s->c->nfacts; z++) {
			if (s->c->fact[z].kind != FACT_CAME || !class_has(k, z))
				continue;
			g->fact[i] = z;
			if (other_has_all(s, g))
				continue;
			n = covered(s, g);
			if (n > most || (n == most && (best == was ||
			    clarity(s->c, z) > clarity(s->c, best))))
				best = z;
			most = n > most ? n : most;
		}
		g->fact[i] = best;
	}
}

/* Few facts for many classes. */
static void explain(struct search *s, struct class *k)
{
	struct group two = { 0 }, more = least_set(s, k);

	if (s->together)
		two = best_pair(s, k);

	if (more.nfacts > GROUP_FACTS) {
		close_group(s, two.nclasses ? &two : &more,
			    two.nclasses ? NULL : k);
		return;
	}
	if (two.nclasses && covered(s, &two) * more.nfacts >=
			    covered(s, &more) * two.nfacts)
		more = two;
	weaken(s, k, &more);
	close_group(s, &more, NULL);
}

static int by_size(const void *x, const void *y)
{
	const struct group *a = x, *b = y;

	return a->nclasses > b->nclasses ? -1 : a->nclasses < b->nclasses;
}

void group(const struct comparison *c, struct question *q, struct groups *g)
{
	struct search s = { .c = c, .own = q->own, .other = q->other, .g = g };
	bool is_cheap = (u64)s.other.n * c->nfacts * c->words <= MOST_WORK;
	u32 i;

	memset(g, 0, sizeof(*g));
	s.known = diff_allot(c->words, sizeof(s.known[0]));
	s.cover = diff_allot(c->words * 64ull, sizeof(s.cover[0]));
	find_known(&s);
	if (!s.other.n) /* nothing to be told apart from */
		close_group(&s, &(struct group){ 0 }, NULL);
	while (g->n < MOST_GROUPS && explain_by_one(&s))
		;
	for (i = 0; i < s.own.n; i++) {
		if (!is_open(&s.own.at[i]))
			continue;
		if (g->n == MOST_GROUPS) {
			g->left++;
			continue;
		}
		if (!s.together && is_cheap)
			find_together(&s);
		explain(&s, &s.own.at[i]);
	}
	qsort(g->at, g->n, sizeof(g->at[0]), by_size);
	free(s.known);
	free(s.cover);
	free(s.together);
}
