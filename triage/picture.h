/* SPDX-License-Identifier: MIT */
/* Rows of a picture, before they are set into columns. */
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

#endif
