/* SPDX-License-Identifier: MIT */
/* Which options exist, which verb takes them, and what do they mean?
 *
 * One table answers all three: getopt_long's list, the checks of the values
 * and the help text are made from it. */
#include "options.h"

#include <getopt.h>
#include <string.h>

#include "../src/oracle/lockdep.h"
#include "triage.h"

enum type { FLAG, TEXT, NUMBER, BOUND, COUNT1, NOT_YET, LOCKDEP };

struct row {
	const char *name;
	char letter;
	u8 type;
	u16 at; /* offset in struct options */
	u32 verbs;
	u64 max;
	const char *value, *help;
};

#define AT(field) offsetof(struct options, field)

static const struct row rows[] = {
	{ "strategy", 0, TEXT, AT(strategy), V_RUN, 0, "NAME",
	  "portfolio (default), rf, hold, eager, urw, pos, surw, random,\n"
	  "reluctant, pct, run-to-block" },
	{ "schedules", 0, NUMBER, AT(schedules), V_RUN | V_BISECT, UINT32_MAX,
	  "N",
	  "schedules to try (default 20000)" },
	{ "seed", 0, NUMBER, AT(seed), V_RUN, UINT32_MAX, "N",
	  "where the schedules' seeds come from (default 1)" },
	{ "seeds", 0, NUMBER, AT(seeds), V_RUN, 10000, "M",
	  "with --want: table of schedules needed by each strategy,\n"
	  "over M seeds" },
	{ "keep-going", 0, FLAG, AT(keep_going), V_RUN, 0, NULL,
	  "try all schedules, list each signature once" },
	{ "preemptions", 0, BOUND, AT(preemptions), V_EXPLORE, 64, "K|none",
	  "exhaust 0, 1 ... K preemptions; none (default): no bound;\n"
	  "with --check the default is what the variant declares" },
	{ "preemptions", 0, BOUND, AT(preemptions), V_DIFF, 64, "K|none",
	  "compare runs with at most K preemptions; none (default):\nall" },
	{ "max-schedules", 0, NUMBER, AT(max_schedules), V_EXPLORE | V_DIFF,
	  UINT64_MAX, "N", "stop after N runs of each search" },
	{ "want", 0, TEXT, AT(want),
	  V_RUN | V_EXPLORE | V_MIN | V_REGRESS, 0, "VERDICT",
	  "the verdict to look for: a name, names with commas between,\n"
	  "or a whole signature" },
	{ "fail", 0, COUNT1, AT(fail), V_RUN | V_EXPLORE | V_DIFF, 64, "N",
	  "let up to N fallible operations fail (no N: 1; default: as\n"
	  "many as the variant declares)" },
	{ "signals", 0, COUNT1, AT(signals), V_RUN | V_EXPLORE | V_DIFF, 64,
	  "N",
	  "let up to N signals arrive (no N: 1; default: as many as\n"
	  "the variant declares)" },
	{ "calls", 0, TEXT, AT(calls), V_RUN | V_EXPLORE | V_DIFF, 0, "LIST",
	  "keep to these calls (mm_mix: munmap,fault,...)" },
	{ "out", 0, TEXT, AT(out), V_RUN | V_EXPLORE, 0, "DIR",
	  "save each schedule found as DIR/<signature>.sched" },
	{ "out", 0, TEXT, AT(out), V_DIFF, 0, "DIR",
	  "save a schedule of each group as DIR/A-not-B-N.sched" },
	{ "report", 0, FLAG, AT(report), V_EXPLORE, 0, NULL,
	  "print the report of the wanted, or first, witness" },
	{ "certificate", 0, TEXT, AT(certificate), V_EXPLORE, 0, "FILE",
	  "write down what was searched, found and left out" },
	{ "against", 0, TEXT, AT(against), V_EXPLORE, 0, "FILE",
	  "search what that certificate says, and compare: exit 1 if\n"
	  "anything differs (no SCENARIO, no other options)" },
	{ "twice", 0, FLAG, AT(twice), V_REPLAY, 0, NULL,
	  "run two times and compare step by step" },
	{ "gdb", 0, FLAG, AT(gdb), V_REPLAY, 0, NULL,
	  "stop in gdb where the verdict is raised; what stands behind\n"
	  "-- is for gdb (-- -batch -ex 'heddle tasks')" },
	{ "check", 0, FLAG, AT(check), V_REPLAY | V_EXPLORE, 0, NULL,
	  "exit 1 if the verdicts differ from what was recorded\n"
	  "(explore: from what the variant declares; without :VARIANT\n"
	  "all are checked, and the scenario's questions answered)" },
	{ "scenario", 0, TEXT, AT(scenario), V_REPLAY | V_MIN, 0,
	  "NAME[:VARIANT]", "what a fuzzer's binary input is to be run on" },
	{ "output", 'o', TEXT, AT(out), V_MIN, 0, "FILE",
	  "write the smallest schedule there (-: standard output)" },
	{ "as-is", 0, FLAG, AT(as_is), V_MIN, 0, NULL,
	  "change nothing: fill in places, verdicts and hash, and\nwrite OUT" },
	{ "limit", 0, NUMBER, AT(limit), V_MIN | V_BISECT, UINT64_MAX, "N",
	  "runs that the proof may take (default 2000000)" },
	{ "dir", 0, TEXT, AT(out), V_REGRESS, 0, "DIR",
	  "the corpus (default corpus/regress)" },
	{ "replace", 0, FLAG, AT(replace), V_REGRESS, 0, NULL,
	  "write over what stands there under this signature" },
	{ "json", 0, FLAG, AT(json), V_LIST, 0, NULL, "as JSON" },
	{ "verdicts", 0, FLAG, AT(verdicts), V_LIST, 0, NULL,
	  "list the verdicts' names instead" },
	{ "lockdep", 0, LOCKDEP, AT(lockdep),
	  V_RUN | V_EXPLORE | V_DIFF | V_MIN | V_REPLAY, 0, "kernel|exact|boot",
	  "judge lock orders as the kernel does (default); exactly, also\n"
	  "where its search is known to miss a cycle; or, run only, over\n"
	  "all runs together as well" },
	{ "weak", 0, NOT_YET, 0, V_EXPLORE, 0, "N", "not built yet" },
};

