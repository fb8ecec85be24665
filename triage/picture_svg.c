/* SPDX-License-Identifier: MIT */
/* The picture as SVG, drawn from the same rows as the text.
 *
 * What a row does not say is its <title>, which browsers show when the pointer
 * rests on it: step, locks held, place, and what it conflicts with.  Its link
 * leads to the same row of the table below, which also is there on paper. */
#include <stdlib.h>
#include <string.h>

#include "picture_svg.h"

static const char *const palette[] = {
	"#0072b2", "#b26b00", "#00805c", "#a3487f", "#4b6fd6", "#8a5a00",
	"#5b6b00", "#666666",
};

static const char *color_of(u32 lock)
{
	return palette[lock % ARRAY_SIZE(palette)];
}

/* --- what the verdict is about -------------------------------------------- */

static bool is_last_of_blocked(const struct story *s, u32 i)
{
	return (s->flag[i] & REC_WAITS || s->log[i].ev.op.kind == HD_WAIT) &&
	       story_next_op(s, i) >= s->n;
}

/* The verdict's task may have been at a note, say, that no row shows. */
static bool is_where_raised(const struct svg *g, u32 row)
{
	u8 task = g->rows.at[row].task;

	if (story_verdict(g->s)->task != task)
		return false;
	while (++row < g->rows.n)
		if (g->rows.at[row].kind == ROW_OP && g->rows.at[row].task == task)
			return false;
	return true;
}

bool svg_guilty(const struct svg *g, u32 row)
{
	const struct story *s = g->s;
	const struct hd_verdict *v = story_verdict(s);
	u32 i = g->rows.at[row].rec;
	const struct hd_record *r = &s->log[i];

	if (!v || g->rows.at[row].kind != ROW_OP)
		return false;
	if (is_where_raised(g, row))
		return true;
	if (i == g->race[0] || i == g->race[1])
		return true;
	if (verdict_of_lifetime(v->kind))
		return r->ev.op.kind == HD_FREE && s->last < s->n &&
		       !strcmp(r->object, s->log[s->last].object);
	return verdict_of_progress(v->kind) && is_last_of_blocked(s, i);
}

/* --- text ----------------------------------------------------------------- */

static u32 text_x(const struct svg *g, u32 lane)
{
	return g->x[lane] + 12 + g->bars[lane] * SVG_BAR;
}

static void put_line(FILE *out, const char *line, u32 x, u32 y, const char *values)
{
	u32 indent = (u32)strspn(line, " "), n;
	const char *tail = NULL;
	size_t len, vlen = strlen(values);

	line += indent;
	len = strlen(line);
	n = (u32)len;
	if (vlen && len > vlen && !strcmp(line + len - vlen, values))
		tail = line + len - vlen;
	/* whatever font a reader has, the text ends where its lane does */
	fprintf(out, "<text x=\"%u\" y=\"%u\"", x + indent * SVG_CHAR / 10, y);
	if (n)
		fprintf(out, " textLength=\"%u\"", n * SVG_CHAR / 10);
	fputs(">", out);
	html_printf(out, "%.*s", (int)(tail ? (size_t)(tail - line) : len), line);
	if (tail) {
		fputs("<tspan class=\"v\">", out);
		html_text(out, tail);
		fputs("</tspan>", out);
	}
	fputs("</text>", out);
}

/* --- one row -------------------------------------------------------------- */

static void put_conflict(const struct story *s, u32 rec, bool later, FILE *out)
{
	u32 i = s->flag[rec] & REC_SHARED ? story_conflict(s, rec, later) : s->n;

	if (i < s->n && !(s->flag[i] & REC_AFTER))
		html_printf(out, "\n%s conflicts with step %u of %s",
			    later ? "later" : "earlier", s->log[i].ev.step,
			    story_task(s, s->log[i].ev.task));
}

