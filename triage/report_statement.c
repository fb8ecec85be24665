/* SPDX-License-Identifier: MIT */
/* How does one op read?
 *
 * The verb is the name of the API function that made the op, as the model
 * wrote it: an inline helper of include/heddle around the op's place if there
 * is one, else the function that the call at this place names.  The object is
 * the field, the values are those of the run. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

enum { MAX_INLINED = 8 };

/* --- places -------------------------------------------------------------- */

u32 statement_stack(const struct hd_record *rec, struct sym_site *site, u32 max)
{
	struct sym_site inlined[MAX_INLINED];
	u32 i, j, k, n = 0;

	for (i = 0; i < rec->nframes; i++) {
		if (!rec->frames[i] || !sym_is_model(rec->frames[i]))
			break;
		k = sym_frames(rec->frames[i], inlined, MAX_INLINED);
		for (j = 0; j < k && n < max; j++)
			if (!inlined[j].api)
				site[n++] = inlined[j];
	}
	return n;
}

bool statement_place(const struct hd_record *rec, struct sym_site *site)
{
	struct sym_site s[MAX_INLINED];
	u32 i, n;

	if (!sym_is_model(rec->ev.op.pc))
		return false;
	n = sym_frames(rec->ev.op.pc, s, MAX_INLINED);
	for (i = 0; i < n; i++) {
		if (s[i].api)
			continue;
		*site = s[i];
		return true;
	}
	return false;
}

/* --- the verb ------------------------------------------------------------ */

static bool helper_of_api(u32 pc, char *buf, size_t size)
{
	struct sym_site s[MAX_INLINED];
	u32 i, n = sym_frames(pc, s, MAX_INLINED);

	for (i = 0; i < n && s[i].api; i++)
		;
	if (!i || i == n)
		return false;
	snprintf(buf, size, "%s", s[i - 1].function);
	return true;
}

static const char *tsan_word(const char *name)
{
	if (strstr(name, "volatile_read"))
		return "READ_ONCE";
	if (strstr(name, "volatile_write"))
		return "WRITE_ONCE";
	if (strstr(name, "read"))
		return "read";
	return strstr(name, "write") ? "write" : NULL;
}

static const char *const kind_word[HD_KINDS] = {
	[HD_LOAD] = "read", [HD_STORE] = "write", [HD_RMW] = "rmw",
	[HD_LOCK] = "lock", [HD_TRYLOCK] = "trylock",
	[HD_ACQUIRED] = "lock", [HD_UNLOCK] = "unlock",
	[HD_DOWNGRADE] = "downgrade", [HD_WAIT] = "schedule",
	[HD_WAKE] = "wake_up", [HD_RCU_LOCK] = "rcu_read_lock",
	[HD_RCU_UNLOCK] = "rcu_read_unlock", [HD_RCU_CALL] = "call_rcu",
	[HD_RCU_GP] = "grace period ends", [HD_ALLOC] = "alloc",
	[HD_FREE] = "free", [HD_AWAIT] = "cpu_relax",
	[HD_USER] = "return to user", [HD_FENCE] = "fence",
	[HD_JOIN] = "join", [HD_EV_ACQUIRE] = "lock_acquire",
	[HD_EV_RELEASE] = "lock_release",
	[HD_EV_DOWNGRADE] = "lock_downgrade", [HD_EV_EXIT] = "exit",
	[HD_EV_BAD_ACCESS] = "bad access", [HD_EV_BLOCKED] = "blocked",
	[HD_EV_LOCK_SYNC] = "lock_sync",
};

static const char *strip(const char *s, const char *prefix)
{
	size_t n = strlen(prefix);

	return !strncmp(s, prefix, n) && s[n] ? s + n : s;
}

/* "__refcount_dec_and_test" -> "dec_and_test": the field says the rest.  The
 * order of memory is left out, too: it is in the listing of all values. */
static void simplify(char *verb, size_t size)
{
	static const char *const order[] = { "_acquire", "_release",
					     "_relaxed" };
	static const char *const family[] = { "refcount_", "atomic64_",
					      "atomic_long_", "atomic_" };
	char name[64];
	const char *s = verb;
	size_t i, n;

	if (!strcmp(s, "hd_load_acquire") || !strcmp(s, "hd_store_release")) {
		snprintf(name, sizeof(name), "smp_%s", s + 3);
		snprintf(verb, size, "%s", name);
		return;
	}
	if (!strcmp(s, "hd_atomic_rmw")) /* called by the macro alone */
		s = "xchg";
	s = strip(s, "hd_");
	while (*s == '_')
		s++;
	for (i = 0; i < ARRAY_SIZE(family); i++)
		s = strip(s, family[i]);
	snprintf(name, sizeof(name), "%s", s);
	n = strlen(name);
	for (i = 0; i < ARRAY_SIZE(order); i++)
		if (n > 12 && !strcmp(name + n - 8, order[i]))
			name[n - 8] = 0;
	snprintf(verb, size, "%s", name);
}

