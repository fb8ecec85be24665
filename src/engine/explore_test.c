/* SPDX-License-Identifier: MIT */
/* Does the reduced search see what the unreduced one sees?
 *
 * 1,000 random small programs (two or three tasks, loads, stores, RMWs, mutexes
 * and data choices on three words).  The end check turns the final state and
 * what each task read into one of many verdicts, so that "the same verdicts"
 * means "the same outcomes".  Unbounded search with sleep sets and bounded
 * search with state caching are compared with the search without reduction;
 * and the schedule of each witness is replayed.  The same for 1,000 programs
 * with interrupt handlers, spinlocks and interrupts off.  Besides, counts of programs
 * whose number of interleavings is known. */
#include <heddle/heddle.h>
#include <heddle/kernel.h>
#include <stdlib.h>
#include <string.h>

#include "../base/hash.h"
#include "../base/tap.h"
#include "../run.h"
#include "engine.h"
#include "explore.h"

enum { MAX_OPS = 5, OUTCOMES = 256, PROGRAMS = 1000 };

enum { OP_LOAD, OP_STORE, OP_RMW, OP_LOCK, OP_CHOOSE, OP_SPIN, OP_FLIP, OP_KINDS };
enum { OWN_WORD = 3 };

struct program {
	u32 ntasks, nops;
	struct {
		u8 kind, word, value;
	} op[3][MAX_OPS];
	u8 irq[3]; /* handlers come on task a */
};

struct shared {
	atomic_t word[3];
	struct mutex lock[2];
	spinlock_t spin[2];
	atomic_t own[3]; /* one task each */
	u32 saw[3];
};

static struct program program;
static struct shared *shared;

static void setup(void)
{
	shared = heddle_alloc(struct shared);
	mutex_init(&shared->lock[0]);
	mutex_init(&shared->lock[1]);
	spin_lock_init(&shared->spin[0]);
	spin_lock_init(&shared->spin[1]);
}

/* This file is not instrumented: loads and stores are made ops by hand. */
static int load(atomic_t *w)
{
	hd_publish(HD_LOAD, w, sizeof(*w), HD_READ, HD_RELAXED, HD_PC());
	hd_did((u64)w->counter, (u64)w->counter);
	return w->counter;
}

static void store(atomic_t *w, int v)
{
	int old;

	hd_publish(HD_STORE, w, sizeof(*w), HD_WRITE, HD_RELAXED, HD_PC());
	old = w->counter;
	w->counter = v;
	hd_did((u64)old, (u64)v);
}

/* The nested pair of locks, or one of them: order reports and deadlocks. */
static void locks(u32 k)
{
	mutex_lock(&shared->lock[k & 1]);
	if (k & 2) {
		mutex_lock(&shared->lock[~k & 1]);
		mutex_unlock(&shared->lock[~k & 1]);
	}
	mutex_unlock(&shared->lock[k & 1]);
}

/* One lock or a pair, with interrupts or softirqs off or not. */
static void spins(u32 k, u32 how)
{
	spinlock_t *l = &shared->spin[k & 1];
	unsigned long flags;

	if (how == 1)
		spin_lock_irqsave(l, flags);
	else if (how == 2)
		spin_lock_bh(l);
	else
		spin_lock(l);
	if (k & 2) {
		spin_lock(&shared->spin[~k & 1]);
		spin_unlock(&shared->spin[~k & 1]);
	}
	if (how == 1)
		spin_unlock_irqrestore(l, flags);
	else if (how == 2)
		spin_unlock_bh(l);
	else
		spin_unlock(l);
}

static void flip(u32 k)
{
	if (k & 1 && irqs_disabled())
		local_irq_enable();
	else if (k & 1)
		local_irq_disable();
	else if (in_softirq() && !irqs_disabled())
		local_bh_enable();
	else if (!in_softirq())
		local_bh_disable();
}

static void all_on(void)
{
	if (irqs_disabled())
		local_irq_enable();
	if (in_softirq())
		local_bh_enable();
}

