/* SPDX-License-Identifier: MIT */
/* Was a state expanded before, with at least as many preemptions left? */
#ifndef ENGINE_STATE_CACHE_H
#define ENGINE_STATE_CACHE_H

#include <heddle/types.h>

void hd_state_cache_clear(void);
/* Was this state expanded with at least that much left?  Notes it if not. */
bool hd_state_seen(u64 key, u32 left);

#endif
