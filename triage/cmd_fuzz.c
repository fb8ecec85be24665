/* SPDX-License-Identifier: MIT */
/* heddle fuzz: who watches libFuzzer?
 *
 * libFuzzer's driver never returns and stops at its first finding.  So it runs
 * in a process of its own, the fuzz target beside this program, which saves
 * each new signature and goes on; this process shows progress and, when the
 * target has ended, minimises what was found and sums up.  The target tells of
 * its findings through a pipe (fuzz/findings.c), input included, so that a
 * full disk loses nothing; and it saves them itself, so that the death of this
 * process loses nothing either.
 *
 * Flags that make libFuzzer do something else than fuzz (-merge=1, -help=1, a
 * file to run ...) turn this process into the target. */
#define _GNU_SOURCE
#include "fuzz_target.h"
#include "options.h"
#include "search.h"

#include <errno.h> /* after ours: types.h has an enum of the kernel's values */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_FOUND = 256, MAX_INPUT = HD_HEAD_BYTES +
				    HD_MAX_EDITS * HD_EDIT_BYTES };

static const char help[] =
	"usage: heddle fuzz SCENARIO[:VARIANT] [OPTIONS] [LIBFUZZER FLAGS]\n"
	"\n"
	"Let libFuzzer look for schedules; each new signature is saved,\n"
	"minimised at the end, and fuzzing goes on.\n"
	"  --out=DIR        findings and corpus (default SCENARIO.VARIANT.fuzz)\n"
	"  --want=VERDICT   save this verdict only: a name or a signature\n"
	"  --limit=N        runs that each proof may take (default 2000000)\n"
	"Usual flags: -runs=N, -max_total_time=SECONDS, -seed=N, -help=1.\n";

struct found {
	char name[200];      /* of the file, without .bin */
	char signature[160]; /* without field names, as targets print it */
	u64 run;
	u32 size;
	u8 *data; /* NULL: only the file has it */
};

static struct supervisor {
	struct target target;
	char program[4096], out[2048];
	const char *want;
	u64 limit;
	pid_t pid;
	int status;
	u64 runs, failed;
	struct found found[MAX_FOUND];
	u32 nfound, unwanted;
	struct findings findings; /* with field names; limits are no bugs */
	double began;
	struct lines lines;
} sv;

/* --- the command line -------------------------------------------------------- */

static const char *value_of(const char *arg, const char *flag)
{
	size_t n = strlen(flag);

	return strncmp(arg, flag, n) ? NULL : arg + n;
}

static bool is_file(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode);
}

/* Does libFuzzer do something else than fuzz with this argument? */
static bool one_shot(const char *arg)
{
	static const char *const flags[] = {
		"-help=", "-merge=", "-set_cover_merge=", "-minimize_crash=",
		"-cleanse_crash=", "-analyze_dict=", "-minimize_crash_internal",
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(flags); i++)
		if (value_of(arg, flags[i]))
			return strcmp(arg + strlen(flags[i]), "0");
	return arg[0] != '-' && is_file(arg);
}

struct line {
	char *args[256]; /* for the target, from 1 */
	u32 n;
	char target[192], want[192];
	bool corpus, one_shot;
};

static bool bad(const char *what, const char *arg)
{
	fprintf(stderr, "heddle fuzz: %s%s\n", what, arg);
	return false;
}

static bool read_arg(struct line *l, char *arg)
{
	const char *v;

	if ((v = value_of(arg, "--out=")) && *v)
		snprintf(sv.out, sizeof(sv.out), "%s", v);
	else if ((v = value_of(arg, "--want=")))
		sv.want = v;
	else if ((v = value_of(arg, "--limit="))) {
		if (!parse_number(v, UINT64_MAX, &sv.limit))
			return bad("not a number: ", arg);
	} else if (value_of(arg, "--"))
		return bad("no such option: ", arg);
	else if (arg[0] != '-' && !sv.target.scenario &&
		 !(only_one_scenario() && strchr(arg, '/')))
		return target_parse(arg, &sv.target);
	else if (l->n + 8 == ARRAY_SIZE(l->args))
		return bad("too many arguments", "");
	else {
		l->args[l->n++] = arg;
		l->one_shot |= one_shot(arg);
		l->corpus |= arg[0] != '-';
	}
	return true;
}

static bool read_line(struct line *l, int argc, char **argv)
{
	int i;

	l->n = 2; /* program and target */
	sv.limit = 2000000;
	for (i = 1; i < argc; i++)
		if (!read_arg(l, argv[i]))
			return false;
	if (!sv.target.scenario && only_one_scenario())
		target_find(scenario_at(0)->name, &sv.target);
	if (!sv.target.scenario)
		return bad("which SCENARIO[:VARIANT]?", "");
	if (!want_check("fuzz", sv.want))
		return false;
	if (sv.want) {
		snprintf(l->want, sizeof(l->want), "--want=%s", sv.want);
		l->args[l->n++] = l->want;
	}
	snprintf(l->target, sizeof(l->target), "--target=%s:%s",
		 sv.target.scenario->name, sv.target.variant->name);
	if (!sv.out[0])
		snprintf(sv.out, sizeof(sv.out), "%s.%s.fuzz",
			 sv.target.scenario->name, sv.target.variant->name);
	return true;
}

