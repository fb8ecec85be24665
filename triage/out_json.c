/* SPDX-License-Identifier: MIT */
/* The report for programs: one object, schema "heddle-report-1", which
 * report.schema.json describes key by key.
 *
 * Tasks are names; sites are {function, file, line}.  Keys that an event does not
 * have are left out; values beyond 2^53 are hex strings. */
#include <jansson.h>
#include <string.h>

#include "report.h"

static const char *const kind_name[HD_KINDS] = {
	[HD_LOAD] = "load", [HD_STORE] = "store", [HD_RMW] = "rmw",
	[HD_LOCK] = "lock", [HD_TRYLOCK] = "trylock",
	[HD_ACQUIRED] = "acquired", [HD_UNLOCK] = "unlock",
	[HD_DOWNGRADE] = "downgrade", [HD_WAIT] = "wait", [HD_WAKE] = "wake",
	[HD_RCU_LOCK] = "rcu-lock", [HD_RCU_UNLOCK] = "rcu-unlock",
	[HD_RCU_CALL] = "rcu-call", [HD_RCU_GP] = "rcu-gp",
	[HD_ALLOC] = "alloc", [HD_FREE] = "free", [HD_AWAIT] = "await",
	[HD_USER] = "user", [HD_FENCE] = "fence", [HD_JOIN] = "join",
	[HD_EV_ACQUIRE] = "lockdep-acquire",
	[HD_EV_RELEASE] = "lockdep-release",
	[HD_EV_DOWNGRADE] = "lockdep-downgrade", [HD_EV_EXIT] = "exit",
	[HD_EV_NOTE] = "note", [HD_EV_REMARK] = "remark",
	[HD_EV_BAD_ACCESS] = "bad-access", [HD_EV_STUCK] = "stuck",
	[HD_EV_END] = "end", [HD_EV_MARK] = "mark",
	[HD_EV_BLOCKED] = "blocked", [HD_EV_CONTEXT] = "context",
	[HD_EV_RECLASS] = "reclass", [HD_EV_LOCK_SYNC] = "lock-sync",
	[HD_EV_ALLOC] = "object",
};

static json_t *hex(u64 v)
{
	char buf[24];

	snprintf(buf, sizeof(buf), "%016llx", (unsigned long long)v);
	return json_string(buf);
}

static json_t *number(u64 v)
{
	char buf[24];

	if (v < 1ull << 53)
		return json_integer((json_int_t)v);
	snprintf(buf, sizeof(buf), "%#llx", (unsigned long long)v);
	return json_string(buf);
}

/* Names come from models: never let a stray byte make invalid JSON. */
static json_t *text(const char *s)
{
	json_t *j = s ? json_string(s) : json_null();

	return j ? j : json_string_nocheck("?");
}

static json_t *site_object(const struct sym_site *s)
{
	return json_pack("{s:o,s:o,s:i}", "function", text(s->function),
			 "file", text(s->file), "line", (int)s->line);
}

static json_t *site_of_pc(u32 pc)
{
	struct sym_site s;

	return pc && sym_frames(pc, &s, 1) ? site_object(&s) : json_null();
}

/* --- parts --------------------------------------------------------------- */

static json_t *one_verdict(const struct story *s, u32 i)
{
	const struct hd_verdict *v = &s->verdicts[i];
	char title[200], sig[160];

	verdict_title(v, title, sizeof(title));
	verdict_signature(v, sig, sizeof(sig));
	return json_pack("{s:s,s:o,s:o,s:o,s:b,s:i,s:o}", "name",
			 hd_verdict_name(v->kind), "title", text(title),
			 "signature", text(sig), "task",
			 text(story_task(s, v->task)), "fatal", v->fatal,
			 "step", (int)v->step, "site", site_of_pc(v->pc));
}

static json_t *all_verdicts(const struct story *s)
{
	json_t *a = json_array();
	u32 i;

	for (i = 0; i < s->nverdicts; i++)
		json_array_append_new(a, one_verdict(s, i));
	return a;
}

static json_t *one_edit(const struct story *s, const struct hd_edit *e)
{
	bool task = e->kind == HD_EDIT_SWITCH || e->kind == HD_EDIT_IRQ;
	json_t *arg = task && s->ntasks ?
			      text(story_task(s, e->arg % s->ntasks)) :
			      json_integer(e->arg);

	return json_pack("{s:s,s:o,s:i,s:o}", "kind", hd_edit_name(e->kind),
			 "task", text(story_task(s, e->task)), "n",
			 (int)e->anchor, "arg", arg);
}

static json_t *schedule(const struct story *s)
{
	const struct hd_schedule *h = &s->report->schedule;
	json_t *edits = json_array();
	u32 i;

	for (i = 0; i < h->nedits; i++)
		json_array_append_new(edits, one_edit(s, &h->edit[i]));
	return json_pack("{s:s,s:I,s:o}", "strategy",
			 hd_strategy_by_id(h->strategy)->name, "seed",
			 (json_int_t)h->seed, "edits", edits);
}

/* --- events -------------------------------------------------------------- */

static json_t *flags(const struct hd_op *op)
{
	static const struct {
		u8 bit;
		const char *name;
	} names[] = {
		{ HD_READ, "read" },	 { HD_WRITE, "write" },
		{ HD_PLAIN, "plain" },	 { HD_SHARED, "shared" },
		{ HD_YIELD, "yield" },
	};
	json_t *a = json_array();
	u32 i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (op->flags & names[i].bit)
			json_array_append_new(a, json_string(names[i].name));
	return a;
}

