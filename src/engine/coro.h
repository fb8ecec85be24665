/* SPDX-License-Identifier: MIT */
/* Coroutines: one register switch, and nothing else.
 *
 * Stacks belong to the world, so snapshots own them; therefore the switch is
 * our own.  A suspended coroutine is its stack pointer.  coro_x86_64.S and
 * coro_aarch64.S implement it; CORO=ucontext selects coro_ucontext.c. */
#ifndef ENGINE_CORO_H
#define ENGINE_CORO_H

#include <heddle/types.h>

/* Save the running context's stack pointer in *save and go on at to. */
void hd_coro_switch(void **save, void *to);

/* A context on the stack [low, high) that will call fn(arg); fn must not
 * return. */
void *hd_coro_new(void *low, void *high, void (*fn)(void *), void *arg);

/* In a signal handler: make the interrupted context go on as if to had been
 * switched to (used when a task ran into its guard page). */
void hd_coro_divert(void *ucontext, void *to);

#endif
