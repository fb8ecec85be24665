/* SPDX-License-Identifier: MIT */
/* Which schedule is worth trying after this one?
 *
 * Six of ten mutants are the parent with one conflict of its run reversed: the
 * task of the first op is held back before it until the second op has been.  Half
 * of these have a new base as well, under which the op is held back the same way.
 * Of the others some are a base alone, for what needs no more than that, and the
 * rest the parent with some decisions more, less or changed; seven of ten added
 * edits are anchored at a conflict, too: only there can an order matter.
 *
 * What is drawn is a function of the parent, the seed, and the orders seen so far.
 * LLVMFuzzerMutate() is not called: other engines do not have it, and byte havoc
 * is a bad way to move an anchor.  (--mutator=bytes does call it, for those who
 * want to see how bad: make bench-feedback.) */
#include "fuzz.h"

#include "../src/base/hash.h"

enum { BASES = 9 }; /* all but eager: what has few orders needs no fuzzing */

bool fuzz_mutate_bytes;
size_t LLVMFuzzerMutate(u8 *data, size_t size, size_t max_size)
	__attribute__((weak));

/* --- drawing --------------------------------------------------------------------- */

struct draw {
	u64 state;
};

static u32 below(struct draw *d, u32 n)
{
	d->state += 0x9e3779b97f4a7c15ull;
	return hd_below(hd_mix(d->state), n ? n : 1);
}

static bool percent(struct draw *d, u32 p)
{
	return below(d, 100) < p;
}

/* --- edits ----------------------------------------------------------------------- */

static struct hd_schedule parent, mutant;

static u16 other_task(struct draw *d, u32 ntasks, u32 than)
{
	u32 t = below(d, ntasks > 1 ? ntasks - 1 : 1);

	return (u16)(ntasks > 1 && t >= than ? t + 1 : t);
}

/* A switch to a handler is its coming, if it comes on the task's CPU. */
static struct hd_edit as_irq(struct hd_edit e)
{
	const struct hd_task *h = &W->tasks[e.arg % W->ntasks];

	if (e.kind == HD_EDIT_SWITCH || e.kind == HD_EDIT_IRQ)
		e.kind = h->irq && h->host == e.task ? HD_EDIT_IRQ :
						       HD_EDIT_SWITCH;
	return e;
}

/* Two tasks met, first then second: turn the order round, hold the first
 * until the second was there, or let the second in right behind the first. */
static struct hd_edit at_conflict(struct draw *d, const struct fuzz_trace *t)
{
	const struct fuzz_conflict *c = &t->conflict[below(d, t->nconflicts)];
	u32 how = below(d, 20);
	struct hd_edit e = { HD_EDIT_SWITCH, c->first, c->first_n, c->second };

	if (how < 4) {
		e.kind = HD_EDIT_HOLD;
		e.arg = 0;
	} else if (how < 8) {
		e.anchor++;
	} else if (how < 10) {
		e.task = c->second;
		e.anchor = c->second_n;
		e.arg = other_task(d, t->ntasks, c->second);
	} else if (how < 12) {
		e.task = c->second;
		e.anchor = (u16)(c->second_n + 1);
		e.arg = c->first;
	}
	return e;
}

/* Data choices and failures, where the parent made any. */
static bool at_choice(struct draw *d, const struct fuzz_trace *t,
		      struct hd_edit *e)
{
	u32 task = below(d, t->ntasks), i;

	for (i = 0; i < t->ntasks; i++, task = (task + 1) % t->ntasks) {
		u32 fallible = hd_eng.variant->fail ? t->fallible[task] : 0;
		bool choose = t->choices[task] &&
			      (!fallible || percent(d, 50));
		u32 n = choose ? t->choices[task] : fallible;

		if (!n)
			continue;
		e->kind = choose ? HD_EDIT_CHOOSE : HD_EDIT_FAIL;
		e->task = (u8)task;
		e->anchor = (u16)(1 + below(d, n));
		e->arg = choose ? (u16)(1 + below(d, 7)) : 0;
		return true;
	}
	return false;
}

