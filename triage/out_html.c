/* SPDX-License-Identifier: MIT */
/* The report as one HTML page that needs nothing else: no script, no font, no
 * network.  Order as in the text; then the schedule, and each row with what
 * the pointer shows on the screen, for paper. */
#include <string.h>

#include "picture_svg.h"
#include "search.h"

enum { NO_WRAP = 1000, MOST_SHOWN_EDITS = 32 };

static const char style[] =
	"body{font:15px/1.45 system-ui,sans-serif;color:#1a1a1a;background:#fff;"
	"margin:1.5em}\n"
	"header,section,p{max-width:72em}\n"
	"h1{font-size:1.35em;margin:0 0 .3em;color:#a00000}\n"
	"h2{font-size:1.05em;margin:1.6em 0 .4em}\n"
	"p{margin:.25em 0}section+p{margin-top:1em}\n"
	"pre,code,td.m,svg{font:12px/17px 'DejaVu Sans Mono',Menlo,Consolas,"
	"'Liberation Mono',monospace}\n"
	"pre{margin:.2em 0;overflow-x:auto}\n"
	".facts{color:#555;font-size:.87em}\n"
	".picture{overflow-x:auto;margin:1.2em 0;padding:.6em 0;"
	"border-top:1px solid #ccc;border-bottom:1px solid #ccc}\n"
	".band{display:block}\n"
	".band text{fill:#1a1a1a;white-space:pre}\n"
	".band .name text{font-weight:bold}\n"
	".lane{stroke:#c8c8c8;stroke-width:1;stroke-dasharray:2 3}\n"
	".run{stroke:#333;stroke-width:2.5}\n"
	".hit{fill:transparent}\n"
	".row:hover .hit{fill:#eef3fa}\n"
	".row .v{fill:#00539c}\n"
	".row.fn text{font-weight:bold;fill:#444}\n"
	".row .num{font-size:10px;fill:#888;font-weight:normal;text-anchor:end}\n"
	".dot{fill:#333;stroke:#333;stroke-width:1.5}\n"
	".dot.read{fill:#fff}\n"
	".guilty .hit{fill:#fde8e6}\n"
	".guilty text,.guilty .v{fill:#a00000;font-weight:bold}\n"
	".guilty .dot{fill:#c00000;stroke:#c00000}\n"
	".arrow path{fill:none;stroke:#777;stroke-width:1;stroke-dasharray:3 2}\n"
	".arrow .tip{fill:#777;stroke:none}\n"
	".arrow.pre path{stroke:#b34700;stroke-width:1.5;stroke-dasharray:none}\n"
	".arrow.pre .tip{fill:#b34700;stroke:none}\n"
	".arrow .note{fill:#b34700;font-size:10px;font-style:italic}\n"
	".bar .letter{font-size:8px;line-height:1;text-anchor:middle;"
	"font-weight:bold}\n"
	".verdict rect{fill:#fff;stroke:#c00000;stroke-width:1.5}\n"
	".verdict text{fill:#a00000;font-weight:bold}\n"
	".legend{font-size:.82em;color:#555;margin-top:.6em;max-width:88em}\n"
	".legend span{margin-right:1.2em}\n"
	".key b{color:#fff;padding:0 .35em;border-radius:2px}\n"
	"table{border-collapse:collapse;font-size:.87em;width:100%}\n"
	"th,td{text-align:left;vertical-align:top;padding:.12em .8em .12em 0;"
	"border-bottom:1px solid #e4e4e4}\n"
	"td.n{text-align:right;color:#777}\n"
	"td.t{white-space:nowrap}td.w{overflow-wrap:anywhere}\n"
	"section{margin:.6em 0}\n"
	"tr.guilty td{background:#fde8e6}\n"
	"tr:target td{background:#dbe8f7}\n"
	"@media print{body{margin:0;font-size:10pt}"
	".picture{overflow:visible}.band{max-width:100%;width:auto;height:auto;"
	"break-inside:avoid}"
	"*{-webkit-print-color-adjust:exact;print-color-adjust:exact}"
	"h2{break-after:avoid}tr,section.short{break-inside:avoid}"
	"pre{white-space:pre-wrap;font-size:8.5pt;line-height:1.3}"
	"thead{display:table-header-group}}\n";

/* --- words ---------------------------------------------------------------- */

static void put_paragraph(FILE *out, const char *line)
{
	fputs("<p>", out);
	html_text(out, line);
	fputs("</p>\n", out);
}

static void put_head(const struct story *s, const struct page *head, FILE *out)
{
	u32 i;

	fputs("<header>\n<h1>", out);
	html_text(out, s->title);
	fputs("</h1>\n", out);
	for (i = 1; i < head->n; i++) /* the first is the title */
		put_paragraph(out, head->line[i]);
	fputs("<p class=\"facts\">", out);
	html_printf(out, "model build %016llx, trace hash %016llx, %u ops, "
		    "%u switch%s", (unsigned long long)sym_model_id(),
		    (unsigned long long)s->hash, s->ops, s->switches,
		    s->switches == 1 ? "" : "es");
	fputs("</p>\n</header>\n", out);
}

/* A block of the text report: its first line is a heading, unless it is the
 * only one, or a picture. */
static void put_block(FILE *out, char **line, u32 n)
{
	u32 i = 0;

	if (n == 1) {
		put_paragraph(out, line[0]);
		return;
	}
	fprintf(out, "<section%s>\n", n < 30 ? " class=\"short\"" : "");
	if (line[0][0] != ' ') {
		fputs("<h2>", out);
		html_text(out, line[i++]);
		fputs("</h2>\n", out);
	}
	fputs("<pre>", out);
	for (; i < n; i++) {
		html_text(out, line[i]);
		fputc('\n', out);
	}
	fputs("</pre>\n</section>\n", out);
}

