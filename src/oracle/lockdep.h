/* SPDX-License-Identifier: MIT */
/* Private to lockdep: its state, and what its parts offer each other.
 *
 *   lockdep.c        the oracle: annotations of a run in, verdicts out
 *   lockdep_stack.c  one task's stack of held locks: acquire, release ...
 *   lockdep_class.c  classes, by key and subclass
 *   lockdep_chain.c  chains of (class, read) that were validated before
 *   lockdep_graph.c  dependencies between classes, and the search in them
 *   lockdep_usage.c  classes used in interrupts, and with interrupts on
 *   lockdep_wait.c   wait types: what may be taken inside what
 *   lockdep_report.c the one report: verdict, classes, cycle
 *
 * The rules are those of kernel/locking/lockdep.c, Linux 6.12 with
 * PROVE_LOCKING and PROVE_RAW_LOCK_NESTING, held to the verdicts of a booted
 * kernel by corpus/lockdep.  Copied in logic, also where the kernel is known
 * to be incomplete; lockdep_exact lifts that.  Simplified: no DEBUG_LOCKDEP
 * self-checks, no pinning, no compare functions, no redundant-edge removal
 * (CONFIG_LOCKDEP_SMALL).  Different: after the report held locks are tracked
 * further, because other oracles and reports need them.
 *
 * All parts but lockdep.c know tasks only as stacks: `heddle lockdep` drives
 * them with programs instead of runs. */
#ifndef ORACLE_LOCKDEP_H
#define ORACLE_LOCKDEP_H

#include <heddle/lockdep.h>
#include <heddle/verdict.h>

#include "../engine/engine.h"

enum {
	LOCKDEP_CLASSES = 256,
	LOCKDEP_EDGES = 16384,  /* the kernel's: a list entry each way */
	LOCKDEP_CHAINS = 65535,
	LOCKDEP_SUBCLASSES = 8,
	LOCKDEP_NO_CLASS = 0xffff,
};

/* Usage bits.  The order is the kernel's: of two conflicts the lower bit is
 * reported. */
enum lockdep_usage {
	USED_IN_HARDIRQ,
	USED_IN_HARDIRQ_READ,
	ENABLED_HARDIRQ,
	ENABLED_HARDIRQ_READ,
	USED_IN_SOFTIRQ,
	USED_IN_SOFTIRQ_READ,
	ENABLED_SOFTIRQ,
	ENABLED_SOFTIRQ_READ,
	LOCKDEP_USAGES,
	USAGE_READ = 1, /* bits of a usage's number */
	USAGE_ENABLED = 2,
};

/* Kinds of a dependency: E or S, is prev exclusive or shared; N or R, is next
 * a non-recursive or a recursive acquisition. */
enum { DEP_SR = 1, DEP_ER = 2, DEP_SN = 4, DEP_EN = 8 };

struct lockdep_class {
	const struct lock_class_key *key;
	const char *name;
	u16 usage;         /* 1 << enum lockdep_usage */
	u16 after, after_last;   /* edges + 1, in the order of recording */
	u16 before, before_last;
	u8 subclass;
	u8 wait_inner, wait_outer, lock_type;
	u8 pad[2];
};

struct lockdep_edge {
	u16 from, to;
	u16 next_after;    /* of from, + 1 */
	u16 next_before;   /* of to, + 1 */
	u8 dep;            /* DEP_* seen so far */
	u8 pad;
};

/* A node of the tree of chains: the path from the root is a stack of held
 * locks. */
struct lockdep_chain {
	u16 what;          /* class | read << 13 */
	u16 child, sibling;
	u16 validated;
};

/* Where an edge was recorded: for reports, no part of the state. */
struct lockdep_origin {
	u32 step;          /* event of the acquire that recorded it */
	u32 task;
};

/* World state: a header, and tables that grow within a run. */
struct lockdep {
	u32 class_bytes, edge_bytes, chain_bytes, origin_bytes; /* in use */
	union {
		struct {
			u8 off;   /* a report was made */
			u8 irqs;  /* interrupts exist: usage is marked */
		};
		u16 off_or_irqs; /* either */
	};
	u8 nested;         /* a chain was validated under a nest lock */
	u8 recursive;      /* a recursive reader is in the graph */
	u32 pad;
	struct lockdep_class *class;
	struct lockdep_edge *edge;
	struct lockdep_chain *chain;
	struct lockdep_origin *origin;
};

/* The one report. */
struct lockdep_report {
	u8 verdict;        /* enum hd_verdict_kind; 0: none yet */
	u8 bit, excl;      /* irq verdicts: usages that conflict */
	u16 nclasses;      /* all that take part, the culprit's first */
	u16 class[64];
	u16 nedges;        /* cycle: the known path from next to prev, in order;
			    * irq-inversion and irq-order: to the irq-unsafe */
	u16 edge[64];
	u16 nback;         /* irq verdicts: the path back to the irq-safe class */
	u16 back[64];
	u16 prev, next;    /* the new dependency, or LOCKDEP_NO_CLASS */
	u8 prev_read, next_read;
	const char *nest;  /* nest-not-held: the nest lock */
	const char *name;  /* of a lock without a class; or what a WARN says */
};

