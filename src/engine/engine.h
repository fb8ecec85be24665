/* SPDX-License-Identifier: MIT */
/* The engine: one scenario variant loaded into the world, run again and again
 * under schedules.  It knows ops, tasks and schedules; it does not know what
 * the ops mean (src/kernel) nor what is wrong about them (src/oracle). */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "schedule.h"
#include "world.h"

/* One event with where it happened; kept only while recording. */
enum { HD_MAX_FRAMES = 8 };
struct hd_record {
	struct hd_event ev;
	char object[40];    /* type#instance, or "" */
	const char *type;   /* of the object, or NULL */
	u32 type_off;       /* offset in it */
	u32 frames[HD_MAX_FRAMES]; /* return addresses, innermost first */
	u8 nframes;
	u8 nheld;
	u8 context;         /* HD_IN_*: the interrupt that the task was in */
	u32 preemptions;    /* of the run so far */
};
enum { HD_IN_HARDIRQ = 1, HD_IN_SOFTIRQ = 2, HD_IRQS_OFF = 4, HD_BH_OFF = 8 };

/* Where a transition touched what: for dependence under exhaustive search. */
struct hd_touch {
	u64 addr;
	u32 size;
	u32 how; /* enum hd_touching */
};

struct hd_strategy {
	const char *name;
	void (*new_run)(u32 seed);
	/* Which of the tasks in on (never empty) goes next?  cur ran last. */
	u32 (*pick)(hd_tasks on, u32 cur);
	/* The task's pending op is executed now.  NULL: of no interest. */
	void (*done)(u32 task);
};

extern const struct hd_strategy hd_run_to_block, hd_random_walk, hd_pct,
	hd_pos, hd_surw, hd_rf, hd_reluctant, hd_urw, hd_hold,
	hd_eager;
const struct hd_strategy *hd_strategy_by_id(u8 id);
int hd_strategy_id(const char *name); /* -1 if there is none */
/* Schedule number i (from 0) of a search, without edits; strategy -1: of each in
 * turn, the portfolio. */
void hd_search_schedule(struct hd_schedule *s, int strategy, u32 seed, u64 i);
/* A task of mask in proportion to its weight; without any weight the lowest one.
 * (0 for an empty mask: every task sleeps or is done before its first op.) */
u32 hd_weighted(const u32 *weight, hd_tasks mask, u64 drawn);
/* URW: a task of on in proportion to what it has left, to the power of 1 to 3; cur
 * ran last. */
u32 hd_urw_draw(hd_tasks on, u32 cur, u32 power);
/* POS: the priority of the task's pending op. */
u64 hd_pos_priority(u32 task);

/* State of the engine that is no part of the world. */
struct hd_engine {
	const struct heddle_scenario *scenario;
	const struct heddle_variant *variant;
	char calls[96];     /* the only ones that are allowed, with commas; "" */
	const struct hd_strategy *strategy;
	const struct hd_schedule *schedule;
	u16 first_edit[HD_MAX_TASKS + 1]; /* index of the task's first edit */
	void *template;
	void *main_sp;      /* of the suspended main context */
	bool central;       /* every decision goes to main (exhaustive search) */
	bool all_choice;    /* choose also at private ops */
	bool calm;          /* a search run is under way and nothing of the
			     * above holds: hot.h may decide to stay */
	bool stay;          /* the base strategy always stays */
	bool searching;     /* a search run is under way: tasks decide on their
			     * own stacks */
	bool few;           /* the same, but no profile, and at most 64 tasks:
			     * sets of them are words */
	bool quiet;         /* tasks run, not central, and only subscribers
			     * listen */
	bool direct;        /* tasks run, and of locks only their oracle is told */
	bool watched;       /* chosen ops are told to strategy or profile */
	union {
		struct {
			bool recording;
			bool touching; /* collect touches */
			bool profiling;
			bool spare;
		};
		u32 attentive; /* any of these: events must be built */
	};
	u8 asking;          /* central: cur asks for a choice, not for a turn */
	u32 ask_n, ask_answer;
	bool handlers;      /* the variant has interrupt handlers */
	u64 *cpu_words;     /* two of each CPU, in the heap: what stands for
			     * its interrupts and its softirqs (irq.c) */
	/* A program with threads: loaded to see how many threads it makes, or
	 * to be run. */
	enum { HD_NO_PROGRAM, HD_COUNTS_THREADS, HD_PROGRAM } program;
	/* Programs: called behind each 64th read of a task. */
	void (*many_reads)(struct hd_task *t, u32 pc);
	u64 shared_stack;   /* base of the stacks whose locals other tasks may
			     * reach: of a program; HD_NO_STACK: none */
	u64 foreign;        /* where model code last went outside the heap */
	u32 foreign_pc;
	/* recording */
	struct hd_record *log;
	u32 nlog, maxlog;
	/* where the store happened whose event is still to come */
	u32 store_frames[HD_MAX_FRAMES];
	u8 nstore_frames;
	/* touches of the transition under way */
	struct hd_touch touch[256];
	u32 ntouch;
	bool touch_overflow;
	bool ordered;       /* an oracle called hd_order_on() */
	bool learned;       /* hd_order_range() made a word shared */
	/* feedback: told of each executed op (fuzzing), or NULL */
	void (*feedback)(const struct hd_event *ev);
	/* feedback: the scenario's abstract state, heddle_state(), or NULL */
	void (*state)(u32 hash);
};
extern struct hd_engine hd_eng;

