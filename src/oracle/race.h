/* SPDX-License-Identifier: MIT */
/* Private to the race oracle: what is remembered of a run in the annex.
 *
 *   race.c        which accesses race; what most of them are, in short
 *   race_history.c  the history of a granule, and who races with it
 *   race_cell.c   where that is kept
 *   race_claim.c  claims of exclusive access
 *   race_verdict.c  what is said of a race
 *   race_clock.c  what is ordered before what: clocks, and who hands them on
 *   race_hash.c   what of all this can decide a future verdict
 *
 * The annex is one array of units of 8 bytes, named by 16-bit indices: the
 * header, the clocks of the tasks, then in order of their first need cells,
 * further entries and clocks of words.  A cell belongs to a granule: 4 bytes of
 * heap or of static data that some task touched in this run.  Which cell a
 * granule has stands in a table (slots) beside the part that snapshots copy:
 * it is made anew from the cells, of which there are few. */
#ifndef ORACLE_RACE_H
#define ORACLE_RACE_H

#include <string.h>

#include "../engine/engine.h"

enum race_bits {
	RACE_ASSERT = 1, /* ASSERT_EXCLUSIVE_*: no access, but a claim */
	RACE_WRITE = HD_WRITE,
	RACE_PLAIN = HD_PLAIN, /* or an assertion: races with marked ones */
	RACE_SCOPED = 8, /* and the scope is still open: ordered before nothing */
	RACE_MASKED = 16, /* of some bits only: the next unit has the mask */
	RACE_WORD = 15 << 8, /* of an entry's what: all bytes of the granule */
	RACE_LOCK = RACE_WORD | RACE_WRITE, /* an op on a lock word */
};

/* One access that a later one may race with.  Without bytes it is none, and all
 * of it but next is 0. */
struct race_entry {
	u16 n;    /* n-th op of the task */
	u16 next; /* unit; 0: none */
	union {
		struct {
			u8 task, pad;
			union {
				struct {
					u8 bits;  /* enum race_bits */
					u8 bytes; /* of the granule */
				};
				u16 what; /* both */
			};
		};
		u32 key; /* all three: race_key() */
	};
};

static __always_inline u32 race_key(u32 task, u32 what)
{
	return what << 16 | task;
}

/* It is none any more; next stays. */
static __always_inline void race_no_entry(struct race_entry *e)
{
	e->n = 0;
	e->key = 0;
}

struct race_cell {
	struct race_entry w; /* a write; its next leads to all others */
	struct race_entry r; /* a read; claims are in neither */
	u16 sync;    /* unit of a struct race_sync; 0: none */
	u16 chain;   /* unit of the cell made before */
	u32 granule : 24;
	u32 noted : 8; /* bits that race_note() was told of */
};

/* What was released at a word: the clock that an acquire of it gets. */
enum { RACE_READERS = 8, RACE_KEY = 16 }; /* beside the offset in the granule */
struct race_sync {
	u8 what;  /* offset; RACE_READERS: by readers of the lock; RACE_KEY: not
		   * at the word, but what its address stands for */
	u8 lock;  /* the first who released was an unlock */
	u16 next;
	u32 pad2;
	u16 clock[]; /* race->room of them */
};

/* clock[u]: the last op of task u that is ordered before.  What a task did itself
 * always is: its own entry in its own clock is RACE_OWN, above all numbers. */
struct race_state {
	struct race_cell none; /* of granules without one: looks as if it had
				* a long history, which is nothing for short cuts */
	u16 ntasks;
	u16 room;        /* entries of a clock: ntasks, rounded up to 8 */
	u16 free;        /* unit of a list of unused entries */
	u16 cells;       /* unit of the cell made last */
	u32 last_granule; /* of which a race was raised last, and between whom */
	u16 last_n[2];
	u8 last_task[2];
	u16 clock[];     /* now, then as of its last release fence, then what
			  * an acquire fence would get, of each task */
};

