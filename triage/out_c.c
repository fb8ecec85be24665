/* SPDX-License-Identifier: MIT */
/* The interleaving as a C program: the skeleton of a test for the real thing.
 *
 * A thread for each task, and in it each row of the picture as a step that waits
 * for its turn.  Nothing is done there: what the model did is a comment, to be
 * replaced by the call that does it.  It compiles as it is and prints the steps
 * in their order. */
#include <ctype.h>
#include <string.h>

#include "picture.h"

struct skeleton {
	const struct story *s;
	struct rows rows;
	struct lanes lanes;
	u32 nsteps;
	FILE *out;
};

/* The order is what is known of the run; what waits in the middle of a step
 * must let the others go on. */
static const char runtime[] =
	"static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;\n"
	"static pthread_cond_t passed_on = PTHREAD_COND_INITIALIZER;\n"
	"static int turn = 1;\n"
	"static __thread int mine;\n"
	"\n"
	"/* My step is done, or goes on beside the others: the next one may begin. */\n"
	"static void pass_on(void)\n"
	"{\n"
	"\tif (!mine)\n"
	"\t\treturn;\n"
	"\tpthread_mutex_lock(&lock);\n"
	"\tturn = mine + 1;\n"
	"\tmine = 0;\n"
	"\tpthread_cond_broadcast(&passed_on);\n"
	"\tpthread_mutex_unlock(&lock);\n"
	"}\n"
	"\n"
	"/* My last step is done; wait until it is the turn of step n. */\n"
	"static void step(int n)\n"
	"{\n"
	"\tpass_on();\n"
	"\tpthread_mutex_lock(&lock);\n"
	"\twhile (turn != n)\n"
	"\t\tpthread_cond_wait(&passed_on, &lock);\n"
	"\tpthread_mutex_unlock(&lock);\n"
	"\tmine = n;\n"
	"\tprintf(\"%3d  %s: %s\\n\", n, steps[n].task, steps[n].op);\n"
	"}\n\n";

/* --- text in C ------------------------------------------------------------- */

static void put_string(FILE *out, const char *s)
{
	fputc('"', out);
	for (; *s; s++) {
		if (*s == '"' || *s == '\\' || *s == '?')
			fputc('\\', out);
		fputc((u8)*s < ' ' ? ' ' : *s, out);
	}
	fputc('"', out);
}

static void put_comment(FILE *out, const char *s)
{
	char before = 0;

	for (; *s; before = *s++) {
		if ((before == '*' && *s == '/') || (before == '/' && *s == '*'))
			fputc(' ', out);
		fputc((u8)*s < ' ' ? ' ' : *s, out);
	}
}

/* "t1_munmap": a task may be called what the C library calls a function. */
static void put_name(const struct skeleton *k, u32 task)
{
	const char *s = story_task(k->s, task);

	fprintf(k->out, "t%u_", task + 1);
	for (; *s; s++)
		fputc(isalnum((unsigned char)*s) ? *s : '_', k->out);
}

static void row_text(const struct row *r, char *buf, size_t size)
{
	size_t n;

	statement_print(&r->st, buf, size);
	n = strlen(buf);
	if (r->times > 1)
		snprintf(buf + n, size - n, " (%u times)", r->times);
}

/* --- parts ------------------------------------------------------------------ */

/* A remark alone is no step. */
static bool is_step(const struct row *r)
{
	return r->kind == ROW_OP && r->st.verb[0];
}

static void put_head(const struct skeleton *k)
{
	const struct story *s = k->s;

	fputs("/* ", k->out);
	put_comment(k->out, s->title);
	fprintf(k->out, "\n *\n * %s:%s, %u preemption%s", s->scenario->name,
		s->variant->name, s->preemptions, s->preemptions == 1 ? "" : "s");
	fputs(is_program(s->scenario) ? "\n" : "; of a MODEL, not of kernel code\n",
	      k->out);
	if (s->report->file) {
		fprintf(k->out, " * %s replay ", program);
		put_comment(k->out, s->report->file);
		fputc('\n', k->out);
	}
	fputs(" *\n * A skeleton: put what does a step behind its step().  Steps run "
	      "one at a time,\n * in the order of the table; what waits for another "
	      "task is behind a pass_on().\n * In the kernel step(n) is a "
	      "wait_event() on turn, pass_on() its wake_up_all().\n *\n"
	      " * cc -pthread FILE.c && ./a.out */\n"
	      "#include <pthread.h>\n#include <stdio.h>\n\n", k->out);
}

