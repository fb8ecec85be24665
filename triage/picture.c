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

enum { MAX_LANES = 3, GAP = 2, OBJECT_AT = 16 };

struct lane {
	u32 task, x, width, object_at;
};

struct canvas {
	const struct story *s;
	struct page *p;
	struct lane lane[HD_MAX_TASKS];
	u32 nlanes;
	u32 name_width; /* one column: of the tasks' names */
};

static struct lane *lane_of(struct canvas *c, u32 task)
{
	u32 i;

	for (i = 0; i < c->nlanes; i++)
		if (c->lane[i].task == task)
			return &c->lane[i];
	return &c->lane[0];
}

/* --- the text of a row --------------------------------------------------- */

static void what_of(const struct row *r, char *buf, size_t size)
{
	snprintf(buf, size, "%s%s%s", r->st.object,
		 r->st.object[0] && r->st.values[0] ? " " : "",
		 r->st.values);
	if (r->times > 1)
		snprintf(buf + strlen(buf), size - strlen(buf),
			 "%s(%u times)", buf[0] ? " " : "", r->times);
}

static u32 verb_end(const struct row *r)
{
	return (u32)(r->indent + strlen(r->st.verb));
}

/* "vm_lock_seq = 1" says by itself that it is a load. */
static bool is_plain_load(const struct row *r)
{
	return r->op == HD_LOAD && r->indent && r->st.values[0] == '=';
}

/* Without the remark, objects not aligned. */
static u32 natural_width(const struct row *r)
{
	char what[200];

	what_of(r, what, sizeof(what));
	if (is_plain_load(r))
		return r->indent + (u32)strlen(what);
	return verb_end(r) + (what[0] ? 1 : 0) + (u32)strlen(what);
}

struct cell {
	char line[12][160];
	u32 n;
};

static void cell_add(struct cell *c, u32 indent, const char *text, u32 width)
{
	char piece[8][160];
	u32 i, n = wrap_text(text, width > indent + 8 ? width - indent : 8,
			     piece, 8);

	for (i = 0; i < n && c->n < 12; i++)
		snprintf(c->line[c->n++], 160, "%*s%.140s", (int)indent, "",
			 piece[i]);
}

static void cell_statement(struct cell *c, const struct row *r,
			   const struct lane *l)
{
	char what[200], line[400];
	u32 at = verb_end(r) + 1, n;

	what_of(r, what, sizeof(what));
	n = (u32)strlen(what);
	if (n && at + n > l->width && is_plain_load(r)) {
		cell_add(c, r->indent, what, l->width);
		return;
	}
	if (at < l->object_at && l->object_at + n <= l->width)
		at = l->object_at;
	if (n ? at + n > l->width : at > l->width + 1) {
		snprintf(line, sizeof(line), "%s", r->st.verb);
		cell_add(c, r->indent, line, l->width);
		if (n)
			cell_add(c, r->indent + 2u, what, l->width);
		return;
	}
	snprintf(line, sizeof(line), "%*s%-*s%s", r->indent, "",
		 n ? (int)(at - r->indent) : 0, r->st.verb, what);
	snprintf(c->line[c->n++], 160, "%.159s", line);
}

static void cell_remark(struct cell *c, const struct row *r,
			const struct lane *l)
{
	char text[200];
	size_t n = c->n ? strlen(c->line[c->n - 1]) : 0;

	snprintf(text, sizeof(text), "(%s)", r->remark);
	if (c->n && n + 2 + strlen(text) <= l->width) {
		snprintf(c->line[c->n - 1] + n, 160 - n, "  %s", text);
		return;
	}
	cell_add(c, r->indent + 2u, text, l->width);
}

/* --- drawing ------------------------------------------------------------- */

static void draw_row(struct canvas *c, const struct row *r)
{
	struct lane *l = lane_of(c, r->task);
	struct cell cell = { .n = 0 };
	u32 i;

	if (r->kind == ROW_GAP) {
		page_line(c->p, " ... %u rows left out; --all shows them",
			  r->times);
		return;
	}
	if (r->st.verb[0])
		cell_statement(&cell, r, l);
	if (r->remark[0])
		cell_remark(&cell, r, l);
	for (i = 0; i < cell.n; i++) {
		if (c->name_width)
			page_line(c->p, " %-*s  %s", (int)c->name_width,
				  i ? "" : story_task(c->s, r->task),
				  cell.line[i]);
		else
			page_line(c->p, "%*s%s", (int)l->x, "", cell.line[i]);
	}
}

/* The verdict stands under the row that raised it, on a line of its own. */
static void draw_verdict(struct canvas *c)
{
	const struct hd_verdict *v = story_verdict(c->s);
	char text[200];
	const char *end;
	u32 x, n;

	if (!v)
		return;
	end = strstr(c->s->title, ", task ");
	n = end ? (u32)(end - c->s->title) : (u32)strlen(c->s->title);
	if (n + 6 > c->p->width && strchr(c->s->title, ':'))
		n = (u32)(strrchr(c->s->title, ':') - c->s->title);
	if (n + 6 > c->p->width && strchr(c->s->title, ':'))
		n = (u32)strcspn(c->s->title, ":");
	snprintf(text, sizeof(text), "<== %s%.*s",
		 v->task < c->s->ntasks ? "" : "end check: ", (int)n,
		 c->s->title);
	n = (u32)strlen(text);
	x = c->name_width || v->task >= c->s->ntasks ? 1 :
						      lane_of(c, v->task)->x;
	if (x + n > c->p->width)
		x = n < c->p->width ? c->p->width - n : 0;
	page_wrap(c->p, 4, "%*s%s", (int)x, "", text);
}

