/* SPDX-License-Identifier: MIT */
/* Does the reduced search see what the unreduced one sees, with one run per
 * equivalence class?  Tests explore.c, nodes.c, path.c, touches.c and
 * state_cache.c.
 *
 * Three times 1,000 random small programs: two or three tasks with loads, stores,
 * RMWs, mutexes and data choices on three words; with whatever blocks, awaits,
 * tells or ends the run; and with interrupt handlers, spinlocks and interrupts
 * off.  The end check turns the final state and what each task read into one of
 * many verdicts, so that "the same verdicts" means "the same outcomes".  Source
 * sets, sleep sets alone, and bounded search with state caching are compared with
 * the search without reduction; the schedule of each witness is replayed, and no
 * strategy may see more.
 * Besides, counts of programs whose number of interleavings or of classes is
 * known. */
#include <stdlib.h>
#include <string.h>

#include "../base/tap.h"
#include "../run.h"
#include "explore.h"
#include "random_program.h"

/* --- sets of verdicts --------------------------------------------------------- */

struct set {
	bool outcome[OUTCOMES];
	bool kind[HD_V_COUNT];
	u32 nwitnesses, lost; /* lost: witnesses that show something else */
	u64 cut;
};

/* The first schedule of each outcome. */
static struct hd_schedule witness[OUTCOMES];
static u64 witness_hash[OUTCOMES];

/* Does v belong to an outcome that is new? */
static bool note(struct set *s, const struct hd_verdict *v)
{
	u32 i = v->kind == HD_V_ASSERT ? (u32)atoi(v->names[0] + 1) : 0;
	bool new = v->kind == HD_V_ASSERT && !s->outcome[i];

	s->kind[v->kind] = true;
	s->outcome[i] |= v->kind == HD_V_ASSERT;
	return new;
}

static bool found(struct hd_explore *x, void *arg)
{
	struct set *s = arg;
	bool new = false;
	u32 i;

	(void)x;
	for (i = 0; i < W->nverdicts; i++)
		new |= note(s, &W->verdicts[i]);
	if (new) {
		hd_explore_schedule(&witness[s->nwitnesses]);
		witness_hash[s->nwitnesses++] = W->hash;
	}
	return true;
}

enum reduction { FULL, UNREDUCED, ALL_TURNS };

static u64 explore(struct set *s, int bound, enum reduction how)
{
	struct hd_explore x = { .bound = bound, .unreduced = how == UNREDUCED,
				.all_turns = how == ALL_TURNS,
				.found = found, .arg = s };
	u32 i;

	memset(s, 0, sizeof(*s));
	hd_explore_run(&x);
	s->cut = x.cut;
	for (i = 0; i < s->nwitnesses; i++)
		s->lost += hd_run(&witness[i]).hash != witness_hash[i];
	return x.complete ? x.runs : 0;
}

static bool same(const struct set *a, const struct set *b)
{
	return !memcmp(a->outcome, b->outcome, sizeof(a->outcome)) &&
	       !memcmp(a->kind, b->kind, sizeof(a->kind));
}

static void make_program(u32 seed)
{
	u32 t, i;

	use_tasks(2 + (hd_draw(seed, 0, 0, 1) & 1));
	program.nops = program.ntasks == 2 ? 4 : 2;
	for (t = 0; t < program.ntasks; t++)
		for (i = 0; i < program.nops; i++) {
			u64 r = hd_draw(seed, t, i, 2);
			u32 k = hd_below(r, 16);

			program.op[t][i].kind = k < 5  ? OP_LOAD :
						k < 9  ? OP_STORE :
						k < 10 ? OP_RMW :
						k < 12 ? OP_ADD :
						k < 14 ? OP_LOCK :
						k < 15 ? OP_PUBLISH + (t & 1) :
							 OP_CHOOSE;
			program.op[t][i].word = (u8)(r % 3);
			program.op[t][i].value = (u8)(r >> 8 & 3);
		}
}

/* The first half are single ops: with three tasks, the second of each is one. */
static void make_program_that_blocks(u32 seed)
{
	static const u8 kind[16] = {
		OP_LOAD, OP_STORE, OP_ADD, OP_WAIT, OP_COMPLETE, OP_TOKEN,
		OP_TELL, OP_FAIL, OP_WAIT, OP_COMPLETE, OP_LOCK, OP_LOCK,
		OP_AWAIT, OP_READ, OP_WRITE, OP_TRY
	};
	u32 t, i;

	make_program(seed);
	for (t = 0; t < program.ntasks; t++)
		for (i = 0; i < program.nops; i++) {
			u64 r = hd_draw(seed, t, i, 5);
			bool single = program.ntasks == 3 && i;

			program.op[t][i].kind =
				kind[hd_below(r, single ? 8 : 16)];
			program.op[t][i].word = (u8)(r % 3);
			program.op[t][i].value = (u8)(r >> 8 & 3);
		}
}

