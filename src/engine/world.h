/* SPDX-License-Identifier: MIT */
/* The world: all memory that a run may change, at fixed addresses.
 *
 *   state   struct hd_world, the oracles' reservations, the tasks
 *   heap    model objects, each behind a struct hd_object
 *   shadow  for each 16 bytes of heap, which object they belong to
 *   statics .data and .bss of model objects (section hd_data)
 *   stacks  one per task, guard page below; only the live part is copied
 *   held    per task the locks that it holds; only those are copied
 *   tables  of oracles, which grow within a run; only what is used is copied
 *   annex   of the oracle of accesses: grows in a run, its used part is copied
 *
 * Reset is: restore the template, a snapshot taken after the set-up with every
 * task waiting at its first op.  Snapshot and restore are memcpy of what is
 * used.  Coverage counters, statistics and recordings are outside. */
#ifndef ENGINE_WORLD_H
#define ENGINE_WORLD_H

#include <heddle/heddle.h>
#include <heddle/op.h>

#include "tasks.h"

/* above AddressSanitizer's shadow (0x10007fff8000) */
#define HD_STATE_BASE 0x110000000000ull
#define HD_STATE_SIZE 0x1000000ull
#define HD_HELD_BASE 0x110000800000ull /* stacks of held locks */
#define HD_HELD_SIZE 0x800ull          /* of one task */
#define HD_HEAP_BASE 0x110001000000ull
#define HD_HEAP_SIZE 0x100000ull /* 1 MiB: a u16 names each granule */
#define HD_SHADOW_BASE 0x110002000000ull
#define HD_STACK_BASE 0x110010000000ull
#define HD_STACK_SIZE 0x10000ull
#define HD_STACK_GUARD 0x1000ull
#define HD_ANNEX_BASE 0x110003000000ull
#define HD_ANNEX_SIZE 0x400000ull
#define HD_GRANULE 16

enum {
	HD_MAX_HELD = 48,   /* locks held by one task, lockdep's MAX_LOCK_DEPTH */
	HD_MAX_READS = 8,   /* words that an await watches */
	HD_MAX_MARKS = 512, /* places of a program; goals of a variant: 64 */
	HD_MAX_STEPS = 20000, /* ops of one run */
	HD_MAX_STATICS = 4 << 20, /* bytes of the program's static data */
	HD_OBJ_REFS = 4,    /* reference counters known of one object */
};

enum hd_object_state { HD_OBJ_LIVE = 1, HD_OBJ_FREED = 2, HD_OBJ_TYPESAFE = 3 };

/* Stands in front of each object; 48 bytes. */
struct hd_object {
	const char *type;
	u64 id;       /* hash of type name and instance: used in trace hashes */
	u32 size;
	u32 instance; /* 1, 2 ... per type, in order of allocation */
	u32 alloc_pc, free_pc;
	u8 state;     /* enum hd_object_state */
	u8 alloc_task, free_task;
	u8 setup;     /* allocated by the set-up, or kept: no leak */
	u8 reused;    /* times that a type-safe cache handed it out again */
	u8 pad;
	u16 next_free; /* type-safe caches: granule of the next free object */
	u16 refs[HD_OBJ_REFS]; /* offset + 1 of a refcount_t in it, ascending */
};

/* An entry of a task's stack of held locks.  The lock oracle fills and keeps
 * it; blocking acquires are entered before they block. */
struct hd_held {
	struct lockdep_map *map;
	struct lockdep_map *nest; /* nest_lock, or NULL */
	u32 pc;
	u32 n; /* the op at which it was taken */
	u16 class;       /* lockdep's, 0xffff: none */
	u16 chain;       /* lockdep's chain below it */
	u16 references;  /* acquisitions under a nest lock counted on it */
	union {
		struct {
			u8 read, trylock, check, subclass;
		};
		u32 mode; /* all four at once */
	};
	u8 irq_context;  /* bit 0: taken in a hardirq, bit 1: in a softirq */
	u8 hardirqs_off;
};

enum hd_task_state { HD_READY, HD_ASLEEP, HD_DONE };

