/* SPDX-License-Identifier: MIT */
/* Exhaustive search; see explore.h for what it does and why. */
#include "explore.h"

#include <string.h>

#include "../base/hash.h"
#include "coro.h"
#include "hot.h"
#include "nodes.h"
#include "state_cache.h"

enum { TELL_EVERY = 4096 };
static u64 told; /* transitions when progress() was called last */

/* --- runs ------------------------------------------------------------------------ */

static void finish_run(struct hd_explore *x, bool *stop)
{
	u32 i;

	hd_finish();
	x->runs++;
	x->hashes += hd_mix(W->hash);
	x->marks |= W->marks;
	for (i = 0; i < W->nverdicts; i++)
		if (W->verdicts[i].kind == HD_V_LIMIT)
			x->limited = true;
	if ((W->nverdicts || x->all_runs) && x->found &&
	    !x->found(x, x->arg))
		*stop = true;
	if (x->max_runs && x->runs >= x->max_runs)
		*stop = true;
}

/* Long paths and cut ones are no runs, so count transitions. */
static bool told_to_stop(struct hd_explore *x)
{
	if (x->progress && x->states - told >= TELL_EVERY) {
		told = x->states;
		x->done = hd_nodes_done();
		x->progress(x, x->arg);
	}
	return x->stop;
}

/* --- private ops ------------------------------------------------------------------
 *
 * An op that conflicts with no other task's op, in no run, and tells the
 * oracles nothing, need not be a branch point while its task is running: what
 * another task does before it, it can as well do after it, at the same cost.
 * Which ops are private is first guessed from the profile; a run that shows
 * the guess to be wrong corrects it and the search starts anew, so that what
 * is finally reported rests on no guess. */

static bool guess_was_wrong;

static bool is_private(const struct hd_task *t)
{
	const struct hd_op *op = &t->op;

	return (op->kind <= HD_RMW || op->kind == HD_USER) &&
	       !(op->flags & HD_YIELD) && hd_is_private(op) &&
	       !hd_is_telling(op);
}

/* What was just executed: does it fit the guess? */
static void verify(const struct hd_op *op, u32 task, bool drained)
{
	if (hd_profile_learn(op, task) || hd_eng.learned)
		guess_was_wrong = true;
	hd_eng.learned = false;
	if (drained && (W->ended || hd_eng.ordered))
		guess_was_wrong |= hd_telling_learn(op);
}

/* Let the running task go through its private ops. */
static void drain(struct hd_explore *x)
{
	struct hd_task *t = W->cur;

	if (x->unreduced)
		return;
	while (!W->ended && !hd_eng.asking && t->state == HD_READY && t->n &&
	       !hd_has(W->cond | W->waiting, t->id) && is_private(t) &&
	       !hd_closes(t)) {
		struct hd_op op = t->op;

		x->states++;
		hd_eng.ordered = false;
		hd_resume(t);
		verify(&op, t->id, true);
	}
}

/* A handler's coming is ordered with every transition on its CPU: the task
 * that it interrupts must not go on until it has ended. */
static void note_cpu(struct node *n, u32 task)
{
	bool comes = hd_has(W->to_come, task);

	n->interrupts = comes && W->tasks[task].host == n->cur;
	if (hd_eng.touching)
		hd_touch(hd_cpu_key(task), 1, comes ? HD_WRITES : HD_READS);
}

/* Execute one transition out of node n; its touches are left in hd_eng. */
static void step(struct hd_explore *x, struct node *n, u32 choice)
{
	x->states++;
	n->tried++;
	n->chosen = (u8)choice;
	hd_eng.asking = 0;
	if (n->asking) {
		hd_eng.ask_answer = choice;
		hd_touches_take_up(&n->partial);
		hd_coro_switch(&hd_eng.main_sp, W->tasks[n->cur].sp);
		return;
	}
	hd_eng.ntouch = 0;
	hd_eng.touch_overflow = false;
	if (unlikely(W->irqs))
		note_cpu(n, choice);
	W->preemptions += hd_node_cost(n, choice);
	W->switches += choice != n->cur;
	n->op = W->tasks[choice].op;
	n->in_vain = hd_sleeps(x) && hd_in_vain(&W->tasks[choice]);
	hd_resume(&W->tasks[choice]);
	if (n->in_vain)
		hd_touches_forget_write(n->op.addr);
	if (!x->unreduced)
		verify(&n->op, choice, false);
}

/* Is the state that was just reached to be expanded? */
static bool fresh(struct hd_explore *x)
{
	u32 cur = W->cur->id, left;
	hd_tasks on;
	u64 key;

	if (x->bound < 0 || x->unreduced || hd_eng.asking)
		return true;
	on = hd_enabled();
	key = hd_world_state_hash();
	if (hd_has(on, cur) && !(W->cur->op.flags & HD_YIELD))
		key = hd_fold(key, cur + 1);
	if (x->past)
		key = hd_fold(key, x->past(x->arg));
	left = (u32)x->bound - W->preemptions;
	if (!hd_state_seen(key, left))
		return true;
	x->cut++;
	return false;
}

