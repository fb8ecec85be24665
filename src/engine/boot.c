/* SPDX-License-Identifier: MIT */
/* What happens around the tasks: loading a variant (set-up, template), and
 * judging the end of a run.  Set-up and end check run as a coroutine of their
 * own, the boot task, without scheduling, so that a fatal verdict in them has
 * somewhere to return to. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "../base/hash.h"
#include "coro.h"
#include "engine.h"

void hd_start_tasks(void);

static struct hd_task boot_task;

const struct heddle_variant *heddle_variant(void)
{
	return hd_eng.variant;
}

bool heddle_allows(const char *call)
{
	size_t len = strlen(call);
	const char *at = hd_eng.calls, *end;

	for (; *at; at = *end ? end + 1 : end) {
		end = at + strcspn(at, ",");
		if ((size_t)(end - at) == len && !memcmp(at, call, len))
			return true;
	}
	return !hd_eng.calls[0];
}

const struct heddle_task *heddle_tasks(void)
{
	return hd_eng.scenario->tasks;
}

static void boot_main(void *fn)
{
	void *ignored;

	(*(void (**)(void))fn)();
	hd_settle();
	hd_coro_switch(&ignored, hd_eng.main_sp);
	__builtin_trap();
}

static void run_as_boot(void (*fn)(void))
{
	char *low = (char *)HD_STACK_BASE + HD_MAX_TASKS * HD_STACK_SIZE;
	struct hd_task *cur = W->cur;
	u8 running = W->running;

	memset(&boot_task, 0, sizeof(boot_task));
	boot_task.id = HD_MAX_TASKS;
	boot_task.name = "setup";
	boot_task.held = hd_world_held(HD_MAX_TASKS);
	W->cur = &boot_task;
	W->running = 0;
	hd_coro_switch(&hd_eng.main_sp,
		       hd_coro_new(low + HD_STACK_GUARD, low + HD_STACK_SIZE,
				   boot_main, &fn));
	W->cur = cur;
	W->running = running;
}

/* --- the end ---------------------------------------------------------------- */

/* Handlers need not come; once they came they have to end. */
bool hd_users_done(void)
{
	const struct hd_task *t;

	for (t = W->tasks; t < W->tasks + W->nuser; t++)
		if (t->state != HD_DONE && !t->daemon &&
		    !hd_has(W->to_come, t->id))
			return false;
	return true;
}

/* What is found at the end is no task's doing. */
static void emit_end(struct hd_event *ev)
{
	struct hd_task *cur = W->cur;

	boot_task.id = HD_MAX_TASKS;
	boot_task.nheld = 0;
	W->cur = &boot_task;
	hd_emit(ev);
	W->cur = cur;
}

void hd_finish(void)
{
	struct hd_event ev = { .op = { .kind = HD_EV_END } };

	hd_eng.quiet = hd_eng.direct = false;
	if (W->ended)
		return;
	if (!hd_users_done()) {
		ev.op.kind = HD_EV_STUCK;
		hd_emit(&ev);
		return;
	}
	W->running = 0;
	if (hd_eng.scenario->check)
		run_as_boot(hd_eng.scenario->check);
	if (!W->ended)
		emit_end(&ev);
}

/* --- faults of the machine ---------------------------------------------------
 *
 * Two kinds belong to the model and become verdicts: a task that runs into the
 * guard page of its stack, and an access of model code to memory that is not
 * there.  All others are heddle's own and end the process as usual. */

static struct sigaction previous;

static bool in_guard_page(u64 addr)
{
	u64 off = addr - HD_STACK_BASE;

	return off < (HD_MAX_TASKS + 1) * HD_STACK_SIZE &&
	       off % HD_STACK_SIZE < HD_STACK_GUARD;
}

/* The callback of an access comes right before it and noted the address.  Of an
 * address that no machine has (not canonical) the signal tells nothing, or the
 * low bits. */
static bool is_models_access(const siginfo_t *info)
{
	u64 at = (u64)info->si_addr, foreign = hd_eng.foreign;

	if (foreign && at - foreign < 16)
		return true;
	return foreign >> 47 && (!at || !((at ^ foreign) << 16 >> 20));
}

static void on_segv(int sig, siginfo_t *info, void *uc)
{
	struct hd_verdict v = { .fatal = 1, .nnames = 1 };

	if (in_guard_page((u64)info->si_addr)) {
		v.kind = HD_V_LIMIT;
		v.names[0] = "task stack";
	} else if (is_models_access(info)) {
		v.kind = HD_V_WILD_ACCESS;
		v.names[0] = "no memory there";
		v.pc = hd_eng.foreign_pc;
	} else {
		sigaction(sig, &previous, NULL);
		return;
	}
	v.task = W->cur->id;
	v.step = W->step;
	if (W->nverdicts < HD_MAX_VERDICTS)
		hd_list_verdict(&v);
	W->ended = 1;
	W->unsettled = 0;
	hd_coro_divert(uc, hd_eng.main_sp);
}

