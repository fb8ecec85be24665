/* SPDX-License-Identifier: MIT */
/* heddle show SCENARIO[:VARIANT]: what is modelled here, which questions does
 * it answer, and what is each variant expected to show? */
#include <string.h>

#include "declared.h"
#include "report.h"

static const char *or_nothing(const char *s)
{
	return s ? s : "";
}

static void print_tasks(struct page *p, const struct heddle_scenario *s)
{
	const struct heddle_task *t;
	char line[400] = "";

	for (t = s->tasks; t->name; t++) {
		size_t n = strlen(line);

		snprintf(line + n, sizeof(line) - n, "%s%s%s%s", n ? ", " : "",
			 t->name, t->irq ? " (irq on " : "",
			 t->irq ? or_nothing(t->on) : "");
		n = strlen(line);
		if (t->irq)
			snprintf(line + n, sizeof(line) - n, ")");
	}
	page_wrap(p, 2, "tasks: %s", line);
}

static void print_head(struct page *p, const struct heddle_scenario *s)
{
	page_wrap(p, 2, "%s: %s%s", s->name, or_nothing(s->title),
		  s->canary ? " (a canary: the bug is planted)" : "");
	if (s->seed)
		page_line(p, "seed: %s", s->seed);
	if (s->bug)
		page_wrap(p, 2, "bug: %s", s->bug);
	if (s->source)
		page_wrap(p, 2, "source: %s", s->source);
	print_tasks(p, s);
}

static void print_questions(struct page *p, const struct heddle_scenario *s)
{
	const struct heddle_question *q = s->questions;

	for (; q && q->question; q++) {
		page_line(p, "%s", "");
		page_wrap(p, 2, "question: %s", q->question);
		page_wrap(p, 2, "answer: %s", or_nothing(q->answer));
		page_wrap(p, 2, "evidence: %s", or_nothing(q->evidence));
	}
}

static void print_variant(struct page *p, const struct heddle_variant *v)
{
	char text[DECLARED_ROOM];

	page_wrap(p, 6, "  %s: %s", v->name, or_nothing(v->title));
	if (v->kernel)
		page_wrap(p, 6, "    kernel: %s", v->kernel);
	if (v->source)
		page_wrap(p, 6, "    source: %s", v->source);
	declared_events(v, text, sizeof(text));
	if (text[0])
		page_wrap(p, 6, "    with: %s", text);
	declared_text(v, text, DECLARED_ROOM);
	page_wrap(p, 6, "    expected: %s%s", text,
		  v->expect[0].verdict || v->bound ? "" : ", without a bound");
	if (v->expect[0].verdict && v->bound)
		page_wrap(p, 6, "    and nothing else with %d preemption%s",
			  v->bound, v->bound == 1 ? "" : "s");
}

static void print_variants(struct page *p, const struct target *t, bool one)
{
	const struct heddle_variant *v = t->scenario->variants;

	page_line(p, "%s", "");
	page_line(p, "variants (expected: verdict and fewest preemptions)");
	for (; v->name; v++)
		if (!one || v == t->variant)
			print_variant(p, v);
}

static void print_goals(struct page *p, const char *const *goals)
{
	char line[600] = "";

	for (; goals && *goals; goals++) {
		size_t n = strlen(line);

		snprintf(line + n, sizeof(line) - n, "%s%s", n ? ", " : "",
			 *goals);
	}
	if (line[0])
		page_wrap(p, 2, "reach goals: %s", line);
}

static void print_model(struct page *p, const struct heddle_scenario *s)
{
	const struct {
		const char *key, *text;
	} parts[] = {
		{ "copied in logic", s->copied },
		{ "simplified", s->simplified },
		{ "deliberately different", s->different },
		{ "not modelled", s->not_modelled },
	};
	u32 i;

	page_line(p, "%s", "");
	for (i = 0; i < ARRAY_SIZE(parts); i++)
		if (parts[i].text)
			page_wrap(p, 2, "%s: %s", parts[i].key, parts[i].text);
}

static void show_text(const struct target *t, bool one, u32 width)
{
	const struct heddle_scenario *s = t->scenario;
	struct page p;
	u32 i;

	page_init(&p, width);
	print_head(&p, s);
	print_questions(&p, s);
	print_variants(&p, t, one);
	print_model(&p, s);
	print_goals(&p, one && t->variant->goals ? t->variant->goals :
						   s->goals);
	for (i = 0; i < p.n; i++)
		printf("%s\n", p.line[i]);
	page_free(&p);
}

int show_scenario(const struct target *t, bool one, const char *format)
{
	json_t *o;

	if (strcmp(format, "json")) {
		show_text(t, one, strcmp(format, "mail") ? 80 : 72);
		return EXIT_CLEAN;
	}
	o = scenario_json(t->scenario, one ? t->variant : NULL);
	json_dumpf(o, stdout, JSON_INDENT(2));
	printf("\n");
	json_decref(o);
	return EXIT_CLEAN;
}