/* The world stands at a new point: make it a node, or end the path. */
static bool arrive(struct hd_explore *x, const struct touches *did, bool *stop)
{
	if (W->ended || (!hd_eng.asking && !hd_enabled())) {
		finish_run(x, stop);
		return false;
	}
	if (!fresh(x))
		return false;
	if (hd_node_push(x, did))
		return true;
	x->cut++;
	return false;
}

/* The node's chosen task is finished: from now on it sleeps there. */
static void put_to_sleep(struct hd_explore *x, struct node *n,
			 const struct touches *did)
{
	if (!hd_sleeps(x) || n->asking)
		return;
	n->by_task[n->chosen] = *did;
	hd_add(&n->sleep, n->chosen);
}

/* Its transition asked, and all answers were tried: now it is known what it
 * touches, whatever the answer. */
static void sum_up(struct hd_explore *x, struct node *n)
{
	if (!n->asked)
		return;
	n->asked = false;
	if (hd_sleeps(x))
		n->by_task[n->chosen] = hd_touches_of_sum(n->sum);
}

/* The node whose chosen task is under way, past what it was asked. */
static struct node *turn_under_way(void)
{
	struct node *n = &hd_nodes[hd_depth - 1];

	while (n->asking)
		n--;
	return n;
}

/* The transition is complete.  Where it ends the run, others have not shown what
 * they do: it is not to sleep for long. */
static void note_end(struct touches *did)
{
	struct node *n = turn_under_way();

	did->all |= W->ended;
	if (n->asked)
		hd_touches_add(n->sum, did);
}

/* Which other orders does the complete transition ask for? */
static void look_back(struct hd_explore *x, const struct touches *did)
{
	struct node *n = turn_under_way();
	const struct hd_task *t = &W->tasks[n->chosen];
	hd_tasks me = hd_bit(t->id), on = 0;
	const struct hd_reversal *r;
	u32 k;

	hd_path_cut(n->events);
	if (!W->ended)
		on = hd_worth_choosing(x, hd_enabled());
	hd_path_add(&(struct hd_transition){
		.task = t->id, .node = (u32)(n - hd_nodes), .op = n->op,
		.did = *did, .woke = on & ~n->on & ~me, .barrier = n->late,
		.in_vain = n->in_vain });
	r = hd_path_races(&k);
	hd_nodes_reverse(r, k);
	hd_node_want(n, n->on & ~on & ~me); /* it was in their way */
	if (W->ended || on & me || t->state == HD_DONE || t->op.kind == HD_JOIN)
		return; /* who waits for a thread's end has nobody in its way */
	r = hd_path_pending_races(t, &k);
	hd_nodes_reverse(r, k);
}

static void stop_to_ask(struct node *n)
{
	if (n->asking)
		return;
	n->asked = true;
	hd_touches_clear_sum(n->sum);
}

static void complete(struct hd_explore *x, struct touches *did)
{
	if (hd_by_sources(x))
		look_back(x, did);
	note_end(did);
}

static void go_back(struct hd_explore *x, const struct node *n)
{
	hd_node_restore(n);
	x->spared += hd_depth - 1;
}

static void end_here(struct hd_explore *x, struct node *n, bool *stop)
{
	n->chosen = HD_NOBODY;
	hd_eng.asking = 0;
	finish_run(x, stop);
}

static void search(struct hd_explore *x)
{
	struct touches did = { .all = true };
	bool stop = false, here; /* does the world stand at the top node? */

	here = arrive(x, &did, &stop);
	while (hd_depth && !stop && !guess_was_wrong) {
		struct node *n = &hd_nodes[hd_depth - 1];
		u32 choice;

		if (!n->todo) {
			hd_node_pop();
			here = false;
			continue;
		}
		sum_up(x, n);
		if (!here)
			go_back(x, n);
		choice = hd_node_first(n, n->todo);
		hd_remove(&n->todo, choice);
		if (!n->asking && choice == HD_NOBODY) {
			end_here(x, n, &stop);
			here = false;
			continue;
		}
		step(x, n, choice);
		drain(x);
		did = hd_touches_keep();
		if (hd_eng.asking)
			stop_to_ask(n);
		else if (hd_sleeps(x))
			complete(x, &did);
		here = arrive(x, &did, &stop);
		put_to_sleep(x, n, &did);
		stop |= told_to_stop(x) ||
			(x->max_states && x->states >= x->max_states);
	}
	x->complete = !stop && !x->limited;
}

static void start_over(struct hd_explore *x)
{
	x->runs = x->cut = x->states = x->marks = 0;
	x->spared = x->hashes = 0;
	x->depth = 0;
	told = 0;
	x->complete = x->limited = false;
	hd_nodes_clear();
	hd_state_cache_clear();
	hd_snapshot_load(hd_eng.template);
	hd_eng.schedule = NULL;
	hd_eng.strategy = &hd_run_to_block;
	hd_eng.central = true;
	hd_eng.asking = 0;
	hd_eng.touching = hd_sleeps(x);
	guess_was_wrong = false;
	search(x);
	hd_eng.central = false;
	hd_eng.touching = false;
	hd_depth = 0;
}

void hd_explore_run(struct hd_explore *x)
{
	do
		start_over(x);
	while (guess_was_wrong && !x->stop);
}
