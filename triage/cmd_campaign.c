/* SPDX-License-Identifier: MIT */
/* heddle campaign: what did the night find?
 *
 * The supervisor: one process, one loop, which looks at no schedule itself.  It
 * hands out jobs (campaign_plan.c) to workers (campaign_worker.c), and keeps the
 * folder.  campaign.h says how the parts hang together. */
#define _GNU_SOURCE
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "campaign.h"
#include "options.h"
#include "sym.h"
#include <errno.h> /* after ours: types.h has the kernel's values */

static const char help[] =
	"usage: heddle campaign [OPTIONS] [SCENARIO[:VARIANT]...]\n"
	"\n"
	"Search all variants, or those named, for a night: exhaustively, with\n"
	"the portfolio of run, and with libFuzzer, shared over the cores.  Each\n"
	"distinct signature is saved at once, minimised and reported.\n"
	"  --time=TIME  for so long: 90, 90s, 10m, 8h (default 8h)\n"
	"  --jobs=N     processes at a time (default: as many as cores)\n"
	"  --out=DIR    everything goes there (default campaign)\n"
	"\n"
	"DIR/status.txt and DIR/status.html say how it goes, while it goes.\n"
	"DIR/findings has a folder for each signature of a scenario.  A campaign\n"
	"that was killed goes on when it is started again; one that had ended\n"
	"gets another night.  It ends early if nothing is left to search.\n"
	"\n"
	"A planted bug, the canary, is always among the variants.\n"
	"Exit status: 0 every variant showed only what it declares; 1 one showed\n"
	"more; 2 wrong usage, DIR is in use, or something could not be written;\n"
	"3 the night does not count: the canary was not found by every engine,\n"
	"a worker crashed or hung, or a complete search reached no goal.\n";

enum { SAVE_EVERY = 2 }; /* seconds */

static struct campaign camp;

/* --- numbers of the whole ------------------------------------------------------------- */

double campaign_now(const struct campaign *c)
{
	return c->before + (seconds_now() - c->began);
}

static u64 running_schedules(const struct campaign *c)
{
	u64 n = 0;
	u32 i;

	for (i = 0; i < c->njobs; i++)
		if (c->worker[i].pid && c->worker[i].job.kind == JOB_SEARCH)
			n += c->worker[i].slot->schedules;
	return n;
}

u64 campaign_schedules(const struct campaign *c)
{
	u64 n = running_schedules(c);
	u32 i;

	for (i = 0; i < c->nentries; i++)
		n += entry_schedules(&c->entry[i]);
	return n;
}

u64 campaign_distinct(const struct campaign *c)
{
	u64 n = 0;
	u32 i;

	for (i = 0; i < c->nentries; i++)
		n += c->entry[i].distinct;
	return n;
}

/* --- which variants ---------------------------------------------------------------------- */

static bool has_variant(const struct campaign *c, const struct target *t)
{
	u32 i;

	for (i = 0; i < c->nentries; i++)
		if (c->entry[i].target.variant == t->variant)
			return true;
	return false;
}

static void add_variant(struct campaign *c, const struct target *t)
{
	const struct heddle_scenario *binary = t->scenario;
	struct entry *e;

	if (has_variant(c, t))
		return;
	c->entry = realloc(c->entry, (c->nentries + 1) * sizeof(*e));
	if (!c->entry)
		exit(EXIT_FAULT);
	e = &c->entry[c->nentries++];
	memset(e, 0, sizeof(*e));
	e->target = *t;
	e->bound = -1;
	target_name(t, e->name, sizeof(e->name));
	snprintf(e->slug, sizeof(e->slug), "%s.%s", t->scenario->name,
		 t->variant->name);
	if (binary == hidden_canary()) /* in the target of the scenario */
		binary = scenario_at(0);
	if (!fuzz_target_find(binary, e->fuzzer, sizeof(e->fuzzer)))
		e->fuzzer[0] = 0;
}

static void add_scenario(struct campaign *c, const struct heddle_scenario *s)
{
	struct target t = { .scenario = s };

	for (t.variant = s->variants; t.variant->name; t.variant++)
		add_variant(c, &t);
}

