/* SPDX-License-Identifier: MIT */
/* malloc and free, and strings that are written.
 *
 * Memory is that of the world: it is never handed out twice in a run, so each use
 * after free is seen, and what a program does not free is no leak, since it may
 * end with all of it.  malloc fails where the schedule says so (--fail).  What is
 * new is zero. */
#include <errno.h>
#include <string.h>

#include "posix.h"

void *hd_memcpy(void *to, const void *from, size_t size);
void *hd_memset(void *to, int c, size_t size);

void *posix_malloc(size_t size, const char *what, u32 pc)
{
	void *p;

	if (size > HD_HEAP_SIZE)
		hd_limit("heap full");
	hd_settle();
	p = hd_heap_new(what, size ? (u32)size : 1, pc);
	heddle_keep(p);
	return p;
}

static void *allocate(size_t size, u32 pc)
{
	if (heddle_fail("malloc")) {
		posix_self()->error = ENOMEM;
		return NULL;
	}
	return posix_malloc(size, "malloc", pc);
}

void *hd_malloc(size_t size)
{
	return allocate(size, HD_PC());
}

void *hd_calloc(size_t n, size_t size)
{
	return allocate(n * size, HD_PC());
}

void *hd_aligned_alloc(size_t align, size_t size)
{
	/* of the world's 16; nothing here is on a cache line of its own */
	(void)align;
	return allocate(size, HD_PC());
}

int hd_posix_memalign(void **p, size_t align, size_t size)
{
	void *q = allocate(size, HD_PC());

	(void)align;
	if (!q)
		return ENOMEM;
	posix_store(p, sizeof(*p), (u64)q, HD_PC());
	return 0;
}

/* --- free --------------------------------------------------------------------- */

void hd_free_memory(void *p)
{
	if (p)
		hd_free(p, HD_PC());
}

void *hd_realloc(void *p, size_t size)
{
	u32 pc = HD_PC();
	void *q = allocate(size, pc);
	const struct hd_object *o;

	if (!q || !p)
		return q;
	o = hd_in_heap((u64)p) ? hd_object_at((u64)p) : NULL;
	if (o)
		hd_memcpy(q, p, o->size < size ? o->size : size);
	hd_free(p, pc);
	return q;
}

/* --- strings -------------------------------------------------------------------- */

char *hd_strcpy(char *to, const char *from)
{
	return hd_memcpy(to, from, strlen(from) + 1);
}

char *hd_strncpy(char *to, const char *from, size_t size)
{
	size_t n = strnlen(from, size);

	hd_memcpy(to, from, n);
	hd_memset(to + n, 0, size - n);
	return to;
}

char *hd_strcat(char *to, const char *from)
{
	hd_memcpy(to + strlen(to), from, strlen(from) + 1);
	return to;
}

char *hd_strdup(const char *from)
{
	size_t n = strlen(from) + 1;
	char *p = allocate(n, HD_PC());

	return p ? hd_memcpy(p, from, n) : NULL;
}

char *hd_getenv(const char *name)
{
	(void)name;
	return NULL;
}

void hd_bzero(void *p, size_t size)
{
	hd_memset(p, 0, size);
}
