/* SPDX-License-Identifier: MIT */
/* Does the folio lock exclude, is its deadlock seen without lockdep, and is a
 * folio freed when nobody refers to it? */
#include "../base/twin.h"

static struct {
	struct page page;
	struct folio *folio;
	spinlock_t lock;
	struct mutex mutex;
	int n;
} *w;

static void setup(void)
{
	w = heddle_alloc_type("struct twin", sizeof(*w));
	w->folio = folio_alloc(GFP_KERNEL, 0);
	spin_lock_init(&w->lock);
	mutex_init(&w->mutex);
}

/* --- exclusion; other flags change meanwhile --------------------------- */

static void section(void *arg)
{
	if (!buggy())
		folio_lock(w->folio);
	w->n++;
	if (arg)
		folio_set_dirty(w->folio);
	if (!buggy())
		folio_unlock(w->folio);
}

static void section_check(void)
{
	heddle_assert(w->n == 2);
	heddle_assert(folio_test_dirty(w->folio));
	heddle_assert(!folio_test_locked(w->folio));
}

#define exclusion_setup setup
TWIN_TASKS(exclusion, { "a", section }, { "b", section, "" });
TWIN_VARIANTS(exclusion, SHOWS(ASSERT), SHOWS(DATA_RACE));
TWIN(exclusion, "folio/exclusion", .check = section_check);

/* --- ABBA: a deadlock, and no report of lockdep ------------------------- */

static void abba(void *arg)
{
	bool turned = arg && buggy();
	struct folio *page = page_folio(&w->page);
	struct folio *x = turned ? page : w->folio;
	struct folio *y = turned ? w->folio : page;

	folio_lock(x);
	folio_lock(y);
	folio_unlock(y);
	folio_unlock(x);
}

#define abba_setup setup
TWIN_TASKS(abba, { "ab", abba }, { "ba", abba, "" });
TWIN_VARIANTS(abba, SHOWS(DEADLOCK));
TWIN(abba, "folio/ABBA");

static void trylock(void *arg)
{
	struct folio *page = page_folio(&w->page);
	struct folio *x = arg ? page : w->folio;
	struct folio *y = arg ? w->folio : page;

	folio_lock(x);
	if (folio_trylock(y))
		folio_unlock(y);
	else
		heddle_mark("busy");
	folio_unlock(x);
}

static const char *const busy_goals[] = { "busy", NULL };
#define trylock_setup setup
TWIN_TASKS(trylock, { "ab", trylock }, { "ba", trylock, "" });
TWIN_SAFE_ONLY(trylock);
TWIN(trylock, "folio/trylock", .goals = busy_goals);

/* --- a folio lock and a mutex: still no cycle for lockdep --------------- */

static void under_mutex(void *arg)
{
	(void)arg;
	mutex_lock(&w->mutex);
	folio_lock(w->folio);
	folio_unlock(w->folio);
	mutex_unlock(&w->mutex);
}

static void over_mutex(void *arg)
{
	(void)arg;
	folio_lock(w->folio);
	if (buggy())
		mutex_lock(&w->mutex);
	if (buggy())
		mutex_unlock(&w->mutex);
	folio_unlock(w->folio);
}

#define mixed_setup setup
TWIN_TASKS(mixed, { "under", under_mutex }, { "over", over_mutex });
TWIN_VARIANTS(mixed, SHOWS(DEADLOCK));
TWIN(mixed, "folio/lock and mutex");

/* --- the lock of a page -------------------------------------------------- */

static void page_section(void *arg)
{
	(void)arg;
	lock_page(&w->page);
	heddle_assert(PageLocked(&w->page));
	w->n++;
	unlock_page(&w->page);
	if (buggy())
		unlock_page(&w->page);
}

#define page_setup setup
TWIN_TASKS(page, { "a", page_section }, { "b", page_section });
TWIN_VARIANTS(page, SHOWS(BUG), SHOWS(ASSERT));
TWIN(page, "folio/page, unlocked twice");

/* --- read: whoever waits for the lock sees the contents ------------------ */

static void locked_setup(void)
{
	setup();
	heddle_assert(folio_trylock(w->folio));
}

static void reads_in(void *arg)
{
	(void)arg;
	if (!buggy())
		w->n = 42;
	folio_mark_uptodate(w->folio);
	if (buggy())
		w->n = 42;
	folio_unlock(w->folio);
}

static void user(void *arg)
{
	if (!folio_test_uptodate(w->folio)) {
		if (arg && folio_wait_locked_killable(w->folio)) {
			heddle_mark("killed");
			return;
		}
		if (!arg)
			folio_wait_locked(w->folio);
		heddle_mark("waited");
	}
	heddle_assert(folio_test_uptodate(w->folio) && w->n == 42);
}

static const char *const read_goals[] = { "killed", "waited", NULL };
#define read_setup locked_setup
TWIN_TASKS(read, { "a", user }, { "b", user, "" }, { "read", reads_in });
TWIN_VARIANTS(read, SHOWS(ASSERT), SHOWS(DATA_RACE));
TWIN(read, "folio/read", .goals = read_goals);