static struct hd_edit anywhere(struct draw *d, const struct fuzz_trace *t)
{
	u32 task = below(d, t->ntasks);
	u32 how = below(d, 100);
	struct hd_edit e = { .task = (u8)task };

	if (how < 40 && at_choice(d, t, &e))
		return e;
	e.kind = how < 45 && hd_eng.variant->signals ? HD_EDIT_SIGNAL :
		 how < 60 ? HD_EDIT_HOLD : HD_EDIT_SWITCH;
	e.anchor = (u16)(1 + below(d, t->ops[task] + 1u));
	e.arg = e.kind == HD_EDIT_SWITCH ? other_task(d, t->ntasks, task) : 0;
	return e;
}

/* Replaces what stands at the same key: hd_schedule_add() keeps the smaller
 * argument, which would lose half of the new ones. */
static void put(struct hd_schedule *s, struct hd_edit e)
{
	u32 i;

	for (i = 0; i < s->nedits; i++)
		if (s->edit[i].kind == e.kind && s->edit[i].task == e.task &&
		    s->edit[i].anchor == e.anchor) {
			s->edit[i].arg = e.arg;
			return;
		}
	hd_schedule_add(s, e);
}

static void trim(struct draw *d, struct hd_schedule *s, u32 most)
{
	while (s->nedits > most)
		hd_schedule_remove(s, below(d, s->nedits));
}

/* What fails and which signals come is as much as the variant declares; its
 * verdicts are declared for that. */
static void at_most(struct draw *d, struct hd_schedule *s, u8 kind, int most)
{
	u32 i, n = 0;

	for (i = 0; i < s->nedits; i++)
		n += s->edit[i].kind == kind;
	while (n > (u32)most) {
		i = below(d, s->nedits);
		while (s->edit[i].kind != kind)
			i = (i + 1) % s->nedits;
		hd_schedule_remove(s, i);
		n--;
	}
}

/* --- reversing a conflict --------------------------------------------------------- */

/* Mostly one that no run so far has executed the other way round. */
static const struct fuzz_conflict *draw_conflict(struct draw *d,
						 const struct fuzz_trace *t)
{
	u32 i, n = 0;

	for (i = 0; i < t->nconflicts; i++)
		n += !fuzz_seen_reversed(&t->conflict[i]);
	if (!n || percent(d, 20))
		return &t->conflict[below(d, t->nconflicts)];
	n = below(d, n);
	for (i = 0; fuzz_seen_reversed(&t->conflict[i]) || n--; i++)
		;
	return &t->conflict[i];
}

/* The second task goes first; whoever else must go for it to get there can, but
 * not the task that is held back. */
static void reverse(struct draw *d, struct hd_schedule *s,
		    const struct fuzz_trace *t)
{
	const struct fuzz_conflict *c = draw_conflict(d, t);
	struct hd_edit go = { HD_EDIT_SWITCH, c->first, c->first_n, c->second };
	struct hd_edit hold = { HD_EDIT_HOLD, c->first, c->first_n, 0 };

	trim(d, s, FUZZ_MAX_EDITS - 2);
	put(s, as_irq(go));
	put(s, hold);
}

/* --- the mutations ------------------------------------------------------------------ */

static void add(struct draw *d, struct hd_schedule *s,
		const struct fuzz_trace *t)
{
	trim(d, s, FUZZ_MAX_EDITS - 1);
	put(s, as_irq(t->nconflicts && percent(d, 70) ? at_conflict(d, t) :
							anywhere(d, t)));
}

static void drop(struct draw *d, struct hd_schedule *s)
{
	hd_schedule_remove(s, below(d, s->nedits));
}

static void move(struct draw *d, struct hd_schedule *s)
{
	u32 i = below(d, s->nedits);
	struct hd_edit e = s->edit[i];

	if (percent(d, 50) || e.anchor <= 1)
		e.anchor++;
	else
		e.anchor--;
	hd_schedule_remove(s, i);
	put(s, e);
}

static void retarget(struct draw *d, struct hd_schedule *s,
		     const struct fuzz_trace *t)
{
	u32 i = below(d, s->nedits);
	struct hd_edit e = s->edit[i];

	if (e.kind == HD_EDIT_CHOOSE)
		e.arg = (u16)below(d, 8);
	else
		e.arg = other_task(d, t->ntasks, e.task);
	hd_schedule_remove(s, i);
	put(s, as_irq(e));
}