static void catch_overflow(void)
{
	static bool done;
	stack_t alt = { .ss_size = 65536 };
	struct sigaction sa = { .sa_sigaction = on_segv,
				.sa_flags = SA_SIGINFO | SA_ONSTACK };

	if (done)
		return;
	done = true;
	alt.ss_sp = hd_map_memory(alt.ss_size);
	sigaltstack(&alt, NULL);
	sigaction(SIGSEGV, &sa, &previous);
}

/* --- loading ---------------------------------------------------------------- */

static int host_of(const struct heddle_scenario *s, const struct heddle_task *h)
{
	const struct heddle_task *t;

	for (t = s->tasks; t->name; t++)
		if (!t->irq && !strcmp(t->name, h->on))
			return (int)(t - s->tasks);
	return -1;
}

static void make_handler(struct hd_task *t, u8 irq, int host)
{
	t->irq = irq;
	t->host = (u8)host;
	t->atomic = 1;
	t->irqs_off = irq == HEDDLE_HARDIRQ;
	hd_eng.handlers = true;
	hd_add(&W->irqs, t->id);
	hd_add(&W->to_come, t->id);
}

static void add_tasks(const struct heddle_scenario *s)
{
	const struct heddle_task *t;

	for (t = s->tasks; t->name; t++)
		hd_world_add_task(t->name, t->fn, t->arg);
	W->nuser = W->ntasks;
	hd_eng.handlers = false;
	for (t = s->tasks; t->name; t++)
		if (t->irq)
			make_handler(&W->tasks[t - s->tasks], t->irq,
				     host_of(s, t));
}

/* Those who come on a CPU need one that is there. */
static const char *wrong_handler(const struct heddle_scenario *s)
{
	const struct heddle_task *t;

	if (s->tasks[0].irq)
		return "the first task must not be an interrupt handler";
	for (t = s->tasks; t->name; t++) {
		if (!t->irq != !t->on)
			return "a handler needs both .irq and .on";
		if (t->irq > HEDDLE_SOFTIRQ)
			return "no such kind of handler (.irq)";
		if (t->irq && host_of(s, t) < 0)
			return "no ordinary task has the name that .on gives";
	}
	return NULL;
}

static void take_template(void)
{
	static u64 room; /* what is mapped is never given back: use it again */

	if (hd_snapshot_size() > room) {
		room = 2 * hd_snapshot_size();
		hd_eng.template = hd_map_memory(room);
	}
	hd_snapshot_save(hd_eng.template);
}

extern const struct hd_mark __start_hd_marks[] __attribute__((weak));
extern const struct hd_mark __stop_hd_marks[] __attribute__((weak));

/* Tables that a scenario cannot outgrow in the middle of a run. */
static const char *too_large(const struct heddle_scenario *s,
			     const struct heddle_variant *v)
{
	const char *const *goal = v->goals ? v->goals : s->goals;
	u32 n = 0, ngoals = 0;

	while (s->tasks[n].name)
		n++;
	if (n == 0)
		return "the scenario has no tasks";
	if (__stop_hd_data - __start_hd_data > HD_MAX_STATICS)
		return "the program has too much static data (4 MiB at most)";
	if (!hd_eng.program && n > HD_KERNEL_TASKS - 2) /* one is the RCU daemon */
		return "the scenario has too many tasks (62 at most)";
	if (__stop_hd_marks - __start_hd_marks > HD_MAX_MARKS)
		return "the program has too many marks (512 at most)";
	while (goal && goal[ngoals])
		ngoals++;
	if (ngoals > 64)
		return "the variant has too many goals (64 at most)";
	return NULL;
}

const char *hd_load(const struct heddle_scenario *s,
		    const struct heddle_variant *v,
		    const struct hd_parts *parts)
{
	const char *why = too_large(s, v);

	if (!why)
		why = wrong_handler(s);
	if (why)
		return why;
	hd_world_clear();
	catch_overflow();
	hd_eng.scenario = s;
	hd_eng.variant = v;
	hd_find_goals();
	hd_unsubscribe_all();
	parts->oracles();
	W->cur = &boot_task;
	run_as_boot(parts->primitives);
	add_tasks(s);
	parts->daemons();
	W->cur = &W->tasks[0];
	if (s->setup)
		run_as_boot(s->setup);
	if (!W->ended)
		hd_start_tasks();
	if (W->ended || W->nverdicts)
		return "the set-up itself raised a verdict";
	take_template();
	hd_profile_clear();
	if (hd_eng.program)
		hd_profile_search(HD_USUAL_ORIGIN);
	else
		hd_profile_run();
	if (hd_access_oracle.prepare) {
		hd_snapshot_load(hd_eng.template);
		hd_access_oracle.prepare();
		take_template();
	}
	return NULL;
}
