/* SPDX-License-Identifier: MIT */
/* The campaign as a page: status.html.
 *
 * One file that needs nothing else, neither network nor script; while the campaign
 * runs it loads itself anew every ten seconds.  The plot has two curves over the
 * time: distinct interleavings that the portfolio ran, and signatures. */
#include <string.h>

#include "campaign.h"
#include "declared.h"

enum { LEFT = 70, RIGHT = 650, TOP = 15, BOTTOM = 195 };

static const char style[] =
	"body{font:14px/1.4 system-ui,sans-serif;margin:1.5em auto;"
	"max-width:72em;padding:0 1em;color:#222;background:#fff}"
	"h1{font-size:1.3em;margin:0}h2{font-size:1.1em;margin:1.5em 0 .3em}"
	"small{font-weight:400;color:#666}"
	"table{border-collapse:collapse;width:100%}"
	"th,td{text-align:left;padding:.15em .6em .15em 0;vertical-align:top;"
	"border-bottom:1px solid #ddd}th{font-weight:600}"
	"td.n,th.n{text-align:right}code{font-size:.95em}"
	".bad{color:#a00;font-weight:600}.good{color:#060}"
	"dl{display:grid;grid-template-columns:9em 1fr;margin:.8em 0}"
	"dt{color:#666}dd{margin:0}svg{max-width:100%;height:auto}"
	"text{font:11px system-ui,sans-serif;fill:#555}"
	"@media print{body{font-size:10px;margin:0}tr{break-inside:avoid}"
	"a{color:inherit;text-decoration:none}}";

static void put_text(FILE *out, const char *text)
{
	for (; *text; text++)
		if (*text == '<')
			fputs("&lt;", out);
		else if (*text == '>')
			fputs("&gt;", out);
		else if (*text == '&')
			fputs("&amp;", out);
		else if (*text == '"')
			fputs("&quot;", out);
		else if (*text == '\t') /* declared_text(): no line ends here */
			fputs("&#160;", out);
		else
			putc(*text, out);
}

/* In a link: signatures are no file names, but folders have odd letters, too. */
static void put_path(FILE *out, const char *path)
{
	for (; *path; path++)
		if (strchr("%?#\"<>& ", *path))
			fprintf(out, "%%%02X", (u8)*path);
		else
			putc(*path, out);
}

/* --- the plot --------------------------------------------------------------------------- */

static double x_of(const struct campaign *c, double when)
{
	double all = campaign_now(c);

	return LEFT + (RIGHT - LEFT) * (all > 0 ? when / all : 0);
}

static double y_of(double value, double most)
{
	return BOTTOM - (BOTTOM - TOP) * (most > 0 ? value / most : 0);
}

static double value_at(const struct point *p, bool bugs)
{
	return bugs ? p->bugs : (double)p->distinct;
}

static void put_curve(FILE *out, const struct campaign *c, bool bugs,
		      const char *color, double most)
{
	u32 i;

	fprintf(out, "<polyline id=\"%s\" fill=\"none\" stroke=\"%s\" "
		"stroke-width=\"1.5\" points=\"%d,%d",
		bugs ? "findings-curve" : "interleavings-curve", color, LEFT,
		BOTTOM);
	for (i = 0; i < c->npoints; i++)
		fprintf(out, " %.1f,%.1f", x_of(c, c->point[i].when),
			y_of(value_at(&c->point[i], bugs), most));
	fprintf(out, "\"/>\n");
}

static void put_label(FILE *out, double x, double y, const char *anchor,
		      const char *text)
{
	fprintf(out, "<text x=\"%.0f\" y=\"%.0f\" text-anchor=\"%s\">%s</text>\n",
		x, y, anchor, text);
}

