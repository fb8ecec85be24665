/* SPDX-License-Identifier: MIT */
/* For tests of primitives: a twin is a scenario with a safe and a buggy
 * variant that differ in one decision.  The safe one must be clean in every
 * interleaving, the buggy one must show exactly the verdicts that it names;
 * twin.c explores both, with up to one failure and one signal in a run, or as
 * many as the variant says in .fail and .signals (TWIN_NONE: none). */
#ifndef BASE_TWIN_H
#define BASE_TWIN_H

#include <heddle/kernel.h>

enum { TWIN_NONE = -1 };

/* tasks without an argument */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

static __always_inline bool buggy(void)
{
	return heddle_variant()->data != NULL;
}

#define SHOWS(kind) { HD_V_##kind, -1 }

#define TWIN_TASKS(id, ...) \
	static const struct heddle_task id##_tasks[] = { __VA_ARGS__, \
							 { .name = NULL } }
/* What the buggy variant shows. */
#define TWIN_VARIANTS(id, ...)                                         \
	static const struct heddle_variant id##_variants[] = {         \
		{ .name = "safe" },                                    \
		{ .name = "buggy", .data = "", .expect = { __VA_ARGS__ } }, \
		{ .name = NULL },                                      \
	}
/* A scenario that has nothing but a safe variant. */
#define TWIN_SAFE_ONLY(id)                                             \
	static const struct heddle_variant id##_variants[] = {         \
		{ .name = "safe" },                                    \
		{ .name = NULL },                                      \
	}
#define TWIN(id, text, ...)                                            \
	HEDDLE_SCENARIO(id##_twin) = {                                 \
		.name = (text),                                        \
		.variants = id##_variants,                             \
		.tasks = id##_tasks,                                   \
		.setup = id##_setup,                                   \
		__VA_ARGS__                                            \
	}

#endif
