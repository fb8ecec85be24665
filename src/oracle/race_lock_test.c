/* SPDX-License-Identifier: MIT */
/* What do exclusive locks of one word order, and what is remembered of the words
 * themselves?  They have short ways of their own in race.c; what locks of other
 * kinds order: race_clock_test.c. */
#include "../base/twin.h"

static struct {
	int data, flag, other;
	struct mutex lock, second;
	struct {
		struct mutex lock;
	} *thing;
} *w;

static void setup(void)
{
	w = heddle_alloc_type("struct twin", sizeof(*w));
	mutex_init(&w->lock);
	mutex_init(&w->second);
}

#define RACE(id, text)                       \
	TWIN_VARIANTS(id, SHOWS(DATA_RACE)); \
	TWIN(id, "race/" text)

/* --- clocks -------------------------------------------------------------- */

/* Set under the lock; was it set before? */
static bool sets(struct mutex *lock, int *flag)
{
	bool was;

	mutex_lock(lock);
	was = *flag;
	*flag = 1;
	mutex_unlock(lock);
	return was;
}

/* An access that is made again behind the unlock is another one. */
static void writes_again(void *arg)
{
	(void)arg;
	w->data = 1;
	sets(&w->lock, &w->flag);
	if (buggy())
		w->data = 1;
}

static void looks_behind(void *arg)
{
	(void)arg;
	if (sets(&w->lock, &w->flag))
		heddle_assert(w->data == 1);
}

#define again_setup setup
TWIN_TASKS(again, { "write", writes_again }, { "look", looks_behind });
RACE(again, "the same access behind an unlock");

/* What was released with one lock is handed on with another one. */
static void hands_on(void *arg)
{
	bool set = sets(&w->lock, &w->flag);

	(void)arg;
	mutex_lock(&w->second);
	w->other = set;
	mutex_unlock(&w->second);
}

static void looks_last(void *arg)
{
	bool set;

	(void)arg;
	mutex_lock(&w->second);
	set = w->other;
	mutex_unlock(&w->second);
	if (set)
		heddle_assert(w->data == 1);
}

#define on_setup setup
TWIN_TASKS(on, { "write", writes_again }, { "hand on", hands_on },
	   { "look", looks_last });
RACE(on, "handed on with another lock");

/* An unlock comes after what a marked load before it found released. */
static void stores(void *arg)
{
	(void)arg;
	w->data = 1;
	if (buggy())
		WRITE_ONCE(w->flag, 1);
	else
		smp_store_release(&w->flag, 1);
}

static void loads_and_unlocks(void *arg)
{
	(void)arg;
	mutex_lock(&w->second);
	w->other = READ_ONCE(w->flag);
	mutex_unlock(&w->second);
}

#define loaded_setup setup
TWIN_TASKS(loaded, { "store", stores }, { "load", loads_and_unlocks },
	   { "look", looks_last });
RACE(loaded, "marked load before an unlock");

/* --- histories of lock words --------------------------------------------- */

/* Whose attempt fails has accessed the lock all the same, and it orders nothing. */
static void freed_setup(void)
{
	setup();
	w->thing = kzalloc(sizeof(*w->thing), GFP_KERNEL | __GFP_NOFAIL);
	mutex_init(&w->thing->lock);
}

static bool fails(void)
{
	if (!mutex_trylock(&w->thing->lock))
		return true;
	mutex_unlock(&w->thing->lock);
	return false;
}

static void fails_first(void *arg)
{
	(void)arg;
	if (!fails())
		return;
	if (buggy())
		WRITE_ONCE(w->other, 1);
	else
		smp_store_release(&w->other, 1);
}

static void fails_second(void *arg)
{
	(void)arg;
	if (smp_load_acquire(&w->other) && fails())
		smp_store_release(&w->flag, 1);
}

static void holds_and_frees(void *arg)
{
	bool both;

	(void)arg;
	mutex_lock(&w->thing->lock);
	both = smp_load_acquire(&w->flag);
	mutex_unlock(&w->thing->lock);
	if (both)
		kfree(w->thing);
}

#define attempts_setup freed_setup
TWIN_TASKS(attempts, { "hold", holds_and_frees }, { "first", fails_first },
	   { "second", fails_second });
TWIN_VARIANTS(attempts, SHOWS(ASSERT_RACE));
TWIN(attempts, "race/failed attempts on a lock that is freed");

/* A plain write is remembered behind ops on the lock. */
static void makes_lock(void *arg)
{
	*(u32 *)&w->lock = 0;
	if (arg)
		smp_store_release(&w->other, 1); /* to nobody */
	mutex_lock(&w->lock);
	if (buggy())
		WRITE_ONCE(w->flag, 1);
	else
		smp_store_release(&w->flag, 1);
	mutex_unlock(&w->lock);
}

static void tries_lock(void *arg)
{
	(void)arg;
	if (smp_load_acquire(&w->flag) && mutex_trylock(&w->lock))
		mutex_unlock(&w->lock);
}

#define made_setup setup
TWIN_TASKS(made, { "make", makes_lock }, { "try", tries_lock });
RACE(made, "plain write of a lock word");

#define behind_setup setup
TWIN_TASKS(behind, { "make", makes_lock, "" }, { "try", tries_lock });
RACE(behind, "plain write of a lock word behind others");