static bool verb_is_fixed(u8 kind)
{
	return kind == HD_USER || kind == HD_RCU_GP ||
	       (kind == HD_AWAIT && !hd_eng.program) ||
	       (kind >= HD_EV_ACQUIRE && kind != HD_EV_BAD_ACCESS &&
		kind != HD_EV_BLOCKED && kind != HD_EV_LOCK_SYNC);
}

static void make_verb(const struct hd_record *rec, char *verb, size_t size)
{
	const struct hd_op *op = &rec->ev.op;
	const char *word, *callee;

	word = op->kind < HD_KINDS ? kind_word[op->kind] : NULL;
	snprintf(verb, size, "%s", word ? word : "?");
	if (verb_is_fixed(op->kind) || !sym_is_model(op->pc))
		return;
	callee = sym_callee(op->pc);
	if (helper_of_api(op->pc, verb, size)) {
		simplify(verb, size);
		return;
	}
	if (!callee)
		return;
	if (!strncmp(callee, "__tsan_atomic", 13)) {
		callee = strchr(callee + 13, '_');
		snprintf(verb, size, "atomic%s", callee ? callee : "");
	} else if (!strncmp(callee, "__tsan_", 7)) {
		word = tsan_word(callee);
		if (word)
			snprintf(verb, size, "%s", word);
	} else {
		snprintf(verb, size, "%s", callee);
		simplify(verb, size);
	}
}

/* --- objects and values -------------------------------------------------- */

bool is_op(const struct hd_record *rec)
{
	return rec->ev.op.kind > HD_NONE && rec->ev.op.kind < HD_EV_ACQUIRE;
}

bool is_lock_op(u8 kind)
{
	return kind == HD_LOCK || kind == HD_TRYLOCK || kind == HD_ACQUIRED ||
	       kind == HD_UNLOCK || kind == HD_DOWNGRADE;
}

bool is_rcu_free(const struct hd_record *rec)
{
	const char *callee;

	if (rec->ev.op.kind != HD_FREE || rec->ev.task >= W->ntasks ||
	    !W->tasks[rec->ev.task].daemon)
		return false;
	callee = sym_callee(rec->ev.op.pc);
	return callee && strstr(callee, "kfree_rcu");
}

bool is_claim(const struct hd_record *rec)
{
	return rec->ev.op.kind == HD_EV_REMARK && rec->ev.op.addr;
}

bool is_manual_annotation(const struct hd_record *rec)
{
	const char *callee;

	if (rec->ev.op.kind < HD_EV_ACQUIRE ||
	    rec->ev.op.kind > HD_EV_DOWNGRADE)
		return false;
	callee = sym_callee(rec->ev.op.pc);
	return callee && !strncmp(callee, "hd_annotate", 11);
}

static const char *short_type(const char *type)
{
	return strip(strip(type, "struct "), "union ");
}

void object_text(const struct hd_record *rec, char *buf, size_t size)
{
	const char *type = rec->type;

	buf[0] = 0;
	if (!type) {
		if (hd_in_shared_stack(rec->ev.op.addr))
			snprintf(buf, size, "(local)");
		else if (!sym_data(rec->ev.op.addr, buf, size))
			buf[0] = 0;
		return;
	}
	if (rec->ev.op.kind == HD_FREE || rec->ev.op.kind == HD_ALLOC ||
	    (rec->ev.op.kind == HD_EV_BAD_ACCESS && rec->ev.op.code &&
	     !rec->type_off)) { /* a bad free, of a whole object */
		snprintf(buf, size, "%s", short_type(rec->object));
		return;
	}
	/* a folio's flags are its lock: which folio is what matters */
	if (!rec->type_off && !strcmp(short_type(type), "folio")) {
		snprintf(buf, size, "%s", short_type(rec->object));
		return;
	}
	if (sym_field(type, rec->type_off, buf, size))
		return;
	if (rec->type_off)
		snprintf(buf, size, "%s+%u", short_type(rec->object),
			 rec->type_off);
	else
		snprintf(buf, size, "%s", short_type(rec->object));
}

static bool pointer_text(u64 v, char *buf, size_t room)
{
	const struct hd_object *o;

	if (hd_in_heap(v) && v < HD_HEAP_BASE + W->heap_used) {
		o = hd_object_at(v);
		if (!o || v < (u64)(o + 1))
			return false;
		snprintf(buf, room, "%s#%u", short_type(o->type), o->instance);
		return true;
	}
	return hd_in_statics(v) && sym_data(v, buf, room);
}

