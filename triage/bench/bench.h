/* SPDX-License-Identifier: MIT */
/* The parts of the bench program. */
#ifndef TRIAGE_BENCH_H
#define TRIAGE_BENCH_H

/* The loaded scenario is only used for its world. */
int bench_oracles(void);

#endif
