/* SPDX-License-Identifier: MIT */
/* The heddle command: which verb, and what does its --help say?
 *
 * Exit status: 0 clean or as recorded, 1 verdict found or difference, 2 usage
 * or unreadable input, 3 incomplete (or vacuous) without a verdict, 70 fault of
 * heddle itself.  The same main serves programs built by heddle-cc. */
#include <string.h>

#include "options.h"
#include "triage.h"

/* Verbs of which a program may be without. */
#define MAYBE(fn) extern int fn(int, char **) __attribute__((weak))
MAYBE(cmd_fuzz);
MAYBE(cmd_campaign);
MAYBE(cmd_show);
MAYBE(cmd_dedup);
MAYBE(cmd_new);
MAYBE(cmd_export);
MAYBE(cmd_mutate);
MAYBE(cmd_lockdep);

struct verb {
	const char *name;
	int (*fn)(int argc, char **argv);
	u32 bit; /* in the table of options */
	const char *args, *what, *more;
};

static const struct verb verbs[] = {
	{ "list", cmd_list, V_LIST, "[--json]",
	  "the scenarios, their variants and expected verdicts",
	  "A line for each variant: name, releases of the kernel that have it,\n"
	  "title, expected verdicts with the fewest preemptions; or clean, and\n"
	  "the bound that tests exhaust, if there is one.  heddle show SCENARIO\n"
	  "has what was cut." },
	{ "run", cmd_run, V_RUN, "SCENARIO[:VARIANT] [OPTIONS]",
	  "try schedules until one shows a verdict; minimise and report it",
	  "Without --want the first verdict stops the search; with it, others\n"
	  "are counted and listed.  The portfolio begins with four of eager, then\n"
	  "rotates hold, rf, surw, pct and eager; of programs six of ten are rf,\n"
	  "two hold, the others surw and reluctant, and after 2000 schedules four\n"
	  "of five are reluctant.  Without :VARIANT the first one is run." },
	{ "explore", cmd_explore, V_EXPLORE, "SCENARIO[:VARIANT] [OPTIONS]",
	  "search all interleavings, or all with few preemptions",
	  "complete=yes in the last line: nothing was left out, relative to\n"
	  "what the lines above it name.  Safe means: in this model.\n\n"
	  "explore SCENARIO --check holds every variant to what it declares, and\n"
	  "prints the questions of the mail that the scenario models, with the\n"
	  "answers and the evidence for them.  Exit status: 0 if all is as\n"
	  "declared, 1 if something differs, 3 if a search was not finished." },
	{ "diff", cmd_diff, V_DIFF, "SCENARIO:VARIANT VARIANT [OPTIONS]",
	  "which interleavings has one variant that another one has not?",
	  "Both variants are searched.  Compared is the order of the accesses that\n"
	  "both make; an access is known by its task, the kind of op, the word, and\n"
	  "which of the task's it is (\"fault's 2nd READ_ONCE vm_lock_seq\").\n"
	  "Classes that only the first one has are removed, those that only the\n"
	  "second one has are added; each group of them is told by what all of it\n"
	  "have, and no class of the other variant has together.\n\n"
	  "VARIANT may be of another scenario (SCENARIO:VARIANT) with the same\n"
	  "tasks.  Exit status: 0 if neither classes nor verdicts differ, 1 if they\n"
	  "do, 3 if a search was not finished." },
	{ "fuzz", cmd_fuzz, 0, "SCENARIO[:VARIANT] [LIBFUZZER FLAGS]",
	  "let libFuzzer look for schedules",
	  "Each new signature is saved, then fuzzing goes on; at the end all\n"
	  "are minimised.  Ends by -runs=N, -max_total_time=SECONDS or Ctrl-C.\n"
	  "All of libFuzzer's flags can be given (-help=1 lists them), and\n\n"
	  "  --out=DIR          corpus, findings and libFuzzer's own output\n"
	  "                     (default SCENARIO.VARIANT.fuzz)\n"
	  "  --want=VERDICT     save only that one: a name or a whole signature\n"
	  "  --limit=N          runs that a proof may take (default 2000000)" },
	{ "campaign", cmd_campaign, 0, "[OPTIONS] [SCENARIO[:VARIANT]...]",
	  "search everything for a night, on all cores", NULL },
	{ "replay", cmd_replay, V_REPLAY, "FILE... [OPTIONS]",
	  "run saved schedules exactly",
	  "FILE is a .sched file, a folder of them, a fuzzer's input (with\n"
	  "--scenario), or - for standard input.  With --check the exit status\n"
	  "is 0 if all is as recorded; without it, 1 if a verdict was raised.\n\n"
	  "With --gdb (one FILE; it needs gdb with Python, Debian's is) you get\n"
	  "gdb's prompt in the model's frame where the wanted verdict, or the\n"
	  "first one, is raised; without a verdict, at the first op.  There,\n"
	  "heddle lists its commands: tasks, bt, task, locks, step, goto, out,\n"
	  "steps, run.  The exit status is gdb's." },
	{ "min", cmd_min, V_MIN, "FILE [-o OUT] [OPTIONS]",
	  "find the smallest schedule with the same verdict, and prove it",
	  "Smallest: fewest preemptions, then fewest other choices, other\n"
	  "verdicts, switches, ops." },
	{ "regress", cmd_regress, V_REGRESS, "FILE [OPTIONS]",
	  "put a finding into the corpus that is replayed for ever",
	  "Writes DIR/SCENARIO.VARIANT/SIGNATURE/min.sched and report.txt, the mail\n"
	  "about it.  The verb replay, given DIR, then holds each build to all of it." },
	{ "bisect", cmd_bisect, V_BISECT, "FILE [OPTIONS]",
	  "does this build still show what FILE shows?  For git bisect run",
	  "    git bisect run sh -c 'make -s || exit 125; build/heddle bisect FILE'\n\n"
	  "The schedule is run; if it does not show its verdict, others are, and\n"
	  "then all interleavings with as many preemptions are searched.\n"
	  "Exit status: 0 the bug is not there, 1 it is, 125 not all was tried or\n"
	  "FILE cannot be run on this build, 128 wrong usage or interrupted." },
	{ "show", cmd_show, 0,
	  "FILE|SCENARIO [--format=FORMAT] [--want=VERDICT]",
	  "report on a saved schedule, or describe a scenario", NULL },
	{ "dedup", cmd_dedup, 0, "DIR",
	  "group saved schedules by signature", NULL },
	{ "lockdep", cmd_lockdep, 0, "FILE",
	  "judge lock programs as the kernel's lockdep does", NULL },
	{ "export", cmd_export, 0, "FILE --c [--want=VERDICT]",
	  "write a saved interleaving as the skeleton of a C test", NULL },
	{ "new", cmd_new, 0, "NAME",
	  "write the frame of a scenario for heddle-cc", NULL },
	{ "mutate", cmd_mutate, 0, "FILE.c [SCENARIO[:VARIANT]...]",
	  "break a model in every place: which check would notice?", NULL },
};