static void put_blocks(FILE *out, const struct page *p)
{
	u32 i, end;

	for (i = 0; i < p->n; i = end) {
		if (!p->line[i][0]) {
			end = i + 1;
			continue;
		}
		for (end = i; end < p->n && p->line[end][0]; end++)
			;
		put_block(out, &p->line[i], end - i);
	}
}

/* --- the schedule ---------------------------------------------------------- */

static void put_edit(const struct hd_edit *e, FILE *out)
{
	struct anchor a;
	char text[160], task[64];

	edit_text(e, text, sizeof(text));
	fputs("<li><code>", out);
	html_text(out, text);
	fputs("</code>", out);
	if (e->kind != HD_EDIT_CHOOSE && e->kind != HD_EDIT_FAIL) {
		anchor_describe(e->task, e->anchor, &a);
		html_printf(out, "  before op %u of %s: %s", e->anchor,
			    task_label(e->task, task, sizeof(task)),
			    a.statement[0] ? a.statement : "not reached");
	}
	fputs("</li>\n", out);
}

static void put_schedule(const struct story *s, FILE *out)
{
	const struct hd_schedule *h = &s->report->schedule;
	u8 order[MOST_SHOWN_EDITS];
	u32 i, n = edits_in_order(h, order, ARRAY_SIZE(order));

	fputs("<section class=\"short\">\n<h2>schedule</h2>\n<p>", out);
	html_printf(out, "%s, seed %u%s", hd_strategy_by_id(h->strategy)->name,
		    h->seed, n ? "; then, in the order in which they act:" :
		    h->strategy ? "" : ": every task runs on until it blocks");
	fputs("</p>\n<ol>\n", out);
	for (i = 0; i < n; i++)
		put_edit(&h->edit[order[i]], out);
	if (h->nedits > n)
		html_printf(out, "... %u more in the file\n", h->nedits - n);
	fputs("</ol>\n", out);
	if (s->report->file) {
		fputs("<p>again: <code>", out);
		html_printf(out, "%s replay %s", program, s->report->file);
		fputs("</code></p>\n", out);
	}
	fputs("</section>\n", out);
}

/* --- each row, for paper ---------------------------------------------------- */

static void put_cells(const struct svg *g, u32 i, FILE *out)
{
	const struct row *r = &g->rows.at[i];
	const struct hd_record *rec = &g->s->log[r->rec];
	struct sym_site site;
	char held[400];

	fprintf(out, "<tr id=\"r%u\"%s><td class=\"n\">%u</td><td class=\"t\">", i,
		svg_guilty(g, i) ? " class=\"guilty\"" : "", rec->ev.step);
	html_text(out, story_task(g->s, r->task));
	fputs("</td><td class=\"m\">", out);
	html_printf(out, "%s%s%s%s%s", r->st.verb, r->st.object[0] ? " " : "",
		    r->st.object, r->st.values[0] ? " " : "", r->st.values);
	if (r->times > 1)
		html_printf(out, " (%u times)", r->times);
	if (r->remark[0])
		html_printf(out, " (%s)", r->remark);
	fputs("</td><td>", out);
	held_text(g->span, g->nspans, r->task, r->rec, held, sizeof(held));
	html_text(out, held);
	fputs("</td><td class=\"w\">", out);
	if (statement_stack(rec, &site, 1))
		html_printf(out, "%s, %s:%u", site.function, site.file,
			    site.line);
	fputs("</td></tr>\n", out);
}

static void put_table(const struct svg *g, FILE *out)
{
	u32 i;

	fputs("<section>\n<h2>each row of the picture</h2>\n<table>\n<thead><tr>"
	      "<th>step</th><th>task</th><th>op</th><th>locks then held</th>"
	      "<th>place</th></tr></thead>\n<tbody>\n", out);
	for (i = 0; i < g->rows.n; i++)
		if (g->rows.at[i].kind == ROW_OP)
			put_cells(g, i, out);
	fputs("</tbody>\n</table>\n</section>\n", out);
}

/* --- the page --------------------------------------------------------------- */

static void put_top(const struct story *s, const struct svg *g, FILE *out)
{
	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
	      "<meta charset=\"utf-8\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width\">\n<title>",
	      out);
	html_printf(out, "heddle: %s", s->title);
	fprintf(out, "</title>\n<style>\n%s@media print{"
		"@page{size:A4%s;margin:12mm}.band{max-height:%umm}}\n"
		"</style>\n</head>\n<body>\n", style,
		g->landscape ? " landscape" : "", g->landscape ? 175 : 260);
}

void report_html(FILE *out, const struct report *r)
{
	struct story s;
	struct svg g;
	struct report_parts parts;
	u32 i;

	story_tell(&s, r);
	svg_make(&g, &s);
	report_parts(&s, NO_WRAP, &parts);
	put_top(&s, &g, out);
	put_head(&s, &parts.head, out);
	fputs("<main>\n<div class=\"picture\">\n", out);
	picture_svg(&g, out);
	fputs("</div>\n", out);
	for (i = 0; i < parts.after.n; i++)
		put_paragraph(out, parts.after.line[i]);
	put_blocks(out, &parts.detail);
	put_schedule(&s, out);
	put_table(&g, out);
	fputs("</main>\n</body>\n</html>\n", out);
	page_free(&parts.head);
	page_free(&parts.after);
	page_free(&parts.detail);
	svg_free(&g);
	story_free(&s);
}
