/* SPDX-License-Identifier: MIT */
/* Lockdep's checks on the stack of held locks, in the kernel's order: acquire,
 * release, return to user space, exit.  One report per run, then off, as in
 * the kernel (debug_locks = 0).
 *
 * Follows kernel/locking/lockdep.c of 6.12: check_deadlock, check_prevs_add,
 * lock_release, lockdep_sys_exit, debug_check_no_locks_held.  Not yet: nest
 * locks, recursive-read strength, irq usage, wait types, re-acquisition after a
 * release in the middle. */
#include <string.h>

#include "../engine/engine.h"
#include "lockdep.h"
#include "oracle.h"

struct lockdep_state *lockdep;

static void order(bool write)
{
	hd_order_on(HD_ORDER_KEY(HD_ORDER_LOCKDEP), write);
}

static void add_sorted(struct hd_verdict *v, const char *name)
{
	u32 i = v->nnames, j;

	for (j = 0; j < v->nnames; j++)
		if (!strcmp(v->names[j], name))
			return;
	if (v->nnames == HD_VERDICT_NAMES)
		return;
	while (i > 0 && strcmp(v->names[i - 1], name) > 0) {
		v->names[i] = v->names[i - 1];
		i--;
	}
	v->names[i] = name;
	v->nnames++;
}

void lockdep_report(u8 verdict, const u8 *classes, u32 n, u32 pc)
{
	struct hd_verdict v = { .kind = verdict, .pc = pc };
	u32 i;

	order(true);
	for (i = 0; i < n; i++)
		add_sorted(&v, lockdep->classes[classes[i]].name);
	lockdep->off = 1;
	hd_raise(v);
}

/* The same class twice on one stack, readers among themselves included. */
static bool recursive(const struct hd_task *t, u32 class, u8 read, u32 pc)
{
	u32 i;

	for (i = 0; i < t->nheld; i++) {
		const struct hd_held *h = &t->held[i];
		u8 c = (u8)lockdep_class_of(h->map, h->subclass);

		if (c != class || (read == 2 && h->read))
			continue;
		lockdep_report(HD_V_RECURSIVE, &c, 1, pc);
		return true;
	}
	return false;
}

/* Edges from what is held, downwards up to the first that was no trylock:
 * that one has its own edges from what lies below. */
static void add_edges(const struct hd_task *t, u32 class, u32 pc)
{
	u8 path[LOCKDEP_MAX_CLASSES];
	u32 npath, i;

	for (i = t->nheld; i-- > 0;) {
		const struct hd_held *h = &t->held[i];

		if (!h->check)
			continue;
		if (!lockdep_add_edge(lockdep_class_of(h->map, h->subclass),
				      class, path, &npath)) {
			lockdep_report(HD_V_CIRCULAR, path, npath, pc);
			return;
		}
		if (!h->trylock)
			break;
	}
}

/* The usual case: every lock held is of another class, and its order before
 * this one is on record. */
static bool all_known(const struct hd_task *t, u32 class)
{
	u32 i;

	for (i = 0; i < t->nheld; i++) {
		const struct hd_held *h = &t->held[i];
		u32 c = lockdep_class_of(h->map, h->subclass);

		if (c == class ||
		    !(lockdep->classes[c].after >> class & 1))
			return false;
	}
	return true;
}

static void on_acquire(const struct hd_task *t, struct lockdep_map *map,
		       u32 code, u32 subclass, u32 pc)
{
	u32 read = code & 3, trylock = code >> 2 & 1, check = code >> 3 & 1;
	u32 class, edges;

	if (trylock || !check)
		return;
	class = lockdep_class_of(map, subclass);
	order(false);
	if (lockdep->off || all_known(t, class))
		return;
	edges = lockdep->nedges;
	if (recursive(t, class, (u8)read, pc))
		return;
	add_edges(t, class, pc);
	if (lockdep->nedges != edges)
		order(true);
}

static void on_unbalanced(struct lockdep_map *map, u32 pc)
{
	u8 class;

	order(false);
	if (lockdep->off)
		return;
	class = (u8)lockdep_class_of(map, 0);
	lockdep_report(HD_V_UNBALANCE, &class, 1, pc);
}

static void still_held(u8 verdict, u32 pc)
{
	const struct hd_task *t = W->cur;
	u8 classes[HD_MAX_HELD];
	u32 i;

	if (!t->nheld)
		return;
	order(false);
	if (lockdep->off)
		return;
	for (i = 0; i < t->nheld; i++)
		classes[i] = (u8)lockdep_class_of(t->held[i].map,
						  t->held[i].subclass);
	lockdep_report(verdict, classes, t->nheld, pc);
}

static void on_user(const struct hd_event *ev)
{
	still_held(HD_V_HELD_AT_USER, ev->op.pc);
}

static void on_exit_task(const struct hd_event *ev)
{
	still_held(HD_V_HELD_AT_EXIT, ev->op.pc);
}

void hd_lockdep_start(void)
{
	lockdep = hd_world_reserve(sizeof(*lockdep));
	hd_lock_oracle.acquire = on_acquire;
	hd_lock_oracle.unbalanced = on_unbalanced;
	hd_subscribe(HD_USER, on_user);
	hd_subscribe(HD_EV_EXIT, on_exit_task);
}
