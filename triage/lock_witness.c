/* SPDX-License-Identifier: MIT */
/* Can what lockdep reported happen?
 *
 * The cycle's dependencies come from critical sections of the program: each
 * section is run by a thread of its own, from its first lock to the one that
 * it wants, and the interleavings are searched for a state in which every
 * thread waits.  Locks behave as fair ones: a reader waits for writers that
 * wait, a recursive reader only for one that is inside, and a trylock that the
 * program took must succeed.
 *
 * A program that takes the same locks over and over offers many sections for
 * each dependency, and where none of their combinations deadlocks (a lock around
 * them all) the search would try every one: equal sections are tried once, and
 * all combinations together may visit MAX_STATES. */
#include "lock_program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../src/base/hash.h"
#include "../src/oracle/lockdep.h"

enum {
	MAX_THREADS = 8, MAX_LENGTH = 64, MAX_SECTIONS = 64, SEEN = 1 << 16,
	MAX_PATH = 512, MAX_EACH = 1 << 15, MAX_STATES = 1 << 20,
};

struct thread {
	u32 want;                /* operation that it blocks on, index */
	u8 n;
	u32 op[MAX_LENGTH];      /* the section, ends with want */
};

struct search {
	const struct lock_program *p;
	u32 at;                  /* the operation reported, index */
	struct {
		u16 from, to;
	} edge[MAX_THREADS];
	u32 nthreads;
	u32 nsections[MAX_THREADS];
	struct thread section[MAX_THREADS][MAX_SECTIONS]; /* for each edge */
	const struct thread *thread[MAX_THREADS];         /* one of each */
	u8 pc[MAX_THREADS];
	bool waits[MAX_THREADS];
	struct {
		u8 thread;
		bool waits;
		u32 op;
	} path[MAX_PATH];
	u32 npath;
	u64 seen[SEEN];
	u32 nseen;
	u32 combination;         /* of sections, counted */
	u32 states, until;       /* visited; where to give up a combination */
};

/* --- critical sections --------------------------------------------------------- */

static bool is_class(const struct lock_op *o, u16 class)
{
	const char *name = lock_class_name(class);
	u32 sub = name[1] == '/' ? (u32)atoi(name + 2) : 0;

	return name[0] == 'A' + o->lock / LOCK_INSTANCES && sub == o->subclass;
}

/* What a task did since it held nothing, and what of that it still holds. */
struct run_up {
	u32 op[MAX_LENGTH], held[MAX_LENGTH]; /* operations, indices */
	u8 n, nheld;
	bool too_long; /* for op */
	bool lost;     /* too much is held, for good */
};

static void drop_held(const struct lock_program *p, struct run_up *r, u8 lock)
{
	u32 i = r->nheld;

	while (i && p->op[r->held[i - 1]].lock != lock)
		i--;
	if (!i)
		return;
	r->nheld--;
	memmove(&r->held[i - 1], &r->held[i],
		(r->nheld - (i - 1)) * sizeof(r->held[0]));
}

/* The task did operation k. */
static void go_on(const struct lock_program *p, struct run_up *r, u32 k)
{
	const struct lock_op *o = &p->op[k];

	if (o->kind != LOP_ACQUIRE && o->kind != LOP_RELEASE &&
	    o->kind != LOP_DOWNGRADE)
		return;
	if (r->n == MAX_LENGTH)
		r->too_long = true;
	else
		r->op[r->n++] = k;
	if (o->kind == LOP_RELEASE)
		drop_held(p, r, o->lock);
	else if (o->kind == LOP_ACQUIRE && r->nheld == MAX_LENGTH)
		r->lost = true;
	else if (o->kind == LOP_ACQUIRE)
		r->held[r->nheld++] = k;
	if (!r->nheld) {
		r->n = 0;
		r->too_long = false;
	}
}

static bool holds_class(const struct lock_program *p, const struct run_up *r,
			u16 class)
{
	u32 i;

	for (i = 0; i < r->nheld; i++)
		if (is_class(&p->op[r->held[i]], class))
			return true;
	return false;
}

