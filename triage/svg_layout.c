/* SPDX-License-Identifier: MIT */
/* Where in the SVG does each row, lane and lock stand?
 *
 * Each task has a lane: a line, beside it the bars of the locks that it holds,
 * then the text.  The picture is cut into bands, each with the names of the
 * lanes above, so that no row is cut by the end of a printed page. */
#include <stdlib.h>
#include <string.h>

#include "picture_svg.h"

/* A band fits on a page of A4, upright or, if the picture is wide, lying. */
enum { TALL_BAND = 840, FLAT_BAND = 600, WIDE = 900, LANE_GAP = 22, ARROW_GAP = 14, LABEL_GAP = 24,
       LEAST_WIDTH = 560 };

u32 svg_lane(const struct svg *g, u32 task)
{
	u32 i;

	for (i = 0; i < g->lanes.n; i++)
		if (g->lanes.at[i].task == task)
			return i;
	return 0;
}

u32 svg_lock(const struct svg *g, const char *name)
{
	u32 i;

	for (i = 0; i < g->nlocks; i++)
		if (!strcmp(g->lock[i], name))
			break;
	return i;
}

/* --- rows ----------------------------------------------------------------- */

static const struct row *row_above(const struct svg *g, u32 i)
{
	while (i-- > 0)
		if (g->rows.at[i].kind != ROW_GAP)
			return &g->rows.at[i];
	return NULL;
}

bool svg_comes(const struct svg *g, u32 row)
{
	u8 task = g->rows.at[row].task;
	u32 i;

	for (i = 0; i < row; i++)
		if (g->rows.at[i].kind != ROW_GAP && g->rows.at[i].task == task)
			return false;
	return W->tasks[task].irq;
}

static u32 height_of(const struct svg *g, u32 i)
{
	const struct row *r = &g->rows.at[i];
	struct cell cell;

	if (r->kind == ROW_GAP)
		return 2 * SVG_LINE;
	cell_make(&cell, r, &g->lanes.at[svg_lane(g, r->task)]);
	return SVG_LINE * (cell.n ? cell.n : 1);
}

static void measure_rows(struct svg *g)
{
	u32 i;

	g->row = calloc(g->rows.n + 1, sizeof(*g->row));
	for (i = 0; i < g->rows.n; i++) {
		const struct row *r = &g->rows.at[i], *up = row_above(g, i);
		struct svg_row *at = &g->row[i];

		at->height = height_of(g, i);
		if (!up || r->kind == ROW_GAP || up->task == r->task)
			continue;
		at->preempted = g->s->log[r->rec].preemptions -
				g->s->log[up->rec].preemptions;
		at->gap = at->preempted || svg_comes(g, i) ? LABEL_GAP :
							     ARROW_GAP;
	}
}

/* Bands of one height: the last would else often have a row or two. */
static u32 height_of_bands(const struct svg *g)
{
	u32 i, all = 0, most = g->landscape ? FLAT_BAND : TALL_BAND;

	for (i = 0; i < g->rows.n; i++)
		all += g->row[i].gap + g->row[i].height;
	return all / (all / most + 1) + 2 * SVG_LINE;
}

static void place_rows(struct svg *g)
{
	u32 i, y = 0, most = height_of_bands(g);

	g->band = calloc(g->rows.n + 1, sizeof(*g->band));
	g->nbands = 1;
	for (i = 0; i < g->rows.n; i++) {
		struct svg_row *at = &g->row[i];

		/* a function and its first op stay together */
		if (y && y + at->gap + at->height > most &&
		    g->rows.at[i - 1].kind != ROW_HEAD) {
			g->band[g->nbands++].first = i;
			y = 0;
		}
		at->band = g->nbands - 1;
		at->y = g->head + SVG_TOP + y + at->gap;
		y += at->gap + at->height;
		g->band[at->band].last = i + 1;
		g->band[at->band].height = at->y + at->height;
	}
	if (!g->rows.n)
		g->band[0].height = g->head + SVG_TOP;
}

struct svg_point svg_at(const struct svg *g, u32 rec)
{
	struct svg_point end = { g->nbands - 1, g->band[g->nbands - 1].height };
	u32 i;

	for (i = 0; i < g->rows.n; i++) {
		const struct row *r = &g->rows.at[i];
		const struct svg_row *at = &g->row[i];
		u32 y = at->y;

		if (r->kind != ROW_OP || r->rec < rec)
			continue;
		if (r->rec == rec)
			y += SVG_LINE / 2;
		else
			y -= at->gap;
		return (struct svg_point){ at->band, y };
	}
	return end;
}