/* --- writeback: waited for, also by who holds the lock -------------------- */

static void writes(void *arg)
{
	(void)arg;
	folio_lock(w->folio);
	folio_start_writeback(w->folio);
	WRITE_ONCE(w->n, 1);
	folio_unlock(w->folio);
	if (buggy()) { /* it cannot be ended while the other one waits */
		folio_lock(w->folio);
		folio_end_writeback(w->folio);
		folio_unlock(w->folio);
	} else {
		WRITE_ONCE(w->n, 2);
		folio_end_writeback(w->folio);
	}
}

static void truncates(void *arg)
{
	(void)arg;
	folio_lock(w->folio);
	folio_wait_writeback(w->folio);
	heddle_assert(READ_ONCE(w->n) != 1 || buggy());
	heddle_assert(!folio_test_writeback(w->folio));
	folio_unlock(w->folio);
}

#define writeback_setup setup
TWIN_TASKS(writeback, { "write", writes }, { "truncate", truncates });
TWIN_VARIANTS(writeback, SHOWS(DEADLOCK));
TWIN(writeback, "folio/writeback");

static void ends(void *arg)
{
	(void)arg;
	folio_start_writeback(w->folio);
	if (buggy() && heddle_choose(2))
		folio_start_writeback(w->folio);
	folio_end_writeback(w->folio);
	if (folio_wait_writeback_killable(w->folio))
		heddle_mark("never");
	if (buggy())
		folio_end_writeback(w->folio);
}

#define ends_setup setup
TWIN_TASKS(ends, { "a", ends });
TWIN_VARIANTS(ends, SHOWS(BUG));
TWIN(ends, "folio/writeback, ended twice");

/* --- killable ------------------------------------------------------------- */

static void killable(void *arg)
{
	int err = folio_lock_killable(w->folio);

	(void)arg;
	if (err) {
		heddle_mark("killed");
		heddle_assert(err == -EINTR);
		if (!buggy())
			return;
	}
	w->n++;
	folio_unlock(w->folio);
}

static const char *const killed_goals[] = { "killed", NULL };
#define killed_setup setup
TWIN_TASKS(killed, { "a", killable }, { "b", killable });
TWIN_VARIANTS(killed, SHOWS(BUG), SHOWS(DATA_RACE));
TWIN(killed, "folio/killable", .goals = killed_goals);

/* --- not in atomic context ------------------------------------------------ */

static void atomic(void *arg)
{
	(void)arg;
	if (buggy())
		spin_lock(&w->lock);
	folio_lock(w->folio);
	if (buggy())
		spin_unlock(&w->lock);
	might_sleep(); /* the holder may */
	folio_unlock(w->folio);
}

#define atomic_setup setup
TWIN_TASKS(atomic, { "a", atomic });
TWIN_VARIANTS(atomic, SHOWS(SLEEP_ATOMIC));
TWIN(atomic, "folio/in atomic context");

/* --- references: a lookup without a lock ------------------------------------ */

static void lookup(void *arg)
{
	struct folio *folio = READ_ONCE(w->folio);

	(void)arg;
	if (buggy()) {
		folio_get(folio);
	} else if (!folio_try_get(folio)) {
		heddle_mark("freed already");
		return;
	}
	heddle_mark("got it");
	heddle_assert(READ_ONCE(folio->index) == 0);
	folio_put(folio);
}

static void drop(void *arg)
{
	(void)arg;
	folio_put(w->folio);
}

static const char *const lookup_goals[] = { "freed already", "got it", NULL };
#define lookup_setup setup
TWIN_TASKS(lookup, { "lookup", lookup }, { "drop", drop });
static const struct heddle_variant lookup_variants[] = {
	{ .name = "safe", .goals = lookup_goals },
	{ .name = "buggy", .data = "",
	  .expect = { SHOWS(USE_AFTER_FREE), SHOWS(BUG) } },
	{ .name = NULL },
};
TWIN(lookup, "folio/references");

/* --- never put; put while locked -------------------------------------------- */

static void allocates(void *arg)
{
	struct folio *folio = folio_alloc(GFP_KERNEL, 0);

	(void)arg;
	if (!folio) {
		heddle_mark("no memory");
		return;
	}
	folio_get(folio);
	heddle_assert(folio_ref_count(folio) == 2);
	folio_put(folio);
	if (!buggy())
		folio_put(folio);
}

static const char *const memory_goals[] = { "no memory", NULL };
#define leak_setup setup
TWIN_TASKS(leak, { "a", allocates });
TWIN_VARIANTS(leak, SHOWS(LEAK));
TWIN(leak, "folio/never put", .goals = memory_goals);

static void put_locked(void *arg)
{
	(void)arg;
	folio_lock(w->folio);
	if (!buggy())
		folio_unlock(w->folio);
	folio_put(w->folio);
}

#define put_setup setup
TWIN_TASKS(put, { "a", put_locked });
TWIN_VARIANTS(put, SHOWS(WARN));
TWIN(put, "folio/freed while locked");
