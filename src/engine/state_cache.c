/* SPDX-License-Identifier: MIT */
/* Which states has the bounded search expanded; see state_cache.h. */
#include "state_cache.h"

#include <string.h>

#include "../base/hash.h"
#include "engine.h"

struct cached {
	u64 key;
	s32 left; /* most preemptions left with which it was expanded, plus 1 */
};

static struct cached *cache;
static u64 cache_size, cache_used;

void hd_state_cache_clear(void)
{
	static struct cached *room;

	if (!room)
		room = hd_map_memory((1ull << 28) * sizeof(*room));
	if (cache_used)
		memset(room, 0, cache_size * sizeof(*room));
	cache = room;
	cache_size = 1u << 16;
	cache_used = 0;
}

static struct cached *cache_find(struct cached *table, u64 size, u64 key)
{
	u64 i = hd_mix(key) & (size - 1);

	while (table[i].left && table[i].key != key)
		i = (i + 1) & (size - 1);
	return &table[i];
}

/* Double in place: the upper half of the mapping is still zero. */
static bool cache_grow(void)
{
	u64 n = cache_size, i, kept = 0;
	static struct cached *copy;
	static u64 copy_size;

	if (n * 2 > 1ull << 28)
		return false;
	if (copy_size < n) {
		copy_size = n * 4;
		copy = hd_map_memory(copy_size * sizeof(*copy));
	}
	for (i = 0; i < n; i++)
		if (cache[i].left)
			copy[kept++] = cache[i];
	memset(cache, 0, n * sizeof(*cache));
	cache_size = n * 2;
	for (i = 0; i < kept; i++)
		*cache_find(cache, cache_size, copy[i].key) = copy[i];
	return true;
}

bool hd_state_seen(u64 key, u32 left)
{
	struct cached *c;

	if (cache_used * 3 > cache_size * 2 && !cache_grow())
		return false;
	c = cache_find(cache, cache_size, key);
	if (c->left && c->left >= (s32)left + 1)
		return true;
	if (!c->left)
		cache_used++;
	c->key = key;
	c->left = (s32)left + 1;
	return false;
}
