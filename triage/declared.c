/* SPDX-License-Identifier: MIT */
/* What does a scenario, or a variant, declare about itself?  In words, and as
 * JSON, one object for each scenario:
 *
 *   name, title, source, seed, bug, canary, copied, simplified, different,
 *   not_modelled       texts, or null where nothing is declared
 *   questions[]        {question, answer, evidence[]: names of variants}
 *   tasks[]            {name}, of handlers also {handler, on}
 *   variants[]         {name, title, source, kernel, fail, signals, expect[],
 *                      bound, sampled}; source: the scenario's, if it has none
 *   expect[]           {verdict, preemptions}; empty: clean; bound: of clean
 *                      ones, if tests exhaust no more preemptions than that */
#include "declared.h"

#include <string.h>

/* --- words --------------------------------------------------------------- */

static u32 count_verdicts(const struct heddle_variant *v)
{
	u32 n = 0;

	while (n < HD_MAX_EXPECT && v->expect[n].verdict)
		n++;
	return n;
}

static void verdict_word(const struct heddle_expect *x, char *buf, size_t size)
{
	size_t n;

	snprintf(buf, size, "%s", hd_verdict_name(x->verdict));
	n = strlen(buf);
	if (x->at >= 0)
		snprintf(buf + n, size - n, "\t%d", x->at);
}

static void clean_words(const struct heddle_variant *v, char *buf, u32 width)
{
	if (v->sampled) {
		snprintf(buf, DECLARED_ROOM, "clean in samples");
		return;
	}
	if (!v->bound) {
		snprintf(buf, DECLARED_ROOM, "clean");
		return;
	}
	snprintf(buf, DECLARED_ROOM, "clean to %d preemption%s", v->bound,
		 v->bound == 1 ? "" : "s");
	if (strlen(buf) > width)
		snprintf(buf, DECLARED_ROOM, "clean to %d", v->bound);
}

void declared_text(const struct heddle_variant *v, char *buf, u32 width)
{
	enum { MORE = 4 }; /* ", +3" */
	u32 i, n = count_verdicts(v);
	size_t at = 0;

	if (!n)
		clean_words(v, buf, width);
	for (i = 0; i < n; i++) {
		char word[48];
		size_t len;

		verdict_word(&v->expect[i], word, sizeof(word));
		len = strlen(word) + (i ? 2 : 0);
		if (i && at + len + (i + 1 < n ? MORE : 0) > width)
			break;
		at += (size_t)snprintf(buf + at, DECLARED_ROOM - at, "%s%s",
				       i ? ", " : "", word);
	}
	if (i < n)
		snprintf(buf + at, DECLARED_ROOM - at, ", +%u", n - i);
}

void declared_events(const struct heddle_variant *v, char *buf, size_t size)
{
	size_t n;

	buf[0] = 0;
	if (v->fail)
		snprintf(buf, size, "failures up to %d", v->fail);
	n = strlen(buf);
	if (v->signals)
		snprintf(buf + n, size - n, "%ssignals up to %d",
			 n ? ", " : "", v->signals);
}

bool evidence_next(const char **list, char *name, size_t size)
{
	size_t n;

	if (!*list)
		return false;
	*list += strspn(*list, ", ");
	n = strcspn(*list, ", ");
	snprintf(name, size, "%.*s", (int)n, *list);
	*list += n;
	return n > 0;
}

/* --- JSON ---------------------------------------------------------------- */

static json_t *text_or_null(const char *s)
{
	return s ? json_string(s) : json_null();
}

static json_t *expect_json(const struct heddle_variant *v)
{
	json_t *expect = json_array();
	u32 i, n = count_verdicts(v);

	for (i = 0; i < n; i++) {
		json_t *e = json_object();

		json_object_set_new(e, "verdict", json_string(
			hd_verdict_name(v->expect[i].verdict)));
		if (v->expect[i].at >= 0)
			json_object_set_new(e, "preemptions",
					    json_integer(v->expect[i].at));
		json_array_append_new(expect, e);
	}
	return expect;
}

static json_t *variant_json(const struct heddle_scenario *s,
			    const struct heddle_variant *v)
{
	json_t *o = json_object();

	json_object_set_new(o, "name", json_string(v->name));
	json_object_set_new(o, "title", text_or_null(v->title));
	json_object_set_new(o, "source", text_or_null(variant_source(s, v)));
	json_object_set_new(o, "kernel", text_or_null(v->kernel));
	json_object_set_new(o, "fail", json_integer(v->fail));
	json_object_set_new(o, "signals", json_integer(v->signals));
	json_object_set_new(o, "expect", expect_json(v));
	if (v->bound)
		json_object_set_new(o, "bound", json_integer(v->bound));
	if (v->sampled)
		json_object_set_new(o, "sampled", json_integer(v->sampled));
	return o;
}

static json_t *task_json(const struct heddle_task *t)
{
	json_t *o = json_object();

	json_object_set_new(o, "name", json_string(t->name));
	if (t->irq) {
		json_object_set_new(o, "handler", json_string(
			t->irq == HEDDLE_HARDIRQ ? "hardirq" : "softirq"));
		json_object_set_new(o, "on", text_or_null(t->on));
	}
	return o;
}

static json_t *question_json(const struct heddle_question *q)
{
	json_t *o = json_object(), *evidence = json_array();
	const char *list = q->evidence;
	char name[64];

	while (evidence_next(&list, name, sizeof(name)))
		json_array_append_new(evidence, json_string(name));
	json_object_set_new(o, "question", text_or_null(q->question));
	json_object_set_new(o, "answer", text_or_null(q->answer));
	json_object_set_new(o, "evidence", evidence);
	return o;
}

static json_t *lists_json(json_t *o, const struct heddle_scenario *s,
			  const struct heddle_variant *only)
{
	json_t *questions = json_array(), *tasks = json_array();
	json_t *variants = json_array();
	const struct heddle_question *q;
	const struct heddle_variant *v;
	const struct heddle_task *t;

	for (q = s->questions; q && q->question; q++)
		json_array_append_new(questions, question_json(q));
	for (t = s->tasks; t->name; t++)
		json_array_append_new(tasks, task_json(t));
	for (v = s->variants; v->name; v++)
		if (!only || v == only)
			json_array_append_new(variants, variant_json(s, v));
	json_object_set_new(o, "questions", questions);
	json_object_set_new(o, "tasks", tasks);
	json_object_set_new(o, "variants", variants);
	return o;
}

json_t *scenario_json(const struct heddle_scenario *s,
		      const struct heddle_variant *only)
{
	const struct {
		const char *key, *text;
	} texts[] = {
		{ "name", s->name }, { "title", s->title },
		{ "source", s->source }, { "seed", s->seed },
		{ "bug", s->bug }, { "copied", s->copied },
		{ "simplified", s->simplified },
		{ "different", s->different },
		{ "not_modelled", s->not_modelled },
	};
	json_t *o = json_object();
	u32 i;

	for (i = 0; i < ARRAY_SIZE(texts); i++)
		json_object_set_new(o, texts[i].key,
				    text_or_null(texts[i].text));
	json_object_set_new(o, "canary", json_boolean(s->canary));
	return lists_json(o, s, only);
}
