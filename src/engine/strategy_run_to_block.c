/* SPDX-License-Identifier: MIT */
/* Run-to-block: stay until the task blocks or ends, then the lowest number.
 * A handler that ends gives the CPU back; none comes while others can go.
 * The base of every minimised schedule, and what the empty input does. */
#include "engine.h"

static void new_run(u32 seed)
{
	(void)seed;
}

static u32 pick(hd_tasks on, u32 cur)
{
	const struct hd_task *t = &W->tasks[cur];

	if (hd_has(on, cur))
		return cur;
	if (t->irq && hd_has(on, t->host))
		return t->host;
	if (on & ~W->to_come)
		on &= ~W->to_come;
	return hd_lowest(on);
}

const struct hd_strategy hd_run_to_block = { "run-to-block", new_run, pick, NULL };
