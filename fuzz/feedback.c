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
 * Ops on words where tasks meet are handed on to conflicts.c.
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

enum { NOBODY = 0xff,
       FURTHER = 512 /* bytes of a large op that are looked at */ };
static u32 run;
static u8 last_task; /* executed the last op */
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

/* An op on more than one word: most often it frees an object. */
static noinline void on_further_words(const struct hd_op *op,
				      const struct hd_task *t, bool at_once)
{
	u64 at = op->addr + 8, end = op->addr + op->size;
	struct hd_op word = *op;

	for (; at < end && at < op->addr + FURTHER; at += 8) {
		word.addr = at;
		if (!is_private(&word, t->id))
			fuzz_conflicts_op(op, t, at, at_once);
	}
}

static void on_op(const struct hd_event *ev)
{
	const struct hd_op *op = &ev->op;
	const struct hd_task *t = W->cur;
	bool at_once = t->id == last_task;
	struct fuzz_writer w;

	last_task = t->id;
	if (unlikely(op->size > 8))
		on_further_words(op, t, at_once);
	if (likely(is_private(op, t->id))) {
		if (!op->size)
			fuzz_conflicts_sync(t);
		feature(SITE, pair(op->pc, t->id));
		return;
	}
	w = fuzz_conflicts_op(op, t, op->addr, at_once);
	if (hd_in_heap(op->addr))
		on_object(op->addr, t->id);
	if (op->flags & HD_READ)
		feature(READS_FROM, pair(w.pc, op->pc << 1 | w.other));
	else
		feature(SITE, pair(op->pc, t->id));
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
	last_task = 0;
	fuzz_conflicts_begin();
	if (mode == FUZZ_ALL)
		memset(reported, 0, sizeof(reported));
}

u32 fuzz_feedback_end(struct fuzz_trace *trace)
{
	u32 i;

	fuzz_conflicts_end(trace);
	trace->ntasks = W->ntasks;
	for (i = 0; i < W->ntasks; i++) {
		trace->ops[i] = (u16)W->tasks[i].n;
		trace->choices[i] = W->tasks[i].nchoices;
		trace->fallible[i] = W->tasks[i].nfallible;
	}
	return nreported;
}
