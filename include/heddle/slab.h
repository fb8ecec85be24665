/* SPDX-License-Identifier: MIT */
/* Objects: kmalloc, kfree and slab caches (include/linux/slab.h, mm/slub.c,
 * 6.12).
 *
 * Memory that was freed is not handed out again within a run, so that every
 * later access is seen (verdict use-after-free); freeing it again, or freeing
 * what is no object, is verdict double-free.  The exception is a cache with
 * SLAB_TYPESAFE_BY_RCU: it hands out the object that was freed last, promptly
 * and with its old contents, and accesses to a free one are legal inside of an
 * RCU read section or under a spinlock; elsewhere the page may be gone, which is
 * a use after free (as CONFIG_SLUB_RCU_DEBUG lets KASAN say).  That a section
 * began too late to hold the page is not seen.  Its allocation is an op on the
 * cache; other allocations are none.  A free is an op that writes the whole
 * object; a lock in it that any task holds or waits for is verdict freed.
 *
 * Any allocation can fail (NULL) when the schedule says so (edit kind fail),
 * unless flags have __GFP_NOFAIL.  Objects not freed at the end are verdict
 * leak, except those of the set-up and those passed to heddle_keep(); with a
 * refcount_t in them that is not 0, verdict refcount-leak (refcount.h). */
#ifndef HEDDLE_SLAB_H
#define HEDDLE_SLAB_H

#include <heddle/heddle.h>

#define GFP_NOWAIT ((gfp_t)4)
#define GFP_KERNEL_ACCOUNT GFP_KERNEL
#define __GFP_ZERO ((gfp_t)0x100)
#define __GFP_NOFAIL ((gfp_t)0x200)

/* The type for reports comes from the text of the size: sizeof(struct x), or *p
 * of sizeof(*p).  Where that names none, use the _obj forms, which take it. */
#define kmalloc(size, flags) hd_kmalloc(#size, (size), (flags))
#define kzalloc(size, flags) hd_kmalloc(#size, (size), (flags) | __GFP_ZERO)
#define kmalloc_obj(type, ...) \
	((type *)hd_kmalloc("sizeof(" #type ")", sizeof(type), GFP_KERNEL))
#define kzalloc_obj(type, ...)                                         \
	((type *)hd_kmalloc("sizeof(" #type ")", sizeof(type),         \
			    GFP_KERNEL | __GFP_ZERO))
#define kmalloc_array(n, size, flags) \
	hd_kmalloc(#size, (size_t)(n) * (size), (flags))
#define kcalloc(n, size, flags) \
	hd_kmalloc(#size, (size_t)(n) * (size), (flags) | __GFP_ZERO)
void *hd_kmalloc(const char *size_text, size_t size, gfp_t flags);
/* NULL is fine. */
void kfree(const void *p);

typedef unsigned int slab_flags_t;
#define SLAB_TYPESAFE_BY_RCU ((slab_flags_t)0x80000u)
#define SLAB_HWCACHE_ALIGN ((slab_flags_t)0x2000u)
#define SLAB_PANIC ((slab_flags_t)0x40000u)
#define SLAB_ACCOUNT ((slab_flags_t)0x4000000u)

struct kmem_cache;
/* In the set-up.  name is the type for reports, "struct x" for KMEM_CACHE(x).
 * ctor runs once per new object, not on reuse. */
struct kmem_cache *kmem_cache_create(const char *name, unsigned int size,
				     unsigned int align, slab_flags_t flags,
				     void (*ctor)(void *));
#define KMEM_CACHE(s, flags) \
	kmem_cache_create("struct " #s, sizeof(struct s), 0, (flags), NULL)
void *kmem_cache_alloc(struct kmem_cache *c, gfp_t flags);
void *kmem_cache_zalloc(struct kmem_cache *c, gfp_t flags);
void kmem_cache_free(struct kmem_cache *c, void *p);

#endif
