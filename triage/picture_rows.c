/* SPDX-License-Identifier: MIT */
/* Which rows does the picture have?
 *
 * A row is an op, a hand-written annotation, or the name of the model function
 * that a task enters.  A function that shows a single load or store shares its
 * row with it, and one that shows a single lock op if its name says which:
 * "mmap_write_unlock  mmap_lock". */
#include <stdlib.h>
#include <string.h>

#include "picture.h"

enum { MOST_ROWS = 160, KEEP_FIRST = 60, KEEP_LAST = 80 };

void rows_free(struct rows *rows)
{
	free(rows->at);
	memset(rows, 0, sizeof(*rows));
}

static struct row *push(struct rows *rows, u8 kind, u8 task, u32 rec)
{
	struct row *r;

	if (rows->n == rows->room) {
		rows->room = rows->room ? 2 * rows->room : 64;
		rows->at = realloc(rows->at, rows->room * sizeof(*r));
	}
	r = &rows->at[rows->n++];
	memset(r, 0, sizeof(*r));
	r->kind = kind;
	r->task = task;
	r->rec = rec;
	r->times = 1;
	return r;
}

/* The values of a lock are whether and when it was got. */
void story_statement(const struct story *s, u32 i, struct statement *st)
{
	const char *word = s->flag[i] & REC_WAITS    ? "waits" :
			   s->flag[i] & REC_FAILED   ? "fails" :
			   s->flag[i] & REC_GOT      ? "ok" :
			   s->log[i].ev.op.kind == HD_ACQUIRED ? "acquired" :
							NULL;

	statement_make(&s->log[i], st);
	if (word)
		snprintf(st->values, sizeof(st->values), "%s", word);
}

static void push_head(struct rows *rows, const struct story *s, u32 i,
		      char function[64], bool *inside)
{
	const struct hd_record *rec = &s->log[i];
	struct sym_site stack[24];
	u32 n = statement_stack(rec, stack, ARRAY_SIZE(stack));
	struct row *r;

	/* the task's own function needs no name, nor does the way out */
	*inside = n && rec->ev.op.kind != HD_USER && !is_rcu_free(rec) &&
		  strcmp(stack[0].function, s->task_fn[rec->ev.task]);
	if (n && !strcmp(function, stack[0].function))
		return;
	snprintf(function, 64, "%s", n ? stack[0].function : "");
	if (!*inside)
		return;
	r = push(rows, ROW_HEAD, rec->ev.task, i);
	snprintf(r->st.verb, sizeof(r->st.verb), "%.47s", stack[0].function);
}

static bool same_row(const struct row *a, const struct row *b)
{
	return a->kind == ROW_OP && b->kind == ROW_OP && a->task == b->task &&
	       !strcmp(a->st.verb, b->st.verb) &&
	       !strcmp(a->st.object, b->st.object) &&
	       !strcmp(a->st.values, b->st.values) &&
	       !strcmp(a->remark, b->remark);
}

static void push_op(struct rows *rows, const struct story *s, u32 i,
		    bool inside)
{
	struct row *r = push(rows, ROW_OP, s->log[i].ev.task, i), *before;

	r->op = s->log[i].ev.op.kind;
	r->indent = inside ? 2 : 0;
	story_statement(s, i, &r->st);
	before = rows->n > 1 ? r - 1 : NULL;
	if (before && same_row(before, r)) {
		before->times++;
		rows->n--;
	}
}

static void push_remark(struct rows *rows, const struct story *s, u32 i)
{
	struct row *r = rows->n ? &rows->at[rows->n - 1] : NULL;
	u8 task = s->log[i].ev.task;

	if (!r || r->task != task || r->kind != ROW_OP || r->remark[0]) {
		r = push(rows, ROW_OP, task, i);
		r->indent = 2;
	}
	snprintf(r->remark, sizeof(r->remark), "%s",
		 s->log[i].ev.text ? s->log[i].ev.text : "");
}

/* --- a function and its only op on one row ------------------------------- */

/* "request lock" does not say whether it locks or unlocks. */
static bool merges(u8 op, const char *function)
{
	if (op == HD_LOCK || op == HD_TRYLOCK || op == HD_UNLOCK ||
	    op == HD_DOWNGRADE)
		return strstr(function, "lock") || strstr(function, "downgrade");
	return op == HD_LOAD || op == HD_STORE;
}

static bool is_only_op(const struct rows *rows, u32 head)
{
	u8 task = rows->at[head].task;
	u32 i;

	if (head + 1 >= rows->n || rows->at[head + 1].kind != ROW_OP ||
	    rows->at[head + 1].times > 1 || !merges(rows->at[head + 1].op, rows->at[head].st.verb))
		return false;
	for (i = head + 2; i < rows->n; i++)
		if (rows->at[i].task == task)
			return rows->at[i].kind == ROW_HEAD ||
			       !rows->at[i].indent;
	return true;
}

static void merge_heads(struct rows *rows)
{
	u32 i, n = 0;

	for (i = 0; i < rows->n; i++) {
		struct row r = rows->at[i];

		if (r.kind == ROW_HEAD && is_only_op(rows, i)) {
			struct statement st = r.st;

			r = rows->at[++i];
			memcpy(r.st.verb, st.verb, sizeof(r.st.verb));
			r.indent = 0;
		}
		rows->at[n++] = r;
	}
	rows->n = n;
}

/* A run of thousands of ops is not read: keep its beginning and its end. */
static void cut(struct rows *rows)
{
	u32 left_out = rows->n - KEEP_FIRST - KEEP_LAST;
	struct row *gap;

	if (rows->n <= MOST_ROWS)
		return;
	gap = &rows->at[KEEP_FIRST];
	memset(gap, 0, sizeof(*gap));
	gap->kind = ROW_GAP;
	gap->times = left_out;
	memmove(gap + 1, &rows->at[rows->n - KEEP_LAST],
		KEEP_LAST * sizeof(*gap));
	rows->n = KEEP_FIRST + 1 + KEEP_LAST;
}

void rows_build(const struct story *s, struct rows *rows)
{
	char function[HD_MAX_TASKS][64] = { { 0 } };
	bool inside[HD_MAX_TASKS] = { false };
	u32 i;

	memset(rows, 0, sizeof(*rows));
	for (i = 0; i < s->n; i++) {
		u8 task = s->log[i].ev.task;

		if (!(s->flag[i] & REC_SHOWN) || task >= s->ntasks)
			continue;
		if (s->log[i].ev.op.kind == HD_EV_REMARK &&
		    !is_claim(&s->log[i])) {
			push_remark(rows, s, i);
			continue;
		}
		push_head(rows, s, i, function[task], &inside[task]);
		push_op(rows, s, i, inside[task]);
	}
	merge_heads(rows);
	if (!s->all)
		cut(rows);
}
