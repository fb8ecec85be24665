/* SPDX-License-Identifier: MIT */
/* What do the lock orders of many runs say together?  As a kernel's lockdep
 * does from boot on, one graph takes up the dependencies and usages of every
 * run; a cycle may then consist of orders that no single run shows.
 *
 * The run's own graph is read before it is lost; its checks are untouched. */
#include "boot_graph.h"

#include "../src/oracle/lockdep.h"

static u32 joined; /* number of the run, as origin */

/* The class in the graph of all runs. */
static u16 class_there(const struct lockdep_class *c)
{
	struct lockdep_map map = {
		.key = c->key, .name = c->name, .wait_inner = c->wait_inner,
		.wait_outer = c->wait_outer, .lock_type = c->lock_type,
	};
	u32 class = lockdep_find_class(&map, c->subclass);

	if (class != LOCKDEP_NO_CLASS)
		lockdep->class[class].name = c->name;
	return (u16)class;
}

static bool join_kind(u16 from, u16 to, u8 kind)
{
	struct hd_task run = { .id = 0 };
	struct hd_held prev = {
		.class = from, .check = 1,
		.read = kind & (DEP_EN | DEP_ER) ? 0 : 1,
	};
	struct hd_held next = {
		.class = to, .check = 1,
		.read = kind & (DEP_ER | DEP_SR) ? 2 : 0,
	};

	return lockdep_add_dependency(&run, &prev, &next);
}

static bool join_edge(const struct lockdep *run, const struct lockdep_edge *e)
{
	u32 n = lockdep_nedges(), kind;
	u16 from = class_there(&run->class[e->from]);
	u16 to = class_there(&run->class[e->to]);

	for (kind = DEP_SR; kind <= DEP_EN && !lockdep->off; kind <<= 1)
		if (e->dep & kind)
			join_kind(from, to, (u8)kind);
	if (lockdep_nedges() != n)
		lockdep->origin[n].task = joined;
	return !lockdep->off;
}

static bool join_usage(const struct lockdep_class *c)
{
	struct hd_held e = { .class = class_there(c), .check = 1 };
	u8 bit;

	for (bit = 0; bit < LOCKDEP_USAGES && !lockdep->off; bit++) {
		e.read = bit & USAGE_READ;
		if (c->usage >> bit & 1)
			lockdep_mark(&e, bit);
	}
	return !lockdep->off;
}

void lockdep_boot_start(void)
{
	lockdep_apart();
	lockdep_empty();
	lockdep->irqs = 1;
	lockdep_back();
	joined = 0;
}

static struct lockdep_order order_of(u16 from, u16 to, u32 run)
{
	return (struct lockdep_order){ lockdep->class[from].name,
				       lockdep->class[to].name, run };
}

static void tell(struct lockdep_cycle *c)
{
	const struct lockdep_report *r = &lockdep_found;
	u32 i;

	c->verdict = r->verdict;
	c->class = r->nclasses ? lockdep->class[r->class[0]].name : "";
	c->n = 0;
	for (i = 0; i < r->nedges && i < ARRAY_SIZE(c->edge) - 1; i++) {
		const struct lockdep_edge *e = &lockdep->edge[r->edge[i]];

		c->edge[c->n++] = order_of(e->from, e->to,
					   lockdep->origin[r->edge[i]].task);
	}
	if (r->prev != LOCKDEP_NO_CLASS)
		c->edge[c->n++] = order_of(r->prev, r->next, joined);
}

bool lockdep_boot_join(u32 number, struct lockdep_cycle *cycle, bool *is_new)
{
	const struct lockdep *run = lockdep;
	u32 i, nedges = lockdep_nedges(), nclasses = lockdep_nclasses(), had;
	bool fine;

	lockdep_apart();
	joined = number;
	had = lockdep_nedges();
	fine = !lockdep->off;
	for (i = 0; i < nedges && fine; i++)
		fine = join_edge(run, &run->edge[i]);
	for (i = 0; i < nclasses && fine; i++)
		fine = join_usage(&run->class[i]);
	*is_new = lockdep_nedges() != had || !fine;
	if (!fine)
		tell(cycle);
	lockdep_back();
	return fine;
}
