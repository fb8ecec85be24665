/* SPDX-License-Identifier: MIT */
/* Which lanes has a picture, what are they called, and what do they need? */
#include <string.h>

#include "picture.h"

enum { OBJECT_AT = 16 };

struct lane *lane_of(struct lanes *l, u32 task)
{
	u32 i;

	for (i = 0; i < l->n; i++)
		if (l->at[i].task == task)
			return &l->at[i];
	return &l->at[0];
}

void lanes_find(struct lanes *l, const struct story *s, const struct rows *rows)
{
	const struct hd_verdict *v = story_verdict(s);
	hd_tasks seen = 0;
	u32 i;

	for (i = 0; i < rows->n; i++)
		if (rows->at[i].kind != ROW_GAP)
			hd_add(&seen, rows->at[i].task);
	if (!seen && v) /* nothing but the verdict; the end check's stands left */
		hd_add(&seen, v->task < s->ntasks ? v->task : 0);
	for (i = 0; i < s->ntasks; i++)
		if (hd_has(seen, i))
			l->at[l->n++].task = i;
}

const char *lane_title(const struct story *s, u32 task, u32 width)
{
	static char title[128];
	const struct hd_task *t = &W->tasks[task];
	const char *name = story_task(s, task);
	const char *host = story_task(s, t->host);

	if (!t->irq)
		return name;
	snprintf(title, sizeof(title), "%s (%s on %s)", name,
		 t->irq == HEDDLE_HARDIRQ ? "irq" : "softirq", host);
	if (strlen(title) > width)
		snprintf(title, sizeof(title), "%s (on %s)", name, host);
	return strlen(title) > width ? name : title;
}

u32 lane_need(const struct story *s, const struct rows *rows, u32 task)
{
	u32 i, need = (u32)strlen(lane_title(s, task, 127)), w;

	for (i = 0; i < rows->n; i++) {
		if (rows->at[i].task != task || rows->at[i].kind == ROW_GAP)
			continue;
		w = row_width(&rows->at[i]);
		need = w > need ? w : need;
	}
	return need;
}

void lanes_align(struct lanes *lanes, const struct rows *rows)
{
	u32 i;

	for (i = 0; i < rows->n; i++) {
		const struct row *r = &rows->at[i];
		struct lane *l = lane_of(lanes, r->task);
		u32 at = row_verb_end(r) + 1;

		if (r->kind == ROW_OP && r->st.object[0] && at <= OBJECT_AT + 2u
		    && at > l->object_at)
			l->object_at = at;
	}
}
