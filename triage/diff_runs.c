/* SPDX-License-Identifier: MIT */
/* What did each run of a variant do, in words that another variant has, too?
 *
 * The search tells every op when it is executed; the log has a place for each of
 * the path under way, so that what was undone is overwritten.  At the end of a
 * run its shared accesses are named.  Runs in which the same accesses conflict in
 * the same order and that show the same verdicts are kept once, with the schedule
 * that has the fewest preemptions. */
#include "diff.h"

#include <stdlib.h>
#include <string.h>

#include "../src/base/hash.h"
#include "../src/engine/hot.h"
#include "report.h"

struct logged {
	struct hd_op op;
	u64 word;
	u64 hash;  /* of the trace so far */
	u64 order; /* of the conflicts so far: which op of each came first */
	u32 n;
	u8 task;
};

/* One more than a run can have: the op at which it became too long. */
static struct logged log_of[HD_MAX_STEPS + 64];
static struct diff *diff;
static struct side *side;
static u32 which;
static bool bounded;

/* An attempt at a lock that is taken, by who can then only wait, is seen by
 * nobody. */
static bool is_in_vain(const struct hd_event *ev)
{
	return ev->op.kind == HD_LOCK && ev->op.flags & HD_UNTIL_ZERO &&
	       ev->old == ev->val;
}

static u64 conflicts_of(const struct logged *l)
{
	u64 me = (u64)(l->task + 1) << 32 | l->n, h = 0;
	u32 i;

	for (i = 1; i < W->ops; i++) {
		const struct logged *e = &log_of[i];

		if (e->task != l->task && hd_conflict(&e->op, &l->op))
			h += hd_mix(hd_fold(hd_mix((u64)(e->task + 1) << 32 |
						   e->n), me));
	}
	return h;
}

static void log_op(const struct hd_event *ev)
{
	const struct hd_task *t = W->cur;
	struct logged *l;

	if (W->ops >= ARRAY_SIZE(log_of))
		return;
	l = &log_of[W->ops];
	*l = (struct logged){ .op = ev->op, .hash = W->hash, .n = t->n,
			      .word = hd_address_id(ev->op.addr),
			      .order = l[-1].order, .task = t->id };
	if (bounded && !hd_is_private(&l->op) && !is_in_vain(ev))
		l->order += conflicts_of(l);
}

/* For the bounded search: two paths that lead to one state are not the same if
 * they came there in another order. */
static u64 order_so_far(void *arg)
{
	(void)arg;
	return log_of[W->ops].order;
}

/* The run may have ended in the middle of its last op, which was not told then. */
static u32 close_log(void)
{
	u32 told[HD_MAX_TASKS] = { 0 }, i, n = W->ops;

	if (n >= ARRAY_SIZE(log_of))
		n = ARRAY_SIZE(log_of) - 1;
	if (!n || log_of[n].hash == W->hash)
		return n;
	for (i = 1; i < n; i++)
		told[log_of[i].task]++;
	for (i = 0; i < W->ntasks; i++)
		if (told[i] < W->tasks[i].n)
			log_of[n] = (struct logged){
				.op = W->tasks[i].op, .task = (u8)i,
				.word = hd_address_id(W->tasks[i].op.addr),
				.hash = W->hash, .n = W->tasks[i].n };
	return n;
}

/* --- names ------------------------------------------------------------------ */

/* The attempt at a lock that is taken, and then to own it, are two ops. */
static bool had_to_wait(u32 i, u32 n)
{
	const struct hd_op *op = &log_of[i].op, *next;
	u32 k;

	for (k = i + 1; k <= n; k++)
		if (log_of[k].task == log_of[i].task)
			break;
	next = k <= n ? &log_of[k].op : &W->tasks[log_of[i].task].op;
	return next->kind == HD_ACQUIRED && next->addr == op->addr;
}

/* Its words are ours, not the model's; what it orders is the free. */
static bool is_of_rcu(u8 kind)
{
	return kind >= HD_RCU_LOCK && kind <= HD_RCU_GP;
}