static const u64 HD_NO_STACK = 1ull << 63;
/* In a stack of a program's thread. */
static __always_inline bool hd_in_stacks(u64 addr)
{
	return addr - hd_eng.shared_stack < HD_MAX_TASKS * HD_STACK_SIZE;
}
/* Whose accesses are ops: all of main()'s stack, and of each other one the
 * outermost bytes, where the locals of a thread's own function lie. */
enum {
	HD_SHARED_LOCALS = 4096,
	HD_MAIN_WORDS = (u32)HD_STACK_SIZE / 4,
	HD_LOCAL_WORDS = HD_SHARED_LOCALS / 4,
	HD_STACK_WORDS = HD_MAIN_WORDS + (HD_MAX_TASKS - 1) * HD_LOCAL_WORDS,
};
static __always_inline bool hd_in_shared_stack(u64 addr)
{
	u64 off = addr - hd_eng.shared_stack;

	return off < HD_STACK_SIZE ||
	       (hd_in_stacks(addr) &&
		off % HD_STACK_SIZE >= HD_STACK_SIZE - HD_SHARED_LOCALS);
}
/* Of an address in the stacks; ends the run where another task's local is none. */
bool hd_is_local(u64 addr);
/* Numbers of their words, one after the other. */
static inline u32 hd_stack_word(u64 addr)
{
	u64 off = addr - hd_eng.shared_stack, task = off / HD_STACK_SIZE;

	if (!task)
		return (u32)off / 4;
	off = off % HD_STACK_SIZE - (HD_STACK_SIZE - HD_SHARED_LOCALS);
	return HD_MAIN_WORDS + (u32)(task - 1) * HD_LOCAL_WORDS + (u32)off / 4;
}
static inline u64 hd_stack_address(u32 word)
{
	u64 task;

	if (word < HD_MAIN_WORDS)
		return hd_eng.shared_stack + word * 4ull;
	word -= HD_MAIN_WORDS;
	task = word / HD_LOCAL_WORDS + 1;
	return hd_eng.shared_stack + (task + 1) * HD_STACK_SIZE -
	       HD_SHARED_LOCALS + word % HD_LOCAL_WORDS * 4ull;
}
/* What reaches into the stack of a task is ordered with its end: hd_order_on(). */
static inline u64 hd_stack_key(u32 task)
{
	return 1ull << 61 | (2 + task);
}

enum { HD_ASK_CHOOSE = 1, HD_ASK_FAIL = 2, HD_ASK_SIGNAL = 3 };

/* What stands to the right of the engine and has a part in loading: handed in
 * by the composition root (src/run.c). */
struct hd_parts {
	void (*oracles)(void);    /* subscribe, reserve world state */
	void (*primitives)(void); /* objects that the kernel API needs */
	void (*daemons)(void);    /* tasks of its own, after the scenario's */
};

/* Load a variant: map the world, run the set-up, take every task to its first
 * op, take the template, profile.  Returns NULL, or what went wrong. */
const char *hd_load(const struct heddle_scenario *s,
		    const struct heddle_variant *v,
		    const struct hd_parts *parts);

/* One run.  The outcome is in W: verdicts, hash, counts. */
void hd_run_schedule(const struct hd_schedule *s);
/* The same with hd_eng.log filled. */
void hd_run_recorded(const struct hd_schedule *s);

/* --- for strategies, search and primitives ------------------------------ */

