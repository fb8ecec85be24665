/* SPDX-License-Identifier: MIT */
/* What is checked, and in which order, when a task takes or gives a lock?
 *
 * Follows __lock_acquire, __lock_release, __lock_downgrade, __lock_set_class
 * and reacquire_held_locks of kernel/locking/lockdep.c, 6.12.  A release in
 * the middle of the stack takes again all that lies above, with every check:
 * so a release can record orders, and report. */
#include <string.h>

#include "lockdep.h"

static const char nothing_held[] = "DEBUG_LOCKS_WARN_ON(!depth)";
static const char no_nest_lock[] = "DEBUG_LOCKS_WARN_ON(!hlock->nest_lock)";
static const char miscounted[] = "DEBUG_LOCKS_WARN_ON(depth)";
static const char too_many[] =
	"DEBUG_LOCKS_WARN_ON(hlock->references < references)";

/* --- finding ---------------------------------------------------------------- */

/* Is h the lock, or did h swallow it?  Sets *warn where the kernel does. */
static bool is_lock(const struct hd_held *h, const struct lockdep_map *map,
		    bool *warn)
{
	u32 class;

	if (h->map == map)
		return true;
	if (!h->references)
		return false;
	class = map->class_cache[0] ? map->class_cache[0] - 1u :
				      lockdep_look_up_class(map, 0);
	if (class == LOCKDEP_NO_CLASS)
		return false;
	if (!h->nest)
		*warn = true;
	return h->nest && h->class == class;
}

/* From the top, within one interrupt context; -1: not held, -2: reported. */
static int find_held(const struct hd_task *t, const struct lockdep_map *map)
{
	bool warn = false;
	int i;

	for (i = t->nheld - 1; i >= 0; i--) {
		const struct hd_held *h = &t->held[i];

		if (i < t->nheld - 1 && h[1].irq_context != h->irq_context)
			break;
		if (is_lock(h, map, &warn))
			return i;
		if (warn && !lockdep->off) {
			lockdep_report_name(HD_V_WARN, no_nest_lock);
			return -2;
		}
	}
	return -1;
}

bool lockdep_holds(const struct hd_task *t, const struct lockdep_map *map,
		     int read)
{
	bool warn = false;
	u32 i;

	for (i = 0; i < t->nheld; i++) {
		if (is_lock(&t->held[i], map, &warn))
			return read < 0 || !!t->held[i].read == !!read;
		if (warn && !lockdep->off) {
			lockdep_report_name(HD_V_WARN, no_nest_lock);
			return false;
		}
	}
	return false;
}

/* --- acquire ---------------------------------------------------------------- */

enum verdict { REPORTED, FINE, NESTED };

/* The class twice on one stack; NESTED: its nest lock is held below. */
static enum verdict check_deadlock(const struct hd_task *t,
				   const struct hd_held *next)
{
	bool nest = false;
	u32 i;

	for (i = 0; i < t->nheld; i++) {
		const struct hd_held *h = &t->held[i];

		nest |= h->map == next->nest;
		if (h->class != next->class || (next->read == 2 && h->read))
			continue;
		if (nest)
			return NESTED;
		lockdep_report_class(HD_V_RECURSIVE, next->class);
		lockdep_found.prev = lockdep_found.next = next->class;
		lockdep_found.prev_read = h->read;
		lockdep_found.next_read = next->read;
		return REPORTED;
	}
	return FINE;
}

/* Dependencies from what is held, downwards to the first that was no trylock:
 * that one has its own from what lies below.  (If it is a recursive reader they
 * are not strong, and a deadlock is missed: the exact rules go on.) */
static bool check_prevs_add(const struct hd_task *t, const struct hd_held *next)
{
	u32 i;

	for (i = t->nheld; i-- > 0;) {
		const struct hd_held *h = &t->held[i];

		if (h->irq_context != next->irq_context)
			break;
		if (!h->check)
			continue;
		if (!lockdep_add_dependency(t, h, next))
			return false;
		if (!h->trylock && !lockdep_exact)
			break;
	}
	return true;
}

static bool is_chain_head(const struct hd_task *t, const struct hd_held *e)
{
	return !t->nheld ||
	       t->held[t->nheld - 1].irq_context != e->irq_context;
}