bool parse_number(const char *s, u64 max, u64 *v)
{
	u64 n = 0;

	if (!*s)
		return false;
	for (; *s; s++) {
		u64 d = (u64)(*s - '0');

		if (d > 9 || n > (max - d) / 10)
			return false;
		n = n * 10 + d;
	}
	*v = n;
	return n <= max;
}

static bool complain(const char *verb, const char *what, const char *name)
{
	fprintf(stderr, "heddle %s: %s%s (see %s %s --help)\n", verb, what,
		name, program, verb);
	return false;
}

static bool take_lockdep(const char *verb, const char *value, u8 *mode)
{
	static const char *const names[] = { "kernel", "exact", "boot" };

	for (*mode = 0; *mode < ARRAY_SIZE(names); ++*mode)
		if (!strcmp(value, names[*mode]))
			break;
	if (*mode == ARRAY_SIZE(names))
		return complain(verb, "not kernel, exact or boot: --lockdep=",
				value);
	if (*mode == LOCKDEP_BOOT && strcmp(verb, "run"))
		return complain(verb, "only run joins runs: --lockdep=", value);
	lockdep_exact = *mode == LOCKDEP_EXACT;
	return true;
}

static bool take(const char *verb, const struct row *r, const char *value,
		 struct options *o)
{
	void *field = (char *)o + r->at;
	u64 n = 1;

