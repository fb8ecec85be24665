/* SPDX-License-Identifier: MIT */
/* Run-to-block: stay until the task blocks or ends, then the lowest number.
 * The base of every minimised schedule, and what the empty input does. */
#include "engine.h"

static void new_run(u32 seed)
{
	(void)seed;
}

static u32 pick(u64 on, u32 cur)
{
	return on >> cur & 1 ? cur : (u32)__builtin_ctzll(on);
}

const struct hd_strategy hd_run_to_block = { "run-to-block", new_run, pick, NULL };
