/* SPDX-License-Identifier: MIT */
/* Do coroutines keep their registers and stacks, and is an overflow reported
 * as such?  Covers coro.c, coro_ucontext.c, world.c and boot.c. */
#include <heddle/heddle.h>
#include <heddle/kernel.h>
#include <string.h>

#include "../base/tap.h"
#include "../run.h"
#include "coro.h"
#include "engine.h"

static void *main_sp, *coro_sp;
static double sum;

static void body(void *arg)
{
	double x = 0.5;
	long n = (long)arg, i;

	for (i = 0; i < n; i++) {
		x = x * 1.5 + (double)i;
		sum = x;
		hd_coro_switch(&coro_sp, main_sp);
	}
	for (;;)
		hd_coro_switch(&coro_sp, main_sp);
}

static void ping_pong(void)
{
	static char stack[65536] __attribute__((aligned(64)));
	double want = 0.5;
	long i;

	coro_sp = hd_coro_new(stack, stack + sizeof(stack), body, (void *)10);
	for (i = 0; i < 10; i++) {
		want = want * 1.5 + (double)i;
		hd_coro_switch(&main_sp, coro_sp);
	}
	tap_ok(sum == want, "a coroutine keeps its registers over ten switches");
	tap_ok((char *)coro_sp > stack && (char *)coro_sp < stack + sizeof(stack),
	   "a suspended coroutine is a pointer into its stack");
}

/* --- a task that runs into its guard page -------------------------------------- */

static atomic_t *word;

static void setup(void)
{
	word = heddle_alloc(atomic_t);
}

static noinline int deep(int n)
{
	volatile char room[512];

	memset((char *)room, n, sizeof(room));
	return n ? deep(n - 1) + room[n & 511] : room[0];
}

static void shallow_task(void *arg)
{
	(void)arg;
	atomic_inc(word);
	deep(20);
	atomic_inc(word);
}

static void deep_task(void *arg)
{
	(void)arg;
	atomic_inc(word);
	if (heddle_variant_data())
		deep(1 << 20);
}

static const struct heddle_task tasks[] = { { "shallow", shallow_task, NULL },
					    { "deep", deep_task, NULL },
					    { 0 } };
static const struct heddle_variant variants[] = {
	{ .name = "fits" }, { .name = "overflows", .data = "yes" }, { 0 }
};
static const struct heddle_scenario scenario = {
	.name = "stack", .variants = variants, .tasks = tasks, .setup = setup,
};

static void overflow(void)
{
	static struct hd_schedule s;
	struct hd_outcome o;
	u64 hash;

	hd_schedule_clear(&s);
	tap_ok(!hd_open(&scenario, &variants[0]), "scenario loads");
	o = hd_run(&s);
	tap_is(o.nverdicts, 0, "a stack that suffices: clean");
	hash = o.hash;
	tap_is(o.ops, 3, "three ops");
	tap_ok(!hd_open(&scenario, &variants[1]), "scenario loads");
	o = hd_run(&s);
	tap_is(o.nverdicts, 1, "a stack overflow is one verdict");
	tap_is(o.verdicts[0].kind, HD_V_LIMIT, "... limit");
	tap_ok(!strcmp(o.verdicts[0].names[0], "task stack"), "... task stack");
	o = hd_run(&s);
	tap_is(o.verdicts[0].kind, HD_V_LIMIT, "and again in the next run");
	hd_open(&scenario, &variants[0]);
	tap_ok(hd_run(&s).hash == hash, "afterwards all is as before");
}

int main(void)
{
	tap_plan(11);
	ping_pong();
	overflow();
	return tap_done();
}
