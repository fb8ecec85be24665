/* SPDX-License-Identifier: MIT */
/* heddle replay: what does this schedule do, is it the same every time, and is
 * it what was recorded? */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "debugger.h"
#include "options.h"
#include "search.h"
#include "sym.h"

struct replay {
	const struct options *o;
	u32 files, verdicts, differences, unreadable;
	struct findings findings;
	char target[160];
};

/* --- twice --------------------------------------------------------------- */

/* Everything but addresses and places: what the trace hash is made of. */
static bool same_record(const struct hd_record *a, const struct hd_record *b)
{
	return a->ev.task == b->ev.task && a->ev.n == b->ev.n &&
	       a->ev.step == b->ev.step && a->ev.op.kind == b->ev.op.kind &&
	       a->ev.op.size == b->ev.op.size &&
	       a->ev.op.order == b->ev.op.order && a->ev.old == b->ev.old &&
	       a->ev.val == b->ev.val && a->type_off == b->type_off &&
	       !strcmp(a->object, b->object);
}

static void tell_step(const char *which, const struct hd_record *r)
{
	char task[64] = "the end check";

	if (r->ev.task < W->ntasks)
		task_label(r->ev.task, task, sizeof(task));
	printf("    %s: step %u, op %u of %s, kind %u on %s+%u, %llu -> %llu\n",
	       which, r->ev.step, r->ev.n, task, r->ev.op.kind,
	       r->object[0] ? r->object : "-", r->type_off,
	       (unsigned long long)r->ev.old, (unsigned long long)r->ev.val);
}

/* Run a second time and name the first step that differs. */
static bool second_time(const struct sched_file *f, u64 hash)
{
	u32 n = hd_eng.nlog, i;
	struct hd_record *log = malloc((n + 1) * sizeof(*log));
	struct hd_outcome o;
	bool same = true;

	if (!log) {
		fprintf(stderr, "heddle: out of memory\n");
		exit(EXIT_FAULT);
	}
	memcpy(log, hd_eng.log, n * sizeof(*log));
	o = hd_run_with_log(&f->schedule);
	for (i = 0; i < n && i < hd_eng.nlog; i++)
		if (!same_record(&log[i], &hd_eng.log[i]))
			break;
	if (i < n || i < hd_eng.nlog || o.hash != hash) {
		same = false;
		printf("  DIFFERENT: the second run differs at event %u\n",
		       i + 1);
		if (i < n)
			tell_step("first ", &log[i]);
		if (i < hd_eng.nlog)
			tell_step("second", &hd_eng.log[i]);
	}
	free(log);
	return same;
}

/* --- check --------------------------------------------------------------- */

static bool check(const struct sched_file *f, const struct hd_outcome *o)
{
	char now[160];
	bool same = f->nsignatures == o->nverdicts;
	u32 i;

	for (i = 0; i < o->nverdicts; i++) {
		verdict_signature(&o->verdicts[i], now, sizeof(now));
		same &= i < f->nsignatures && !strcmp(f->signature[i], now);
	}
	if (!same) {
		printf("  DIFFERENT verdicts; recorded:");
		for (i = 0; i < f->nsignatures; i++)
			printf("%s %s", i ? "," : "", f->signature[i]);
		printf("%s\n", f->nsignatures ? "" : " none");
	}
	if (f->model_id != sym_model_id()) {
		printf("  another model build: the hash is not compared\n");
		return same;
	}
	if (f->hash == o->hash)
		return same;
	printf("  DIFFERENT hash: recorded %016llx\n",
	       (unsigned long long)f->hash);
	return false;
}

/* --- one file ------------------------------------------------------------ */

static void tell_outcome(struct replay *r, const char *path,
			 const struct hd_outcome *o)
{
	char title[256], sig[160];
	u32 i;

	printf("%s: %s, %u preemptions, %u switches, %u ops, hash %016llx\n",
	       path, r->target, o->preemptions, o->switches, o->ops,
	       (unsigned long long)o->hash);
	for (i = 0; i < o->nverdicts; i++) {
		verdict_title(&o->verdicts[i], title, sizeof(title));
		verdict_signature(&o->verdicts[i], sig, sizeof(sig));
		printf("  %s  [%s]\n", title, sig);
		findings_note(&r->findings, &o->verdicts[i], r->files);
	}
	if (!o->nverdicts)
		printf("  no verdict\n");
}

