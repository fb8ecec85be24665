/* SPDX-License-Identifier: MIT */
/* What does code claim about who else accesses its memory?  ASSERT_EXCLUSIVE_*():
 * a claim is kept in the history as an access that races with all others. */
#include <heddle/compiler.h>

#include "race.h"

/* A store that a claim about bits had to wait for. */
void race_settled(const struct hd_op *op, u64 old, u64 val)
{
	struct hd_task *t = W->cur;
	u32 what = hd_bytes_of(op->addr, op->size) << 8 |
		   (op->flags & (HD_PLAIN | HD_WRITE));

	if (W->running && !t->race_off && old != val)
		race_record(t, race_cell_of(race_granule(op->addr)), what & 0xfff,
			    (u32)((old ^ val) << (op->addr & 3) * 8));
}

/* The scope of a claim is over: from now on it is as any other. */
static void close_scope(struct race_cell *c, const struct race_access *a)
{
	struct race_entry *o;
	u16 i;

	for (i = c->w.next; i; i = o->next) {
		o = race_unit(i);
		if (o->bytes != a->bytes || o->task != a->t->id ||
		    o->bits != (a->bits | RACE_SCOPED))
			continue;
		o->bits = a->bits;
		o->n = a->n;
		return;
	}
}

/* A claim is made between two ops: it has the number of the next one. */
void race_exclusive(u64 addr, u32 size, u8 what, u64 mask, u32 pc, bool end)
{
	struct race_access a = { .n = (u16)(W->cur->n + 1), .t = W->cur, .pc = pc,
			    .bits = RACE_PLAIN | RACE_ASSERT,
			    .granule = race_granule(addr) };
	u32 bytes = hd_bytes_of(addr, size < 8 ? size : 8), skip = addr & 3;

	if (what & HD_EXCLUSIVE_ACCESS)
		a.bits |= RACE_WRITE;
	if (what & HD_EXCLUSIVE_BITS)
		a.bits |= RACE_MASKED;
	if (what & HD_EXCLUSIVE_SCOPED && !end)
		a.bits |= RACE_SCOPED;
	for (; bytes; bytes >>= 4, a.granule++) {
		struct race_cell *c = race_cell_of(a.granule);

		a.bytes = bytes & 15;
		a.mask = (u32)(mask << skip * 8);
		mask >>= (4 - skip) * 8;
		skip = 0;
		race_note(c, a.bits);
		if (end)
			close_scope(c, &a);
		else
			race_record_among(c, &a);
	}
}

