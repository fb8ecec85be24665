/* SPDX-License-Identifier: MIT */
/* What did a run do that no run did before?  Events become features:
 *
 *   site       a task executed an op at this place
 *   reads-from a read at R saw what W wrote (same task or another)
 *   hand-over  an object went from task a to task b
 *   lock order a lock was taken while another was held
 *   state      the scenario's own abstract state, heddle_state()
 *
 * A feature is one of 16384 slots: a counter (2 KiB of them) and one of the
 * eight values that libFuzzer tells apart.  The hash is the same in every
 * process, so merging and -fork agree on what is covered.
 *
 * On the way the collector notes which ops of different tasks met on a word:
 * this is where mutator.c adds edits.
 *
 * Engines that do not read the counters (AFL++, honggfuzz) get the same slots
 * as edges on guards of our own; compile with -DHEDDLE_GUARDS. */
#include "fuzz.h"

#include <heddle/lockdep.h>
#include <string.h>

enum { COUNTERS = 2048, BUCKETS = 8, SLOTS = COUNTERS * BUCKETS, /* 2^14 */
       FRESH_MAX = 32 /* counters set in one run: each costs 50-80 ns */ };

static u64 reported[SLOTS / 64]; /* in this process; FUZZ_ALL: in this run */
static enum fuzz_report mode;
static u32 nreported;
static struct fuzz_trace now;

/* --- reporting a slot -------------------------------------------------------- */

#ifdef HEDDLE_GUARDS

void __sanitizer_cov_trace_pc_guard(u32 *guard);
void __sanitizer_cov_trace_pc_guard_init(u32 *start, u32 *stop);

static u32 guards[SLOTS];

/* Before main, as the compiler does for guards of its own: AFL++ sizes its map
 * by them before it starts. */
__attribute__((constructor)) static void start_guards(void)
{
	__sanitizer_cov_trace_pc_guard_init(guards, guards + SLOTS);
}

static bool set_slot(u32 slot)
{
	__sanitizer_cov_trace_pc_guard(&guards[slot]);
	return true;
}

#else

__attribute__((section("__libfuzzer_extra_counters"), used))
volatile u8 heddle_counters[COUNTERS];

/* One counter can say one thing in a run; what does not fit comes again. */
static bool set_slot(u32 slot)
{
	static const u8 value[BUCKETS] = { 1, 2, 3, 4, 8, 16, 32, 128 };
	u32 i = slot % COUNTERS;

	if (heddle_counters[i])
		return false;
	heddle_counters[i] = value[slot / COUNTERS];
	return true;
}

#endif

static noinline void report(u32 slot)
{
	if (mode == FUZZ_NONE || (mode == FUZZ_FRESH && nreported == FRESH_MAX))
		return;
	if (!set_slot(slot))
		return;
	nreported++;
	if (mode != FUZZ_UNCOUNTED)
		reported[slot / 64] |= 1ull << slot % 64;
}

enum feature { SITE = 1, READS_FROM, HAND_OVER, LOCK_ORDER, STATE };

/* One multiplication: its high bits depend on all of key. */
static __always_inline void feature(enum feature what, u64 key)
{
	u64 h = (key ^ (u64)what << 60) * 0x9e3779b97f4a7c15ull;
	u32 slot = (u32)(h >> 50); /* 14 bits */

	if (unlikely(!(reported[slot / 64] >> slot % 64 & 1)))
		report(slot);
}

static __always_inline u64 pair(u64 a, u64 b)
{
	return a << 32 ^ b;
}

/* --- words and objects --------------------------------------------------------- */

/* Most ops touch words that no other task ever does.  What is known about a
 * heap word: who read it, who wrote it (0: untouched), or that tasks meet
 * there.  Begins with the words that the profile found shared, learns over all
 * runs, and never forgets: being wrong costs time, or a feature, once. */
enum { READ_BY = 1, WRITTEN_BY = READ_BY + HD_MAX_TASKS,
       READ_BY_MANY = WRITTEN_BY + HD_MAX_TASKS, MEETING };
static u16 known[HD_HEAP_SIZE / 8];

/* Who touched a word last?  The table is direct-mapped: heaps are small, and
 * a lost entry loses a feature, nothing else. */
struct cell {
	u32 word; /* low bits of address / 8 */
	u32 run;  /* valid if equal to run */
	u32 writer_pc;
	u16 writer_n, reader_n; /* 0: none yet */
	u8 writer, reader, last;
	u8 unused[5];
};

enum { CELLS = 4096, NOBODY = 0xff };
static struct cell cells[CELLS];
static u32 run;
/* By heap granule of the object's header: run << 8 | task that touched last. */
static u32 holder[HD_HEAP_SIZE / HD_GRANULE];

/* May tasks meet on this word?  Learns. */
static noinline bool learn(u16 *k, u8 task, bool write)
{
	if (*k == 0 || *k == READ_BY + task)
		*k = (write ? WRITTEN_BY : READ_BY) + task;
	else if (!write && *k < WRITTEN_BY)
		*k = READ_BY_MANY;
	else
		*k = MEETING;
	return *k == MEETING;
}

