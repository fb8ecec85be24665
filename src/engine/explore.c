/* SPDX-License-Identifier: MIT */
/* Exhaustive search; see explore.h for what it does and why. */
#include "explore.h"

#include <string.h>

#include "../base/hash.h"
#include "coro.h"

/* A list of touches in the arena. */
struct touches {
	u32 at, n;
	bool all; /* conflicts with everything: the list overflowed */
};

struct node {
	u64 snapshot;      /* position in the arena */
	u32 touches;       /* touch_used when the node was made */
	u64 on;            /* tasks that could be chosen */
	u64 todo;          /* tasks (or answers) still to be tried */
	u64 sleep;         /* tasks not to be tried: covered elsewhere */
	struct touches *by_task; /* of sleeping and finished tasks */
	struct touches partial; /* asking: what the transition did so far */
	u32 cur;           /* who ran last */
	u32 cur_n;
	u32 preemptions;
	u16 nchoices, nfallible; /* of cur, for schedules */
	u8 asking;         /* 0: whose turn; else enum HD_ASK_* */
	u8 chosen;
	u8 failures, signals;
	u8 usual;          /* whose turn it is without an edit */
	bool cur_on, cur_yields;
	bool interrupts;   /* chosen: a handler that comes on cur's CPU */
};

enum { MAX_DEPTH = HD_MAX_STEPS + 64, TELL_EVERY = 4096 };

static struct node *nodes;
static u32 depth;
static char *arena;
static u64 arena_used;
static struct hd_touch *touch_arena;
static u32 touch_used;
static u64 told; /* transitions when progress() was called last */
static struct touches *list_arena;
static const u64 ARENA = 1ull << 34, TOUCHES = 1u << 24;

static void prepare(void)
{
	if (nodes)
		return;
	nodes = hd_map_memory(sizeof(*nodes) * MAX_DEPTH);
	arena = hd_map_memory(ARENA);
	touch_arena = hd_map_memory(TOUCHES * sizeof(*touch_arena));
	list_arena = hd_map_memory(sizeof(*list_arena) * MAX_DEPTH *
				   HD_MAX_TASKS);
}

/* --- the cache of states ------------------------------------------------------ */

struct cached {
	u64 key;
	s32 left; /* most preemptions left with which it was expanded, plus 1 */
};

static struct cached *cache;
static u64 cache_size, cache_used;

static void cache_clear(void)
{
	static struct cached *room;

	if (!room)
		room = hd_map_memory((1ull << 28) * sizeof(*room));
	if (cache_used)
		memset(room, 0, cache_size * sizeof(*room));
	cache = room;
	cache_size = 1u << 16;
	cache_used = 0;
}

static struct cached *cache_find(struct cached *table, u64 size, u64 key)
{
	u64 i = hd_mix(key) & (size - 1);

	while (table[i].left && table[i].key != key)
		i = (i + 1) & (size - 1);
	return &table[i];
}

/* Double in place: the upper half of the mapping is still zero. */
static bool cache_grow(void)
{
	u64 n = cache_size, i, kept = 0;
	static struct cached *copy;
	static u64 copy_size;

	if (n * 2 > 1ull << 28)
		return false;
	if (copy_size < n) {
		copy_size = n * 4;
		copy = hd_map_memory(copy_size * sizeof(*copy));
	}
	for (i = 0; i < n; i++)
		if (cache[i].left)
			copy[kept++] = cache[i];
	memset(cache, 0, n * sizeof(*cache));
	cache_size = n * 2;
	for (i = 0; i < kept; i++)
		*cache_find(cache, cache_size, copy[i].key) = copy[i];
	return true;
}

/* Was this state expanded with at least that much left?  Notes it if not. */
static bool seen_before(u64 key, u32 left)
{
	struct cached *c;

	if (cache_used * 3 > cache_size * 2 && !cache_grow())
		return false;
	c = cache_find(cache, cache_size, key);
	if (c->left && c->left >= (s32)left + 1)
		return true;
	if (!c->left)
		cache_used++;
	c->key = key;
	c->left = (s32)left + 1;
	return false;
}

/* --- touches -------------------------------------------------------------------- */

static struct touches keep_touches(void)
{
	struct touches t = { touch_used, hd_eng.ntouch, false };

	if (hd_eng.touch_overflow || touch_used + t.n > TOUCHES) {
		t.n = 0;
		t.all = true;
		return t;
	}
	memcpy(touch_arena + touch_used, hd_eng.touch,
	       t.n * sizeof(hd_eng.touch[0]));
	touch_used += t.n;
	return t;
}

/* Go on with a transition that stopped to ask. */
static void take_up(const struct touches *t)
{
	hd_eng.ntouch = t->n;
	hd_eng.touch_overflow = t->all;
	memcpy(hd_eng.touch, touch_arena + t->at,
	       t->n * sizeof(hd_eng.touch[0]));
}

