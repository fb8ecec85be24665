/* SPDX-License-Identifier: MIT */
/* heddle min: the smallest schedule that still shows the wanted verdict of
 * this file, and whether it is proved that there is no smaller one. */
#include <string.h>

#include "options.h"
#include "search.h"

/* The signature to keep: --want, else the file's own, else the first one. */
static bool choose_signature(const struct options *o,
			     const struct sched_file *f, char *buf,
			     size_t size)
{
	struct hd_outcome out = hd_run(&f->schedule);
	const char *want = o->want ? o->want : f->want;
	u32 i;

	for (i = 0; i < out.nverdicts; i++)
		if (want_matches(want, &out.verdicts[i])) {
			verdict_signature(&out.verdicts[i], buf, size);
			return true;
		}
	fprintf(stderr, "heddle min: this schedule does not show %s\n",
		want && *want ? want : "any verdict");
	return false;
}

static void result_line(const struct target *t, const char *signature,
			const struct min_result *m, double seconds, FILE *out)
{
	char name[160], sig[160];
	char *p;

	target_name(t, name, sizeof(name));
	snprintf(sig, sizeof(sig), "%s", signature);
	for (p = sig; *p; p++)
		if (*p == ' ')
			*p = ':';
	fprintf(out, "result: scenario=%s schedules=%llu verdicts=1 "
		"complete=%s bound=%d signatures=%s preemptions=%u choices=%u "
		"switches=%u ops=%u edits=%u proved=%s seconds=%.3f\n", name,
		(unsigned long long)(m->replays + m->proof_runs),
		m->proved ? "yes" : "no", (int)m->preemptions - 1, sig,
		m->preemptions, m->choices, m->switches, m->ops,
		m->schedule.nedits, m->proved ? "yes" : "no", seconds);
}

static bool print_result(const struct options *o, struct sched_file *f,
			 const struct target *t, const char *signature,
			 const struct min_result *m, FILE *out)
{
	static struct report r;
	bool saved = true;

	report_from_min(&r, t, signature, m);
	sched_from_min(f, t, signature, m);
	if (o->out) {
		saved = sched_write(o->out, f);
		r.file = saved && out == stdout ? o->out : NULL;
	}
	report_text(out, &r, out == stdout && color_wanted());
	fprintf(out, "\n");
	min_describe(out, m);
	if (!o->out)
		fprintf(out, "to save it: %s min ... -o OUT.sched\n", program);
	if (!saved)
		sched_write("-", f); /* so print it, nothing is lost */
	return saved;
}

/* --as-is: a schedule written by hand becomes a complete file. */
static int rewrite(const struct options *o, struct sched_file *f,
		   const char *signature)
{
	snprintf(f->want, sizeof(f->want), "%s", signature);
	f->proof[0] = 0;
	return sched_write(o->out ? o->out : "-", f) ? EXIT_CLEAN : EXIT_USAGE;
}

int cmd_min(int argc, char **argv)
{
	static struct sched_file f;
	static struct min_result m;
	struct options o;
	struct target t;
	char signature[160];
	double began = seconds_now();
	bool saved;
	FILE *out;

	if (!options_parse(argc, argv, V_MIN, &o) ||
	    !want_check(argv[0], o.want))
		return EXIT_USAGE;
	if (o.nargs != 1) {
		fprintf(stderr, "heddle min: exactly one FILE, please\n");
		return EXIT_USAGE;
	}
	if (o.scenario && !target_parse(o.scenario, &f.target))
		return EXIT_USAGE;
	if (!sched_read(o.args[0], &f) ||
	    !choose_signature(&o, &f, signature, sizeof(signature)))
		return EXIT_USAGE;
	if (o.as_is)
		return rewrite(&o, &f, signature);
	catch_interrupt();
	t = f.target;
	if (!minimise_within(&t, signature, &f.schedule, o.limit, &m)) {
		fprintf(stderr, "heddle: fault: %s did not show again\n",
			signature);
		return EXIT_FAULT;
	}
	/* -o -: the schedule alone goes to standard output */
	out = o.out && !strcmp(o.out, "-") ? stderr : stdout;
	saved = print_result(&o, &f, &t, signature, &m, out);
	result_line(&t, signature, &m, seconds_now() - began, out);
	return saved ? EXIT_CLEAN : EXIT_USAGE;
}