enum { RACE_NOW, RACE_FENCE, RACE_PENDING, RACE_CLOCKS };
enum { RACE_OWN = 0x7fff };
enum {
	RACE_UNITS = 0xffff,
	RACE_SLOTS = 1 << 20, /* offset of the table in the annex */
	RACE_HEAP = HD_HEAP_SIZE / 4, /* granules of the heap */
	RACE_GRANULES = (HD_ANNEX_SIZE - RACE_SLOTS) / 2,
	RACE_STACK = RACE_GRANULES - HD_STACK_WORDS, /* of the shared ones */
};
_Static_assert(RACE_HEAP + HD_MAX_STATICS / 4 <= RACE_STACK, "granules");

#define race ((struct race_state *)HD_ANNEX_BASE)
#define race_slot ((u16 *)(HD_ANNEX_BASE + RACE_SLOTS))

static __always_inline void *race_unit(u16 i)
{
	return (void *)(HD_ANNEX_BASE + i * 8ull);
}

/* i of enum: RACE_NOW ... */
static __always_inline u16 *race_clock(u32 task, u32 i)
{
	return race->clock + (task * RACE_CLOCKS + i) * race->room;
}

/* Rows are padded to vectors.  Signed, as that is one instruction everywhere: no
 * op has a number above HD_MAX_STEPS. */
typedef s16 race_vec __attribute__((vector_size(16), aligned(2), may_alias));

static __always_inline void race_join(u16 *to, const u16 *from)
{
	u32 room = race->room, i = 0;

	do {
		race_vec a = *(race_vec *)(to + i), b = *(const race_vec *)(from + i);
		race_vec less = a < b;

		*(race_vec *)(to + i) = (b & less) | (a & ~less);
		i += 8;
	} while (unlikely(i < room));
}

static __always_inline void race_copy(u16 *to, const u16 *from)
{
	u32 room = race->room, i = 0;

	do {
		*(race_vec *)(to + i) = *(const race_vec *)(from + i);
		i += 8;
	} while (unlikely(i < room));
}

/* 0: the address is not in the world (the heap has no object there). */
static __always_inline u32 race_granule(u64 addr)
{
	if (likely(hd_in_heap(addr)))
		return (u32)((addr - HD_HEAP_BASE) / 4);
	if (unlikely(hd_in_shared_stack(addr)))
		return RACE_STACK + hd_stack_word(addr);
	if (!hd_in_statics(addr))
		return 0;
	return RACE_HEAP + (u32)(addr / 4 - (u64)__start_hd_data / 4);
}

/* The first address of a granule. */
static inline u64 race_address(u32 granule)
{
	if (granule < RACE_HEAP)
		return HD_HEAP_BASE + granule * 4ull;
	if (granule >= RACE_STACK)
		return hd_stack_address(granule - RACE_STACK);
	return ((u64)__start_hd_data / 4 + granule - RACE_HEAP) * 4;
}

/* Without a cell: race->none. */
static __always_inline struct race_cell *race_cell_or_none(u32 granule)
{
	return race_unit(race_slot[granule]);
}

static __always_inline struct race_cell *race_cell_at(u32 granule)
{
	struct race_cell *c = race_cell_or_none(granule);

	return c == &race->none ? NULL : c;
}

/* All entries of a cell: begin with &c->w.  Some have no bytes. */
static inline const struct race_entry *race_next(const struct race_cell *c,
						 const struct race_entry *e)
{
	u16 i = e == &c->r ? c->w.next : e->next;

	if (e == &c->w)
		return &c->r;
	return i ? race_unit(i) : NULL;
}