static __always_inline bool is_private(const struct hd_op *op, u8 task)
{
	u64 at = op->addr - HD_HEAP_BASE;
	bool write = op->flags & HD_WRITE;
	u16 k;

	if (at >= HD_HEAP_SIZE)
		return !op->size;
	k = known[at / 8];
	if (k == MEETING)
		return false;
	if (k == WRITTEN_BY + task ||
	    (!write && (k == READ_BY + task || k == READ_BY_MANY)))
		return true;
	return !learn(&known[at / 8], task, write);
}

static __always_inline void met(u8 first, u16 first_n, u8 second, u16 second_n)
{
	u32 i = now.met++;

	/* beyond the room, overwrite here and there: a run has its whole
	 * length in the sample */
	if (i >= FUZZ_MAX_CONFLICTS)
		i = i * 0x9e3779b1u >> 26;
	now.conflict[i] = (struct fuzz_conflict){ first_n, second_n, first,
						  second };
}

static noinline void on_object(u64 addr, u8 task)
{
	const struct hd_object *o = hd_object_at(addr);
	u32 *h, from;

	if (!o)
		return;
	h = &holder[((u64)o - HD_HEAP_BASE) / HD_GRANULE];
	from = *h >> 8 == (run & 0xffffff) ? *h & 0xff : NOBODY;
	if (from == task)
		return;
	*h = run << 8 | task;
	feature(HAND_OVER, pair(o->id, from << 8 | task));
}

/* Another task was here last, or nobody. */
static noinline void on_meeting(struct cell *c, const struct hd_op *op, u8 task,
				u16 n)
{
	if (c->writer_n && c->writer != task)
		met(c->writer, c->writer_n, task, n);
	if ((op->flags & HD_WRITE) && c->reader_n && c->reader != task &&
	    (!c->writer_n || c->writer != c->reader))
		met(c->reader, c->reader_n, task, n);
	if (hd_in_heap(op->addr))
		on_object(op->addr, task);
	c->last = task;
}

static void on_op(const struct hd_event *ev)
{
	const struct hd_op *op = &ev->op;
	const struct hd_task *t = W->cur;
	u32 word = (u32)(op->addr >> 3);
	struct cell *c = &cells[(word ^ word >> 12) % CELLS];

	if (likely(is_private(op, t->id))) {
		feature(SITE, pair(op->pc, t->id));
		return;
	}
	if (c->run != run || c->word != word)
		*c = (struct cell){ .word = word, .run = run, .last = NOBODY };
	/* a read of T1, then a read and a write of T2: the write meets, too */
	if (c->last != t->id || (op->flags & HD_WRITE && c->reader != t->id))
		on_meeting(c, op, t->id, (u16)t->n);
	if (op->flags & HD_READ)
		feature(READS_FROM,
			pair(c->writer_pc, op->pc << 1 |
			     (c->writer_n && c->writer != t->id)));
	else
		feature(SITE, pair(op->pc, t->id));
	if (op->flags & HD_WRITE) {
		c->writer = t->id;
		c->writer_n = (u16)t->n;
		c->writer_pc = op->pc;
	} else {
		c->reader = t->id;
		c->reader_n = (u16)t->n;
	}
}

/* --- locks and states ------------------------------------------------------------ */

static void on_acquire(const struct hd_event *ev)
{
	const struct lockdep_map *map = (const void *)ev->op.addr;
	const struct hd_task *t = W->cur;
	const struct hd_held *top;

	if (!t->nheld)
		return;
	top = &t->held[t->nheld - 1];
	/* keys lie in the program's own data: 32 bits are all of them */
	feature(LOCK_ORDER,
		pair((u64)top->map->key << 3 ^ top->subclass,
		     (u64)map->key << 3 ^ ev->op.arg));
}

static void on_state(u32 hash)
{
	feature(STATE, hash);
}

/* --- around a run ------------------------------------------------------------------ */

void fuzz_feedback_start(void)
{
	u32 i;

	memset(known, 0, sizeof(known));
	for (i = 0; i < hd_profile.nshared; i++)
		if (hd_in_heap(hd_profile.word[i]))
			known[(hd_profile.word[i] - HD_HEAP_BASE) / 8] =
				MEETING;
	hd_eng.feedback = on_op;
	hd_eng.state = on_state;
	hd_subscribe(HD_EV_ACQUIRE, on_acquire);
}

void fuzz_feedback_begin(enum fuzz_report report)
{
	mode = report;
	run++;
	nreported = 0;
	now.nconflicts = now.met = 0;
	if (mode == FUZZ_ALL)
		memset(reported, 0, sizeof(reported));
}

u32 fuzz_feedback_end(struct fuzz_trace *trace)
{
	u32 i, n = now.met < FUZZ_MAX_CONFLICTS ? now.met : FUZZ_MAX_CONFLICTS;

	trace->nconflicts = n;
	trace->met = now.met;
	memcpy(trace->conflict, now.conflict, n * sizeof(now.conflict[0]));
	trace->ntasks = W->ntasks;
	for (i = 0; i < W->ntasks; i++) {
		trace->ops[i] = (u16)W->tasks[i].n;
		trace->choices[i] = W->tasks[i].nchoices;
		trace->fallible[i] = W->tasks[i].nfallible;
	}
	return nreported;
}
