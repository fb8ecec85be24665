/* SPDX-License-Identifier: MIT */
/* What does an oracle cost by itself?  The operations of facts that a run asks
 * for most, in a loop, on the loaded scenario's first task; nanoseconds of CPU
 * time each, the loop's own cost taken off. */
#include <heddle/lockdep.h>
#include <stdlib.h>
#include <time.h>

#include "../triage.h"
#include "bench.h"

enum { LOOPS = 4000000 };

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void nothing(u32 i)
{
	__asm__ __volatile__("" ::"r"(i) : "memory");
}

/* The median of five, without the loop. */
static double cost(void (*fn)(u32 i))
{
	double took[5], x;
	u32 i, j, k;

	for (k = 0; k < 5; k++) {
		double t0 = now(), t1, t2;

		for (i = 0; i < LOOPS; i++)
			nothing(i);
		t1 = now();
		for (i = 0; i < LOOPS; i++)
			fn(i);
		t2 = now();
		x = (t2 - t1 - (t1 - t0)) / LOOPS;
		for (j = k; j && took[j - 1] > x; j--)
			took[j] = took[j - 1];
		took[j] = x;
	}
	return took[2];
}

/* --- lockdep ---------------------------------------------------------------- */

static struct lockdep_map map[4];

static void nested_pairs(u32 i)
{
	u32 k, held = i & 3;

	for (k = 0; k <= held; k++)
		hd_lock_acquire(&map[k], 0, 0, 0, 1, 1);
	while (k--)
		hd_lock_release(&map[k], 1);
}

static double lockdep_pair(void)
{
	static struct lock_class_key key[4];
	static const char *const name[] = { "a", "b", "c", "d" };
	u32 i;

	for (i = 0; i < 4; i++)
		map[i] = (struct lockdep_map){ .key = &key[i],
					       .name = name[i] };
	hd_eng.direct = hd_locks_are_direct(); /* as in a run */
	return cost(nested_pairs) / 2.5; /* pairs a call, on average */
}

/* --- races ------------------------------------------------------------------- */

static void load_again(u32 i)
{
	(void)i;
	hd_access_oracle.load(W->cur, HD_READ | HD_PLAIN | 15 << 8, 0);
}

static void store_again(u32 i)
{
	(void)i;
	hd_access_oracle.store(W->cur, HD_WRITE | HD_PLAIN | 15 << 8, 0);
}

/* The same access again and again: it says nothing new after the first. */
static double race_same_epoch(u8 kind, u8 flags, void (*again)(u32 i))
{
	double ns;

	W->cur->op = (struct hd_op){ .addr = HD_HEAP_BASE + W->heap_used - 8,
				     .size = 4, .kind = kind,
				     .flags = flags | HD_PLAIN };
	W->running = 1;
	W->cur->n = 1;
	ns = cost(again);
	W->running = 0;
	return ns;
}

static void lock_and_unlock(u32 i)
{
	struct hd_task *t = W->cur;

	(void)i;
	t->op.kind = HD_LOCK;
	t->op.order = HD_ACQUIRE;
	hd_access_oracle.take(t, 0, 1);
	t->op.kind = HD_UNLOCK;
	t->op.order = HD_RELEASE;
	hd_access_oracle.give(t, 1, 0);
}

static double race_lock_pair(void)
{
	double ns;

	W->cur->op = (struct hd_op){ .addr = HD_HEAP_BASE + W->heap_used - 16,
				     .size = 4, .flags = HD_READ | HD_WRITE };
	W->running = 1;
	ns = cost(lock_and_unlock);
	W->running = 0;
	return ns;
}

static void row(const char *what, double ns, const char *goal,
		const char *reference)
{
	printf("%-44s %6.1f ns  %-9s %s\n", what, ns, goal, reference);
}

int bench_oracles(void)
{
	W->cur = &W->tasks[0];
	row("lockdep: acquire + release, known, 0-3 held", lockdep_pair(),
	    "<= 8 ns", "prototype 5.6");
	row("race: read, same epoch", race_same_epoch(HD_LOAD, HD_READ, load_again),
	    "<= 3 ns", "prototype 1.8");
	row("race: write, same epoch", race_same_epoch(HD_STORE, HD_WRITE, store_again),
	    "<= 3 ns", "prototype 1.9");
	row("race: acquire + release of a lock", race_lock_pair(), "-",
	    "prototype 4.5");
	return EXIT_CLEAN;
}
