/* SPDX-License-Identifier: MIT */
/* heddle list: what can be tested here, and what is each variant expected to
 * show? */
#include <jansson.h>
#include <string.h>

#include "options.h"
#include "triage.h"

static void print_expected(const struct heddle_variant *v)
{
	u32 i;

	if (!v->expect[0].verdict) {
		printf("clean");
		if (v->bound)
			printf(" (%d preemptions)", v->bound);
		return;
	}
	for (i = 0; i < HD_MAX_EXPECT && v->expect[i].verdict; i++) {
		printf("%s%s", i ? ", " : "",
		       hd_verdict_name(v->expect[i].verdict));
		if (v->expect[i].at >= 0)
			printf(" %d", v->expect[i].at);
	}
}

static void list_text(void)
{
	const struct heddle_scenario *s;
	const struct heddle_variant *v;
	u32 i;

	for (i = 0; (s = scenario_at(i)); i++) {
		printf("%s%s\n    %s\n", s->name, s->canary ? " (canary)" : "",
		       s->title ? s->title : "");
		for (v = s->variants; v->name; v++) {
			printf("  :%-16s %s\n%20s", v->name,
			       v->title ? v->title : "", "");
			print_expected(v);
			printf("\n");
		}
	}
}

static json_t *text_or_null(const char *s)
{
	return s ? json_string(s) : json_null();
}

static json_t *variant_json(const struct heddle_variant *v)
{
	json_t *o = json_object(), *expect = json_array();
	u32 i;

	for (i = 0; i < HD_MAX_EXPECT && v->expect[i].verdict; i++) {
		json_t *e = json_object();

		json_object_set_new(e, "verdict", json_string(
			hd_verdict_name(v->expect[i].verdict)));
		if (v->expect[i].at >= 0)
			json_object_set_new(e, "preemptions",
					    json_integer(v->expect[i].at));
		json_array_append_new(expect, e);
	}
	json_object_set_new(o, "name", json_string(v->name));
	json_object_set_new(o, "title", text_or_null(v->title));
	json_object_set_new(o, "expect", expect);
	if (!v->expect[0].verdict && v->bound)
		json_object_set_new(o, "bound", json_integer(v->bound));
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

static json_t *scenario_json(const struct heddle_scenario *s)
{
	json_t *o = json_object(), *list = json_array();
	const struct heddle_variant *v;
	const struct heddle_task *t;
	json_t *tasks = json_array();

	json_object_set_new(o, "name", json_string(s->name));
	json_object_set_new(o, "title", text_or_null(s->title));
	json_object_set_new(o, "source", text_or_null(s->source));
	json_object_set_new(o, "not_modelled", text_or_null(s->not_modelled));
	json_object_set_new(o, "canary", json_boolean(s->canary));
	for (v = s->variants; v->name; v++)
		json_array_append_new(list, variant_json(v));
	for (t = s->tasks; t->name; t++)
		json_array_append_new(tasks, task_json(t));
	json_object_set_new(o, "tasks", tasks);
	json_object_set_new(o, "variants", list);
	return o;
}

static void list_json(void)
{
	const struct heddle_scenario *s;
	json_t *list = json_array();
	u32 i;

	for (i = 0; (s = scenario_at(i)); i++)
		json_array_append_new(list, scenario_json(s));
	json_dumpf(list, stdout, JSON_INDENT(2));
	printf("\n");
	json_decref(list);
}

int cmd_list(int argc, char **argv)
{
	struct options o;
	int i;

	if (!options_parse(argc, argv, V_LIST, &o))
		return EXIT_USAGE;
	if (o.nargs) {
		fprintf(stderr, "heddle list: takes no argument: %s\n",
			o.args[0]);
		return EXIT_USAGE;
	}
	if (o.verdicts)
		for (i = 1; i < HD_V_COUNT; i++)
			printf("%-20s %s\n", hd_verdict_name(i),
			       hd_verdict_title(i));
	else if (o.json)
		list_json();
	else
		list_text();
	return EXIT_CLEAN;
}