/* hd_publish_when() for a lock word: until it is 0. */
void hd_publish_until_zero(u8 kind, const u32 *word, u8 flags, u32 pc);
hd_tasks hd_enabled(void);            /* tasks that can be chosen now */
void hd_resume(struct hd_task *t);    /* main context: let t run its op */
void hd_finish(void);                 /* main context: judge the end */
void hd_end_task(struct hd_task *t);  /* the current one; never returns */
/* Is the task's pending op a choice for strategies? */
bool hd_is_choice(const struct hd_task *t);
bool hd_is_private(const struct hd_op *op); /* for exhaustive search */
void hd_raise(struct hd_verdict v);   /* does not return if v.fatal */
/* A choice or a verdict must belong to an op: give a task that has not
 * published its first one yet an op that does nothing. */
void hd_need_op(void);
void hd_limit(const char *what);      /* the limit verdict; fatal */
/* Leave the probe of a sleeper: see src/oracle/progress.c. */
void hd_probe_done(bool condition_true);
u32 hd_ask(u8 kind, u32 n);
/* HD_ADDS: writes so that two are all the same in either order, HD_COMMUTES. */
enum hd_touching { HD_READS, HD_WRITES, HD_ADDS };
void hd_touch(u64 addr, u32 size, enum hd_touching how);
/* Oracles: this transition is ordered with all others that name key. */
static __always_inline void hd_order_on(u64 key, bool write)
{
	hd_eng.ordered = true;
	if (unlikely(hd_eng.touching))
		hd_touch(key, 1, write ? HD_WRITES : HD_READS);
}
/* Primitives: it also touched this memory, beside the op's own range. */
void hd_order_range(const volatile void *p, u32 size, bool write);
static __always_inline bool hd_on_task_stack(void)
{
	return (u64)__builtin_frame_address(0) - HD_STACK_BASE <
	       (HD_MAX_TASKS + 1) * HD_STACK_SIZE;
}

/* --- interrupt handlers (irq.c) ------------------------------------------- */

enum { HD_NOBODY = HD_MAX_TASKS - 1 }; /* in the place of a task: the end */
/* What becomes of the tasks in on when handlers have CPUs, or may not come. */
hd_tasks hd_with_interrupts(hd_tasks on);
/* Only handlers that need not come are left of on: the run may end here. */
bool hd_may_end(hd_tasks on);
bool hd_users_done(void);
/* Of a handler that may come: who runs on its CPU now? */
u32 hd_interrupted_by(u32 handler);
/* cur ran last, next goes on: is that a preemption? */
bool hd_preempts(hd_tasks on, u32 cur, u32 next);
/* Interrupts were on behind t's last op and are off before its next one: the
 * last moment for a handler of its CPU. */
bool hd_closes(const struct hd_task *t);
/* Under exhaustive search: the key of the CPU that the task runs on. */
u64 hd_cpu_key(u32 task);
/* The handler executes its first op; it has ended. */
void hd_enter_handler(struct hd_task *t);
void hd_leave_handler(struct hd_task *t);
/* The current task turns interrupts or softirqs on or off. */
void hd_set_context(u8 irqs_off, u8 bh_off, u32 pc);

/* --- heap ------------------------------------------------------------------ */

/* A new zeroed object; its payload.  The object header lies in front. */
void *hd_heap_new(const char *type, u32 size, u32 pc);
/* r->object, type and type_off: what lies at addr now. */
void hd_name_object(struct hd_record *r, u64 addr);
/* For reports: o begins to live here.  The stack goes into the recording; what
 * is done before the first op of a run is not recorded, and kept aside. */
void hd_record_alloc(const struct hd_object *o);
/* That stack; returns how many frames, 0: none. */
u8 hd_setup_frames(const struct hd_object *o, u32 frames[HD_MAX_FRAMES]);
/* Free an object (kfree), on behalf of the code at pc: an op. */
void hd_free(const void *p, u32 pc);
/* The op alone: the object whose payload is p, and hd_did() must follow; NULL, after
 * the verdict, if there is none that lives. */
struct hd_object *hd_free_op(const void *p, u32 pc);
static inline struct hd_object *hd_object_of(const void *payload)
{
	return (struct hd_object *)payload - 1;
}

typedef void (*hd_subscriber)(const struct hd_event *ev);
enum { HD_MAX_SUBSCRIBERS = 12 };
extern hd_subscriber hd_subscribers[HD_KINDS][HD_MAX_SUBSCRIBERS + 1];
void hd_subscribe(u8 kind, hd_subscriber fn);
void hd_unsubscribe_all(void);