static void add_canaries(struct campaign *c)
{
	const struct heddle_scenario *s;
	u32 i;

	if (hidden_canary())
		add_scenario(c, hidden_canary());
	for (i = 0; (s = scenario_at(i)); i++)
		if (s->canary)
			add_scenario(c, s);
}

static bool add_named(struct campaign *c, const char *arg)
{
	struct target t;

	if (!target_parse(arg, &t))
		return false;
	if (t.calls[0]) {
		fprintf(stderr, "heddle campaign: all calls, please: %s\n", arg);
		return false;
	}
	if (strchr(arg, ':'))
		add_variant(c, &t);
	else
		add_scenario(c, t.scenario);
	return true;
}

static bool add_variants(struct campaign *c, int n, char **args)
{
	const struct heddle_scenario *s;
	u32 k;
	int i;

	add_canaries(c); /* first: what does not work is not to go on for hours */
	for (i = 0; i < n; i++)
		if (!add_named(c, args[i]))
			return false;
	for (k = 0; !n && (s = scenario_at(k)); k++)
		add_scenario(c, s);
	return true;
}

/* --- the command line ------------------------------------------------------------------- */

static bool parse_time(const char *text, double *seconds)
{
	static const char units[] = "smh";
	static const u32 factor[] = { 1, 60, 3600 };
	size_t n = strspn(text, "0123456789");
	char digits[16];
	const char *unit = text[n] ? strchr(units, text[n]) : units;
	u64 value;

	snprintf(digits, sizeof(digits), "%.*s", (int)n, text);
	if (!unit || n > 9 || strlen(text + n) > 1 ||
	    !parse_number(digits, 100000000, &value)) {
		fprintf(stderr, "heddle campaign: no time is: %s (90s, 10m, 8h)\n",
			text);
		return false;
	}
	*seconds = (double)value * factor[unit - units];
	return true;
}

static bool parse_jobs(const char *text, u32 *jobs)
{
	u64 n;

	if (!parse_number(text, 1024, &n) || !n) {
		fprintf(stderr, "heddle campaign: --jobs is 1 to 1024, not %s\n",
			text);
		return false;
	}
	*jobs = (u32)n;
	return true;
}