/* a is the host; b and c are handlers, or b is another task. */
static void make_program_with_handlers(u32 seed)
{
	static const u8 kind[3][2] = { { HEDDLE_HARDIRQ, 0 },
				       { 0, HEDDLE_HARDIRQ },
				       { HEDDLE_SOFTIRQ, HEDDLE_HARDIRQ } };
	u32 shape = hd_below(hd_draw(seed, 0, 0, 3), 4), t, i;

	make_program(seed);
	use_tasks(shape ? 3 : 2);
	program.nops = shape == 1 ? 2 : shape ? 3 : 4;
	program.irq[1] = shape == 3 ? HEDDLE_SOFTIRQ : kind[shape][0];
	program.irq[2] = shape == 3 ? HEDDLE_SOFTIRQ : kind[shape][1];
	for (t = 0; t < program.ntasks; t++)
		for (i = 0; i < program.nops; i++) {
			u64 r = hd_draw(seed, t, i, 4);
			u32 k = hd_below(r, 16);

			program.op[t][i].kind = k < 4  ? OP_LOAD :
						k < 8  ? OP_STORE :
						k < 9  ? OP_RMW :
						k < 10 ? OP_ADD :
						k < 13 ? OP_FLIP :
							 OP_SPIN;
			program.op[t][i].word = (u8)(r & 3);
			program.op[t][i].value = (u8)(r >> 8 & 3);
		}
	for (t = 1; t < 3; t++) {
		tasks[t].irq = program.irq[t];
		tasks[t].on = program.irq[t] ? "a" : NULL;
	}
}

static bool has_op(u8 kind)
{
	u32 t, i;

	for (t = 0; t < program.ntasks; t++)
		for (i = 0; i < program.nops; i++)
			if (program.op[t][i].kind == kind)
				return true;
	return false;
}

/* Each strategy, from a few seeds: does it see what the search has not? */
static bool strategies_see_more(const struct set *all)
{
	static struct set seen;
	u32 id, seed, i;

	memset(&seen, 0, sizeof(seen));
	for (id = 0; id < 10; id++)
		for (seed = 0; seed < 8; seed++) {
			struct hd_schedule s = { .strategy = (u8)id,
						 .seed = seed };
			struct hd_outcome o = hd_run(&s);

			for (i = 0; i < o.nverdicts; i++)
				note(&seen, &o.verdicts[i]);
		}
	for (i = 0; i < OUTCOMES; i++)
		if (seen.outcome[i] && !all->outcome[i])
			return true;
	for (i = 0; i < HD_V_COUNT; i++)
		if (seen.kind[i] && !all->kind[i])
			return true;
	return false;
}

struct differences {
	u32 unbounded, bounded, witness, classes, strategies;
	u64 runs_full, runs_reduced, cut_reduced;
};

static void compare_one(struct differences *d)
{
	static struct set full, reduced;
	u64 runs, classes;
	int bound;

	runs = explore(&full, -1, UNREDUCED);
	d->runs_full += runs;
	d->witness += full.lost;
	classes = explore(&reduced, -1, ALL_TURNS);
	d->unbounded += !runs || !same(&full, &reduced);
	runs = explore(&reduced, -1, FULL);
	d->runs_reduced += runs;
	d->cut_reduced += reduced.cut;
	d->unbounded += !same(&full, &reduced);
	d->witness += reduced.lost;
	d->strategies += strategies_see_more(&reduced);
	/* where a task ends the run, sleep sets take it to depend on all */
	d->classes += runs > classes || (runs < classes && !has_op(OP_FAIL));
	for (bound = 0; bound <= 2; bound++) {
		explore(&full, bound, UNREDUCED);
		explore(&reduced, bound, FULL);
		d->bounded += !same(&full, &reduced);
		d->witness += reduced.lost;
	}
}

static void compare(void (*make)(u32 seed), const char *of)
{
	struct differences d = { 0 };
	u32 i;

	for (i = 0; i < PROGRAMS; i++) {
		make(i + 1);
		d.unbounded += hd_open(&scenario, &variants[0]) != NULL;
		compare_one(&d);
	}
	tap_ok(!d.unbounded, "%s: source sets and sleep sets alone see what no "
	       "reduction sees (%u)", of, d.unbounded);
	tap_ok(!d.classes, "%s: source sets have as many runs as sleep sets alone (%u)",
	       of, d.classes);
	tap_ok(!d.bounded, "%s: state caching sees what no reduction sees (%u)",
	       of, d.bounded);
	tap_ok(!d.witness, "%s: each outcome's witness replays to its trace hash (%u)",
	       of, d.witness);
	tap_ok(!d.strategies, "%s: no strategy sees what the search has not (%u)",
	       of, d.strategies);
	printf("# %llu runs without reduction, %llu with source sets, %llu cut\n",
	       (unsigned long long)d.runs_full,
	       (unsigned long long)d.runs_reduced,
	       (unsigned long long)d.cut_reduced);
}

/* --- counts that are known ------------------------------------------------------- */

static void uniform(u32 ntasks, u32 nops, u8 kind, u8 word)
{
	u32 t, i;

	use_tasks(ntasks);
	program.nops = nops;
	for (t = 0; t < ntasks; t++)
		for (i = 0; i < nops; i++) {
			program.op[t][i].kind = kind;
			program.op[t][i].word = word;
			program.op[t][i].value = 0;
		}
}