/* --- the target ---------------------------------------------------------------- */

static bool find_program(void)
{
	if (fuzz_target_find(sv.target.scenario, sv.program,
			     sizeof(sv.program)))
		return true;
	return bad(only_one_scenario() ?
			   "no fuzz target (heddle-cc --fuzz builds it): " :
			   "no fuzz target (make builds it): ", sv.program);
}

static bool make_dir(const char *path)
{
	struct stat st;

	if (!mkdir(path, 0777) || (!stat(path, &st) && S_ISDIR(st.st_mode)))
		return true;
	fprintf(stderr, "heddle fuzz: cannot make %s: %s; findings go to "
		"standard output\n", path, strerror(errno));
	return false;
}

static void target_process(struct line *l)
{
	char log[4096];
	int fd;

	/* Its supervisor gone, nobody could stop it. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	snprintf(log, sizeof(log), "%s/libfuzzer.log", sv.out);
	fd = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	if (fd < 0)
		fd = open("/dev/null", O_WRONLY);
	dup2(fd, STDERR_FILENO);
	dup2(fd, STDOUT_FILENO);
	execv(sv.program, l->args);
	_exit(127);
}

/* Its arguments after the program: our own first, so that the user's win. */
static void add_args(struct line *l, int report)
{
	static char findings[2200], artifacts[2200], corpus[2200], fd[40];

	snprintf(fd, sizeof(fd), "--heddle-report-fd=%d", report);
	snprintf(findings, sizeof(findings), "--heddle-findings=%s", sv.out);
	l->args[l->n++] = fd;
	l->args[l->n++] = findings;
	if (make_dir(sv.out)) {
		snprintf(artifacts, sizeof(artifacts), "-artifact_prefix=%s/",
			 sv.out);
		snprintf(corpus, sizeof(corpus), "%s/corpus", sv.out);
		memmove(&l->args[3], &l->args[2],
			(l->n - 2) * sizeof(l->args[0]));
		l->args[2] = artifacts;
		l->n++;
		if (!l->corpus && make_dir(corpus))
			l->args[l->n++] = corpus;
	}
	l->args[l->n] = NULL;
}

/* Start the target; returns the end of the pipe that it writes to. */
static int start_target(struct line *l)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return -1;
	fcntl(ends[1], F_SETFD, 0);
	add_args(l, ends[1]);
	sv.pid = fork();
	if (sv.pid == 0)
		target_process(l);
	close(ends[1]);
	if (sv.pid > 0)
		return ends[0];
	close(ends[0]);
	return -1;
}

/* --- what it tells --------------------------------------------------------------- */

static struct found *find_found(const char *signature)
{
	u32 i;

	for (i = 0; i < sv.nfound; i++)
		if (!strcmp(sv.found[i].signature, signature))
			return &sv.found[i];
	return NULL;
}

static void on_finding(const struct told *t)
{
	struct found *f;

	/* known: another process of -jobs or -fork */
	if (sv.nfound == MAX_FOUND || find_found(t->signature)) {
		free(t->data);
		return;
	}
	f = &sv.found[sv.nfound++];
	snprintf(f->name, sizeof(f->name), "%s", t->name);
	snprintf(f->signature, sizeof(f->signature), "%s", t->signature);
	f->run = sv.runs;
	f->data = t->data;
	f->size = t->size;
	progress_end();
	printf("found %s\n", f->signature);
	fflush(stdout);
}

static void on_line(char *line, void *arg)
{
	unsigned int runs, failed;
	struct told t;

	(void)arg;
	if (sscanf(line, "runs %u %u", &runs, &failed) == 2) {
		sv.runs += runs;
		sv.failed += failed;
	} else if (told_finding(line, &t)) {
		on_finding(&t);
	}
}

/* Until the target has ended.  Ctrl-C goes to the target as well, whose end
 * is ours; it is sent on in case only we were signalled. */
static void watch(int fd)
{
	bool sent = false;
	struct pollfd p = { .fd = fd, .events = POLLIN };

	for (;;) {
		if (interrupted && !sent) {
			kill(sv.pid, SIGINT);
			sent = true;
		}
		progress(sv.runs, 0, sv.nfound);
		if (poll(&p, 1, 200) > 0 && !lines_read(&sv.lines, fd, on_line, NULL))
			break;
	}
	while (waitpid(sv.pid, &sv.status, 0) < 0 && errno == EINTR)
		;
	progress_end();
	close(fd);
}

/* --- summing up --------------------------------------------------------------------- */