/* The kind under which the op is compared; HD_NONE: not at all.  Nobody sees an
 * attempt that only waits until the word is zero. */
static u8 kind_of(u32 i, u32 n)
{
	const struct hd_op *op = &log_of[i].op;

	if (!op->size || hd_is_private(op) || is_of_rcu(op->kind))
		return HD_NONE;
	if (op->kind == HD_ACQUIRED)
		return HD_LOCK;
	if (op->kind != HD_LOCK || !had_to_wait(i, n))
		return op->kind;
	return op->flags & HD_UNTIL_ZERO ? HD_NONE : DIFF_WAITS;
}

/* Which access of its kind to the word by the task is it in this run, from 1? */
static u32 count(u64 kin, bool new_run)
{
	enum { SLOTS = 1 << 16 };
	static struct {
		u64 kin;
		u32 run, k;
	} slot[SLOTS];
	static u32 run;
	u32 i = (u32)(kin >> 40) & (SLOTS - 1);

	run += new_run;
	if (!kin)
		return 0;
	while (slot[i].run == run && slot[i].kin != kin)
		i = (i + 1) & (SLOTS - 1);
	if (slot[i].run != run) {
		slot[i].run = run;
		slot[i].kin = kin;
		slot[i].k = 0;
	}
	return ++slot[i].k;
}

static u64 text_hash(const char *text)
{
	u64 h = 1;

	for (; *text; text++)
		h = hd_fold(h, (u8)*text);
	return h;
}

static u64 label_hash(u32 task)
{
	char label[64];

	return text_hash(task_label(task, label, sizeof(label)));
}

static void statement_of(const struct logged *l, struct hd_record *rec,
			 struct statement *s)
{
	const struct hd_object *o = NULL;

	*rec = (struct hd_record){ .ev = { .op = l->op, .task = l->task } };
	if (hd_in_heap(l->op.addr) && l->op.addr < HD_HEAP_BASE + W->heap_used)
		o = hd_object_at(l->op.addr);
	if (o) {
		rec->type = o->type;
		rec->type_off = (u32)(l->op.addr - (u64)(o + 1));
		snprintf(rec->object, sizeof(rec->object), "%s#%u", o->type,
			 o->instance);
	}
	statement_make(rec, s);
}

/* An increment and a decrement are not the same access, and a read lock and a
 * write lock are not; but the same whether it is marked, nested or killable. */
static u64 nature(const struct logged *l, u8 kind)
{
	enum { CACHE = 1 << 12 };
	static struct {
		u32 pc;
		u64 hash;
	} cache[CACHE], *e;
	struct hd_record rec;
	struct statement s;

	if (kind != HD_RMW)
		return (u64)kind << 8 | (l->op.flags & HD_SHARED);
	e = &cache[hd_mix(l->op.pc) % CACHE];
	if (e->pc != l->op.pc) {
		statement_of(l, &rec, &s);
		e->pc = l->op.pc;
		e->hash = text_hash(s.verb);
	}
	return e->hash;
}

static void describe(struct access *a, const struct logged *l)
{
	struct hd_record rec;
	struct statement s;

	statement_of(l, &rec, &s);
	task_label(l->task, a->who, sizeof(a->who));
	snprintf(a->verb, sizeof(a->verb), "%s", s.verb);
	snprintf(a->what, sizeof(a->what), "%s", s.object);
	snprintf(a->object, sizeof(a->object), "%s", rec.object);
}

static bool conflict(const struct access *a, const struct access *b)
{
	if (a->commutes && b->commutes && a->word == b->word)
		return false;
	return (a->writes || b->writes) && a->word < b->word + b->size &&
	       b->word < a->word + a->size && strcmp(a->who, b->who);
}

static void find_conflicts(u32 x)
{
	u32 y;

	for (y = 0; y < x; y++)
		if (conflict(&diff->access[x], &diff->access[y])) {
			diff->conflicts[x][y / 64] |= 1ull << y % 64;
			diff->conflicts[y][x / 64] |= 1ull << x % 64;
		}
}