/* The goals of the loaded variant, ends with NULL; W->marks has a bit for each. */
const char *const *hd_goals(void);
void hd_find_goals(void);
void hd_emit(struct hd_event *ev);

/* What happens to the context of a task: op.code of HD_EV_CONTEXT. */
enum hd_context {
	HD_CTX_IRQS_ON, HD_CTX_IRQS_OFF, HD_CTX_BH_ON, HD_CTX_BH_OFF,
	HD_CTX_HARDIRQ_ENTER, HD_CTX_HARDIRQ_EXIT,
	HD_CTX_SOFTIRQ_ENTER, HD_CTX_SOFTIRQ_EXIT
};

/* Lock annotations come twice with every lock, and most of them concern
 * nobody: the lock oracle gets them by direct call, without an event.  It keeps
 * the stack of held locks of the task (nheld, held, chain). */
struct hd_lock_oracle {
	/* e: the free entry on top of the stack, with what the annotation
	 * says; sync: as if released at once (lock_sync) */
	void (*acquire)(struct hd_task *t, struct hd_held *e, bool sync);
	void (*release)(struct hd_task *t, struct lockdep_map *map, u32 pc);
	void (*downgrade)(struct hd_task *t, struct lockdep_map *map, u32 pc);
	void (*set_subclass)(struct hd_task *t, struct lockdep_map *map,
			     u32 subclass, u32 pc);
	bool (*is_held)(const struct hd_task *t, const struct lockdep_map *map,
			int read);
	/* t, which holds locks, frees [from, from + size), or initialises a
	 * lock there; the maps in it are still intact */
	void (*freed)(const struct hd_task *t, u64 from, u64 size, u32 pc);
	/* what (enum hd_context) has just become true of t; an exit is told
	 * while the handler still has the CPU */
	void (*context)(struct hd_task *t, u32 what);
};
extern struct hd_lock_oracle hd_lock_oracle;
/* Does nobody else hear what is acquired and released? */
bool hd_locks_are_direct(void);
/* debug_check_no_locks_freed(): [p, p + size) is freed, or a lock in it is
 * initialised. */
static __always_inline void hd_no_locks_freed(const volatile void *p, u64 size,
					      u32 pc)
{
	if (unlikely(W->cur->nheld && hd_lock_oracle.freed && !W->probing))
		hd_lock_oracle.freed(W->cur, (u64)p, size, pc);
}

/* Every executed op, at the instant of its execution, for the oracle that
 * knows which accesses are ordered: by direct call as well.  All are NULL when
 * there is none.  Its memory is the annex: see world.h. */
struct hd_access_oracle {
	/* t->op; val: not known yet of a plain or volatile store */
	void (*access)(struct hd_task *t, u64 old, u64 val);
	/* the same, for what nearly all ops are: loads and stores of the heap
	 * that order nothing; what: flags, and hd_bytes_of() << 8 */
	void (*load)(struct hd_task *t, u32 what, u64 val);
	void (*store)(struct hd_task *t, u32 what, u64 old);
	/* and for ops of hd_takes_lock() and hd_gives_lock() */
	void (*take)(struct hd_task *t, u64 old, u64 val);
	void (*give)(struct hd_task *t, u64 old, u64 val);
	/* the store that W->store_watched was set for */
	void (*settled)(const struct hd_op *op, u64 old, u64 val);
	/* primitives: synchronisation that is not that of the op's word; key is
	 * an address in the world that stands for it */
	void (*acquire)(u64 key);
	void (*release)(u64 key, bool replace);
	void (*pass)(u64 from, u64 to); /* the one key's to the other */
	void (*fence)(u8 order);
	/* ASSERT_EXCLUSIVE_*: enum hd_exclusive in compiler.h; end: of a scope */
	void (*exclusive)(u64 addr, u32 size, u8 what, u64 mask, u32 pc,
			  bool end);
	void (*forget)(void);  /* the annex is about to be replaced */
	void (*recall)(void);  /* it was */
	/* all runs of the profile are over: what shall each run begin with? */
	void (*prepare)(void);
	u64 (*hash)(void);     /* what of it decides the future */
};
extern struct hd_access_oracle hd_access_oracle;
/* Which bytes an op of at most 8 bytes touches: bit i is the i-th one of the
 * word of 4 that it begins in, bit 4 the first one of the next. */
