/* SPDX-License-Identifier: MIT */
/* Which words do two tasks touch, one of them writing?
 *
 * Two answers.  Randomised strategies choose at ops on words that loads,
 * stores, RMWs and lock ops show to be shared (HD_CHOICE); a free touches all
 * of its object, which would make every field a choice, so it is a choice
 * itself and does not count for the fields, unless there is no other choice in
 * the object, or the race oracle sees an access that nothing orders with it.
 * Exhaustive search needs the whole truth about what is private (HD_CONFLICT):
 * frees and what primitives touch beside their op count, and what its own runs
 * show is added.  So that a run stays a pure function of its schedule, the answer
 * comes from a fixed set of runs made when the variant is loaded: run-to-block
 * from each task, and random walks with fixed seeds that choose at every op.  Of
 * programs it comes from the first runs of a search, which are named by the
 * search's strategy and seed, so that each can be made again. */
#include <string.h>

#include "engine.h"
#include "hot.h"

struct hd_profile hd_profile;

enum { SEEN_BY = HD_MAX_TASKS - 1, SEEN_MANY = 0x100, SEEN_WRITE = 0x200,
       SEEN_ADD = 0x400, SEEN_ELSE = 0x800, TELLING = 1 << 16,
       MANY_WRITERS = 0xff };

u16 hd_shared[HD_WORDS + 1];
/* task + 1 (of the end check as of the first task), and whether many were there,
 * wrote, added (HD_COMMUTES), did something else: [0] as choices see it, [1] all */
static u16 seen[2][HD_WORDS + 1];
static u8 writer[HD_WORDS + 1]; /* task + 1, or MANY_WRITERS */
static u8 telling[TELLING];
static bool counting;
static bool stale; /* an exhaustive search has added to it */
static u32 nruns;
static u32 decisions;

static u64 address_of(u32 word)
{
	if (word < HD_HEAP_WORDS)
		return HD_HEAP_BASE + word * 4ull;
	word -= HD_HEAP_WORDS;
	if (word < HD_STATIC_WORDS)
		return (u64)__start_hd_data + word * 4ull;
	return hd_stack_address(word - HD_STATIC_WORDS);
}

bool hd_is_choice(const struct hd_task *t)
{
	const struct hd_op *op = &t->op;
	u32 w, end;

	if (op->kind == HD_FREE || !op->size)
		return op->size;
	if (likely((op->addr & 3) + op->size <= 4))
		return hd_chooses(hd_shared[hd_word_of(op->addr)], t);
	end = hd_word_of(op->addr + op->size - 1);
	for (w = hd_word_of(op->addr); w <= end; w++)
		if (hd_chooses(hd_shared[w], t))
			return true;
	return false;
}

bool hd_is_private(const struct hd_op *op)
{
	u32 w, end;

	if (!op->size)
		return true;
	end = hd_word_of(op->addr + op->size - 1);
	for (w = hd_word_of(op->addr); w <= end; w++)
		if (hd_shared[w] & (HD_CHOICE | HD_CONFLICT))
			return false;
	return true;
}

static void count(const struct hd_op *op, u32 task)
{
	u32 i;

	for (i = 0; i < hd_profile.nshared; i++)
		if (hd_profile.word[i] == (op->addr & ~3ull)) {
			hd_profile.count[i][task]++;
			hd_flows_note(op, i);
		}
}

static u16 look(u16 s, const struct hd_op *op, u32 task)
{
	u16 by = (task + 1) & SEEN_BY;

	if (!s)
		s = by;
	else if ((s & SEEN_BY) != by)
		s |= SEEN_MANY;
	if (op->flags & HD_COMMUTES)
		return s | SEEN_ADD;
	return op->flags & HD_WRITE ? s | SEEN_WRITE | SEEN_ELSE :
				      s | SEEN_ELSE;
}

/* Do tasks meet on the word, so that their order matters? */
static bool is_shared(u16 s)
{
	return s & SEEN_MANY &&
	       (s & SEEN_WRITE || (s & SEEN_ADD && s & SEEN_ELSE));
}

/* Note who touched the op's words; true if one is seen to be shared by it. */
static bool mark_words(const struct hd_op *op, u32 task, bool choice)
{
	bool fresh = false;
	u32 w, end;

	if (hd_word_of(op->addr) == HD_WORDS || !op->size)
		return false;
	end = hd_word_of(op->addr + op->size - 1);
	for (w = hd_word_of(op->addr); w <= end && w < HD_WORDS; w++) {
		if (choice)
			seen[0][w] = look(seen[0][w], op, task);
		if (choice && (op->flags & HD_WRITE))
			writer[w] = !writer[w] || writer[w] == task + 1 ?
					    (u8)(task + 1) :
					    MANY_WRITERS;
		seen[1][w] = look(seen[1][w], op, task);
		if (is_shared(seen[1][w]) && !(hd_shared[w] & HD_CONFLICT)) {
			hd_shared[w] |= HD_CONFLICT;
			fresh = true;
		}
	}
	return fresh;
}

