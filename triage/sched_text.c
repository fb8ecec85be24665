/* SPDX-License-Identifier: MIT */
/* The text form of a schedule (.sched, version 1, frozen): writing it.
 *
 *   heddle schedule 1
 *   scenario fault_vs_munmap:v6
 *   model 0123456789abcdef
 *   base run-to-block seed 0
 *   # 1  before op 3 of fault: READ_ONCE vm_lock_seq
 *   switch fault 3 munmap at vma_start_read#2 time 1 op READ_ONCE
 *   # 2  before op 9 of munmap: its end
 *   switch munmap 9 fault at end
 *   want held-at-user vm_lock
 *   proof 3 preemptions: 2 exhausted (1234 runs)
 *   verdict held-at-user vm_lock
 *   hash 0123456789abcdef
 *
 * One statement a line, words separated by blanks; lines that are empty or
 * begin with # are for people.  The first four lines come in this order.  Then
 * edits, in the order in which they act:
 *   switch TASK N OTHER ANCHOR   before TASK's N-th op run OTHER
 *   hold TASK N ANCHOR           keep TASK until a conflicting op ran
 *   irq TASK N HANDLER ANCHOR    before it HANDLER comes on TASK's CPU
 *   signal TASK N ANCHOR         a signal is pending at TASK's N-th op
 *   choose TASK N VALUE          TASK's N-th data choice
 *   fail TASK N                  TASK's N-th fallible operation fails
 * ANCHOR is "at FUNCTION#ORDINAL time K op WORD" (the op stands at the
 * ORDINAL-th call of the engine in FUNCTION, where the task is for the K-th
 * time; WORD says what kind of op), or "at end" (the task has ended), or
 * "at ?" (no such op in the run that was written: (TASK, N) alone counts).
 * Of a program's run that is left to another base than run-to-block, and was found
 * with another profile than is usual, the base line goes on "profile STRATEGY SEED
 * RUNS": which search's first runs it was learnt from (profile.c).
 * SCENARIO:VARIANT+CALL,CALL keeps the scenario to these calls (--calls).
 * The second of two tasks with one name is NAME~2.  Then at most one want, at
 * most four proofs, any number of verdicts (signatures, in the order they are
 * raised), and as the last line the trace hash, or "hash -" if nothing was
 * recorded: a file without it is truncated.  On another model build (model)
 * the hash is not compared.  sched_read.c reads it. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "search.h"
#include <errno.h> /* after ours: types.h has the kernel's values */
#include "sym.h"

struct line {
	struct hd_edit e;
	struct anchor a;
};

static int by_order(const void *x, const void *y)
{
	const struct line *a = x, *b = y;

	if (a->a.order != b->a.order)
		return a->a.order < b->a.order ? -1 : 1;
	if (a->e.task != b->e.task)
		return a->e.task < b->e.task ? -1 : 1;
	if (a->e.anchor != b->e.anchor)
		return a->e.anchor < b->e.anchor ? -1 : 1;
	return a->e.kind < b->e.kind ? -1 : a->e.kind > b->e.kind;
}

static bool is_counted(u8 kind)
{
	return kind == HD_EDIT_CHOOSE || kind == HD_EDIT_FAIL;
}

static bool does_nothing(const struct hd_edit *e)
{
	if (e->kind == HD_EDIT_IRQ)
		return !W->tasks[e->arg % W->ntasks].irq;
	return e->kind == HD_EDIT_STALE || e->kind == HD_EDIT_RF_POS ||
	       e->kind == HD_EDIT_RF_NEG;
}

/* The edits, in the order in which they act; those that do nothing, whatever
 * the run, are left out. */
static u32 collect(const struct hd_schedule *s, struct line *lines)
{
	u32 i, n = 0;

	for (i = 0; i < s->nedits; i++) {
		struct line *l = &lines[n];

		memset(l, 0, sizeof(*l));
		l->e = s->edit[i];
		if (does_nothing(&l->e) || l->e.task >= W->ntasks ||
		    !l->e.anchor)
			continue;
		if (!is_counted(l->e.kind))
			anchor_describe(l->e.task, l->e.anchor, &l->a);
		n++;
	}
	qsort(lines, n, sizeof(*lines), by_order);
	return n;
}

static void write_anchor(FILE *f, const struct anchor *a)
{
	if (a->at_end)
		fprintf(f, " at end\n");
	else if (a->site[0])
		fprintf(f, " at %s time %u op %s\n", a->site, a->time,
			a->word);
	else
		fprintf(f, " at ?\n");
}