static void replay_file(struct replay *r, const char *path)
{
	static struct sched_file f;
	struct hd_outcome o;
	bool same = true;

	memset(&f, 0, sizeof(f));
	if (r->o->scenario)
		target_find(r->o->scenario, &f.target);
	if (!sched_read(path, &f)) {
		r->unreadable++;
		return;
	}
	r->files++;
	snprintf(r->target, sizeof(r->target), "%s:%s", f.scenario, f.variant);
	o = debug_replay(&f);
	r->verdicts += o.nverdicts > 0;
	tell_outcome(r, path, &o);
	if (r->o->check && !f.has_record)
		printf("  nothing was recorded to check\n");
	else if (r->o->check)
		same = check(&f, &o);
	if (r->o->check && f.has_record && same)
		printf("  as recorded\n");
	if (r->o->twice && !second_time(&f, o.hash))
		same = false;
	else if (r->o->twice)
		printf("  the same twice, %u events\n", hd_eng.nlog);
	r->differences += !same;
}

static int not_hidden(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

static bool is_folder(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

/* All .sched files of a folder and below it, by name. */
static void replay_folder(struct replay *r, const char *path)
{
	char below[4096];
	struct dirent **list;
	int n = scandir(path, &list, not_hidden, alphasort), i;

	for (i = 0; i < n; i++) {
		const char *dot = strrchr(list[i]->d_name, '.');
		int size = snprintf(below, sizeof(below), "%s/%s", path,
				    list[i]->d_name);

		if (size < (int)sizeof(below) && is_folder(below))
			replay_folder(r, below);
		else if (dot && !strcmp(dot, ".sched"))
			replay_file(r, below);
		free(list[i]);
	}
	if (n >= 0)
		free(list);
}

/* A folder with nothing in it is no corpus that was replayed. */
static void replay_argument(struct replay *r, const char *path)
{
	u32 before = r->files + r->unreadable;

	if (!is_folder(path)) {
		replay_file(r, path);
		return;
	}
	replay_folder(r, path);
	if (r->files + r->unreadable != before)
		return;
	fprintf(stderr, "heddle replay: no .sched file in %s\n", path);
	r->unreadable++;
}

static int status(const struct replay *r)
{
	if (r->unreadable)
		return EXIT_USAGE;
	if (r->o->check)
		return r->differences ? EXIT_VERDICT : EXIT_CLEAN;
	return r->differences || r->verdicts ? EXIT_VERDICT : EXIT_CLEAN;
}

/* How many words stand behind "--": with --gdb they are for gdb. */
static int behind_dashes(int argc, char **argv)
{
	int i = 0;

	while (i < argc && strcmp(argv[i], "--"))
		i++;
	return i < argc ? argc - i - 1 : 0;
}

static int with_gdb(const struct options *o, int behind)
{
	static struct sched_file f;

	if (o->nargs - behind != 1 || !strcmp(o->args[0], "-")) {
		fprintf(stderr, "heddle replay: --gdb: one FILE, please (not "
			"standard input)\n");
		return EXIT_USAGE;
	}
	if (o->scenario)
		target_find(o->scenario, &f.target);
	if (!sched_read(o->args[0], &f))
		return EXIT_USAGE;
	return debug_start(o, o->args[0], o->args + 1, behind);
}

int cmd_replay(int argc, char **argv)
{
	static struct options o;
	static struct replay r = { .o = &o, .target = "-" };
	double began = seconds_now();
	int i, behind = behind_dashes(argc, argv);
	struct target t;

	if (!options_parse(argc, argv, V_REPLAY, &o))
		return EXIT_USAGE;
	if (o.scenario && !target_parse(o.scenario, &t))
		return EXIT_USAGE;
	if (!o.nargs) {
		fprintf(stderr, "heddle replay: which FILE?\n");
		return EXIT_USAGE;
	}
	if (o.gdb)
		return with_gdb(&o, behind);
	for (i = 0; i < o.nargs; i++)
		replay_argument(&r, o.args[i]);
	printf("result: scenario=%s schedules=%u verdicts=%u complete=no "
	       "bound=none signatures=", r.target, r.files,
	       findings_bugs(&r.findings));
	findings_print(stdout, &r.findings);
	printf(" differences=%u unreadable=%u seconds=%.3f\n", r.differences,
	       r.unreadable, seconds_now() - began);
	return status(&r);
}
