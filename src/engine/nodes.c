/* SPDX-License-Identifier: MIT */
/* What is to be tried at each point of the path; see nodes.h. */
#include "nodes.h"

#include <string.h>

enum { MAX_DEPTH = HD_MAX_STEPS + 64 };

struct node *hd_nodes;
u32 hd_depth;
static char *arena;
static u64 arena_used;
static struct touches *list_arena;
static struct hd_touch_sum *sums;
static const u64 ARENA = 1ull << 32;

void hd_nodes_clear(void)
{
	if (!hd_nodes) {
		hd_nodes = hd_map_memory(sizeof(*hd_nodes) * MAX_DEPTH);
		arena = hd_map_memory(ARENA);
		list_arena = hd_map_memory(sizeof(*list_arena) * MAX_DEPTH *
					   HD_MAX_TASKS);
		sums = hd_map_memory(sizeof(*sums) * MAX_DEPTH);
	}
	hd_depth = 0;
	arena_used = 0;
	hd_touches_cut(0);
	hd_path_clear();
}

/* There is no room to come back to n: one way is tried, and the search is not
 * complete. */
static void give_up(struct hd_explore *x, struct node *n)
{
	n->wanted = ~(hd_tasks)0;
	n->todo = hd_bit(hd_lowest(n->todo));
	x->limited = true;
}

/* Save the world only where it may be needed again. */
static void save(struct hd_explore *x, struct node *n)
{
	u64 size;
	hd_tasks may = !n->asking && hd_by_sources(x) ? n->on & ~n->sleep :
							n->todo;

	if (hd_is_single(may))
		return;
	size = (hd_snapshot_size() + 15) & ~15ull;
	if (size > ARENA - arena_used) {
		give_up(x, n);
		return;
	}
	hd_snapshot_save(arena + arena_used);
	arena_used += size;
}

void hd_node_restore(const struct node *n)
{
	hd_snapshot_load(arena + n->snapshot);
}

void hd_node_pop(void)
{
	hd_depth--;
	arena_used = hd_nodes[hd_depth].snapshot;
	hd_touches_cut(hd_nodes[hd_depth].touches);
}

static struct node *add(struct hd_explore *x)
{
	struct node *n = &hd_nodes[hd_depth], *up = hd_depth ? n - 1 : NULL;

	memset(n, 0, sizeof(*n));
	n->by_task = list_arena + (u64)hd_depth * HD_MAX_TASKS;
	n->sum = &sums[hd_depth];
	n->snapshot = arena_used;
	n->touches = hd_touches_used();
	n->events = hd_path_length();
	n->cur = W->cur->id;
	n->cur_n = W->cur->n;
	n->preemptions = W->preemptions;
	n->nchoices = W->cur->nchoices;
	n->nfallible = W->cur->nfallible;
	n->asking = hd_eng.asking;
	if (up) {
		n->failures = up->failures;
		n->signals = up->signals;
		if (up->asking == HD_ASK_FAIL)
			n->failures += up->chosen;
		if (up->asking == HD_ASK_SIGNAL)
			n->signals += up->chosen;
	}
	hd_depth++;
	if (hd_depth > x->depth)
		x->depth = hd_depth;
	return n;
}

u32 hd_node_cost(const struct node *n, u32 task)
{
	if (unlikely(W->irqs))
		return hd_preempts(n->can, n->cur, task);
	return n->cur_on && task != n->cur && !n->cur_yields && n->cur_n;
}

/* --- whom to try --------------------------------------------------------------- */

hd_tasks hd_worth_choosing(const struct hd_explore *x, hd_tasks can)
{
	hd_tasks on = can, m;

	for (m = hd_sleeps(x) && !hd_eng.handlers ? can : 0; m; m = hd_rest(m))
		if (hd_in_vain(&W->tasks[hd_lowest(m)]))
			hd_remove(&on, hd_lowest(m));
	return on ? on : can;
}

void hd_node_want(struct node *n, hd_tasks tasks)
{
	n->todo |= tasks & ~n->wanted & ~n->sleep;
	n->wanted |= tasks;
}

void hd_nodes_reverse(const struct hd_reversal *r, u32 nraces)
{
	for (; nraces; nraces--, r++) {
		struct node *n = &hd_nodes[r->node];
		hd_tasks can_begin = r->initials & n->on;

		if (r->initials & (n->wanted | n->sleep))
			continue;
		if (r->initials == hd_bit(r->task) && !can_begin)
			continue; /* it could not go on there */
		if (!can_begin)
			hd_node_want(n, n->on);
		else if (hd_has(can_begin, r->task))
			hd_node_want(n, hd_bit(r->task));
		else
			hd_node_want(n, hd_bit(hd_lowest(can_begin)));
	}
}