static void usage(FILE *f)
{
	u32 i;

	fprintf(f, "usage: %s VERB ...    (%s VERB --help)\n\n", program,
		program);
	for (i = 0; i < ARRAY_SIZE(verbs); i++)
		fprintf(f, "  %-9s %s\n", verbs[i].name, verbs[i].what);
	fprintf(f, "\nexit status: 0 clean or as recorded, 1 verdict or "
		"difference, 2 usage,\n3 incomplete without a verdict, "
		"70 fault of heddle itself\n");
}

static int verb_help(const struct verb *v)
{
	char *own[] = { (char *)v->name, "--help", NULL }, line[200];

	if (!v->bit && v->fn)
		return v->fn(2, own); /* it has a text of its own */
	snprintf(line, sizeof(line), "usage: heddle %s %s\n\n", v->name,
		 v->args);
	usage_of(stdout, line);
	printf("%s\n", v->what);
	if (v->more)
		printf("%s\n", v->more);
	printf("\n");
	options_help(stdout, v->bit);
	return EXIT_CLEAN;
}

static bool asks_help(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc && strcmp(argv[i], "--"); i++)
		if (!strcmp(argv[i], "--help"))
			return true;
	return false;
}

static bool version(const char *arg)
{
	if (strcmp(arg, "--version"))
		return false;
	printf("heddle " HEDDLE_VERSION "\n");
	return true;
}

/* The name without its folder; "./mine" stays as the user must type it. */
static const char *program_name(const char *arg)
{
	const char *slash = strrchr(arg, '/');
	const char *name = slash ? slash + 1 : arg;

	return name == arg + 2 && arg[0] == '.' && strcmp(name, "heddle") ?
		       arg : name;
}

/* A report that could not be written is not there: never in silence. */
static int after_output(int rc)
{
	if (!fflush(stdout) && !ferror(stdout))
		return rc;
	fprintf(stderr, "heddle: cannot write to standard output\n");
	return EXIT_FAULT;
}

static int run_verb(int argc, char **argv)
{
	u32 i;

	program = program_name(argv[0]);
	if (argc < 2) {
		usage(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "help")) {
		usage(stdout);
		return 0;
	}
	if (version(argv[1]))
		return 0;
	for (i = 0; i < ARRAY_SIZE(verbs); i++) {
		const struct verb *v = &verbs[i];

		if (strcmp(v->name, argv[1]))
			continue;
		if (asks_help(argc - 1, argv + 1))
			return verb_help(v);
		if (argc == 3 && version(argv[2]))
			return 0;
		if (v->fn)
			return v->fn(argc - 1, argv + 1);
		fprintf(stderr, "heddle: %s is not built into this program\n",
			v->name);
		return EXIT_USAGE;
	}
	fprintf(stderr, "heddle: no verb is called %s (%s --help lists them)\n",
		argv[1], program);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	return after_output(run_verb(argc, argv));
}