static u64 classes(u64 *cut)
{
	static struct set s;
	u64 runs;

	hd_open(&scenario, &variants[0]);
	runs = explore(&s, -1, FULL);
	*cut = s.cut;
	return runs;
}

static void counts(void)
{
	static struct set s;
	u64 cut;

	uniform(2, 3, OP_RMW, 0);
	tap_is(classes(&cut), 20, "2x3 RMWs of one word: 20 classes");
	tap_is(explore(&s, -1, UNREDUCED), 20, "... and interleavings");
	tap_is(explore(&s, 0, UNREDUCED), 2, "... 2 without a preemption");
	uniform(3, 2, OP_RMW, 0);
	tap_is(classes(&cut), 90, "3x2 RMWs of one word: 90 classes");
	tap_is(explore(&s, -1, UNREDUCED), 90, "... and interleavings");
	uniform(2, 3, OP_LOAD, 0);
	tap_is(classes(&cut), 1, "2x3 loads of one word: 1 class");
	uniform(2, 3, OP_ADD, 0);
	tap_is(classes(&cut), 1, "2x3 adds without a result: 1 class");
	tap_is(explore(&s, -1, UNREDUCED), 20, "... of 20 interleavings");
	program.op[0][1].kind = OP_LOAD;
	tap_is(classes(&cut), 4, "... with a load among them 4");
}

static u64 trace_so_far(void *arg)
{
	(void)arg;
	return W->hash;
}

/* Paths that came to one state are cut, unless the caller tells them apart. */
static void counts_of_the_past(void)
{
	static struct set s;
	struct hd_explore x = { .bound = 5, .found = found, .arg = &s };

	uniform(2, 3, OP_STORE, 0);
	hd_open(&scenario, &variants[0]);
	hd_explore_run(&x);
	tap_ok(x.cut && x.runs < 20, "2x3 stores of one value: states are "
	       "fewer than interleavings");
	memset(&s, 0, sizeof(s));
	x.past = trace_so_far;
	hd_explore_run(&x);
	tap_ok(!x.cut && x.runs == 20, "... and with their past as many");
}

/* Adds commute, but not what fences make of their order. */
static void fences_behind_adds(void)
{
	static struct set full, reduced;

	uniform(2, 1, OP_PUBLISH, 0);
	program.op[1][0].kind = OP_CONSUME;
	hd_open(&scenario, &variants[0]);
	explore(&full, -1, UNREDUCED);
	explore(&reduced, -1, FULL);
	tap_ok(full.kind[HD_V_DATA_RACE], "a race if one add comes before the other");
	tap_ok(same(&full, &reduced), "... which is not lost");
}

/* One task ends the run, the other only tells: both orders are runs. */
static void told_before_the_end(void)
{
	static struct set full, reduced;

	uniform(2, 1, OP_FAIL, 0);
	program.op[0][0].value = 1;
	program.op[1][0].kind = OP_TELL;
	program.op[1][0].word = 1;
	hd_open(&scenario, &variants[0]);
	explore(&full, -1, UNREDUCED);
	tap_is(explore(&reduced, -1, FULL), 2, "a run that ends: with and without "
	       "what another task tells");
	tap_ok(same(&full, &reduced), "... which is not lost");
}

static void has(u32 n, const char *what, u64 want)
{
	u64 cut, runs = classes(&cut);

	tap_ok(runs == want && !cut, "%u %s: %llu classes, %llu cut", n, what,
	       (unsigned long long)runs, (unsigned long long)cut);
}

/* One run per class, and no path is begun that is not one. */
static void counts_of_many(void)
{
	static const u64 factorial[] = { 1, 1, 2, 6, 24, 120, 720 };
	u32 n;

	for (n = 2; n <= MAX_TASKS; n++) {
		uniform(n, 2, OP_STORE, OWN_WORD);
		has(n, "independent writers", 1);
		uniform(n, 1, OP_STORE, 0);
		has(n, "writers of one word", factorial[n]);
		uniform(n, 1, OP_LOAD, 0);
		program.op[0][0].kind = OP_STORE;
		has(n - 1, "readers and a writer", 1ull << (n - 1));
		uniform(n, 1, OP_LOCK, 0);
		has(n, "take a mutex", factorial[n]);
		uniform(n, 1, OP_TOKEN, 0);
		has(n, "want a token, one gets it", n);
		uniform(n, 1, OP_KEEP, 0);
		has(n, "want a mutex that is never unlocked", n);
		uniform(n, 1, OP_WAIT, 0);
		program.op[0][0].kind = OP_COMPLETE;
		has(n - 1, "wait, one is let go",
		    factorial[n - 1] * (n - 1) * (n + 2) / 2);
	}
}

int main(void)
{
	tap_plan(15 + 7 * (MAX_TASKS - 1) + 15);
	counts();
	counts_of_the_past();
	fences_behind_adds();
	told_before_the_end();
	counts_of_many();
	compare(make_program, "tasks");
	compare(make_program_that_blocks, "blocking");
	compare(make_program_with_handlers, "handlers");
	return tap_done();
}
