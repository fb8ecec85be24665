/* SPDX-License-Identifier: MIT */
/* Which scenarios are linked in, and which one does the user mean? */
#include <string.h>

#include "options.h"
#include "search.h"

const char *program = "heddle"; /* unless main() knows better */

extern const struct heddle_scenario *const __start_hd_scenarios[]
	__attribute__((weak));
extern const struct heddle_scenario *const __stop_hd_scenarios[]
	__attribute__((weak));

/* The canary beside a scenario of heddle-cc: it is not listed, but a campaign
 * has it (Makefile: lib/canary.o). */
extern const struct heddle_scenario *const __start_hd_canary[]
	__attribute__((weak));
extern const struct heddle_scenario *const __stop_hd_canary[]
	__attribute__((weak));

const struct heddle_scenario *hidden_canary(void)
{
	return __stop_hd_canary - __start_hd_canary ? __start_hd_canary[0] :
						      NULL;
}

const struct heddle_scenario *scenario_at(u32 i)
{
	if (i >= (u32)(__stop_hd_scenarios - __start_hd_scenarios))
		return NULL;
	return __start_hd_scenarios[i];
}

static const struct heddle_scenario *by_name(const char *name, size_t len)
{
	const struct heddle_scenario *s, *hidden = hidden_canary();
	u32 i;

	for (i = 0; (s = scenario_at(i)); i++)
		if (strlen(s->name) == len && !memcmp(s->name, name, len))
			return s;
	if (hidden && strlen(hidden->name) == len &&
	    !memcmp(hidden->name, name, len))
		return hidden;
	return NULL;
}

static const struct heddle_variant *variant(const struct heddle_scenario *s,
					    const char *name, size_t len)
{
	const struct heddle_variant *v;

	for (v = s->variants; v->name; v++)
		if (strlen(v->name) == len && !memcmp(v->name, name, len))
			return v;
	return NULL;
}

static bool has_call(const struct heddle_scenario *s, const char *name,
		     size_t len)
{
	u32 i;

	for (i = 0; s->calls && s->calls[i]; i++)
		if (strlen(s->calls[i]) == len && !memcmp(s->calls[i], name, len))
			return true;
	return false;
}

bool target_calls(struct target *t, const char *list)
{
	const char *at, *end;

	for (at = list; *at; at = *end ? end + 1 : end) {
		end = at + strcspn(at, ",");
		if (!has_call(t->scenario, at, (size_t)(end - at)))
			return false;
	}
	return snprintf(t->calls, sizeof(t->calls), "%s", list) <
	       (int)sizeof(t->calls);
}

bool only_one_scenario(void)
{
	return scenario_at(0) && !scenario_at(1);
}

/* ":VARIANT" is enough where there is only one scenario. */
bool target_find(const char *arg, struct target *t)
{
	const char *colon = strchr(arg, ':'), *plus = strchr(arg, '+');
	size_t whole = plus ? (size_t)(plus - arg) : strlen(arg);
	size_t len = colon ? (size_t)(colon - arg) : whole;

	memset(t, 0, sizeof(*t));
	t->scenario = !len && only_one_scenario() ? scenario_at(0) :
						    by_name(arg, len);
	if (!t->scenario)
		return false;
	t->variant = colon ? variant(t->scenario, colon + 1,
				     whole - len - 1) : t->scenario->variants;
	if (t->variant && !t->variant->name)
		t->variant = NULL;
	return t->variant && (!plus || target_calls(t, plus + 1));
}

/* What the scenario has instead. */
static void no_such_calls(const struct target *t, const char *list)
{
	u32 i;

	fprintf(stderr, "heddle: calls '%s': %s has", list, t->scenario->name);
	for (i = 0; t->scenario->calls && t->scenario->calls[i]; i++)
		fprintf(stderr, "%s %s", i ? "," : "", t->scenario->calls[i]);
	fprintf(stderr, i ? "\n" : " none\n");
}

bool target_parse(const char *arg, struct target *t)
{
	const char *colon = strchr(arg, ':');

	if (target_find(arg, t))
		return true;
	if (!t->scenario)
		fprintf(stderr, "heddle: no scenario is called '%.*s' "
			"(%s list names them)\n",
			(int)strcspn(arg, ":"), arg, program);
	else if (!t->variant)
		fprintf(stderr, "heddle: %s has no variant called '%.*s' "
			"(%s list names them)\n", t->scenario->name,
			colon ? (int)strcspn(colon + 1, "+") : 0,
			colon ? colon + 1 : "", program);
	else
		no_such_calls(t, strchr(arg, '+') + 1);
	return false;
}

void target_name(const struct target *t, char *buf, size_t size)
{
	snprintf(buf, size, "%s:%s%s%s", t->scenario->name, t->variant->name,
		 t->calls[0] ? "+" : "", t->calls);
}

static bool one_target(const char *verb, const struct options *o,
		       struct target *t)
{
	if (o->nargs > 1) {
		fprintf(stderr, "heddle %s: one SCENARIO, please: %s\n", verb,
			o->args[1]);
		return false;
	}
	if (o->nargs)
		return target_parse(o->args[0], t);
	if (only_one_scenario())
		return target_parse(scenario_at(0)->name, t);
	fprintf(stderr, "heddle %s: which SCENARIO? (%s list names them)\n",
		verb, program);
	return false;
}

bool target_argument(const char *verb, const struct options *o,
		     struct target *t)
{
	if (!one_target(verb, o, t))
		return false;
	if (!o->calls || target_calls(t, o->calls))
		return true;
	no_such_calls(t, o->calls);
	return false;
}

int declared_bound(const struct heddle_variant *v)
{
	int most = v->bound;
	u32 i;

	if (!v->expect[0].verdict)
		return v->bound ? v->bound : -1;
	for (i = 0; i < HD_MAX_EXPECT && v->expect[i].verdict; i++)
		if (v->expect[i].at > most)
			most = v->expect[i].at;
	return most;
}

void options_settle(struct options *o, const struct heddle_variant *v)
{
	if (o->fail == NOT_GIVEN)
		o->fail = v->fail;
	if (o->signals == NOT_GIVEN)
		o->signals = v->signals;
	if (o->preemptions == NOT_GIVEN)
		o->preemptions = o->check ? declared_bound(v) : -1;
}

bool target_open(const struct target *t)
{
	const char *wrong;

	/* a load maps a new template: do not repeat it for every file */
	if (hd_eng.template && hd_eng.scenario == t->scenario &&
	    hd_eng.variant == t->variant && !strcmp(hd_eng.calls, t->calls))
		return true;
	snprintf(hd_eng.calls, sizeof(hd_eng.calls), "%s", t->calls);
	wrong = hd_open(t->scenario, t->variant);
	if (!wrong)
		return true;
	hd_eng.template = NULL;
	fprintf(stderr, "heddle: %s:%s: %s\n", t->scenario->name,
		t->variant->name, wrong);
	return false;
}

bool variant_expects(const struct heddle_variant *v, u8 verdict)
{
	u32 i;

	for (i = 0; i < HD_MAX_EXPECT; i++)
		if (v->expect[i].verdict == verdict && verdict)
			return true;
	return false;
}

const char *variant_source(const struct heddle_scenario *s,
			   const struct heddle_variant *v)
{
	return v->source ? v->source : s->source;
}
