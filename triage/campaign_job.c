/* SPDX-License-Identifier: MIT */
/* What does one worker of a campaign do?
 *
 * It is a child of the supervisor, forked without an exec, because the engine has
 * one world.  It does one job and ends.  What it finds it tells at once, in the
 * lines of fuzz/findings.c, the run in the place of a file's name:
 *
 *	finding RUN HEX SIGNATURE    a schedule in binary form
 *	min PREEMPTIONS PROVED       what the reduction said ...
 *	sched HEX, report HEX        ... and the files */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "campaign.h"
#include "cmd_run.h"
#include <errno.h> /* after ours: types.h has the kernel's values */

enum { MAX_DATA = HD_HEAD_BYTES + HD_MAX_EDITS * HD_EDIT_BYTES };

static const struct campaign *camp;
static const struct job *job;
static struct entry *entry;
static struct slot *slot;
static int out;
static double until;
static struct findings findings; /* of this process, so that each is told once */

/* --- telling ---------------------------------------------------------------------- */

static void write_all(const char *text, size_t n)
{
	ssize_t did;

	for (; n; text += did, n -= (size_t)did) {
		did = write(out, text, n);
		if (did < 0 && errno != EINTR)
			_exit(EXIT_FAULT);
		did = did < 0 ? 0 : did;
	}
}

/* BEFORE HEX AFTER */
static void tell(const char *before, const void *data, size_t size,
		 const char *after)
{
	static const char digits[] = "0123456789abcdef";
	size_t at = strlen(before), room = at + 2 * size + strlen(after) + 4, i;
	char *line = malloc(room);

	if (!line)
		_exit(EXIT_FAULT);
	memcpy(line, before, at);
	line[at++] = ' ';
	for (i = 0; i < size; i++) {
		line[at++] = digits[((const u8 *)data)[i] >> 4];
		line[at++] = digits[((const u8 *)data)[i] & 15];
	}
	at += (size_t)snprintf(line + at, room - at, "%s%s\n", *after ? " " : "",
			       after);
	write_all(line, at);
	free(line);
}

static void tell_finding(u64 run, const char *signature,
			 const struct hd_schedule *s)
{
	static u8 data[MAX_DATA];
	char before[48];

	snprintf(before, sizeof(before), "finding %llu",
		 (unsigned long long)run);
	tell(before, data, hd_schedule_encode(s, data, sizeof(data)),
	     signature);
}

/* Is this verdict to be told?  A canary is to be found by each engine anew. */
static const char *news(const struct hd_verdict *v, u64 run)
{
	struct finding *f = findings_note(&findings, v, run);

	if (f->count > 1)
		return NULL;
	if (f->kind == HD_V_LIMIT) {
		slot->limits++;
		return NULL;
	}
	if (!entry->target.scenario->canary &&
	    found_known(camp, job->entry, f->signature))
		return NULL;
	return f->signature;
}

static void tell_verdicts(const struct hd_verdict *v, u32 n, u64 run,
			  const struct hd_schedule *s)
{
	const char *signature;
	u32 i;

	for (i = 0; i < n; i++)
		if ((signature = news(&v[i], run)))
			tell_finding(run, signature, s);
}

/* --- exhaustive search --------------------------------------------------------------- */

static u64 before; /* runs of the searches before this one */

static bool found(struct hd_explore *x, void *arg)
{
	static struct hd_schedule s;
	const char *signature;
	u32 i;

	(void)arg;
	for (i = 0; i < W->nverdicts; i++)
		if ((signature = news(&W->verdicts[i], before + x->runs))) {
			hd_explore_schedule(&s);
			tell_finding(before + x->runs, signature, &s);
		}
	return true;
}

static void tick(struct hd_explore *x, void *arg)
{
	(void)arg;
	slot->schedules = before + x->runs;
	if (seconds_now() >= until)
		x->stop = true;
}

/* All workers together may fill a quarter of the memory with states. */
static u64 room_for_states(void)
{
	enum { BYTES = 32 };
	u64 pages = (u64)sysconf(_SC_PHYS_PAGES);

	return pages * (u64)sysconf(_SC_PAGESIZE) / 4 / camp->njobs / BYTES;
}

static bool exhaust(int bound)
{
	const struct heddle_variant *v = entry->target.variant;
	struct hd_explore x = {
		.bound = bound,
		.max_states = bound < 0 ? 0 : room_for_states(),
		.max_failures = (u32)v->fail,
		.max_signals = (u32)v->signals,
		.found = found,
		.progress = tick,
	};

	hd_explore_run(&x);
	before += x.runs;
	slot->schedules = before;
	slot->marks |= x.marks;
	if (x.stop)
		return false;
	slot->limited |= x.limited;
	slot->stuck |= !x.complete;
	return x.complete;
}

static bool vacuous(void)
{
	const char *const *g = entry->target.variant->goals ?
				       entry->target.variant->goals :
				       entry->target.scenario->goals;

	return g && g[0] && !slot->marks && !findings_bugs(&findings);
}

static void search_all(void)
{
	bool complete = exhaust(-1);

	slot->vacuous = complete && vacuous();
	slot->complete = complete;
}