static void put_title(const struct svg *g, const struct row *r, FILE *out)
{
	const struct story *s = g->s;
	const struct hd_record *rec = &s->log[r->rec];
	struct sym_site site[24];
	struct statement st;
	char held[400], words[256];
	u32 i, n = statement_stack(rec, site, ARRAY_SIZE(site));

	story_statement(s, r->rec, &st);
	statement_print(&st, words, sizeof(words));
	held_text(g->span, g->nspans, r->task, r->rec, held, sizeof(held));
	fputs("<title>", out);
	html_printf(out, "step %u, op %u of %s", rec->ev.step, rec->ev.n,
		    story_task(s, r->task));
	if (r->kind == ROW_OP && r->st.verb[0])
		html_printf(out, "\n%s", words);
	html_printf(out, "\nlocks held: %s", held[0] ? held : "none");
	for (i = 0; i < n; i++)
		html_printf(out, "\n%s %s  %s:%u", i ? "from" : "in",
			    site[i].function, site[i].file, site[i].line);
	put_conflict(s, r->rec, false, out);
	put_conflict(s, r->rec, true, out);
	fputs("</title>", out);
}

static void put_dot(const struct row *r, bool guilty, u32 x, u32 y, FILE *out)
{
	if (r->kind == ROW_HEAD || !r->st.verb[0])
		return;
	if (is_lock_op(r->op))
		fprintf(out, "<rect class=\"dot\" x=\"%u\" y=\"%u\" width=\"7\" "
			"height=\"7\"/>", x - 3, y - 3);
	else
		fprintf(out, "<circle class=\"dot%s\" cx=\"%u\" cy=\"%u\" r=\"%s\"/>",
			r->op == HD_LOAD ? " read" : "", x, y, guilty ? "4.5" : "3.5");
}

static void put_gap(const struct svg *g, u32 i, FILE *out)
{
	char text[80];

	snprintf(text, sizeof(text), "... %u rows left out; --all shows them",
		 g->rows.at[i].times);
	put_line(out, text, SVG_LEFT, g->row[i].y + SVG_LINE + 4, "");
	fputc('\n', out);
}

static void put_row(const struct svg *g, u32 i, FILE *out)
{
	const struct row *r = &g->rows.at[i];
	const struct svg_row *at = &g->row[i];
	u32 lane = svg_lane(g, r->task), x = text_x(g, lane), k;
	bool guilty = svg_guilty(g, i);
	struct cell cell;

	if (r->kind == ROW_GAP) {
		put_gap(g, i, out);
		return;
	}
	cell_make(&cell, r, &g->lanes.at[lane]);
	fprintf(out, "<a class=\"row%s%s\" href=\"#r%u\" data-step=\"%u\" "
		"data-task=\"", r->kind == ROW_HEAD ? " fn" : "",
		guilty ? " guilty" : "", i, g->s->log[r->rec].ev.step);
	html_text(out, story_task(g->s, r->task));
	fputs("\">", out);
	put_title(g, r, out);
	fprintf(out, "<rect class=\"hit\" x=\"%u\" y=\"%u\" width=\"%u\" "
		"height=\"%u\"/>", x - 4, at->y,
		g->lanes.at[lane].width * SVG_CHAR / 10 + 12, at->height);
	put_dot(r, guilty, g->x[lane], at->y + SVG_LINE / 2, out);
	if (r->kind == ROW_OP)
		fprintf(out, "<text class=\"num\" x=\"%u\" y=\"%u\">%u</text>",
			SVG_LEFT - 14, at->y + 13, g->s->log[r->rec].ev.step);
	for (k = 0; k < cell.n; k++)
		put_line(out, cell.line[k], x, at->y + 13 + k * SVG_LINE,
			 r->st.values);
	fputs("</a>\n", out);
}

/* --- between rows --------------------------------------------------------- */

static const struct row *row_before(const struct svg *g, u32 i)
{
	while (i-- > 0)
		if (g->rows.at[i].kind != ROW_GAP)
			return &g->rows.at[i];
	return NULL;
}

static void put_arrow(const struct svg *g, u32 i, FILE *out)
{
	const struct row *r = &g->rows.at[i], *up = row_before(g, i);
	const struct svg_row *at = &g->row[i];
	u32 from, to, left, y = at->y, n = at->preempted;
	bool irq = svg_comes(g, i);

	if (!at->gap)
		return;
	from = g->x[svg_lane(g, up->task)];
	to = g->x[svg_lane(g, r->task)];
	left = svg_lane(g, from < to ? up->task : r->task);
	fprintf(out, "<g class=\"arrow%s\"><title>", n ? " pre" : "");
	if (irq)
		html_printf(out, "%s comes on the CPU of %s", story_task(g->s, r->task),
			    story_task(g->s, W->tasks[r->task].host));
	else
		html_printf(out, "%s %s; %s runs", story_task(g->s, up->task), n ?
			    "is preempted" : "waits, yields or has ended",
			    story_task(g->s, r->task));
	fprintf(out, "</title><path d=\"M%u %uV%uH%uV%u\"/><path class=\"tip\" "
		"d=\"M%u %uh8l-4 6z\"/>", from, y - at->gap, y - 8, to, y - 4,
		to - 4, y - 5);
	if (n || irq)
		fprintf(out, "<text class=\"note\" x=\"%u\" y=\"%u\">",
			text_x(g, left), y - 12);
	if (irq)
		fputs("interrupt</text>", out);
	else if (n == 1)
		fputs("preempted</text>", out);
	else if (n)
		fprintf(out, "%u preemptions</text>", n);
	fputs("</g>\n", out);
}