static void task(void *arg)
{
	u32 me = (u32)(uintptr_t)arg, i, saw = 0;

	for (i = 0; i < program.nops; i++) {
		u32 word = program.op[me][i].word;
		atomic_t *w = word == OWN_WORD ? &shared->own[me] :
						 &shared->word[word];
		u32 v = program.op[me][i].value;

		switch (program.op[me][i].kind) {
		case OP_LOAD:
			saw = saw * 5 + (u32)load(w);
			break;
		case OP_STORE:
			store(w, (int)(v + (saw & 1)));
			break;
		case OP_RMW:
			saw = saw * 5 + (u32)atomic_add_return((int)v, w);
			break;
		case OP_LOCK:
			locks(v);
			break;
		case OP_CHOOSE:
			saw = saw * 5 + heddle_choose(2);
			break;
		case OP_SPIN:
			spins(v, program.irq[me] ? 0 : word % 3);
			break;
		case OP_FLIP:
			if (!program.irq[me])
				flip(v);
			break;
		}
	}
	if (!program.irq[me])
		all_on();
	shared->saw[me] = saw; /* not instrumented: no op */
}

static const char *outcome_name(u32 i)
{
	static char names[OUTCOMES][8];

	if (!names[i][0]) {
		names[i][0] = 'o';
		names[i][1] = (char)('0' + i / 100);
		names[i][2] = (char)('0' + i / 10 % 10);
		names[i][3] = (char)('0' + i % 10);
	}
	return names[i];
}

static void check(void)
{
	struct hd_verdict v = { .kind = HD_V_ASSERT, .nnames = 1 };
	u64 h = 0;
	u32 i;

	for (i = 0; i < 3; i++) {
		h = hd_fold(h, (u64)shared->word[i].counter);
		h = hd_fold(h, shared->saw[i]);
	}
	v.names[0] = outcome_name((u32)(hd_mix(h) % OUTCOMES));
	hd_raise(v);
}

static struct heddle_task tasks[4] = {
	{ "a", task, (void *)0 },
	{ "b", task, (void *)1 },
	{ "c", task, (void *)2 },
	{ 0 },
};

static const struct heddle_variant variants[] = { { .name = "v" }, { 0 } };

static struct heddle_scenario scenario = {
	.name = "random_program",
	.variants = variants,
	.tasks = tasks,
	.setup = setup,
	.check = check,
};

/* --- sets of verdicts --------------------------------------------------------- */

struct set {
	bool outcome[OUTCOMES];
	bool kind[HD_V_COUNT];
	bool witness_ok;
	struct hd_schedule last;
	u64 last_hash;
};

static bool found(struct hd_explore *x, void *arg)
{
	struct set *s = arg;
	u32 i;

	for (i = 0; i < W->nverdicts; i++) {
		const struct hd_verdict *v = &W->verdicts[i];

		s->kind[v->kind] = true;
		if (v->kind == HD_V_ASSERT)
			s->outcome[atoi(v->names[0] + 1)] = true;
	}
	if (!(x->runs & 7)) {
		hd_explore_schedule(&s->last);
		s->last_hash = W->hash;
	}
	return true;
}

static u64 explore(struct set *s, int bound, bool unreduced)
{
	struct hd_explore x = { .bound = bound, .unreduced = unreduced,
				.found = found, .arg = s };

	memset(s, 0, sizeof(*s));
	hd_explore_run(&x);
	if (s->last_hash) {
		struct hd_outcome o = hd_run(&s->last);

		s->witness_ok = o.hash == s->last_hash;
	} else {
		s->witness_ok = true;
	}
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

	program.ntasks = 2 + (hd_draw(seed, 0, 0, 1) & 1);
	program.nops = program.ntasks == 2 ? 4 : 2;
	for (t = 0; t < program.ntasks; t++)
		for (i = 0; i < program.nops; i++) {
			u64 r = hd_draw(seed, t, i, 2);
			u32 k = hd_below(r, 16);

			program.op[t][i].kind = k < 5  ? OP_LOAD :
						k < 9  ? OP_STORE :
						k < 12 ? OP_RMW :
						k < 15 ? OP_LOCK :
							 OP_CHOOSE;
			program.op[t][i].word = (u8)(r % 3);
			program.op[t][i].value = (u8)(r >> 8 & 3);
		}
	tasks[program.ntasks].name = NULL;
	if (program.ntasks == 3)
		tasks[2].name = "c";
}

