/* SPDX-License-Identifier: MIT */
/* The C half of the assembly coroutines: the first frame, and the way out of a
 * signal handler.  What the frame looks like is fixed by coro_*.S. */
#define _GNU_SOURCE
#include "coro.h"

#include <string.h>
#include <ucontext.h>

void hd_coro_entry(void);
void hd_coro_resume(void);

#if defined(__x86_64__)
void *hd_coro_new(void *low, void *high, void (*fn)(void *), void *arg)
{
	void **sp = (void **)((uintptr_t)high & ~(uintptr_t)15);

	(void)low;
	/* 8 modulo 16 at hd_coro_entry, as after a call */
	*--sp = NULL;
	*--sp = (void *)hd_coro_entry;
	*--sp = NULL;        /* rbp */
	*--sp = NULL;        /* rbx */
	*--sp = (void *)fn;  /* r12 */
	*--sp = arg;         /* r13 */
	*--sp = NULL;        /* r14 */
	*--sp = NULL;        /* r15 */
	return sp;
}

void hd_coro_divert(void *ucontext, void *to)
{
	ucontext_t *uc = ucontext;

	uc->uc_mcontext.gregs[REG_RSP] = (greg_t)to;
	uc->uc_mcontext.gregs[REG_RIP] = (greg_t)hd_coro_resume;
}
#elif defined(__aarch64__)
void *hd_coro_new(void *low, void *high, void (*fn)(void *), void *arg)
{
	u64 *sp = (u64 *)((uintptr_t)high & ~(uintptr_t)15) - 20;

	(void)low;
	memset(sp, 0, 160);
	sp[0] = (u64)fn;             /* x19 */
	sp[1] = (u64)arg;            /* x20 */
	sp[11] = (u64)hd_coro_entry; /* x30 */
	return sp;
}

void hd_coro_divert(void *ucontext, void *to)
{
	ucontext_t *uc = ucontext;

	uc->uc_mcontext.sp = (u64)to;
	uc->uc_mcontext.pc = (u64)hd_coro_resume;
}
#else
#error "no assembly for this machine: build with CORO=ucontext"
#endif
