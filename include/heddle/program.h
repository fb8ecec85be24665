/* SPDX-License-Identifier: MIT */
/* A program with threads as a scenario: what heddle-cc puts around main().
 *
 * Its main() is the first task; the n-th thread that it makes is the task Tn.
 * Modelled are pthread threads, mutexes of all kinds, condition variables,
 * rwlocks, semaphores, barriers, spinlocks, once and keys; deferred cancellation;
 * C11 threads; C11 and GNU atomics; malloc and free; printf; and time that passes
 * when nobody can go on.  A call that is not modelled does not link, and is named. */
#ifndef HEDDLE_PROGRAM_H
#define HEDDLE_PROGRAM_H

#include <heddle/heddle.h>

enum { HD_PROGRAM_TASKS = HD_MAX_TASKS - 2 };

/* For .setup and .tasks: main, and the threads that it may make. */
void hd_program_setup(void);
extern struct heddle_task hd_program_table[HD_PROGRAM_TASKS + 1];
/* main() of the program, which heddle-cc renames. */
void hd_program_main_task(void *arg);

/* The scenario called text, and argv[1] ... of its main(). */
#define HEDDLE_PROGRAM(text, ...)                                      \
	const char *const hd_program_argv[] = { text, ##__VA_ARGS__,   \
						NULL };                \
	static const struct heddle_variant hd_program_variants[] = {   \
		{ .name = "main", .title = "the program as it is" },   \
		{ .name = NULL },                                      \
	};                                                             \
	HEDDLE_SCENARIO(hd_program) = {                                \
		.name = text,                                          \
		.title = "a program with threads",                     \
		.not_modelled = "signals, files, processes",           \
		.variants = hd_program_variants,                       \
		.tasks = hd_program_table,                             \
		.setup = hd_program_setup,                             \
	}

#endif