static bool load(struct found *f)
{
	char path[4096];
	FILE *in;

	if (f->data)
		return true;
	snprintf(path, sizeof(path), "%s/%s.bin", sv.out, f->name);
	in = fopen(path, "rb");
	f->data = malloc(MAX_INPUT);
	if (!in || !f->data)
		return bad("cannot read ", path);
	f->size = (u32)fread(f->data, 1, MAX_INPUT, in);
	fclose(in);
	return true;
}

/* The verdict of this run that f tells of. */
static const struct hd_verdict *find_verdict(const struct found *f,
					     const struct hd_outcome *o)
{
	char plain[160];
	u32 i;

	for (i = 0; i < o->nverdicts; i++) {
		hd_verdict_signature(&o->verdicts[i], NULL, plain,
				     sizeof(plain));
		if (!strcmp(plain, f->signature))
			return &o->verdicts[i];
	}
	fprintf(stderr, "heddle fuzz: %s/%s.bin does not show '%s' here: "
		"built from other objects?\n", sv.out, f->name, f->signature);
	return NULL;
}

static void save(const char *signature, const struct min_result *m)
{
	static struct sched_file s;
	static struct report r;

	memset(&s, 0, sizeof(s));
	sched_from_min(&s, &sv.target, signature, m);
	report_from_min(&r, &sv.target, signature, m);
	if (!save_finding(sv.out, &s, &r))
		sched_write("-", &s);
}

/* One finding: replayed here, minimised, saved. */
static void sum_up(struct found *f)
{
	static struct hd_schedule s;
	static struct min_result m;
	const struct hd_verdict *v;
	char signature[160];
	struct hd_outcome o;

	if (!load(f))
		return;
	hd_schedule_decode(&s, f->data, f->size, W->ntasks);
	o = hd_run(&s);
	v = find_verdict(f, &o);
	if (!v)
		return;
	verdict_signature(v, signature, sizeof(signature));
	if (sv.want && !want_matches_signature(sv.want, v->kind, signature)) {
		sv.unwanted++;
		return;
	}
	findings_note(&sv.findings, v, f->run);
	printf("%s: ", signature);
	if (!minimise_within(&sv.target, signature, &s, sv.limit, &m)) {
		printf("not minimised\n");
		return;
	}
	min_describe(stdout, &m);
	save(signature, &m);
}

/* What the target's own end says, apart from findings. */
static bool ended_well(void)
{
	int code = WIFEXITED(sv.status) ? WEXITSTATUS(sv.status) : -1;

	if (code == 0 || interrupted)
		return true;
	if (code < 0)
		fprintf(stderr, "heddle fuzz: the fuzz target was ended by "
			"signal %d", WTERMSIG(sv.status));
	else
		fprintf(stderr, "heddle fuzz: the fuzz target ended with "
			"status %d", code);
	fprintf(stderr, "; see %s/libfuzzer.log\n", sv.out);
	return false;
}

static void print_result(double seconds)
{
	char name[200];

	target_name(&sv.target, name, sizeof(name));
	printf("result: scenario=%s schedules=%llu verdicts=%u complete=no "
	       "bound=none signatures=", name, (unsigned long long)sv.runs,
	       findings_bugs(&sv.findings));
	findings_print(stdout, &sv.findings);
	if (sv.nfound)
		printf(" first=%llu", (unsigned long long)sv.found[0].run);
	else
		printf(" first=-");
	printf(" failing=%llu seconds=%.3f\n", (unsigned long long)sv.failed,
	       seconds);
}

static int finish(void)
{
	double seconds = seconds_now() - sv.began; /* of fuzzing */
	bool well = ended_well();
	u32 i;

	if (sv.nfound && !target_open(&sv.target))
		return EXIT_FAULT;
	for (i = 0; i < sv.nfound; i++)
		sum_up(&sv.found[i]);
	print_result(seconds);
	if (findings_bugs(&sv.findings))
		return EXIT_VERDICT;
	if (sv.findings.n + sv.unwanted < sv.nfound || !well)
		return EXIT_FAULT;
	return sv.findings.n ? EXIT_INCOMPLETE : EXIT_CLEAN;
}

int cmd_fuzz(int argc, char **argv)
{
	static struct line l;
	int fd;

	if (argc == 2 && !strcmp(argv[1], "--help")) {
		usage_of(stdout, help);
		return EXIT_CLEAN;
	}
	if (!read_line(&l, argc, argv) || !find_program())
		return EXIT_USAGE;
	l.args[0] = sv.program;
	l.args[1] = l.target;
	if (l.one_shot) {
		execv(sv.program, l.args);
		bad("cannot run ", sv.program);
		return EXIT_FAULT;
	}
	sv.began = seconds_now();
	catch_interrupt();
	fd = start_target(&l);
	if (fd < 0) {
		bad("cannot start the fuzz target: ", strerror(errno));
		return EXIT_FAULT;
	}
	watch(fd);
	return finish();
}
