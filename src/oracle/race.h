/* SPDX-License-Identifier: MIT */
/* Private to the race oracle: what is remembered of a run in the annex.
 *
 *   race.c        which accesses race: the history of each granule
 *   race_cell.c   where that is kept
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
};

/* One access that a later one may race with. */
struct race_entry {
	u16 n;    /* n-th op of the task */
	u16 next; /* unit; 0: none */
	u8 task;
	u8 pad;
	u8 bits;  /* enum race_bits */
	u8 bytes; /* of the granule; 0: no entry */
};

struct race_cell {
	struct race_entry w; /* a write; its next leads to all others */
	struct race_entry r; /* a read */
	u16 sync;    /* unit of a struct race_sync; 0: none */
	u16 chain;   /* unit of the cell made before */
	u32 granule;
};

/* What was released at a word: the clock that an acquire of it gets. */
enum { RACE_READERS = 8, RACE_KEY = 16 }; /* beside the offset in the granule */
struct race_sync {
	u8 what;  /* offset; RACE_READERS: by readers of the lock; RACE_KEY: not
		   * at the word, but what its address stands for */
	u8 pad;
	u16 next;
	u32 pad2;
	u16 clock[]; /* race->room of them */
};

/* clock[u]: the last op of task u that is ordered before.  A task's own entry
 * is the number of its op under way and is not kept. */
struct race_state {
	u16 ntasks;
	u16 room;        /* entries of a clock: ntasks, rounded up to 8 */
	u16 free;        /* unit of a list of unused entries */
	u16 cells;       /* unit of the cell made last */
	u32 last_granule; /* of which a race was raised last, and between whom */
	u16 last_n[2];
	u8 last_task[2];
	u64 fenced;      /* tasks that have a clock as of a release fence */
	u64 pending;     /* tasks that have one for an acquire fence to come */
	u16 released[HD_MAX_TASKS]; /* op of the task's last release */
	u16 clock[];     /* now, then as of its last release fence, then what
			  * an acquire fence would get, of each task */
};

enum { RACE_NOW, RACE_FENCE, RACE_PENDING, RACE_CLOCKS };
enum {
	RACE_UNITS = 0xffff,
	RACE_SLOTS = 1 << 20, /* offset of the table in the annex */
	RACE_HEAP = HD_HEAP_SIZE / 4, /* granules of the heap */
	RACE_GRANULES = (HD_ANNEX_SIZE - RACE_SLOTS) / 2,
};

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
	u32 i;

	for (i = 0; i < race->room; i += 8) {
		race_vec a = *(race_vec *)(to + i), b = *(const race_vec *)(from + i);
		race_vec less = a < b;

		*(race_vec *)(to + i) = (b & less) | (a & ~less);
	}
}

static __always_inline void race_copy(u16 *to, const u16 *from)
{
	u32 i;

	for (i = 0; i < race->room; i += 8)
		*(race_vec *)(to + i) = *(const race_vec *)(from + i);
}

/* 0: the address is not in the world (the heap has no object there). */
static __always_inline u32 race_granule(u64 addr)
{
	if (likely(hd_in_heap(addr)))
		return (u32)((addr - HD_HEAP_BASE) / 4);
	if (!hd_in_statics(addr))
		return 0;
	return RACE_HEAP + (u32)(addr / 4 - (u64)__start_hd_data / 4);
}

/* The first address of a granule. */
static inline u64 race_address(u32 granule)
{
	if (granule < RACE_HEAP)
		return HD_HEAP_BASE + granule * 4ull;
	return ((u64)__start_hd_data / 4 + granule - RACE_HEAP) * 4;
}

static __always_inline struct race_cell *race_cell_at(u32 granule)
{
	u16 i = race_slot[granule];

	return i ? race_unit(i) : NULL;
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
u16 race_new_entry(void);
void race_free_entry(u16 i);
void race_forget(void); /* before and after a snapshot is loaded */
void race_recall(void);

/* --- race_verdict.c ------------------------------------------------------ */

/* The access that is being judged. */
struct race_access {
	u16 n;
	u8 task, bits, bytes;
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
/* Is the u's n-th op ordered before what the task does now?  A write comes also
 * after what its marked loads found released: see there. */
static __always_inline bool race_ordered(u32 task, u32 u, u16 n, bool write)
{
	if (likely(u == task || race_clock(task, RACE_NOW)[u] >= n))
		return true;
	return write && race->pending >> task & 1 &&
	       race_clock(task, RACE_PENDING)[u] >= n;
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
void race_learn(u32 granule, u8 bits);
static __always_inline void race_note(u32 granule, u8 bits)
{
	if (unlikely(bits & ~race_seen[granule] & (RACE_PLAIN | RACE_WRITE)))
		race_learn(granule, bits);
}
void race_forget_notes(void);

#endif
