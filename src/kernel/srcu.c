/* SPDX-License-Identifier: MIT */
/* Which read sections must a grace period of SRCU wait for?
 *
 * A call numbers its grace period; a section notes the number of the period
 * that would be asked for next when it is entered.  So period m is over when
 * no open section has a number up to m: no sets are kept. */
#include <heddle/srcu.h>
#include <string.h>

#include "kernel.h"

enum { WORD = 8, READERS = sizeof(((struct srcu_struct *)0)->reader) };

struct call {
	struct srcu_struct *srcu;
	struct rcu_head *head;
	u64 period;
	u32 pc;
	u32 pad;
};

/* Callbacks of all structures, in the order of the calls.  They lie beside the
 * tasks and not in the heap, so that the objects of a scenario do not move.
 * Ops on srcu->periods stand for it. */
static struct calls {
	u64 n;
	struct call call[SRCU_CALLS];
} *calls; /* constant during a run */

void hd_boot_srcu(void)
{
	calls = hd_world_reserve(sizeof(*calls));
}

void hd_init_srcu_struct(struct srcu_struct *s, const char *name,
			 const struct lock_class_key *key)
{
	hd_no_locks_freed(s, sizeof(*s), HD_PC());
	hd_quiet_write(s, sizeof(*s), HD_PC());
	memset(s, 0, sizeof(*s));
	lockdep_init_map(&s->dep_map, name, key);
}

static bool is_over(const struct srcu_struct *s, u64 period)
{
	u32 i, k;

	for (i = 0; i < W->ntasks; i++) {
		const struct srcu_reader *r = &s->reader[i];

		if (!hd_get(r, WORD))
			continue;
		for (k = 0; k < SRCU_SECTIONS; k++)
			if (r->since[k] && r->since[k] <= period)
				return false;
	}
	return true;
}

static struct call *first_over(void)
{
	u32 i;

	for (i = 0; i < calls->n; i++)
		if (is_over(calls->call[i].srcu, calls->call[i].period))
			return &calls->call[i];
	return NULL;
}

/* --- readers -------------------------------------------------------- */

static struct srcu_reader *reader_op(struct srcu_struct *s, u8 kind, u8 order,
				     u32 pc)
{
	struct srcu_reader *r = &s->reader[hd_slot(HD_KERNEL_TASKS + 1)];

	hd_publish(kind, r, WORD, HD_RW, order, pc);
	hd_judge(r, WORD, HD_RW, pc);
	return r;
}

int srcu_read_lock(struct srcu_struct *s)
{
	u32 pc = HD_PC();
	/* orders: the call of an earlier grace period before this section */
	struct srcu_reader *r = reader_op(s, HD_RCU_LOCK, HD_ACQUIRE, pc);
	u64 old = hd_get(r, WORD);
	int idx = 0;

	while (idx < SRCU_SECTIONS && r->since[idx])
		idx++;
	if (idx == SRCU_SECTIONS)
		hd_limit("srcu sections of a task");
	hd_order_range(&s->periods, WORD, false);
	hd_sync_acquire(&s->periods);
	r->since[idx] = (u16)(s->periods + 1);
	hd_did(old, hd_get(r, WORD));
	hd_lock_acquire(&s->dep_map, 0, 0, 2, 1, pc);
	return idx;
}

void srcu_read_unlock(struct srcu_struct *s, int idx)
{
	struct srcu_reader *r;
	u32 pc = HD_PC();
	u64 old;

	hd_lock_release(&s->dep_map, pc);
	/* orders: this section before the end of each later grace period */
	r = reader_op(s, HD_RCU_UNLOCK, HD_RELEASE, pc);
	old = hd_get(r, WORD);
	if (idx < 0 || idx >= SRCU_SECTIONS || !r->since[idx]) {
		hd_did(old, old);
		hd_complain(HD_V_RCU_USAGE, NULL, "srcu_read_unlock", pc);
		return;
	}
	r->since[idx] = 0;
	hd_sync_release(r, false);
	if (first_over())
		hd_rcu_daemon_wake();
	hd_did(old, hd_get(r, WORD));
}

void hd_srcu_dereference_check(bool fine)
{
	if (unlikely(!fine && W->running))
		hd_complain(HD_V_RCU_USAGE, NULL, "srcu_dereference", HD_PC());
}

/* --- grace periods ---------------------------------------------------- */

