/* SPDX-License-Identifier: MIT */
/* heddle export: what does a saved schedule look like to other programs? */
#include <getopt.h>
#include <string.h>

#include "options.h"
#include "search.h"

static const char help[] =
	"usage: heddle export FILE --c [--want=VERDICT]\n"
	"\n"
	"Write a C program with a thread for each task, in which every step of the\n"
	"report's picture waits for its turn.  It compiles with cc -pthread as it\n"
	"is, and prints the steps.  What the steps do is to be put in: the start of\n"
	"a selftest, or of a driver with delays, for the interleaving that fails.\n\n"
	"  --c              the only form so far\n"
	"  --want=VERDICT   the picture of this verdict of the run: a name or a\n"
	"                   whole signature; default: the file's, or the first\n"
	"  --scenario=NAME[:VARIANT]\n"
	"                   what a fuzzer's binary input is to be run on\n";

struct export {
	bool c;
	const char *want, *scenario;
};

static bool parse(int argc, char **argv, struct export *o)
{
	static const struct option options[] = {
		{ "c", no_argument, NULL, 'c' },
		{ "want", required_argument, NULL, 'w' },
		{ "scenario", required_argument, NULL, 's' },
		{ 0 },
	};
	int c;

	optind = opterr = 0;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'c')
			o->c = true;
		else if (c == 'w')
			o->want = optarg;
		else if (c == 's')
			o->scenario = optarg;
		else
			return option_unknown(argv);
	}
	if (o->c && optind + 1 == argc)
		return !o->want || want_check("export", o->want);
	fprintf(stderr, "heddle export: one FILE and --c, please\n");
	return false;
}

int cmd_export(int argc, char **argv)
{
	static struct sched_file f;
	static struct report r;
	struct export o = { false };

	if (argc == 2 && !strcmp(argv[1], "--help")) {
		usage_of(stdout, help);
		return EXIT_CLEAN;
	}
	if (!parse(argc, argv, &o) ||
	    (o.scenario && !target_parse(o.scenario, &f.target)) ||
	    !sched_read(argv[optind], &f) || !target_open(&f.target))
		return EXIT_USAGE;
	r.target = f.target;
	r.schedule = f.schedule;
	r.file = strcmp(argv[optind], "-") ? argv[optind] : NULL;
	snprintf(r.want, sizeof(r.want), "%s", o.want ? o.want : f.want);
	if (!report_shows(&r)) {
		fprintf(stderr, "heddle export: %s does not show %s\n",
			argv[optind], r.want);
		return EXIT_VERDICT;
	}
	report_c(stdout, &r);
	return EXIT_CLEAN;
}