static u32 access_slots[4 * DIFF_ACCESSES]; /* by name: number plus 1 */

/* Its number; DIFF_ACCESSES: there is no room for more. */
static u32 access_of(u64 kin, u8 kind, u32 k, const struct logged *l)
{
	u64 name = hd_mix(kin + k);
	u32 mask = ARRAY_SIZE(access_slots) - 1, i = (u32)(name >> 32) & mask;
	struct access *a;

	while (access_slots[i] &&
	       diff->access[access_slots[i] - 1].name != name)
		i = (i + 1) & mask;
	if (!access_slots[i]) {
		if (diff->naccesses == DIFF_ACCESSES)
			return DIFF_ACCESSES;
		a = &diff->access[diff->naccesses];
		*a = (struct access){ .name = name, .kin = kin, .word = l->word,
				      .size = l->op.size, .n = l->n, .k = k,
				      .task = l->task, .kind = kind,
				      .writes = l->op.flags & HD_WRITE,
				      .commutes = l->op.flags & HD_COMMUTES };
		describe(a, l);
		find_conflicts(diff->naccesses);
		access_slots[i] = ++diff->naccesses;
	}
	diff->access[access_slots[i] - 1].seen[which] = true;
	return access_slots[i] - 1;
}

/* The accesses of the run, in order; returns how many. */
static u32 name_all(u32 n, u16 *row)
{
	u64 label[HD_MAX_TASKS] = { 0 };
	u32 i, k, m = 0, id;

	count(0, true);
	for (i = 1; i <= n; i++) {
		const struct logged *l = &log_of[i];
		u8 kind = kind_of(i, n);
		u64 kin;

		if (!kind)
			continue;
		if (!label[l->task])
			label[l->task] = label_hash(l->task);
		kin = hd_mix(hd_fold(hd_fold(label[l->task], l->word),
				     nature(l, kind) + l->op.size));
		k = count(kin, false);
		id = access_of(kin, kind, k, l);
		if (id == DIFF_ACCESSES) {
			side->full = true;
			return m;
		}
		row[m++] = (u16)id;
	}
	return m;
}

/* --- keeping ------------------------------------------------------------------ */

/* The search backs up and goes on: a run begins as the run before it did. */
static u64 order_of(const u16 *row, u32 n)
{
	static u16 last[ARRAY_SIZE(log_of)];
	static u64 so_far[ARRAY_SIZE(log_of) + 1];
	static u32 nlast;
	u32 i, k;

	for (i = 0; i < n && i < nlast && row[i] == last[i]; i++)
		;
	for (; i < n; i++) {
		u64 name = diff->access[row[i]].name, h = hd_mix(name);

		for (k = 0; k < i; k++)
			if (accesses_conflict(diff, row[i], row[k]))
				h += hd_mix(hd_fold(name, row[k]));
		last[i] = row[i];
		so_far[i + 1] = so_far[i] + h;
	}
	nlast = n;
	return so_far[n];
}

static void *grown(void *p, u64 size)
{
	p = realloc(p, size);
	if (p)
		return p;
	fprintf(stderr, "heddle: out of memory\n");
	exit(EXIT_FAULT);
}

static u64 put(const void *p, u64 size)
{
	u64 at = side->used;

	if (side->used + size > side->room) {
		side->room = 2 * (side->used + size);
		side->bytes = grown(side->bytes, side->room);
	}
	memcpy(side->bytes + at, p, size);
	side->used += size;
	return at;
}

static void grow_table(void)
{
	u32 i, k, slots = side->slots ? 2 * side->slots : 1024;

	if (2 * side->nruns < side->slots)
		return;
	side->table = grown(side->table, slots * sizeof(side->table[0]));
	side->runs = grown(side->runs, slots * sizeof(side->runs[0]));
	memset(side->table, 0, slots * sizeof(side->table[0]));
	side->slots = slots;
	for (i = 0; i < side->nruns; i++) {
		k = (u32)side->runs[i].key & (slots - 1);
		while (side->table[k])
			k = (k + 1) & (slots - 1);
		side->table[k] = i + 1;
	}
}

