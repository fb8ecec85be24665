/* SPDX-License-Identifier: MIT */
/* The run as trace events (JSON), which Perfetto and chrome://tracing open.
 *
 * A microsecond is a step.  Tasks are threads, ops are slices on them, locks held
 * and waited for are slices of tracks of their own (async, since locks need not
 * nest), switches are flow arrows, remarks and verdicts are instants.  One event
 * a line. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

enum { PID = 1 };

struct trace {
	const struct story *s;
	struct lock_span *span;
	u32 nspans, nflows;
	bool any; /* an event was printed */
	FILE *out;
};

/* Names come from models: never let a stray byte make invalid JSON. */
static json_t *text(const char *s)
{
	json_t *j = json_string(s ? s : "");

	return j ? j : json_string_nocheck("?");
}

/* Takes o. */
static void put(struct trace *t, json_t *o)
{
	if (!o)
		return;
	fputs(t->any ? ",\n" : "\n", t->out);
	json_dumpf(o, t->out, JSON_COMPACT);
	json_decref(o);
	t->any = true;
}

static json_t *event(const char *phase, const char *name, const char *category,
		     u32 task, double at)
{
	return json_pack("{s:s,s:o,s:s,s:i,s:i,s:f}", "ph", phase, "name",
			 text(name), "cat", category, "pid", PID, "tid",
			 (int)task + 1, "ts", at);
}

static void put_names(struct trace *t)
{
	const struct story *s = t->s;
	char name[200];
	u32 i;

	snprintf(name, sizeof(name), "%s:%s (1 us is 1 step)", s->scenario->name,
		 s->variant->name);
	put(t, json_pack("{s:s,s:s,s:i,s:{s:o}}", "ph", "M", "name",
			 "process_name", "pid", PID, "args", "name", text(name)));
	for (i = 0; i < s->ntasks; i++) {
		put(t, json_pack("{s:s,s:s,s:i,s:i,s:{s:o}}", "ph", "M", "name",
				 "thread_name", "pid", PID, "tid", (int)i + 1,
				 "args", "name", text(story_task(s, i))));
		put(t, json_pack("{s:s,s:s,s:i,s:i,s:{s:i}}", "ph", "M", "name",
				 "thread_sort_index", "pid", PID, "tid",
				 (int)i + 1, "args", "sort_index", (int)i));
	}
}

static json_t *place(const struct hd_record *r)
{
	struct sym_site site;
	char buf[256] = "";

	if (statement_stack(r, &site, 1))
		snprintf(buf, sizeof(buf), "%s %s:%u", site.function, site.file,
			 site.line);
	return text(buf);
}

static void put_op(struct trace *t, u32 i)
{
	const struct hd_record *r = &t->s->log[i];
	char words[256], held[400];
	struct statement st;
	json_t *o;

	story_statement(t->s, i, &st);
	statement_print(&st, words, sizeof(words));
	held_text(t->span, t->nspans, r->ev.task, i, held, sizeof(held));
	o = event("X", words, is_lock_op(r->ev.op.kind) ? "lock-op" : "op",
		  r->ev.task, r->ev.step);
	json_object_set_new(o, "dur", json_integer(1));
	json_object_set_new(o, "args", json_pack("{s:i,s:i,s:o,s:o}", "step",
				(int)r->ev.step, "n", (int)r->ev.n, "held",
				text(held), "place", place(r)));
	put(t, o);
}

static void put_instant(struct trace *t, const char *name, const char *category,
			u32 task, double at, const char *scope)
{
	json_t *o = event("i", name, category, task, at);

	json_object_set_new(o, "s", json_string(scope));
	put(t, o);
}

