/* SPDX-License-Identifier: MIT */
/* For explore_test.c: small programs given as tables, whose end check turns what
 * happened into one of many verdicts.  Include ../run.h before. */
#ifndef ENGINE_RANDOM_PROGRAM_H
#define ENGINE_RANDOM_PROGRAM_H

#include <heddle/heddle.h>
#include <heddle/kernel.h>

#include "../base/hash.h"
#include "engine.h"

enum { MAX_OPS = 5, MAX_TASKS = 6, OUTCOMES = 256, PROGRAMS = 1000 };

enum {
	OP_LOAD, OP_STORE, OP_RMW, OP_LOCK, OP_CHOOSE, OP_SPIN, OP_FLIP,
	OP_AWAIT, OP_WAIT, OP_COMPLETE, OP_READ, OP_WRITE, OP_TRY, OP_TOKEN, OP_KEEP,
	OP_TELL, OP_FAIL, OP_ADD, OP_PUBLISH, OP_CONSUME
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
	atomic_t plain, ready, count;
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
static int load_as(atomic_t *w, u8 plain)
{
	hd_publish(HD_LOAD, w, sizeof(*w), HD_READ | plain, HD_RELAXED, HD_PC());
	hd_did((u64)w->counter, (u64)w->counter);
	return w->counter;
}

static void store_as(atomic_t *w, int v, u8 plain)
{
	int old;

	hd_publish(HD_STORE, w, sizeof(*w), HD_WRITE | plain, HD_RELAXED, HD_PC());
	old = w->counter;
	w->counter = v;
	hd_did((u64)old, (u64)v);
}

static int load(atomic_t *w)
{
	return load_as(w, 0);
}

static void store(atomic_t *w, int v)
{
	store_as(w, v, 0);
}

/* A race or none: it depends on which of two adds to the count was first, and no
 * value tells. */
static u32 by_count(bool publish)
{
	atomic_t *w = &shared->plain;
	u32 saw = 0;

	if (publish) {
		store_as(w, 1, HD_PLAIN);
		store(&shared->ready, 1);
		smp_mb__before_atomic();
	}
	atomic_inc(&shared->count);
	if (!publish) {
		smp_mb__after_atomic();
		saw = load(&shared->ready) ? (u32)load_as(w, HD_PLAIN) : 0;
	}
	return saw;
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
	struct hd_verdict v = { .kind = fatal ? HD_V_BUG : HD_V_ASSERT,
				.nnames = 1,
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
		case OP_ADD:
			atomic_add((int)v, w);
			break;
		case OP_PUBLISH:
		case OP_CONSUME:
			saw += by_count(program.op[me][i].kind == OP_PUBLISH);
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

#endif