static void add_object(json_t *o, const struct hd_record *r)
{
	char field[128];

	if (r->type) {
		json_object_set_new(o, "object", text(r->object));
		json_object_set_new(o, "type", text(r->type));
		json_object_set_new(o, "offset", json_integer(r->type_off));
		if (sym_field(r->type, r->type_off, field, sizeof(field)))
			json_object_set_new(o, "field", text(field));
	} else if (sym_data(r->ev.op.addr, field, sizeof(field))) {
		json_object_set_new(o, "object", text(field));
	}
}

static void add_places(json_t *o, const struct hd_record *r)
{
	struct sym_site site[24];
	u32 i, n = statement_stack(r, site, ARRAY_SIZE(site));
	json_t *stack;

	if (!n)
		return;
	json_object_set_new(o, "function", text(site[0].function));
	json_object_set_new(o, "file", text(site[0].file));
	json_object_set_new(o, "line", json_integer(site[0].line));
	stack = json_array();
	for (i = 0; i < n; i++)
		json_array_append_new(stack, site_object(&site[i]));
	json_object_set_new(o, "stack", stack);
}

/* Locks that the task holds after the event, as annotated: names, oldest
 * first. */
static void track_held(const struct story *s, u32 i, json_t *held)
{
	const struct hd_event *ev = &s->log[i].ev;
	char key[24];
	json_t *list;
	size_t k;

	snprintf(key, sizeof(key), "%u", ev->task);
	list = json_object_get(held, key);
	if (!list) {
		list = json_array();
		json_object_set_new(held, key, list);
	}
	if (ev->op.kind == HD_EV_ACQUIRE)
		json_array_append_new(list, text(ev->text));
	if (ev->op.kind != HD_EV_RELEASE || !ev->text)
		return;
	for (k = json_array_size(list); k-- > 0;)
		if (!strcmp(json_string_value(json_array_get(list, k)),
			    ev->text)) {
			json_array_remove(list, k);
			return;
		}
}

static json_t *held_by(json_t *held, u32 task)
{
	char key[24];

	snprintf(key, sizeof(key), "%u", task);
	return json_deep_copy(json_object_get(held, key));
}

static json_t *one_event(const struct story *s, u32 i, json_t *held)
{
	static const char *const order[] = { "relaxed", "acquire", "release",
					     "acq_rel", "full" };
	const struct hd_record *r = &s->log[i];
	const struct hd_op *op = &r->ev.op;
	char words[256];
	json_t *o;

	o = json_pack("{s:i,s:o,s:i,s:s,s:b}", "step", (int)r->ev.step, "task",
		      text(story_task(s, r->ev.task)), "n", (int)r->ev.n,
		      "kind", kind_name[op->kind] ? kind_name[op->kind] : "?",
		      "shown", s->flag[i] & REC_SHOWN ? 1 : 0);
	if (is_op(r) || (op->kind >= HD_EV_ACQUIRE &&
			 op->kind <= HD_EV_DOWNGRADE)) {
		op_statement(r, words, sizeof(words));
		json_object_set_new(o, "statement", text(words));
	}
	if (r->ev.text)
		json_object_set_new(o, "text", text(r->ev.text));
	if (is_op(r)) {
		json_object_set_new(o, "flags", flags(op));
		json_object_set_new(o, "order",
				    json_string(order[op->order % 5]));
		json_object_set_new(o, "held", held_by(held, r->ev.task));
		add_object(o, r);
	}
	if (is_op(r) && op->size && op->size <= 8) {
		json_object_set_new(o, "old", number(r->ev.old));
		json_object_set_new(o, "new", number(r->ev.val));
	}
	add_places(o, r);
	return o;
}

static json_t *events(const struct story *s)
{
	json_t *a = json_array(), *held = json_object();
	u32 i;

	for (i = 0; i < s->n; i++) {
		track_held(s, i, held);
		json_array_append_new(a, one_event(s, i, held));
	}
	json_decref(held);
	return a;
}

static json_t *minimal(const struct report *r)
{
	if (!r->min_known)
		return json_null();
	return json_pack("{s:b,s:i}", "proved", r->proved, "exhausted",
			 (int)r->exhausted);
}

void report_json(FILE *out, const struct report *r)
{
	struct story s;
	json_t *o;

	story_tell(&s, r);
	o = json_object();
	json_object_set_new(o, "schema", json_string("heddle-report-1"));
	json_object_set_new(o, "scenario", text(s.scenario->name));
	json_object_set_new(o, "variant", text(s.variant->name));
	json_object_set_new(o, "title", text(s.title));
	json_object_set_new(o, "source", text(variant_source(s.scenario, s.variant)));
	json_object_set_new(o, "model_build", hex(sym_model_id()));
	json_object_set_new(o, "memory", json_string("SC"));
	json_object_set_new(o, "verdict",
			    story_verdict(&s) ? one_verdict(&s, s.at) :
						json_null());
	json_object_set_new(o, "verdicts", all_verdicts(&s));
	json_object_set_new(o, "preemptions", json_integer(s.preemptions));
	json_object_set_new(o, "switches", json_integer(s.switches));
	json_object_set_new(o, "choices", json_integer(s.choices));
	json_object_set_new(o, "ops", json_integer(s.ops));
	json_object_set_new(o, "hash", hex(s.hash));
	json_object_set_new(o, "minimal", minimal(r));
	json_object_set_new(o, "schedule", schedule(&s));
	json_object_set_new(o, "events", events(&s));
	json_object_set_new(o, "not_modelled", text(s.scenario->not_modelled));
	json_object_set_new(o, "replay", text(r->file));
	json_dumpf(o, out, JSON_INDENT(1));
	fputc('\n', out);
	json_decref(o);
	story_free(&s);
}
