/* SPDX-License-Identifier: MIT */
/* Private to the lockdep oracle: classes, the graph, and reporting. */
#ifndef ORACLE_LOCKDEP_H
#define ORACLE_LOCKDEP_H

#include <heddle/lockdep.h>
#include <heddle/verdict.h>

enum { LOCKDEP_MAX_CLASSES = 32 };

struct lockdep_class {
	const struct lock_class_key *key;
	const char *name;
	u32 subclass;
	u32 after; /* bit c: an edge to class c was recorded */
};

/* World state, reset with every run. */
struct lockdep_state {
	u32 nclasses;
	u32 off; /* a report was made */
	u32 nedges;
	struct lockdep_class classes[LOCKDEP_MAX_CLASSES];
};

extern struct lockdep_state *lockdep;

/* The class of (key, subclass), registered at first use. */
u32 lockdep_find_class(struct lockdep_map *map, u32 subclass);
static __always_inline u32 lockdep_class_of(struct lockdep_map *map,
					    u32 subclass)
{
	if (likely(subclass < 2 && map->class_cache[subclass]))
		return map->class_cache[subclass] - 1u;
	return lockdep_find_class(map, subclass);
}
/* Record prev -> next.  Returns false, and fills path with the classes of the
 * cycle (from next to prev), if the edge would close one. */
bool lockdep_add_edge(u32 prev, u32 next, u8 *path, u32 *npath);
/* Report once, then off. */
void lockdep_report(u8 verdict, const u8 *classes, u32 n, u32 pc);

#endif
