/* SPDX-License-Identifier: MIT */
/* What has been found so far, by signature; and which verdict is wanted? */
#include <stdlib.h>
#include <string.h>

#include "search.h"
#include "sym.h"

/* Signatures need field names from debug information; verdicts come a million
 * times in a search, and are few: remember. */
static const char *remembered(const struct hd_verdict *v)
{
	enum { SLOTS = 256 };
	static struct {
		struct hd_verdict v;
		char signature[160];
	} slot[SLOTS];
	struct hd_verdict key = *v;
	u64 h;
	u32 i;

	key.step = key.pc = 0;
	key.task = key.fatal = 0;
	key.other_n = key.other_task = 0;
	for (i = key.nnames; i < HD_VERDICT_NAMES; i++)
		key.names[i] = NULL;
	h = (u64)key.type * 31 + key.off + key.kind * 977u;
	for (i = 0; i < key.nnames; i++)
		h = h * 31 + (u64)key.names[i];
	i = (u32)((h ^ h >> 17) % SLOTS);
	if (slot[i].v.kind && !memcmp(&slot[i].v, &key, sizeof(key)))
		return slot[i].signature;
	slot[i].v = key;
	verdict_signature(v, slot[i].signature, sizeof(slot[i].signature));
	return slot[i].signature;
}

struct finding *findings_find(struct findings *f, const char *signature)
{
	u32 i;

	for (i = 0; i < f->n; i++)
		if (!strcmp(f->at[i].signature, signature))
			return &f->at[i];
	return NULL;
}

struct finding *findings_note(struct findings *f, const struct hd_verdict *v,
			      u64 run)
{
	const char *signature = remembered(v);
	struct finding *x = findings_find(f, signature);

	if (!x) {
		if (f->n == f->room) {
			f->room = f->room ? 2 * f->room : 16;
			f->at = realloc(f->at, f->room * sizeof(f->at[0]));
			if (!f->at) {
				fprintf(stderr, "heddle: out of memory\n");
				exit(EXIT_FAULT);
			}
		}
		x = &f->at[f->n++];
		memset(x, 0, sizeof(*x));
		snprintf(x->signature, sizeof(x->signature), "%s", signature);
		x->kind = v->kind;
		x->first = run;
		x->preemptions = UINT32_MAX;
		x->is_new = true;
	}
	x->count++;
	return x;
}

u32 findings_bugs(const struct findings *f)
{
	u32 i, n = 0;

	for (i = 0; i < f->n; i++)
		n += f->at[i].kind != HD_V_LIMIT;
	return n;
}

void findings_print(FILE *out, const struct findings *f)
{
	const char *p;
	u32 i;

	if (!f->n)
		putc('-', out);
	for (i = 0; i < f->n; i++) {
		if (i)
			putc(',', out);
		for (p = f->at[i].signature; *p; p++)
			putc(*p == ' ' ? ':' : *p, out);
	}
}

/* want is "deadlock", "assert,deadlock", or a whole signature, which begins with
 * the name of its verdict. */
bool want_check(const char *verb, const char *want)
{
	char name[32];
	size_t n;

	for (; want; want = want[n] == ',' ? want + n + 1 : NULL) {
		n = strcspn(want, " ,");
		snprintf(name, sizeof(name), "%.*s", (int)n, want);
		if (n < sizeof(name) && hd_verdict_by_name(name))
			continue;
		fprintf(stderr, "heddle %s: no verdict is called %s "
			"(%s list --verdicts names them)\n", verb, name,
			program);
		return false;
	}
	return true;
}

static bool is_named(const char *want, const char *name)
{
	size_t n, len = strlen(name);

	for (; want; want = want[n] ? want + n + 1 : NULL) {
		n = strcspn(want, ",");
		if (n == len && !strncmp(want, name, n))
			return true;
	}
	return false;
}

bool want_matches_signature(const char *want, u8 kind, const char *signature)
{
	if (!want || !*want)
		return kind != HD_V_LIMIT;
	return !strcmp(want, signature) || is_named(want, hd_verdict_name(kind));
}

bool want_matches(const char *want, const struct hd_verdict *v)
{
	return want_matches_signature(want, v->kind, remembered(v));
}
