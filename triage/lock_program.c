/* SPDX-License-Identifier: MIT */
/* What does a line of a lock program say? */
#include "lock_program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct parser {
	struct lock_program *p;
	u32 task;
	char *why;
	size_t size;
};

static bool wrong(struct parser *x, const char *what, const char *token)
{
	snprintf(x->why, x->size, "%s: %.40s", what, token);
	return false;
}

/* --- words without a lock --------------------------------------------------- */

static const struct {
	const char *text;
	u8 kind;
} words[] = {
	{ "EXIT", LOP_EXIT }, { "USER", LOP_USER },
	{ "cli", LOP_IRQS_OFF }, { "sti", LOP_IRQS_ON },
	{ "bhoff", LOP_BH_OFF }, { "bhon", LOP_BH_ON },
	{ "hirq{", LOP_HARDIRQ }, { "hirqnt{", LOP_HARDIRQ_NT },
	{ "hirq}", LOP_HARDIRQ_END }, { "hirqnt}", LOP_HARDIRQ_END },
	{ "sirq{", LOP_SOFTIRQ }, { "sirq}", LOP_SOFTIRQ_END },
};

static const struct {
	const char *text;
	u8 kind, read, trylock;
} verbs[] = {
	{ "W", LOP_ACQUIRE, 0, 0 }, { "L", LOP_ACQUIRE, 0, 0 },
	{ "R", LOP_ACQUIRE, 1, 0 }, { "RR", LOP_ACQUIRE, 2, 0 },
	{ "TW", LOP_ACQUIRE, 0, 1 }, { "TL", LOP_ACQUIRE, 0, 1 },
	{ "TR", LOP_ACQUIRE, 1, 1 }, { "TRR", LOP_ACQUIRE, 2, 1 },
	{ "U", LOP_RELEASE, 0, 0 }, { "DG", LOP_DOWNGRADE, 0, 0 },
	{ "SUB", LOP_SUBCLASS, 0, 0 }, { "SYNC", LOP_SYNC, 0, 0 },
	{ "SYNCR", LOP_SYNC, 1, 0 }, { "FREE", LOP_FREE, 0, 0 },
	{ "INIT", LOP_INIT, 0, 0 }, { "H", LOP_HELD, 0, 0 },
};

static struct lock_op *add(struct parser *x, const char *text)
{
	struct lock_program *p = x->p;
	struct lock_op *o;

	if (p->nops == p->room) {
		p->room = p->room ? 2 * p->room : 64;
		p->op = realloc(p->op, p->room * sizeof(*p->op));
		if (!p->op)
			abort();
	}
	o = &p->op[p->nops++];
	memset(o, 0, sizeof(*o));
	o->task = (u8)x->task;
	o->check = 1;
	snprintf(o->text, sizeof(o->text), "%s", text);
	return o;
}

/* "X1": the letter, and a digit that may be missing. */
static const char *lock_of(const char *s, u8 *lock)
{
	if (*s < 'A' || *s > 'Z')
		return NULL;
	*lock = (u8)((*s++ - 'A') * LOCK_INSTANCES);
	if (*s >= '0' && *s <= '9')
		*lock = (u8)(*lock + *s++ - '0');
	return s;
}

/* "X1/2^Y1)" */
static bool operand(const char *s, struct lock_op *o)
{
	u8 nest = 0;

	s = lock_of(s, &o->lock);
	if (s && *s == '/' && s[1] >= '0' && s[1] <= '9') {
		for (s++; *s >= '0' && *s <= '9'; s++)
			if (o->subclass < 20) /* 8 and more are all the same */
				o->subclass = (u8)(o->subclass * 10 + *s - '0');
	}
	if (s && *s == '^') {
		s = lock_of(s + 1, &nest);
		o->nest = (u8)(nest + 1);
	}
	return s && s[0] == ')' && !s[1];
}