/* The line is thick where the task runs. */
static void put_runs(const struct svg *g, const struct svg_band *b, FILE *out)
{
	u32 i, j;

	for (i = b->first; i < b->last; i = j) {
		u32 x = g->x[svg_lane(g, g->rows.at[i].task)];

		for (j = i + 1; j < b->last && !g->row[j].gap &&
				g->rows.at[j].kind != ROW_GAP; j++)
			;
		if (g->rows.at[i].kind != ROW_GAP)
			fprintf(out, "<path class=\"run\" d=\"M%u %uV%u\"/>\n", x,
				g->row[i].y,
				g->row[j - 1].y + g->row[j - 1].height);
	}
}

/* --- locks ---------------------------------------------------------------- */

static void put_bar_part(const struct svg *g, u32 i, u32 band,
			 struct svg_point a, struct svg_point b, bool waits,
			 FILE *out)
{
	const struct lock_span *sp = &g->span[i];
	u32 lane = svg_lane(g, sp->task), lock = svg_lock(g, sp->name);
	u32 x = g->x[lane] + 9 + g->bar[i].slot * SVG_BAR;
	u32 top = a.band < band ? g->head + 4 : a.y;
	u32 end = b.band > band ? g->band[band].height : b.y;

	if (a.band > band || b.band < band || end < top + 3)
		return;
	fprintf(out, "<rect x=\"%u\" y=\"%u\" width=\"8\" height=\"%u\" rx=\"2\" "
		"stroke=\"%s\" fill=\"%s\"%s/>", x, top, end - top,
		color_of(lock), sp->read || waits ? "#fff" : color_of(lock),
		waits ? " stroke-dasharray=\"2 2\"" : "");
	if (end - top >= 12)
		fprintf(out, "<text class=\"letter\" x=\"%u\" y=\"%u\" "
			"style=\"fill:%s\">%c</text>", x + 4, top + 10,
			sp->read || waits ? color_of(lock) : "#fff", 'A' + (int)lock);
}

static void put_place(const struct story *s, u32 rec, FILE *out)
{
	struct sym_site site;

	html_printf(out, "step %u", s->log[rec].ev.step);
	if (statement_stack(&s->log[rec], &site, 1))
		html_printf(out, " in %s, %s:%u", site.function, site.file,
			    site.line);
}

static void put_bar(const struct svg *g, u32 i, u32 band, FILE *out)
{
	const struct lock_span *sp = &g->span[i];
	const struct svg_bar *bar = &g->bar[i];
	char name[80];

	if (bar->slot == SVG_NO_SLOT || bar->from.band > band ||
	    bar->to.band < band)
		return;
	span_text(sp, name, sizeof(name));
	fputs("<g class=\"bar\"><title>", out);
	html_printf(out, "%s, task %s\n%s: ", name, story_task(g->s, sp->task),
		    sp->got > sp->from ? "asked for" : "taken");
	put_place(g->s, sp->from, out);
	if (sp->ended) {
		fputs("\nuntil: ", out);
		put_place(g->s, sp->to, out);
	}
	fputs("</title>", out);
	if (sp->got > sp->from)
		put_bar_part(g, i, band, bar->from, bar->got, true, out);
	put_bar_part(g, i, band, bar->got, bar->to, false, out);
	fputs("</g>\n", out);
}

/* --- the verdict, below the last row --------------------------------------- */

enum { VERDICT_PAD = 8 };

