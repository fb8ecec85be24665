/* SPDX-License-Identifier: MIT */
/* Names, titles and signatures of verdicts. */
#include <heddle/verdict.h>
#include <stdio.h>
#include <string.h>

static const char *const names[HD_V_COUNT] = {
	"none",
#define X(id, name, title) name,
	HD_VERDICTS(X)
#undef X
};

static const char *const titles[HD_V_COUNT] = {
	"no verdict",
#define X(id, name, title) title,
	HD_VERDICTS(X)
#undef X
};

const char *hd_verdict_name(int kind)
{
	return kind > 0 && kind < HD_V_COUNT ? names[kind] : names[0];
}

const char *hd_verdict_title(int kind)
{
	return kind > 0 && kind < HD_V_COUNT ? titles[kind] : titles[0];
}

int hd_verdict_by_name(const char *name)
{
	int i;

	for (i = 1; i < HD_V_COUNT; i++)
		if (!strcmp(names[i], name))
			return i;
	return 0;
}

void hd_verdict_signature(const struct hd_verdict *v, const char *field,
			  char *buf, size_t size)
{
	size_t at = 0;
	u32 i;

	at += (size_t)snprintf(buf, size, "%s", hd_verdict_name(v->kind));
	for (i = 0; i < v->nnames && at < size; i++)
		at += (size_t)snprintf(buf + at, size - at, " %s",
				       v->names[i]);
	if (at >= size || (!v->type && !field))
		return;
	if (!v->type)
		snprintf(buf + at, size - at, " %s", field);
	else if (field)
		snprintf(buf + at, size - at, " %s.%s", v->type, field);
	else
		snprintf(buf + at, size - at, " %s+%u", v->type, v->off);
}