void value_text(u64 v, u32 size, char *buf, size_t room)
{
	u64 ones = size >= 8 ? ~0ull : (1ull << 8 * size) - 1;

	v &= ones;
	if (size == 8 && pointer_text(v, buf, room))
		return;
	if (size >= 4 && v > ones - 4096)
		snprintf(buf, room, "%lld", (long long)(v - ones) - 1);
	else if (v < 4096)
		snprintf(buf, room, "%llu", (unsigned long long)v);
	else
		snprintf(buf, room, "%#llx", (unsigned long long)v);
}

/* "2->1"; of two objects of one type the second needs no type. */
void change_text(const char *old, const char *val, char *buf, size_t size)
{
	size_t n = strcspn(old, "#");

	if (old[n] && !strncmp(old, val, n + 1))
		val += n;
	snprintf(buf, size, "%.44s->%.44s", old, val);
}

static void make_values(const struct hd_record *rec, char *buf, size_t size)
{
	const struct hd_event *ev = &rec->ev;
	char old[48], val[48];

	buf[0] = 0;
	if (ev->op.size > 8)
		return;
	value_text(ev->old, ev->op.size, old, sizeof(old));
	value_text(ev->val, ev->op.size, val, sizeof(val));
	switch (ev->op.kind) {
	case HD_LOAD:
		snprintf(buf, size, "= %s", val);
		break;
	case HD_STORE:
		change_text(old, val, buf, size);
		break;
	case HD_RMW:
		if (ev->old == ev->val)
			snprintf(buf, size, "= %s", val);
		else
			change_text(old, val, buf, size);
		break;
	}
}

static void annotation(const struct hd_record *rec, struct statement *s)
{
	const struct hd_op *op = &rec->ev.op;
	const char *verb = op->kind == HD_EV_RELEASE   ? "release" :
			   op->kind == HD_EV_DOWNGRADE ? "downgrade" :
			   op->code & 3 ? "acquire_read" : "acquire";

	snprintf(s->verb, sizeof(s->verb), "%s_%s(%.24s)",
		 is_manual_annotation(rec) ? "rwsem" : "lock", verb,
		 rec->ev.text ? rec->ev.text : "");
}

/* The task is under an interrupt handler that does not end (progress.c). */
bool is_interrupted(const struct hd_record *rec)
{
	return rec->ev.text && !strncmp(rec->ev.text, "interrupted by ", 15);
}

/* pthread_create(): the op on the count of threads. */
static bool makes_thread(const struct hd_record *rec)
{
	return rec->ev.op.kind == HD_WAKE && rec->type &&
	       !strcmp(rec->type, "process");
}

void statement_make(const struct hd_record *rec, struct statement *s)
{
	u8 kind = rec->ev.op.kind;

	memset(s, 0, sizeof(*s));
	if (kind >= HD_EV_ACQUIRE && kind <= HD_EV_DOWNGRADE) {
		annotation(rec, s);
		return;
	}
	if (is_claim(rec)) {
		snprintf(s->verb, sizeof(s->verb), "%s", rec->ev.text);
		object_text(rec, s->object, sizeof(s->object));
		return;
	}
	make_verb(rec, s->verb, sizeof(s->verb));
	if (is_rcu_free(rec)) {
		snprintf(s->verb, sizeof(s->verb), "kfree");
		object_text(rec, s->object, sizeof(s->object));
		snprintf(s->values, sizeof(s->values), "(kfree_rcu)");
		return;
	}
	if (kind == HD_RCU_LOCK || kind == HD_RCU_UNLOCK || kind == HD_USER ||
	    kind == HD_AWAIT || kind == HD_EV_EXIT)
		return;
	if (makes_thread(rec)) {
		snprintf(s->values, sizeof(s->values), "T%u", (u32)rec->ev.old);
		return;
	}
	if (kind == HD_JOIN && !strncmp(rec->object, "thread#", 7)) {
		snprintf(s->values, sizeof(s->values), "T%d", /* 1 is main */
			 atoi(rec->object + 7) - 1);
		return;
	}
	if (kind == HD_EV_BLOCKED) {
		snprintf(s->values, sizeof(s->values), "%s",
			 is_interrupted(rec) ? "interrupted" : "sleeps");
		return;
	}
	if (kind != HD_RCU_CALL && kind != HD_RCU_GP)
		object_text(rec, s->object, sizeof(s->object));
	make_values(rec, s->values, sizeof(s->values));
}

void statement_print(const struct statement *s, char *buf, size_t size)
{
	snprintf(buf, size, "%s%s%s%s%s", s->verb, s->object[0] ? " " : "",
		 s->object, s->values[0] ? " " : "", s->values);
}

void op_statement(const struct hd_record *rec, char *buf, size_t size)
{
	struct statement s;

	statement_make(rec, &s);
	statement_print(&s, buf, size);
}
