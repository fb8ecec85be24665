/* SPDX-License-Identifier: MIT */
/* What was reported?  Once: the first report turns lockdep off. */
#include <string.h>

#include "lockdep.h"

struct lockdep_report lockdep_found;

bool lockdep_report(u8 verdict)
{
	lockdep->off = 1;
	lockdep_found = (struct lockdep_report){
		.verdict = verdict,
		.prev = LOCKDEP_NO_CLASS,
		.next = LOCKDEP_NO_CLASS,
	};
	return false;
}

void lockdep_report_add(u16 class)
{
	u32 i;

	for (i = 0; i < lockdep_found.nclasses; i++)
		if (lockdep_found.class[i] == class)
			return;
	if (i < ARRAY_SIZE(lockdep_found.class))
		lockdep_found.class[lockdep_found.nclasses++] = class;
}

bool lockdep_report_class(u8 verdict, u16 class)
{
	lockdep_report(verdict);
	lockdep_report_add(class);
	return false;
}

bool lockdep_report_name(u8 verdict, const char *name)
{
	lockdep_report(verdict);
	lockdep_found.name = name;
	return false;
}

static void add_sorted(struct hd_verdict *v, const char *name)
{
	u32 i = v->nnames, j;

	for (j = 0; j < v->nnames; j++)
		if (!strcmp(v->names[j], name))
			return;
	if (v->nnames == HD_VERDICT_NAMES)
		return;
	while (i > 0 && strcmp(v->names[i - 1], name) > 0) {
		v->names[i] = v->names[i - 1];
		i--;
	}
	v->names[i] = name;
	v->nnames++;
}

struct hd_verdict lockdep_verdict(u32 pc)
{
	struct hd_verdict v = { .kind = lockdep_found.verdict, .pc = pc };
	u32 i;

	for (i = 0; i < lockdep_found.nclasses; i++)
		add_sorted(&v, lockdep->class[lockdep_found.class[i]].name);
	if (lockdep_found.name)
		add_sorted(&v, lockdep_found.name);
	v.fatal = v.kind == HD_V_LIMIT;
	return v;
}
