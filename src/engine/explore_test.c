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
 * the search without reduction; the schedule of each witness is replayed.
 * Besides, counts of programs whose number of interleavings or of classes is
 * known. */
#include <heddle/heddle.h>
#include <heddle/kernel.h>
#include <stdlib.h>
#include <string.h>

#include "../base/hash.h"
#include "../base/tap.h"
#include "../run.h"
#include "engine.h"
#include "explore.h"

enum { MAX_OPS = 5, MAX_TASKS = 6, OUTCOMES = 256, PROGRAMS = 1000 };

enum {
	OP_LOAD, OP_STORE, OP_RMW, OP_LOCK, OP_CHOOSE, OP_SPIN, OP_FLIP,
	OP_AWAIT, OP_WAIT, OP_COMPLETE, OP_READ, OP_WRITE, OP_TRY, OP_TOKEN, OP_KEEP,
	OP_TELL, OP_FAIL
};
enum { OWN_WORD = 3 };

struct program {
	u32 ntasks, nops;
	struct {
		u8 kind, word, value;
	} op[MAX_TASKS][MAX_OPS];
	u8 irq[MAX_TASKS]; /* handlers come on task a */
};

struct shared {
	atomic_t word[3];
	struct mutex lock[2];
	spinlock_t spin[2];
	atomic_t own[MAX_TASKS]; /* one task each */
	struct completion done;
	struct rw_semaphore sem;
	u32 token; /* whose; 0: nobody's */
	u32 saw[MAX_TASKS];
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
	init_completion(&shared->done);
	init_rwsem(&shared->sem);
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

static void tell(u32 what, bool fatal)
{
	struct hd_verdict v = { .kind = HD_V_ASSERT, .nnames = 1,
				.fatal = fatal };

	v.names[0] = outcome_name((u32)(hd_mix(what) % OUTCOMES));
	hd_raise(v);
}

static u32 await(atomic_t *w)
{
	u32 n = 0;

	while (!load(w)) {
		cpu_relax();
		n++;
	}
	return n;
}

/* Waited for without an attempt, and never given back. */
static void take_token(void)
{
	hd_publish_until_zero(HD_ACQUIRED, &shared->token, HD_READ | HD_WRITE,
			      HD_PC());
	shared->token = W->cur->id + 1u;
	hd_did(0, shared->token);
}

/* What may block, fail, or end the run. */
static u32 blocks(u8 kind, u32 v, atomic_t *w)
{
	u32 got = 0;

	switch (kind) {
	case OP_AWAIT:
		return await(w);
	case OP_WAIT:
		wait_for_completion(&shared->done);
		break;
	case OP_COMPLETE:
		complete(&shared->done);
		break;
	case OP_READ:
		down_read(&shared->sem);
		got = (u32)load(w);
		up_read(&shared->sem);
		break;
	case OP_WRITE:
		down_write(&shared->sem);
		store(w, (int)v);
		up_write(&shared->sem);
		break;
	case OP_KEEP:
		mutex_lock(&shared->lock[0]);
		break;
	case OP_TOKEN:
		take_token();
		break;
	case OP_TRY:
		got = mutex_trylock(&shared->lock[v & 1]);
		if (got)
			mutex_unlock(&shared->lock[v & 1]);
		break;
	}
	return got;
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
		case OP_TELL:
			store(w, (int)v);
			tell(me << 4 | i, false);
			break;
		case OP_FAIL:
			if (load(w) > 1 || v == 1)
				tell(me << 4 | i | 64, true);
			break;
		default:
			saw = saw * 5 + blocks(program.op[me][i].kind, v, w);
		}
	}
	if (!program.irq[me])
		all_on();
	shared->saw[me] = saw; /* not instrumented: no op */
}

static void check(void)
{
	u64 h = 0;
	u32 i;

	for (i = 0; i < 3; i++)
		h = hd_fold(h, (u64)shared->word[i].counter);
	for (i = 0; i < MAX_TASKS; i++)
		h = hd_fold(h, shared->saw[i]);
	tell((u32)hd_mix(h), false);
}

static struct heddle_task tasks[MAX_TASKS + 1] = {
	{ "a", task, (void *)0 }, { "b", task, (void *)1 },
	{ "c", task, (void *)2 }, { "d", task, (void *)3 },
	{ "e", task, (void *)4 }, { "f", task, (void *)5 },
};

static void use_tasks(u32 n)
{
	u32 i;

	program.ntasks = n;
	for (i = 0; i < MAX_TASKS; i++)
		tasks[i].name = i < n ? &"a\0b\0c\0d\0e\0f"[2 * i] : NULL;
}

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
	u64 cut;
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

enum reduction { FULL, UNREDUCED, ALL_TURNS };

static u64 explore(struct set *s, int bound, enum reduction how)
{
	struct hd_explore x = { .bound = bound, .unreduced = how == UNREDUCED,
				.all_turns = how == ALL_TURNS,
				.found = found, .arg = s };

	memset(s, 0, sizeof(*s));
	hd_explore_run(&x);
	s->cut = x.cut;
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

	use_tasks(2 + (hd_draw(seed, 0, 0, 1) & 1));
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
}

static void make_program_that_blocks(u32 seed)
{
	static const u8 kind[16] = {
		OP_LOAD, OP_STORE, OP_RMW, OP_LOCK, OP_LOCK, OP_AWAIT,
		OP_WAIT, OP_WAIT, OP_COMPLETE, OP_COMPLETE, OP_READ, OP_WRITE,
		OP_TRY, OP_TELL, OP_FAIL, OP_TOKEN
	};
	u32 t, i;

	make_program(seed);
	for (t = 0; t < program.ntasks; t++)
		for (i = 0; i < program.nops; i++) {
			u64 r = hd_draw(seed, t, i, 5);

			program.op[t][i].kind = kind[hd_below(r, 16)];
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

struct differences {
	u32 unbounded, bounded, witness, classes;
	u64 runs_full, runs_reduced, cut_reduced;
};

static void compare_one(struct differences *d)
{
	static struct set full, reduced;
	u64 runs, classes;
	int bound;

	runs = explore(&full, -1, UNREDUCED);
	d->runs_full += runs;
	d->witness += !full.witness_ok;
	classes = explore(&reduced, -1, ALL_TURNS);
	d->unbounded += !runs || !same(&full, &reduced);
	runs = explore(&reduced, -1, FULL);
	d->runs_reduced += runs;
	d->cut_reduced += reduced.cut;
	d->unbounded += !same(&full, &reduced);
	d->witness += !reduced.witness_ok;
	/* where a task ends the run, sleep sets take it to depend on all */
	d->classes += runs > classes || (runs < classes && !has_op(OP_FAIL));
	for (bound = 0; bound <= 2; bound++) {
		explore(&full, bound, UNREDUCED);
		explore(&reduced, bound, FULL);
		d->bounded += !same(&full, &reduced);
		d->witness += !reduced.witness_ok;
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
	tap_ok(!d.witness, "%s: witnesses replay to their trace hash (%u)",
	       of, d.witness);
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
	tap_plan(6 + 7 * (MAX_TASKS - 1) + 12);
	counts();
	counts_of_many();
	compare(make_program, "tasks");
	compare(make_program_that_blocks, "blocking");
	compare(make_program_with_handlers, "handlers");
	return tap_done();
}
