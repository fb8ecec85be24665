/* SPDX-License-Identifier: MIT */
/* How are the rows of a run set into columns?
 *
 * One lane per task that has rows, in the order of the scenario's tasks; the
 * lanes share the width of the page by need.  Each row belongs to one task, so
 * the other lanes stay blank.  More than three tasks: one column, with the
 * task's name before each row. */
#include <stdlib.h>
#include <string.h>

#include "picture.h"

enum { MAX_LANES = 3, GAP = 2, WIDEST = 100 };

struct canvas {
	const struct story *s;
	struct page *p;
	struct lanes lanes;
	u32 name_width; /* one column: of the tasks' names */
};

/* --- drawing ------------------------------------------------------------- */

static void draw_row(struct canvas *c, const struct row *r)
{
	struct lane *l = lane_of(&c->lanes, r->task);
	struct cell cell;
	u32 i;

	if (r->kind == ROW_GAP) {
		page_line(c->p, " ... %u rows left out; --all shows them",
			  r->times);
		return;
	}
	cell_make(&cell, r, l);
	for (i = 0; i < cell.n; i++) {
		if (c->name_width)
			page_line(c->p, " %-*s  %s", (int)c->name_width,
				  i ? "" : story_task(c->s, r->task),
				  cell.line[i]);
		else
			page_line(c->p, "%*s%s", (int)l->x, "", cell.line[i]);
	}
}

void picture_verdict(const struct story *s, u32 width, char *buf, size_t size)
{
	const struct hd_verdict *v = story_verdict(s);
	const char *end = strstr(s->title, ", task ");
	u32 n = end ? (u32)(end - s->title) : (u32)strlen(s->title);

	if (n + 6 > width && strchr(s->title, ':'))
		n = (u32)(strrchr(s->title, ':') - s->title);
	if (n + 6 > width && strchr(s->title, ':'))
		n = (u32)strcspn(s->title, ":");
	snprintf(buf, size, "<== %s%.*s",
		 v->task < s->ntasks ? "" : "end check: ", (int)n, s->title);
}

/* The verdict stands under the row that raised it, on a line of its own. */
static void draw_verdict(struct canvas *c)
{
	const struct hd_verdict *v = story_verdict(c->s);
	char text[200];
	u32 x, n;

	if (!v)
		return;
	picture_verdict(c->s, c->p->width, text, sizeof(text));
	n = (u32)strlen(text);
	x = c->name_width || v->task >= c->s->ntasks ? 1 :
					lane_of(&c->lanes, v->task)->x;
	if (x + n > c->p->width)
		x = n < c->p->width ? c->p->width - n : 0;
	page_wrap(c->p, 4, "%*s%s", (int)x, "", text);
}

/* --- lanes --------------------------------------------------------------- */

/* Even lanes first; then those with room to spare give to those in want. */
static void share_width(struct canvas *c, const struct rows *rows)
{
	u32 room = c->p->width - 1 - GAP * (c->lanes.n - 1), i;
	u32 need[MAX_LANES], spare = 0, want = 0, x = 1, give;

	for (i = 0; i < c->lanes.n; i++) {
		u32 w = room / c->lanes.n;

		c->lanes.at[i].width = w;
		need[i] = lane_need(c->s, rows, c->lanes.at[i].task);
		if (need[i] < w)
			spare += w - need[i];
		else
			want += need[i] - w;
	}
	give = spare < want ? spare : want;
	for (i = 0; i < c->lanes.n && give; i++) {
		u32 w = c->lanes.at[i].width;

		if (need[i] < w)
			c->lanes.at[i].width -= (w - need[i]) * give / spare;
		else
			c->lanes.at[i].width += (need[i] - w) * give / want;
	}
	for (i = 0; i < c->lanes.n; i++) {
		c->lanes.at[i].x = x;
		x += c->lanes.at[i].width + GAP;
	}
}

static void one_column(struct canvas *c)
{
	u32 i, w;

	for (i = 0; i < c->lanes.n; i++) {
		w = (u32)strlen(story_task(c->s, c->lanes.at[i].task));
		c->name_width = w > c->name_width ? w : c->name_width;
	}
	for (i = 0; i < c->lanes.n; i++) {
		c->lanes.at[i].x = c->name_width + 3;
		c->lanes.at[i].width = c->p->width - c->lanes.at[i].x;
	}
}

static void draw_names(struct canvas *c)
{
	char line[256];
	u32 i;

	memset(line, ' ', sizeof(line));
	for (i = 0; i < c->lanes.n; i++) {
		const char *name = lane_title(c->s, c->lanes.at[i].task,
					      c->lanes.at[i].width);

		memcpy(line + c->lanes.at[i].x, name, strlen(name));
	}
	page_line(c->p, "%.*s", (int)c->p->width, line);
}

void picture_draw(const struct story *s, struct page *p)
{
	struct canvas c = { .s = s, .p = p };
	struct rows rows;
	u32 i, width = p->width;

	if (p->width > WIDEST) /* lines of any length: lanes need an end */
		p->width = WIDEST;
	rows_build(s, &rows);
	lanes_find(&c.lanes, s, &rows);
	if (c.lanes.n > MAX_LANES)
		one_column(&c);
	else if (c.lanes.n)
		share_width(&c, &rows);
	lanes_align(&c.lanes, &rows);
	if (c.lanes.n && !c.name_width)
		draw_names(&c);
	for (i = 0; i < rows.n; i++)
		draw_row(&c, &rows.at[i]);
	draw_verdict(&c);
	rows_free(&rows);
	p->width = width;
}
