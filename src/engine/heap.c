/* SPDX-License-Identifier: MIT */
/* The heap of model objects.  Memory is never handed out twice in a run, so a
 * use after free is always seen; type-safe slab caches (src/kernel/slab.c)
 * reuse their objects on purpose. */
#include <heddle/heddle.h>
#include <string.h>

#include "../base/hash.h"
#include "engine.h"

static u64 hash_name(const char *s)
{
	u64 h = 1469598103934665603ull;

	while (*s)
		h = (h ^ (u8)*s++) * 1099511628211ull;
	return h;
}

/* Count the instances of a type: walk the heap, object by object. */
static u32 next_instance(const char *type)
{
	u64 at = HD_HEAP_BASE + HD_GRANULE, end = HD_HEAP_BASE + W->heap_used;
	u32 n = 1;

	while (at < end) {
		const struct hd_object *o = (struct hd_object *)at;

		if (o->type == type || !strcmp(o->type, type))
			n++;
		at += sizeof(*o) + ((o->size + HD_GRANULE - 1) &
				    ~(u64)(HD_GRANULE - 1));
	}
	return n;
}

void *hd_heap_new(const char *type, u32 size, u32 pc)
{
	u32 room = (size + HD_GRANULE - 1) & ~(u32)(HD_GRANULE - 1);
	u16 *shadow = (u16 *)HD_SHADOW_BASE;
	struct hd_object *o;
	u32 instance, g, i;

	if (!strncmp(type, "struct ", 7)) /* macros hand the type over */
		type += 7;
	instance = next_instance(type);
	if (W->heap_used + sizeof(*o) + room > HD_HEAP_SIZE)
		hd_limit("heap full");
	g = W->heap_used / HD_GRANULE;
	o = (struct hd_object *)(HD_HEAP_BASE + W->heap_used);
	memset(o, 0, sizeof(*o) + room);
	o->type = type;
	o->instance = instance;
	o->id = hd_fold(hash_name(type), instance);
	o->size = size;
	o->alloc_pc = pc;
	o->alloc_task = W->cur->id;
	o->setup = W->cur->id >= W->ntasks || !W->running;
	o->state = HD_OBJ_LIVE;
	W->heap_used += sizeof(*o) + room;
	for (i = g; i < W->heap_used / HD_GRANULE; i++)
		shadow[i] = (u16)g;
	hd_record_alloc(o);
	return o + 1;
}

void *heddle_alloc_type(const char *type, u32 size)
{
	void *p;

	hd_settle();
	p = hd_heap_new(type, size, HD_PC());
	hd_object_of(p)->setup = 1;
	return p;
}

void heddle_keep(const void *p)
{
	if (hd_in_heap((u64)p))
		hd_object_of(p)->setup = 1;
}

/* --- free ------------------------------------------------------------------- */

static void bad_free(const void *p, u32 pc)
{
	struct hd_event ev = { .op = { .kind = HD_EV_BAD_ACCESS,
				       .addr = (u64)p, .size = 1, .code = 1,
				       .flags = HD_WRITE, .pc = pc } };

	hd_settle();
	if (!W->probing)
		hd_emit(&ev);
}

static struct hd_object *object_of_payload(const void *p)
{
	u64 addr = (u64)p;
	struct hd_object *o;

	if (!hd_in_heap(addr) || addr >= HD_HEAP_BASE + W->heap_used)
		return NULL;
	o = hd_object_at(addr);
	return o && (u64)(o + 1) == addr ? o : NULL;
}

struct hd_object *hd_free_op(const void *p, u32 pc)
{
	struct hd_object *o = object_of_payload(p);

	if (!o) {
		bad_free(p, pc);
		return NULL;
	}
	hd_publish(HD_FREE, p, o->size, HD_WRITE, HD_RELAXED, pc);
	if (o->state != HD_OBJ_LIVE) {
		bad_free(p, pc);
		return NULL;
	}
	o->free_pc = pc;
	o->free_task = W->cur->id;
	return o;
}

void hd_free(const void *p, u32 pc)
{
	struct hd_object *o = hd_free_op(p, pc);

	if (!o)
		return;
	o->state = HD_OBJ_FREED;
	hd_did(0, 0);
	hd_no_locks_freed(p, o->size, pc);
}