static bool validate_chain(const struct hd_task *t, const struct hd_held *e,
			   u16 chain)
{
	struct lockdep_chain *c = &lockdep->chain[chain];
	enum verdict v;

	if (e->trylock || !e->check || c->validated)
		return true;
	c->validated = 1;
	v = check_deadlock(t, e);
	if (v == NESTED) {
		lockdep->nested = 1;
		c->validated = !lockdep_exact;
	}
	return v == NESTED ||
	       (v == FINE && (is_chain_head(t, e) || check_prevs_add(t, e)));
}

/* An acquisition under a nest lock is counted on a top entry of its class. */
static bool merges(struct hd_task *t, const struct hd_held *e)
{
	struct hd_held *top = &t->held[t->nheld - 1];
	u32 more = e->references ? e->references : 1;

	if (!t->nheld || !e->nest || top->class != e->class)
		return false;
	top->references = (u16)((top->references ? top->references : 1) + more);
	return true;
}

/* held_lock has 11 bits for the count: the kernel's becomes 0 here. */
static bool count_fits(const struct hd_task *t)
{
	return lockdep->off || t->held[t->nheld - 1].references < 1 << 11 ||
	       lockdep_report_name(HD_V_WARN, too_many);
}

static void push(struct hd_task *t, const struct hd_held *e, u16 chain)
{
	t->held[t->nheld++] = *e;
	t->chain = chain;
}

static bool check_and_push(struct hd_task *t, struct hd_held *e, bool sync)
{
	u16 chain;

	e->irq_context = lockdep_irq_context(t);
	if (!lockdep_check_wait_context(t, e) ||
	    (lockdep->irqs && !lockdep_mark_usage(t, e, sync)))
		return false;
	e->chain = t->chain;
	chain = is_chain_head(t, e) ? 0 : t->chain;
	chain = lockdep_chain_with(chain, (u16)(e->class | e->read << 13));
	if (lockdep->off)
		return false;
	if (e->nest && !lockdep_holds(t, e->nest, -1)) {
		if (!lockdep->off)
			lockdep_report_class(HD_V_NEST_NOT_HELD, e->class);
		lockdep_found.nest = e->nest->name;
		return false;
	}
	if (!validate_chain(t, e, chain))
		return false;
	if (sync)
		return true;
	push(t, e, chain);
	if (t->nheld == HD_MAX_HELD) {
		t->nheld--; /* the caller pushes what was reported */
		return lockdep_report_class(HD_V_MAX_DEPTH, e->class);
	}
	return true;
}

/* After the report the stack is kept, and nothing is checked. */
static bool track(struct hd_task *t, const struct hd_held *e, bool sync)
{
	if (sync || merges(t, e))
		return false;
	if (t->nheld == HD_MAX_HELD)
		hd_limit("held locks");
	push(t, e, t->chain);
	return false;
}

/* A lock that nobody initialised has no name either. */
static const char *type_around(const struct lockdep_map *map)
{
	const struct hd_object *o = hd_in_heap((u64)map) ?
					    hd_object_at((u64)map) : NULL;

	return o ? o->type : "a lock";
}

static bool find_class(struct hd_held *e)
{
	u32 class;

	if (e->subclass >= LOCKDEP_SUBCLASSES) {
		e->class = LOCKDEP_NO_CLASS;
		return lockdep->off ||
		       lockdep_report_name(HD_V_BAD_SUBCLASS, e->map->name);
	}
	if (!e->map->key) { /* nobody has initialised it */
		e->class = LOCKDEP_NO_CLASS;
		return lockdep->off ||
		       lockdep_report_name(HD_V_NO_KEY,
					   type_around(e->map));
	}
	class = lockdep->off ? lockdep_look_up_class(e->map, e->subclass) :
			       lockdep_class_of(e->map, e->subclass);
	e->class = (u16)class;
	return lockdep->off || class != LOCKDEP_NO_CLASS;
}

bool lockdep_acquire(struct hd_task *t, struct hd_held *e, bool sync)
{
	bool on = !lockdep->off;

	if (!find_class(e) || lockdep->off)
		return track(t, e, sync) || !on;
	if (!sync && merges(t, e))
		return count_fits(t);
	if (check_and_push(t, e, sync))
		return true;
	return track(t, e, sync);
}

