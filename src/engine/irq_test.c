/* SPDX-License-Identifier: MIT */
/* Interrupt handlers as tasks of the engine: does the edit irq do what
 * schedule.h says, when does a run end, what does a coming cost, how many
 * interleavings are there? */
#include "../run.h"
#include "explore.h"
#include "small_program.h"

/* What the next program is made of. */
static struct {
	u32 host_ops, handler_ops;
	bool private;      /* the host's ops but the first are on its own word */
	bool locked;       /* the host's ops but the first are under irqsave */
} p;

static void host(void *arg)
{
	unsigned long flags = 0;
	u32 i;

	(void)arg;
	for (i = 0; i < p.host_ops; i++) {
		if (p.locked && i == 1)
			local_irq_save(flags);
		atomic_add_return(1, p.private && i ? &s->own[A] : &s->word);
		note(A);
	}
	if (p.locked && i > 1)
		local_irq_restore(flags);
}

static void handler(void *arg)
{
	u32 me = (u32)(uintptr_t)arg, i;

	for (i = 0; i < p.handler_ops; i++) {
		atomic_add_return(1, &s->word);
		note(me);
	}
}

/* a is the host, b and c are handlers or do not exist. */
static const char *open_with(u8 b, u8 c)
{
	memset(tasks, 0, sizeof(tasks));
	tasks[A] = (struct heddle_task){ "a", host, NULL };
	if (b)
		tasks[B] = (struct heddle_task){ "b", handler, (void *)B, b,
						 "a" };
	if (c)
		tasks[C] = (struct heddle_task){ "c", handler, (void *)C, c,
						 "a" };
	scenario.setup = setup;
	return hd_open(&scenario, &variants[0]);
}

/* --- counts --------------------------------------------------------------- */

static u64 runs(int bound, bool unreduced)
{
	struct hd_explore x = { .bound = bound, .unreduced = unreduced };

	hd_explore_run(&x);
	return x.complete ? x.runs : 0;
}

static void counts(void)
{
	p = (typeof(p)){ .host_ops = 3, .handler_ops = 2 };
	open_with(HEDDLE_HARDIRQ, 0);
	tap_is(runs(-1, true), 5, "3 ops, 1 handler: before each, late, or never");
	tap_is(runs(-1, false), 5, "... in 5 classes");
	tap_is(runs(0, true), 3, "... without a preemption first, late or never");
	tap_is(runs(0, false), 3, "... the same with reduction");
	p.private = true;
	open_with(HEDDLE_HARDIRQ, 0);
	tap_is(runs(-1, true), 5, "private ops: the same without reduction");
	tap_is(runs(-1, false), 3, "... and with it what is between is not tried");
	p = (typeof(p)){ .host_ops = 3, .handler_ops = 2, .locked = true };
	open_with(HEDDLE_HARDIRQ, 0);
	tap_is(runs(-1, true), 4, "under irqsave but the first: one place less");
	tap_is(runs(-1, false), 4, "... in 4 classes");
}

/* --- edits ------------------------------------------------------------------ */

static const char *trace_of(u8 kind, u8 task, u32 anchor, u32 arg)
{
	struct hd_schedule *x = with(0, 0);

	edit(x, kind, task, anchor, arg);
	run(x);
	return trace;
}

static void edits(void)
{
	p = (typeof(p)){ .host_ops = 3, .handler_ops = 2 };
	open_with(HEDDLE_HARDIRQ, 0);
	run(with(0, 0));
	tap_is_str(trace, "aaa", "no edit: no interrupt");
	tap_is_str(trace_of(HD_EDIT_IRQ, A, 2, B), "abbaa",
		   "irq: the handler comes before the op, and the host goes on");
	tap_is(W->preemptions, 1, "... at the cost of a preemption");
	tap_is_str(trace_of(HD_EDIT_SWITCH, A, 2, B), "abbaa",
		   "a switch to it is the same");
	tap_is_str(trace_of(HD_EDIT_IRQ, A, 1, B), "bbaaa",
		   "before the first op");
	tap_is(W->preemptions, 0, "... which costs nothing");
	tap_is_str(trace_of(HD_EDIT_IRQ, A, 4, B), "aaabb",
		   "after the last op");
	tap_is(W->preemptions, 0, "... nor does that");
	tap_is_str(trace_of(HD_EDIT_IRQ, A, 9, B), "aaa",
		   "an anchor that is not reached does nothing");
	tap_is_str(trace_of(HD_EDIT_IRQ, A, 2, A), "aaa",
		   "nor does a task that is no handler");
	p.locked = true;
	open_with(HEDDLE_HARDIRQ, 0);
	tap_is_str(trace_of(HD_EDIT_IRQ, A, 2, B), "abbaa",
		   "the last moment before interrupts are off");
	tap_is_str(trace_of(HD_EDIT_IRQ, A, 3, B), "aaa",
		   "it cannot come while they are off");
}

