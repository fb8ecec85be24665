/* SPDX-License-Identifier: MIT */
/* What the composition root must know of programs. */
#ifndef POSIX_PROGRAM_H
#define POSIX_PROGRAM_H

#include <heddle/program.h>

/* A program's table of tasks is as long as it can be; then it ends behind those that
 * the runs since made, and one more. */
void hd_program_all_tasks(void);
void hd_program_cut_tasks(void);

#endif
