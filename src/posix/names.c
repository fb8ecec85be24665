/* SPDX-License-Identifier: MIT */
/* What is the object called at this address of the program, and how do locks
 * become known to lockdep? */
#include <string.h>

#include <heddle/lockdep.h>

#include "../engine/coro.h"
#include "posix.h"

void posix_map_init(struct lockdep_map *map, const volatile void *lock,
		    const char *what)
{
	memset(map, 0, sizeof(*map));
	map->key = (const struct lock_class_key *)lock;
	map->name = posix_name(lock, what);
}

/* From debug information, where that can be read: "queue.lock", or NULL.  The
 * text stays. */
const char *hd_static_name(u64 addr) __attribute__((weak));

/* Debug information wants a larger stack than a task has. */
struct question {
	u64 addr;
	const char *name;
	void *asker;
};

static void answer(void *arg)
{
	struct question *q = arg;
	void *ignored;

	q->name = hd_static_name(q->addr);
	hd_coro_switch(&ignored, q->asker);
	__builtin_trap();
}

static const char *ask(u64 addr)
{
	enum { STACK = 1 << 20 };
	static char *stack;
	struct question q = { addr };

	if (!stack)
		stack = hd_map_memory(STACK);
	hd_coro_switch(&q.asker, hd_coro_new(stack, stack + STACK, answer, &q));
	return q.name;
}

/* Names do not change in the life of the process, and are asked for again in
 * each run. */
const char *posix_name(const volatile void *p, const char *what)
{
	enum { ROOM = 1024 };
	static struct {
		u64 addr;
		const char *name;
	} known[ROOM];
	u32 i = (u32)((u64)p >> 3) % ROOM, k;
	const char *name;

	if (!hd_in_statics((u64)p) || !hd_static_name)
		return what;
	for (k = 0; k < ROOM; k++, i = (i + 1) % ROOM) {
		if (known[i].addr == (u64)p)
			return known[i].name;
		if (!known[i].addr)
			break;
	}
	if (k == ROOM)
		return what;
	name = ask((u64)p);
	known[i].addr = (u64)p;
	known[i].name = name ? name : what;
	return known[i].name;
}

void posix_store(void *p, u32 size, u64 val, u32 pc)
{
	bool op = hd_in_heap((u64)p) || hd_in_statics((u64)p) ||
		  hd_in_shared_stack((u64)p);
	u64 old = 0;

	if (op) {
		posix_begin(HD_STORE, p, size, HD_WRITE | HD_PLAIN, HD_RELAXED,
			    pc);
		memcpy(&old, p, size);
	}
	memcpy(p, &val, size);
	if (op)
		hd_did(old, val);
}
