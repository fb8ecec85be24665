/* SPDX-License-Identifier: MIT */
/* The Test Anything Protocol, as far as our tests speak it. */
#ifndef BASE_TAP_H
#define BASE_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static unsigned tap_run, tap_failed, tap_planned;

static inline void tap_plan(unsigned n)
{
	tap_planned = n;
	printf("1..%u\n", n);
}

/* Returns cond, so that a test can say more when it fails. */
__attribute__((format(printf, 2, 3), unused)) static bool
tap_ok(bool cond, const char *what, ...)
{
	va_list ap;

	printf("%sok %u - ", cond ? "" : "not ", ++tap_run);
	va_start(ap, what);
	vprintf(what, ap);
	va_end(ap);
	putchar('\n');
	tap_failed += !cond;
	return cond;
}

__attribute__((unused)) static bool tap_is(long long got, long long want,
					   const char *what)
{
	if (tap_ok(got == want, "%s", what))
		return true;
	printf("#      got: %lld\n# expected: %lld\n", got, want);
	return false;
}

__attribute__((unused)) static bool tap_is_str(const char *got,
					       const char *want,
					       const char *what)
{
	if (tap_ok(!strcmp(got, want), "%s", what))
		return true;
	printf("#      got: '%s'\n# expected: '%s'\n", got, want);
	return false;
}

/* The exit status of main().  Without a plan, the number run becomes it. */
__attribute__((unused)) static int tap_done(void)
{
	if (!tap_planned)
		printf("1..%u\n", tap_run);
	fflush(stdout);
	return tap_failed || (tap_planned && tap_planned != tap_run);
}

#endif