/* From where the task last held nothing to operation k. */
static bool section(const struct run_up *r, u32 k, struct thread *t)
{
	if (r->too_long || r->lost || r->n == MAX_LENGTH)
		return false;
	memcpy(t->op, r->op, r->n * sizeof(r->op[0]));
	t->n = r->n;
	t->op[t->n++] = k;
	t->want = k;
	return true;
}

/* --- locks ----------------------------------------------------------------------- */

static const struct lock_op *op_of(const struct search *s, u32 t, u32 pc)
{
	return &s->p->op[s->thread[t]->op[pc]];
}

/* Is lock held by a thread's first pc operations, exclusively (w) or not (r)? */
static void holders(const struct search *s, u8 lock, u32 *w, u32 *r)
{
	u32 t, i;

	*w = *r = 0;
	for (t = 0; t < s->nthreads; t++) {
		int writes = 0, reads = 0;

		for (i = 0; i < s->pc[t]; i++) {
			const struct lock_op *o = op_of(s, t, i);

			if (o->lock != lock)
				continue;
			if (o->kind == LOP_ACQUIRE)
				*(o->read ? &reads : &writes) += 1;
			else if (o->kind == LOP_DOWNGRADE && writes)
				writes--, reads++;
			else if (o->kind == LOP_RELEASE)
				*(reads ? &reads : &writes) -= 1;
		}
		*w += writes > 0;
		*r += reads > 0;
	}
}

static bool can_take(const struct search *s, u32 t)
{
	const struct lock_op *o = op_of(s, t, s->pc[t]), *q;
	u32 w, r, u;

	if (o->kind != LOP_ACQUIRE)
		return true;
	holders(s, o->lock, &w, &r);
	if (w || (r && !o->read))
		return false;
	for (u = 0; u < s->nthreads && o->read == 1; u++) {
		q = op_of(s, u, s->pc[u]);
		if (s->waits[u] && q->lock == o->lock && !q->read)
			return false;
	}
	return true;
}

/* --- interleavings ------------------------------------------------------------------ */

static bool seen_before(struct search *s)
{
	u64 h = hd_fold(1, s->combination);
	u32 t, i;

	for (t = 0; t < s->nthreads; t++)
		h = hd_fold(h, s->pc[t] * 2u + s->waits[t] + 1);
	h |= 1;
	for (i = (u32)h % SEEN; s->seen[i]; i = (i + 1) % SEEN)
		if (s->seen[i] == h)
			return true;
	if (s->nseen == SEEN / 2) { /* costs time only: states have an order */
		memset(s->seen, 0, sizeof(s->seen));
		s->nseen = 0;
		i = (u32)h % SEEN;
	}
	s->seen[i] = h;
	s->nseen++;
	s->states++;
	return false;
}

static bool all_wait(const struct search *s)
{
	u32 t;

	for (t = 0; t < s->nthreads; t++)
		if (!s->waits[t] || s->pc[t] + 1 != s->thread[t]->n ||
		    can_take(s, t))
			return false;
	return true;
}

static bool step_and_search(struct search *s, u32 t);

static bool search(struct search *s)
{
	u32 t;

	if (all_wait(s))
		return true;
	if (s->npath == MAX_PATH || s->states >= s->until || seen_before(s))
		return false;
	for (t = 0; t < s->nthreads; t++)
		if (step_and_search(s, t))
			return true;
	return false;
}

static bool step_and_search(struct search *s, u32 t)
{
	const struct lock_op *o = op_of(s, t, s->pc[t]);
	bool last = s->pc[t] + 1 == s->thread[t]->n, waited = s->waits[t];
	bool free = can_take(s, t);

	if ((!free && (waited || o->trylock)) || (free && last))
		return false;
	s->path[s->npath].thread = (u8)t;
	s->path[s->npath].waits = !free;
	s->path[s->npath++].op = s->thread[t]->op[s->pc[t]];
	s->waits[t] = !free;
	s->pc[t] += free;
	if (search(s))
		return true;
	s->pc[t] -= free;
	s->waits[t] = waited;
	s->npath--;
	return false;
}

/* --- one section for each dependency ------------------------------------------------- */