/* What a program's warm-up did: once it is known which words are shared, the
 * ops on them are counted here. */
enum { MOST_LOGGED = 1 << 15 };
static struct logged {
	struct hd_op op;
	u16 task, run;
} logged[MOST_LOGGED];
static u32 nlogged;

void hd_profile_note(const struct hd_op *op, u32 task)
{
	if (counting) {
		if (hd_is_choice(&W->tasks[task]))
			count(op, task);
		return;
	}
	if (hd_eng.program && nlogged < MOST_LOGGED)
		logged[nlogged++] = (struct logged){ *op, (u16)task,
						     (u16)hd_profile.of.runs };
	mark_words(op, task, op->kind != HD_FREE && op->kind != HD_JOIN);
}

bool hd_profile_learn(const struct hd_op *op, u32 task)
{
	stale |= !hd_eng.profiling;
	return mark_words(op, task, false);
}

bool hd_is_telling(const struct hd_op *op)
{
	return telling[op->pc % TELLING];
}

bool hd_telling_learn(const struct hd_op *op)
{
	if (hd_is_telling(op))
		return false;
	telling[op->pc % TELLING] = 1;
	return true;
}

/* Words on which the race oracle reported, or whose adds it orders, by address. */
enum { RACED = 64 };
static u64 raced[RACED];
static u32 nraced;

/* Words of objects that were freed, see note_freed(). */
enum { FREED = 4096 };
static u32 freed[FREED], nfreed;

void hd_profile_raced(u64 addr)
{
	u32 i;

	for (i = 0; i < nraced; i++)
		if (raced[i] == addr)
			return;
	if (nraced < RACED)
		raced[nraced++] = addr;
}

void hd_profile_decision(void)
{
	decisions++;
}

void hd_profile_clear(void)
{
	memset(seen, 0, sizeof(seen));
	memset(hd_shared, 0, sizeof(hd_shared));
	hd_shared[HD_WORDS] = HD_CHOICE | HD_CONFLICT; /* of it we know nothing */
	memset(writer, 0, sizeof(writer));
	memset(telling, 0, sizeof(telling));
	memset(&hd_profile, 0, sizeof(hd_profile));
	hd_flows_clear();
	nraced = nfreed = nlogged = 0;
	stale = true;
}

u32 hd_profile_runs(void)
{
	return nruns;
}

static void one(struct hd_schedule *s)
{
	decisions = 0;
	hd_flows_new_run();
	hd_run_schedule(s);
	nruns++;
	if (s->strategy && decisions > hd_profile.decisions)
		hd_profile.decisions = decisions;
}

/* How many runs that was. */
static u32 runs(void)
{
	static struct hd_schedule s;
	u32 i, before = nruns;

	for (i = 0; i < W->ntasks; i++) {
		struct hd_edit first = { HD_EDIT_SWITCH, 0, 1, (u16)i };

		hd_schedule_clear(&s);
		hd_schedule_add(&s, first);
		one(&s);
	}
	for (i = 0; i < HD_PROFILE_RUNS; i++) {
		hd_schedule_clear(&s);
		s.strategy = 1;
		s.seed = 0x68656464 + i;
		one(&s);
	}
	return nruns - before;
}

/* Words that no op begins at, or that only one task's ops begin at (upper
 * halves, words of a larger op), are nothing to sample by. */
static void drop_uncounted(void)
{
	u32 i, k = 0, t, tasks;

	for (i = 0; i < hd_profile.nshared; i++) {
		for (t = tasks = 0; t < W->ntasks; t++)
			tasks += hd_profile.count[i][t] != 0;
		if (tasks < 2)
			continue;
		hd_profile.word[k] = hd_profile.word[i];
		memmove(hd_profile.count[k], hd_profile.count[i],
			sizeof(hd_profile.count[0]));
		k++;
	}
	hd_profile.nshared = k;
}

static void add_choice(u32 w, u8 only_writer)
{
	hd_shared[w] |= HD_CHOICE;
	if (only_writer != MANY_WRITERS)
		hd_shared[w] |= (u16)(only_writer << HD_WRITER);
	if (hd_profile.nshared < HD_MAX_SHARED)
		hd_profile.word[hd_profile.nshared++] = address_of(w);
}