struct hd_task {
	void *sp;
	struct hd_op op; /* pending; once chosen: the op being executed */
	u64 hist;        /* hash of what its ops saw: its local state */
	bool (*when)(const void *arg); /* pending op can be chosen only if */
	const void *when_arg;
	const char *name;
	void (*fn)(void *arg);
	void *arg;
	u32 n;          /* ops executed */
	u16 nchoices;   /* data choices made */
	u16 nfallible;  /* fallible operations met */
	u8 id;
	u8 state;       /* enum hd_task_state */
	u8 daemon;      /* need not end: RCU's, threads nobody has made */
	u8 signalled;
	u8 sleeping_wait; /* in schedule() of a wait with a condition */
	union {
		struct {
			u8 rcu_nesting;
			u8 atomic;   /* spinlocks held and the like */
			u8 irqs_off; /* local_irq_disable() */
			u8 bh_off;   /* local_bh_disable(), times */
		};
		u32 no_sleep; /* any of these */
	};
	u8 nheld;
	u16 nreads;     /* since its last await */
	union {
		struct {
			u8 in_hardirq, in_softirq; /* the interrupt it runs in */
		};
		u16 in_irq; /* either */
	};
	u8 hardirq_threaded;
	u8 held_below;  /* handlers: locks of the interrupted task, below */
	u16 chain;      /* lockdep's: what is held, as one number */
	u32 next_edit;  /* next op number at which an edit applies */
	u8 irq;         /* enum heddle_irq; 0: no handler */
	u8 host;        /* handlers: the task on whose CPU it comes */
	u32 irqs_until; /* interrupts were last on behind this op, plus 1 */
	u32 bh_until;   /* the same for softirqs */
	union {
		struct {
			union {
				struct {
					u8 race_off; /* kcsan_disable_current(), nested */
					u8 race_atomic; /* kcsan_*_atomic_begin() */
					u16 race_next; /* kcsan_atomic_next(): left */
				};
				u32 race_quiet; /* any of these */
			};
			/* enum hd_order + 1: what the op being executed gives,
			 * where that is less than its order says; 0: that */
			u32 order_given;
		};
		u64 race_special; /* any of all these */
	};
	u8 race_fenced; /* the race oracle's: there was a release fence; */
	u8 race_pending; /* an acquire fence would get something; */
	u16 race_released; /* the op of the last release; */
	u16 *race_now;  /* and the clock: what is ordered before its next op */
	struct {
		u64 addr;
		u64 val;
	} reads[HD_MAX_READS]; /* since its last await */
	struct hd_held *held; /* nheld entries, the oldest first */
} __attribute__((aligned(16))); /* reservations are: tasks form an array */

struct hd_world {
	u32 used;      /* bytes of the state region, this struct included */
	u32 heap_used;
	u32 annex_used;
	hd_tasks ready;   /* tasks that are neither asleep nor done */
	hd_tasks cond;    /* of these, tasks whose op has a condition */
	hd_tasks waiting; /* and tasks that wait until a word is 0: when_arg */
	hd_tasks held_back; /* edit kind hold */
	hd_tasks irqs;    /* handlers that are not done */
	hd_tasks to_come; /* of these, handlers that have not come yet */
	u64 hash;      /* trace hash so far */
	struct hd_task *cur;
	u32 step;      /* events so far */
	u32 ops;
	u32 preemptions, switches, choices;
	u8 running;    /* 0: set-up, end check, probing: no scheduling */
	u8 unsettled;  /* a store was executed, its event is still to come */
	u8 ended;      /* a fatal verdict was raised */
	u8 probing;
	u8 store_watched; /* hd_access_oracle.settled() wants its values */
	u8 ntasks, nuser;
	u8 nverdicts;
	u64 unsettled_old, unsettled_id;
	u64 marks;     /* bit i: the i-th goal of hd_goals() was reached */
	u32 verdict_bytes; /* of the list below, as tables count */
	struct hd_verdict *verdicts; /* nverdicts, in the order of raising */
	struct hd_task *tasks; /* behind the oracles' reservations */
	hd_tasks late; /* tasks that go on once nobody else can: time passes */
};

#define W ((struct hd_world *)HD_STATE_BASE)

/* Map the regions; once per process.  Exits with a line on stderr if the
 * machine does not have the address space. */
void hd_world_map(void);
/* Forget everything, for a new set-up. */
void hd_world_clear(void);
/* Take bytes of the state region (zeroed), for oracles, before tasks exist. */
void *hd_world_reserve(u32 size);
/* The same for a table of at most max bytes that only grows within a run; used
 * counts its bytes and lies in a reservation. */
void *hd_world_reserve_table(u32 max, const u32 *used);
/* Append to W->verdicts; there must be room. */
void hd_list_verdict(const struct hd_verdict *v);
/* What of these tables decides the future, as a hash: called for each state of
 * the bounded search, with the hash so far. */
void hd_world_hash_by(u64 (*fn)(u64 h));
/* Room for HD_MAX_HELD held locks; HD_MAX_TASKS: the boot task's. */
struct hd_held *hd_world_held(u32 task);
struct hd_task *hd_world_add_task(const char *name, void (*fn)(void *),
				  void *arg);

/* Snapshots are self-contained byte strings. */
u64 hd_snapshot_size(void);
void hd_snapshot_save(void *to);
void hd_snapshot_load(const void *from);
/* A hash of everything that decides the future, cur excluded. */
u64 hd_world_state_hash(void);

static __always_inline bool hd_in_heap(u64 addr)
{
	return addr - HD_HEAP_BASE < HD_HEAP_SIZE;
}

static __always_inline struct hd_object *hd_object_at(u64 addr)
{
	u16 g = ((u16 *)HD_SHADOW_BASE)[(addr - HD_HEAP_BASE) / HD_GRANULE];

	return g ? (struct hd_object *)(HD_HEAP_BASE + g * HD_GRANULE) : NULL;
}

/* Section bounds of the models' static data; NULL when there is none. */
extern char __start_hd_data[] __attribute__((weak));
extern char __stop_hd_data[] __attribute__((weak));

static __always_inline bool hd_in_statics(u64 addr)
{
	return addr - (u64)__start_hd_data <
	       (u64)(__stop_hd_data - __start_hd_data);
}

#endif
