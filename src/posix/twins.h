/* SPDX-License-Identifier: MIT */
/* For tests of src/posix: a twin is a program, with a safe and a buggy form.  It
 * is compiled as heddle-cc compiles programs, its calls renamed; twin.c runs it. */
#ifndef POSIX_TWINS_H
#define POSIX_TWINS_H

#define _GNU_SOURCE
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include <heddle/program.h>

struct form {
	void (*main)(void);
	bool buggy;
};

static inline const struct form *form(void)
{
	return heddle_variant_data();
}

static inline bool buggy(void)
{
	return form()->buggy;
}

int main(void)
{
	form()->main();
	return 0;
}

#define SHOWS(kind) { HD_V_##kind, -1 }
#define TWIN(id, text, ...)                                            \
	static const struct form id##_safe = { id, false };            \
	static const struct form id##_buggy = { id, true };            \
	static const struct heddle_variant id##_variants[] = {         \
		{ .name = "safe", .data = &id##_safe, .fail = -1 },    \
		{ .name = "buggy", .data = &id##_buggy, .fail = -1,    \
		  .expect = { __VA_ARGS__ } },                         \
		{ .name = NULL },                                      \
	};                                                             \
	SCENARIO(id, text, NULL)
/* Nothing but a safe form, which reaches all goals. */
#define SAFE(id, text, ...)                                            \
	static const struct form id##_safe = { id, false };            \
	static const struct heddle_variant id##_variants[] = {         \
		{ .name = "safe", .data = &id##_safe, .fail = -1 },    \
		{ .name = NULL },                                      \
	};                                                             \
	static const char *const id##_goals[] = { __VA_ARGS__, NULL }; \
	SCENARIO(id, text, id##_goals)
#define SCENARIO(id, text, marks)                                      \
	HEDDLE_SCENARIO(id##_twin) = {                                 \
		.name = (text),                                        \
		.variants = id##_variants,                             \
		.tasks = hd_program_table,                             \
		.setup = hd_program_setup,                             \
		.goals = (marks),                                      \
	}

/* Threads with the functions fn: made, and joined. */
static inline void threads(void *(*const *fn)(void *arg), int n)
{
	pthread_t id[8];
	int i;

	for (i = 0; i < n; i++)
		pthread_create(&id[i], NULL, fn[i], NULL);
	for (i = 0; i < n; i++)
		pthread_join(id[i], NULL);
}
#define THREADS(...)                                                   \
	do {                                                           \
		static void *(*const fn__[])(void *) = { __VA_ARGS__ };\
		threads(fn__, (int)(sizeof(fn__) / sizeof(fn__[0])));  \
	} while (0)

/* Make a thread, cancel it whenever, and join it: its result. */
static inline void *cancelled(void *(*fn)(void *arg))
{
	pthread_t t;
	void *result;

	pthread_create(&t, NULL, fn, NULL);
	assert(!pthread_cancel(t));
	assert(!pthread_join(t, &result));
	return result;
}

#endif