/* --- lanes --------------------------------------------------------------- */

static void find_lanes(struct canvas *c, const struct rows *rows)
{
	const struct hd_verdict *v = story_verdict(c->s);
	hd_tasks seen = 0;
	u32 i;

	for (i = 0; i < rows->n; i++)
		if (rows->at[i].kind != ROW_GAP)
			hd_add(&seen, rows->at[i].task);
	if (!seen && v) /* nothing but the verdict; the end check's stands left */
		hd_add(&seen, v->task < c->s->ntasks ? v->task : 0);
	for (i = 0; i < c->s->ntasks; i++)
		if (hd_has(seen, i))
			c->lane[c->nlanes++].task = i;
}

/* "timer (irq on fault)": a handler says whom it interrupts, in width. */
static const char *title_of(struct canvas *c, u32 task, u32 width)
{
	static char title[128];
	const struct hd_task *t = &W->tasks[task];
	const char *name = story_task(c->s, task);
	const char *host = story_task(c->s, t->host);

	if (!t->irq)
		return name;
	snprintf(title, sizeof(title), "%s (%s on %s)", name,
		 t->irq == HEDDLE_HARDIRQ ? "irq" : "softirq", host);
	if (strlen(title) > width)
		snprintf(title, sizeof(title), "%s (on %s)", name, host);
	return strlen(title) > width ? name : title;
}

static u32 need_of(struct canvas *c, const struct rows *rows, u32 task)
{
	u32 i, need = (u32)strlen(title_of(c, task, c->p->width)), w;

	for (i = 0; i < rows->n; i++) {
		if (rows->at[i].task != task || rows->at[i].kind == ROW_GAP)
			continue;
		w = natural_width(&rows->at[i]);
		need = w > need ? w : need;
	}
	return need;
}

/* Even lanes first; then those with room to spare give to those in want. */
static void share_width(struct canvas *c, const struct rows *rows)
{
	u32 room = c->p->width - 1 - GAP * (c->nlanes - 1), i;
	u32 need[MAX_LANES], spare = 0, want = 0, x = 1, give;

	for (i = 0; i < c->nlanes; i++) {
		u32 w = room / c->nlanes;

		c->lane[i].width = w;
		need[i] = need_of(c, rows, c->lane[i].task);
		if (need[i] < w)
			spare += w - need[i];
		else
			want += need[i] - w;
	}
	give = spare < want ? spare : want;
	for (i = 0; i < c->nlanes && give; i++) {
		u32 w = c->lane[i].width;

		if (need[i] < w)
			c->lane[i].width -= (w - need[i]) * give / spare;
		else
			c->lane[i].width += (need[i] - w) * give / want;
	}
	for (i = 0; i < c->nlanes; i++) {
		c->lane[i].x = x;
		x += c->lane[i].width + GAP;
	}
}

/* Objects of a lane begin in one column where verbs are short enough. */
static void align_objects(struct canvas *c, const struct rows *rows)
{
	u32 i;

	for (i = 0; i < rows->n; i++) {
		const struct row *r = &rows->at[i];
		struct lane *l = lane_of(c, r->task);
		u32 at = verb_end(r) + 1;

		if (r->kind == ROW_OP && r->st.object[0] && at <= OBJECT_AT + 2u
		    && at > l->object_at)
			l->object_at = at;
	}
}

static void one_column(struct canvas *c)
{
	u32 i, w;

	for (i = 0; i < c->nlanes; i++) {
		w = (u32)strlen(story_task(c->s, c->lane[i].task));
		c->name_width = w > c->name_width ? w : c->name_width;
	}
	for (i = 0; i < c->nlanes; i++) {
		c->lane[i].x = c->name_width + 3;
		c->lane[i].width = c->p->width - c->lane[i].x;
	}
}

static void draw_names(struct canvas *c)
{
	char line[256];
	u32 i;

	memset(line, ' ', sizeof(line));
	for (i = 0; i < c->nlanes; i++) {
		const char *name = title_of(c, c->lane[i].task,
					    c->lane[i].width);

		memcpy(line + c->lane[i].x, name, strlen(name));
	}
	page_line(c->p, "%.*s", (int)c->p->width, line);
}

void picture_draw(const struct story *s, struct page *p)
{
	struct canvas c = { .s = s, .p = p };
	struct rows rows;
	u32 i;

	rows_build(s, &rows);
	find_lanes(&c, &rows);
	if (c.nlanes > MAX_LANES)
		one_column(&c);
	else if (c.nlanes)
		share_width(&c, &rows);
	align_objects(&c, &rows);
	if (c.nlanes && !c.name_width)
		draw_names(&c);
	for (i = 0; i < rows.n; i++)
		draw_row(&c, &rows.at[i]);
	draw_verdict(&c);
	rows_free(&rows);
}