static bool parse(int argc, char **argv, struct campaign *c)
{
	static const struct option options[] = {
		{ "time", required_argument, NULL, 't' },
		{ "jobs", required_argument, NULL, 'j' },
		{ "out", required_argument, NULL, 'o' },
		{ 0 },
	};
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	bool good = true;
	int k;

	c->budget = 8 * 3600;
	c->njobs = cores > 0 ? (u32)cores : 1;
	c->dir = "campaign";
	optind = opterr = 0;
	while (good && (k = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (k == 't')
			good = parse_time(optarg, &c->budget);
		else if (k == 'j')
			good = parse_jobs(optarg, &c->njobs);
		else if (k == 'o' && *optarg)
			c->dir = optarg;
		else
			return option_unknown(argv);
	}
	return good && add_variants(c, argc - optind, argv + optind);
}

/* --- the loop ------------------------------------------------------------------------------ */

static void on_end(int sig)
{
	(void)sig;
	if (interrupted++)
		_exit(130);
}

/* What the user has it ignore (nohup) stays so.  No SA_RESTART: the poll is to
 * end. */
static void catch_ends(void)
{
	static const int ends[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction sa = { .sa_handler = on_end }, old;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(ends); i++)
		if (!sigaction(ends[i], NULL, &old) &&
		    old.sa_handler != SIG_IGN)
			sigaction(ends[i], &sa, NULL);
	signal(SIGPIPE, SIG_IGN); /* who reads along may leave */
}

/* Give work to those who have none; false: nobody has any.  Where no process can
 * be had, there may be one a little later. */
static bool hand_out(struct campaign *c)
{
	bool busy = false;
	struct job job;
	u32 i;

	for (i = 0; i < c->njobs; i++) {
		struct worker *w = &c->worker[i];

		if (!w->pid && !interrupted && plan_next(c, &job)) {
			busy = true;
			if (!worker_start(c, w, &job))
				plan_again(c, &job);
		}
		busy |= w->pid != 0;
	}
	return busy;
}

static void listen_to(struct campaign *c, struct pollfd *p)
{
	u32 i;

	for (i = 0; i < c->njobs; i++) {
		p[i].fd = c->worker[i].pid ? c->worker[i].fd : -1;
		p[i].events = POLLIN;
		p[i].revents = 0;
	}
	if (poll(p, c->njobs, 200) <= 0)
		return;
	for (i = 0; i < c->njobs; i++)
		if (p[i].revents)
			worker_hear(c, &c->worker[i]);
}

static void save(struct campaign *c)
{
	points_add(c);
	state_save(c);
	status_save(c);
}

/* All is done but for what is in memory only: there may be room again. */
static bool waits_for_room(const struct campaign *c)
{
	return folder_pending() && campaign_now(c) < c->night + c->budget;
}

static void watch(struct campaign *c)
{
	struct pollfd *p = calloc(c->njobs, sizeof(*p));
	double saved = 0;

	while (p && !interrupted && (hand_out(c) || waits_for_room(c))) {
		listen_to(c, p);
		workers_check(c);
		folder_retry(c, false);
		status_line(c);
		if (seconds_now() - saved < SAVE_EVERY)
			continue;
		save(c);
		saved = seconds_now();
	}
	workers_stop(c);
	free(p);
}

/* --- the end --------------------------------------------------------------------------------- */

static void tell_findings(const struct campaign *c)
{
	u32 i;

	for (i = 0; i < c->nbugs; i++)
		if (bug_unexpected(c->bug[i]))
			printf("NOT EXPECTED: %s: %s/%s\n", c->bug[i]->signature,
			       c->dir, c->bug[i]->folder);
	if (!canary_found(c))
		printf("the canary was not found by every engine: this night does "
		       "not count\n");
	if (interrupted)
		printf("interrupted; the same command goes on\n");
	printf("report: %s/status.txt, %s/status.html\n", c->dir, c->dir);
}

static int exit_status(const struct campaign *c)
{
	if (folder_pending())
		return EXIT_USAGE;
	if (bugs_unexpected(c))
		return EXIT_VERDICT;
	if (!canary_found(c) || c->ncrashes || campaign_summary(c).vacuous)
		return EXIT_INCOMPLETE;
	return EXIT_CLEAN;
}

static int finish(struct campaign *c)
{
	struct summary s;

	c->ended = !interrupted;
	save(c);
	folder_retry(c, true);
	status_wipe();
	if (folder_pending()) /* on disk: so print it, nothing is lost */
		folder_print_pending(stdout);
	tell_findings(c);
	s = campaign_summary(c);
	printf("result: variants=%u schedules=%llu findings=%u "
	       "unexpected=%u missing=%u searched=%u crashes=%u canary=%s "
	       "seconds=%.3f\n", c->nentries,
	       (unsigned long long)campaign_schedules(c), c->nbugs,
	       bugs_unexpected(c), s.missing, s.searched, c->ncrashes,
	       canary_found(c) ? "found" : "missing", campaign_now(c));
	return exit_status(c);
}

static void check_corpora(struct campaign *c)
{
	char path[2400];
	u32 i;

	for (i = 0; i < c->nentries; i++) {
		snprintf(path, sizeof(path), "%s/corpus/%s", c->dir,
			 c->entry[i].slug);
		c->entry[i].corpus = corpus_check(path);
	}
}

int cmd_campaign(int argc, char **argv)
{
	struct campaign *c = &camp;

	if (argc == 2 && !strcmp(argv[1], "--help")) {
		usage_of(stdout, help);
		return EXIT_CLEAN;
	}
	if (!parse(argc, argv, c) || !folder_open(c) || !state_load(c))
		return EXIT_USAGE;
	found_load(c);
	check_corpora(c);
	c->worker = calloc(c->njobs, sizeof(*c->worker));
	if (!c->worker)
		return EXIT_FAULT;
	catch_ends();
	c->began = seconds_now();
	watch(c);
	return finish(c);
}
