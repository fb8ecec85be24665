/* SPDX-License-Identifier: MIT */
/* The fallback: coroutines over <ucontext.h>, for machines without assembly.
 *
 * A suspended coroutine is a ucontext_t at the bottom of what its stack
 * pointer names, so that snapshots of the live stack carry it.  glibc's
 * swapcontext does a system call each way: 20 times slower. */
#define _GNU_SOURCE
#include "coro.h"

#include <string.h>
#include <ucontext.h>

static void enter(unsigned fn_hi, unsigned fn_lo, unsigned arg_hi,
		  unsigned arg_lo)
{
	void (*fn)(void *) = (void (*)(void *))((u64)fn_hi << 32 | fn_lo);

	fn((void *)((u64)arg_hi << 32 | arg_lo));
	__builtin_trap();
}

void hd_coro_switch(void **save, void *to)
{
	ucontext_t here; /* on the stack of whoever is suspended */

	*save = &here;
	swapcontext(&here, to);
}

void *hd_coro_new(void *low, void *high, void (*fn)(void *), void *arg)
{
	ucontext_t *uc =
		(ucontext_t *)(((uintptr_t)high - sizeof(*uc)) & ~(uintptr_t)63);
	u64 f = (u64)fn, a = (u64)arg;

	memset(uc, 0, sizeof(*uc));
	getcontext(uc);
	uc->uc_stack.ss_sp = low;
	uc->uc_stack.ss_size = (uintptr_t)uc - (uintptr_t)low;
	uc->uc_link = NULL;
	makecontext(uc, (void (*)(void))enter, 4, (unsigned)(f >> 32),
		    (unsigned)f, (unsigned)(a >> 32), (unsigned)a);
	return uc;
}

static void *divert_to;

static void diverted(void)
{
	setcontext(divert_to);
}

void hd_coro_divert(void *ucontext, void *to)
{
	ucontext_t *uc = ucontext;
	ucontext_t *dst = to;

	divert_to = to;
#if defined(__x86_64__)
	/* borrow a little of the main stack below the suspended frame */
	uc->uc_mcontext.gregs[REG_RSP] =
		((greg_t)dst - 4096) & ~(greg_t)15;
	uc->uc_mcontext.gregs[REG_RSP] -= 8;
	uc->uc_mcontext.gregs[REG_RIP] = (greg_t)diverted;
#elif defined(__aarch64__)
	uc->uc_mcontext.sp = ((u64)dst - 4096) & ~(u64)15;
	uc->uc_mcontext.pc = (u64)diverted;
#else
	*uc = *dst;
#endif
}
