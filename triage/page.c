/* SPDX-License-Identifier: MIT */
/* Lines of text within a width: paragraphs wrapped at blanks, and places
 * ("file:line") set to the right.  A tab is a blank at which no line ends. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

enum { LONGEST = 1200 };

void page_init(struct page *p, u32 width)
{
	p->line = NULL;
	p->n = 0;
	p->width = width;
}

void page_free(struct page *p)
{
	u32 i;

	for (i = 0; i < p->n; i++)
		free(p->line[i]);
	free(p->line);
	p->line = NULL;
	p->n = 0;
}

static void add(struct page *p, const char *text)
{
	size_t n = strlen(text);
	char *line;

	if (!(p->n & (p->n + 1)) || !p->line)
		p->line = realloc(p->line, (2 * p->n + 2) * sizeof(char *));
	while (n && text[n - 1] == ' ')
		n--;
	line = strndup(text, n);
	p->line[p->n++] = line;
	while ((line = strchr(line, '\t')))
		*line = ' ';
}

void page_line(struct page *p, const char *fmt, ...)
{
	char text[LONGEST];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	add(p, text);
}

/* How many bytes of text go on a line of width: up to the last blank that
 * fits, or all; a single word is cut before a bracket or behind an underscore,
 * if it has one in its second half. */
static size_t fits(const char *text, size_t width)
{
	size_t n = strlen(text), i;

	if (n <= width)
		return n;
	for (i = width; i > 0; i--)
		if (text[i] == ' ')
			return i;
	for (i = width; i > width / 2; i--)
		if (text[i] == '(')
			return i;
	for (i = width; i > width / 2; i--)
		if (text[i - 1] == '_')
			return i;
	return width;
}

u32 wrap_text(const char *text, u32 width, char piece[][160], u32 max)
{
	u32 n = 0;

	if (width > 159)
		width = 159;
	while (*text && n < max) {
		size_t len = fits(text, width);

		snprintf(piece[n++], 160, "%.*s", (int)len, text);
		text += len;
		while (*text == ' ')
			text++;
	}
	return n;
}

/* Paragraphs may be long: what a scenario says about itself has no limit. */
void page_wrap(struct page *p, u32 indent, const char *fmt, ...)
{
	char *text, *at, line[LONGEST];
	bool first = true;
	va_list ap;
	int size;

	va_start(ap, fmt);
	size = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	text = at = malloc((size_t)size + 1);
	va_start(ap, fmt);
	vsnprintf(text, (size_t)size + 1, fmt, ap);
	va_end(ap);
	while (*at) {
		u32 in = first ? 0 : indent;
		size_t n = fits(at, p->width - in);

		snprintf(line, sizeof(line), "%*s%.*s", (int)in, "", (int)n,
			 at);
		add(p, line);
		at += n;
		while (*at == ' ')
			at++;
		first = false;
	}
	free(text);
}

void page_place(struct page *p, u32 indent, const char *what,
		const struct sym_site *site)
{
	char place[128];
	size_t n = strlen(what) + indent, m;

	snprintf(place, sizeof(place), "%s:%u", site->file, site->line);
	m = strlen(place);
	if (n + 2 + m <= p->width) {
		u32 at = p->width > 72 ? 46 : 38;

		if (at + m > p->width)
			at = p->width - (u32)m;
		if (n + 2 > at)
			at = (u32)(n + 2);
		page_line(p, "%*s%-*s%s", (int)indent, "", (int)(at - indent),
			  what, place);
		return;
	}
	page_line(p, "%*s%s", (int)indent, "", what);
	page_line(p, "%*s%s", (int)indent + 4, "", place);
}
