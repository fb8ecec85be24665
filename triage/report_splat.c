/* SPDX-License-Identifier: MIT */
/* What did lockdep report, and where does each part of it come from?
 *
 * The cycle, the usages and the chain are those that the oracle itself found in
 * this run (src/oracle/lockdep_report.c); each dependency is told with the
 * places of the run in which it was first taken.  The order is the kernel's:
 * what is wanted, what is held, then the chain in reverse. */
#include <string.h>

#include "../src/oracle/lockdep.h"
#include "report.h"

/* --- keeping what was found: other runs follow before it is printed ----------- */

static struct splat_edge edge_of(u16 e)
{
	const struct lockdep_edge *k = &lockdep->edge[e];

	return (struct splat_edge){
		.from = lockdep->class[k->from].name,
		.to = lockdep->class[k->to].name,
		.step = lockdep->origin[e].step,
		.task = lockdep->origin[e].task,
		.dep = k->dep,
	};
}

static const char *class_name(u16 class)
{
	return class < lockdep_nclasses() ? lockdep->class[class].name : NULL;
}

void splat_keep(struct splat *k)
{
	const struct lockdep_report *r = &lockdep_found;
	u32 i;

	memset(k, 0, sizeof(*k));
	k->verdict = lockdep->off ? r->verdict : 0;
	if (!k->verdict)
		return;
	k->bit = r->bit;
	k->excl = r->excl;
	k->nest = r->nest;
	k->sleeps = r->nclasses &&
		    lockdep->class[r->class[0]].wait_inner == LD_WAIT_SLEEP;
	k->prev = class_name(r->prev);
	k->next = class_name(r->next);
	k->prev_read = r->prev_read;
	k->next_read = r->next_read;
	for (i = 0; i < r->nclasses && i < ARRAY_SIZE(k->class); i++)
		k->class[k->nclasses++] = class_name(r->class[i]);
	for (i = 0; i < r->nedges && i < ARRAY_SIZE(k->edge); i++)
		k->edge[k->nedges++] = edge_of(r->edge[i]);
	for (i = 0; i < r->nback && i < ARRAY_SIZE(k->back); i++)
		k->back[k->nback++] = edge_of(r->back[i]);
}

/* --- places -------------------------------------------------------------------- */

static bool is_acquire_of(const struct hd_record *r, const char *class)
{
	char name[64];

	if (r->ev.op.kind != HD_EV_ACQUIRE && r->ev.op.kind != HD_EV_LOCK_SYNC)
		return false;
	if (r->ev.op.arg)
		snprintf(name, sizeof(name), "%.36s/%u", r->ev.text,
			 r->ev.op.arg);
	else
		snprintf(name, sizeof(name), "%s", r->ev.text ? r->ev.text : "");
	return !strcmp(name, class);
}

/* The record of the task's last acquire of class up to step; s->n: none. */
static u32 acquire_before(const struct story *s, u32 task, const char *class,
			  u32 step)
{
	u32 i, last = s->n;

	for (i = 0; i < s->n && s->log[i].ev.step <= step; i++)
		if (s->log[i].ev.task == task && is_acquire_of(&s->log[i], class))
			last = i;
	return last;
}

static const char *const modes[] = { "(W)", "(R)", "(RR)", "(RR)" };

static void print_lock(const struct story *s, struct page *p, u32 rec,
		       const char *name)
{
	struct sym_site site[1];
	char text[200];

	if (rec == s->n) {
		page_line(p, "    %s", name);
		return;
	}
	if (!statement_stack(&s->log[rec], site, 1)) {
		page_line(p, "    %s %s", name, modes[s->log[rec].ev.op.code & 3]);
		return;
	}
	snprintf(text, sizeof(text), "%s %s in %s", name,
		 modes[s->log[rec].ev.op.code & 3], site[0].function);
	page_place(p, 4, text, &site[0]);
}

