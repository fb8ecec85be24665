/* SPDX-License-Identifier: MIT */
/* heddle show: what does this saved schedule do, or what is this scenario? */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../src/oracle/lockdep.h"
#include "options.h"
#include "report.h"
#include "search.h"

static const char help[] =
	"usage: heddle show FILE|SCENARIO[:VARIANT] [OPTIONS]\n"
	"\n"
	"Report on a saved schedule, or describe a scenario.\n"
	"  --format=FORMAT  text (default), mail (72 columns, ASCII), json\n"
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

/* --- a scenario ---------------------------------------------------------- */

static void print_expect(struct page *p, const struct heddle_variant *v)
{
	char line[400] = "";
	u32 i;

	for (i = 0; i < HD_MAX_EXPECT && v->expect[i].verdict; i++) {
		const struct heddle_expect *e = &v->expect[i];
		size_t n = strlen(line);

		snprintf(line + n, sizeof(line) - n, "%s%s", n ? ", " : "",
			 hd_verdict_name(e->verdict));
		n = strlen(line);
		if (e->at >= 0)
			snprintf(line + n, sizeof(line) - n, " (%d)", e->at);
	}
	if (line[0])
		page_wrap(p, 6, "    expected: %s", line);
	else if (v->bound)
		page_line(p, "    expected: clean (tests exhaust %d "
			  "preemptions)", v->bound);
	else
		page_line(p, "    expected: clean (tests exhaust all)");
}

static void print_goals(struct page *p, const char *const *goals)
{
	char line[600] = "";

	for (; goals && *goals; goals++) {
		size_t n = strlen(line);

		snprintf(line + n, sizeof(line) - n, "%s%s", n ? ", " : "",
			 *goals);
	}
	if (line[0])
		page_wrap(p, 2, "reach goals: %s", line);
}

static void print_tasks(struct page *p, const struct heddle_scenario *s)
{
	const struct heddle_task *t;
	char line[400] = "";

	for (t = s->tasks; t->name; t++)
		snprintf(line + strlen(line), sizeof(line) - strlen(line),
			 "%s%s", line[0] ? ", " : "", t->name);
	page_wrap(p, 2, "tasks: %s", line);
}

static int show_scenario(const struct target *t, bool one)
{
	const struct heddle_scenario *s = t->scenario;
	const struct heddle_variant *v;
	struct page p;
	u32 i;

	page_init(&p, 80);
	page_wrap(&p, 2, "%s: %s%s", s->name, s->title ? s->title : "",
		  s->canary ? " (a canary: the bug is planted)" : "");
	if (s->source)
		page_wrap(&p, 2, "source: %s", s->source);
	print_tasks(&p, s);
	page_line(&p, "variants (verdict, fewest preemptions):");
	for (v = s->variants; v->name; v++) {
		if (one && v != t->variant)
			continue;
		page_wrap(&p, 6, "  %s: %s", v->name, v->title ? v->title : "");
		print_expect(&p, v);
	}
	print_goals(&p, one && t->variant->goals ? t->variant->goals :
						  s->goals);
	if (s->not_modelled)
		page_wrap(&p, 2, "not modelled: %s", s->not_modelled);
	for (i = 0; i < p.n; i++)
		printf("%s\n", p.line[i]);
	page_free(&p);
	return EXIT_CLEAN;
}

/* --- a file -------------------------------------------------------------- */

static void report_of_file(struct report *r, const char *path,
			   const struct sched_file *f, const struct show *o)
{
	u32 preemptions, exhausted;

	memset(r, 0, sizeof(*r));
	r->target = f->target;
	r->schedule = f->schedule;
	r->file = strcmp(path, "-") ? path : NULL;
	snprintf(r->want, sizeof(r->want), "%s", o->want ? o->want : f->want);
	/* the proof is about the wanted verdict of the file alone */
	if (strcmp(r->want, f->want))
		return;
	if (sscanf(f->proof, "%u preemptions: %u exhausted", &preemptions,
		   &exhausted) == 2) {
		r->min_known = r->proved = true;
		r->exhausted = exhausted;
	} else if (strstr(f->proof, "not proved")) {
		r->min_known = true;
	}
}

static bool is_shown(const struct report *r)
{
	struct hd_outcome o = hd_run(&r->schedule);
	u32 i;

	for (i = 0; i < o.nverdicts; i++)
		if (!r->want[0] || want_matches(r->want, &o.verdicts[i]))
			return true;
	return !r->want[0];
}

static int show_file(const char *path, const struct show *o)
{
	static struct sched_file f;
	static struct report r;

	memset(&f, 0, sizeof(f));
	if (o->scenario && !target_parse(o->scenario, &f.target))
		return EXIT_USAGE;
	if (!sched_read(path, &f) || !target_open(&f.target))
		return EXIT_USAGE;
	report_of_file(&r, path, &f, o);
	if (!is_shown(&r)) {
		fprintf(stderr, "heddle show: %s does not show %s\n", path,
			r.want);
		if (o->want)
			return EXIT_VERDICT;
		r.want[0] = 0; /* another model build: show what it does */
	}
	if (!strcmp(o->format, "json"))
		report_json(stdout, &r);
	else if (!strcmp(o->format, "mail"))
		report_mail(stdout, &r);
	else
		report_text(stdout, &r, isatty(1) && !getenv("NO_COLOR"));
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
	static const char *const later[] = { "html", "chrome", "ftrace" };
	u32 i;

	if (!strcmp(format, "text") || !strcmp(format, "mail") ||
	    !strcmp(format, "json"))
		return true;
	for (i = 0; i < ARRAY_SIZE(later); i++)
		if (!strcmp(format, later[i])) {
			fprintf(stderr, "heddle show: --format=%s is not "
				"built yet\n", format);
			return false;
		}
	fprintf(stderr, "heddle show: no format is called %s "
		"(text, mail, json)\n", format);
	return false;
}

/* A scenario that exists goes before a file: a program of heddle-cc often has
 * the name of its scenario. */
static bool names_scenario(const char *what)
{
	struct target t;

	if (target_find(what, &t) || t.scenario || !*what)
		return true;
	return strcmp(what, "-") && access(what, F_OK) &&
	       !strpbrk(what, "/.");
}

int cmd_show(int argc, char **argv)
{
	struct show o = { .format = "text" };
	struct target t;
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
	if (names_scenario(what)) {
		if (!target_parse(*what ? what : scenario_at(0)->name, &t))
			return EXIT_USAGE;
		return show_scenario(&t, strchr(what, ':') != NULL);
	}
	return show_file(what, &o);
}