static bool lock_operation(struct parser *x, const char *token)
{
	const char *open = strchr(token, '('), *verb = token;
	struct lock_op *o;
	size_t n;
	u32 i;

	if (!open || strlen(token) >= sizeof(o->text))
		return wrong(x, "unknown operation", token);
	if (*verb == 'c')
		verb++;
	n = (size_t)(open - verb);
	for (i = 0; i < ARRAY_SIZE(verbs); i++)
		if (strlen(verbs[i].text) == n &&
		    !strncmp(verbs[i].text, verb, n))
			break;
	if (i == ARRAY_SIZE(verbs) ||
	    (verb != token && verbs[i].kind != LOP_ACQUIRE &&
	     verbs[i].kind != LOP_SYNC))
		return wrong(x, "unknown operation", token);
	o = add(x, token);
	o->kind = verbs[i].kind;
	o->read = verbs[i].read;
	o->trylock = verbs[i].trylock;
	o->check = verb == token;
	return operand(open + 1, o) || wrong(x, "not a lock", token);
}

/* --- declarations ------------------------------------------------------------ */

static bool wait_type(struct parser *x, const char *token)
{
	static const struct {
		const char *name;
		u8 inner, outer, type;
	} types[] = {
		{ "none", LD_WAIT_INV, LD_WAIT_INV, LD_LOCK_NORMAL },
		{ "raw", LD_WAIT_SPIN, LD_WAIT_INV, LD_LOCK_NORMAL },
		{ "spin", LD_WAIT_CONFIG, LD_WAIT_INV, LD_LOCK_NORMAL },
		{ "rwlock", LD_WAIT_CONFIG, LD_WAIT_INV, LD_LOCK_NORMAL },
		{ "mutex", LD_WAIT_SLEEP, LD_WAIT_INV, LD_LOCK_NORMAL },
		{ "rwsem", LD_WAIT_SLEEP, LD_WAIT_INV, LD_LOCK_NORMAL },
		{ "rcu", LD_WAIT_CONFIG, LD_WAIT_FREE, LD_LOCK_NORMAL },
		{ "rcusched", LD_WAIT_SPIN, LD_WAIT_FREE, LD_LOCK_NORMAL },
		{ "local", LD_WAIT_CONFIG, LD_WAIT_INV, LD_LOCK_PERCPU },
	};
	u32 i, class = (u32)(token[1] - 'A');

	if (class >= LOCK_CLASSES || token[2] != '=')
		return wrong(x, "not a wait type", token);
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		if (strcmp(token + 3, types[i].name))
			continue;
		x->p->wait_inner[class] = types[i].inner;
		x->p->wait_outer[class] = types[i].outer;
		x->p->lock_type[class] = types[i].type;
		return true;
	}
	return wrong(x, "not a wait type", token);
}

static bool task_switch(struct parser *x, const char *token)
{
	char *end;
	unsigned long n = strtoul(token + 1, &end, 10);

	if (strcmp(end, ":") || n < 1 || n > LOCK_TASKS)
		return wrong(x, "not a task from T1 to T64", token);
	x->task = (u32)n;
	return true;
}

static bool take(struct parser *x, const char *token)
{
	u32 i;

	if (!strcmp(token, ";"))
		return true;
	if (*token == '@')
		return wait_type(x, token);
	if (*token == 'T' && token[1] >= '0' && token[1] <= '9')
		return task_switch(x, token);
	if (!x->task)
		return wrong(x, "no task (T1:) before", token);
	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcmp(token, words[i].text)) {
			add(x, token)->kind = words[i].kind;
			return true;
		}
	return lock_operation(x, token);
}

bool lock_program_parse(struct lock_program *p, const char *text, char *why,
			size_t size)
{
	struct parser x = { .p = p, .why = why, .size = size };
	char token[64];
	size_t n;

	p->nops = 0;
	memset(p->wait_inner, 0, sizeof(p->wait_inner));
	memset(p->wait_outer, 0, sizeof(p->wait_outer));
	memset(p->lock_type, 0, sizeof(p->lock_type));
	for (text += strspn(text, " "); *text; text += strspn(text, " ")) {
		n = strcspn(text, " ");
		snprintf(token, sizeof(token), "%.*s",
			 (int)(n < 63 ? n : 63), text);
		if (!take(&x, token))
			return false;
		text += n;
	}
	return true;
}
