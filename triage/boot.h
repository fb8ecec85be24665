/* SPDX-License-Identifier: MIT */
/* The lock orders of all runs of a search, joined; see boot.c. */
#ifndef TRIAGE_BOOT_H
#define TRIAGE_BOOT_H

#include "search.h"

void boot_start(void);
/* After each run; true once there is something to report. */
bool boot_join(const struct hd_schedule *s, u64 run);
/* Print it, save the schedules into out (or NULL); the number of reports (0 or 1). */
u32 boot_tell(const struct target *t, const char *out);

#endif
