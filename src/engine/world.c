/* SPDX-License-Identifier: MIT */
/* Mapping, reset and snapshots of the world; see world.h for the layout. */
#define _GNU_SOURCE
#define XXH_INLINE_ALL
#include <xxhash.h> /* before our macros: it has names of its own */

#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "../base/hash.h"
#include "engine.h"

#if defined(__SANITIZE_ADDRESS__)
#define HAVE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAVE_ASAN 1
#endif
#endif
#ifdef HAVE_ASAN
#include <sanitizer/asan_interface.h>
#endif

static void map_at(u64 base, u64 size)
{
	void *p = mmap((void *)base, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE |
			       MAP_FIXED_NOREPLACE,
		       -1, 0);

	if (p != (void *)base) {
		fprintf(stderr, "heddle: cannot map the world at %#llx\n",
			(unsigned long long)base);
		exit(70);
	}
}

void hd_world_map(void)
{
	static bool mapped;
	u64 i;

	if (mapped)
		return;
	mapped = true;
	map_at(HD_STATE_BASE, HD_STATE_SIZE);
	map_at(HD_HEAP_BASE, HD_HEAP_SIZE);
	map_at(HD_SHADOW_BASE, HD_HEAP_SIZE / HD_GRANULE * 2);
	map_at(HD_ANNEX_BASE, HD_ANNEX_SIZE);
	/* one more than the tasks: the boot stack */
	map_at(HD_STACK_BASE, (HD_MAX_TASKS + 1) * HD_STACK_SIZE);
	for (i = 0; i <= HD_MAX_TASKS; i++)
		mprotect((void *)(HD_STACK_BASE + i * HD_STACK_SIZE),
			 HD_STACK_GUARD, PROT_NONE);
}

void *hd_map_memory(u64 size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED) {
		fprintf(stderr, "heddle: out of memory\n");
		exit(70);
	}
	return p;
}

static u64 statics_size(void)
{
	return (u64)(__stop_hd_data - __start_hd_data);
}

static struct table {
	char *base;
	const u32 *used;
} tables[8];
static u32 ntables;
static u64 table_room;
static u64 (*hashes[4])(u64 h);
static u32 nhashes;

/* gcc and clang turn a loop into memcpy, which AddressSanitizer intercepts and
 * checks against the poison of the stacks: unpoison before. */
static void unpoison(void *p, u64 size)
{
#ifdef HAVE_ASAN
	__asan_unpoison_memory_region(p, size);
#else
	(void)p;
	(void)size;
#endif
}

void hd_world_clear(void)
{
	static char *pristine; /* static data as the program started with it */

	hd_world_map();
	memset((void *)HD_STATE_BASE, 0, HD_STATE_SIZE / 16);
	memset((void *)HD_HEAP_BASE, 0, HD_HEAP_SIZE);
	memset((void *)HD_SHADOW_BASE, 0, HD_HEAP_SIZE / HD_GRANULE * 2);
	/* frames that were left for good have not taken their poison along */
	unpoison((void *)HD_STACK_BASE, (HD_MAX_TASKS + 1) * HD_STACK_SIZE);
	/* locals of programs are shared memory, and have values before they are
	 * set: not those that the scenario before this one left there */
	madvise((void *)HD_STACK_BASE, (HD_MAX_TASKS + 1) * HD_STACK_SIZE,
		MADV_DONTNEED);
	if (statics_size()) {
		if (!pristine) {
			pristine = hd_map_memory(statics_size());
			memcpy(pristine, __start_hd_data, statics_size());
		}
		memcpy(__start_hd_data, pristine, statics_size());
	}
	ntables = nhashes = 0;
	table_room = HD_STATE_BASE + HD_STATE_SIZE / 4;
	W->used = (sizeof(struct hd_world) + 63) & ~63u;
	W->heap_used = HD_GRANULE; /* granule 0 means none */
	W->verdicts = hd_world_reserve_table(
		HD_MAX_VERDICTS * sizeof(struct hd_verdict), &W->verdict_bytes);
}

void *hd_world_reserve(u32 size)
{
	void *p = (char *)HD_STATE_BASE + W->used;

	W->used += (size + 15) & ~15u;
	return p;
}

/* --- tables that grow within a run ------------------------------------------ */

void *hd_world_reserve_table(u32 max, const u32 *used)
{
	char *p = (char *)table_room;

	if (ntables == ARRAY_SIZE(tables) ||
	    table_room + max > HD_HELD_BASE) {
		fprintf(stderr, "heddle: no room for the tables of oracles\n");
		exit(70);
	}
	table_room += (max + 63) & ~63ull;
	tables[ntables++] = (struct table){ p, used };
	return p;
}

void hd_list_verdict(const struct hd_verdict *v)
{
	W->verdicts[W->nverdicts++] = *v;
	W->verdict_bytes += (u32)sizeof(*v);
}

void hd_world_hash_by(u64 (*fn)(u64 h))
{
	if (nhashes < ARRAY_SIZE(hashes))
		hashes[nhashes++] = fn;
}

struct hd_held *hd_world_held(u32 task)
{
	return (struct hd_held *)(HD_HELD_BASE + task * HD_HELD_SIZE);
}

struct hd_task *hd_world_add_task(const char *name, void (*fn)(void *),
				  void *arg)
{
	struct hd_task *t = hd_world_reserve(sizeof(*t));

	if (!W->ntasks)
		W->tasks = t;
	t->id = W->ntasks++;
	t->name = name;
	t->fn = fn;
	t->arg = arg;
	t->next_edit = UINT32_MAX;
	t->held = hd_world_held(t->id);
	hd_add(&W->ready, t->id);
	return t;
}

