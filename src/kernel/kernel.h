/* SPDX-License-Identifier: MIT */
/* Private to src/kernel: what every primitive needs to make itself an op, and
 * what the primitives ask of each other. */
#ifndef KERNEL_KERNEL_H
#define KERNEL_KERNEL_H

#include "../engine/engine.h"
#include "../engine/hot.h"

enum { HD_RW = HD_READ | HD_WRITE };

/* Publish an access; true when it may be done and hd_did() must follow.
 * False: the memory is not part of the world, so the access is no op. */
static __always_inline bool hd_begin(u8 kind, const volatile void *p, u32 size,
				     u8 flags, u8 order, u32 pc)
{
	if (unlikely(!hd_in_heap((u64)p) && !hd_in_statics((u64)p))) {
		if ((u64)p < 4096)
			hd_judge(p, size, flags, pc);
		return false;
	}
	hd_publish_hot(kind, p, size, flags, order, pc);
	hd_judge(p, size, flags, pc);
	return true;
}

static __always_inline u64 hd_get(const volatile void *p, u32 size)
{
	switch (size) {
	case 1:
		return *(const volatile u8 *)p;
	case 2:
		return *(const volatile u16 *)p;
	case 4:
		return *(const volatile u32 *)p;
	default:
		return *(const volatile u64 *)p;
	}
}

static __always_inline void hd_put(volatile void *p, u32 size, u64 v)
{
	switch (size) {
	case 1:
		*(volatile u8 *)p = (u8)v;
		break;
	case 2:
		*(volatile u16 *)p = (u16)v;
		break;
	case 4:
		*(volatile u32 *)p = (u32)v;
		break;
	default:
		*(volatile u64 *)p = v;
	}
}

/* An initialiser writes here without being an op of its own. */
static __always_inline void hd_quiet_write(const volatile void *p, u32 size,
					   u32 pc)
{
	hd_settle();
	hd_judge(p, size, HD_WRITE, pc);
	hd_order_range(p, size, true);
}

/* Of per-task tables with n entries; the last one is the set-up's. */
static __always_inline u32 hd_slot(u32 n)
{
	return W->cur->id < n - 1 ? W->cur->id : n - 1;
}

/* Lock owners: never 0. */
static __always_inline u32 hd_me(void)
{
	return W->cur->id + 1u;
}

/* Raise a verdict about the memory at addr.  word: a literal, or NULL. */
void hd_complain(u8 kind, const volatile void *addr, const char *word, u32 pc);
/* what: the function that may sleep. */
void hd_might_sleep(const char *what, u32 pc);
/* Is a signal pending now?  Asks the schedule; once true, always true. */
bool hd_signal_comes(void);

/* Free an object (kfree), on behalf of the code at pc. */
void hd_free(const void *p, u32 pc);

/* Parts of hd_boot_primitives() and hd_boot_daemons(). */
void hd_boot_rcu(u32 ntasks);
void hd_boot_rcu_daemon(void);
void hd_boot_wait(u32 ntasks);
void hd_boot_rwsem(void);

#endif
