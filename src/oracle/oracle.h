/* SPDX-License-Identifier: MIT */
/* The oracles: subscribers of events that can raise verdicts.  Each is started
 * once per load, before any task exists, and may reserve world state then. */
#ifndef ORACLE_ORACLE_H
#define ORACLE_ORACLE_H

#include <heddle/types.h>

void hd_lockdep_start(void);
void hd_progress_start(void);
void hd_lifetime_start(void);
void hd_race_start(void);
void hd_race_tasks(void); /* when all tasks are known */

/* Keys of hd_order_on(): what oracles order that no memory access does. */
enum { HD_ORDER_LOCKDEP = 1 };
#define HD_ORDER_KEY(x) (1ull << 61 | (x))

#endif