/* The lock's stack below its first place. */
static void print_stack(const struct story *s, struct page *p, u32 rec)
{
	struct sym_site site[HD_MAX_FRAMES];
	u32 i, n;

	if (rec == s->n)
		return;
	n = statement_stack(&s->log[rec], site, ARRAY_SIZE(site));
	for (i = 1; i < n; i++)
		page_place(p, 8, site[i].function, &site[i]);
}

/* Taken again when another lock below was released. */
static const char *how(const struct story *s, u32 step, u32 task)
{
	u32 i;

	for (i = 0; i < s->n; i++)
		if (s->log[i].ev.step == step && s->log[i].ev.task == task &&
		    s->log[i].ev.op.kind == HD_EV_RELEASE)
			return ", since the lock between was released";
	return "";
}

static void print_dependency(const struct story *s, struct page *p,
			     const struct splat_edge *e, u32 number)
{
	page_wrap(p, 5, "#%u %s --> %s: %s held %s and took %s%s", number,
		  e->from, e->to, story_task(s, e->task), e->from, e->to,
		  how(s, e->step, e->task));
	print_lock(s, p, acquire_before(s, e->task, e->from, e->step), e->from);
	print_lock(s, p, acquire_before(s, e->task, e->to, e->step), e->to);
	print_stack(s, p, acquire_before(s, e->task, e->to, e->step));
}

/* --- circular, recursive --------------------------------------------------------- */

static void print_wanted(const struct story *s, struct page *p,
			 const struct splat *k)
{
	const struct hd_verdict *v = story_verdict(s);
	u32 next = acquire_before(s, v->task, k->next, v->step);
	bool sync = next < s->n &&
		    s->log[next].ev.op.kind == HD_EV_LOCK_SYNC;

	page_line(p, "%s", "");
	page_line(p, "%s %s", story_task(s, v->task),
		  sync ? "waits (lock_sync) for who holds" : "wants");
	print_lock(s, p, next, k->next);
	print_stack(s, p, next);
	page_line(p, "and holds");
	print_lock(s, p,
		   acquire_before(s, v->task, k->prev,
				  v->step - !strcmp(k->prev, k->next)),
		   k->prev);
}

static void print_circular(const struct story *s, struct page *p,
			   const struct splat *k)
{
	char chain[400] = "";
	u32 i;

	print_wanted(s, p, k);
	for (i = 0; i < k->nedges; i++)
		snprintf(chain + strlen(chain), sizeof(chain) - strlen(chain),
			 "%s --> ", k->edge[i].from);
	page_line(p, "%s", "");
	page_wrap(p, 2, "the cycle %s%s --> %s, newest first, each where it "
		  "was first taken", chain, k->prev, k->next);
	page_wrap(p, 5, "#0 %s --> %s: the new one, as above", k->prev,
		  k->next);
	for (i = k->nedges; i-- > 0;)
		print_dependency(s, p, &k->edge[i], k->nedges - i);
}

static void print_recursive(const struct story *s, struct page *p,
			    const struct splat *k)
{
	const struct hd_verdict *v = story_verdict(s);
	u32 next = acquire_before(s, v->task, k->next, v->step);
	u32 prev = acquire_before(s, v->task, k->prev, v->step - 1);
	bool two = next < s->n && prev < s->n &&
		   s->log[next].ev.op.addr != s->log[prev].ev.op.addr;

	print_wanted(s, p, k);
	page_line(p, "%s", "");
	page_wrap(p, 2, "%s, %s after %s%s", two ?
		  "two locks of one class" : "one lock twice",
		  modes[k->next_read], modes[k->prev_read],
		  k->prev_read && k->next_read ?
		  ": a reader waits as soon as a writer waits in between" :
		  two ? ": if their order is fixed, give the inner one a "
			"subclass (_nested) or a nest lock" : "");
}

/* --- interrupts -------------------------------------------------------------------- */