/* --- taking again ----------------------------------------------------------- */

/* The entries from..depth-1, with all checks, on what is left below.  merged:
 * the first of them was counted on the entry below. */
static bool reacquire(struct hd_task *t, u32 from, u32 depth, bool *merged)
{
	struct hd_held e[HD_MAX_HELD];
	u32 i, n = depth - from;

	memcpy(e, &t->held[from], n * sizeof(e[0]));
	for (i = 0; i < n; i++) {
		if (merges(t, &e[i])) {
			*merged |= i == 0;
			count_fits(t);
			continue;
		}
		if (lockdep->off || !check_and_push(t, &e[i], false))
			track(t, &e[i], false);
	}
	return !lockdep->off;
}

static bool cut_and_reacquire(struct hd_task *t, u32 i, u32 from, u32 left)
{
	u32 depth = t->nheld;
	bool merged = false, on = !lockdep->off;

	t->nheld = (u8)i;
	t->chain = t->held[i].chain;
	if (from == depth)
		return true;
	if (!reacquire(t, from, depth, &merged) || !on)
		return !on;
	return t->nheld == left - merged ||
	       lockdep_report_name(HD_V_WARN, miscounted);
}

static bool unbalanced(struct lockdep_map *map)
{
	if (lockdep->off)
		return true;
	return lockdep_report_name(HD_V_UNBALANCE, map->name);
}

bool lockdep_release(struct hd_task *t, struct lockdep_map *map)
{
	int i = find_held(t, map);

	if (i < 0)
		return i == -1 ? unbalanced(map) : false;
	if (t->held[i].references && --t->held[i].references)
		return true;
	return cut_and_reacquire(t, (u32)i, (u32)i + 1, t->nheld - 1u);
}

/* The entry of a held lock that is to be changed; -1: there is none, and nothing
 * to say, -2: reported. */
static int find_to_change(const struct hd_task *t, struct lockdep_map *map)
{
	int i;

	if (!t->nheld && !lockdep->off) {
		lockdep_report_name(HD_V_WARN, nothing_held);
		return -2;
	}
	i = find_held(t, map);
	return i != -1 || unbalanced(map) ? i : -2;
}

bool lockdep_downgrade(struct hd_task *t, struct lockdep_map *map)
{
	int i = find_to_change(t, map);

	if (i < 0)
		return i == -1;
	t->held[i].read = 1;
	return cut_and_reacquire(t, (u32)i, (u32)i, t->nheld);
}

bool lockdep_set_subclass(struct hd_task *t, struct lockdep_map *map,
			  u32 subclass)
{
	int i = find_to_change(t, map);

	if (i < 0)
		return i == -1;
	t->held[i].subclass = (u8)subclass;
	if (!find_class(&t->held[i]))
		return false;
	return cut_and_reacquire(t, (u32)i, (u32)i, t->nheld);
}

/* --- held where it must not be ------------------------------------------------ */

static bool report_held(const struct hd_task *t, u8 verdict)
{
	u32 i;

	lockdep_report(verdict);
	for (i = t->held_below; i < t->nheld; i++)
		if (t->held[i].class != LOCKDEP_NO_CLASS)
			lockdep_report_add(t->held[i].class);
	return false;
}

bool lockdep_nothing_held(struct hd_task *t, u8 verdict)
{
	return t->nheld == t->held_below || lockdep->off ||
	       report_held(t, verdict);
}

bool lockdep_no_locks_freed(struct hd_task *t, u64 from, u64 size)
{
	u32 i;

	if (lockdep->off)
		return true;
	for (i = 0; i < t->nheld; i++) {
		u64 at = (u64)t->held[i].map;

		if (from < at + sizeof(struct lockdep_map) && at < from + size)
			return t->held[i].class == LOCKDEP_NO_CLASS ?
				       lockdep_report_name(HD_V_FREED,
							   t->held[i].map->name) :
				       lockdep_report_class(HD_V_FREED,
							    t->held[i].class);
	}
	return true;
}