/* --- snapshots -------------------------------------------------------------
 *
 * state | tables | heap | shadow | statics | annex | for each task its held locks
 * and the live part of its stack.  The state comes first: it says how long the
 * rest is. */

static u32 shadow_used(void)
{
	return W->heap_used / HD_GRANULE * 2;
}

static char *stack_top(u32 task)
{
	return (char *)HD_STACK_BASE + (task + 1) * HD_STACK_SIZE;
}

static u64 stack_live(u32 task)
{
	return (u64)(stack_top(task) - (char *)W->tasks[task].sp);
}

static u64 held_size(u32 task)
{
	return W->tasks[task].nheld * sizeof(struct hd_held);
}

u64 hd_snapshot_size(void)
{
	u64 size = W->used + W->heap_used + shadow_used() + statics_size() +
		   W->annex_used;
	u32 i;

	for (i = 0; i < ntables; i++)
		size += *tables[i].used;
	for (i = 0; i < W->ntasks; i++) {
		size += held_size(i);
		if (W->tasks[i].state != HD_DONE)
			size += stack_live(i);
	}
	return size;
}

static char *put(char *to, void *from, u64 size)
{
	memcpy(to, from, size);
	return to + size;
}

void hd_snapshot_save(void *to)
{
	char *p = to;
	u32 i;

	p = put(p, (void *)HD_STATE_BASE, W->used);
	for (i = 0; i < ntables; i++)
		p = put(p, tables[i].base, *tables[i].used);
	p = put(p, (void *)HD_HEAP_BASE, W->heap_used);
	p = put(p, (void *)HD_SHADOW_BASE, shadow_used());
	if (statics_size())
		p = put(p, __start_hd_data, statics_size());
	p = put(p, (void *)HD_ANNEX_BASE, W->annex_used);
	for (i = 0; i < W->ntasks; i++) {
		if (unlikely(W->tasks[i].nheld))
			p = put(p, W->tasks[i].held, held_size(i));
		if (W->tasks[i].state == HD_DONE)
			continue;
		unpoison(W->tasks[i].sp, stack_live(i));
		p = put(p, W->tasks[i].sp, stack_live(i));
	}
}

static const char *take(const char *from, void *to, u64 size)
{
	memcpy(to, from, size);
	return from + size;
}

/* Above heap_used the shadow names no object: what the run allocated is
 * forgotten.  The judge of accesses relies on it. */
static void forget_above(u32 heap_used)
{
	u16 *shadow = (u16 *)HD_SHADOW_BASE;
	u32 g;

	for (g = heap_used / HD_GRANULE; g < W->heap_used / HD_GRANULE; g++)
		shadow[g] = 0;
}

void hd_snapshot_load(const void *from)
{
	const struct hd_world *w = from;
	const char *p = from;
	u32 i;

	forget_above(w->heap_used);
	if (hd_access_oracle.forget)
		hd_access_oracle.forget();
	p = take(p, (void *)HD_STATE_BASE, w->used);
	for (i = 0; i < ntables; i++)
		p = take(p, tables[i].base, *tables[i].used);
	p = take(p, (void *)HD_HEAP_BASE, W->heap_used);
	p = take(p, (void *)HD_SHADOW_BASE, shadow_used());
	if (statics_size())
		p = take(p, __start_hd_data, statics_size());
	p = take(p, (void *)HD_ANNEX_BASE, W->annex_used);
	if (hd_access_oracle.recall)
		hd_access_oracle.recall();
	for (i = 0; i < W->ntasks; i++) {
		if (unlikely(W->tasks[i].nheld))
			p = take(p, W->tasks[i].held, held_size(i));
		if (W->tasks[i].state == HD_DONE)
			continue;
		unpoison(stack_top(i) - HD_STACK_SIZE + HD_STACK_GUARD,
			 HD_STACK_SIZE - HD_STACK_GUARD);
		p = take(p, W->tasks[i].sp, stack_live(i));
	}
}

static u64 hash_bytes(u64 h, const void *from, u64 size)
{
	return hd_fold(h, XXH3_64bits(from, size));
}

u64 hd_world_state_hash(void)
{
	const char *oracles = (char *)HD_STATE_BASE +
			      ((sizeof(struct hd_world) + 63) & ~63u);
	u64 h = hd_fold((u64)W->ready ^ (u64)W->nverdicts << 56,
			(u64)(W->ready >> 64));
	u32 i, j;

	for (i = 0; i < W->ntasks; i++) {
		const struct hd_task *t = &W->tasks[i];

		h = hd_fold(h, t->hist);
		h = hd_fold(h, t->n | (u64)t->state << 32 |
				       (u64)t->signalled << 40 |
				       (u64)t->irqs_off << 41 |
				       (u64)hd_closes(t) << 42 |
				       (u64)t->bh_off << 48);
	}
	for (i = 0; i < W->nverdicts; i++) {
		const struct hd_verdict *v = &W->verdicts[i];

		h = hd_fold(h, v->kind | (u64)v->off << 32);
		for (j = 0; j < v->nnames; j++)
			h = hd_fold(h, (u64)v->names[j]);
	}
	h = hash_bytes(h, oracles, (u64)((char *)W->tasks - oracles));
	for (i = 0; i < nhashes; i++)
		h = hashes[i](h);
	if (hd_access_oracle.hash)
		h = hd_fold(h, hd_access_oracle.hash());
	h = hash_bytes(h, (void *)HD_HEAP_BASE, W->heap_used);
	if (statics_size())
		h = hash_bytes(h, __start_hd_data, statics_size());
	return h;
}
