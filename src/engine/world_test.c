/* SPDX-License-Identifier: MIT */
/* What belongs to a run, and what does a reset bring back?  Choices found by
 * the profile, snapshots, the recording, held locks, objects, limits.
 * Covers world.c, profile.c, events.c, held.c and heap.c. */
#include "hot.h"
#include "../run.h"
#include "small_program.h"

/* --- what is a choice ----------------------------------------------------------- */

static void words(void *arg)
{
	u32 me = (u32)(uintptr_t)arg;

	atomic_add_return(1, &s->word);
	atomic_add_return(1, &s->own[me]);
	atomic_read_acquire(&s->constant);
	if (me == A)
		smp_store_release(&s->published.counter, 1);
	atomic_read_acquire(&s->published);
}

static u16 bits(const atomic_t *w)
{
	return hd_shared[((u64)w - HD_HEAP_BASE) / 4];
}

static void profile(void)
{
	u32 ops_all;

	load(2, words);
	tap_ok(bits(&s->word) & HD_CHOICE, "a word that two tasks write: choice");
	tap_ok(!(bits(&s->own[A]) & (HD_CHOICE | HD_CONFLICT)),
	       "a word of one task is private");
	tap_ok(!(bits(&s->constant) & HD_CHOICE),
	       "a word that is only read is no choice");
	tap_is(bits(&s->published) >> HD_WRITER, A + 1,
	       "a word with one writer: known");
	hd_eng.all_choice = true;
	run(with(1, 5));
	ops_all = W->switches;
	hd_eng.all_choice = false;
	run(with(1, 5));
	tap_ok(ops_all >= W->switches, "strategies choose at choices only");
	tap_is(hd_profile.nshared, 2, "two words are shared");
}

/* --- reset, snapshot, restore ------------------------------------------------------ */

static void deadlock(void *arg)
{
	u32 me = (u32)(uintptr_t)arg;

	mutex_lock(&s->lock[me]);
	atomic_add_return(1, &s->word);
	mutex_lock(&s->lock[1 - me]); /* stacks stay alive */
}

static void snapshots(void)
{
	struct hd_schedule *x = with(0, 0);
	u64 size, hash;
	char *one, *two;

	load(2, deadlock);
	edit(x, HD_EDIT_SWITCH, A, 2, B);
	run(x);
	tap_ok(W->nverdicts && W->tasks[A].state != HD_DONE,
	       "a run that ends in a deadlock");
	size = hd_snapshot_size();
	one = malloc(size);
	two = malloc(size);
	hd_snapshot_save(one);
	hash = hd_world_state_hash();
	run(with(0, 0));
	tap_ok(hd_world_state_hash() != hash, "another run, another state");
	hd_snapshot_load(one);
	tap_is((s64)hd_snapshot_size(), (s64)size, "restored: same size");
	hd_snapshot_save(two);
	tap_ok(!memcmp(one, two, size), "... the same bytes");
	tap_ok(hd_world_state_hash() == hash, "... the same state");
	hd_snapshot_load(hd_eng.template);
	size = hd_snapshot_size();
	two = realloc(two, size);
	hd_snapshot_save(two);
	tap_ok(!memcmp(hd_eng.template, two, size),
	       "reset: the bytes of the template");
	free(one);
	free(two);
}

/* --- events --------------------------------------------------------------------------- */

static void events(void)
{
	struct hd_outcome quiet, logged;
	u32 i, adds = 0;

	load(2, three_adds);
	quiet = run(with(3, 9));
	logged = hd_run_with_log(with(3, 9));
	tap_ok(quiet.hash == logged.hash, "recording changes no hash");
	for (i = 0; i < hd_eng.nlog; i++)
		adds += hd_eng.log[i].ev.op.kind == HD_RMW &&
			!strcmp(hd_eng.log[i].type, "shared") &&
			hd_eng.log[i].type_off == 0 &&
			hd_eng.log[i].ev.val == hd_eng.log[i].ev.old + 1;
	tap_is(adds, 6, "the log has every op with its object and values");
	tap_ok(run(with(3, 10)).hash != quiet.hash || !strcmp(trace, ""),
	       "another order has another hash");
}

/* --- objects, held locks, limits --------------------------------------------------------- */

static struct lock_class_key keys[HD_MAX_HELD + 1];
static u32 held_wrong, take;

static void holder(void *arg)
{
	u32 me = (u32)(uintptr_t)arg, i;

	mutex_lock(&s->lock[me]);
	atomic_add_return(1, &s->word);
	held_wrong += !lockdep_is_held(&s->lock[me]) ||
		      lockdep_is_held(&s->lock[1 - me]);
	mutex_unlock(&s->lock[me]);
	held_wrong += lockdep_is_held(&s->lock[me]);
	for (i = 0; i < take; i++)
		rwsem_acquire_read(&s->maps[i], 0, 0, _RET_IP_);
	while (i-- > 0)
		rwsem_release(&s->maps[i], _RET_IP_);
}

static void init_maps(void)
{
	u32 i;

	setup();
	for (i = 0; i < ARRAY_SIZE(keys); i++)
		lockdep_init_map(&s->maps[i], "map", &keys[i]);
}

static void held(void)
{
	load(2, holder);
	scenario.setup = init_maps;
	hd_open(&scenario, &variants[0]);
	take = HD_MAX_HELD - 1;
	run(with(1, 2));
	tap_ok(!held_wrong && !W->nverdicts, "held locks: of the task alone");
	take++;
	run(with(0, 0));
	tap_ok(W->nverdicts && W->verdicts[0].kind == HD_V_MAX_DEPTH,
	       "one lock too many is max-depth, as the kernel says");
}

static void allocates(void *arg)
{
	u64 *one = kzalloc(24, GFP_KERNEL | __GFP_NOFAIL);
	u64 *two = kzalloc(24, GFP_KERNEL | __GFP_NOFAIL);

	(void)arg;
	s->answers[0] = hd_object_of(two)->instance;
	s->answers[1] = hd_object_of(one)->size;
	kfree(one);
	s->answers[2] = hd_object_of(one)->state;
	s->answers[3] = (u64)(kzalloc(24, GFP_KERNEL | __GFP_NOFAIL) == one);
	kfree(two);
}

static void spins(void *arg)
{
	u32 i;

	(void)arg;
	for (i = 0; i < HD_MAX_STEPS + 10u; i++)
		atomic_add_return(1, &s->word);
}

static void bad_setup(void)
{
	setup();
	mutex_unlock(&s->lock[0]);
}

static void objects_and_limits(void)
{
	load(1, allocates);
	run(with(0, 0));
	tap_is((s64)s->answers[0], 2, "objects are numbered by type");
	tap_is((s64)s->answers[1], 24, "... know their size");
	tap_is((s64)s->answers[2], HD_OBJ_FREED, "... and that they were freed");
	tap_is((s64)s->answers[3], 0, "memory is not handed out twice");
	load(1, spins);
	run(with(0, 0));
	tap_ok(W->nverdicts == 1 && W->verdicts[0].kind == HD_V_LIMIT,
	       "a run that is too long ends in the limit verdict");
	load(1, three_adds);
	scenario.setup = bad_setup;
	tap_ok(hd_open(&scenario, &variants[0]) != NULL,
	       "a set-up that raises a verdict cannot be loaded");
	tap_ok(!load(1, three_adds), "... and the next one can");
}

int main(void)
{
	profile();
	snapshots();
	events();
	held();
	objects_and_limits();
	return tap_done();
}
