/* SPDX-License-Identifier: MIT */
/* Run-to-block: stay until the task blocks or ends, then the lowest number.
 * A handler that ends gives the CPU back; none comes while others can go.
 * The base of every minimised schedule, and what the empty input does. */
#include "engine.h"

static void new_run(u32 seed)
{
	(void)seed;
}

static u32 pick(u64 on, u32 cur)
{
	const struct hd_task *t = &W->tasks[cur];

	if (on >> cur & 1)
		return cur;
	if (t->irq && on >> t->host & 1)
		return t->host;
	if (on & ~W->to_come)
		on &= ~W->to_come;
	return (u32)__builtin_ctzll(on);
}

const struct hd_strategy hd_run_to_block = { "run-to-block", new_run, pick, NULL };