/* Does an acquire with these interrupts off, or inside of them, set the bit? */
static bool sets_usage(const struct hd_record *r, u8 bit)
{
	bool soft = bit >= USED_IN_SOFTIRQ, read = bit & USAGE_READ;

	if (!!(r->ev.op.code & 3) != read)
		return false;
	if (!(bit & USAGE_ENABLED))
		return r->context & (soft ? HD_IN_SOFTIRQ : HD_IN_HARDIRQ);
	return !(r->context & (HD_IRQS_OFF |
			       (soft ? HD_BH_OFF | HD_IN_SOFTIRQ : 0)));
}

/* The first acquire that sets the bit.  Without one the lock was held when
 * interrupts were turned on: the first in that mode. */
static u32 usage_at(const struct story *s, const char *class, u8 bit, bool *later)
{
	u32 i, held = s->n;

	*later = false;
	for (i = 0; i < s->n && !(s->flag[i] & REC_AFTER); i++) {
		if (!is_acquire_of(&s->log[i], class))
			continue;
		if (sets_usage(&s->log[i], bit))
			return i;
		if (held == s->n && bit & USAGE_ENABLED &&
		    !!(s->log[i].ev.op.code & 3) == !!(bit & USAGE_READ))
			held = i;
	}
	*later = held < s->n;
	return held;
}

static void print_usage(const struct story *s, struct page *p, const char *class,
			u8 bit)
{
	const char *irq = bit >= USED_IN_SOFTIRQ ? "softirq" : "hardirq";
	bool later;
	u32 at = usage_at(s, class, bit, &later);

	if (!(bit & USAGE_ENABLED))
		page_line(p, "  %s is {%s}: taken in a %s", class,
			  lockdep_usage_name(bit), irq);
	else
		page_line(p, "  %s is {%s}: %s %ss %s", class,
			  lockdep_usage_name(bit),
			  later ? "held when" : "taken with", irq,
			  later ? "were turned on" : "on");
	print_lock(s, p, at, class);
	print_stack(s, p, at);
}

static void print_path(const struct story *s, struct page *p,
		       const struct splat_edge *e, u32 n, u32 *number)
{
	u32 i;

	for (i = 0; i < n; i++)
		print_dependency(s, p, &e[i], ++*number);
}

static void print_irq(const struct story *s, struct page *p,
		      const struct splat *k)
{
	bool order = k->verdict == HD_V_IRQ_ORDER;
	const char *safe = k->class[0], *unsafe = safe;
	u32 number = 0;

	if (order)
		unsafe = k->nedges ? k->edge[k->nedges - 1].to : k->next;
	else if (k->nedges)
		unsafe = k->bit & USAGE_ENABLED ? k->edge[k->nedges - 1].from :
						  k->edge[k->nedges - 1].to;
	if (order)
		print_wanted(s, p, k);
	page_line(p, "%s", "");
	if (k->verdict == HD_V_INCONSISTENT)
		page_line(p, "one class, taken in an interrupt and with that "
			  "interrupt on");
	else
		page_wrap(p, 2, "the interrupt may come where %s is held, and "
			  "waits for %s, whose holder may wait for %s",
			  k->bit & USAGE_ENABLED ? safe : unsafe,
			  k->bit & USAGE_ENABLED ? unsafe : safe,
			  k->bit & USAGE_ENABLED ? safe : unsafe);
	print_usage(s, p, safe, k->bit);
	print_usage(s, p, unsafe, k->excl);
	if (k->nedges || k->nback || order)
		page_line(p, "between them");
	print_path(s, p, k->back, k->nback, &number);
	if (order)
		page_wrap(p, 5, "#0 %s --> %s: the new one, as above", k->prev,
			  k->next);
	print_path(s, p, k->edge, k->nedges, &number);
}

/* --- wait types -------------------------------------------------------------------- */

