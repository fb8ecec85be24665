/* SPDX-License-Identifier: MIT */
/* Objects: used after they were freed, freed twice, freed with a lock in them
 * that somebody holds, never freed, and never freed for want of a put.
 *
 * Freed memory is not handed out again within a run, so every later access is
 * seen.  Objects of a SLAB_TYPESAFE_BY_RCU cache stay accessible to readers;
 * what may be believed of them is for the mm checks to judge.  The engine says
 * which accesses are bad (HD_EV_BAD_ACCESS).
 *
 * held lock freed: lockdep looks at the locks of the task that frees, and has a
 * callback for it.  Here are those of all other tasks, which hold such a lock
 * or wait for it, and are about to touch freed memory: the kernel would see
 * that one only when it happens. */
#include <heddle/lockdep.h>

#include "../engine/engine.h"
#include "oracle.h"

/* --- bad accesses -------------------------------------------------------- */

static void on_bad_access(const struct hd_event *ev)
{
	struct hd_verdict v = { .kind = HD_V_WILD_ACCESS, .fatal = 1,
				.pc = ev->op.pc };
	u64 addr = ev->op.addr;
	const struct hd_object *o = NULL;

	if (hd_in_heap(addr) && addr < HD_HEAP_BASE + W->heap_used)
		o = hd_object_at(addr);
	if (o) {
		v.type = o->type;
		v.off = (u32)(addr - (u64)(o + 1));
		if (o->state != HD_OBJ_LIVE)
			v.kind = HD_V_USE_AFTER_FREE;
	}
	if (ev->op.code == 1) {
		v.kind = HD_V_DOUBLE_FREE;
		v.off = 0;
	}
	hd_raise(v);
}

/* --- freed with a lock held ---------------------------------------------- */

static void judge_locks_of(const struct hd_task *t, const struct hd_event *ev)
{
	u32 i;

	for (i = 0; i < t->nheld; i++) {
		const struct lockdep_map *map = t->held[i].map;
		struct hd_verdict v = { .kind = HD_V_FREED, .pc = ev->op.pc,
					.nnames = 1, .names = { map->name } };

		if ((u64)map - ev->op.addr < ev->op.size)
			hd_raise(v);
	}
}

static void on_free(const struct hd_event *ev)
{
	u32 i;

	for (i = 0; i < W->ntasks; i++)
		if (&W->tasks[i] != W->cur || !hd_lock_oracle.freed)
			judge_locks_of(&W->tasks[i], ev);
}

/* --- never freed --------------------------------------------------------- */

static int counter_at(u64 addr)
{
	return *(const int *)addr;
}

/* The first counter of a leaked object that is above 0: offset + 1, or 0. */
static u32 referenced(const struct hd_object *o)
{
	u32 i;

	for (i = 0; i < HD_OBJ_REFS && o->refs[i]; i++)
		if (counter_at((u64)(o + 1) + o->refs[i] - 1) > 0)
			return o->refs[i];
	return 0;
}

static void judge_leak(const struct hd_object *o)
{
	struct hd_verdict v = { .kind = HD_V_LEAK, .pc = o->alloc_pc,
				.nnames = 1, .names = { o->type } };
	u32 ref = referenced(o);

	if (ref) {
		v.kind = HD_V_REFCOUNT_LEAK;
		v.nnames = 0;
		v.names[0] = NULL;
		v.type = o->type;
		v.off = ref - 1;
	}
	hd_raise(v);
}

static void on_end(const struct hd_event *ev)
{
	u64 at = HD_HEAP_BASE + HD_GRANULE;

	(void)ev;
	while (at < HD_HEAP_BASE + W->heap_used) {
		const struct hd_object *o = (struct hd_object *)at;

		if (o->state == HD_OBJ_LIVE && !o->setup)
			judge_leak(o);
		at += sizeof(*o) + ((o->size + HD_GRANULE - 1) &
				    ~(u64)(HD_GRANULE - 1));
	}
}

void hd_lifetime_start(void)
{
	hd_subscribe(HD_EV_BAD_ACCESS, on_bad_access);
	hd_subscribe(HD_FREE, on_free);
	hd_subscribe(HD_EV_END, on_end);
}
