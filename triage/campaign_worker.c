/* SPDX-License-Identifier: MIT */
/* Who does a job, and what became of him?
 *
 * Each job is a process of its own: a fork that runs campaign_job.c, or a fuzz
 * target.  It dies with the supervisor, has a process group of its own (Ctrl-C is
 * for the supervisor), and is killed when it is over its time by more than a run
 * can take.  What crashed or hung is written down with its input, if that is
 * known, and the campaign goes on behind it. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "campaign.h"
#include <errno.h> /* after ours: types.h has the kernel's values */

/* Seconds: a worker looks at the clock after each run, and a run that takes five
 * hangs.  A reduction has a limit of its own. */
enum { GRACE = 5, FOR_REDUCTION = 600 };
enum { LOG_KEPT = 65536 };

/* --- the process --------------------------------------------------------------------- */

static void prepare(const struct worker *w, pid_t parent)
{
	struct rlimit none = { 0, 0 };
	int null;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_FAULT); /* it has died already */
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	setrlimit(RLIMIT_CORE, &none);
	folder_leave();
	null = open("/dev/null", O_RDONLY);
	dup2(null, STDIN_FILENO);
	dup2(w->log, STDOUT_FILENO);
	dup2(w->log, STDERR_FILENO);
}

static void run_fuzzer(const struct campaign *c, const struct job *job, int fd)
{
	const struct entry *e = &c->entry[job->entry];
	char target[200], report[48], findings[2400], artifacts[2400];
	char corpus[2300], seed[32], time[48];
	char *const args[] = { (char *)e->fuzzer, target, report, findings,
			       artifacts, seed, time, corpus, NULL };

	fcntl(fd, F_SETFD, 0);
	snprintf(corpus, sizeof(corpus), "%s/corpus/%s", c->dir, e->slug);
	mkdir(corpus, 0777);
	snprintf(target, sizeof(target), "--target=%s", e->name);
	snprintf(report, sizeof(report), "--heddle-report-fd=%d", fd);
	/* in the corpus: there it is run, and so told, at each start */
	snprintf(findings, sizeof(findings), "--heddle-findings=%s", corpus);
	snprintf(artifacts, sizeof(artifacts), "-artifact_prefix=%s/crashes/"
		 "%s.libfuzzer.", c->dir, e->slug);
	snprintf(seed, sizeof(seed), "-seed=%u", e->effort[LIBFUZZER].slices + 1);
	snprintf(time, sizeof(time), "-max_total_time=%d",
		 (int)(job->seconds + 0.999));
	execv(e->fuzzer, args);
	fprintf(stderr, "cannot run %s: %s\n", e->fuzzer, strerror(errno));
	_exit(EXIT_FAULT);
}