/* Another base, another seed.  Which base shows a bug soonest depends on the bug, so
 * each is drawn as often: with PCT left out some bugs needed ten times the runs, and
 * rf, reluctant and URW beside the other five saved a tenth to a fifth of them;
 * hold came later. */
static void new_base(struct draw *d, struct hd_schedule *s)
{
	s->strategy = (u8)below(d, BASES);
	s->seed = s->strategy ? below(d, UINT32_MAX) : 0;
}

static void mutate(struct draw *d, struct hd_schedule *s,
		   const struct fuzz_trace *t)
{
	u32 how = below(d, 100);

	if (s->nedits && how < 15)
		drop(d, s);
	else if (s->nedits && how < 20)
		move(d, s);
	else if (s->nedits && how < 25)
		retarget(d, s, t);
	else if (how < 60)
		new_base(d, s);
	else
		add(d, s, t);
}

static void mutate_several(struct draw *d, struct hd_schedule *s,
			   const struct fuzz_trace *t)
{
	u32 times = 1;

	/* one decision rarely shows anything by itself */
	while (times < 8 && percent(d, 75))
		times++;
	while (times--)
		mutate(d, s, t);
}

/* What does not fit is cut off whole records at a time. */
static size_t encode(struct draw *d, struct hd_schedule *s, u8 *out,
		     size_t max_size)
{
	if (max_size < HD_HEAD_BYTES) {
		if (max_size)
			out[0] = s->strategy;
		return max_size ? 1 : 0;
	}
	at_most(d, s, HD_EDIT_FAIL, hd_eng.variant->fail);
	at_most(d, s, HD_EDIT_SIGNAL, hd_eng.variant->signals);
	trim(d, s, (u32)((max_size - HD_HEAD_BYTES) / HD_EDIT_BYTES));
	return hd_schedule_encode(s, out, max_size);
}

size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t max_size,
			       unsigned int seed)
{
	const struct fuzz_trace *t;
	struct draw d = { seed };
	u32 how;

	if (fuzz_mutate_bytes && LLVMFuzzerMutate)
		return LLVMFuzzerMutate(data, size, max_size);
	t = fuzz_trace_of(data, size);
	hd_schedule_decode(&mutant, data, size, t->ntasks);
	how = below(&d, 100);
	if (how < 15) {
		hd_schedule_clear(&mutant);
		new_base(&d, &mutant);
	} else if (t->nconflicts && how < 75) {
		if (percent(&d, 50))
			new_base(&d, &mutant);
		reverse(&d, &mutant, t);
	} else {
		mutate_several(&d, &mutant, t);
	}
	return encode(&d, &mutant, data, max_size);
}

/* --- crossover ------------------------------------------------------------------------ */

/* The base of one parent with edits of both: all, or each with a half.  libFuzzer
 * asks for one as often as for a mutant; nine of ten times it gets none, and draws
 * again: more of them found less. */
size_t LLVMFuzzerCustomCrossOver(const u8 *data1, size_t size1,
				 const u8 *data2, size_t size2, u8 *out,
				 size_t max_size, unsigned int seed)
{
	struct draw d = { seed };
	u32 share = percent(&d, 50) ? 100 : 50, i, kept = 0;

	if (fuzz_mutate_bytes || percent(&d, 90))
		return 0;
	hd_schedule_decode(&mutant, data1, size1, W->ntasks);
	hd_schedule_decode(&parent, data2, size2, W->ntasks);
	if (percent(&d, 50)) {
		mutant.strategy = parent.strategy;
		mutant.seed = parent.seed;
	}
	for (i = 0; i < mutant.nedits; i++)
		if (percent(&d, share))
			mutant.edit[kept++] = mutant.edit[i];
	mutant.nedits = kept;
	for (i = 0; i < parent.nedits; i++)
		if (percent(&d, share))
			put(&mutant, parent.edit[i]);
	trim(&d, &mutant, FUZZ_MAX_EDITS);
	return encode(&d, &mutant, out, max_size);
}
