/* SPDX-License-Identifier: MIT */
/* What does gdb have to know of a run, and how is it started on one?
 *
 * A replay under gdb runs its schedule twice.  The first run is told in words
 * (heddle_debug); in the second one, which is the same, heddle-gdb.py stops. */
#define _GNU_SOURCE
#include "debugger.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "report.h"
#include "search.h"

struct heddle_debug heddle_debug = {
	.world = W,
	.stacks = HD_STACK_BASE,
	.stack_size = HD_STACK_SIZE,
};

/* --- for heddle-gdb.py ---------------------------------------------------- */

/* Called by gdb: can the task be chosen now? */
bool heddle_debug_can_go(u32 task);
bool heddle_debug_can_go(u32 task)
{
	return hd_has(hd_enabled(), task);
}

/* gdb has a breakpoint here. */
noinline struct hd_outcome heddle_debug_watch(const struct hd_schedule *s);
noinline struct hd_outcome heddle_debug_watch(const struct hd_schedule *s)
{
	struct hd_outcome o;

	heddle_debug.live = true;
	o = hd_run_with_log(s);
	heddle_debug.live = false;
	return o;
}

/* --- a run in words ------------------------------------------------------- */

static void add_step(const struct hd_record *rec, struct statement *st,
		     u32 step)
{
	struct debug_step *d = &heddle_debug.step[heddle_debug.nsteps++];
	struct sym_site site;

	d->step = step;
	d->n = rec->ev.n;
	d->task = rec->ev.task;
	snprintf(d->op, sizeof(d->op), "%s%s%s", st->verb,
		 st->object[0] ? " " : "", st->object);
	snprintf(d->values, sizeof(d->values), "%s", st->values);
	if (statement_place(rec, &site))
		snprintf(d->place, sizeof(d->place), "%s:%u", site.file,
			 site.line);
}

static void add_lock(const struct hd_record *rec)
{
	struct statement none = { .verb = "" };

	add_step(rec, &none, rec->ev.step);
	heddle_debug.step[heddle_debug.nsteps - 1].lock = rec->ev.op.addr;
}

/* What a task waited in before the oracle resumed it, to look whether it would
 * go on: its op is another one now. */
static void add_resumed(const struct hd_record *rec)
{
	struct hd_record r = *rec;
	struct statement st;

	if (W->tasks[r.ev.task].op.pc == r.ev.op.pc)
		return;
	r.ev.n++;
	statement_make(&r, &st);
	add_step(&r, &st, 0);
}

static void add_executed(const struct story *s)
{
	struct statement st;
	u32 i;

	for (i = 0; i < s->n; i++) {
		const struct hd_record *rec = &s->log[i];

		if (rec->ev.op.kind == HD_EV_ACQUIRE)
			add_lock(rec);
		if (rec->ev.op.kind == HD_EV_BLOCKED)
			add_resumed(rec);
		if (!is_op(rec) || rec->ev.task >= s->ntasks)
			continue;
		story_statement(s, i, &st);
		add_step(rec, &st, rec->ev.step);
	}
}

static bool was_told(u32 task, u32 n)
{
	u32 i;

	for (i = 0; i < heddle_debug.nsteps; i++)
		if (heddle_debug.step[i].task == task &&
		    heddle_debug.step[i].n == n && !heddle_debug.step[i].lock)
			return true;
	return !n;
}

/* What each task would have done next.  The op at which a run ends may have
 * made no event of its own: then it is the one of the task that ran last. */
static void add_pending(void)
{
	struct statement st;
	u32 i;

	for (i = 0; i < W->ntasks; i++) {
		const struct hd_task *t = &W->tasks[i];
		struct hd_record rec = {
			.ev = { .op = t->op, .task = (u8)i, .n = t->n },
			.frames = { t->op.pc },
			.nframes = 1,
		};

		if (t->state == HD_DONE || t->op.kind == HD_NONE)
			continue;
		if (was_told(i, t->n))
			rec.ev.n++;
		if (was_told(i, rec.ev.n))
			continue;
		hd_name_object(&rec, t->op.addr);
		statement_make(&rec, &st);
		add_step(&rec, &st, 0);
	}
}

/* Who is to be looked at?  Where nobody can go on that is who waits, not a
 * daemon that happened to run last. */
