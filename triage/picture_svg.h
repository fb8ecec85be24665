/* SPDX-License-Identifier: MIT */
/* The picture as SVG: its geometry (svg_layout.c) and its drawing
 * (picture_svg.c).  Lengths are in pixels. */
#ifndef TRIAGE_PICTURE_SVG_H
#define TRIAGE_PICTURE_SVG_H

#include "picture.h"

enum {
	SVG_CHAR = 73,    /* width of a character, in tenths */
	SVG_LINE = 17,    /* height of a line */
	SVG_LEFT = 46,    /* numbers of the steps */
	SVG_BAR = 11,     /* from one lock's bar to the next */
	SVG_TOP = 12,     /* below the names of the lanes */
	SVG_MAX_BARS = 6,
	SVG_NO_SLOT = 255,
};

struct svg_row {
	u32 band;
	u32 gap;       /* above y: room for the arrow from another lane */
	u32 y, height; /* in its band */
	u32 preempted; /* preemptions between the row above and this one */
};

struct svg_band {
	u32 first, last; /* rows, last excluded */
	u32 height;      /* with the names */
};

struct svg_point {
	u32 band, y;
};

struct svg_bar {
	struct svg_point from, got, to;
	u8 slot;
};

struct svg {
	const struct story *s;
	struct rows rows;
	struct lanes lanes;
	u32 x[HD_MAX_TASKS];    /* lane's line, by index of the lane */
	u32 bars[HD_MAX_TASKS]; /* slots for locks beside it */
	u32 width, head;        /* of all; height of the names */
	bool landscape;         /* how it is best printed */
	struct svg_row *row;
	struct svg_band *band;
	u32 nbands;
	struct lock_span *span;
	struct svg_bar *bar;    /* of each span */
	u32 nspans;
	u32 race[2];            /* records of the two accesses, or s->n */
	const char *lock[26];   /* names, by letter */
	u32 nlocks;
};

void svg_make(struct svg *g, const struct story *s);
void svg_free(struct svg *g);
/* Where in the picture is record rec?  In the middle of the row that shows it,
 * else above the next row. */
struct svg_point svg_at(const struct svg *g, u32 rec);
u32 svg_lane(const struct svg *g, u32 task); /* index of the lane */
u32 svg_lock(const struct svg *g, const char *name); /* letter, 0 is A */

bool svg_comes(const struct svg *g, u32 row); /* does an interrupt come before it? */
/* Is the verdict about what the row shows? */
bool svg_guilty(const struct svg *g, u32 row);
/* All bands, then what the signs mean. */
void picture_svg(const struct svg *g, FILE *out);

#endif