static __always_inline u32 hd_bytes_of(u64 addr, u32 size)
{
	return ((1u << size) - 1) << (addr & 3);
}
static __always_inline void hd_sync_acquire(const volatile void *key)
{
	if (hd_access_oracle.acquire && W->running)
		hd_access_oracle.acquire((u64)key);
}
/* replace: what was released there before is no longer acquired there. */
static __always_inline void hd_sync_release(const volatile void *key,
					    bool replace)
{
	if (hd_access_oracle.release && W->running)
		hd_access_oracle.release((u64)key, replace);
}
/* Who acquires at to gets as well what was released at from until now. */
static __always_inline void hd_sync_pass(const volatile void *from,
					 const volatile void *to)
{
	if (hd_access_oracle.pass && W->running)
		hd_access_oracle.pass((u64)from, (u64)to);
}
/* The op being executed orders less than its order says: a conditional one that
 * failed.  (Its order itself is part of the trace hash.) */
static __always_inline void hd_gives(u8 order)
{
	W->cur->order_given = order + 1u;
}
/* Has a word that the task read since its last await another value now?  (Of at most
 * HD_MAX_READS; t is a struct hd_task, for hd_publish_when().) */
bool hd_reads_changed(const void *t);
static __always_inline u64 hd_read_addr(u64 packed)
{
	return packed & ((1ull << 48) - 1);
}
static __always_inline u32 hd_read_size(u64 packed)
{
	return (u32)(packed >> 48);
}
void hd_settle_store(void);
/* heddle_remark() of that place; p, size: what it is about, or NULL, 0. */
void hd_remark_at(const char *text, u32 pc, const volatile void *p, u32 size);
void hd_keep_frames(u32 pc); /* recording: a store happens now */
static __always_inline void hd_settle(void)
{
	if (unlikely(W->unsettled))
		hd_settle_store();
}

/* --- profile: what a fixed set of runs showed ------------------------------ */

enum { HD_MAX_SHARED = 256, HD_PROFILE_RUNS = 32 };
/* Programs: learnt from the first so many schedules of this search. */
enum { HD_WARM_UP = 16 };
struct hd_origin {
	int strategy; /* -1: portfolio */
	u32 seed, runs;
};
static const struct hd_origin HD_USUAL_ORIGIN = { -1, 1, HD_WARM_UP };
struct hd_profile {
	u32 nshared;                  /* shared words */
	u64 word[HD_MAX_SHARED];      /* their addresses */
	u32 count[HD_MAX_SHARED][HD_MAX_TASKS]; /* ops per run, rounded up */
	u32 decisions;                /* most choosable decisions in one run */
	struct hd_origin of;
};
extern struct hd_profile hd_profile;
/* Exhaustive search: note an executed op; true if it shows a word to be shared
 * that was taken for private. */
bool hd_profile_learn(const struct hd_op *op, u32 task);
/* Places (pc) after whose op oracles are told something. */
bool hd_is_telling(const struct hd_op *op);
bool hd_telling_learn(const struct hd_op *op); /* false: known */
void hd_profile_note(const struct hd_op *op, u32 task);
void hd_profile_decision(void);
/* The race oracle: these bytes are accessed without order. */
void hd_profile_raced(u64 addr);
void hd_profile_run(void);
/* Programs: the profile that runs of (this search's schedule number of.runs) have;
 * from number HD_WARM_UP on it is the same. */
void hd_profile_search(struct hd_origin of);
u32 hd_profile_runs(void); /* how many there were since the process began */
void hd_profile_clear(void);

/* A reads-from pair that its runs showed (flows.c). */
enum { HD_MAX_FLOWS = 8192 };
struct hd_flow {
	u64 word;
	u32 reader, writer; /* places; writer 0: nobody */
	u32 upto;           /* sum of the weights up to and with this one */
};
extern struct hd_flow hd_flow[HD_MAX_FLOWS];
extern u32 hd_nflows;
void hd_flows_clear(void);
void hd_flows_new_run(void);
void hd_flows_note(const struct hd_op *op, u32 word); /* its number */
void hd_flows_list(void);
const struct hd_flow *hd_flows_draw(u64 drawn); /* by weight; NULL: none */

/* --- memory that is not part of the world --------------------------------- */

/* Anonymous memory that is never given back; zeroed. */
void *hd_map_memory(u64 size);

#endif