extern struct lockdep *lockdep;
extern struct lockdep_report lockdep_found;
extern bool lockdep_exact; /* strong cycles exactly, not as the kernel does */

static inline u32 lockdep_nclasses(void)
{
	return lockdep->class_bytes / (u32)sizeof(struct lockdep_class);
}
static inline u32 lockdep_nedges(void)
{
	return lockdep->edge_bytes / (u32)sizeof(struct lockdep_edge);
}

/* --- lockdep_stack.c.  false: a report was made. --------------------------- */

/* e: map, nest, pc, n, read, trylock, check, subclass; the rest is filled. */
bool lockdep_acquire(struct hd_task *t, struct hd_held *e, bool sync);
bool lockdep_release(struct hd_task *t, struct lockdep_map *map);
bool lockdep_downgrade(struct hd_task *t, struct lockdep_map *map);
bool lockdep_set_subclass(struct hd_task *t, struct lockdep_map *map,
			  u32 subclass);
/* Is any lock in [from, from + size) held by t? */
bool lockdep_no_locks_freed(struct hd_task *t, u64 from, u64 size);
bool lockdep_nothing_held(struct hd_task *t, u8 verdict);
/* read: -1 any, 0 write, 1 read.  The oldest match alone counts. */
bool lockdep_holds(const struct hd_task *t, const struct lockdep_map *map,
		     int read);
/* hardirqs | softirqs << 1: the interrupt that t runs in. */
static inline u8 lockdep_irq_context(const struct hd_task *t)
{
	return (u8)((t->in_hardirq ? 1 : 0) | (t->in_softirq ? 2 : 0));
}

/* --- lockdep_class.c ------------------------------------------------------- */

u32 lockdep_find_class(struct lockdep_map *map, u32 subclass);
/* The class of (key, subclass), registered at first use. */
static __always_inline u32 lockdep_class_of(struct lockdep_map *map,
					    u32 subclass)
{
	if (likely(subclass < 2 && map->class_cache[subclass]))
		return map->class_cache[subclass] - 1u;
	return lockdep_find_class(map, subclass);
}
/* Without registering; LOCKDEP_NO_CLASS if it was never taken. */
u32 lockdep_look_up_class(const struct lockdep_map *map, u32 subclass);

/* --- lockdep_chain.c ------------------------------------------------------- */

/* The chain (node of the tree, 0 is its root) one lock longer. */
u16 lockdep_new_chain(u16 chain, u16 what);
static __always_inline u16 lockdep_chain_with(u16 chain, u16 what)
{
	u16 c = lockdep->chain[chain].child;

	while (c && lockdep->chain[c].what != what)
		c = lockdep->chain[c].sibling;
	return likely(c) ? c : lockdep_new_chain(chain, what);
}

/* --- lockdep_graph.c ------------------------------------------------------- */

struct lockdep_search {
	/* what is looked for: a class that conflicts with a lock taken as
	 * reader (read != 0) or exclusively ... */
	u16 class;
	u8 read;
	/* ... or a class with one of these usage bits (mask != 0) */
	bool usage, gather;
	u16 mask;
	u16 gathered;      /* union of all usage bits on the way */
	/* the answer */
	u16 found;
	u16 npath;
	u16 path[64];      /* edges, from the start */
};
/* Breadth first from class, along or against the dependencies.  only_xr: the
 * first edge must leave an exclusive holder. */
bool lockdep_bfs(struct lockdep_search *s, u16 class, bool only_xr,
		 bool backward);
/* Record prev -> next after all checks; distance: how far apart they stand. */
bool lockdep_add_dependency(const struct hd_task *t, const struct hd_held *prev,
			    const struct hd_held *next);
u8 lockdep_dep_kind(u8 prev_read, u8 next_read);

/* --- lockdep_usage.c ------------------------------------------------------- */

/* The first use of e's class in this way. */
bool lockdep_mark(const struct hd_held *e, u8 bit);
bool lockdep_mark_usage(struct hd_task *t, const struct hd_held *e, bool sync);
/* Would it mark anything new? */
bool lockdep_usage_is_known(const struct hd_task *t, const struct hd_held *e);
bool lockdep_check_irq_usage(const struct hd_held *prev,
			     const struct hd_held *next);
/* Interrupts change for t, see enum hd_context. */
bool lockdep_context(struct hd_task *t, u32 what);
const char *lockdep_usage_name(u8 bit);

/* --- lockdep_wait.c -------------------------------------------------------- */

bool lockdep_check_wait_context(const struct hd_task *t,
				const struct hd_held *next);

/* --- lockdep_report.c ------------------------------------------------------ */

/* Start the report; false always, for callers to return. */
bool lockdep_report(u8 verdict);
bool lockdep_report_class(u8 verdict, u16 class);
bool lockdep_report_name(u8 verdict, const char *name);
void lockdep_report_add(u16 class);
/* The verdict as the run's list wants it. */
struct hd_verdict lockdep_verdict(u32 pc);

/* --- lockdep.c ------------------------------------------------------------- */

/* A graph of its own, empty: for lock programs and for joined runs.  Static
 * memory; the state of a loaded variant is left alone until lockdep_back(). */
void lockdep_apart(void);
void lockdep_empty(void);
void lockdep_back(void);

#endif