/* Zeroed units; ends the run in the limit verdict when there are no more. */
u16 race_new_units(u32 n);
noinline struct race_cell *race_new_cell(u32 granule);
static __always_inline struct race_cell *race_cell_of(u32 granule)
{
	struct race_cell *c = race_cell_at(granule);

	return likely(c != NULL) ? c : race_new_cell(granule);
}
static __always_inline u16 race_new_entry(void)
{
	u16 i = race->free;

	if (!i) {
		i = (u16)(W->annex_used / 8);
		if (unlikely(i == RACE_UNITS))
			return race_new_units(1);
		W->annex_used += 8;
		return i;
	}
	race->free = ((struct race_entry *)race_unit(i))->next;
	return i;
}

static __always_inline void race_free_entry(u16 i)
{
	((struct race_entry *)race_unit(i))->next = race->free;
	race->free = i;
}

/* Keep e, the cell's latest, among the others: its place is needed. */
static __always_inline void race_push(struct race_cell *c, const struct race_entry *e)
{
	u16 i = race_new_entry();
	struct race_entry *o = race_unit(i);

	*o = *e;
	o->next = c->w.next;
	c->w.next = i;
}

void race_forget(void); /* before and after a snapshot is loaded */
void race_recall(void);
void race_keep_none(void); /* of a variant that was loaded before */
void race_prepare(void);

/* --- race_history.c ------------------------------------------------------ */

/* Judge the current op's access to a granule against its history, and make it
 * part of that; what: as in an entry, mask: see struct race_access. */
noinline void race_record(const struct hd_task *t, struct race_cell *c, u32 what,
			  u64 mask);
struct race_access;
/* The same of any access, or claim. */
noinline void race_record_among(struct race_cell *c, const struct race_access *a);

/* --- race_claim.c -------------------------------------------------------- */

void race_settled(const struct hd_op *op, u64 old, u64 val);
void race_exclusive(u64 addr, u32 size, u8 what, u64 mask, u32 pc, bool end);

/* --- race_verdict.c ------------------------------------------------------ */

/* The access that is being judged. */
struct race_access {
	const struct hd_task *t;
	u16 n;
	union {
		struct {
			u8 bits, bytes;
		};
		u16 what;
	};
	u32 granule, pc;
	u64 mask; /* a claim: its bits; a write: bits that it changes */
};
const char *race_word(u8 bits);
/* a races with the earlier o; what: race_word() of a, or "free". */
noinline void race_raise(const struct race_access *a, const struct race_entry *o,
			 const char *what);

/* --- race_clock.c -------------------------------------------------------- */

/* The clock at what of the cell, or NULL. */
struct race_sync *race_find_sync(const struct race_cell *c, u32 what);
noinline struct race_sync *race_new_sync(struct race_cell *c, u32 what);
/* Is the access ordered before what the task does now?  A write comes also after
 * what the task's marked loads found released: see there. */
static __always_inline bool race_ordered(const struct hd_task *t,
					 const struct race_entry *e, bool write)
{
	if (likely(t->race_now[e->task] >= e->n))
		return true;
	return write && t->race_pending &&
	       race_clock(t->id, RACE_PENDING)[e->task] >= e->n;
}
/* The synchronisation of an executed op on its word: acquire comes before the
 * access is judged, release behind. */
void race_sync_before(struct hd_task *t, const struct hd_op *op, u8 order,
		      const struct race_cell *c, u64 val);
void race_sync_after(struct hd_task *t, const struct hd_op *op, u8 order,
		     struct race_cell *c);
void race_acquire(u64 key);
void race_release(u64 key, bool replace);
void race_pass(u64 from, u64 to);
void race_fence(u8 order);

/* --- race_hash.c --------------------------------------------------------- */

u64 race_hash(void);
/* How the granule is accessed, in all runs: enum race_bits. */
extern u8 race_seen[RACE_GRANULES];
enum { RACE_BOTH = RACE_PLAIN | RACE_WRITE };
void race_learn(u32 granule, u32 bits);
static __always_inline void race_note(struct race_cell *c, u32 bits)
{
	if (unlikely(bits & ~c->noted & RACE_BOTH)) {
		race_learn(c->granule, bits);
		c->noted = race_seen[c->granule];
	}
}
void race_forget_notes(void);

#endif
