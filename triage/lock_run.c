/* SPDX-License-Identifier: MIT */
/* What does lockdep say to a lock program?  The program's tasks are stacks of
 * held locks without code: each operation calls lockdep's own parts
 * (src/oracle/lockdep_*.c), the ones that judge runs. */
#include <stdio.h>
#include <string.h>

#include "../src/oracle/lockdep.h"
#include "lock_program.h"

static struct lockdep_map map[LOCK_CLASSES * LOCK_INSTANCES];
static struct lock_class_key key[LOCK_CLASSES];
static struct hd_task task[LOCK_TASKS + 1];
static struct hd_held held[LOCK_TASKS + 1][HD_MAX_HELD];

static void set_up(const struct lock_program *p)
{
	static char name[LOCK_CLASSES][2];
	u32 i, class;

	for (i = 0; i < ARRAY_SIZE(map); i++) {
		class = i / LOCK_INSTANCES;
		name[class][0] = (char)('A' + class);
		map[i] = (struct lockdep_map){
			.key = &key[class], .name = name[class],
			.wait_inner = p->wait_inner[class],
			.wait_outer = p->wait_outer[class],
			.lock_type = p->lock_type[class],
		};
	}
	memset(task, 0, sizeof(task));
	for (i = 0; i <= LOCK_TASKS; i++) {
		task[i].id = (u8)(i ? i - 1 : 0);
		task[i].held = held[i];
	}
	lockdep_apart();
	lockdep_empty();
	lockdep->irqs = 1;
}

/* --- interrupts --------------------------------------------------------------- */

static bool irqs_on(struct hd_task *t)
{
	if (!t->irqs_off)
		return true;
	if (t->in_hardirq && !lockdep->off)
		return lockdep_report_name(
			HD_V_WARN,
			"DEBUG_LOCKS_WARN_ON(lockdep_hardirq_context())");
	t->irqs_off = 0;
	return lockdep_context(t, HD_CTX_IRQS_ON);
}

/* __local_bh_enable_ip() turns interrupts off, and on again at its end. */
static bool bh_on(struct hd_task *t)
{
	t->irqs_off = 1;
	t->bh_off -= t->bh_off > 0;
	return irqs_on(t);
}

static bool interrupts(struct hd_task *t, u8 kind)
{
	switch (kind) {
	case LOP_IRQS_OFF:
		t->irqs_off = 1;
		return true;
	case LOP_IRQS_ON:
		return irqs_on(t);
	case LOP_BH_OFF:
		t->bh_off++;
		return true;
	case LOP_BH_ON:
		return bh_on(t);
	case LOP_HARDIRQ:
	case LOP_HARDIRQ_NT:
		t->irqs_off = 1;
		/* lockdep_hardirq_enter() forgets with the outermost only */
		if (!t->in_hardirq++ || kind == LOP_HARDIRQ)
			t->hardirq_threaded = kind == LOP_HARDIRQ;
		return true;
	case LOP_HARDIRQ_END:
		t->in_hardirq -= t->in_hardirq > 0;
		return irqs_on(t);
	case LOP_SOFTIRQ:
		t->bh_off++;
		t->irqs_off = 1;
		t->in_softirq++;
		return true;
	default:
		t->in_softirq -= t->in_softirq > 0;
		return irqs_on(t) && bh_on(t);
	}
}

/* --- operations ---------------------------------------------------------------- */

static bool acquire(struct hd_task *t, const struct lock_op *o)
{
	struct hd_held e = {
		.map = &map[o->lock],
		.nest = o->nest ? &map[o->nest - 1] : NULL,
		.read = o->read, .trylock = o->trylock, .check = o->check,
		.subclass = o->subclass, .hardirqs_off = t->irqs_off,
	};

	return lockdep_acquire(t, &e, o->kind == LOP_SYNC);
}

static bool look(struct hd_task *t, const struct lock_op *o,
		 struct lock_outcome *out)
{
	const struct lockdep_map *m = &map[o->lock];
	size_t at = strlen(out->held);
	bool any = lockdep_holds(t, m, -1);

	snprintf(out->held + at, sizeof(out->held) - at, "%s%c%c:%d%d%d",
		 at ? "," : "", 'A' + o->lock / LOCK_INSTANCES,
		 '0' + o->lock % LOCK_INSTANCES, any,
		 lockdep_holds(t, m, 0), lockdep_holds(t, m, 1));
	return !lockdep->off;
}

static bool step(struct hd_task *t, const struct lock_op *o,
		 struct lock_outcome *out)
{
	struct lockdep_map *m = &map[o->lock];
	bool fine;

	switch (o->kind) {
	case LOP_ACQUIRE:
	case LOP_SYNC:
		return acquire(t, o);
	case LOP_RELEASE:
		return lockdep_release(t, m);
	case LOP_DOWNGRADE:
		return lockdep_downgrade(t, m);
	case LOP_SUBCLASS:
		return lockdep_set_subclass(t, m, o->subclass);
	case LOP_FREE:
	case LOP_INIT:
		fine = lockdep_no_locks_freed(t, (u64)m, sizeof(*m));
		if (fine && o->kind == LOP_INIT)
			m->class_cache[0] = m->class_cache[1] = 0;
		return fine;
	case LOP_EXIT:
		return lockdep_nothing_held(t, HD_V_HELD_AT_EXIT);
	case LOP_USER:
		return lockdep_nothing_held(t, HD_V_HELD_AT_USER);
	case LOP_HELD:
		return look(t, o, out);
	default:
		return interrupts(t, o->kind);
	}
}

/* --- what is left --------------------------------------------------------------- */

const char *lock_class_name(u32 class)
{
	return class < lockdep_nclasses() ? lockdep->class[class].name : "?";
}

static void put_kinds(char *buf, size_t size, u8 dep)
{
	static const char *const kind[] = { "SR", "ER", "SN", "EN" };
	u32 i;
	size_t at = 0;

	buf[0] = 0;
	for (i = 0; i < 4; i++)
		if (dep >> i & 1)
			at += (size_t)snprintf(buf + at, size - at, "%s%s",
					       at ? "+" : "", kind[i]);
}

static void put_graph(struct lock_outcome *out)
{
	char kinds[16];
	size_t at = 0;
	u16 e;
	u32 c;

	for (c = 0; c < lockdep_nclasses(); c++)
		for (e = lockdep->class[c].after; e && at < sizeof(out->graph);
		     e = lockdep->edge[e - 1].next_after) {
			put_kinds(kinds, sizeof(kinds),
				  lockdep->edge[e - 1].dep);
			at += (size_t)snprintf(
				out->graph + at, sizeof(out->graph) - at,
				"%s%s>%s:%s", at ? " " : "",
				lock_class_name(c),
				lock_class_name(lockdep->edge[e - 1].to),
				kinds);
		}
}

void lock_program_run(const struct lock_program *p, bool exact,
		      struct lock_outcome *out)
{
	u32 i;

	out->verdict = 0;
	out->at = 0;
	out->graph[0] = out->held[0] = 0;
	lockdep_exact = exact;
	set_up(p);
	for (i = 0; i < p->nops; i++)
		if (!step(&task[p->op[i].task], &p->op[i], out)) {
			out->verdict = lockdep_found.verdict;
			out->at = i + 1;
			break;
		}
	put_graph(out);
	lockdep_exact = false;
}