static void put_plot(FILE *out, const struct campaign *c)
{
	double distinct = 1, bugs = 1;
	char text[40], spent[24];
	u32 i;

	for (i = 0; i < c->npoints; i++) {
		if (value_at(&c->point[i], false) > distinct)
			distinct = value_at(&c->point[i], false);
		if (value_at(&c->point[i], true) > bugs)
			bugs = value_at(&c->point[i], true);
	}
	fprintf(out, "<svg id=\"plot\" viewBox=\"0 0 720 220\" width=\"720\" "
		"role=\"img\" aria-label=\"distinct interleavings and "
		"signatures over time\">\n"
		"<path d=\"M%d %d V%d H%d V%d\" fill=\"none\" stroke=\"#bbb\"/>\n",
		LEFT, TOP, BOTTOM, RIGHT, TOP);
	put_curve(out, c, false, "#06c", distinct);
	put_curve(out, c, true, "#c40", bugs);
	number_words((u64)distinct, text, sizeof(text));
	put_label(out, LEFT - 5, TOP + 5, "end", text);
	put_label(out, LEFT - 5, BOTTOM, "end", "0");
	snprintf(text, sizeof(text), "%.0f", bugs);
	put_label(out, RIGHT + 5, TOP + 5, "start", text);
	put_label(out, RIGHT + 5, BOTTOM, "start", "0");
	time_words(campaign_now(c), spent, sizeof(spent));
	put_label(out, RIGHT, BOTTOM + 15, "end", spent);
	put_label(out, LEFT, BOTTOM + 15, "start", "0:00:00");
	fprintf(out, "<text x=\"%d\" y=\"%d\" style=\"fill:#06c\" text-anchor="
		"\"end\">distinct interleavings (portfolio)</text>\n"
		"<text x=\"%d\" y=\"%d\" style=\"fill:#c40\">signatures"
		"</text>\n</svg>\n", (LEFT + RIGHT) / 2 - 10, BOTTOM + 15,
		(LEFT + RIGHT) / 2 + 10, BOTTOM + 15);
}

/* --- tables ------------------------------------------------------------------------------- */

static void put_bug(FILE *out, const struct campaign *c, const struct bug *b)
{
	char words[200];
	u32 i;

	bug_words(c, b, words, sizeof(words));
	fprintf(out, "<tr><td><a href=\"");
	put_path(out, b->folder);
	fprintf(out, b->minimised ? "/report.html\">" : "/found.txt\">");
	put_text(out, b->signature);
	fprintf(out, "</a></td><td>");
	put_text(out, c->entry[b->seen[0].entry].target.scenario->name);
	fprintf(out, "</td><td>");
	for (i = 0; i < b->nseen; i++) {
		bool bad = b->seen[i].agrees == UNEXPECTED;

		fprintf(out, bad ? "<b class=bad>" : "");
		put_text(out, c->entry[b->seen[i].entry].target.variant->name);
		fprintf(out, "%s%s ", b->seen[i].agrees == DEEPER ?
			" (deeper)" : "", bad ? "</b>" : "");
	}
	fprintf(out, "</td><td>");
	put_text(out, words);
	fprintf(out, "</td></tr>\n");
}

static void put_bugs(FILE *out, const struct campaign *c, bool unexpected)
{
	const char *head = unexpected ? "Not declared by the variant" :
		"Findings <small>(deeper: with more preemptions than is "
		"declared)</small>";
	u32 i, n = 0;

	for (i = 0; i < c->nbugs; i++) {
		if (bug_unexpected(c->bug[i]) != unexpected)
			continue;
		if (!n++)
			fprintf(out, "<h2>%s</h2>\n<table id=\"%s\"><tr>"
				"<th>signature<th>scenario<th>variants<th>"
				"smallest schedule</tr>\n", head,
				unexpected ? "unexpected" : "findings");
		put_bug(out, c, c->bug[i]);
	}
	if (n)
		fprintf(out, "</table>\n");
}

static void put_crashes(FILE *out, const struct campaign *c)
{
	u32 i;

	if (c->ncrashes)
		fprintf(out, "<h2>Crashes</h2>\n<ul id=\"crashes\">\n");
	for (i = 0; i < c->ncrashes && i < MAX_CRASHES; i++) {
		fprintf(out, "<li>");
		put_text(out, c->crash[i]);
		fprintf(out, "</li>\n");
	}
	if (c->ncrashes)
		fprintf(out, "</ul>\n");
}

static void put_entry(FILE *out, const struct campaign *c, u32 i)
{
	const struct entry *e = &c->entry[i];
	char declared[DECLARED_ROOM], words[24], missed[200], goals[400];
	u32 unexpected, found = entry_found(c, i, &unexpected), k, met, n;

	declared_text(e->target.variant, declared, DECLARED_ROOM - 1);
	entry_missed(c, i, missed, sizeof(missed));
	fprintf(out, "<tr><td>");
	put_text(out, e->name);
	fprintf(out, "</td><td>");
	put_text(out, declared);
	entry_words(e, words, sizeof(words));
	fprintf(out, "</td><td>%s</td>", words);
	for (k = 0; k < ENGINES; k++) {
		number_words(e->effort[k].schedules, words, sizeof(words));
		fprintf(out, "<td class=n>%s</td>",
			e->effort[k].schedules ? words : "");
	}
	number_words(e->distinct, words, sizeof(words));
	fprintf(out, "<td class=n>%s</td>", e->distinct ? words : "");
	snprintf(words, sizeof(words), "%u", e->corpus);
	fprintf(out, "<td class=n>%s</td><td class=n title=\"",
		e->corpus ? words : "");
	n = entry_goals(e, &met, goals, sizeof(goals));
	put_text(out, goals);
	if (n)
		fprintf(out, "\">%u/%u", met, n);
	else
		fprintf(out, "\">");
	fprintf(out, "</td><td class=n%s>%u</td><td>", unexpected ? " bad" : "",
		found);
	put_text(out, missed);
	fprintf(out, "</td></tr>\n");
}

