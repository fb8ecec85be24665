/* SPDX-License-Identifier: MIT */
/* The mm checks: rules of the address space, judged on the model's notes and
 * on ops, like oracles. */
#ifndef MM_CHECK_H
#define MM_CHECK_H

void mm_checks_start(void);

void check_vma_lock_start(void);
void check_pte_start(void);

#endif
