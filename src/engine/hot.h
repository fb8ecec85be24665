/* SPDX-License-Identifier: MIT */
/* The hot path: what an op costs when nobody else is chosen and nobody listens.
 *
 * Inline forms of hd_publish(), hd_judge() and hd_did() for accesses and
 * primitives; each does the usual case here and leaves the rest to loop.c,
 * access.c and events.c.  They take the op by pointer: the compiler sees its
 * constants and never builds it in memory but once, in the task. */
#ifndef ENGINE_HOT_H
#define ENGINE_HOT_H

#include "../base/hash.h"
#include "engine.h"

/* Words of 4 bytes: of the heap, then of static data (its first 64 KiB), then of
 * shared stacks. */
enum {
	HD_HEAP_WORDS = HD_HEAP_SIZE / 4,
	HD_STATIC_WORDS = 16384,
	HD_WORDS = HD_HEAP_WORDS + HD_STATIC_WORDS + HD_STACK_WORDS
};
/* Two tasks touch the word, one writing (profile.c).  Bits from HD_WRITER on:
 * the only task that writes it, plus 1; its own loads are no choices. */
enum { HD_CHOICE = 1, HD_CONFLICT = 2, HD_WRITER = 2 };
extern u16 hd_shared[HD_WORDS + 1];

/* Stay or leave: returns when t is chosen to execute its published op. */
void hd_leave(struct hd_task *t);
/* Build the event and tell everybody. */
void hd_tell(struct hd_task *t, u64 old, u64 val);
/* What hd_did_op() does when somebody listens, or when nothing is hashed. */
void hd_did_heard(struct hd_task *t, u64 id, u64 old, u64 val);
/* There is no live object at [addr, addr+size). */
noinline void hd_bad_access(u64 addr, u32 size, u8 flags, u32 pc);
noinline void hd_too_long(void);
/* Is there such a local on another task's stack? */
noinline void hd_judge_local(u64 addr, u32 pc);

/* --- deciding --- */

/* Index into hd_shared; HD_WORDS: none. */
static __always_inline u32 hd_word_of(u64 addr)
{
	u64 off = addr - (u64)__start_hd_data;

	if (likely(hd_in_heap(addr)))
		return (u32)((addr - HD_HEAP_BASE) / 4);
	if (hd_in_statics(addr) && off / 4 < HD_STATIC_WORDS)
		return HD_HEAP_WORDS + (u32)(off / 4);
	if (hd_in_shared_stack(addr))
		return HD_HEAP_WORDS + HD_STATIC_WORDS + hd_stack_word(addr);
	return HD_WORDS;
}

static __always_inline bool hd_chooses(u16 bits, const struct hd_task *t)
{
	return bits & HD_CHOICE && ((t->op.flags & HD_WRITE) ||
				    bits >> HD_WRITER != t->id + 1);
}

/* Is the op on a word of the heap that no strategy cares about?  (On two words
 * only where the strategy need not be told of ops done.) */
static __always_inline bool hd_is_plainly_private(const struct hd_task *t)
{
	u64 off = t->op.addr - HD_HEAP_BASE;
	const u16 *bits;

	if (off >= HD_HEAP_SIZE)
		return false;
	bits = &hd_shared[off / 4];
	if (t->op.size <= 4)
		return !hd_chooses(bits[0], t);
	return t->op.size == 8 && !(off & 3) && t->op.kind != HD_FREE &&
	       !hd_eng.watched && !hd_chooses(bits[0], t) && !hd_chooses(bits[1], t);
}

/* May t go on with its op without asking the strategy? */
static __always_inline bool hd_stays(const struct hd_task *t)
{
	if (unlikely(!hd_eng.calm || t->n + 1 >= t->next_edit ||
		     W->held_back))
		return false;
	return hd_eng.stay || hd_is_plainly_private(t);
}

static __always_inline void hd_publish_op(const struct hd_op *op)
{
	struct hd_task *t = W->cur;

	hd_settle();
	t->op = *op;
	if (hd_stays(t)) {
		t->n++;
		if (unlikely(++W->ops > HD_MAX_STEPS))
			hd_too_long();
		return;
	}
	hd_leave(t);
}

/* --- judging the address --- */

/* What memory holds: 1, 2, 4 or 8 bytes. */
static __always_inline u64 hd_peek(u64 addr, u32 size)
{
	switch (size) {
	case 1:
		return *(u8 *)addr;
	case 2:
		return *(u16 *)addr;
	case 4:
		return *(u32 *)addr;
	default:
		return *(u64 *)addr;
	}
}

/* Identity of an address that depends neither on layout nor on build. */
static __always_inline u64 hd_address_id(u64 addr)
{
	if (likely(hd_in_heap(addr))) {
		const struct hd_object *o = hd_object_at(addr);

		return o ? o->id + (addr - (u64)o) : addr - HD_HEAP_BASE;
	}
	if (hd_in_stacks(addr))
		return addr - hd_eng.shared_stack + HD_HEAP_SIZE;
	return hd_in_statics(addr) ? addr - (u64)__start_hd_data : 0;
}