/* Ask for a grace period; hd_did(its number - 1, its number) must follow. */
static u64 next_period(struct srcu_struct *s, u32 pc)
{
	hd_publish(HD_RCU_CALL, &s->periods, WORD, HD_RW, HD_RELEASE, pc);
	hd_judge(&s->periods, WORD, HD_RW, pc);
	hd_sync_release(&s->periods, false);
	return ++s->periods;
}

/* The grace period is over: what its sections did comes before what follows.
 * (Also what later sections did that have been left by now.) */
static void after_sections(struct srcu_struct *s)
{
	u32 i;

	for (i = 0; i < W->ntasks; i++)
		hd_sync_acquire(&s->reader[i]);
}

/* On the stack of the task that waits. */
struct waiter {
	const struct srcu_struct *srcu;
	u64 period;
};

static bool waiter_may_go(const void *arg)
{
	const struct waiter *w = arg;

	return is_over(w->srcu, w->period);
}

void synchronize_srcu(struct srcu_struct *s)
{
	struct waiter w = { .srcu = s };
	u32 pc = HD_PC();

	hd_lock_sync(&s->dep_map, 0, 0, 1, pc);
	if (W->cur->rcu_nesting)
		hd_complain(HD_V_RCU_USAGE, NULL, "synchronize_srcu", pc);
	else
		hd_may_sleep("synchronize_srcu", pc);
	w.period = next_period(s, pc);
	hd_did(w.period - 1, w.period);
	if (W->probing) /* a condition that waits, looked at a last time */
		hd_probe_done(is_over(s, w.period));
	hd_publish_when(HD_RCU_GP, s->reader, READERS, HD_READ, pc,
			waiter_may_go, &w);
	hd_judge(s->reader, READERS, HD_READ, pc);
	after_sections(s);
	hd_did(w.period, w.period);
}

void call_srcu(struct srcu_struct *s, struct rcu_head *head,
	       rcu_callback_t func)
{
	u32 pc = HD_PC(), i;
	u64 period = next_period(s, pc);

	hd_judge(head, sizeof(*head), HD_WRITE, pc);
	for (i = 0; i < calls->n; i++)
		if (calls->call[i].head == head)
			hd_complain(HD_V_RCU_USAGE, head, "called twice", pc);
	if (calls->n == SRCU_CALLS)
		hd_limit("srcu callbacks");
	hd_order_range(head, sizeof(*head), true);
	hd_sync_release(head, true);
	head->next = NULL;
	head->func = func;
	calls->call[calls->n++] = (struct call){ .srcu = s, .head = head,
						 .period = period, .pc = pc };
	hd_order_range(s->reader, READERS, false);
	if (first_over())
		hd_rcu_daemon_wake();
	hd_did(period - 1, period);
}

/* --- for the task that runs callbacks (rcu.c) --------------------------- */

bool hd_srcu_callback_is_due(void)
{
	return first_over();
}

/* orders: the call, and the sections left since, before the callback */
struct rcu_head *hd_srcu_take_callback(u32 *pc)
{
	struct call *c = first_over(), *end;
	struct rcu_head *head;

	if (!c)
		return NULL;
	hd_order_range(&c->srcu->periods, WORD, true);
	hd_order_range(c->srcu->reader, READERS, false);
	head = c->head;
	after_sections(c->srcu);
	hd_sync_acquire(head);
	*pc = c->pc;
	end = &calls->call[--calls->n];
	for (; c < end; c++)
		c[0] = c[1];
	*end = (struct call){ .head = NULL };
	return head;
}

/* --- the end ------------------------------------------------------------ */

void cleanup_srcu_struct(struct srcu_struct *s)
{
	u32 pc = HD_PC(), i;

	hd_publish(HD_LOAD, s->reader, READERS, HD_READ, HD_ACQUIRE, pc);
	hd_judge(s->reader, READERS, HD_READ, pc);
	hd_order_range(&s->periods, WORD, false);
	hd_did(s->periods, s->periods);
	if (!is_over(s, s->periods + 1))
		hd_complain(HD_V_WARN, NULL, "srcu_readers_active(ssp)", pc);
	for (i = 0; i < calls->n; i++)
		if (calls->call[i].srcu == s) {
			hd_complain(HD_V_WARN, NULL, "srcu callbacks pending",
				    pc);
			break;
		}
}
