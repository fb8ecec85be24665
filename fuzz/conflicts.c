/* SPDX-License-Identifier: MIT */
/* Which two ops of a run could have come the other way round?
 *
 * Two ops of two tasks on one word of 8 bytes, one of them writing, where nothing
 * but the word itself orders the first before the second.  Ops are ordered as in partial
 * order reduction: by their task, by each conflict on the way, and by what the race
 * oracle knows of grace periods and the like.  So two accesses under one lock are
 * no conflict to turn round, but the two attempts to take it are: of several ops
 * that a task did in a row on a word the first counts as well as the last.
 *
 * Remembered over all runs is which pairs of places were seen in which order: the
 * mutator begins with those that were never seen the other way. */
#include "fuzz.h"

#include <string.h>

enum { CELLS = 4096, ORDERS = 1 << 16 };

struct at {
	u32 pc;
	u16 n; /* 0: none */
	u8 task;
	bool at_once : 1; /* no other task between its publishing and this op */
	bool adds : 1;    /* HD_COMMUTES */
};

/* What happened on a word of 8 bytes.  The table is direct-mapped: heaps are small,
 * and a lost entry loses a conflict, nothing else. */
static struct cell {
	u32 word; /* low bits of address / 8 */
	u32 run;  /* valid if equal to run */
	struct at writer, reader; /* the last ones */
	/* of the ops in a row of the task that was here last the first one, and
	 * the first one that writes */
	struct at row, row_write;
} cells[CELLS];

/* Of each task the last op that is ordered before something.  Eight at a time: op
 * numbers are below 2^15. */
typedef short eight __attribute__((vector_size(16)));
typedef eight clock[(HD_MAX_TASKS + 7) / 8];

/* Before the next op of a task; an op that would read, or write, a word. */
static clock before[HD_MAX_TASKS], read_after[CELLS], write_after[CELLS];

static u32 run;
static u64 seen[ORDERS / 64];
static struct fuzz_conflict list[FUZZ_MAX_CONFLICTS];
static u32 met;

static __always_inline short *of(eight *c, u32 task)
{
	return (short *)c + task;
}

static __always_inline void join(eight *to, const eight *from)
{
	u32 i, n = (W->ntasks + 7u) / 8;

	for (i = 0; i < n; i++) {
		eight less = to[i] < from[i];

		to[i] = (from[i] & less) | (to[i] & ~less);
	}
}

static __always_inline void forget(eight *c)
{
	memset(c, 0, (W->ntasks + 7u) / 8 * sizeof(*c));
}

/* --- orders --------------------------------------------------------------------- */

static u32 order_of(u32 pc1, u8 task1, u32 pc2, u8 task2)
{
	u64 first = (u64)pc1 << 8 | task1, second = (u64)pc2 << 8 | task2;

	return (u32)((first * 0x9fb21c651e98df25ull ^ second) *
		     0x9e3779b97f4a7c15ull >> 48);
}

bool fuzz_seen_reversed(const struct fuzz_conflict *c)
{
	u32 i = order_of(c->second_pc, c->second, c->first_pc, c->first);

	return seen[i / 64] >> i % 64 & 1;
}

/* Can an edit hold a back?  It does so where a is published: if others ran in
 * between, what they did may let go of a again; and a handler does not wait for
 * the task that it interrupts. */
static bool can_be_held(const struct at *a, u8 other)
{
	const struct hd_task *t = &W->tasks[a->task];

	return a->at_once && !(t->irq && t->host == other);
}

static void note(const struct at *a, const struct at *b)
{
	u32 i = order_of(a->pc, a->task, b->pc, b->task);

	if (!a->n || a->task == b->task || (a->adds && b->adds) ||
	    *of(before[b->task], a->task) >= a->n)
		return;
	seen[i / 64] |= 1ull << i % 64;
	if (!can_be_held(a, b->task))
		return;
	i = met++;
	/* beyond the room, overwrite here and there: a run has its whole
	 * length in the sample */
	if (i >= FUZZ_MAX_CONFLICTS)
		i = i * 0x9e3779b1u >> 26;
	list[i] = (struct fuzz_conflict){ a->n, b->n, a->task, b->task, a->pc,
					  b->pc };
}

/* --- ops ------------------------------------------------------------------------ */

static struct cell *cell_of(u64 addr)
{
	u32 word = (u32)(addr >> 3), i = (word ^ word >> 12) % CELLS;
	struct cell *c = &cells[i];

	if (c->run == run && c->word == word)
		return c;
	*c = (struct cell){ .word = word, .run = run };
	forget(read_after[i]);
	forget(write_after[i]);
	return c;
}

/* Is the op a wait?  Then what ended it cannot come later. */
static bool waits(u8 kind)
{
	return kind == HD_ACQUIRED || kind == HD_WAIT || kind == HD_RCU_GP ||
	       kind == HD_AWAIT || kind == HD_JOIN;
}

static void compare(const struct cell *c, const struct at *now, bool write)
{
	const struct at *row = write ? &c->row : &c->row_write;

	note(&c->writer, now);
	if (write)
		note(&c->reader, now);
	if (row->n != c->writer.n && !(write && row->n == c->reader.n))
		note(row, now);
}

static void keep(struct cell *c, const struct at *now, bool write)
{
	if (!c->row.n || c->row.task != now->task) {
		c->row = *now;
		c->row_write.n = 0;
	}
	if (write && !c->row_write.n)
		c->row_write = *now;
	*(write ? &c->writer : &c->reader) = *now;
}

struct fuzz_writer fuzz_conflicts_op(const struct hd_op *op,
				     const struct hd_task *t, u64 addr,
				     bool at_once)
{
	struct cell *c = cell_of(addr);
	u64 i = (u64)(c - cells);
	bool write = op->flags & HD_WRITE;
	struct at now = { op->pc, (u16)t->n, t->id, at_once,
			  (bool)(op->flags & HD_COMMUTES) };
	struct fuzz_writer last = { c->writer.n ? c->writer.pc : 0,
				    c->writer.n && c->writer.task != t->id };

	/* again in a row, the others were compared before */
	if (!c->row.n || c->row.task != t->id || (write && !c->row_write.n)) {
		if (!waits(op->kind))
			compare(c, &now, write);
		join(before[t->id], write ? write_after[i] : read_after[i]);
	}
	*of(before[t->id], t->id) = (short)now.n;
	join(write_after[i], before[t->id]);
	if (write)
		join(read_after[i], before[t->id]);
	keep(c, &now, write);
	if (op->kind > HD_STORE)
		fuzz_conflicts_sync(t);
	return last;
}

void fuzz_conflicts_sync(const struct hd_task *t)
{
	eight *c = before[t->id];
	u32 i;

	/* the oracle's entry of the task itself is no number */
	for (i = 0; t->race_now && i < W->ntasks; i++)
		if (i != t->id && *of(c, i) < (short)t->race_now[i])
			*of(c, i) = (short)t->race_now[i];
}

/* --- around a run --------------------------------------------------------------- */

void fuzz_conflicts_begin(void)
{
	u32 i;

	for (i = 0; i < W->ntasks; i++)
		forget(before[i]);
	run++;
	met = 0;
}

void fuzz_conflicts_end(struct fuzz_trace *trace)
{
	u32 n = met < FUZZ_MAX_CONFLICTS ? met : FUZZ_MAX_CONFLICTS;

	trace->met = met;
	trace->nconflicts = n;
	memcpy(trace->conflict, list, n * sizeof(list[0]));
}