static u8 whose(const struct story *s, const struct hd_verdict *v)
{
	u32 i;

	if (v->task >= W->ntasks || !W->tasks[v->task].daemon)
		return v->task;
	for (i = 0; i < s->n; i++)
		if (s->log[i].ev.op.kind == HD_EV_BLOCKED &&
		    s->log[i].ev.op.pc == v->pc)
			return s->log[i].ev.task;
	return v->task;
}

static void add_verdicts(const struct story *s)
{
	u32 i;

	heddle_debug.nverdicts = s->nverdicts;
	heddle_debug.stop_at = s->at;
	for (i = 0; i < s->nverdicts; i++) {
		verdict_title(&s->verdicts[i], heddle_debug.verdict[i],
			      sizeof(heddle_debug.verdict[i]));
		heddle_debug.verdict_task[i] = whose(s, &s->verdicts[i]);
	}
	for (i = 0; i < s->n; i++)
		heddle_debug.stuck |= s->log[i].ev.op.kind == HD_EV_STUCK;
	if (s->at < s->nverdicts)
		snprintf(heddle_debug.verdict[s->at],
			 sizeof(heddle_debug.verdict[s->at]), "%s", s->title);
}

static void prepare(const struct sched_file *f)
{
	struct report r = { .target = f->target, .schedule = f->schedule };
	struct story s;
	u32 i;

	snprintf(r.want, sizeof(r.want), "%s", f->want);
	if (!story_tell(&s, &r) && s.nverdicts) {
		story_free(&s); /* another model build: the first one, then */
		r.want[0] = 0;
		story_tell(&s, &r);
	}
	heddle_debug.nsteps = 0;
	heddle_debug.step = calloc(s.n + s.ntasks + 1,
				   sizeof(heddle_debug.step[0]));
	if (!heddle_debug.step) {
		fprintf(stderr, "heddle: out of memory\n");
		exit(EXIT_FAULT);
	}
	for (i = 0; i < W->ntasks; i++)
		task_label(i, heddle_debug.task[i],
			   sizeof(heddle_debug.task[i]));
	add_verdicts(&s);
	add_executed(&s);
	add_pending();
	story_free(&s);
}

struct hd_outcome debug_replay(const struct sched_file *f)
{
	if (!heddle_debug.attached)
		return hd_run_with_log(&f->schedule);
	prepare(f);
	return heddle_debug_watch(&f->schedule);
}

/* --- starting gdb --------------------------------------------------------- */

extern const char heddle_gdb_py[];

/* A file that only this process and gdb know, gone when both are: nothing has
 * to be installed, and auto-load's safe path does not matter. */
static int python_file(void)
{
	size_t size = strlen(heddle_gdb_py);
	int fd = memfd_create("heddle-gdb.py", 0);

	if (fd < 0 || write(fd, heddle_gdb_py, size) != (ssize_t)size ||
	    lseek(fd, 0, SEEK_SET))
		return -1;
	return fd;
}

static int cannot(const char *what)
{
	fprintf(stderr, "heddle replay: --gdb: %s: %s\n", what,
		strerror(errno));
	return EXIT_USAGE;
}

int debug_start(const struct options *o, const char *path, char **args,
		int nargs)
{
	char self[4096], source[160], scenario[200];
	char **argv = calloc((size_t)nargs + 16, sizeof(*argv)), **a = argv;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	int fd = python_file();

	if (!argv || n < 0 || fd < 0)
		return cannot("cannot be prepared");
	self[n] = 0;
	snprintf(source, sizeof(source), "python f = open(%d); "
		 "exec(compile(f.read(), 'heddle-gdb.py', 'exec')); f.close()",
		 fd);
	*a++ = "gdb";
	*a++ = "-q";
	*a++ = "-ex";
	*a++ = source;
	*a++ = "-ex";
	*a++ = "heddle run";
	memcpy(a, args, (size_t)nargs * sizeof(*a));
	a += nargs;
	*a++ = "--args";
	*a++ = self;
	*a++ = "replay";
	if (o->check)
		*a++ = "--check";
	if (o->twice)
		*a++ = "--twice";
	if (o->lockdep == LOCKDEP_EXACT)
		*a++ = "--lockdep=exact";
	if (o->scenario) {
		snprintf(scenario, sizeof(scenario), "--scenario=%s",
			 o->scenario);
		*a++ = scenario;
	}
	*a++ = "--";
	*a++ = (char *)path;
	execvp("gdb", argv);
	if (errno != ENOENT)
		return cannot("gdb");
	fprintf(stderr, "heddle replay: --gdb: there is no gdb here (the "
		"Debian package is called gdb)\n");
	return EXIT_USAGE;
}