static bool dependent(const struct touches *a, const struct touches *b)
{
	u32 i, j;

	if (a->all || b->all)
		return true;
	for (i = 0; i < a->n; i++) {
		const struct hd_touch *x = touch_arena + a->at + i;

		for (j = 0; j < b->n; j++) {
			const struct hd_touch *y = touch_arena + b->at + j;

			if ((x->write | y->write) &&
			    x->addr < y->addr + y->size &&
			    y->addr < x->addr + x->size)
				return true;
		}
	}
	return false;
}

/* --- nodes ---------------------------------------------------------------------- */

static struct node *push(struct hd_explore *x)
{
	struct node *n = &nodes[depth], *up = depth ? n - 1 : NULL;

	memset(n, 0, sizeof(*n));
	n->by_task = list_arena + (u64)depth * HD_MAX_TASKS;
	n->snapshot = arena_used;
	n->touches = touch_used;
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
	depth++;
	if (depth > x->depth)
		x->depth = depth;
	return n;
}

/* Save the world only where it will be needed again. */
static void save(struct node *n)
{
	if (!(n->todo & (n->todo - 1)))
		return;
	hd_snapshot_save(arena + arena_used);
	arena_used += (hd_snapshot_size() + 15) & ~15ull;
}

static void pop(void)
{
	depth--;
	arena_used = nodes[depth].snapshot;
	touch_used = nodes[depth].touches;
}

/* The world stands at n. */
static u32 cost(const struct node *n, u32 task)
{
	if (unlikely(W->irqs))
		return hd_preempts(n->on, n->cur, task);
	return n->cur_on && task != n->cur && !n->cur_yields && n->cur_n;
}

/* Fill in what is to be tried at a node where a turn is given away. */
static void turns(struct hd_explore *x, struct node *n)
{
	u64 on = hd_enabled(), m;

	n->on = on;
	n->cur_on = on >> n->cur & 1;
	n->cur_yields = n->cur_on && (W->cur->op.flags & HD_YIELD);
	n->todo = on & ~n->sleep;
	n->usual = (u8)hd_run_to_block.pick(on, n->cur);
	for (m = x->bound < 0 ? 0 : n->todo; m; m &= m - 1) {
		u32 t = (u32)__builtin_ctzll(m);

		if (n->preemptions + cost(n, t) > (u32)x->bound)
			n->todo &= ~(1ull << t);
	}
	if (unlikely(W->irqs) && hd_may_end(on)) {
		n->usual = HD_NOBODY;
		n->todo |= 1ull << HD_NOBODY;
	}
}

static void answers(struct hd_explore *x, struct node *n)
{
	n->todo = (1ull << hd_eng.ask_n) - 1;
	if ((n->asking == HD_ASK_FAIL && n->failures >= x->max_failures) ||
	    (n->asking == HD_ASK_SIGNAL && n->signals >= x->max_signals))
		n->todo = 1;
}

/* Sleep set of the node just reached from up by executing its chosen task.  A
 * transition that stopped to ask goes on: what it touches is not known yet. */
static void inherit(const struct node *up, struct node *n,
		    const struct touches *did)
{
	u64 m;

	for (m = up->sleep; m; m &= m - 1) {
		u32 t = (u32)__builtin_ctzll(m);

		if (!n->asking && dependent(&up->by_task[t], did))
			continue;
		n->sleep |= 1ull << t;
		n->by_task[t] = up->by_task[t];
	}
}

/* The task to try first: stay, else the lowest number. */
static u32 first(const struct node *n)
{
	if (!n->asking && n->todo >> n->cur & 1)
		return n->cur;
	return (u32)__builtin_ctzll(n->todo);
}

static void finish_run(struct hd_explore *x, bool *stop)
{
	u32 i;

	hd_finish();
	x->runs++;
	x->marks |= W->marks;
	for (i = 0; i < W->nverdicts; i++)
		if (W->verdicts[i].kind == HD_V_LIMIT)
			x->limited = true;
	if (W->nverdicts && x->found && !x->found(x, x->arg))
		*stop = true;
	if (x->max_runs && x->runs >= x->max_runs)
		*stop = true;
}

