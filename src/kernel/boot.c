/* SPDX-License-Identifier: MIT */
/* What the primitives need in the world before a variant's set-up runs, and
 * the two small things that all of them share: complaining, and signals. */
#include "kernel.h"

void hd_boot_primitives(void)
{
	const struct heddle_task *t = hd_eng.scenario->tasks;
	u32 n = 2; /* the RCU daemon and the set-up */

	while (t->name) {
		t++;
		n++;
	}
	hd_boot_rcu(n);
	hd_boot_srcu();
	hd_boot_wait(n);
	hd_boot_wait_bit(n);
	hd_boot_rwsem();
	hd_boot_irq();
	hd_boot_refcount();
}

void hd_boot_daemons(void)
{
	hd_boot_rcu_daemon();
}

void hd_complain(u8 kind, const volatile void *addr, const char *word, u32 pc)
{
	struct hd_verdict v = { .kind = kind, .pc = pc };
	const struct hd_object *o = NULL;

	hd_settle();
	if (hd_in_heap((u64)addr) && (u64)addr < HD_HEAP_BASE + W->heap_used)
		o = hd_object_at((u64)addr);
	if (o && (u64)addr >= (u64)(o + 1)) {
		v.type = o->type;
		v.off = (u32)((u64)addr - (u64)(o + 1));
	}
	if (word)
		v.names[v.nnames++] = word;
	hd_raise(v);
}

bool hd_signal_comes(void)
{
	struct hd_task *t = W->cur;

	hd_settle();
	if (!t->signalled && hd_ask(HD_ASK_SIGNAL, 2))
		t->signalled = 1;
	return t->signalled;
}