/* --- locks ---------------------------------------------------------------- */

static struct svg_bar bar_of(const struct svg *g, const struct lock_span *sp)
{
	struct svg_bar bar = { .from = svg_at(g, sp->from), .to = svg_at(g, sp->to),
			       .slot = SVG_NO_SLOT };

	bar.got = sp->got >= sp->to ? bar.to :
		  sp->got > sp->from ? svg_at(g, sp->got) : bar.from;
	return bar;
}

static bool has_extent(const struct svg_bar *bar)
{
	return bar->from.band != bar->to.band || bar->from.y + 4 < bar->to.y;
}

static u8 free_slot(const struct svg *g, u32 i)
{
	bool taken[SVG_MAX_BARS] = { false };
	u32 k;

	for (k = 0; k < i; k++)
		if (g->bar[k].slot != SVG_NO_SLOT &&
		    g->span[k].task == g->span[i].task &&
		    g->span[k].to > g->span[i].from)
			taken[g->bar[k].slot] = true;
	for (k = 0; k < SVG_MAX_BARS; k++)
		if (!taken[k])
			return (u8)k;
	return SVG_NO_SLOT;
}

static void place_locks(struct svg *g)
{
	u32 i, lane;

	g->bar = calloc(g->nspans + 1, sizeof(*g->bar));
	for (i = 0; i < g->nspans; i++) {
		const struct lock_span *sp = &g->span[i];
		struct svg_bar *bar = &g->bar[i];
		u32 lock = svg_lock(g, sp->name);

		*bar = bar_of(g, sp);
		lane = svg_lane(g, sp->task);
		if (!g->lanes.n || g->lanes.at[lane].task != sp->task ||
		    !has_extent(bar) || lock >= ARRAY_SIZE(g->lock))
			continue;
		bar->slot = free_slot(g, i);
		if (lock == g->nlocks)
			g->lock[g->nlocks++] = sp->name;
		if (bar->slot != SVG_NO_SLOT && bar->slot >= g->bars[lane])
			g->bars[lane] = bar->slot + 1u;
	}
}

/* --- lanes ---------------------------------------------------------------- */

/* Columns of text for a lane: with many of them the picture gets wider, and
 * each lane narrower. */
static u32 most_columns(u32 lanes)
{
	return lanes <= 2 ? 54 : lanes == 3 ? 42 : lanes == 4 ? 36 :
	       lanes <= 6 ? 30 : 26;
}

static void size_lanes(struct svg *g)
{
	char piece[8][160];
	u32 i, n, most = most_columns(g->lanes.n), all = SVG_LEFT;

	lanes_align(&g->lanes, &g->rows);
	g->head = SVG_LINE;
	for (i = 0; i < g->lanes.n; i++) {
		struct lane *l = &g->lanes.at[i];
		u32 need = lane_need(g->s, &g->rows, l->task) + 2;

		l->width = need < 24 ? 24 : need < most ? need : most;
		n = wrap_text(lane_title(g->s, l->task, 127), l->width, piece, 8);
		if (n * SVG_LINE > g->head)
			g->head = n * SVG_LINE;
		all += l->width * SVG_CHAR / 10 + LANE_GAP + 3 * SVG_BAR;
	}
	g->landscape = all > WIDE;
}

static void place_lanes(struct svg *g)
{
	u32 i, x = SVG_LEFT;

	for (i = 0; i < g->lanes.n; i++) {
		g->x[i] = x;
		x += 12 + g->bars[i] * SVG_BAR + LANE_GAP +
		     g->lanes.at[i].width * SVG_CHAR / 10;
	}
	g->width = x < LEAST_WIDTH ? LEAST_WIDTH : x;
}

static void find_race(struct svg *g)
{
	const struct hd_verdict *v = story_verdict(g->s);
	bool race = v && verdict_of_race(v->kind);

	g->race[0] = race ? report_race_earlier(g->s, v) : g->s->n;
	g->race[1] = race ? report_race_later(g->s, v) : g->s->n;
}

void svg_make(struct svg *g, const struct story *s)
{
	memset(g, 0, sizeof(*g));
	g->s = s;
	rows_build(s, &g->rows);
	lanes_find(&g->lanes, s, &g->rows);
	size_lanes(g);
	measure_rows(g);
	place_rows(g);
	g->nspans = lock_spans(s, s->last < s->n ? s->last + 1 : s->n, &g->span);
	place_locks(g);
	place_lanes(g);
	find_race(g);
}

void svg_free(struct svg *g)
{
	rows_free(&g->rows);
	free(g->row);
	free(g->band);
	free(g->span);
	free(g->bar);
}
