/* SPDX-License-Identifier: MIT */
/* Which readers must a grace period wait for, and who runs the callbacks?
 *
 * A call takes down the set of readers that are inside; a reader that leaves
 * is struck from all sets; an empty set is an elapsed grace period.  Sets are
 * kept per call in the order of the calls, so the first one empties first. */
#include <heddle/rcu.h>

#include <heddle/lockdep.h>

#include "kernel.h"

struct call {
	struct rcu_head *head;
	const void *object; /* kfree_rcu: what to free */
	u64 readers;        /* tasks that still have to leave */
	u32 pc;
	u32 pad;
};

struct reader {
	u64 inside; /* its own word, so that no two tasks share one */
	u64 sync;   /* synchronize_rcu(): readers still to leave */
};

/* The world's part.  ncalls stands for the queue: every op that reads or
 * changes the queue is an op on, or also touches, this word. */
struct rcu {
	u64 ncalls;
	struct call call[HD_RCU_CALLS];
	struct reader reader[];
};

/* For lockdep: a recursive reader that is not validated, may be entered
 * anywhere, and must not contain what sleeps.  World state: it caches classes. */
static struct lockdep_map *rcu_lock_map;
static struct lock_class_key rcu_lock_key;

static struct rcu *rcu; /* these three are constant during a run */
static u32 nreaders;
static int daemon_id;

void hd_boot_rcu(u32 ntasks)
{
	nreaders = ntasks;
	rcu = hd_heap_new("rcu",
			  (u32)(sizeof(*rcu) + ntasks * sizeof(struct reader)),
			  0);
	heddle_keep(rcu);
	rcu_lock_map = hd_world_reserve(sizeof(*rcu_lock_map));
	*rcu_lock_map = (struct lockdep_map){
		.key = &rcu_lock_key, .name = "rcu_read_lock",
		.wait_inner = LD_WAIT_CONFIG, .wait_outer = LD_WAIT_FREE,
	};
}

/* --- readers -------------------------------------------------------- */

void rcu_read_lock(void)
{
	struct reader *r = &rcu->reader[hd_slot(nreaders)];
	u32 pc = HD_PC();

	if (!W->cur->rcu_nesting++) {
		hd_publish(HD_RCU_LOCK, &r->inside, 1, HD_RW, HD_RELAXED, pc);
		r->inside = 1;
		hd_sync_acquire(&rcu->ncalls); /* grace periods that began before */
		hd_did(0, 1);
	}
	hd_lock_acquire(rcu_lock_map, 0, 0, 2, 0, pc);
}

/* This task has left: whom does that let go on? */
static void strike(u32 me)
{
	u64 mine = 1ull << me;
	u32 i;

	for (i = 0; i < rcu->ncalls; i++) {
		struct call *c = &rcu->call[i];

		if (!(c->readers & mine))
			continue;
		hd_order_range(&rcu->ncalls, sizeof(rcu->ncalls), true);
		c->readers &= ~mine;
		hd_sync_release(c->head, false);
		if (i == 0 && !c->readers)
			hd_wake(daemon_id);
	}
	for (i = 0; i < nreaders; i++) {
		struct reader *r = &rcu->reader[i];

		if (!(r->sync & mine))
			continue;
		hd_order_range(&r->sync, sizeof(r->sync), true);
		r->sync &= ~mine;
		hd_sync_release(&r->sync, false);
		if (!r->sync)
			hd_wake((int)i);
	}
}

void rcu_read_unlock(void)
{
	u32 me = hd_slot(nreaders), pc = HD_PC();
	struct reader *r = &rcu->reader[me];

	if (!W->cur->rcu_nesting) {
		hd_complain(HD_V_RCU_USAGE, NULL, "rcu_read_unlock", pc);
		return;
	}
	hd_lock_release(rcu_lock_map, pc);
	if (W->cur->rcu_nesting > 1) {
		W->cur->rcu_nesting--;
		return;
	}
	hd_publish(HD_RCU_UNLOCK, &r->inside, 1, HD_RW, HD_RELAXED, pc);
	W->cur->rcu_nesting = 0;
	r->inside = 0;
	hd_sync_release(&rcu->call, false);
	strike(me);
	hd_did(1, 0);
}

bool rcu_read_lock_held(void)
{
	return W->cur->rcu_nesting;
}

static u64 readers_inside(void)
{
	u64 mask = 0;
	u32 i;

	for (i = 0; i < nreaders; i++) {
		hd_order_range(&rcu->reader[i].inside, 1, false);
		if (rcu->reader[i].inside)
			mask |= 1ull << i;
	}
	return mask;
}

void hd_rcu_dereference_check(bool otherwise)
{
	if (unlikely(!otherwise && !W->cur->rcu_nesting && W->running))
		hd_complain(HD_V_RCU_USAGE, NULL, "rcu_dereference", HD_PC());
}

void hd_rcu_protected_check(bool cond)
{
	if (unlikely(!cond && W->running))
		hd_complain(HD_V_RCU_USAGE, NULL, "rcu_dereference_protected",
			    HD_PC());
}

/* --- calls ---------------------------------------------------------- */