static void put_table(const struct skeleton *k)
{
	char text[300];
	u32 i, n = 0;

	fputs("static const struct {\n\tconst char *task, *op;\n} steps[] = {\n"
	      "\t{ 0 },\n", k->out);
	for (i = 0; i < k->rows.n; i++) {
		const struct row *r = &k->rows.at[i];

		if (!is_step(r))
			continue;
		row_text(r, text, sizeof(text));
		fputs("\t{ ", k->out);
		put_string(k->out, story_task(k->s, r->task));
		fputs(", ", k->out);
		put_string(k->out, text);
		fprintf(k->out, " }, /* %u */\n", ++n);
	}
	fputs("};\n\n", k->out);
}

static void put_step(const struct skeleton *k, const struct row *r, u32 n)
{
	const struct story *s = k->s;
	struct sym_site site;
	char text[300];

	row_text(r, text, sizeof(text));
	fprintf(k->out, "\tstep(%u);\n", n);
	if (s->flag[r->rec] & REC_WAITS || s->log[r->rec].ev.op.kind == HD_WAIT ||
	    s->log[r->rec].ev.op.kind == HD_EV_BLOCKED)
		fputs("\tpass_on(); /* it waits */\n", k->out);
	fputs("\t/* ", k->out);
	put_comment(k->out, text);
	if (r->remark[0]) {
		fputs("  (", k->out);
		put_comment(k->out, r->remark);
		fputs(")", k->out);
	}
	if (statement_stack(&s->log[r->rec], &site, 1))
		fprintf(k->out, "\n\t *   %s, %s:%u", site.function, site.file,
			site.line);
	fputs(" */\n", k->out);
}

static void put_verdict(const struct skeleton *k)
{
	char text[200];

	picture_verdict(k->s, 150, text, sizeof(text));
	fputs("\t/* ", k->out);
	put_comment(k->out, text);
	fputs(" */\n", k->out);
}

static void put_thread(const struct skeleton *k, u32 task)
{
	const struct hd_verdict *v = story_verdict(k->s);
	u32 i, n = 0;

	if (W->tasks[task].irq)
		fprintf(k->out, "/* an interrupt on the CPU of %s */\n",
			story_task(k->s, W->tasks[task].host));
	fputs("static void *", k->out);
	put_name(k, task);
	fputs("(void *unused)\n{\n", k->out);
	for (i = 0; i < k->rows.n; i++) {
		const struct row *r = &k->rows.at[i];

		n += is_step(r);
		if (is_step(r) && r->task == task)
			put_step(k, r, n);
	}
	if (v && v->task == task)
		put_verdict(k);
	fputs("\tpass_on();\n\treturn unused;\n}\n\n", k->out);
}

static void put_main(const struct skeleton *k)
{
	u32 i;

	fprintf(k->out, "int main(void)\n{\n\tpthread_t thread[%u];\n\n",
		k->lanes.n);
	for (i = 0; i < k->lanes.n; i++) {
		fprintf(k->out, "\tpthread_create(&thread[%u], 0, ", i);
		put_name(k, k->lanes.at[i].task);
		fputs(", 0);\n", k->out);
	}
	for (i = 0; i < k->lanes.n; i++)
		fprintf(k->out, "\tpthread_join(thread[%u], 0);\n", i);
	if (story_verdict(k->s) && story_verdict(k->s)->task >= k->s->ntasks)
		put_verdict(k);
	fputs("\treturn 0;\n}\n", k->out);
}

static void put_program(const struct skeleton *k)
{
	u32 i;

	put_table(k);
	fputs(runtime, k->out);
	for (i = 0; i < k->lanes.n; i++)
		put_thread(k, k->lanes.at[i].task);
	put_main(k);
}

void report_c(FILE *out, const struct report *r)
{
	struct skeleton k = { .out = out };
	struct story s;
	u32 i;

	story_tell(&s, r);
	s.all = true; /* rows that are shown, none of them cut out */
	k.s = &s;
	rows_build(&s, &k.rows);
	lanes_find(&k.lanes, &s, &k.rows);
	for (i = 0; i < k.rows.n; i++)
		k.nsteps += is_step(&k.rows.at[i]);
	put_head(&k);
	if (k.nsteps)
		put_program(&k);
	else /* nothing that tasks share */
		fputs("int main(void)\n{\n\treturn 0;\n}\n", out);
	rows_free(&k.rows);
	story_free(&s);
}
