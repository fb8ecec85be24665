/* SPDX-License-Identifier: MIT */
/* Which mm checks there are, and which address spaces they know.  Each
 * subscribes to events; they run in every run of every scenario and say nothing
 * where there is no mm. */
#include "check.h"

#include <string.h>

#include "../engine/engine.h"

static u64 *mms; /* world: addresses of the mm_structs */

bool check_alive(const void *p)
{
	const struct hd_object *o = hd_in_heap((u64)p) ?
					    hd_object_at((u64)p) : NULL;

	return o && o->state == HD_OBJ_LIVE;
}

static void on_note(const struct hd_event *ev)
{
	u32 i;

	if (ev->op.code != MM_NOTE_NEW)
		return;
	/* the place of one that was freed is free */
	for (i = 0; i < CHECK_MMS && mms[i] && check_alive((void *)mms[i]); i++)
		;
	if (i == CHECK_MMS)
		hd_limit("address spaces known to the checks");
	mms[i] = ev->old;
}

const struct mm_struct *check_mm(u32 i)
{
	return i < CHECK_MMS ? (const struct mm_struct *)mms[i] : NULL;
}

static u64 end_of(const struct hd_object *o)
{
	return (u64)(o + 1) + ((o->size + HD_GRANULE - 1) &
			       ~(u64)(HD_GRANULE - 1));
}

const struct hd_object *check_next(const struct hd_object *o, const char *type)
{
	u64 at = o ? end_of(o) : HD_HEAP_BASE + HD_GRANULE;

	for (; at < HD_HEAP_BASE + W->heap_used; at = end_of(o)) {
		o = (const struct hd_object *)at;
		if (!type || !strcmp(o->type, type))
			return o;
	}
	return NULL;
}

const struct vm_area_struct *check_vma_at(const struct mm_struct *mm,
					  unsigned long addr)
{
	const struct maple_node *node = mm->mm_mt.root;
	u32 i;

	for (i = 0; node && i < node->nslots; i++)
		if (addr >= node->slot[i].first && addr <= node->slot[i].last)
			return node->slot[i].vma;
	return NULL;
}

bool check_covered(const struct mm_struct *mm, unsigned long addr)
{
	return check_vma_at(mm, addr);
}

void mm_checks_start(void)
{
	mms = hd_world_reserve(CHECK_MMS * sizeof(*mms));
	hd_subscribe(HD_EV_NOTE, on_note);
	check_vma_lock_start();
	check_pte_start();
	check_tree_start();
	check_restored_start();
	check_user_start();
	check_fault_start();
	check_mm_start();
	check_tlb_start();
	check_rmap_start();
	check_leak_start();
	check_vfio_start();
}
