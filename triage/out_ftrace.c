/* SPDX-License-Identifier: MIT */
/* The run as text like that of /sys/kernel/tracing/trace, for what greps it.
 *
 * A microsecond is a step.  The CPU is that of the model: each task has one of
 * its own, a handler its host's.  Lock annotations are named as the kernel's
 * trace events are, the rest is heddle_op, heddle_switch, heddle_blocked,
 * heddle_mark, heddle_remark, heddle_exit and heddle_verdict. */
#include <stdlib.h>
#include <string.h>

#include "report.h"

struct trace {
	const struct story *s;
	struct lock_span *span;
	u32 nspans;
	u32 verdict; /* the next to be told */
	FILE *out;
};

static const char columns[] =
	"#                                _-----=> irqs-off/BH-disabled\n"
	"#                               / _----=> need-resched\n"
	"#                              | / _---=> hardirq/softirq\n"
	"#                              || / _--=> preempt-depth\n"
	"#                              ||| / _-=> migrate-disable\n"
	"#                              |||| /     delay\n"
	"#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION\n"
	"#              | |         |   |||||     |         |\n";

static char irqs_char(u8 context)
{
	bool irqs = context & HD_IRQS_OFF, bh = context & HD_BH_OFF;

	return irqs && bh ? 'D' : irqs ? 'd' : bh ? 'b' : '.';
}

static char handler_char(u8 context)
{
	bool hard = context & HD_IN_HARDIRQ, soft = context & HD_IN_SOFTIRQ;

	return hard && soft ? 'H' : hard ? 'h' : soft ? 's' : '.';
}

/* "           fault-2       [001] .....     0.000012: " */
static void put_context(struct trace *t, u32 task, u8 context, u32 step)
{
	bool known = task < t->s->ntasks;
	u32 cpu = !known ? 0 : W->tasks[task].irq ? W->tasks[task].host : task;

	fprintf(t->out, "%16s-%-7u [%03u] %c.%c.. %5u.%06u: ",
		known ? story_task(t->s, task) : "end-check",
		known ? task + 1 : 0, cpu, irqs_char(context),
		handler_char(context), step / 1000000, step % 1000000);
}

static void put_place(struct trace *t, const struct hd_record *r)
{
	struct sym_site site;

	if (statement_stack(r, &site, 1))
		fprintf(t->out, " %s %s:%u", site.function, site.file, site.line);
	fputc('\n', t->out);
}

static void put_op(struct trace *t, u32 i)
{
	const struct hd_record *r = &t->s->log[i];
	char words[256], held[400];
	struct statement st;

	story_statement(t->s, i, &st);
	statement_print(&st, words, sizeof(words));
	held_text(t->span, t->nspans, r->ev.task, i, held, sizeof(held));
	fprintf(t->out, "heddle_op: n=%u %s held=[%s]", r->ev.n, words, held);
	put_place(t, r);
}

static void put_annotation(struct trace *t, const struct hd_record *r)
{
	const struct hd_event *ev = &r->ev;

	switch (ev->op.kind) {
	case HD_EV_ACQUIRE:
		fprintf(t->out, "lock_acquire: %s%s%s", ev->op.code >> 2 & 1 ?
			"try " : "", ev->op.code & 3 ? "read " : "",
			ev->text ? ev->text : "?");
		break;
	case HD_EV_RELEASE:
		fprintf(t->out, "lock_release: %s", ev->text ? ev->text : "?");
		break;
	default:
		fprintf(t->out, "lock_downgrade: %s", ev->text ? ev->text : "?");
	}
	put_place(t, r);
}

static const char *name_of(u8 kind)
{
	switch (kind) {
	case HD_EV_MARK:
		return "heddle_mark";
	case HD_EV_REMARK:
		return "heddle_remark";
	case HD_EV_BLOCKED:
		return "heddle_blocked";
	case HD_EV_EXIT:
		return "heddle_exit";
	}
	return NULL;
}

static void put_event(struct trace *t, u32 i)
{
	const struct hd_record *r = &t->s->log[i];
	u8 kind = r->ev.op.kind;
	bool annotation = kind >= HD_EV_ACQUIRE && kind <= HD_EV_DOWNGRADE;

	if (r->ev.task >= t->s->ntasks ||
	    (!is_op(r) && !annotation && !name_of(kind)))
		return;
	put_context(t, r->ev.task, r->context, r->ev.step);
	if (is_op(r))
		put_op(t, i);
	else if (annotation)
		put_annotation(t, r);
	else
		fprintf(t->out, "%s: %s\n", name_of(kind),
			r->ev.text ? r->ev.text : "");
}

static void put_switch(struct trace *t, u32 i)
{
	const struct hd_record *r = &t->s->log[i];

	if (!i || r->ev.task == r[-1].ev.task || r->ev.task >= t->s->ntasks ||
	    r[-1].ev.task >= t->s->ntasks)
		return;
	put_context(t, r->ev.task, r->context, r->ev.step);
	fprintf(t->out, "heddle_switch: %s ==> %s%s\n",
		story_task(t->s, r[-1].ev.task), story_task(t->s, r->ev.task),
		r->preemptions > r[-1].preemptions ? " (preempted)" : "");
}

/* Those that were raised before the step. */
static void put_verdicts(struct trace *t, u32 step)
{
	const struct story *s = t->s;
	char title[200];

	for (; t->verdict < s->nverdicts; t->verdict++) {
		const struct hd_verdict *v = &s->verdicts[t->verdict];

		if (v->step >= step)
			return;
		verdict_title(v, title, sizeof(title));
		put_context(t, v->task, 0, v->step);
		fprintf(t->out, "heddle_verdict: %s\n", title);
	}
}

void report_ftrace(FILE *out, const struct report *r)
{
	struct story s;
	struct trace t = { .s = &s, .out = out };
	u32 i;

	story_tell(&s, r);
	t.nspans = lock_spans(&s, s.n, &t.span);
	fprintf(out, "# tracer: nop\n#\n# entries-in-buffer/entries-written: "
		"%u/%u   #P:%u\n#\n", s.n, s.n, s.ntasks);
	fprintf(out, "# heddle: %s:%s: %s\n# simulated time: one microsecond is "
		"one step; each task has a CPU of its own\n#\n%s",
		s.scenario->name, s.variant->name, s.title, columns);
	for (i = 0; i < s.n; i++) {
		put_verdicts(&t, s.log[i].ev.step);
		put_switch(&t, i);
		put_event(&t, i);
	}
	put_verdicts(&t, UINT32_MAX);
	free(t.span);
	story_free(&s);
}
