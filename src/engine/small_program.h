/* SPDX-License-Identifier: MIT */
/* For tests of the engine: small programs whose ops are made by hand, run under
 * schedules; tests are not instrumented.  Include ../run.h before. */
#ifndef ENGINE_SMALL_PROGRAM_H
#define ENGINE_SMALL_PROGRAM_H

#include <heddle/heddle.h>
#include <heddle/kernel.h>
#include <stdlib.h>
#include <string.h>

#include "../base/hash.h"
#include "../base/tap.h"
#include "engine.h"

enum { A, B, C };

struct shared {
	atomic_t word;             /* everybody adds */
	atomic_t own[3];           /* one task each */
	atomic_t constant;         /* everybody reads */
	atomic_t published;        /* A writes, the others read */
	struct mutex lock[2];
	struct rcuwait wait;
	u64 answers[4];
	struct lockdep_map maps[HD_MAX_HELD + 1];
};

static struct shared *s;

/* Who ran, op by op.  Not of the world: emptied before each run. */
static char trace[256];
static u32 ntrace;

static struct hd_outcome run(const struct hd_schedule *schedule)
{
	memset(trace, 0, sizeof(trace));
	ntrace = 0;
	return hd_run(schedule);
}

static void note(u32 me)
{
	if (ntrace < sizeof(trace) - 1)
		trace[ntrace++] = (char)('a' + me);
}

static void setup(void)
{
	s = heddle_alloc(struct shared);
	mutex_init(&s->lock[0]);
	mutex_init(&s->lock[1]);
	rcuwait_init(&s->wait);
}

/* A scenario of one variant that is loaded and nothing else. */
static struct heddle_task tasks[4];
static const struct heddle_variant variants[] = { { .name = "v" }, { 0 } };
static struct heddle_scenario scenario = { .name = "program", .tasks = tasks,
					   .variants = variants };

static const char *load(u32 n, void (*fn)(void *))
{
	static const char *const names[] = { "a", "b", "c" };
	u32 i;

	memset(tasks, 0, sizeof(tasks));
	for (i = 0; i < n; i++)
		tasks[i] = (struct heddle_task){ names[i], fn,
						 (void *)(uintptr_t)i };
	scenario.setup = setup;
	return hd_open(&scenario, &variants[0]);
}

static struct hd_schedule *with(u8 strategy, u32 seed)
{
	static struct hd_schedule schedule;

	hd_schedule_clear(&schedule);
	schedule.strategy = strategy;
	schedule.seed = seed;
	return &schedule;
}

static void edit(struct hd_schedule *to, u8 kind, u8 task, u32 anchor, u32 arg)
{
	struct hd_edit e = { kind, task, (u16)anchor, (u16)arg };

	hd_schedule_add(to, e);
}

static void three_adds(void *arg)
{
	u32 me = (u32)(uintptr_t)arg, i;

	for (i = 0; i < 3; i++) {
		atomic_add_return(1, &s->word);
		note(me);
	}
}

#endif
