/* SPDX-License-Identifier: MIT */
/* How is the campaign going?  status.txt, 80 columns, and the live line; the same
 * as a page with a plot is campaign_html.c.  What a reader must see stands first:
 * verdicts that nobody declared, the canary, crashes. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "campaign.h"
#include "declared.h"
#include "report.h"

/* --- words shared with the other page ------------------------------------------------- */

void number_words(u64 n, char *buf, size_t size)
{
	if (n < 100000)
		snprintf(buf, size, "%llu", (unsigned long long)n);
	else if (n < 10000000)
		snprintf(buf, size, "%lluk", (unsigned long long)n / 1000);
	else
		snprintf(buf, size, "%lluM", (unsigned long long)n / 1000000);
}

void time_words(double seconds, char *buf, size_t size)
{
	unsigned long s = (unsigned long)seconds;

	snprintf(buf, size, "%lu:%02lu:%02lu", s / 3600, s / 60 % 60, s % 60);
}

void entry_words(const struct entry *e, char *buf, size_t size)
{
	if (e->proof == COMPLETE)
		snprintf(buf, size, "all");
	else if (e->proof == VACUOUS)
		snprintf(buf, size, "VACUOUS");
	else if (e->bound >= 0)
		snprintf(buf, size, "to %d", e->bound);
	else
		snprintf(buf, size, "-");
}

static bool shows_kind(const struct campaign *c, u32 entry, const char *kind)
{
	size_t n = strlen(kind);
	u32 i, k;

	for (i = 0; i < c->nbugs; i++) {
		const struct bug *b = c->bug[i];

		if (strncmp(b->signature, kind, n) ||
		    (b->signature[n] && b->signature[n] != ' '))
			continue;
		for (k = 0; k < b->nseen; k++)
			if (b->seen[k].entry == entry)
				return true;
	}
	return false;
}

void entry_missed(const struct campaign *c, u32 entry, char *buf, size_t size)
{
	const struct heddle_expect *x = c->entry[entry].target.variant->expect;
	size_t at = 0;
	u32 i;

	buf[0] = 0;
	for (i = 0; i < HD_MAX_EXPECT && x[i].verdict; i++) {
		const char *kind = hd_verdict_name(x[i].verdict);

		if (!shows_kind(c, entry, kind) && at < size)
			at += (size_t)snprintf(buf + at, size - at, "%s%s",
					       at ? ", " : "", kind);
	}
}

u32 entry_found(const struct campaign *c, u32 entry, u32 *unexpected)
{
	u32 i, k, n = 0;

	*unexpected = 0;
	for (i = 0; i < c->nbugs; i++)
		for (k = 0; k < c->bug[i]->nseen; k++) {
			const struct sighting *s = &c->bug[i]->seen[k];

			n += s->entry == entry;
			*unexpected += s->entry == entry &&
				       s->agrees == UNEXPECTED;
		}
	return n;
}

u32 entry_goals(const struct entry *e, u32 *met, char *buf, size_t size)
{
	const char *const *g = e->target.variant->goals ?
				       e->target.variant->goals :
				       e->target.scenario->goals;
	size_t at = 0;
	u32 n;

	*met = 0;
	buf[0] = 0;
	for (n = 0; g && g[n]; n++) {
		if (e->marks >> n & 1)
			++*met;
		else if (at < size)
			at += (size_t)snprintf(buf + at, size - at, "%s%s",
					       at ? ", " : "", g[n]);
	}
	return n;
}

u64 entry_schedules(const struct entry *e)
{
	u64 n = 0;
	u32 i;

	for (i = 0; i < ENGINES; i++)
		n += e->effort[i].schedules;
	return n;
}

struct summary campaign_summary(const struct campaign *c)
{
	struct summary s = { 0 };
	char missed[200];
	u32 i;

	for (i = 0; i < c->nentries; i++) {
		const struct entry *e = &c->entry[i];

		s.searched += e->proof == COMPLETE;
		s.vacuous += e->proof == VACUOUS;
		s.buggy += e->target.variant->expect[0].verdict != 0;
		entry_missed(c, i, missed, sizeof(missed));
		s.missing += missed[0] != 0;
	}
	for (i = 0; i < c->nbugs; i++) {
		s.minimised += c->bug[i]->minimised;
		s.proved += c->bug[i]->minimised && c->bug[i]->proved;
	}
	return s;
}