/* Is there a live object under the op, which is executed now and lies in the
 * heap?  Returns the identity of the address: one look-up serves both. */
static __always_inline u64 hd_judge_in_heap(const struct hd_op *op)
{
	u64 g = ((u16 *)HD_SHADOW_BASE)[(op->addr - HD_HEAP_BASE) / HD_GRANULE];
	const struct hd_object *o = (void *)(HD_HEAP_BASE + g * HD_GRANULE);
	u64 off = op->addr - (u64)(o + 1);

	if (unlikely(!g || off >= o->size || off + op->size > o->size ||
		     o->state != HD_OBJ_LIVE)) {
		hd_bad_access(op->addr, op->size, op->flags, op->pc);
		return hd_address_id(op->addr);
	}
	return o->id + (op->addr - (u64)o);
}

static __always_inline u64 hd_judge_op(const struct hd_op *op)
{
	if (unlikely(!hd_in_heap(op->addr))) {
		if (unlikely(hd_in_stacks(op->addr)))
			hd_judge_local(op->addr, op->pc);
		return hd_address_id(op->addr);
	}
	return hd_judge_in_heap(op);
}

/* --- what it did --- */

/* Behind a read that is complete. */
static __always_inline void hd_did_read(struct hd_task *t, u32 pc)
{
	if (unlikely(!(t->nreads & 63) && hd_eng.many_reads && W->running))
		hd_eng.many_reads(t, pc);
}

/* Remember what an await may wait for. */
static __always_inline void hd_note_read(struct hd_task *t, u64 addr, u32 size,
					 u64 val)
{
	u32 i = t->nreads % HD_MAX_READS;

	t->nreads++; /* of more than HD_MAX_READS some are forgotten */
	t->reads[i].addr = addr | (u64)size << 48;
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

/* The trace hash, and under exhaustive search (central) the hash of what the task
 * has seen.  The second never leaves the process, so it keeps pointers into the
 * program apart. */
static __always_inline void hd_hash_op(struct hd_task *t,
				       const struct hd_op *op, u64 id, u64 old,
				       u64 val, bool central)
{
	u64 x = (u64)op->kind << 56 | (u64)op->order << 48 | op->size;
	u64 seen = old;

	if (op->size == 8) {
		old = hd_value_id(old);
		val = hd_value_id(val);
	}
	x = (id ^ x) * 0x9fb21c651e98df25ull;
	if (central && op->flags & HD_COMMUTES)
		t->hist = hd_fold(t->hist, x); /* it has seen nothing */
	x = ((x ^ x >> 32) + old) * 0xd1342543de82ef95ull;
	if (central && !(op->flags & HD_COMMUTES))
		t->hist = hd_fold(t->hist, x ^ seen);
	x = (x ^ x >> 32) + val * 0x9e3779b97f4a7c15ull + t->id;
	W->hash = hd_fold(W->hash, x);
}

/* The op is in the task. */
static __always_inline void hd_accessed(struct hd_task *t, u64 old, u64 val)
{
	if (likely(hd_access_oracle.access))
		hd_access_oracle.access(t, old, val);
}

/* The values of the current task's op are known; id: from hd_judge_op(). */
static __always_inline void hd_did_values(const struct hd_op *op, u64 id,
					  u64 old, u64 val)
{
	struct hd_task *t = W->cur;

	/* (an addition without a result has told the task nothing) */
	if ((op->flags & HD_READ) && !(op->flags & HD_COMMUTES) && op->size <= 8)
		hd_note_read(t, op->addr, op->size, val);
	if (unlikely(!hd_eng.quiet || hd_subscribers[op->kind][0])) {
		hd_did_heard(t, id, old, val);
		return;
	}
	hd_hash_op(t, op, id, old, val, false);
	W->step++;
}

/* Is it on a lock that is a word of 4 bytes, and not of a reader?  (Where the op is
 * a constant the compiler knows.) */
static __always_inline bool hd_is_of_lock(const struct hd_op *op)
{
	return op->size == 4 &&
	       (op->flags & ~HD_UNTIL_ZERO) == (HD_READ | HD_WRITE);
}

static __always_inline bool hd_takes_lock(const struct hd_op *op)
{
	return hd_is_of_lock(op) && op->kind >= HD_LOCK &&
	       op->kind <= HD_ACQUIRED;
}

static __always_inline bool hd_gives_lock(const struct hd_op *op)
{
	return hd_is_of_lock(op) && op->kind == HD_UNLOCK &&
	       op->order == HD_RELEASE;
}

/* The current task's op was executed. */
static __always_inline void hd_did_op(const struct hd_op *op, u64 id, u64 old,
				      u64 val)
{
	hd_did_values(op, id, old, val);
	if (hd_takes_lock(op) && hd_access_oracle.take)
		hd_access_oracle.take(W->cur, old, val);
	else if (hd_gives_lock(op) && hd_access_oracle.give)
		hd_access_oracle.give(W->cur, old, val);
	else
		hd_accessed(W->cur, old, val);
}

#endif