/* From the middle of the last op before to that of the first one behind. */
static void put_flow(struct trace *t, u32 from, u32 to)
{
	const struct hd_record *a = &t->s->log[from], *b = &t->s->log[to];
	const char *name = b->preemptions > a->preemptions ? "preempted" : "switch";
	json_t *o = event("s", name, "switch", a->ev.task, a->ev.step + 0.5);

	json_object_set_new(o, "id", json_integer(++t->nflows));
	put(t, o);
	o = event("f", name, "switch", b->ev.task, b->ev.step + 0.5);
	json_object_set_new(o, "id", json_integer(t->nflows));
	json_object_set_new(o, "bp", json_string("e"));
	put(t, o);
}

static void put_events(struct trace *t)
{
	const struct story *s = t->s;
	u32 i, last = s->n;

	for (i = 0; i < s->n; i++) {
		const struct hd_event *ev = &s->log[i].ev;

		if (ev->task >= s->ntasks)
			continue;
		if (ev->op.kind == HD_EV_REMARK || ev->op.kind == HD_EV_MARK)
			put_instant(t, ev->text, ev->op.kind == HD_EV_MARK ?
				    "mark" : "remark", ev->task, ev->step, "t");
		if (!is_op(&s->log[i]))
			continue;
		put_op(t, i);
		if (last < s->n && s->log[last].ev.task != ev->task)
			put_flow(t, last, i);
		last = i;
	}
}

/* --- locks ---------------------------------------------------------------- */

static void put_span(struct trace *t, u32 i, const char *what, u32 from, u32 end,
		     u32 id)
{
	const struct lock_span *sp = &t->span[i];
	const struct hd_record *log = t->s->log;
	char lock[80], name[160];
	json_t *o;

	span_text(sp, lock, sizeof(lock));
	snprintf(name, sizeof(name), "%s %s %s", story_task(t->s, sp->task), what,
		 lock);
	o = event("b", name, "lock", sp->task, log[from].ev.step);
	json_object_set_new(o, "id", json_integer(id));
	json_object_set_new(o, "args", json_pack("{s:o}", "place",
						 place(&log[sp->from])));
	put(t, o);
	o = event("e", name, "lock", sp->task, end);
	json_object_set_new(o, "id", json_integer(id));
	put(t, o);
}

static void put_locks(struct trace *t)
{
	u32 i, end, got;

	for (i = 0; i < t->nspans; i++) {
		const struct lock_span *sp = &t->span[i];
		bool never = sp->got > sp->to;

		end = t->s->log[sp->to].ev.step + 1;
		got = never ? end : t->s->log[sp->got].ev.step;
		if (sp->got > sp->from)
			put_span(t, i, "waits for", sp->from, got, 2 * i + 1);
		if (!never)
			put_span(t, i, "holds", sp->got, end, 2 * i + 2);
	}
}

static void put_verdicts(struct trace *t)
{
	const struct story *s = t->s;
	char title[200];
	u32 i;

	for (i = 0; i < s->nverdicts; i++) {
		const struct hd_verdict *v = &s->verdicts[i];

		verdict_title(v, title, sizeof(title));
		put_instant(t, title, "verdict", v->task < s->ntasks ? v->task : 0,
			    v->step, "p");
	}
}

void report_chrome(FILE *out, const struct report *r)
{
	struct story s;
	struct trace t = { .s = &s, .out = out };
	json_t *about;

	story_tell(&s, r);
	t.nspans = lock_spans(&s, s.n, &t.span);
	about = json_pack("{s:o,s:s,s:s,s:s}", "title", text(s.title), "scenario",
			  s.scenario->name, "variant", s.variant->name, "time",
			  "simulated: one microsecond is one step of the run");
	fputs("{\"displayTimeUnit\":\"ms\",\"otherData\":", out);
	json_dumpf(about, out, JSON_COMPACT);
	json_decref(about);
	fputs(",\"traceEvents\":[", out);
	put_names(&t);
	put_events(&t);
	put_locks(&t);
	put_verdicts(&t);
	fputs("\n]}\n", out);
	free(t.span);
	story_free(&s);
}
