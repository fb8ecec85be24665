/* SPDX-License-Identifier: MIT */
/* The scheduling loop: who goes next, and what it means to be next.
 *
 * A task publishes its op and calls leave().  In a search run the decision is
 * made there, on the task's own stack: staying costs no switch at all.  Under
 * exhaustive search (central) every decision is made in the main context. */
#include <string.h>

#include "../base/hash.h"
#include "coro.h"
#include "engine.h"
#include "hot.h"

struct hd_engine hd_eng = { .shared_stack = HD_NO_STACK };

/* --- who can be chosen ----------------------------------------------------- */

static noinline u64 closed_by_conditions(u64 cond, const struct hd_task *first)
{
	u64 closed = 0;

	for (; cond; cond &= cond - 1) {
		u32 i = (u32)__builtin_ctzll(cond);

		closed |= (u64)!first[i].when(first[i].when_arg) << i;
	}
	return closed;
}

/* Of these waiters, counted from first on: those whose word is not 0.  The loop
 * decides without a branch: what they see is hard to predict. */
static __always_inline u64 closed_to(u64 waiting, const struct hd_task *first)
{
	u64 closed = 0;

	for (; waiting; waiting &= waiting - 1) {
		u32 i = (u32)__builtin_ctzll(waiting);
		const volatile u32 *word = first[i].when_arg;

		closed |= (u64)(*word != 0) << i;
	}
	return closed;
}

hd_tasks hd_enabled(void)
{
	hd_tasks high = closed_to((u64)(W->waiting >> 64), W->tasks + 64);
	hd_tasks on = W->ready & ~(closed_to((u64)W->waiting, W->tasks) |
				   high << 64);

	if (unlikely(W->cond)) {
		high = closed_by_conditions((u64)(W->cond >> 64), W->tasks + 64);
		on &= ~(closed_by_conditions((u64)W->cond, W->tasks) |
			high << 64);
	}
	if (unlikely(!on))
		on = W->late;
	return unlikely(W->irqs) ? hd_with_interrupts(on) : on;
}

/* The same where there are at most 64 tasks, and no handlers. */
static __always_inline u64 enabled_of_few(void)
{
	u64 on = (u64)W->ready & ~closed_to((u64)W->waiting, W->tasks);

	if (unlikely((u64)W->cond))
		on &= ~closed_by_conditions((u64)W->cond, W->tasks);
	return likely(on) ? on : (u64)W->late;
}

static bool is_about_turns(const struct hd_edit *e)
{
	return e->kind == HD_EDIT_SWITCH || e->kind == HD_EDIT_HOLD ||
	       e->kind == HD_EDIT_IRQ;
}

/* Does the edit name a task that can go (irq: a handler that can come here)? */
static bool can_go(const struct hd_edit *e, const struct hd_task *cur)
{
	u32 u = e->arg % W->ntasks;

	if (!hd_has(hd_enabled(), u))
		return false;
	return e->kind == HD_EDIT_SWITCH ||
	       (hd_has(W->to_come, u) && hd_interrupted_by(u) == cur->id);
}

/* cur has published its next op: do edits anchored there change the choice? */
static u32 apply_edits(struct hd_task *cur, hd_tasks *on, u32 next)
{
	const struct hd_schedule *s = hd_eng.schedule;
	u32 i = hd_eng.first_edit[cur->id], end = hd_eng.first_edit[cur->id + 1];
	u32 n = cur->n + 1, later = UINT32_MAX;

	for (; i < end; i++) {
		const struct hd_edit *e = &s->edit[i];

		if (!is_about_turns(e))
			continue;
		if (e->anchor > n) {
			later = e->anchor;
			break;
		}
		if (e->anchor < n)
			continue;
		if (e->kind == HD_EDIT_HOLD) {
			hd_add(&W->held_back, cur->id);
			if (*on & ~W->held_back)
				*on &= ~W->held_back;
			if (next != HD_NOBODY && !hd_has(*on, next))
				next = hd_lowest(*on);
		} else if (can_go(e, cur)) {
			next = e->arg % W->ntasks;
		}
	}
	cur->next_edit = later;
	return next;
}

