/* SPDX-License-Identifier: MIT */
/* What is to be done next?
 *
 * First what is known but not told: inputs of fuzz targets get their names, each
 * new signature is minimised.  Then the search that had the fewest slices so far:
 * of the canary, or else in the order of the engines and, within one, of the
 * variants.
 * Each slice of a search is twice as long as the one before it, so in the first
 * minutes everything has its turn, and at the end of a long night little of it was
 * spent on short slices.  A slice of the portfolio that found something new does
 * not count: it goes again before the others.  A variant of which every
 * interleaving was searched is done: nothing can find more.  In between, schedules
 * that are not proved minimal are minimised again, with a higher limit. */
#include "campaign.h"

enum { ATTEMPTS = 3, MAX_CRASHED = 3, LONGEST = 600 };
#define FIRST_SLICE 0.5 /* seconds */

u64 plan_limit(u32 n)
{
	return 20000ull << 3 * (n < ATTEMPTS ? n : ATTEMPTS - 1);
}

/* --- searches ---------------------------------------------------------------------- */

/* An exhaustive search that crashed does so again; the others go on behind. */
static bool has_engine(const struct entry *e, u32 engine)
{
	u32 deaths = e->effort[engine].deaths;

	if (engine == EXPLORE || engine == BOUNDED)
		return !deaths;
	return (engine != LIBFUZZER || e->fuzzer[0]) && deaths < MAX_CRASHED;
}

/* Is there anything left that this engine could do? */
static bool has_more(const struct entry *e, u32 engine)
{
	if (engine == EXPLORE)
		return e->proof == OPEN;
	return engine != BOUNDED || (!e->stuck && e->bound < MAX_BOUND);
}

static bool is_due(const struct entry *e, u32 engine)
{
	if (e->effort[engine].busy || !has_engine(e, engine) ||
	    !has_more(e, engine))
		return false;
	if (engine == LIBFUZZER && folder_pending()) /* it needs room on disk */
		return false;
	if (e->target.scenario->canary)
		return !(e->canary >> engine & 1);
	return e->proof != COMPLETE && e->proof != VACUOUS;
}

u32 canary_missing(const struct campaign *c)
{
	u32 i, k, missing = 0;

	for (i = 0; i < c->nentries; i++)
		for (k = 0; k < ENGINES; k++)
			if (c->entry[i].target.scenario->canary &&
			    !(c->entry[i].canary >> k & 1) &&
			    (k != LIBFUZZER || c->entry[i].fuzzer[0]))
				missing |= 1u << k;
	return missing;
}

bool canary_found(const struct campaign *c)
{
	return !canary_missing(c);
}

/* A fuzz target takes a second to start and to stop: it comes a round later,
 * except for the canary. */
static u32 rank_of(const struct entry *e, u32 engine)
{
	return e->effort[engine].slices +
	       (engine == LIBFUZZER && !e->target.scenario->canary);
}

static double slice_of(const struct campaign *c, u32 rank)
{
	double left = c->night + c->budget - campaign_now(c);
	double slice = FIRST_SLICE;

	for (; rank && slice < LONGEST; rank--)
		slice *= 2;
	return slice < left ? slice : left;
}

/* Of those with the canary, or without, the best if it is better than rank. */
static u32 better_search(const struct campaign *c, bool canary, u32 best,
			 struct job *job)
{
	u32 i, engine, rank;

	for (engine = 0; engine < ENGINES; engine++)
		for (i = 0; i < c->nentries; i++) {
			const struct entry *e = &c->entry[i];

			if (e->target.scenario->canary != canary ||
			    !is_due(e, engine))
				continue;
			rank = rank_of(e, engine);
			if (rank >= best)
				continue;
			best = rank;
			*job = (struct job){ .kind = JOB_SEARCH,
					     .engine = (u8)engine, .entry = i };
		}
	return best;
}

static u32 best_search(const struct campaign *c, struct job *job)
{
	u32 best = better_search(c, true, UINT32_MAX, job);

	return better_search(c, false, best, job);
}

/* --- reductions ------------------------------------------------------------------------ */

static bool is_reducible(const struct bug *b)
{
	return !b->busy && b->failures < 2 && b->attempts < ATTEMPTS &&
	       !(b->minimised && b->proved);
}

/* The first reduction is due at once, the others when searches had 4 and 7
 * slices: each takes eight times as long as the one before it. */
static u32 reduction_rank(const struct bug *b)
{
	return b->attempts ? 1 + 3 * b->attempts : 0;
}

/* Of those that are due, what nobody declared comes first: it may be deeper. */
static u32 best_reduction(const struct campaign *c, u32 *which)
{
	u32 i, best = UINT32_MAX;

	for (i = 0; i < c->nbugs; i++) {
		const struct bug *b = c->bug[i];
		u32 rank = reduction_rank(b);

		if (!is_reducible(b) || rank > best ||
		    (rank == best && (bug_unexpected(c->bug[*which]) ||
				      !bug_unexpected(b))))
			continue;
		best = rank;
		*which = i;
	}
	return best;
}

static void reduce(const struct campaign *c, u32 which, struct job *job)
{
	const struct bug *b = c->bug[which];

	*job = (struct job){ .kind = JOB_MINIMISE, .which = which,
			     .entry = b->seen[b->chosen].entry };
}

/* --- all of it --------------------------------------------------------------------------- */

static bool name_input(struct campaign *c, struct job *job)
{
	u32 i;

	for (i = 0; i < c->ninputs; i++) {
		if (c->input[i].named)
			continue;
		c->input[i].named = true;
		*job = (struct job){ .kind = JOB_NAME, .engine = LIBFUZZER,
				     .entry = c->input[i].entry, .which = i };
		return true;
	}
	return false;
}

void plan_again(struct campaign *c, const struct job *job)
{
	if (job->kind == JOB_NAME)
		c->input[job->which].named = false;
}

static bool choose(struct campaign *c, struct job *job)
{
	u32 search, reduction, which = 0;

	reduction = best_reduction(c, &which);
	search = best_search(c, job);
	if (reduction <= search && reduction < UINT32_MAX)
		reduce(c, which, job);
	return reduction < UINT32_MAX || search < UINT32_MAX;
}

double plan_end(const struct campaign *c)
{
	return c->night + c->budget * 1.05 + (c->budget > 0 ? 5 : 0);
}

/* What was found in the last moments is still minimised. */
static bool last_reduction(const struct campaign *c, struct job *job)
{
	u32 which;

	if (interrupted || campaign_now(c) >= plan_end(c) ||
	    best_reduction(c, &which) > 0)
		return false;
	reduce(c, which, job);
	return true;
}

bool plan_next(struct campaign *c, struct job *job)
{
	if (name_input(c, job))
		return true;
	if (campaign_now(c) + 0.05 >= c->night + c->budget)
		return last_reduction(c, job);
	if (!choose(c, job))
		return false;
	if (job->kind == JOB_SEARCH)
		job->seconds = slice_of(c, rank_of(&c->entry[job->entry],
						   job->engine));
	return true;
}