static void search_bounded(void)
{
	int k;

	for (k = entry->bound + 1; k <= MAX_BOUND && exhaust(k); k++)
		slot->bound = k;
}

/* --- the portfolio -------------------------------------------------------------------- */

/* Schedules of a program's first runs mean something only with the profile as it
 * then was.  Written as switches they mean the same always. */
static void tell_early(const struct hd_schedule *early, u64 i)
{
	static struct hd_schedule s;
	struct hd_outcome o;

	hd_profile_search((struct hd_origin){ -1, 1, (u32)i });
	hd_run_with_log(early);
	realised_schedule(&s);
	o = hd_run(&s);
	tell_verdicts(o.verdicts, o.nverdicts, i + 1, &s);
}

static void search_portfolio(void)
{
	static struct hd_schedule early[HD_WARM_UP];
	u32 failed = 0; /* of these, a bit each */
	u64 i, from = entry->next, j;
	struct options o = { .fail = NOT_GIVEN, .signals = NOT_GIVEN };

	options_settle(&o, entry->target.variant);
	run_begin();
	slot->running = true;
	for (i = from; (i & 15) || i == from || seconds_now() < until; i++) {
		struct hd_outcome r = run_one(&slot->now, -1, 1, i, &o);

		seen_mark(entry->seen, r.hash);
		slot->marks |= W->marks;
		slot->schedules = i + 1 - from;
		if (!r.nverdicts)
			continue;
		if (hd_eng.program && i < HD_WARM_UP) {
			early[i] = slot->now;
			failed |= 1u << i;
		} else {
			tell_verdicts(r.verdicts, r.nverdicts, i + 1 - from,
				      &slot->now);
		}
	}
	slot->running = false;
	for (j = 0; j < HD_WARM_UP; j++)
		if (failed >> j & 1)
			tell_early(&early[j], j);
}

/* --- what a fuzz target found ----------------------------------------------------------- */

static void name_input(void)
{
	const struct input *in = &camp->input[job->which];
	struct hd_outcome o;

	hd_schedule_decode(&slot->now, in->data, in->size, W->ntasks);
	slot->running = true;
	o = hd_run(&slot->now);
	slot->running = false;
	if (!o.nverdicts)
		fprintf(stderr, "%s: this input shows nothing here: is the fuzz "
			"target built from other objects?\n", in->signature);
	tell_verdicts(o.verdicts, o.nverdicts, 0, &slot->now);
}

/* --- the smallest schedule ---------------------------------------------------------------- */

static void tell_file(const char *what, const char *text, size_t size)
{
	tell(what, text, size, "");
}

static void tell_sched(const struct bug *b, const struct min_result *m)
{
	static struct sched_file f;
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	sched_from_min(&f, &entry->target, b->signature, m);
	if (!file || !sched_print(file, &f) || fclose(file))
		_exit(EXIT_FAULT);
	tell_file("sched", text, size);
}

static void as_text(FILE *out, const struct report *r)
{
	report_text(out, r, false);
}

static void tell_report(const char *what, const struct report *r,
			void (*print)(FILE *out, const struct report *r))
{
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	if (!file)
		_exit(EXIT_FAULT);
	print(file, r);
	if (fclose(file))
		_exit(EXIT_FAULT);
	tell_file(what, text, size);
	free(text);
}

static void tell_reports(const struct bug *b, const struct min_result *m)
{
	static struct report r;
	char name[3000];

	report_from_min(&r, &entry->target, b->signature, m);
	snprintf(name, sizeof(name), "%s/%s/min.sched", camp->dir, b->folder);
	r.file = name;
	tell_report("report", &r, as_text);
	tell_report("page", &r, report_html);
}

static void minimise_bug(void)
{
	const struct bug *b = camp->bug[job->which];
	const struct sighting *s = &b->seen[b->chosen];
	static struct min_result m;
	char line[64];

	hd_schedule_decode(&slot->now, s->data, s->size, W->ntasks);
	slot->running = true;
	if (!minimise_within(&entry->target, b->signature, &slot->now,
			     plan_limit(b->attempts), &m)) {
		fprintf(stderr, "%s did not show again\n", b->signature);
		_exit(EXIT_FAULT);
	}
	tell_sched(b, &m);
	tell_reports(b, &m);
	snprintf(line, sizeof(line), "min %u %d\n", m.preemptions, m.proved);
	write_all(line, strlen(line));
}

/* --- the job ------------------------------------------------------------------------------- */

static void do_job(void)
{
	static void (*const searches[])(void) = {
		[EXPLORE] = search_all,
		[PORTFOLIO] = search_portfolio,
		[BOUNDED] = search_bounded,
	};

	if (job->kind == JOB_SEARCH)
		searches[job->engine]();
	else if (job->kind == JOB_NAME)
		name_input();
	else
		minimise_bug();
}

void job_run(struct campaign *c, const struct job *j, struct slot *s, int fd)
{
	camp = c;
	job = j;
	entry = &c->entry[j->entry];
	slot = s;
	out = fd;
	until = seconds_now() + j->seconds;
	if (!target_open(&entry->target))
		_exit(EXIT_FAULT);
	slot->loaded = true;
	do_job();
	_exit(EXIT_CLEAN);
}
