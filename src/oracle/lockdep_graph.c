/* SPDX-License-Identifier: MIT */
/* Lockdep's classes and the graph of their order.
 *
 * First form: an edge means "next was acquired, blocking, while prev was
 * held"; a cycle is found by plain reachability, which is the kernel's verdict
 * as long as no recursive reader takes part (kernel/locking/lockdep.c, 6.12:
 * __bfs with all edges strong). */
#include "lockdep.h"
#include "../engine/engine.h"

u32 lockdep_find_class(struct lockdep_map *map, u32 subclass)
{
	struct lockdep_class *c;
	u32 i;

	for (i = 0; i < lockdep->nclasses; i++) {
		c = &lockdep->classes[i];
		if (c->key == map->key && c->subclass == subclass)
			break;
	}
	if (i == LOCKDEP_MAX_CLASSES)
		hd_limit("lock classes");
	if (i == lockdep->nclasses) {
		c = &lockdep->classes[lockdep->nclasses++];
		c->key = map->key;
		c->name = map->name;
		c->subclass = subclass;
	}
	if (subclass < 2)
		map->class_cache[subclass] = (u8)(i + 1);
	return i;
}

/* Shortest path from -> to, breadth first; parents tell the way back. */
static bool reach(u32 from, u32 to, u8 *parent)
{
	u32 seen = 1u << from, wave = seen, next, m;

	while (wave) {
		next = 0;
		for (m = wave; m; m &= m - 1) {
			u32 c = (u32)__builtin_ctz(m);
			u32 fresh = lockdep->classes[c].after & ~seen & ~next;
			u32 f;

			for (f = fresh; f; f &= f - 1)
				parent[__builtin_ctz(f)] = (u8)c;
			next |= fresh;
		}
		if (next >> to & 1)
			return true;
		seen |= next;
		wave = next;
	}
	return false;
}

bool lockdep_add_edge(u32 prev, u32 next, u8 *path, u32 *npath)
{
	u8 parent[LOCKDEP_MAX_CLASSES];
	u32 c;

	if (lockdep->classes[prev].after >> next & 1)
		return true;
	if (prev != next && reach(next, prev, parent)) {
		*npath = 0;
		for (c = prev; c != next; c = parent[c])
			path[(*npath)++] = (u8)c;
		path[(*npath)++] = (u8)next;
		return false;
	}
	lockdep->classes[prev].after |= 1u << next;
	lockdep->nedges++;
	return true;
}
