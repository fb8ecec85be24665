/* SPDX-License-Identifier: MIT */
/* Which class does a lock belong to?  One per (key, subclass): the locks that
 * are initialised at one line are one class, and subclasses of a key have
 * nothing to do with each other. */
#include <stdio.h>
#include <string.h>

#include "lockdep.h"

/* "mmap_lock/1".  Text has to stay, and nothing depends on where it stays, so
 * it is no part of the world. */
static const char *name_with_subclass(const char *name, u32 subclass)
{
	static char names[512][40];
	static u32 n;
	char text[40];
	u32 i;

	if (!subclass)
		return name;
	snprintf(text, sizeof(text), "%.36s/%u", name,
		 subclass % LOCKDEP_SUBCLASSES);
	for (i = 0; i < n; i++)
		if (!strcmp(names[i], text))
			return names[i];
	if (n == ARRAY_SIZE(names))
		return name;
	memcpy(names[n], text, sizeof(text));
	return names[n++];
}

u32 lockdep_look_up_class(const struct lockdep_map *map, u32 subclass)
{
	u32 i, n = lockdep_nclasses();

	for (i = 0; i < n; i++)
		if (lockdep->class[i].key == map->key &&
		    lockdep->class[i].subclass == subclass)
			return i;
	return LOCKDEP_NO_CLASS;
}

u32 lockdep_find_class(struct lockdep_map *map, u32 subclass)
{
	u32 i = lockdep_look_up_class(map, subclass);

	if (i == LOCKDEP_NO_CLASS) {
		i = lockdep_nclasses();
		if (i == LOCKDEP_CLASSES) {
			lockdep_report_name(HD_V_LIMIT, "lock classes");
			return LOCKDEP_NO_CLASS;
		}
		lockdep->class[i] = (struct lockdep_class){
			.key = map->key,
			.name = name_with_subclass(map->name, subclass),
			.subclass = (u8)subclass,
			.wait_inner = map->wait_inner,
			.wait_outer = map->wait_outer,
			.lock_type = map->lock_type,
		};
		lockdep->class_bytes += (u32)sizeof(struct lockdep_class);
	}
	if (subclass < 2 && i < 255)
		map->class_cache[subclass] = (u8)(i + 1);
	return i;
}
