/* SPDX-License-Identifier: MIT */
/* The hot path: what an op costs when nobody else is chosen and nobody listens.
 *
 * Inline forms of hd_publish() and hd_did() for accesses and primitives; each
 * does the usual case here and leaves the rest to loop.c and events.c. */
#ifndef ENGINE_HOT_H
#define ENGINE_HOT_H

#include "../base/hash.h"
#include "engine.h"

/* Words of 4 bytes: of the heap, then of static data (its first 64 KiB). */
enum {
	HD_HEAP_WORDS = HD_HEAP_SIZE / 4,
	HD_STATIC_WORDS = 16384,
	HD_WORDS = HD_HEAP_WORDS + HD_STATIC_WORDS
};
/* Two tasks touch the word, one writing (profile.c).  Bits from HD_WRITER on:
 * the only task that writes it, plus 1; its own loads are no choices. */
enum { HD_CHOICE = 1, HD_CONFLICT = 2, HD_WRITER = 2 };
extern u8 hd_shared[HD_WORDS + 1];

/* Stay or leave: returns when t is chosen to execute its published op. */
void hd_leave(struct hd_task *t);
/* Build the event and tell everybody. */
void hd_tell(struct hd_task *t, u64 old, u64 val);
noinline void hd_too_long(void);

static __always_inline void hd_fill(struct hd_task *t, u8 kind,
				    const volatile void *addr, u32 size,
				    u8 flags, u8 order, u32 pc)
{
	struct hd_op *op = &t->op;

	op->addr = (u64)addr;
	op->size = size;
	op->pc = pc;
	op->kind = kind;
	op->order = order;
	op->flags = flags;
	op->arg = 0;
	op->code = 0;
}

static __always_inline bool hd_chooses(u8 bits, const struct hd_task *t)
{
	return bits & HD_CHOICE && ((t->op.flags & HD_WRITE) ||
				    bits >> HD_WRITER != t->id + 1);
}

/* May t go on with its op without asking the strategy? */
static __always_inline bool hd_stays(const struct hd_task *t)
{
	u64 off = t->op.addr - HD_HEAP_BASE;

	if (unlikely(!hd_eng.calm || t->n + 1 >= t->next_edit ||
		     W->held_back))
		return false;
	return hd_eng.stay || (off < HD_HEAP_SIZE && t->op.size <= 4 &&
			       !hd_chooses(hd_shared[off / 4], t));
}

static __always_inline void hd_publish_hot(u8 kind, const volatile void *addr,
					   u32 size, u8 flags, u8 order,
					   u32 pc)
{
	struct hd_task *t = W->cur;

	hd_settle();
	hd_fill(t, kind, addr, size, flags, order, pc);
	if (likely(hd_stays(t))) {
		t->n++;
		if (unlikely(++W->ops > HD_MAX_STEPS))
			hd_too_long();
		return;
	}
	hd_leave(t);
}

/* Identity of an address that depends neither on layout nor on build. */
static __always_inline u64 hd_address_id(u64 addr)
{
	if (likely(hd_in_heap(addr))) {
		const struct hd_object *o = hd_object_at(addr);

		return o ? o->id + (addr - (u64)o) : addr - HD_HEAP_BASE;
	}
	return hd_in_statics(addr) ? addr - (u64)__start_hd_data : 0;
}

/* Remember what an await may wait for. */
static __always_inline void hd_note_read(struct hd_task *t, u64 val)
{
	u32 i = t->nreads % HD_MAX_READS;

	/* more than HD_MAX_READS: some are forgotten, and never fewer again */
	if (++t->nreads == 2 * HD_MAX_READS)
		t->nreads = HD_MAX_READS;
	t->reads[i].addr = t->op.addr | (u64)t->op.size << 48;
	t->reads[i].val = val;
}

/* Bounds of the program, from the linker. */
extern const char __executable_start[], _end[];

/* A value without what depends on the link: pointers into the program. */
static __always_inline u64 hd_value_id(u64 v)
{
	if (likely(v - (u64)__executable_start >=
		   (u64)(_end - __executable_start)))
		return v;
	return hd_in_statics(v) ? v - (u64)__start_hd_data : 1;
}

/* The trace hash, and the hash of what the task has seen. */
static __always_inline void hd_hash_op(struct hd_task *t, u64 old, u64 val)
{
	u64 x;

	if (t->op.size == 8) {
		old = hd_value_id(old);
		val = hd_value_id(val);
	}
	x = (u64)t->op.kind << 56 | (u64)t->op.order << 48 | t->op.size;

	x = (hd_address_id(t->op.addr) ^ x) * 0x9fb21c651e98df25ull;
	x = ((x ^ x >> 32) + old) * 0xd1342543de82ef95ull;
	t->hist = hd_fold(t->hist, x);
	x = (x ^ x >> 32) + val * 0x9e3779b97f4a7c15ull + t->id;
	W->hash = hd_fold(W->hash, x);
}

static __always_inline void hd_did_hot(u64 old, u64 val)
{
	struct hd_task *t = W->cur;

	if ((t->op.flags & HD_READ) && t->op.size <= 8)
		hd_note_read(t, val);
	if (unlikely(!W->running)) {
		hd_tell(t, old, val);
		return;
	}
	hd_hash_op(t, old, val);
	if (unlikely(hd_eng.attentive || hd_eng.feedback ||
		     hd_subscribers[t->op.kind][0]))
		hd_tell(t, old, val);
	else
		W->step++;
}

#endif
