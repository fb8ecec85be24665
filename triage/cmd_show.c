/* SPDX-License-Identifier: MIT */
/* heddle show: what does this saved schedule do, or what is this scenario? */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../src/oracle/lockdep.h"
#include "declared.h"
#include "options.h"
#include "report.h"
#include "search.h"

static const char help[] =
	"usage: heddle show FILE|SCENARIO[:VARIANT] [OPTIONS]\n"
	"\n"
	"Report on a saved schedule, or describe a scenario: its source, the\n"
	"questions that it answers, its variants and what they are expected to\n"
	"show, and what of the kernel is modelled how.  What names a scenario\n"
	"is one; a file of that name is written with a slash (./NAME).\n\n"
	"  --format=FORMAT  text   (default)\n"
	"                   mail   72 columns, ASCII\n"
	"                   json   as triage/report.schema.json describes it\n"
	"                   html   one page that needs nothing else\n"
	"                   chrome trace events, for ui.perfetto.dev\n"
	"                   ftrace as in /sys/kernel/tracing/trace\n"
	"                   The last two have all of the run;\n"
	"                   1 step is 1 microsecond.\n"
	"  --want=VERDICT   explain this verdict of the run: a name or a whole\n"
	"                   signature; default: the file's, or the first\n"
	"  --all            leave nothing out of the picture\n"
	"  --lockdep=kernel|exact\n"
	"                   by which rules lock orders are judged\n"
	"  --scenario=NAME[:VARIANT]\n"
	"                   what a fuzzer's binary input is to be run on\n";

struct show {
	const char *format, *want, *scenario;
};

/* --- formats ------------------------------------------------------------- */

static void text(FILE *out, const struct report *r)
{
	report_text(out, r, isatty(1) && !getenv("NO_COLOR"));
}

static const struct format {
	const char *name;
	void (*print)(FILE *out, const struct report *r);
	bool of_scenario; /* describes a scenario, too */
} formats[] = {
	{ "text", text, true },
	{ "mail", report_mail, true },
	{ "json", report_json, true },
	{ "html", report_html, false },
	{ "chrome", report_chrome, false },
	{ "ftrace", report_ftrace, false },
};

static const struct format *format_of(const char *name)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(formats); i++)
		if (!strcmp(name, formats[i].name))
			return &formats[i];
	return NULL;
}

/* --- a file -------------------------------------------------------------- */

static int show_file(const char *path, const struct show *o)
{
	static struct sched_file f;
	static struct report r;

	memset(&f, 0, sizeof(f));
	if (o->scenario && !target_parse(o->scenario, &f.target))
		return EXIT_USAGE;
	if (!sched_read(path, &f) || !target_open(&f.target))
		return EXIT_USAGE;
	report_from_file(&r, path, &f, o->want);
	if (!report_shows(&r)) {
		fprintf(stderr, "heddle show: %s does not show %s\n", path,
			r.want);
		if (o->want)
			return EXIT_VERDICT;
		r.want[0] = 0; /* another model build: show what it does */
	}
	format_of(o->format)->print(stdout, &r);
	return EXIT_CLEAN;
}

/* --- the verb ------------------------------------------------------------ */

static bool parse(int argc, char **argv, struct show *o)
{
	static const struct option options[] = {
		{ "format", required_argument, NULL, 'f' },
		{ "want", required_argument, NULL, 'w' },
		{ "scenario", required_argument, NULL, 's' },
		{ "all", no_argument, NULL, 'a' },
		{ "lockdep", required_argument, NULL, 'l' },
		{ 0 },
	};
	int c;

	optind = opterr = 0;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'l':
			lockdep_exact = !strcmp(optarg, "exact");
			if (lockdep_exact || !strcmp(optarg, "kernel"))
				break;
			fprintf(stderr, "heddle show: not kernel or exact: "
				"--lockdep=%s\n", optarg);
			return false;
		case 'f':
			o->format = optarg;
			break;
		case 'w':
			o->want = optarg;
			break;
		case 's':
			o->scenario = optarg;
			break;
		case 'a':
			report_all = true;
			break;
		default:
			return option_unknown(argv);
		}
	}
	return true;
}

static bool known_format(const char *format)
{
	u32 i;

	if (format_of(format))
		return true;
	fprintf(stderr, "heddle show: no format is called %s (", format);
	for (i = 0; i < ARRAY_SIZE(formats); i++)
		fprintf(stderr, "%s%s", i ? ", " : "", formats[i].name);
	fprintf(stderr, ")\n");
	return false;
}

/* A scenario that exists goes before a file: a program of heddle-cc often has
 * the name of its scenario.  With a slash it is a file, and no scenario has a
 * dot in its name. */
static bool names_scenario(const char *what)
{
	struct target t;

	if (!*what)
		return true;
	if (!strcmp(what, "-") || strchr(what, '/'))
		return false;
	/* a wrong :VARIANT is told of, too */
	return target_find(what, &t) || t.scenario;
}

static int show_named(const char *what, const struct show *o)
{
	struct target t;

	if (!*what)
		what = scenario_at(0)->name;
	if (!target_parse(what, &t))
		return EXIT_USAGE;
	if (!format_of(o->format)->of_scenario) {
		fprintf(stderr, "heddle show: --format=%s is for a saved "
			"schedule, and %s is a scenario\n", o->format, what);
		return EXIT_USAGE;
	}
	return show_scenario(&t, strchr(what, ':') != NULL, o->format);
}

int cmd_show(int argc, char **argv)
{
	struct show o = { .format = "text" };
	const char *what = "";

	if (argc == 2 && !strcmp(argv[1], "--help")) {
		usage_of(stdout, help);
		return EXIT_CLEAN;
	}
	if (!parse(argc, argv, &o) || !known_format(o.format) ||
	    (o.want && !want_check("show", o.want)))
		return EXIT_USAGE;
	if (optind + 1 == argc) {
		what = argv[optind];
	} else if (optind < argc || !only_one_scenario()) {
		fprintf(stderr, "heddle show: one FILE or SCENARIO, please\n");
		return EXIT_USAGE;
	}
	if (!o.scenario && names_scenario(what))
		return show_named(what, &o);
	if (!o.scenario && strcmp(what, "-") && access(what, F_OK) &&
	    !strpbrk(what, "/.")) {
		fprintf(stderr, "heddle show: no scenario and no file is called "
			"%s (%s list names scenarios)\n", what, program);
		return EXIT_USAGE;
	}
	return show_file(what, &o);
}
