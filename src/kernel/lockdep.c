/* SPDX-License-Identifier: MIT */
/* What do hand-written annotations and lock assertions tell the engine?  The
 * verdicts themselves come from src/oracle/lockdep*.c. */
#include <heddle/lockdep.h>
#include <string.h>

#include "kernel.h"

/* "&mm->mmap_lock" is called "mmap_lock": signatures must not depend on how
 * the code at hand spells the way to the lock. */
static const char *last_part(const char *expr)
{
	const char *name = expr;

	for (; *expr; expr++) {
		if (*expr == '&' || *expr == '.' || *expr == '(')
			name = expr + 1;
		else if (expr[0] == '-' && expr[1] == '>')
			name = expr + 2;
	}
	return *name ? name : "lock";
}

void hd_lockdep_init_map(struct lockdep_map *map, const char *name,
			 const struct lock_class_key *key)
{
	hd_quiet_write(map, sizeof(*map), HD_PC());
	hd_no_locks_freed(map, sizeof(*map), HD_PC());
	memset(map, 0, sizeof(*map));
	map->name = last_part(name);
	map->key = key;
}

void hd_annotate_acquire(struct lockdep_map *map, int subclass, int trylock,
			 int read)
{
	hd_lock_acquire(map, subclass, trylock, read, 1, HD_PC());
}

void hd_annotate_release(struct lockdep_map *map)
{
	hd_lock_release(map, HD_PC());
}

void hd_annotate_downgrade(struct lockdep_map *map)
{
	hd_lock_downgrade(map, HD_PC());
}

bool hd_lock_is_held(const struct lockdep_map *map, int read)
{
	const struct hd_task *t = W->cur;
	u32 i;

	for (i = 0; i < t->nheld; i++)
		if (t->held[i].map == map)
			return read < 0 || !!t->held[i].read == !!read;
	return false;
}

void hd_lockdep_assert(bool held, const struct lockdep_map *map)
{
	if (likely(held))
		return;
	/* the boot task builds and checks the world alone: no locks needed */
	if (!W->running)
		return;
	hd_complain(HD_V_LOCK_ASSERT, NULL, map ? map->name : "condition",
		    HD_PC());
}
