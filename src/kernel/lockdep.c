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

static void init_map(struct lockdep_map *map, const char *name,
		     const struct lock_class_key *key, u32 pc)
{
	hd_quiet_write(map, sizeof(*map), pc);
	memset(map, 0, sizeof(*map));
	map->name = last_part(name);
	map->key = key;
}

void hd_lockdep_init_map(struct lockdep_map *map, const char *name,
			 const struct lock_class_key *key)
{
	init_map(map, name, key, HD_PC());
}

void hd_lockdep_init_map_type(struct lockdep_map *map, const char *name,
			      const struct lock_class_key *key, u8 inner,
			      u8 outer, u8 lock_type)
{
	init_map(map, name, key, HD_PC());
	map->wait_inner = inner;
	map->wait_outer = outer;
	map->lock_type = lock_type;
}

/* The wait type stays. */
void hd_lockdep_set_class(struct lockdep_map *map, const char *name,
			  const struct lock_class_key *key)
{
	struct lockdep_map old = *map;

	init_map(map, name, key, HD_PC());
	map->wait_inner = old.wait_inner;
	map->wait_outer = old.wait_outer;
	map->lock_type = old.lock_type;
}

void hd_annotate_acquire(struct lockdep_map *map, int subclass, int trylock,
			 int read)
{
	hd_lock_acquire(map, subclass, trylock, read, 1, HD_PC());
}

void hd_annotate_acquire_all(struct lockdep_map *map, int subclass,
			     int trylock, int read, int check,
			     struct lockdep_map *nest)
{
	hd_lock_acquire_nest(map, subclass, trylock, read, check, nest,
			     HD_PC());
}

void hd_annotate_sync(struct lockdep_map *map, int subclass, int read,
		      int check)
{
	hd_lock_sync(map, subclass, read, check, HD_PC());
}

void hd_annotate_subclass(struct lockdep_map *map, int subclass)
{
	hd_lock_set_subclass(map, subclass, HD_PC());
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
	return hd_lock_oracle.is_held &&
	       hd_lock_oracle.is_held(W->cur, map, read);
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