static void print_wait(const struct story *s, struct page *p,
		       const struct splat *k)
{
	const struct hd_verdict *v = story_verdict(s);

	page_line(p, "%s", "");
	page_line(p, "%s wants", story_task(s, v->task));
	print_lock(s, p, acquire_before(s, v->task, k->class[0], v->step),
		   k->class[0]);
	page_wrap(p, 2, "which may sleep%s, %s",
		  k->sleeps ? "" : " under PREEMPT_RT",
		  k->nclasses > 1 ? "inside" : "in an interrupt");
	if (k->nclasses > 1)
		print_lock(s, p, acquire_before(s, v->task, k->class[1],
						v->step), k->class[1]);
}

/* --- balance, nest locks --------------------------------------------------------- */

static void print_unbalance(const struct story *s, struct page *p)
{
	const struct hd_verdict *v = story_verdict(s);
	bool none = s->last < s->n && !s->log[s->last].nheld;

	page_line(p, "%s", "");
	page_wrap(p, 2, "%s releases %s, which it does not hold%s",
		  story_task(s, v->task), v->nnames ? v->names[0] : "a lock",
		  none ? "; it holds no lock at all" : "");
}

static void print_subclass(const struct story *s, struct page *p)
{
	u32 i = s->last < s->n ? s->last : 0;

	while (i && s->log[i].ev.op.kind != HD_EV_ACQUIRE)
		i--;
	page_line(p, "%s", "");
	page_line(p, "subclass %u; there are %u, from 0", s->log[i].ev.op.arg,
		  LOCKDEP_SUBCLASSES);
}

static void print_nest(const struct story *s, struct page *p,
		       const struct splat *k)
{
	const struct hd_verdict *v = story_verdict(s);

	page_line(p, "%s", "");
	page_line(p, "%s wants", story_task(s, v->task));
	print_lock(s, p, acquire_before(s, v->task, k->class[0], v->step),
		   k->class[0]);
	page_wrap(p, 2, "under the nest lock %s, which it does not hold",
		  k->nest ? k->nest : "?");
}

/* The kernel's title says which interrupt. */
void splat_title(const struct story *s, char *buf, size_t size)
{
	static const char *const irq[] = { "HARDIRQ", "HARDIRQ-READ",
					   "SOFTIRQ", "SOFTIRQ-READ" };
	static const char general[] = "irq-safe -> irq-unsafe";
	const char *name = irq[(s->splat.bit >= USED_IN_SOFTIRQ) * 2 +
			       (s->splat.bit & USAGE_READ)];
	char rest[200];

	if (s->splat.verdict != HD_V_IRQ_ORDER ||
	    story_verdict(s)->kind != HD_V_IRQ_ORDER ||
	    strncmp(buf, general, strlen(general)))
		return;
	snprintf(rest, sizeof(rest), "%s", buf + strlen(general));
	snprintf(buf, size, "%s-safe -> %s-unsafe%s", name, name, rest);
}

void report_splat(const struct story *s, struct page *p)
{
	const struct hd_verdict *v = story_verdict(s);
	const struct splat *k = &s->splat;

	if (!v || !k->verdict || v->kind != k->verdict || v->task >= s->ntasks)
		return;
	switch (v->kind) {
	case HD_V_CIRCULAR:
		print_circular(s, p, k);
		break;
	case HD_V_RECURSIVE:
		print_recursive(s, p, k);
		break;
	case HD_V_INCONSISTENT:
	case HD_V_IRQ_INVERSION:
	case HD_V_IRQ_ORDER:
		print_irq(s, p, k);
		break;
	case HD_V_WAIT_CONTEXT:
		print_wait(s, p, k);
		break;
	case HD_V_NEST_NOT_HELD:
		print_nest(s, p, k);
		break;
	case HD_V_UNBALANCE:
		print_unbalance(s, p);
		break;
	case HD_V_BAD_SUBCLASS:
		print_subclass(s, p);
		break;
	}
}
