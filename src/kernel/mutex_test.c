/* SPDX-License-Identifier: MIT */
/* Do mutexes exclude, deadlock and get interrupted as they should? */
#include "../base/twin.h"

static struct {
	struct mutex a, b;
	int n, inside;
	u32 flag;
} *w;

static DEFINE_MUTEX(fixed);

static void setup(void)
{
	w = heddle_alloc_type("struct twin", sizeof(*w));
	mutex_init(&w->a);
	mutex_init(&w->b);
}

static void increment(void *arg)
{
	(void)arg;
	if (!buggy())
		mutex_lock(&w->a);
	w->n++;
	if (!buggy())
		mutex_unlock(&w->a);
}

static void increment_check(void)
{
	heddle_assert(w->n == 2);
	heddle_assert(!mutex_is_locked(&w->a));
}

#define exclusion_setup setup
TWIN_TASKS(exclusion, { "a", increment }, { "b", increment });
TWIN_VARIANTS(exclusion, SHOWS(ASSERT), SHOWS(DATA_RACE));
TWIN(exclusion, "mutex/exclusion", .check = increment_check);

/* --- a static mutex, three tasks ------------------------------------ */

static void three(void *arg)
{
	(void)arg;
	mutex_lock(&fixed);
	heddle_assert(++w->inside == 1);
	w->inside--;
	mutex_unlock(&fixed);
}

#define three_setup setup
TWIN_TASKS(three, { "a", three }, { "b", three }, { "c", three });
TWIN_SAFE_ONLY(three);
TWIN(three, "mutex/three tasks");

/* --- ABBA ----------------------------------------------------------- */

static void abba(void *arg)
{
	bool turned = arg && buggy();
	struct mutex *x = turned ? &w->b : &w->a, *y = turned ? &w->a : &w->b;

	mutex_lock(x);
	mutex_lock(y);
	mutex_unlock(y);
	mutex_unlock(x);
}

#define abba_setup setup
TWIN_TASKS(abba, { "ab", abba }, { "ba", abba, "" });
TWIN_VARIANTS(abba, SHOWS(CIRCULAR), SHOWS(DEADLOCK));
TWIN(abba, "mutex/ABBA");

/* --- a trylock does not wait ---------------------------------------- */

static void trylock(void *arg)
{
	struct mutex *x = arg ? &w->b : &w->a, *y = arg ? &w->a : &w->b;

	mutex_lock(x);
	if (buggy()) {
		mutex_lock(y);
		mutex_unlock(y);
	} else if (mutex_trylock(y)) {
		mutex_unlock(y);
	} else {
		heddle_mark("trylock failed");
	}
	mutex_unlock(x);
}

static const char *const trylock_goals[] = { "trylock failed", NULL };
#define trylock_setup setup
TWIN_TASKS(trylock, { "ab", trylock }, { "ba", trylock, "" });
static const struct heddle_variant trylock_variants[] = {
	{ .name = "safe", .goals = trylock_goals },
	{ .name = "buggy", .data = "",
	  .expect = { SHOWS(CIRCULAR), SHOWS(DEADLOCK) } },
	{ .name = NULL },
};
TWIN(trylock, "mutex/trylock");

/* --- the same lock twice -------------------------------------------- */

static void twice(void *arg)
{
	(void)arg;
	mutex_lock(&w->a);
	mutex_lock(buggy() ? &w->a : &w->b);
	mutex_unlock(&w->b);
	mutex_unlock(&w->a);
}

#define twice_setup setup
TWIN_TASKS(twice, { "a", twice });
TWIN_VARIANTS(twice, SHOWS(RECURSIVE), SHOWS(DEADLOCK));
TWIN(twice, "mutex/recursion");

/* --- somebody else's unlock ----------------------------------------- */

static void owner(void *arg)
{
	(void)arg;
	mutex_lock(&w->a);
	heddle_assert(++w->inside == 1);
	w->inside--;
	mutex_unlock(&w->a);
}

static void stranger(void *arg)
{
	if (buggy())
		mutex_unlock(&w->a);
	owner(arg);
}

#define stranger_setup setup
TWIN_TASKS(stranger, { "owner", owner }, { "stranger", stranger });
TWIN_VARIANTS(stranger, SHOWS(UNBALANCE));
TWIN(stranger, "mutex/not the owner");

/* --- killed while it waits ------------------------------------------ */

static void killed(void *arg)
{
	if (mutex_lock_killable(&w->a)) {
		heddle_mark("killed");
		if (buggy())
			mutex_unlock(&w->a);
		return;
	}
	(void)arg;
	w->n++;
	mutex_unlock(&w->a);
}

static const char *const killed_goals[] = { "killed", NULL };
#define killed_setup setup
TWIN_TASKS(killed, { "a", killed }, { "b", owner });
TWIN_VARIANTS(killed, SHOWS(UNBALANCE));
TWIN(killed, "mutex/killable", .goals = killed_goals);

/* --- still held ----------------------------------------------------- */

static void user(void *arg)
{
	(void)arg;
	mutex_lock(&w->a);
	if (!buggy())
		mutex_unlock(&w->a);
	return_to_user();
}

#define user_setup setup
TWIN_TASKS(user, { "a", user });
TWIN_VARIANTS(user, SHOWS(HELD_AT_USER));
TWIN(user, "mutex/held at user");

static void leave(void *arg)
{
	(void)arg;
	mutex_lock(&w->a);
	if (!buggy())
		mutex_unlock(&w->a);
}

#define leave_setup setup
TWIN_TASKS(leave, { "a", leave });
TWIN_VARIANTS(leave, SHOWS(HELD_AT_EXIT));
TWIN(leave, "mutex/held at exit");

/* --- assertions ----------------------------------------------------- */

static void asserted(void *arg)
{
	(void)arg;
	if (!buggy())
		mutex_lock(&w->a);
	lockdep_assert_held(&w->a);
	if (!buggy())
		mutex_unlock(&w->a);
}

#define asserted_setup setup
TWIN_TASKS(asserted, { "a", asserted });
TWIN_VARIANTS(asserted, SHOWS(LOCK_ASSERT));
TWIN(asserted, "mutex/lockdep_assert_held");
