/* SPDX-License-Identifier: MIT */
/* Reads-from steering: after Wolff et al., "Greybox Fuzzing for Concurrency
 * Testing" (RFF), ASPLOS 2024.
 *
 * A run has one obligation or two: a read at this place must read what that place
 * wrote (or what was there at the beginning), or must not.  Tasks whose op is a
 * step towards it go first, those whose op would break it last, and among equals
 * POS decides: obligations steer, they never block.  One that is met, or was missed
 * at the read that it is about, steers no more.
 * Deviations: obligations are drawn from the pairs that the profile saw, rare ones
 * first (flows.c), not mutated along a corpus; "must not" holds back that write
 * until the read has been. */
#include "../base/hash.h"
#include "engine.h"

enum { MOST = 2, BAD = 0, NEUTRAL = 1, GOOD = 2 };

static struct obligation {
	u64 word;
	u32 reader, writer; /* places; writer 0: nobody */
	bool negative, over;
	u32 last; /* who wrote last */
} obligation[MOST];
static u32 n;

static bool draw(struct obligation *o, u32 seed, u32 i)
{
	const struct hd_flow *f = hd_flows_draw(hd_draw(seed, i, 0, 10));

	if (!f)
		return false;
	*o = (struct obligation){ .word = f->word, .reader = f->reader,
				  .writer = f->writer };
	o->negative = f->writer && hd_draw(seed, i, 0, 12) & 1;
	return true;
}

static void new_run(u32 seed)
{
	u32 i, most = hd_draw(seed, 0, 0, 13) & 3 ? 1 : 2;

	hd_pos.new_run(seed);
	for (n = i = 0; i < most; i++)
		n += draw(&obligation[n], seed, i);
}

static bool is_on(const struct obligation *o, const struct hd_op *op)
{
	return op->size && op->addr < o->word + 4 &&
	       o->word < op->addr + op->size;
}

static u32 worth(const struct obligation *o, const struct hd_op *op)
{
	bool there = o->last == o->writer;

	if (o->over || !is_on(o, op))
		return NEUTRAL;
	if (op->pc == o->reader && op->flags & HD_READ)
		return there != o->negative ? GOOD : BAD;
	if (!(op->flags & HD_WRITE))
		return NEUTRAL;
	if (o->negative)
		return op->pc == o->writer ? BAD : NEUTRAL;
	return there ? BAD : op->pc == o->writer ? GOOD : NEUTRAL;
}

static u32 band(u32 task)
{
	u32 i, b, worst = GOOD, best = BAD;

	for (i = 0; i < n; i++) {
		b = worth(&obligation[i], &W->tasks[task].op);
		worst = b < worst ? b : worst;
		best = b > best ? b : best;
	}
	return !n ? NEUTRAL : worst == BAD ? BAD : best;
}

static u32 pick(hd_tasks on, u32 cur)
{
	u32 best = HD_MAX_TASKS, top = 0;

	(void)cur;
	for (; on; on = hd_rest(on)) {
		u32 i = hd_lowest(on), b = band(i);

		if (best == HD_MAX_TASKS || b > top ||
		    (b == top && hd_pos_priority(i) > hd_pos_priority(best))) {
			best = i;
			top = b;
		}
	}
	return best;
}

static void done(u32 task)
{
	const struct hd_op *op = &W->tasks[task].op;
	u32 i;

	for (i = 0; i < n; i++) {
		struct obligation *o = &obligation[i];

		if (!is_on(o, op))
			continue;
		if (op->pc == o->reader && op->flags & HD_READ &&
		    (o->negative || o->last == o->writer))
			o->over = true;
		if (op->flags & HD_WRITE)
			o->last = op->pc;
	}
	hd_pos.done(task);
}

const struct hd_strategy hd_rf = { "rf", new_run, pick, done };