/* The end is near, and a handler may still come: half of the seeds want it. */
static bool comes_late(const struct hd_task *cur)
{
	const struct hd_schedule *s = hd_eng.schedule;

	return s->strategy && hd_draw(s->seed, cur->id, cur->n, 9) & 1;
}

static u32 pick(hd_tasks on, u32 cur)
{
	if (hd_eng.profiling)
		hd_profile_decision();
	return hd_eng.strategy->pick(on, cur);
}

/* decide() where tasks are held back, or many, or there are handlers: a run may end
 * with handlers that did not come, and the moment before interrupts are off is a
 * choice, because the op that follows may be private. */
static noinline struct hd_task *decide_with_care(struct hd_task *cur)
{
	hd_tasks on = hd_enabled();
	u32 next;

	if (!on)
		return NULL;
	if (W->held_back && (on & ~W->held_back))
		on &= ~W->held_back;
	if (hd_has(on, cur->id) && !hd_eng.all_choice && !hd_is_choice(cur) &&
	    !hd_closes(cur))
		next = cur->id;
	else if (hd_may_end(on) && !comes_late(cur))
		next = HD_NOBODY;
	else if (hd_is_single(on))
		next = hd_lowest(on);
	else
		next = pick(on, cur->id);
	if (cur->n + 1 >= cur->next_edit)
		next = apply_edits(cur, &on, next);
	if (next == HD_NOBODY)
		return NULL;
	W->switches += next != cur->id;
	W->preemptions += hd_preempts(on, cur->id, next);
	return &W->tasks[next];
}

/* The decision: cur has just finished its n-th op (or start, or end).  Which of the
 * tasks in on, all that can go, executes its pending op now?  Sets of at most 64
 * tasks are handled as the words that they are. */
static __always_inline u32 decide(const struct hd_task *cur, u64 on)
{
	if ((on >> cur->id & 1) && !hd_eng.all_choice && !hd_is_choice(cur))
		return cur->id;
	return on & (on - 1) ? hd_eng.strategy->pick(on, cur->id) :
			       (u32)__builtin_ctzll(on);
}

static __always_inline void count_switch(const struct hd_task *cur, u64 on)
{
	W->switches++;
	W->preemptions += (on >> cur->id & 1) & (cur->n != 0) &
			  !(cur->op.flags & HD_YIELD);
}

/* Edits that hold tasks back: t's op lets go of those it conflicts with. */
static noinline void let_go(const struct hd_task *t)
{
	hd_tasks m;

	hd_remove(&W->held_back, t->id);
	for (m = W->held_back; m; m = hd_rest(m)) {
		u32 i = hd_lowest(m);

		if (hd_conflict(&W->tasks[i].op, &t->op))
			hd_remove(&W->held_back, i);
	}
}

static noinline void watch(const struct hd_task *t)
{
	if (unlikely(hd_eng.profiling))
		hd_profile_note(&t->op, t->id);
	if (hd_eng.strategy->done)
		hd_eng.strategy->done(t->id);
}

/* The chosen task's op leaves the state "pending".  Of few tasks the compiler sees
 * that the number is below 64. */
static __always_inline void begin_op(struct hd_task *t, u32 id)
{
	hd_remove(&W->waiting, id);
	hd_remove(&W->cond, id);
	t->n++;
	W->ops++; /* too many: the task itself says so, hd_leave() */
}

static noinline void begin_op_with_care(struct hd_task *t)
{
	W->cur = t;
	begin_op(t, t->id);
	if (hd_has(W->to_come, t->id))
		hd_enter_handler(t);
	if (W->held_back)
		let_go(t);
	if (hd_eng.watched)
		watch(t);
}

/* Where it goes on: NULL, if that is here. */
static __always_inline void *stack_of(const struct hd_task *t,
				      const struct hd_task *cur)
{
	return t == cur ? NULL : t->sp;
}

static noinline void *leave_with_care(struct hd_task *cur)
{
	struct hd_task *next;

	if (!hd_eng.searching)
		return W->running ? hd_eng.main_sp : NULL;
	next = decide_with_care(cur);
	if (!next)
		return hd_eng.main_sp;
	begin_op_with_care(next);
	return stack_of(next, cur);
}

