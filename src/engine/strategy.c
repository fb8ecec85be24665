/* SPDX-License-Identifier: MIT */
/* The list of strategies.  Numbers are part of the schedule format. */
#include <string.h>

#include "engine.h"

static const struct hd_strategy *const by_id[] = {
	&hd_run_to_block, &hd_random_walk, &hd_pct, &hd_pos, &hd_surw,
	&hd_rf,
};

const struct hd_strategy *hd_strategy_by_id(u8 id)
{
	return id < ARRAY_SIZE(by_id) ? by_id[id] : by_id[0];
}

int hd_strategy_id(const char *name)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(by_id); i++)
		if (!strcmp(by_id[i]->name, name))
			return (int)i;
	return -1;
}
