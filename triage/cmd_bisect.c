/* SPDX-License-Identifier: MIT */
/* heddle bisect FILE: does this build still have the bug that FILE shows?  The exit
 * status is what `git bisect run` asks for.
 *
 * A schedule names places of the build that it was saved from.  If it shows its
 * verdict here, that settles it; if not, the model may have moved below it.  So
 * schedules are tried, and then all interleavings with as many preemptions as the
 * schedule made are searched: only that says that the bug is not there. */
#include <string.h>
#include <unistd.h>

#include "options.h"
#include "search.h"

enum { BISECT_GOOD = 0, BISECT_BAD = 1, BISECT_SKIP = 125, BISECT_ABORT = 128 };

struct bisect {
	struct sched_file file;
	const char *signature;
	u64 schedules;   /* that were run */
	u32 preemptions; /* of the schedule's run here, or what its proof says */
	bool found;
	struct findings findings;
};

static bool shown(struct bisect *b, const struct hd_verdict *v, u32 n)
{
	u32 i;

	for (i = 0; i < n && !b->found; i++)
		if (want_matches(b->signature, &v[i])) {
			findings_note(&b->findings, &v[i], b->schedules);
			b->found = true;
		}
	return b->found;
}

static bool as_saved(struct bisect *b)
{
	struct hd_outcome o = hd_run(&b->file.schedule);

	b->schedules = 1;
	if (sscanf(b->file.proof, "%u preemption", &b->preemptions) != 1 ||
	    b->preemptions < o.preemptions)
		b->preemptions = o.preemptions;
	return shown(b, o.verdicts, o.nverdicts);
}

static bool by_luck(struct bisect *b, u64 schedules)
{
	static struct hd_schedule s;
	u64 i;

	for (i = 0; i < schedules && !interrupted; i++) {
		struct hd_outcome o;

		hd_search_schedule(&s, -1, 1, i);
		o = hd_run(&s);
		b->schedules++;
		progress(i, schedules, 0);
		if (shown(b, o.verdicts, o.nverdicts))
			break;
	}
	progress_end();
	return b->found;
}

static bool on_found(struct hd_explore *x, void *arg)
{
	(void)x;
	return !shown(arg, W->verdicts, W->nverdicts);
}

static void on_progress(struct hd_explore *x, void *arg)
{
	(void)arg;
	if (interrupted)
		x->max_runs = x->runs; /* ends it */
	progress(x->runs, x->max_runs, 0);
}

/* False: the search was not finished. */
static bool by_search(struct bisect *b, u64 limit)
{
	struct hd_explore x = {
		.bound = (int)b->preemptions,
		.max_runs = limit,
		.max_failures = b->file.target.variant->fail,
		.max_signals = b->file.target.variant->signals,
		.found = on_found,
		.progress = on_progress,
		.arg = b,
	};

	hd_explore_run(&x);
	progress_end();
	b->schedules += x.runs;
	return b->found || (x.complete && !x.limited);
}

static int verdict_of(struct bisect *b, const struct options *o)
{
	if (as_saved(b)) {
		printf("bad: the schedule shows %s\n", b->signature);
		return BISECT_BAD;
	}
	if (by_luck(b, o->schedules)) {
		printf("bad: another schedule shows %s\n", b->signature);
		return BISECT_BAD;
	}
	if (!by_search(b, o->limit)) {
		printf("skip: no schedule showed %s, but not all were tried\n",
		       b->signature);
		return BISECT_SKIP;
	}
	if (b->found)
		printf("bad: a search shows %s\n", b->signature);
	else
		printf("good: no interleaving with at most %u preemption%s shows "
		       "%s\n", b->preemptions, b->preemptions == 1 ? "" : "s",
		       b->signature);
	return b->found ? BISECT_BAD : BISECT_GOOD;
}

static int wrong(const char *what, const char *file)
{
	fprintf(stderr, "heddle bisect: %s%s\n", what, file);
	return BISECT_ABORT;
}

int cmd_bisect(int argc, char **argv)
{
	static struct bisect b;
	double began = seconds_now();
	struct options o;
	char name[160];
	int status;

	if (!options_parse(argc, argv, V_BISECT, &o))
		return BISECT_ABORT;
	if (o.nargs != 1)
		return wrong("exactly one FILE, please", "");
	if (access(o.args[0], R_OK))
		return wrong("cannot read ", o.args[0]);
	if (!sched_read(o.args[0], &b.file) && !b.file.moved)
		return BISECT_SKIP; /* a scenario that this build does not have */
	b.signature = b.file.want[0] ? b.file.want : b.file.signature[0];
	if (!*b.signature)
		return wrong("no verdict is recorded in ", o.args[0]);
	catch_interrupt();
	status = verdict_of(&b, &o);
	if (interrupted)
		status = BISECT_ABORT;
	target_name(&b.file.target, name, sizeof(name));
	printf("result: scenario=%s schedules=%llu verdicts=%d complete=%s bound=%u "
	       "signatures=", name, (unsigned long long)b.schedules, b.found,
	       status == BISECT_GOOD ? "yes" : "no", b.preemptions);
	findings_print(stdout, &b.findings);
	printf(" seconds=%.3f\n", seconds_now() - began);
	return status;
}