static bool has_choice(const struct hd_object *o)
{
	u32 w = hd_word_of((u64)(o + 1)), end = w + (o->size + 3) / 4;

	for (; w < end; w++)
		if (is_shared(seen[0][w]))
			return true;
	return false;
}

static void list_freed(u32 word)
{
	u32 i;

	for (i = 0; i < nfreed; i++)
		if (freed[i] == word)
			return;
	if (nfreed < FREED)
		freed[nfreed++] = word;
}

/* An object that one task uses and another one frees, without a word that both
 * use, would have no choice in it at all, and nobody would see it used after it
 * was freed: the words that the free conflicts with stand in. */
static void note_freed(void)
{
	u64 at = HD_HEAP_BASE + HD_GRANULE;
	const struct hd_object *o;
	u32 w, i;

	for (; at < HD_HEAP_BASE + W->heap_used;
	     at += sizeof(*o) + ((o->size + HD_GRANULE - 1) &
				 ~(u64)(HD_GRANULE - 1))) {
		o = (const struct hd_object *)at;
		w = hd_word_of(at + sizeof(*o));
		if (o->state != HD_OBJ_FREED || has_choice(o))
			continue;
		for (i = 0; i < (o->size + 3) / 4; i++)
			if (seen[0][w + i] && hd_shared[w + i] & HD_CONFLICT)
				list_freed(w + i);
	}
}

static void choose(void)
{
	u32 i, w;

	for (i = 0; i < HD_WORDS; i++)
		if (is_shared(seen[0][i]))
			add_choice(i, writer[i]);
	for (i = 0; i < nfreed; i++)
		if (!(hd_shared[freed[i]] & HD_CHOICE))
			add_choice(freed[i], MANY_WRITERS);
	for (i = 0; i < nraced; i++) {
		w = hd_word_of(raced[i]);
		if (w < HD_WORDS && !(hd_shared[w] & HD_CHOICE))
			add_choice(w, MANY_WRITERS);
	}
}

static void average(u32 total)
{
	u32 i, t;

	for (i = 0; i < hd_profile.nshared; i++)
		for (t = 0; t < W->ntasks; t++)
			hd_profile.count[i][t] =
				(hd_profile.count[i][t] + total - 1) / total;
	drop_uncounted();
	hd_flows_list();
}

void hd_profile_run(void)
{
	u32 total;

	hd_eng.profiling = true;
	hd_eng.all_choice = true;
	runs();
	note_freed();
	choose();
	hd_eng.all_choice = false;
	counting = true;
	hd_profile.decisions = 0;
	total = runs();
	counting = false;
	average(total);
	hd_eng.profiling = false;
}

/* --- programs: the warm-up of a search --------------------------------------- */

/* Of what nobody has touched yet nothing is known: it is a choice. */
static void choose_unknown(void)
{
	u32 i;

	for (i = 0; i < HD_WORDS; i++)
		if (!seen[1][i])
			hd_shared[i] |= HD_CHOICE;
}

static void count_logged(void)
{
	u32 i, n = 0, runs = 0;
	struct hd_task t;

	for (i = 0; i < nlogged; i++) {
		t.op = logged[i].op;
		t.id = (u8)logged[i].task;
		if (logged[i].run + 1u != runs) {
			hd_flows_new_run();
			n = 0;
		}
		runs = logged[i].run + 1u;
		if (!hd_is_choice(&t))
			continue;
		count(&t.op, t.id);
		if (++n > hd_profile.decisions)
			hd_profile.decisions = n;
	}
	average(runs ? runs : 1);
}

/* From one more run. */
static void learn(void)
{
	static struct hd_schedule s;
	struct hd_origin of = hd_profile.of;
	u32 i;

	hd_search_schedule(&s, of.strategy, of.seed, of.runs);
	hd_eng.profiling = true;
	hd_run_schedule(&s);
	hd_eng.profiling = false;
	note_freed();
	for (i = 0; i < HD_WORDS; i++)
		hd_shared[i] &= HD_CONFLICT;
	memset(&hd_profile, 0, sizeof(hd_profile));
	hd_flows_clear();
	choose();
	count_logged();
	choose_unknown();
	hd_profile.of = of;
	hd_profile.of.runs++;
}

void hd_profile_search(struct hd_origin of)
{
	const struct hd_origin *now = &hd_profile.of;
	u32 runs = of.runs < HD_WARM_UP ? of.runs : HD_WARM_UP;

	if (stale || now->strategy != of.strategy || now->seed != of.seed ||
	    now->runs > runs) {
		hd_profile_clear();
		choose_unknown();
		hd_profile.of = (struct hd_origin){ of.strategy, of.seed, 0 };
		stale = false;
	}
	while (now->runs < runs)
		learn();
}