static bool equal(const struct lock_program *p, const struct thread *a,
		  const struct thread *b)
{
	u32 i;

	for (i = 0; i < a->n && a->n == b->n; i++) {
		const struct lock_op *x = &p->op[a->op[i]], *y = &p->op[b->op[i]];

		if (x->kind != y->kind || x->lock != y->lock ||
		    x->read != y->read || x->trylock != y->trylock)
			return false;
	}
	return a->n == b->n;
}

/* Operation k can be what records edge i: keep its section if it is new. */
static void offer(struct search *s, u32 i, u32 k, const struct run_up *r)
{
	struct thread *new = &s->section[i][s->nsections[i]];
	const struct lock_op *o = &s->p->op[k];
	u32 j;

	if (o->kind != LOP_ACQUIRE || o->trylock ||
	    !is_class(o, s->edge[i].to) ||
	    !holds_class(s->p, r, s->edge[i].from) || !section(r, k, new))
		return;
	for (j = 0; j < s->nsections[i]; j++)
		if (equal(s->p, &s->section[i][j], new))
			return;
	s->nsections[i]++;
}

static bool try_sections(struct search *s, u32 i)
{
	u32 k;

	if (i == s->nthreads) {
		memset(s->pc, 0, sizeof(s->pc));
		memset(s->waits, 0, sizeof(s->waits));
		s->npath = 0;
		s->combination++;
		s->until = s->states + MAX_EACH;
		return search(s);
	}
	for (k = 0; k < s->nsections[i] && s->states < MAX_STATES; k++) {
		s->thread[i] = &s->section[i][k];
		if (try_sections(s, i + 1))
			return true;
	}
	return false;
}

/* One pass over the program, which may be long. */
static void find_sections(struct search *s, u32 i)
{
	static struct run_up task[LOCK_TASKS + 1];
	u32 k;

	memset(task, 0, sizeof(task));
	for (k = 0; k <= s->at && s->nsections[i] < MAX_SECTIONS; k++) {
		struct run_up *r = &task[s->p->op[k].task];

		offer(s, i, k, r);
		go_on(s->p, r, k);
	}
}

static bool deadlocks(struct search *s)
{
	u32 i;

	for (i = 0; i < s->nthreads; i++)
		find_sections(s, i);
	return try_sections(s, 0);
}

static bool cycle(struct search *s)
{
	const struct lockdep_report *r = &lockdep_found;
	u32 i;

	if ((r->verdict != HD_V_CIRCULAR && r->verdict != HD_V_RECURSIVE) ||
	    r->nedges + 1u > MAX_THREADS || r->prev == LOCKDEP_NO_CLASS)
		return false;
	s->edge[0].from = r->prev;
	s->edge[0].to = r->next;
	for (i = 0; i < r->nedges; i++) {
		s->edge[i + 1].from = lockdep->edge[r->edge[i]].from;
		s->edge[i + 1].to = lockdep->edge[r->edge[i]].to;
	}
	s->nthreads = i + 1;
	return true;
}

static size_t put_row(const struct search *s, u32 i, char *buf, size_t size)
{
	char cell[40];

	snprintf(cell, sizeof(cell), "%s%s", s->p->op[s->path[i].op].text,
		 s->path[i].waits ? " waits" : "");
	return (size_t)snprintf(buf, size, "    %*s%s\n",
				(int)(18 * s->path[i].thread), "", cell);
}

bool lock_witness(const struct lock_program *p, u32 at, char *buf, size_t size)
{
	static struct search s;
	size_t n;
	u32 i;

	memset(&s, 0, sizeof(s));
	s.p = p;
	s.at = at - 1;
	if (!cycle(&s) || !deadlocks(&s))
		return false;
	n = (size_t)snprintf(buf, size, "  deadlock of its critical sections:\n"
			     "   ");
	for (i = 0; i < s.nthreads && n < size; i++) {
		char head[24];

		snprintf(head, sizeof(head), "T%u from op%u",
			 p->op[s.thread[i]->want].task,
			 s.thread[i]->op[0] + 1);
		n += (size_t)snprintf(buf + n, size - n, " %-17s", head);
	}
	while (n && buf[n - 1] == ' ')
		n--;
	n += (size_t)snprintf(buf + n, size - n, "\n");
	for (i = 0; i < s.npath && n < size; i++)
		n += put_row(&s, i, buf + n, size - n);
	return true;
}
