/* SPDX-License-Identifier: MIT */
/* Objects: used after they were freed, freed twice, never freed.
 *
 * Freed memory is not handed out again within a run, so every later access is
 * seen.  Objects of a SLAB_TYPESAFE_BY_RCU cache stay accessible by design;
 * what may be believed of them is for the mm checks to judge. */
#include "../engine/engine.h"
#include "oracle.h"

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
		if (o->state == HD_OBJ_FREED)
			v.kind = HD_V_USE_AFTER_FREE;
	}
	if (ev->op.code == 1) {
		v.kind = HD_V_DOUBLE_FREE;
		v.off = 0;
	}
	hd_raise(v);
}

static void on_end(const struct hd_event *ev)
{
	u64 at = HD_HEAP_BASE + HD_GRANULE;

	(void)ev;
	while (at < HD_HEAP_BASE + W->heap_used) {
		const struct hd_object *o = (struct hd_object *)at;
		struct hd_verdict v = { .kind = HD_V_LEAK, .pc = o->alloc_pc,
					.nnames = 1, .names = { o->type } };

		if (o->state == HD_OBJ_LIVE && !o->setup)
			hd_raise(v);
		at += sizeof(*o) + ((o->size + HD_GRANULE - 1) &
				    ~(u64)(HD_GRANULE - 1));
	}
}

void hd_lifetime_start(void)
{
	hd_subscribe(HD_EV_BAD_ACCESS, on_bad_access);
	hd_subscribe(HD_EV_END, on_end);
}
