/* SPDX-License-Identifier: MIT */
/* Who asks for objects, and which of those that were freed come back?
 *
 * A free object of a type-safe cache is linked into the cache's list through
 * its header, so that its contents stay as they were. */
#include <heddle/slab.h>
#include <string.h>

#include "kernel.h"

struct kmem_cache {
	u64 list; /* granule of the header that was freed last; 0: none */
	const char *type;
	void (*ctor)(void *);
	u32 size;
	slab_flags_t flags;
};

void *hd_memset(void *to, int c, size_t size);

/* --- allocation ----------------------------------------------------- */

/* "sizeof(struct x)" -> "struct x", "sizeof(*p)" -> "*p" (triage knows what p
 * points to), with a place to stay.  Nothing depends on where it stays, so this is
 * no part of the world. */
static const char *type_in(const char *text)
{
	static char names[64][48];
	static u32 n;
	size_t len = strlen(text);
	u32 i;

	if (strncmp(text, "sizeof(", 7) || len < 9 || len - 8 > 47 ||
	    strchr(text + 8, '*') || strchr(text, ')') != text + len - 1)
		return "kmalloc";
	text += 7;
	len -= 8;
	for (i = 0; i < n; i++)
		if (!strncmp(names[i], text, len) && !names[i][len])
			return names[i];
	if (n == ARRAY_SIZE(names))
		return "kmalloc";
	memcpy(names[n], text, len);
	return names[n++];
}

static bool fails(const char *what, gfp_t flags)
{
	return !(flags & __GFP_NOFAIL) && heddle_fail(what);
}

void *hd_kmalloc(const char *size_text, size_t size, gfp_t flags)
{
	u32 pc = HD_PC();

	hd_settle();
	if (fails("kmalloc", flags))
		return NULL;
	return hd_heap_new(type_in(size_text), size ? (u32)size : 1, pc);
}

/* --- free ----------------------------------------------------------- */

void kfree(const void *p)
{
	if (p)
		hd_free(p, HD_PC());
}

/* --- caches --------------------------------------------------------- */

struct kmem_cache *kmem_cache_create(const char *name, unsigned int size,
				     unsigned int align, slab_flags_t flags,
				     void (*ctor)(void *))
{
	struct kmem_cache *c;

	(void)align;
	hd_settle();
	c = hd_heap_new("struct kmem_cache", sizeof(*c), HD_PC());
	heddle_keep(c);
	c->type = name;
	c->size = size;
	c->flags = flags;
	c->ctor = ctor;
	return c;
}

static void *new_object(const struct kmem_cache *c, u32 pc)
{
	void *p = hd_heap_new(c->type, c->size, pc);

	if (c->ctor)
		c->ctor(p);
	return p;
}

/* The object that was freed last, or a new one; an op either way. */
static void *typesafe_alloc(struct kmem_cache *c, bool *reused, u32 pc)
{
	struct hd_object *o;
	u64 old;

	hd_publish(HD_ALLOC, &c->list, sizeof(c->list), HD_RW, HD_RELAXED, pc);
	old = c->list;
	*reused = old;
	if (!old) {
		hd_did(0, 0);
		return new_object(c, pc);
	}
	o = (struct hd_object *)(HD_HEAP_BASE + old * HD_GRANULE);
	c->list = o->next_free;
	o->next_free = 0;
	o->state = HD_OBJ_LIVE;
	o->alloc_pc = pc;
	o->alloc_task = W->cur->id;
	o->setup = 0;
	o->reused++;
	hd_record_alloc(o);
	/* who sees it free and who sees it in use: that is an order */
	hd_order_range(o + 1, o->size, true);
	hd_did(old, c->list);
	return o + 1;
}

static void *alloc(struct kmem_cache *c, gfp_t flags, u32 pc)
{
	bool reused = false;
	void *p;

	hd_settle();
	if (fails(c->type, flags))
		return NULL;
	if (!(c->flags & SLAB_TYPESAFE_BY_RCU))
		return new_object(c, pc);
	p = typesafe_alloc(c, &reused, pc);
	if (reused && (flags & __GFP_ZERO))
		hd_memset(p, 0, c->size);
	return p;
}

void *kmem_cache_alloc(struct kmem_cache *c, gfp_t flags)
{
	return alloc(c, flags, HD_PC());
}

void *kmem_cache_zalloc(struct kmem_cache *c, gfp_t flags)
{
	return alloc(c, flags | __GFP_ZERO, HD_PC());
}

void kmem_cache_free(struct kmem_cache *c, void *p)
{
	u32 pc = HD_PC();
	struct hd_object *o;

	if (!p)
		return;
	if (!(c->flags & SLAB_TYPESAFE_BY_RCU)) {
		hd_free(p, pc);
		return;
	}
	o = hd_free_op(p, pc);
	if (!o)
		return;
	hd_order_range(&c->list, sizeof(c->list), true);
	hd_sync_release(&c->list, false); /* to whoever gets it next */
	o->state = HD_OBJ_TYPESAFE;
	o->next_free = (u16)c->list;
	c->list = ((u64)o - HD_HEAP_BASE) / HD_GRANULE;
	hd_did(0, 0);
	hd_no_locks_freed(p, o->size, pc);
}
