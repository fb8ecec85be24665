/* SPDX-License-Identifier: MIT */
/* The report for a terminal, and its order, which the mail form shares: title,
 * model, bound, picture; then what a reader asks next. */
#include <stdlib.h>
#include <string.h>

#include "report.h"

enum { TERMINAL_WIDTH = 80 };

static void print_preemptions(const struct story *s, struct page *p)
{
	const struct report *r = s->report;
	char n[40], least[80] = "", more[80] = "";

	if (!s->preemptions)
		snprintf(n, sizeof(n), "no preemption");
	else
		snprintf(n, sizeof(n), "%u preemption%s", s->preemptions,
			 s->preemptions == 1 ? "" : "s");
	if (s->choices)
		snprintf(more, sizeof(more), ", %u other choice%s", s->choices,
			 s->choices == 1 ? "" : "s");
	if (r->min_known && r->proved && s->preemptions)
		snprintf(least, sizeof(least), "; with %u: none (exhausted)",
			 r->exhausted);
	else if (r->min_known && s->preemptions)
		snprintf(least, sizeof(least), "; fewer: not proved");
	page_wrap(p, 2, "%s%s%s.%s", n, more, least, is_program(s->scenario) ? "" :
		  "  MODEL, not kernel code");
}

static void print_head(const struct story *s, struct page *p)
{
	const char *source = variant_source(s->scenario, s->variant);

	page_wrap(p, 8, "heddle: %s", s->title);
	if (is_program(s->scenario))
		page_wrap(p, 2, "program %s", s->scenario->name);
	else if (s->scenario->canary)
		page_line(p, "planted: nothing real is modelled");
	else
		page_wrap(p, 2, "model of %s",
			  source ? source : s->scenario->name);
	page_wrap(p, 2, "%s:%s (%s), SC", s->scenario->name, s->variant->name,
		  s->variant->title ? s->variant->title : s->variant->name);
	print_preemptions(s, p);
}

static void print_others(const struct story *s, struct page *p)
{
	char title[200], line[1000] = "";
	u32 i;

	for (i = 0; i < s->nverdicts && strlen(line) < 700; i++) {
		if (i == s->at)
			continue;
		verdict_title(&s->verdicts[i], title, sizeof(title));
		snprintf(line + strlen(line), sizeof(line) - strlen(line),
			 "%s%s", line[0] ? "; " : "", title);
	}
	if (line[0])
		page_wrap(p, 2, "also in this run: %s", line);
}

/* A path cannot be wrapped: a long one is told by its name. */
static void print_file(const char *file, struct page *p)
{
	const char *slash = file ? strrchr(file, '/') : NULL;
	u32 room = p->width - (u32)strlen(program) - 8;

	if (!file)
		return;
	if (slash && strlen(file) > room)
		file = slash + 1;
	page_line(p, "%s replay %s", program,
		  strlen(file) > room ? "\\" : file);
	if (strlen(file) > room)
		page_line(p, "  %s", file);
}

static void append(struct page *to, struct page *from)
{
	u32 i;

	for (i = 0; i < from->n; i++)
		page_line(to, "%s", from->line[i]);
	page_free(from);
}

/* Values that point at objects are named after the world, so what needs the
 * story's own run comes before the neighbour's runs. */
void report_parts(const struct story *s, u32 width, struct report_parts *parts)
{
	struct page *detail = &parts->detail, *after = &parts->after;
	char words[400];
	bool near;

	page_init(&parts->head, width);
	page_init(detail, width);
	page_init(after, width);
	print_head(s, &parts->head);
	report_splat(s, detail);
	report_locks(s, detail);
	report_detail(s, detail);
	near = story_verdict(s) && neighbour_describe(s, words, sizeof(words));
	report_witness(s, detail);
	hd_run_with_log(&s->report->schedule);
	if (near)
		page_wrap(after, 2, "%s", words);
	print_others(s, after);
	if (s->scenario->not_modelled)
		page_wrap(after, 2, "not modelled: %s",
			  s->scenario->not_modelled);
}

void report_page(const struct story *s, struct page *p)
{
	struct report_parts parts;

	report_parts(s, p->width, &parts);
	append(p, &parts.head);
	page_line(p, "%s", "");
	picture_draw(s, p);
	page_line(p, "%s", "");
	append(p, &parts.after);
	print_file(s->report->file, p);
	append(p, &parts.detail);
}

/* --- colour -------------------------------------------------------------- */

static const char *color_of(const struct page *p, u32 i)
{
	if (i == 0)
		return "\033[1m";
	return strstr(p->line[i], "<== ") ? "\033[31m" : NULL;
}

void report_text(FILE *out, const struct report *r, bool color)
{
	struct story s;
	struct page p;
	u32 i;

	story_tell(&s, r);
	page_init(&p, TERMINAL_WIDTH);
	report_page(&s, &p);
	for (i = 0; i < p.n; i++) {
		const char *c = color ? color_of(&p, i) : NULL;

		fprintf(out, "%s%s%s\n", c ? c : "", p.line[i],
			c ? "\033[0m" : "");
	}
	page_free(&p);
	story_free(&s);
}
