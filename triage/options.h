/* SPDX-License-Identifier: MIT */
/* Options of the verbs that search: one table for parsing and for --help. */
#ifndef TRIAGE_OPTIONS_H
#define TRIAGE_OPTIONS_H

#include <heddle/types.h>
#include <stdio.h>

enum verb_bit {
	V_LIST = 1, V_RUN = 2, V_EXPLORE = 4, V_REPLAY = 8, V_MIN = 16,
	V_DIFF = 32, V_BISECT = 64, V_REGRESS = 128,
};

enum { NOT_GIVEN = -2 };

enum lockdep_mode { LOCKDEP_KERNEL, LOCKDEP_EXACT, LOCKDEP_BOOT };

struct options {
	const char *strategy, *want, *out, *scenario, *calls,
		*certificate, *against;
	u64 schedules, max_schedules, limit;
	u64 seed, seeds;
	s64 preemptions;   /* -1: none */
	s64 fail, signals; /* NOT_GIVEN until options_settle() */
	bool keep_going, as_is, replace, json, report, twice, check, verdicts, gdb;
	u8 lockdep; /* enum lockdep_mode */
	int nargs;
	char **args;
};

/* Defaults, then argv (argv[0] is the verb's name).  False: wrong usage, and
 * one line on stderr has said what. */
bool options_parse(int argc, char **argv, u32 verb, struct options *o);
/* The verb's one SCENARIO[:VARIANT]; a program that has only one needs none. */
struct target;
bool target_argument(const char *verb, const struct options *o,
		     struct target *t);
/* What was not given is as the variant declares it: failures, signals and, under
 * --check, preemptions; else there is no bound. */
struct heddle_variant;
void options_settle(struct options *o, const struct heddle_variant *v);
/* After getopt_long() said '?': one line about it.  False. */
bool option_unknown(char **argv);
/* The options that the verb takes, one a line. */
void options_help(FILE *f, u32 verb);
/* Decimal, all of it, at most max. */
bool parse_number(const char *s, u64 max, u64 *v);

#endif