static void put_entries(FILE *out, const struct campaign *c)
{
	u32 i;

	fprintf(out, "<h2>Variants</h2>\n<table id=\"variants\"><tr><th>variant<th>"
		"declares<th>searched");
	for (i = 0; i < ENGINES; i++)
		fprintf(out, "<th class=n>%s", engine_names[i]);
	fprintf(out, "<th class=n>distinct<th class=n>corpus<th class=n>goals"
		"<th class=n>found<th>not shown</tr>\n");
	for (i = 0; i < c->nentries; i++)
		put_entry(out, c, i);
	fprintf(out, "</table>\n");
}

/* --- the page ------------------------------------------------------------------------------- */

static void put_row(FILE *out, const char *name, const char *id, bool bad,
		    const char *text)
{
	fprintf(out, "<dt>%s</dt><dd id=\"%s\"%s>", name, id,
		bad ? " class=bad" : "");
	put_text(out, text);
	fprintf(out, "</dd>\n");
}

static void put_summary(FILE *out, const struct campaign *c)
{
	char text[300], schedules[24], rate[24], distinct[24];
	struct summary s = campaign_summary(c);
	u64 n = campaign_schedules(c);
	double now = campaign_now(c);

	fprintf(out, "<dl>\n");
	snprintf(text, sizeof(text), "%u of %u signatures", bugs_unexpected(c),
		 c->nbugs);
	put_row(out, "unexpected", "unexpected-count", bugs_unexpected(c), text);
	canary_words(c, text, sizeof(text));
	put_row(out, "canary", "canary", !canary_found(c), text);
	snprintf(text, sizeof(text), "%u of %u variants with declared verdicts "
		 "have not shown all", s.missing, s.buggy);
	put_row(out, "missing", "missing", false, text);
	snprintf(text, sizeof(text), "%u of %u variants in every interleaving%s",
		 s.searched, c->nentries, s.vacuous ? "; some VACUOUS" : "");
	put_row(out, "searched", "searched", s.vacuous, text);
	snprintf(text, sizeof(text), "%u, %u proved minimal", s.minimised,
		 s.proved);
	put_row(out, "minimised", "minimised", false, text);
	number_words(n, schedules, sizeof(schedules));
	number_words(now > 0 ? (u64)((double)n / now) : 0, rate, sizeof(rate));
	number_words(campaign_distinct(c), distinct, sizeof(distinct));
	snprintf(text, sizeof(text), "%s, %s a second; about %s distinct "
		 "interleavings in what the portfolio ran", schedules, rate,
		 distinct);
	put_row(out, "schedules", "schedules", false, text);
	snprintf(text, sizeof(text), "%u", c->ncrashes);
	put_row(out, "crashes", "crash-count", c->ncrashes, text);
	if (folder_pending())
		put_row(out, "not written", "pending", true,
			"some files are in memory only: the disk was full");
	fprintf(out, "</dl>\n");
}

void status_html(FILE *out, const struct campaign *c)
{
	char spent[24];

	time_words(campaign_now(c), spent, sizeof(spent));
	fprintf(out, "<!DOCTYPE html>\n<html lang=\"en\"><head>"
		"<meta charset=\"utf-8\">\n%s<title>heddle campaign</title>\n"
		"<style>%s</style></head><body>\n<h1>heddle campaign ",
		c->ended || interrupted ? "" :
		"<meta http-equiv=\"refresh\" content=\"10\">\n", style);
	put_text(out, c->dir);
	fprintf(out, ": <span id=\"state\">%s</span> after %s</h1>\n",
		campaign_words(c), spent);
	put_summary(out, c);
	put_plot(out, c);
	put_bugs(out, c, true);
	put_crashes(out, c);
	put_bugs(out, c, false);
	put_entries(out, c);
	fprintf(out, "</body></html>\n");
}