/* The strategy said next, and edits may say otherwise: among few. */
static noinline void *leave_by_edits(struct hd_task *cur, u64 on, u32 next)
{
	hd_tasks set = on;

	next = apply_edits(cur, &set, next);
	if (next != cur->id)
		count_switch(cur, (u64)set);
	begin_op_with_care(&W->tasks[next]);
	return stack_of(W->cur, cur);
}

/* cur has published: decide, and begin the op.  Returns the stack to go on with:
 * NULL, if it is this one. */
static __always_inline void *leave(struct hd_task *cur)
{
	struct hd_task *t = cur;
	u32 next;
	u64 on;

	if (unlikely(!hd_eng.few || (u64)(W->irqs | W->held_back)))
		return leave_with_care(cur);
	on = enabled_of_few();
	if (unlikely(!on))
		return hd_eng.main_sp;
	next = decide(cur, on);
	if (unlikely(cur->n + 1 >= cur->next_edit))
		return leave_by_edits(cur, on, next);
	if (next != cur->id) {
		count_switch(cur, on);
		t = W->cur = &W->tasks[next];
	}
	begin_op(t, next % 64);
	if (unlikely(hd_eng.watched))
		watch(t);
	return stack_of(t, cur);
}

/* --- publishing ------------------------------------------------------------ */

void hd_too_long(void)
{
	hd_limit("run too long");
}

/* The one place where a task is left: the processor foresees where that returns to,
 * as long as it is always the same. */
void hd_leave(struct hd_task *t)
{
	void *to = leave(t);

	if (to)
		hd_coro_switch(&t->sp, to);
	if (unlikely(W->ops > HD_MAX_STEPS))
		hd_too_long();
}

void hd_publish(u8 kind, const volatile void *addr, u32 size, u8 flags,
		u8 order, u32 pc)
{
	struct hd_op op = { .addr = (u64)addr, .size = size, .pc = pc,
			    .kind = kind, .order = order, .flags = flags };

	hd_publish_op(&op);
}

static __always_inline void fill(struct hd_task *t, u8 kind,
				 const volatile void *addr, u32 size, u8 flags,
				 u32 pc)
{
	t->op = (struct hd_op){ .addr = (u64)addr, .size = size, .pc = pc,
				.kind = kind, .order = HD_ACQUIRE,
				.flags = flags };
}

void hd_publish_when(u8 kind, const volatile void *addr, u32 size, u8 flags,
		     u32 pc, bool (*when)(const void *arg), const void *arg)
{
	struct hd_task *t = W->cur;

	hd_settle();
	fill(t, kind, addr, size, flags, pc);
	if (unlikely(!W->running)) {
		if (!W->probing && !when(arg))
			hd_limit("set-up or end check would block");
		return;
	}
	t->when = when;
	t->when_arg = arg;
	hd_add(&W->cond, t->id);
	hd_leave(t);
}

void hd_publish_until_zero(u8 kind, const u32 *word, u8 flags, u32 pc)
{
	struct hd_task *t = W->cur;

	hd_settle();
	fill(t, kind, word, sizeof(*word), flags | HD_UNTIL_ZERO, pc);
	if (unlikely(!W->running)) {
		if (!W->probing && *word)
			hd_limit("set-up or end check would block");
		return;
	}
	t->when_arg = word;
	hd_add(&W->waiting, t->id);
	hd_leave(t);
}

void hd_publish_asleep(u8 kind, const volatile void *addr, u32 size, u8 flags,
		       u32 pc)
{
	struct hd_task *t = W->cur;

	hd_settle();
	fill(t, kind, addr, size, flags, pc);
	if (unlikely(!W->running)) {
		if (!W->probing)
			hd_limit("set-up or end check would sleep");
		return;
	}
	t->state = HD_ASLEEP;
	hd_remove(&W->ready, t->id);
	hd_leave(t);
}

bool hd_asleep(int task)
{
	return W->tasks[task].state == HD_ASLEEP;
}

bool hd_wake(int task)
{
	struct hd_task *t = &W->tasks[task];

	if (task >= W->ntasks || t->state != HD_ASLEEP)
		return false;
	t->state = HD_READY;
	hd_add(&W->ready, t->id);
	return true;
}

int hd_current(void)
{
	return W->cur->id < W->ntasks ? W->cur->id : 0;
}

