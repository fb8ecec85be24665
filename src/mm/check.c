/* SPDX-License-Identifier: MIT */
/* Which mm checks there are.  Each subscribes to events; they run in every run
 * of every scenario and say nothing where there is no mm. */
#include "check.h"

void mm_checks_start(void)
{
	check_vma_lock_start();
	check_pte_start();
}