/* The law of grace periods: what came before the call comes before the end of
 * its grace period (key) and before read sections that begin later; sections
 * that began before it, which either have ended or are waited for, come before
 * the end as well. */
static void begin_grace_period(const void *key)
{
	hd_sync_release(key, true);
	hd_sync_pass(&rcu->call, key);
	hd_sync_release(&rcu->ncalls, false);
}

static void queue(struct rcu_head *head, rcu_callback_t func, const void *obj,
		  u32 pc)
{
	struct call *c;
	u32 i;

	hd_publish(HD_RCU_CALL, &rcu->ncalls, sizeof(rcu->ncalls), HD_RW,
		   HD_RELEASE, pc);
	hd_judge(head, sizeof(*head), HD_WRITE, pc);
	for (i = 0; i < rcu->ncalls; i++)
		if (rcu->call[i].head == head)
			hd_complain(HD_V_RCU_USAGE, head, "called twice", pc);
	if (rcu->ncalls == HD_RCU_CALLS)
		hd_limit("rcu callbacks");
	hd_order_range(head, sizeof(*head), true);
	head->next = NULL;
	head->func = func;
	c = &rcu->call[rcu->ncalls++];
	c->head = head;
	c->object = obj;
	c->readers = readers_inside();
	c->pc = pc;
	begin_grace_period(head);
	if (rcu->ncalls == 1 && !c->readers)
		hd_wake(daemon_id);
	hd_did(rcu->ncalls - 1, rcu->ncalls);
}

void call_rcu(struct rcu_head *head, rcu_callback_t func)
{
	queue(head, func, NULL, HD_PC());
}

void hd_kfree_rcu(struct rcu_head *head, const void *ptr)
{
	queue(head, NULL, ptr, HD_PC());
}

void synchronize_rcu(void)
{
	u32 me = hd_slot(nreaders), pc = HD_PC();
	struct reader *r = &rcu->reader[me];

	if (W->cur->rcu_nesting)
		hd_complain(HD_V_RCU_USAGE, NULL, "synchronize_rcu", pc);
	else
		hd_might_sleep("synchronize_rcu", pc);
	hd_publish(HD_RCU_CALL, &r->sync, sizeof(r->sync), HD_WRITE,
		   HD_RELEASE, pc);
	r->sync = readers_inside();
	begin_grace_period(&r->sync);
	hd_fence(HD_FULL);
	hd_did(0, r->sync);
	if (r->sync)
		hd_publish_asleep(HD_RCU_GP, &r->sync, sizeof(r->sync),
				  HD_READ, pc);
	else
		hd_publish(HD_RCU_GP, &r->sync, sizeof(r->sync), HD_READ,
			   HD_ACQUIRE, pc);
	hd_sync_acquire(&r->sync);
	hd_fence(HD_FULL);
	hd_did(r->sync, r->sync);
}

/* --- the task that runs callbacks ----------------------------------- */

/* SRCU has a callback that is due: this task runs it. */
void hd_rcu_daemon_wake(void)
{
	hd_order_range(&rcu->ncalls, sizeof(rcu->ncalls), true);
	hd_wake(daemon_id);
}

static bool has_elapsed(void)
{
	return rcu->ncalls && !rcu->call[0].readers;
}

static struct call first_elapsed(void)
{
	const u32 size = sizeof(rcu->ncalls), pc = HD_PC();
	struct call c = { .head = NULL };
	u32 i;

	if (has_elapsed() || hd_srcu_callback_is_due())
		hd_publish(HD_RCU_GP, &rcu->ncalls, size, HD_RW | HD_YIELD,
			   HD_ACQUIRE, pc);
	else
		hd_publish_asleep(HD_RCU_GP, &rcu->ncalls, size,
				  HD_RW | HD_YIELD, pc);
	if (!has_elapsed()) {
		c.head = hd_srcu_take_callback(&c.pc);
		hd_did(rcu->ncalls, rcu->ncalls);
		return c;
	}
	c = rcu->call[0];
	rcu->ncalls--;
	for (i = 0; i < rcu->ncalls; i++)
		rcu->call[i] = rcu->call[i + 1];
	rcu->call[i] = (struct call){ .head = NULL };
	hd_sync_acquire(c.head);
	hd_did(rcu->ncalls + 1, rcu->ncalls);
	return c;
}

static void daemon_main(void *arg)
{
	(void)arg;
	for (;;) {
		struct call c = first_elapsed();

		if (c.object) {
			hd_free(c.object, c.pc);
			continue;
		}
		hd_judge(c.head, sizeof(*c.head), HD_READ, c.pc);
		c.head->func(c.head);
	}
}

/* A read section that is never left: the kernel finds it at the exit. */
static void on_exit_task(const struct hd_event *ev)
{
	if (W->cur->rcu_nesting)
		hd_complain(HD_V_RCU_USAGE, NULL, "exit inside", ev->op.pc);
}

void hd_boot_rcu_daemon(void)
{
	struct hd_task *t = hd_world_add_task("rcu", daemon_main, NULL);

	t->daemon = 1;
	daemon_id = t->id;
	hd_subscribe(HD_EV_EXIT, on_exit_task);
}