void bug_words(const struct campaign *c, const struct bug *b, char *buf,
	       size_t size)
{
	const struct entry *e = &c->entry[b->seen[b->chosen].entry];

	if (b->minimised)
		snprintf(buf, size, "%u preemption%s%s", b->preemptions,
			 b->preemptions == 1 ? "" : "s",
			 b->proved ? ", proved minimal" : ", not proved");
	else
		snprintf(buf, size, b->failures ? "minimising it crashed" :
						  "not minimised yet");
	snprintf(buf + strlen(buf), size - strlen(buf), " (%s)",
		 e->target.variant->name);
}

void canary_words(const struct campaign *c, char *buf, size_t size)
{
	u32 missing = canary_missing(c), i;
	size_t at;

	snprintf(buf, size, missing ? "NOT found by" : "found by every engine");
	for (i = 0; i < ENGINES; i++)
		if (missing >> i & 1) {
			at = strlen(buf);
			snprintf(buf + at, size - at, " %s", engine_names[i]);
		}
}

const char *campaign_words(const struct campaign *c)
{
	return c->ended ? "ended" : interrupted ? "interrupted" : "running";
}

/* --- status.txt ------------------------------------------------------------------------- */

static u32 without_target(const struct campaign *c)
{
	u32 i, n = 0;

	for (i = 0; i < c->nentries; i++)
		n += !c->entry[i].fuzzer[0];
	return n;
}

static void write_head(struct page *p, const struct campaign *c)
{
	char schedules[24], distinct[24], spent[24], rate[24], words[200];
	double now = campaign_now(c);
	u64 n = campaign_schedules(c);
	struct summary s = campaign_summary(c);

	number_words(n, schedules, sizeof(schedules));
	number_words(now > 0 ? (u64)((double)n / now) : 0, rate, sizeof(rate));
	number_words(campaign_distinct(c), distinct, sizeof(distinct));
	time_words(now, spent, sizeof(spent));
	canary_words(c, words, sizeof(words));
	page_wrap(p, 2, "heddle campaign %s: %s after %s", c->dir,
		  campaign_words(c), spent);
	page_line(p, "%u variants, %u jobs; %s schedules, %s a second", c->nentries,
		  c->njobs, schedules, rate);
	page_wrap(p, 2, "about %s distinct interleavings in what the portfolio "
		  "ran%s", distinct, c->unkept ? " (not kept on disk)" : "");
	page_line(p, " ");
	page_line(p, "unexpected: %u of %u signatures", bugs_unexpected(c),
		  c->nbugs);
	page_line(p, "canary:     %s", words);
	page_line(p, "missing:    %u of %u variants with declared verdicts have not "
		  "shown all", s.missing, s.buggy);
	page_line(p, "searched:   %u variants in every interleaving%s", s.searched,
		  s.vacuous ? "; SOME VACUOUS" : "");
	page_line(p, "minimised:  %u of %u, %u proved minimal", s.minimised,
		  c->nbugs, s.proved);
	page_line(p, "crashes:    %u", c->ncrashes);
	if (without_target(c))
		page_line(p, "libfuzzer:  no target for %u variants",
			  without_target(c));
	if (folder_pending())
		page_line(p, "NOT WRITTEN: %u files; kept in memory",
			  folder_pending());
}

static void write_bug(struct page *p, const struct campaign *c,
		      const struct bug *b)
{
	char words[200], variants[1000];
	size_t at = 0;
	u32 i;

	bug_words(c, b, words, sizeof(words));
	for (i = 0; i < b->nseen && at < sizeof(variants); i++)
		at += (size_t)snprintf(variants + at, sizeof(variants) - at,
				       " %s%s", c->entry[b->seen[i].entry]
				       .target.variant->name,
				       b->seen[i].agrees == EXPECTED ? "" :
				       b->seen[i].agrees == DEEPER ? " (deeper)" :
							     " (UNEXPECTED)");
	page_wrap(p, 2, "%s", b->signature);
	page_wrap(p, 4, "  %s:%s", c->entry[b->seen[0].entry]
		  .target.scenario->name, variants);
	page_wrap(p, 4, "  %s; %s/", words, b->folder);
}

static void write_bugs(struct page *p, const struct campaign *c,
		       const char *head, bool unexpected)
{
	bool any = false;
	u32 i;

	for (i = 0; i < c->nbugs; i++) {
		if (bug_unexpected(c->bug[i]) != unexpected)
			continue;
		if (!any)
			page_line(p, "\n%s\n", head);
		any = true;
		write_bug(p, c, c->bug[i]);
	}
}