/* --- tasks ------------------------------------------------------------------ */

void hd_end_task(struct hd_task *t)
{
	struct hd_event ev = { .op = { .kind = HD_EV_EXIT } };

	hd_settle();
	if (W->probing)
		hd_probe_done(true);
	hd_emit(&ev);
	if (unlikely(t->irq))
		hd_leave_handler(t);
	t->state = HD_DONE;
	t->op.flags = 0;
	t->op.size = 0;
	t->op.kind = HD_NONE;
	hd_remove(&W->ready, t->id);
	hd_leave(t);
}

static void task_main(void *arg)
{
	struct hd_task *t = arg;

	t->fn(t->arg);
	hd_end_task(t);
	__builtin_trap();
}

void hd_resume(struct hd_task *t)
{
	hd_eng.quiet = !hd_eng.attentive && !hd_eng.feedback && !hd_eng.central;
	hd_eng.direct = hd_locks_are_direct();
	begin_op_with_care(t);
	hd_coro_switch(&hd_eng.main_sp, t->sp);
}

/* Take a new task to its first op. */
static void start(struct hd_task *t)
{
	char *low = (char *)HD_STACK_BASE + t->id * HD_STACK_SIZE;

	W->cur = t;
	t->sp = hd_coro_new(low + HD_STACK_GUARD, low + HD_STACK_SIZE,
			    task_main, t);
	hd_coro_switch(&hd_eng.main_sp, t->sp);
}

static bool starting;

void hd_need_op(void)
{
	if (likely(!starting || !W->running || W->cur->n))
		return;
	hd_publish(HD_FENCE, NULL, 0, 0, HD_RELAXED, HD_PC());
	hd_did(0, 0);
}

void hd_start_tasks(void)
{
	u32 i;

	starting = true;
	hd_eng.central = true;
	W->running = 1;
	for (i = 0; i < W->ntasks && !W->ended; i++)
		start(&W->tasks[i]);
	hd_eng.central = false;
	starting = false;
	W->cur = &W->tasks[0];
}

/* --- a run ------------------------------------------------------------------ */

static void arm_edits(const struct hd_schedule *s)
{
	u32 i, t = 0;

	hd_eng.schedule = s;
	for (i = 0; i < s->nedits; i++) {
		const struct hd_edit *e = &s->edit[i];

		if (e->task >= W->ntasks)
			break;
		while (t <= e->task)
			hd_eng.first_edit[t++] = (u16)i;
		if (e->anchor && W->tasks[e->task].next_edit == UINT32_MAX &&
		    is_about_turns(e))
			W->tasks[e->task].next_edit = e->anchor;
	}
	while (t <= W->ntasks)
		hd_eng.first_edit[t++] = (u16)i;
}

/* What the hot path need not ask again at each op. */
static void set_mode(const struct hd_schedule *s)
{
	hd_eng.searching = true;
	hd_eng.few = W->ntasks <= 64 && !hd_eng.profiling;
	hd_eng.stay = s->strategy == 0;
	hd_eng.watched = hd_eng.profiling || hd_eng.strategy->done;
	hd_eng.calm = !hd_eng.profiling && !hd_eng.all_choice;
}

void hd_run_schedule(const struct hd_schedule *s)
{
	struct hd_task *next;

	hd_snapshot_load(hd_eng.template);
	arm_edits(s);
	hd_eng.central = false;
	hd_eng.strategy = hd_strategy_by_id(s->strategy);
	hd_eng.strategy->new_run(s->seed);
	set_mode(s);
	next = decide_with_care(W->cur);
	if (next)
		hd_resume(next);
	hd_eng.searching = hd_eng.few = hd_eng.calm = hd_eng.watched = false;
	hd_finish();
}

void hd_run_recorded(const struct hd_schedule *s)
{
	if (!hd_eng.log) {
		hd_eng.maxlog = 4 * HD_MAX_STEPS;
		hd_eng.log = hd_map_memory((u64)hd_eng.maxlog *
					   sizeof(hd_eng.log[0]));
	}
	hd_eng.nlog = 0;
	hd_eng.recording = true;
	hd_run_schedule(s);
	hd_eng.recording = false;
}