	switch (r->type) {
	case FLAG:
		*(bool *)field = true;
		return true;
	case TEXT:
		*(const char **)field = value;
		return *value || complain(verb, "empty value: --", r->name);
	case BOUND:
		if (!strcmp(value, "none")) {
			*(s64 *)field = -1;
			return true;
		}
		break;
	case COUNT1:
		if (!value) {
			*(u64 *)field = 1;
			return true;
		}
		break;
	case LOCKDEP:
		return take_lockdep(verb, value, field);
	case NOT_YET:
		return complain(verb, "not built yet: --", r->name);
	}
	if (!parse_number(value, r->max, &n))
		return complain(verb, "not a number in range: --", r->name);
	*(u64 *)field = n;
	return true;
}

static void defaults(struct options *o)
{
	memset(o, 0, sizeof(*o));
	o->schedules = 20000;
	o->seed = 1;
	o->preemptions = o->fail = o->signals = NOT_GIVEN;
	o->limit = 2000000;
}

static void getopt_rows(u32 verb, struct option *list, char *letters)
{
	u32 i, n = 0;

	*letters++ = ':';
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *r = &rows[i];

		if (!(r->verbs & verb))
			continue;
		list[n++] = (struct option){
			r->name,
			r->type == FLAG	  ? no_argument :
			r->type == COUNT1 ? optional_argument :
					    required_argument,
			NULL, 256 + (int)i };
		if (r->letter) {
			*letters++ = r->letter;
			*letters++ = ':';
		}
	}
	*letters = 0;
}

bool options_parse(int argc, char **argv, u32 verb, struct options *o)
{
	struct option list[ARRAY_SIZE(rows) + 1] = { 0 };
	char letters[2 * ARRAY_SIZE(rows) + 2];
	u32 i;
	int c;

	defaults(o);
	getopt_rows(verb, list, letters);
	optind = 1;
	opterr = 0;
	while ((c = getopt_long(argc, argv, letters, list, NULL)) != -1) {
		if (c == ':')
			return complain(argv[0], "needs a value: ",
					argv[optind - 1]);
		if (c == '?')
			return complain(argv[0], "unknown option ",
					argv[optind - 1]);
		for (i = 0; i < ARRAY_SIZE(rows); i++)
			if (c == 256 + (int)i || rows[i].letter == c)
				break;
		if (!take(argv[0], &rows[i], optarg, o))
			return false;
	}
	o->args = argv + optind;
	o->nargs = argc - optind;
	return true;
}

/* Texts are written for heddle; a program with one scenario needs no name. */
void usage_of(FILE *f, const char *text)
{
	const char *end = strchr(text, '\n'), *rest = text + 14, *s;

	if (!end || strncmp(text, "usage: heddle ", 14)) {
		fputs(text, f);
		return;
	}
	fprintf(f, "usage: %s ", program);
	s = only_one_scenario() ? strstr(rest, "SCENARIO[:VARIANT]") : NULL;
	if (s && s < end) {
		fprintf(f, "%.*s[:VARIANT]", (int)(s - rest), rest);
		rest = s + 18;
	}
	fputs(rest, f);
}

static void help_row(FILE *f, const struct row *r)
{
	char left[40];
	const char *p = r->help, *nl;

	snprintf(left, sizeof(left), "%s--%s%s%s%s%s",
		 r->letter ? "-o, " : "", r->name,
		 r->type == COUNT1 ? "[" : "",
		 r->value ? "=" : "", r->value ? r->value : "",
		 r->type == COUNT1 ? "]" : "");
	fprintf(f, "  %-24s ", left);
	if (strlen(left) > 24)
		fprintf(f, "\n%27s", "");
	while ((nl = strchr(p, '\n'))) {
		fprintf(f, "%.*s\n%27s", (int)(nl - p), p, "");
		p = nl + 1;
	}
	fprintf(f, "%s\n", p);
}

void options_help(FILE *f, u32 verb)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].verbs & verb)
			help_row(f, &rows[i]);
}

bool option_unknown(char **argv)
{
	return complain(argv[0], "no such option, or its value is missing: ",
			argv[optind - 1]);
}
