/* SPDX-License-Identifier: MIT */
/* In which order are classes taken, and can the orders close a deadlock?
 *
 * A path is strong if no edge that ends in a recursive reader is followed by
 * one that leaves a reader: a reader does not block a recursive reader.  A
 * deadlock is a strong cycle.
 *
 * The kernel's search visits each class once, and marks it before it looks at
 * the strength of the edge.  A class reached over a weak edge first is lost
 * for this search, so whether a cycle is reported can depend on the order in
 * which edges were recorded.  That is copied.  The exact search (lockdep_exact)
 * instead tells apart how a class was reached: only as recursive reader, or
 * in a way that readers block as well. */
#include <string.h>

#include "lockdep.h"

bool lockdep_exact;

/* --- the search ------------------------------------------------------------- */

struct reached {
	u16 class;
	u16 edge;    /* over which, + 1; the start: 0 */
	u16 parent;  /* who */
	bool only_xr;
};

enum { STRONGLY = 1, WEAKLY = 2 };

static struct reached queue[2 * LOCKDEP_CLASSES + 1];
static u32 nqueue;
static u8 visited[LOCKDEP_CLASSES];

u8 lockdep_dep_kind(u8 prev_read, u8 next_read)
{
	return (u8)(1 << ((prev_read == 0) + ((next_read != 2) << 1)));
}

/* A dependency seen from behind: what was N or R of next decides first. */
static u8 from_behind(u8 dep)
{
	return (u8)((dep & (DEP_EN | DEP_SR)) | (dep & DEP_ER) << 1 |
		    (dep & DEP_SN) >> 1);
}

/* Not a lock that an interrupt could deadlock on. */
static bool skips(const struct lockdep_search *s, const struct lockdep_class *c)
{
	return s->usage && c->lock_type != LD_LOCK_NORMAL;
}

static u16 usage_that_counts(const struct reached *r)
{
	const u16 no_reads = 1 << USED_IN_HARDIRQ | 1 << ENABLED_HARDIRQ |
			     1 << USED_IN_SOFTIRQ | 1 << ENABLED_SOFTIRQ;
	u16 usage = lockdep->class[r->class].usage;

	return r->only_xr ? usage & no_reads : usage;
}

static bool matches(struct lockdep_search *s, const struct reached *r)
{
	if (!s->usage)
		return r->class == s->class && (!s->read || !r->only_xr);
	s->gathered |= usage_that_counts(r);
	return !s->gather && (usage_that_counts(r) & s->mask);
}

/* May the edge be followed from where we stand?  Sets only_xr of its end. */
static bool strong(const struct reached *from, u8 dep, bool *only_xr)
{
	if (from->only_xr)
		dep &= (u8)~(DEP_SR | DEP_SN);
	*only_xr = !(dep & (DEP_SN | DEP_EN));
	return dep;
}

/* Was the class dealt with?  Else it is now. */
static bool seen_as_kernel_does(u16 class)
{
	if (visited[class])
		return true;
	visited[class] = STRONGLY;
	return false;
}

static bool seen_exactly(u16 class, bool only_xr)
{
	u8 how = only_xr ? WEAKLY : STRONGLY;

	if (visited[class] & (how | STRONGLY))
		return true;
	visited[class] |= how;
	return false;
}

static bool take(struct lockdep_search *s, struct reached r)
{
	if (skips(s, &lockdep->class[r.class]))
		return false;
	queue[nqueue++] = r;
	return matches(s, &queue[nqueue - 1]);
}

static bool reach(struct lockdep_search *s, u16 parent, u16 edge, bool backward)
{
	const struct lockdep_edge *e = &lockdep->edge[edge];
	u8 dep = backward ? from_behind(e->dep) : e->dep;
	struct reached r = { .class = backward ? e->from : e->to,
			     .edge = (u16)(edge + 1), .parent = parent };

	if (!lockdep_exact && seen_as_kernel_does(r.class))
		return false;
	if (!strong(&queue[parent], dep, &r.only_xr))
		return false;
	if (lockdep_exact && seen_exactly(r.class, r.only_xr))
		return false;
	return take(s, r);
}