/* a is the host; b and c are handlers, or b is another task. */
static void make_program_with_handlers(u32 seed)
{
	static const u8 kind[3][2] = { { HEDDLE_HARDIRQ, 0 },
				       { 0, HEDDLE_HARDIRQ },
				       { HEDDLE_SOFTIRQ, HEDDLE_HARDIRQ } };
	u32 shape = hd_below(hd_draw(seed, 0, 0, 3), 4), t, i;

	make_program(seed);
	program.ntasks = shape ? 3 : 2;
	program.nops = shape == 1 ? 2 : shape ? 3 : 4;
	program.irq[1] = shape == 3 ? HEDDLE_SOFTIRQ : kind[shape][0];
	program.irq[2] = shape == 3 ? HEDDLE_SOFTIRQ : kind[shape][1];
	for (t = 0; t < program.ntasks; t++)
		for (i = 0; i < program.nops; i++) {
			u64 r = hd_draw(seed, t, i, 4);
			u32 k = hd_below(r, 16);

			program.op[t][i].kind = k < 4  ? OP_LOAD :
						k < 8  ? OP_STORE :
						k < 10 ? OP_RMW :
						k < 13 ? OP_FLIP :
							 OP_SPIN;
			program.op[t][i].word = (u8)(r & 3);
			program.op[t][i].value = (u8)(r >> 8 & 3);
		}
	for (t = 1; t < 3; t++) {
		tasks[t].irq = program.irq[t];
		tasks[t].on = program.irq[t] ? "a" : NULL;
	}
	tasks[2].name = shape ? "c" : NULL;
}

static void compare(void (*make)(u32 seed), const char *of)
{
	static struct set full, reduced;
	u32 i, bad_unbounded = 0, bad_bounded = 0, bad_witness = 0;
	u64 runs_full = 0, runs_reduced = 0;
	int bound;

	for (i = 0; i < PROGRAMS; i++) {
		make(i + 1);
		if (hd_open(&scenario, &variants[0]))
			bad_unbounded++;
		runs_full += explore(&full, -1, true);
		bad_witness += !full.witness_ok;
		runs_reduced += explore(&reduced, -1, false);
		bad_unbounded += !same(&full, &reduced);
		bad_witness += !reduced.witness_ok;
		for (bound = 0; bound <= 2; bound++) {
			explore(&full, bound, true);
			explore(&reduced, bound, false);
			bad_bounded += !same(&full, &reduced);
			bad_witness += !reduced.witness_ok;
		}
	}
	tap_ok(!bad_unbounded, "%s: sleep sets see what no reduction sees (%u)",
	       of, bad_unbounded);
	tap_ok(!bad_bounded, "%s: state caching sees what no reduction sees (%u)",
	       of, bad_bounded);
	tap_ok(!bad_witness, "%s: witnesses replay to their trace hash (%u)",
	       of, bad_witness);
	printf("# %llu runs without reduction, %llu with sleep sets\n",
	     (unsigned long long)runs_full, (unsigned long long)runs_reduced);
}

/* --- counts that are known ------------------------------------------------------- */

static void uniform(u32 ntasks, u32 nops, u8 kind, bool own_word)
{
	u32 t, i;

	program.ntasks = ntasks;
	program.nops = nops;
	for (t = 0; t < ntasks; t++)
		for (i = 0; i < nops; i++) {
			program.op[t][i].kind = kind;
			program.op[t][i].word = own_word ? (u8)t : 0;
			program.op[t][i].value = 1;
		}
	tasks[2].name = ntasks == 3 ? "c" : NULL;
	hd_open(&scenario, &variants[0]);
}

static void counts(void)
{
	static struct set s;

	uniform(2, 3, OP_RMW, false);
	tap_is(explore(&s, -1, true), 20, "2x3 RMWs of one word: 20 interleavings");
	tap_is(explore(&s, -1, false), 20, "... in 20 classes");
	tap_is(explore(&s, 0, true), 2, "... 2 without a preemption");
	uniform(2, 3, OP_RMW, true);
	tap_is(explore(&s, -1, false), 1, "2x3 RMWs of two words: 1 class");
	uniform(2, 3, OP_LOAD, false);
	tap_is(explore(&s, -1, false), 1, "2x3 loads of one word: 1 class");
	uniform(3, 2, OP_RMW, false);
	tap_is(explore(&s, -1, true), 90, "3x2 RMWs of one word: 90 interleavings");
	tap_is(explore(&s, -1, false), 90, "... in 90 classes");
}

int main(void)
{
	tap_plan(13);
	counts();
	compare(make_program, "tasks");
	compare(make_program_with_handlers, "handlers");
	return tap_done();
}
