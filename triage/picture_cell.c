/* SPDX-License-Identifier: MIT */
/* Which lines does a row have in a lane of this width? */
#include <string.h>

#include "picture.h"

static void what_of(const struct row *r, char *buf, size_t size)
{
	snprintf(buf, size, "%s%s%s", r->st.object,
		 r->st.object[0] && r->st.values[0] ? " " : "",
		 r->st.values);
	if (r->times > 1)
		snprintf(buf + strlen(buf), size - strlen(buf),
			 "%s(%u times)", buf[0] ? " " : "", r->times);
}

u32 row_verb_end(const struct row *r)
{
	return (u32)(r->indent + strlen(r->st.verb));
}

/* "vm_lock_seq = 1" says by itself that it is a load. */
static bool is_plain_load(const struct row *r)
{
	return r->op == HD_LOAD && r->indent && r->st.values[0] == '=';
}

u32 row_width(const struct row *r)
{
	char what[200];

	what_of(r, what, sizeof(what));
	if (is_plain_load(r))
		return r->indent + (u32)strlen(what);
	return row_verb_end(r) + (what[0] ? 1 : 0) + (u32)strlen(what);
}

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
	u32 at = row_verb_end(r) + 1, n;

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

void cell_make(struct cell *c, const struct row *r, const struct lane *l)
{
	c->n = 0;
	if (r->st.verb[0])
		cell_statement(c, r, l);
	if (r->remark[0])
		cell_remark(c, r, l);
}