static void write_edit(FILE *f, u32 number, const struct line *l)
{
	char task[64], other[64];

	task_label(l->e.task, task, sizeof(task));
	if (is_counted(l->e.kind)) {
		fprintf(f, "%s %s %u", hd_edit_name(l->e.kind), task,
			l->e.anchor);
		if (l->e.kind == HD_EDIT_CHOOSE)
			fprintf(f, " %u", l->e.arg);
		fprintf(f, "\n");
		return;
	}
	fprintf(f, "# %u  before op %u of %s: %s\n", number, l->e.anchor, task,
		l->a.statement[0] ? l->a.statement : "not reached");
	fprintf(f, "%s %s %u", hd_edit_name(l->e.kind), task, l->e.anchor);
	if (l->e.kind == HD_EDIT_SWITCH || l->e.kind == HD_EDIT_IRQ)
		fprintf(f, " %s", task_label(l->e.arg % W->ntasks, other,
					     sizeof(other)));
	write_anchor(f, &l->a);
}

static void write_lines(FILE *f, const char *word, const char *text)
{
	const char *nl;

	for (; *text; text = nl + (*nl == '\n')) {
		nl = text + strcspn(text, "\n");
		fprintf(f, "%s %.*s\n", word, (int)(nl - text), text);
	}
}

static void record_outcome(struct sched_file *f)
{
	struct hd_outcome o = hd_run_with_log(&f->schedule);
	u32 i;

	snprintf(f->scenario, sizeof(f->scenario), "%s",
		 f->target.scenario->name);
	snprintf(f->variant, sizeof(f->variant), "%s", f->target.variant->name);
	f->model_id = sym_model_id();
	f->has_record = true;
	f->hash = o.hash;
	f->nsignatures = o.nverdicts;
	for (i = 0; i < o.nverdicts; i++)
		verdict_signature(&o.verdicts[i], f->signature[i],
				  sizeof(f->signature[i]));
}

static void write_origin(FILE *out, const struct hd_origin *of)
{
	if (memcmp(of, &HD_USUAL_ORIGIN, sizeof(*of)))
		fprintf(out, " profile %s %u %u", of->strategy < 0 ?
			"portfolio" : hd_strategy_by_id((u8)of->strategy)->name,
			of->seed, of->runs);
}

static void write_all(FILE *out, const struct sched_file *f)
{
	static struct line lines[HD_MAX_EDITS];
	u32 i, n = collect(&f->schedule, lines);
	char name[256];

	target_name(&f->target, name, sizeof(name));
	fprintf(out, "heddle schedule 1\nscenario %s\nmodel %016llx\n"
		"base %s seed %u", name,
		(unsigned long long)f->model_id,
		hd_strategy_by_id(f->schedule.strategy)->name,
		f->schedule.seed);
	if (f->schedule.strategy && is_program(f->target.scenario))
		write_origin(out, &hd_profile.of);
	fprintf(out, "\n");
	for (i = 0; i < n; i++)
		write_edit(out, i + 1, &lines[i]);
	write_lines(out, "want", f->want);
	write_lines(out, "proof", f->proof);
	for (i = 0; i < f->nsignatures; i++)
		fprintf(out, "verdict %s\n", f->signature[i]);
	fprintf(out, "hash %016llx\n", (unsigned long long)f->hash);
}

static bool complain(const char *path, const char *what)
{
	fprintf(stderr, "heddle: cannot write %s: %s\n", path, what);
	return false;
}

static bool has_suffix(const char *s, const char *suffix)
{
	size_t n = strlen(s), k = strlen(suffix);

	return n >= k && !strcmp(s + n - k, suffix);
}

/* The form for fuzzers (src/engine/schedule.h). */
static void write_binary(FILE *out, const struct sched_file *f)
{
	static u8 buf[HD_HEAD_BYTES + HD_MAX_EDITS * HD_EDIT_BYTES];

	fwrite(buf, 1, hd_schedule_encode(&f->schedule, buf, sizeof(buf)),
	       out);
}

bool sched_print(FILE *out, struct sched_file *f)
{
	if (!target_open(&f->target))
		return false;
	record_outcome(f);
	write_all(out, f);
	return fflush(out) == 0;
}

bool sched_write(const char *path, struct sched_file *f)
{
	char tmp[4096];
	FILE *out;

	if (!strcmp(path, "-"))
		return sched_print(stdout, f) ||
		       complain(path, strerror(errno));
	if (!target_open(&f->target))
		return false;
	record_outcome(f);
	if (snprintf(tmp, sizeof(tmp), "%s.%d.tmp", path, (int)getpid()) >=
	    (int)sizeof(tmp))
		return complain(path, "name too long");
	out = fopen(tmp, "w");
	if (!out)
		return complain(path, strerror(errno));
	if (has_suffix(path, ".bin"))
		write_binary(out, f);
	else
		write_all(out, f);
	if (fflush(out) || ferror(out) || fsync(fileno(out)) || fclose(out) ||
	    rename(tmp, path)) {
		complain(path, strerror(errno));
		unlink(tmp);
		return false;
	}
	return true;
}
