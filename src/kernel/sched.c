/* SPDX-License-Identifier: MIT */
/* How does a task spin, yield and return to user space, and where must it not
 * sleep?  (Sleeping itself is in wait.c.) */
#include <heddle/sched.h>

#include "kernel.h"

struct task_struct *hd_current_task(void)
{
	static struct task_struct handles[HD_MAX_TASKS + 1];
	const struct hd_task *cur = W->cur;
	struct task_struct *t;

	if (cur->irq)
		cur = &W->tasks[cur->host];
	t = &handles[cur->id];
	t->comm = cur->name;
	t->pid = cur->id;
	return t;
}

/* --- spinning ------------------------------------------------------- */

static void yield_op(u32 pc)
{
	hd_publish(HD_AWAIT, NULL, 0, HD_YIELD, HD_RELAXED, pc);
	hd_did(0, 0);
}

void cpu_relax(void)
{
	struct hd_task *t = W->cur;
	u32 pc = HD_PC(), i, size;
	u64 addr, v;

	hd_settle();
	if (W->probing) /* a condition that spins, looked at a last time */
		hd_probe_done(false);
	if (!t->nreads || t->nreads > HD_MAX_READS) {
		yield_op(pc);
		t->nreads = 0;
		return;
	}
	/* the op bears the last word read: most likely the one that matters */
	addr = t->reads[t->nreads - 1].addr;
	size = hd_read_size(addr);
	addr = hd_read_addr(addr);
	hd_publish_when(HD_AWAIT, (void *)addr, size, HD_READ | HD_YIELD, pc,
			hd_reads_changed, t);
	for (i = 0; i < t->nreads; i++)
		hd_order_range((void *)hd_read_addr(t->reads[i].addr),
			       hd_read_size(t->reads[i].addr), false);
	v = hd_get((void *)addr, size);
	hd_did(v, v);
	t->nreads = 0;
}

void cond_resched(void)
{
	u32 pc = HD_PC();

	hd_might_sleep("cond_resched", pc);
	yield_op(pc);
}

void yield(void)
{
	yield_op(HD_PC());
}

/* --- atomic context ------------------------------------------------- */

void hd_might_sleep(const char *what, u32 pc)
{
	const struct hd_task *t = W->cur;

	if (unlikely(hd_is_atomic(t)))
		hd_complain(HD_V_SLEEP_ATOMIC, NULL, what, pc);
}

void might_sleep(void)
{
	hd_might_sleep("might_sleep", HD_PC());
}

void preempt_disable(void)
{
	W->cur->atomic++;
}

void preempt_enable(void)
{
	W->cur->atomic--;
}

void return_to_user(void)
{
	u32 pc = HD_PC();

	hd_publish(HD_USER, NULL, 0, 0, HD_RELAXED, pc);
	if (W->cur->rcu_nesting)
		hd_complain(HD_V_RCU_USAGE, NULL, "return to user", pc);
	hd_irq_check_user(pc);
	hd_did(0, 0);
}

bool hd_signal_pending(void)
{
	return hd_signal_comes();
}