/* Long paths and cut ones are no runs, so count transitions. */
static bool told_to_stop(struct hd_explore *x)
{
	if (x->progress && x->states - told >= TELL_EVERY) {
		told = x->states;
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
	       !((W->cond | W->waiting) >> t->id & 1) && is_private(t) &&
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
	bool comes = W->to_come >> task & 1;

	n->interrupts = comes && W->tasks[task].host == n->cur;
	if (hd_eng.touching)
		hd_touch(hd_cpu_key(task), 1, comes);
}

/* Execute one transition out of node n; its touches are left in hd_eng. */
static void step(struct hd_explore *x, struct node *n, u32 choice)
{
	struct hd_op op;

	x->states++;
	n->chosen = (u8)choice;
	hd_eng.asking = 0;
	if (n->asking) {
		hd_eng.ask_answer = choice;
		take_up(&n->partial);
		hd_coro_switch(&hd_eng.main_sp, W->tasks[n->cur].sp);
		return;
	}
	hd_eng.ntouch = 0;
	hd_eng.touch_overflow = false;
	if (unlikely(W->irqs))
		note_cpu(n, choice);
	W->preemptions += cost(n, choice);
	W->switches += choice != n->cur;
	op = W->tasks[choice].op;
	hd_resume(&W->tasks[choice]);
	if (!x->unreduced)
		verify(&op, choice, false);
}

/* Is the state that was just reached to be expanded? */
static bool fresh(struct hd_explore *x)
{
	u64 key, on;
	u32 cur = W->cur->id, left;

	if (x->bound < 0 || x->unreduced || hd_eng.asking)
		return true;
	on = hd_enabled();
	key = hd_world_state_hash();
	if (on >> cur & 1 && !(W->cur->op.flags & HD_YIELD))
		key = hd_fold(key, cur + 1);
	left = (u32)x->bound - W->preemptions;
	if (!seen_before(key, left))
		return true;
	x->cut++;
	return false;
}

/* The world stands at a new point: make it a node, or end the path. */
static bool arrive(struct hd_explore *x, const struct touches *did, bool *stop)
{
	struct node *n;

	if (W->ended || (!hd_eng.asking && !hd_enabled())) {
		finish_run(x, stop);
		return false;
	}
	if (!fresh(x))
		return false;
	n = push(x);
	n->partial = *did;
	if (x->bound < 0 && !x->unreduced && depth > 1)
		inherit(n - 1, n, did);
	if (n->asking)
		answers(x, n);
	else
		turns(x, n);
	if (!n->todo) {
		x->cut++;
		pop();
		return false;
	}
	save(n);
	return true;
}

/* The node's chosen task is finished: from now on it sleeps there.  asked: its
 * transition branched, so its touches are not all known. */
static void put_to_sleep(struct hd_explore *x, struct node *n,
			 const struct touches *did, bool asked)
{
	if (x->bound >= 0 || x->unreduced || n->asking)
		return;
	n->by_task[n->chosen] = *did;
	n->by_task[n->chosen].all |= asked;
	n->sleep |= 1ull << n->chosen;
}

static void search(struct hd_explore *x)
{
	struct touches did = { 0, 0, true };
	bool stop = false, here; /* does the world stand at the top node? */

	here = arrive(x, &did, &stop);
	while (depth && !stop && !guess_was_wrong) {
		struct node *n = &nodes[depth - 1];
		u32 choice;
		bool asked;

		if (!n->todo) {
			pop();
			here = false;
			continue;
		}
		if (!here)
			hd_snapshot_load(arena + n->snapshot);
		choice = first(n);
		n->todo &= ~(1ull << choice);
		if (!n->asking && choice == HD_NOBODY) {
			n->chosen = HD_NOBODY;
			hd_eng.asking = 0;
			finish_run(x, &stop);
			here = false;
			continue;
		}
		step(x, n, choice);
		drain(x);
		did = keep_touches();
		asked = hd_eng.asking;
		here = arrive(x, &did, &stop);
		put_to_sleep(x, n, &did, asked);
		stop |= told_to_stop(x) ||
			(x->max_states && x->states >= x->max_states);
	}
	x->complete = !stop && !x->limited;
}

static void start_over(struct hd_explore *x)
{
	x->runs = x->cut = x->states = x->marks = 0;
	x->depth = 0;
	told = 0;
	x->complete = x->limited = false;
	depth = 0;
	arena_used = 0;
	touch_used = 0;
	cache_clear();
	hd_snapshot_load(hd_eng.template);
	hd_eng.schedule = NULL;
	hd_eng.strategy = &hd_run_to_block;
	hd_eng.central = true;
	hd_eng.asking = 0;
	hd_eng.touching = x->bound < 0 && !x->unreduced;
	guess_was_wrong = false;
	search(x);
	hd_eng.central = false;
	hd_eng.touching = false;
	depth = 0;
}

void hd_explore_run(struct hd_explore *x)
{
	prepare();
	do
		start_over(x);
	while (guess_was_wrong && !x->stop);
}

/* --- schedules of the path that the search stands on ------------------------------ */

void hd_explore_schedule(struct hd_schedule *s)
{
	u32 i;

	hd_schedule_clear(s);
	for (i = 0; i < depth; i++) {
		const struct node *n = &nodes[i];
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
