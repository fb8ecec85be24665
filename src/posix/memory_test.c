/* SPDX-License-Identifier: MIT */
/* Is memory of a program allocated, freed, copied and printed into as it should?
 *
 * Covers memory.c and stdio.c. */
#include <stdio.h>
#include <string.h>

#include "twins.h"

static char *p;

static void *frees(void *arg)
{
	free(p);
	return arg;
}

static void *uses(void *arg)
{
	if (buggy())
		p[0] = 1;
	return arg;
}

static void use_and_free(void)
{
	p = malloc(4);
	p[3] = 1;
	THREADS(uses, frees);
}
TWIN(use_and_free, "memory/use after free", SHOWS(USE_AFTER_FREE),
     SHOWS(ASSERT_RACE));

static void freed_twice(void)
{
	p = calloc(2, 4);
	assert(!p[0] && !p[7]);
	free(p);
	if (buggy())
		free(p);
	free(NULL);
}
TWIN(freed_twice, "memory/free twice", SHOWS(DOUBLE_FREE));

static void bounds(void)
{
	p = malloc(3);
	p[buggy() ? 3 : 2] = 1;
}
TWIN(bounds, "memory/bounds", SHOWS(WILD_ACCESS));

static void moved(void)
{
	void *q;

	p = realloc(NULL, 2);
	p[1] = 5;
	p = realloc(p, 100);
	assert(p[1] == 5 && !p[99]);
	assert(!posix_memalign(&q, 64, 8) && q != p);
	free(q);
	free(p);
	heddle_mark("kept");
}
SAFE(moved, "memory/realloc", "kept");

static void none_left(void)
{
	p = malloc(8);
	if (!p) {
		assert(errno == ENOMEM);
		heddle_mark("no memory");
	} else {
		heddle_mark("memory");
	}
	if (!buggy() && !p)
		return;
	*p = 1;
}
static const struct form none_left_safe = { none_left, false };
static const struct form none_left_buggy = { none_left, true };
static const struct heddle_variant none_left_variants[] = {
	{ .name = "safe", .data = &none_left_safe, .fail = 1 },
	{ .name = "buggy", .data = &none_left_buggy, .fail = 1,
	  .expect = { SHOWS(NULL_DEREF) } },
	{ .name = NULL },
};
static const char *const none_left_goals[] = { "memory", "no memory", NULL };
SCENARIO(none_left, "memory/malloc fails", none_left_goals);

static void strings(void)
{
	char *s = malloc(32);
	int n;

	strcpy(s, "one");
	strcat(s, " two");
	assert(!strcmp(s, "one two"));
	strncpy(s, "abc", 6);
	assert(!strcmp(s, "abc") && !s[5] && s[6] == 'o');
	n = snprintf(s, 6, "%d and more", 17);
	assert(n == 11 && !strcmp(s, "17 an"));
	assert(sprintf(s, "%s", "x") == 1 && !strcmp(s, "x"));
	p = strdup(s);
	assert(!strcmp(p, "x") && p != s);
	printf("%s\n", p);
	puts(p);
	fflush(stdout);
	assert(!getenv("HOME"));
	heddle_mark("written");
}
SAFE(strings, "memory/strings", "written");