static void answer(struct lockdep_search *s)
{
	u16 i = (u16)(nqueue - 1), n = 0, k;

	s->found = queue[i].class;
	for (; queue[i].edge && n < ARRAY_SIZE(s->path); i = queue[i].parent)
		s->path[n++] = (u16)(queue[i].edge - 1);
	s->npath = n;
	for (k = 0; k < n / 2; k++) {
		u16 x = s->path[k];

		s->path[k] = s->path[n - 1 - k];
		s->path[n - 1 - k] = x;
	}
}

bool lockdep_bfs(struct lockdep_search *s, u16 class, bool only_xr,
		 bool backward)
{
	struct reached start = { .class = class, .only_xr = only_xr };
	u16 head, e;

	memset(visited, 0, lockdep_nclasses());
	nqueue = 0;
	visited[class] = only_xr && lockdep_exact ? WEAKLY : STRONGLY;
	if (take(s, start)) {
		answer(s);
		return true;
	}
	for (head = 0; head < nqueue; head++) {
		const struct lockdep_class *c =
			&lockdep->class[queue[head].class];

		for (e = backward ? c->before : c->after; e;
		     e = backward ? lockdep->edge[e - 1].next_before :
				    lockdep->edge[e - 1].next_after)
			if (reach(s, head, (u16)(e - 1), backward)) {
				answer(s);
				return true;
			}
	}
	return false;
}

/* --- a new dependency ------------------------------------------------------- */

static bool report_cycle(const struct lockdep_search *s,
			 const struct hd_held *prev, const struct hd_held *next)
{
	u32 i;

	lockdep_report_class(prev->class == next->class ? HD_V_RECURSIVE :
							  HD_V_CIRCULAR,
			     next->class);
	for (i = 0; i < s->npath; i++)
		lockdep_report_add(lockdep->edge[s->path[i]].to);
	lockdep_found.prev = prev->class;
	lockdep_found.next = next->class;
	lockdep_found.prev_read = prev->read;
	lockdep_found.next_read = next->read;
	lockdep_found.nedges = s->npath;
	memcpy(lockdep_found.edge, s->path, sizeof(s->path));
	return false;
}

static bool check_noncircular(const struct hd_held *prev,
			      const struct hd_held *next)
{
	struct lockdep_search s = { .class = prev->class, .read = prev->read };

	if (!lockdep_bfs(&s, next->class, next->read == 2, false))
		return true;
	return report_cycle(&s, prev, next);
}

static struct lockdep_edge *find_edge(u16 from, u16 to)
{
	u16 e = lockdep->class[from].after;

	for (; e; e = lockdep->edge[e - 1].next_after)
		if (lockdep->edge[e - 1].to == to)
			return &lockdep->edge[e - 1];
	return NULL;
}

/* At the tails of both lists: the search depends on the order. */
static bool append_edge(u16 from, u16 to, u8 dep, u32 task)
{
	struct lockdep_class *f = &lockdep->class[from];
	struct lockdep_class *t = &lockdep->class[to];
	u32 i = lockdep_nedges();

	if (i == LOCKDEP_EDGES)
		return lockdep_report_name(HD_V_LIMIT, "lock dependencies");
	lockdep->edge_bytes += (u32)sizeof(struct lockdep_edge);
	lockdep->origin_bytes += (u32)sizeof(struct lockdep_origin);
	lockdep->edge[i] = (struct lockdep_edge){ .from = from, .to = to,
						  .dep = dep };
	lockdep->origin[i] = (struct lockdep_origin){ W->step, task };
	if (f->after)
		lockdep->edge[f->after_last - 1].next_after = (u16)(i + 1);
	else
		f->after = (u16)(i + 1);
	f->after_last = (u16)(i + 1);
	if (t->before)
		lockdep->edge[t->before_last - 1].next_before = (u16)(i + 1);
	else
		t->before = (u16)(i + 1);
	t->before_last = (u16)(i + 1);
	return true;
}

bool lockdep_add_dependency(const struct hd_task *t, const struct hd_held *prev,
			    const struct hd_held *next)
{
	u8 dep = lockdep_dep_kind(prev->read, next->read);
	struct lockdep_edge *e = find_edge(prev->class, next->class);

	if (!check_noncircular(prev, next) ||
	    (lockdep->irqs && !lockdep_check_irq_usage(prev, next)))
		return false;
	if (dep & (DEP_ER | DEP_SR))
		lockdep->recursive = 1;
	if (!e)
		return append_edge(prev->class, next->class, dep, t->id);
	e->dep |= dep;
	return true;
}