static void nesting(void)
{
	struct hd_schedule *x = with(0, 0);

	p = (typeof(p)){ .host_ops = 2, .handler_ops = 2 };
	open_with(HEDDLE_SOFTIRQ, HEDDLE_HARDIRQ);
	edit(x, HD_EDIT_IRQ, A, 2, B);
	edit(x, HD_EDIT_IRQ, B, 2, C);
	run(x);
	tap_is_str(trace, "abccba", "a hardirq comes over a softirq");
	tap_is(W->preemptions, 2, "... and each costs one");
	x = with(0, 0);
	edit(x, HD_EDIT_IRQ, A, 2, C);
	edit(x, HD_EDIT_IRQ, C, 2, B);
	edit(x, HD_EDIT_SWITCH, C, 2, A);
	run(x);
	tap_is_str(trace, "acca", "nothing comes over a hardirq");
	tap_is(runs(-1, true), runs(-1, false), "all ops on one word: as many "
	       "classes as runs");
}

static void errors(void)
{
	tap_is_str(open_with(3, 0), "no such kind of handler (.irq)", "kind");
	tasks[B].irq = HEDDLE_HARDIRQ;
	tasks[B].on = "b";
	tap_is_str(hd_open(&scenario, &variants[0]),
		   "no ordinary task has the name that .on gives", "host");
	tasks[B].on = NULL;
	tap_is_str(hd_open(&scenario, &variants[0]),
		   "a handler needs both .irq and .on", "no host");
	tasks[B].on = "a";
	tasks[A].irq = HEDDLE_SOFTIRQ;
	tap_is_str(hd_open(&scenario, &variants[0]),
		   "the first task must not be an interrupt handler",
		   "first task");
}

/* --- strategies ------------------------------------------------------------ */

/* Each must find the last moment, though the op behind it is private. */
static void strategies(void)
{
	u32 id, seed, found[5] = { 0 };

	p = (typeof(p)){ .host_ops = 3, .handler_ops = 2, .locked = true,
			 .private = true };
	open_with(HEDDLE_HARDIRQ, 0);
	for (id = 1; id < 5; id++)
		for (seed = 0; seed < 1000; seed++) {
			run(with((u8)id, seed));
			found[id] += !strcmp(trace, "abbaa");
		}
	for (id = 1; id < 5; id++)
		tap_ok(found[id] > 20, "%s: the last moment in %u of 1,000",
		       hd_strategy_by_id((u8)id)->name, found[id]);
	load(2, three_adds);
	tap_is((long long)W->irqs, 0, "no handlers");
}

/* --- any schedule ------------------------------------------------------------- */

/* Does every run end, the same when run again, and does each handler have its
 * CPU for itself? */
static void any_bytes(void)
{
	static struct hd_schedule x;
	u32 i, k, bad = 0, differ = 0, came = 0, late = 0;
	u8 bytes[5 + 6 * 8];
	u64 hash;

	p = (typeof(p)){ .host_ops = 5, .handler_ops = 2, .locked = true };
	open_with(HEDDLE_SOFTIRQ, HEDDLE_HARDIRQ);
	for (i = 0; i < 1000; i++) {
		for (k = 0; k < sizeof(bytes); k++)
			bytes[k] = (u8)hd_draw(i, k, 0, 77);
		for (k = 7; k < sizeof(bytes); k += 6) {
			bytes[k] %= 8; /* anchors that are there */
			bytes[k + 1] = 0;
		}
		hd_schedule_decode(&x, bytes, sizeof(bytes), W->ntasks);
		hash = run(&x).hash;
		bad += W->nverdicts || W->tasks[A].state != HD_DONE ||
		       strstr(trace, "cac") || strstr(trace, "cbc") ||
		       strstr(trace, "bab");
		came += strchr(trace, 'c') != NULL;
		late += strstr(trace, "abb") && trace[ntrace - 1] == 'b';
		differ += run(&x).hash != hash;
	}
	tap_is(bad, 0, "1,000 schedules: handlers have the CPU for themselves");
	tap_is(differ, 0, "... and each is the same twice");
	tap_ok(came > 300 && came < 1000 && late, "... with and without them");
}

int main(void)
{
	counts();
	edits();
	nesting();
	strategies();
	any_bytes();
	errors();
	return tap_done();
}
