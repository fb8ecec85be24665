/* SPDX-License-Identifier: MIT */
/* Rows and lanes of a picture, before text or SVG is made of them. */
#ifndef TRIAGE_PICTURE_H
#define TRIAGE_PICTURE_H

#include "report.h"

enum row_kind { ROW_HEAD, ROW_OP, ROW_GAP };

struct row {
	u8 kind;
	u8 task;
	u8 op;       /* enum hd_kind */
	u8 indent;
	u32 rec;     /* index of the record */
	u32 times;   /* so often in a row */
	struct statement st; /* head: the verb is the function */
	char remark[160];
};

struct rows {
	struct row *at;
	u32 n, room;
};

/* What is shown of the story, in the order in which it happened. */
void rows_build(const struct story *s, struct rows *rows);
void rows_free(struct rows *rows);

/* --- picture_lanes.c ------------------------------------------------------ */

struct lane {
	u32 task, x, width; /* in columns of text */
	u32 object_at;      /* where objects begin, from x */
};

struct lanes {
	struct lane at[HD_MAX_TASKS];
	u32 n;
};

/* One for each task that has rows, in the order of the scenario's tasks. */
void lanes_find(struct lanes *l, const struct story *s, const struct rows *rows);
/* Objects of a lane begin in one column where verbs are short enough. */
void lanes_align(struct lanes *l, const struct rows *rows);
struct lane *lane_of(struct lanes *l, u32 task);
/* "timer (irq on fault)": a handler says whom it interrupts, if width allows. */
const char *lane_title(const struct story *s, u32 task, u32 width);
/* Columns for the title and the longest row of the task. */
u32 lane_need(const struct story *s, const struct rows *rows, u32 task);

/* --- picture_cell.c ------------------------------------------------------- */

struct cell {
	char line[12][160];
	u32 n;
};

void cell_make(struct cell *c, const struct row *r, const struct lane *l);
u32 row_verb_end(const struct row *r);
/* Columns, without the remark, objects not aligned. */
u32 row_width(const struct row *r);

#endif