static const char *result_word(const struct entry *e, u32 found, u32 unexpected,
			       bool missed)
{
	u32 i;

	for (i = 0; i < ENGINES; i++)
		if (e->effort[i].deaths)
			return "  CRASHED";
	return unexpected ? "  UNEXPECTED" : missed ? "  missing" :
	       found ? "" : "  clean";
}

static void write_entry(struct page *p, const struct campaign *c, u32 i)
{
	const struct entry *e = &c->entry[i];
	char searched[16], schedules[24], missed[200], goals[400];
	u32 unexpected, found = entry_found(c, i, &unexpected), met;

	entry_words(e, searched, sizeof(searched));
	number_words(entry_schedules(e), schedules, sizeof(schedules));
	entry_missed(c, i, missed, sizeof(missed));
	page_line(p, "%-46.46s %8s %9s %5u%s", e->name, searched, schedules, found,
		  result_word(e, found, unexpected, missed[0]));
	if (missed[0])
		page_wrap(p, 4, "    not shown: %s", missed);
	if (entry_schedules(e) && entry_goals(e, &met, goals, sizeof(goals)) > met)
		page_wrap(p, 4, "    goals not reached: %s", goals);
	if (e->limits)
		page_line(p, "    %u times a limit of heddle", e->limits);
}

void status_text(FILE *out, const struct campaign *c)
{
	struct page p;
	u32 i;

	page_init(&p, 80);
	write_head(&p, c);
	write_bugs(&p, c, "UNEXPECTED: NOT DECLARED BY THE VARIANT", true);
	for (i = 0; i < c->ncrashes && i < MAX_CRASHES; i++)
		page_wrap(&p, 2, "%s%s", i ? "" : "\nCRASHES\n\n", c->crash[i]);
	write_bugs(&p, c, "FINDINGS (deeper: with more preemptions than is declared)",
		   false);
	page_line(&p, "\nVARIANTS\n\n%-46s %8s %9s %5s", "", "searched",
		  "schedules", "found");
	for (i = 0; i < c->nentries; i++)
		write_entry(&p, c, i);
	for (i = 0; i < p.n; i++)
		fprintf(out, "%s\n", p.line[i]);
	page_free(&p);
}

static void save_page(struct campaign *c, const char *name,
		      void (*write)(FILE *out, const struct campaign *c))
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return;
	write(out, c);
	if (!fclose(out))
		folder_put(c, name, text, size);
	free(text);
}

void status_save(struct campaign *c)
{
	u32 i;

	for (i = 0; i < c->nentries; i++)
		if (c->entry[i].seen)
			c->entry[i].distinct = seen_estimate(c->entry[i].seen);
	save_page(c, "status.txt", status_text);
	save_page(c, "status.html", status_html);
}

/* --- the live line --------------------------------------------------------------------------- */

static bool drawn;

void status_wipe(void)
{
	if (drawn)
		fprintf(stderr, "\r\033[K");
	drawn = false;
}

/* Within 80 columns. */
static void write_line(FILE *out, const struct campaign *c)
{
	char spent[24], all[24], runs[24], rate[24];
	struct summary s = campaign_summary(c);
	double now = campaign_now(c);
	u64 n = campaign_schedules(c);

	time_words(now, spent, sizeof(spent));
	time_words(c->night + c->budget, all, sizeof(all));
	number_words(n, runs, sizeof(runs));
	number_words(now > 0 ? (u64)((double)n / now) : 0, rate, sizeof(rate));
	fprintf(out, "%s of %s, %s runs, %s/s, %u/%u done, %u found, "
		"%u unexpected", spent, all, runs, rate, s.searched, c->nentries,
		c->nbugs, bugs_unexpected(c));
}

void status_line(const struct campaign *c)
{
	static int tty = -1;
	static double last;
	double now = seconds_now();
	FILE *out;

	if (tty < 0)
		tty = isatty(STDERR_FILENO);
	if (now - last < (tty ? 0.5 : last ? 60 : 0))
		return;
	last = now;
	out = tty ? stderr : stdout;
	fprintf(out, tty ? "\r" : "");
	write_line(out, c);
	fprintf(out, tty ? "\033[K" : "\n");
	fflush(out);
	drawn = tty;
}