static bool make_slot(struct worker *w)
{
	void *p = w->slot;

	if (!p)
		p = mmap(NULL, sizeof(*w->slot), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return false;
	memset(p, 0, sizeof(*w->slot));
	w->slot = p;
	w->slot->bound = -1;
	return true;
}

static void set_busy(struct campaign *c, const struct job *job, bool busy)
{
	if (job->kind == JOB_SEARCH)
		c->entry[job->entry].effort[job->engine].busy = busy;
	else if (job->kind == JOB_MINIMISE)
		c->bug[job->which]->busy = busy;
}

static void settle(struct campaign *c, struct worker *w, const struct job *job)
{
	struct entry *e = &c->entry[job->entry];

	w->job = *job;
	w->began = seconds_now();
	w->deadline = w->began + GRACE +
		      (job->kind == JOB_MINIMISE ? FOR_REDUCTION : job->seconds);
	w->hung = w->stopped = false;
	w->news = 0;
	w->sched = w->report = w->page = NULL;
	set_busy(c, job, true);
	if (job->kind == JOB_SEARCH && job->engine == PORTFOLIO)
		seen_map(c, e);
}

bool worker_start(struct campaign *c, struct worker *w, const struct job *job)
{
	pid_t parent = getpid();
	int ends[2];

	w->log = memfd_create("log", MFD_CLOEXEC);
	if (w->log < 0 || !make_slot(w) || pipe2(ends, O_CLOEXEC)) {
		close(w->log);
		return false;
	}
	settle(c, w, job);
	fflush(stdout); /* what is in there is not to be printed twice */
	w->pid = fork();
	if (w->pid == 0) {
		prepare(w, parent);
		if (job->kind == JOB_SEARCH && job->engine == LIBFUZZER)
			run_fuzzer(c, job, ends[1]);
		job_run(c, job, w->slot, ends[1]);
	}
	close(ends[1]);
	w->fd = ends[0];
	if (w->pid > 0)
		return true;
	w->pid = 0;
	close(w->fd);
	close(w->log);
	set_busy(c, job, false);
	return false;
}

/* --- what it tells ---------------------------------------------------------------------- */

struct hearing {
	struct campaign *c;
	struct worker *w;
};

/* Of one variant a target tells each finding at each start. */
static bool input_known(const struct campaign *c, u32 entry,
			const char *signature)
{
	u32 i;

	for (i = 0; i < c->ninputs; i++)
		if (c->input[i].entry == entry &&
		    !strcmp(c->input[i].signature, signature))
			return true;
	return false;
}

static void take_input(struct campaign *c, const struct worker *w,
		       const struct told *t)
{
	u64 before = c->entry[w->job.entry].effort[LIBFUZZER].schedules;
	struct input *in;

	if (!strncmp(t->signature, "limit", 5))
		c->entry[w->job.entry].limits++;
	if (!t->data || !strncmp(t->signature, "limit", 5) ||
	    input_known(c, w->job.entry, t->signature)) {
		free(t->data);
		return;
	}
	in = realloc(c->input, (c->ninputs + 1) * sizeof(*in));
	if (!in)
		exit(EXIT_FAULT);
	c->input = in;
	in += c->ninputs++;
	memset(in, 0, sizeof(*in));
	snprintf(in->signature, sizeof(in->signature), "%s", t->signature);
	in->entry = w->job.entry;
	in->schedules = before + w->slot->schedules;
	in->data = t->data;
	in->size = t->size;
}

static void take_finding(struct campaign *c, struct worker *w,
			 const struct told *t)
{
	const struct entry *e = &c->entry[w->job.entry];
	u64 run = strtoull(t->name, NULL, 10);

	if (w->job.kind == JOB_SEARCH && w->job.engine == LIBFUZZER) {
		take_input(c, w, t);
		return;
	}
	if (w->job.kind == JOB_NAME)
		run = c->input[w->job.which].schedules;
	else
		run += e->effort[w->job.engine].schedules;
	w->news += found_note(c, &w->job, run, t->signature, t->data, t->size);
}

static char *take_file(const char *line)
{
	const char *hex = strchr(line, ' ') + 1;
	size_t n = strlen(hex);
	char *text = (char *)unhex(hex, n);

	if (text)
		text[n / 2] = 0;
	return text;
}

static void on_line(char *line, void *arg)
{
	struct hearing *h = arg;
	unsigned int runs, proved;
	struct told t;

	if (told_finding(line, &t))
		take_finding(h->c, h->w, &t);
	else if (sscanf(line, "runs %u", &runs) == 1)
		h->w->slot->schedules += runs;
	else if (!strncmp(line, "sched ", 6))
		h->w->sched = take_file(line);
	else if (!strncmp(line, "report ", 7))
		h->w->report = take_file(line);
	else if (!strncmp(line, "page ", 5))
		h->w->page = take_file(line);
	else if (sscanf(line, "min %u %u", &h->w->preemptions, &proved) == 2)
		h->w->proved = proved;
}

/* --- its end ------------------------------------------------------------------------------ */

/* What it said, if it was not too much: then the end of it. */
static char *read_log(const struct worker *w, size_t *size)
{
	off_t end = lseek(w->log, 0, SEEK_END);
	off_t from = end > LOG_KEPT ? end - LOG_KEPT : 0;
	char *text = malloc(LOG_KEPT + 1);
	ssize_t n = text ? pread(w->log, text, LOG_KEPT, from) : -1;

	*size = n > 0 ? (size_t)n : 0;
	return text;
}

static const char *job_words(const struct job *job)
{
	return job->kind == JOB_SEARCH ? engine_names[job->engine] :
	       job->kind == JOB_NAME ? "replay" : "min";
}

static void save_log(struct campaign *c, const struct worker *w)
{
	const struct entry *e = &c->entry[w->job.entry];
	char name[260];
	size_t size;
	char *text = read_log(w, &size);

	snprintf(name, sizeof(name), "logs/%s.%s.log", e->slug,
		 job_words(&w->job));
	if (size)
		folder_put(c, name, text, size);
	free(text);
}

static void end_words(const struct worker *w, int status, char *buf,
		      size_t size)
{
	if (w->hung)
		snprintf(buf, size, "hung, and was killed");
	else if (WIFSIGNALED(status))
		snprintf(buf, size, "was ended by signal %d (%s)",
			 WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		snprintf(buf, size, "ended with status %d",
			 WEXITSTATUS(status));
}

static void save_crash_input(struct campaign *c, const struct worker *w,
			     const char *name)
{
	static u8 data[HD_HEAD_BYTES + HD_MAX_EDITS * HD_EDIT_BYTES];
	char file[300];

	if (!w->slot->running)
		return;
	snprintf(file, sizeof(file), "%s.bin", name);
	folder_put(c, file, data,
		   hd_schedule_encode(&w->slot->now, data, sizeof(data)));
}

/* crashes/<scenario>.<variant>.<job>-<n>, one that is free, also in memory. */
static void crash_name(const struct campaign *c, const struct worker *w,
		       char *name, size_t size)
{
	char path[2400];
	u32 n = c->ncrashes;

	do {
		snprintf(name, size, "crashes/%s.%s-%u",
			 c->entry[w->job.entry].slug, job_words(&w->job), ++n);
		snprintf(path, sizeof(path), "%s/%s.txt", c->dir, name);
	} while (!access(path, F_OK));
}

/* The files of a crash, and one line about it. */
static void note_crash(struct campaign *c, const struct worker *w, int status)
{
	const struct entry *e = &c->entry[w->job.entry];
	char how[100], name[260], line[700], file[300];

	end_words(w, status, how, sizeof(how));
	crash_name(c, w, name, sizeof(name));
	save_crash_input(c, w, name);
	snprintf(line, sizeof(line), "%s, %s, %s after %llu schedules%s: %s.*\n",
		 e->name, job_words(&w->job), how,
		 (unsigned long long)w->slot->schedules,
		 w->slot->loaded || w->job.engine == LIBFUZZER ? "" :
		 ", when it was loaded", name);
	snprintf(file, sizeof(file), "%s.txt", name);
	folder_put(c, file, line, strlen(line));
	status_wipe();
	printf("CRASH %s", line);
	fflush(stdout);
	line[strcspn(line, "\n")] = 0;
	if (c->ncrashes < MAX_CRASHES)
		snprintf(c->crash[c->ncrashes], sizeof(c->crash[0]), "%.199s",
			 line);
	c->ncrashes++;
}

/* What an exhaustive search has shown. */
static void take_proof(struct entry *e, const struct worker *w)
{
	const struct slot *s = w->slot;

	if (w->job.engine == BOUNDED) {
		if (s->bound > e->bound)
			e->bound = s->bound;
		e->stuck |= s->stuck;
	} else if (w->job.engine == EXPLORE) {
		e->proof = s->vacuous ? VACUOUS : s->complete ? COMPLETE :
			   s->stuck ? LIMITED : OPEN;
	}
}

static void account(struct campaign *c, const struct worker *w, bool crashed)
{
	struct entry *e = &c->entry[w->job.entry];
	struct effort *f = &e->effort[w->job.engine];
	u64 n = w->slot->schedules;

	e->limits += (u32)w->slot->limits;
	e->marks |= w->slot->marks;
	f->schedules += n;
	f->seconds += seconds_now() - w->began;
	f->deaths += crashed;
	if (w->job.engine == PORTFOLIO) {
		e->next += n + crashed; /* not again the one that crashed */
		e->distinct = seen_estimate(e->seen);
	}
	take_proof(e, w);
	/* what found something new goes again, before the others get longer
	 * slices; only the search that begins anew would find the same */
	if (!w->stopped && !(w->news && w->job.engine == PORTFOLIO))
		f->slices++;
	if (w->job.engine == LIBFUZZER) {
		char corpus[2300];

		snprintf(corpus, sizeof(corpus), "%s/corpus/%s", c->dir,
			 e->slug);
		e->corpus = corpus_check(corpus);
	}
}

static void end_minimise(struct campaign *c, struct worker *w, bool crashed)
{
	struct bug *b = c->bug[w->job.which];

	b->failures += crashed;
	if (crashed || !w->sched || !w->report || !w->page ||
	    b->seen[b->chosen].entry != w->job.entry) /* another one by now */
		return;
	b->attempts++;
	b->preemptions = w->preemptions;
	b->proved = w->proved;
	found_minimised(c, b, w->sched, w->report, w->page);
}

static void worker_end(struct campaign *c, struct worker *w)
{
	int status = 0;
	bool crashed;

	while (waitpid(w->pid, &status, 0) < 0 && errno == EINTR)
		;
	crashed = !w->stopped && (w->hung || status);
	if (w->job.engine == LIBFUZZER || crashed)
		save_log(c, w);
	if (crashed)
		note_crash(c, w, status);
	set_busy(c, &w->job, false);
	if (w->job.kind == JOB_SEARCH)
		account(c, w, crashed);
	else if (w->job.kind == JOB_MINIMISE)
		end_minimise(c, w, crashed);
	free(w->sched);
	free(w->report);
	free(w->page);
	lines_free(&w->lines);
	close(w->fd);
	close(w->log);
	w->pid = 0;
}

void worker_hear(struct campaign *c, struct worker *w)
{
	struct hearing h = { c, w };

	if (!lines_read(&w->lines, w->fd, on_line, &h))
		worker_end(c, w);
}

static bool is_first_reduction(const struct campaign *c, const struct worker *w)
{
	return w->job.kind == JOB_MINIMISE && !c->bug[w->job.which]->attempts;
}

/* Searches end by themselves, a fuzz target within a second. */
static bool night_is_over(const struct campaign *c, const struct worker *w)
{
	double over = campaign_now(c) - c->night - c->budget;

	if (w->job.kind != JOB_MINIMISE)
		return over > 5;
	return is_first_reduction(c, w) ? campaign_now(c) > plan_end(c) :
					  over > 0;
}

void workers_check(struct campaign *c)
{
	double now = seconds_now();
	u32 i;

	for (i = 0; i < c->njobs; i++) {
		struct worker *w = &c->worker[i];

		if (!w->pid || w->hung || w->stopped)
			continue;
		w->hung = now > w->deadline;
		w->stopped = !w->hung && night_is_over(c, w);
		if (w->hung || w->stopped)
			kill(w->pid, SIGKILL);
	}
}

void workers_stop(struct campaign *c)
{
	u32 i;

	for (i = 0; i < c->njobs; i++)
		if (c->worker[i].pid) {
			c->worker[i].stopped = true;
			kill(c->worker[i].pid, SIGKILL);
		}
	for (i = 0; i < c->njobs; i++) /* what they have told is heard */
		while (c->worker[i].pid)
			worker_hear(c, &c->worker[i]);
}