/* NULL: there is no room for more. */
static struct run_kept *run_with(u64 key)
{
	struct run_kept *r;
	u32 i;

	grow_table();
	i = (u32)key & (side->slots - 1);
	while (side->table[i] && side->runs[side->table[i] - 1].key != key)
		i = (i + 1) & (side->slots - 1);
	if (side->table[i])
		return &side->runs[side->table[i] - 1];
	if (side->nruns == DIFF_CLASSES)
		return NULL;
	r = &side->runs[side->nruns++];
	side->table[i] = side->nruns;
	*r = (struct run_kept){ .key = key, .preemptions = UINT32_MAX };
	return r;
}

static void keep(const u16 *row, u32 n, u64 verdicts)
{
	static struct hd_schedule s;
	struct run_kept *r = run_with(order_of(row, n) + hd_mix(verdicts));

	if (!r) {
		side->full = true;
		return;
	}
	r->verdicts = verdicts;
	if (r->preemptions <= W->preemptions)
		return;
	hd_explore_schedule(&s);
	r->preemptions = W->preemptions;
	r->naccesses = (u16)n;
	r->nedits = (u16)s.nedits;
	r->at = put(row, n * sizeof(row[0]));
	put(s.edit, s.nedits * sizeof(s.edit[0]));
}

const u16 *run_accesses(const struct side *s, const struct run_kept *r)
{
	return (const u16 *)(s->bytes + r->at);
}

void run_schedule(const struct side *s, const struct run_kept *r,
		  struct hd_schedule *out)
{
	hd_schedule_clear(out);
	out->nedits = r->nedits;
	memcpy(out->edit, s->bytes + r->at + r->naccesses * sizeof(u16),
	       r->nedits * sizeof(out->edit[0]));
}

/* --- searching ------------------------------------------------------------------ */

static u64 verdicts_of_run(u64 number)
{
	u64 set = 0;
	u32 i;

	for (i = 0; i < W->nverdicts; i++) {
		const struct finding *f = findings_note(
			&diff->findings, &W->verdicts[i], number);
		size_t k = (size_t)(f - diff->findings.at);

		if (k < 64)
			set |= 1ull << k;
		else
			side->full = true;
	}
	return set;
}

static bool ended(struct hd_explore *x, void *arg)
{
	static u16 row[ARRAY_SIZE(log_of)];
	u64 verdicts;

	(void)arg;
	if (x->runs == 1) { /* the search may have started anew */
		side->nruns = 0;
		side->used = side->verdicts = 0;
		if (side->slots)
			memset(side->table, 0,
			       side->slots * sizeof(side->table[0]));
	}
	verdicts = verdicts_of_run(x->runs);
	side->verdicts |= verdicts;
	keep(row, name_all(close_log(), row), verdicts);
	return !interrupted && !side->full;
}

static void tick(struct hd_explore *x, void *arg)
{
	(void)arg;
	x->stop |= interrupted;
	progress_about(x->runs, x->done, diff->findings.n);
}

void diff_search(struct diff *d, u32 number)
{
	struct hd_explore x = {
		.bound = (int)d->o->preemptions,
		.max_runs = d->o->max_schedules,
		.max_failures = (u32)d->o->fail,
		.max_signals = (u32)d->o->signals,
		.all_runs = true,
		.past = order_so_far,
		.found = ended,
		.progress = tick,
	};

	diff = d;
	which = number;
	bounded = x.bound >= 0;
	side = &d->side[number];
	hd_eng.feedback = log_op;
	hd_explore_run(&x);
	hd_eng.feedback = NULL;
	progress_end();
	side->searched = x.runs;
	side->marks = x.marks;
	side->limited = x.limited;
	side->complete = x.complete && !side->full;
}