static u32 verdict_lines(const struct svg *g, char piece[][160], u32 *x)
{
	const struct hd_verdict *v = story_verdict(g->s);
	u32 room, need;
	char text[200];

	if (!v)
		return 0;
	picture_verdict(g->s, 150, text, sizeof(text));
	*x = v->task < g->s->ntasks && g->lanes.n ?
		     text_x(g, svg_lane(g, v->task)) : SVG_LEFT;
	need = (u32)strlen(text) * SVG_CHAR / 10 + 2 * VERDICT_PAD;
	if (*x + need > g->width)
		*x = need + SVG_LEFT < g->width ? g->width - need : SVG_LEFT;
	room = (g->width - *x - 2 * VERDICT_PAD) * 10 / SVG_CHAR;
	return wrap_text(text, room, piece, 4);
}

static void put_verdict(const struct svg *g, u32 y, FILE *out)
{
	char piece[4][160];
	u32 x = 0, i, n = verdict_lines(g, piece, &x), widest = 0;

	if (!n)
		return;
	for (i = 0; i < n; i++)
		if (strlen(piece[i]) > widest)
			widest = (u32)strlen(piece[i]);
	fprintf(out, "<g class=\"verdict\"><rect x=\"%u\" y=\"%u\" width=\"%u\" "
		"height=\"%u\" rx=\"3\"/>", x, y + 6,
		widest * SVG_CHAR / 10 + 2 * VERDICT_PAD, n * SVG_LINE + 6);
	for (i = 0; i < n; i++)
		put_line(out, piece[i], x + VERDICT_PAD,
			 y + 22 + i * SVG_LINE, "");
	fputs("</g>\n", out);
}

/* --- bands ---------------------------------------------------------------- */

static void put_names(const struct svg *g, FILE *out)
{
	char piece[8][160];
	u32 i, k, n;

	for (i = 0; i < g->lanes.n; i++) {
		const struct lane *l = &g->lanes.at[i];

		n = wrap_text(lane_title(g->s, l->task, 127), l->width, piece, 8);
		fputs("<g class=\"name\" data-task=\"", out);
		html_text(out, story_task(g->s, l->task));
		fputs("\">", out);
		for (k = 0; k < n; k++)
			put_line(out, piece[k], g->x[i] - 4, 13 + k * SVG_LINE, "");
		fputs("</g>\n", out);
	}
}

static void put_band(const struct svg *g, u32 band, FILE *out)
{
	const struct svg_band *b = &g->band[band];
	bool last = band + 1 == g->nbands;
	char piece[4][160];
	u32 i, x, end = b->height + 6;

	if (last && story_verdict(g->s))
		end += 12 + SVG_LINE * verdict_lines(g, piece, &x);
	fprintf(out, "<svg class=\"band\" viewBox=\"0 0 %u %u\" width=\"%u\" "
		"height=\"%u\" role=\"img\" aria-label=\"picture, part %u of %u\" "
		"xml:space=\"preserve\">\n", g->width, end, g->width, end,
		band + 1, g->nbands);
	put_names(g, out);
	for (i = 0; i < g->lanes.n; i++)
		fprintf(out, "<path class=\"lane\" d=\"M%u %uV%u\"/>\n", g->x[i],
			g->head + 4, b->height);
	put_runs(g, b, out);
	for (i = 0; i < g->nspans; i++)
		put_bar(g, i, band, out);
	for (i = b->first; i < b->last; i++) {
		put_arrow(g, i, out);
		put_row(g, i, out);
	}
	if (last)
		put_verdict(g, b->height, out);
	fputs("</svg>\n", out);
}

static void put_legend(const struct svg *g, FILE *out)
{
	u32 i;

	fputs("<p class=\"legend\">", out);
	for (i = 0; i < g->nlocks; i++) {
		fprintf(out, "<span class=\"key\"><b style=\"background:%s\">%c</b> ",
			color_of(i), 'A' + (int)i);
		html_text(out, g->lock[i]);
		fputs("</span> ", out);
	}
	fputs(g->nlocks ? "<span>bars: locks held (full: written or exclusive, "
	      "hollow: read, dashed: waits)</span> " : "", out);
	fputs("<span>circles: memory (hollow: read); squares: locks; "
	      "numbers: steps of the run</span></p>\n", out);
}

void picture_svg(const struct svg *g, FILE *out)
{
	u32 i;

	for (i = 0; i < g->nbands; i++)
		put_band(g, i, out);
	put_legend(g, out);
}