/* --- turns and answers ------------------------------------------------------------ */

static void within_bound(struct hd_explore *x, struct node *n)
{
	hd_tasks m;

	for (m = n->todo; m; m = hd_rest(m)) {
		u32 t = hd_lowest(m);

		if (n->preemptions + hd_node_cost(n, t) > (u32)x->bound)
			hd_remove(&n->todo, t);
	}
}

u32 hd_node_first(const struct node *n, hd_tasks tasks)
{
	if (!n->asking && hd_has(tasks, n->cur))
		return n->cur;
	return hd_lowest(tasks);
}

/* Fill in what is to be tried at a node where a turn is given away. */
static void turns(struct hd_explore *x, struct node *n)
{
	hd_tasks can = hd_enabled();

	n->can = can;
	n->on = hd_worth_choosing(x, can);
	n->late = can == W->late;
	n->cur_on = hd_has(can, n->cur);
	n->cur_yields = n->cur_on && (W->cur->op.flags & HD_YIELD);
	n->todo = n->on & ~n->sleep;
	n->usual = (u8)hd_run_to_block.pick(can, n->cur);
	if (x->bound >= 0)
		within_bound(x, n);
	if (unlikely(W->irqs) && hd_may_end(can)) {
		n->usual = HD_NOBODY;
		hd_add(&n->todo, HD_NOBODY);
	}
	if (hd_by_sources(x) && n->todo && !n->late)
		n->todo = hd_bit(hd_node_first(n, n->todo));
	n->wanted = n->todo;
}

static void answers(struct hd_explore *x, struct node *n)
{
	n->todo = hd_bit(hd_eng.ask_n) - 1;
	if ((n->asking == HD_ASK_FAIL && n->failures >= x->max_failures) ||
	    (n->asking == HD_ASK_SIGNAL && n->signals >= x->max_signals))
		n->todo = 1;
}

/* Sleep set of the node just reached from up by executing its chosen task.  A
 * transition that stopped to ask goes on: what it touches is not known yet. */
static void inherit(const struct node *up, struct node *n,
		    const struct touches *did)
{
	hd_tasks m;

	for (m = up->sleep; m; m = hd_rest(m)) {
		u32 t = hd_lowest(m);

		if (!n->asking && hd_dependent(&up->by_task[t], did))
			continue;
		hd_add(&n->sleep, t);
		n->by_task[t] = up->by_task[t];
	}
}

struct node *hd_node_push(struct hd_explore *x, const struct touches *did)
{
	struct node *n = add(x);

	n->partial = *did;
	if (hd_sleeps(x) && hd_depth > 1)
		inherit(n - 1, n, did);
	if (n->asking)
		answers(x, n);
	else
		turns(x, n);
	if (!n->todo) {
		hd_node_pop();
		return NULL;
	}
	save(x, n);
	return n;
}

/* --- how far ----------------------------------------------------------------------- */

/* As if every branch that is still to be tried were as large as those that were, and
 * no more of them turned up (Knuth, "Estimating the Efficiency of Backtrack
 * Programs", 1975). */
double hd_nodes_done(void)
{
	double done = 0, share = 1;
	u32 i;

	for (i = 0; i < hd_depth; i++) {
		const struct node *n = &hd_nodes[i];
		double all = n->tried + hd_count(n->todo);

		if (!n->tried)
			break;
		done += share * (n->tried - 1) / all;
		share /= all;
	}
	return done;
}

/* --- schedules of the path that the search stands on ------------------------------ */

void hd_explore_schedule(struct hd_schedule *s)
{
	u32 i;

	hd_schedule_clear(s);
	for (i = 0; i < hd_depth; i++) {
		const struct node *n = &hd_nodes[i];
		struct hd_edit e = { HD_EDIT_SWITCH, (u8)n->cur,
				     (u16)(n->cur_n + 1), n->chosen };

		if (n->asking == HD_ASK_CHOOSE) {
			e.kind = HD_EDIT_CHOOSE;
			e.anchor = n->nchoices;
		} else if (n->asking == HD_ASK_FAIL) {
			e.kind = HD_EDIT_FAIL;
			e.anchor = n->nfallible;
		} else if (n->asking == HD_ASK_SIGNAL) {
			e.kind = HD_EDIT_SIGNAL;
		}
		if (n->asking ? !n->chosen : n->chosen == n->usual)
			continue;
		if (!n->asking && n->interrupts)
			e.kind = HD_EDIT_IRQ;
		hd_schedule_add(s, e);
	}
}
