/* SPDX-License-Identifier: MIT */
/* What was found: each distinct signature of a scenario once.
 *
 * findings/<scenario>.<signature>/ is there, whole, as soon as the first witness is
 * known, and is filled as more becomes known:
 *
 *   found.txt       what it is, which variants show it, who found it when
 *   <variant>.bin   the schedule as it was found, binary form
 *   min.sched       the smallest schedule of one variant: of one that does not
 *                   declare the verdict, if there is such a variant
 *   report.txt      the report on that; report.html: the same as a page
 *
 * found.txt is also what the next start reads. */
#define _GNU_SOURCE
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "campaign.h"

/* --- words ----------------------------------------------------------------------- */

static u8 kind_of(const char *signature)
{
	char name[32];

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(signature, " "),
		 signature);
	return (u8)hd_verdict_by_name(name);
}

static const struct target *target_of(const struct campaign *c,
				      const struct sighting *s)
{
	return &c->entry[s->entry].target;
}

const char *const agreement_names[AGREEMENTS] = {
	"expected", "deeper", "UNEXPECTED"
};

/* The first witness that nobody declared; nseen: there is none. */
static u32 first_unexpected(const struct bug *b)
{
	u32 i;

	for (i = 0; i < b->nseen && b->seen[i].agrees != UNEXPECTED; i++)
		;
	return i;
}

bool bug_unexpected(const struct bug *b)
{
	return first_unexpected(b) < b->nseen;
}

u32 bugs_unexpected(const struct campaign *c)
{
	u32 i, n = 0;

	for (i = 0; i < c->nbugs; i++)
		n += bug_unexpected(c->bug[i]);
	return n;
}

/* --- found.txt ---------------------------------------------------------------------- */

static void write_sighting(FILE *out, const struct campaign *c,
			   const struct sighting *s)
{
	fprintf(out, "found %s %s %s %llu %.3f\n",
		target_of(c, s)->variant->name,
		agreement_names[s->agrees], engine_names[s->engine],
		(unsigned long long)s->schedules, s->when);
}

static void write_found(FILE *out, const struct campaign *c,
			const struct bug *b)
{
	const struct sighting *s = &b->seen[b->chosen];
	u32 i;

	fprintf(out, "# found VARIANT expected|deeper|UNEXPECTED ENGINE "
		"SCHEDULES SECOND: VARIANT.bin is its schedule\n"
		"# min VARIANT PREEMPTIONS proved|not-proved ATTEMPTS: "
		"min.sched, report.txt\n");
	fprintf(out, "scenario %s\nsignature %s\n",
		target_of(c, s)->scenario->name, b->signature);
	if (b->title[0])
		fprintf(out, "title %s\n", b->title);
	for (i = 0; i < b->nseen; i++)
		write_sighting(out, c, &b->seen[i]);
	if (b->minimised)
		fprintf(out, "min %s %u %s %u\n", target_of(c, s)->variant->name,
			b->preemptions, b->proved ? "proved" : "not-proved",
			b->attempts);
}

static char *found_text(const struct campaign *c, const struct bug *b,
			size_t *size)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, size);

	if (!out)
		exit(EXIT_FAULT);
	write_found(out, c, b);
	if (fclose(out))
		exit(EXIT_FAULT);
	return text;
}

void found_save(struct campaign *c, const struct bug *b)
{
	char name[450];
	size_t size;
	char *text = found_text(c, b, &size);

	snprintf(name, sizeof(name), "%s/found.txt", b->folder);
	folder_put(c, name, text, size);
	free(text);
}

static void bin_name(const struct campaign *c, const struct sighting *s,
		     char *buf, size_t size)
{
	snprintf(buf, size, "%s.bin", target_of(c, s)->variant->name);
}

/* The first of its signature: a new folder. */
static void save_first(struct campaign *c, const struct bug *b)
{
	char bin[200];
	size_t size;
	char *text = found_text(c, b, &size);
	struct blob file[2] = {
		{ "found.txt", text, size },
		{ bin, b->seen[0].data, b->seen[0].size },
	};

	bin_name(c, &b->seen[0], bin, sizeof(bin));
	folder_put_all(c, b->folder, file, 2);
	free(text);
}

static void save_another(struct campaign *c, const struct bug *b,
			 const struct sighting *s)
{
	char bin[200], name[650];

	bin_name(c, s, bin, sizeof(bin));
	snprintf(name, sizeof(name), "%s/%s", b->folder, bin);
	folder_put(c, name, s->data, s->size);
	found_save(c, b);
}

/* --- in memory ------------------------------------------------------------------------ */

static struct bug *find_bug(const struct campaign *c,
			    const struct heddle_scenario *s,
			    const char *signature)
{
	u32 i;

	for (i = 0; i < c->nbugs; i++)
		if (target_of(c, c->bug[i]->seen)->scenario == s &&
		    !strcmp(c->bug[i]->signature, signature))
			return c->bug[i];
	return NULL;
}

static bool has_entry(const struct bug *b, u32 entry)
{
	u32 i;

	for (i = 0; b && i < b->nseen; i++)
		if (b->seen[i].entry == entry)
			return true;
	return false;
}

bool found_known(const struct campaign *c, u32 entry, const char *signature)
{
	return has_entry(find_bug(c, c->entry[entry].target.scenario,
				  signature), entry);
}

static void *more(void *p, size_t size)
{
	p = realloc(p, size);
	if (!p) {
		fprintf(stderr, "heddle: out of memory\n");
		exit(EXIT_FAULT);
	}
	return p;
}

static struct bug *new_bug(struct campaign *c, const struct heddle_scenario *s,
			   const char *signature)
{
	struct bug *b = more(NULL, sizeof(*b));
	char slug[160];

	memset(b, 0, sizeof(*b));
	snprintf(b->signature, sizeof(b->signature), "%s", signature);
	signature_slug(signature, slug, sizeof(slug));
	snprintf(b->folder, sizeof(b->folder), "findings/%s.%s", s->name, slug);
	c->bug = more(c->bug, (c->nbugs + 1) * sizeof(*c->bug));
	c->bug[c->nbugs++] = b;
	return b;
}

static void choose(struct bug *b, u32 which)
{
	b->chosen = which;
	b->attempts = b->failures = 0;
	b->minimised = b->proved = false;
}

/* One that its variant does not declare is what the reader must see. */
static void add_sighting(struct bug *b, const struct sighting *s)
{
	b->seen = more(b->seen, (b->nseen + 1) * sizeof(*b->seen));
	b->seen[b->nseen++] = *s;
	if (s->agrees == UNEXPECTED && b->seen[b->chosen].agrees != UNEXPECTED)
		choose(b, b->nseen - 1);
}

/* Known by now: how many preemptions the chosen witness needs. */
static void judge_depth(const struct campaign *c, struct bug *b)
{
	struct sighting *s = &b->seen[b->chosen];
	const struct heddle_variant *v = target_of(c, s)->variant;

	if (s->agrees != EXPECTED && v->expect[0].verdict)
		s->agrees = (int)b->preemptions > declared_bound(v) ?
				    DEEPER : UNEXPECTED;
}

static void announce(const struct campaign *c, const struct bug *b,
		     const struct sighting *s)
{
	status_wipe();
	printf("found %s %s%s\n", c->entry[s->entry].name, b->signature,
	       s->agrees == EXPECTED ? "" : "  not declared");
	fflush(stdout);
}

bool found_note(struct campaign *c, const struct job *job, u64 schedules,
		const char *signature, u8 *data, u32 size)
{
	struct entry *e = &c->entry[job->entry];
	const struct heddle_scenario *scenario = e->target.scenario;
	struct bug *b = find_bug(c, scenario, signature);
	struct sighting s = {
		.entry = job->entry,
		.engine = job->engine,
		.agrees = variant_expects(e->target.variant,
					  kind_of(signature)) ?
				  EXPECTED : UNEXPECTED,
		.schedules = schedules,
		.when = campaign_now(c),
		.data = data,
		.size = size,
	};

	if (scenario->canary)
		e->canary |= 1u << job->engine;
	if (!data || has_entry(b, job->entry)) {
		free(data);
		return false;
	}
	if (!b)
		b = new_bug(c, scenario, signature);
	add_sighting(b, &s);
	announce(c, b, &s);
	if (b->nseen == 1)
		save_first(c, b);
	else
		save_another(c, b, &s);
	return true;
}

/* Its title is the report's first line. */
static void take_title(struct bug *b, const char *report)
{
	static const char word[] = "heddle: ";

	if (!strncmp(report, word, strlen(word)))
		report += strlen(word);
	snprintf(b->title, sizeof(b->title), "%.*s",
		 (int)strcspn(report, "\n"), report);
}

void found_minimised(struct campaign *c, struct bug *b, const char *sched,
		     const char *report, const char *page)
{
	char name[450];

	b->minimised = true;
	take_title(b, report);
	snprintf(name, sizeof(name), "%s/report.txt", b->folder);
	folder_put(c, name, report, strlen(report));
	snprintf(name, sizeof(name), "%s/report.html", b->folder);
	folder_put(c, name, page, strlen(page));
	snprintf(name, sizeof(name), "%s/min.sched", b->folder);
	folder_put(c, name, sched, strlen(sched));
	judge_depth(c, b);
	found_save(c, b); /* last: it says that the others are there */
	if (b->seen[b->chosen].agrees == DEEPER && bug_unexpected(b))
		choose(b, first_unexpected(b));
}

/* --- the next start --------------------------------------------------------------------- */

static int entry_of(const struct campaign *c, const char *scenario,
		    const char *variant)
{
	char name[160];
	u32 i;

	snprintf(name, sizeof(name), "%s:%s", scenario, variant);
	for (i = 0; i < c->nentries; i++)
		if (!strcmp(c->entry[i].name, name))
			return (int)i;
	return -1;
}

static void read_sighting(struct campaign *c, struct bug *b,
			  const char *scenario, const char *line)
{
	char variant[100], agrees[16], engine[16], name[600];
	struct sighting s = { 0 };
	unsigned long long schedules;
	size_t size;
	int entry;

	if (sscanf(line, "found %99s %15s %15s %llu %lf", variant, agrees,
		   engine, &schedules, &s.when) != 5)
		return;
	entry = entry_of(c, scenario, variant);
	snprintf(name, sizeof(name), "%s/%s.bin", b->folder, variant);
	s.data = entry < 0 ? NULL : (u8 *)folder_get(c, name, &size);
	if (!s.data)
		return; /* it will be found again */
	s.entry = (u32)entry;
	s.size = (u32)size;
	s.schedules = schedules;
	while (s.agrees + 1 < AGREEMENTS &&
	       strcmp(agrees, agreement_names[s.agrees]))
		s.agrees++;
	while (s.engine + 1 < ENGINES && strcmp(engine, engine_names[s.engine]))
		s.engine++;
	add_sighting(b, &s);
}

/* What it was minimised to counts unless that was of another witness than the one
 * that is to be seen. */
static void read_min(const struct campaign *c, struct bug *b, const char *line)
{
	unsigned int preemptions, attempts;
	char variant[100], proved[16];
	u32 i;

	if (sscanf(line, "min %99s %u %15s %u", variant, &preemptions, proved,
		   &attempts) != 4)
		return;
	for (i = 0; i < b->nseen; i++)
		if (!strcmp(variant, target_of(c, &b->seen[i])->variant->name))
			break;
	if (i == b->nseen ||
	    (i != b->chosen && b->seen[b->chosen].agrees == UNEXPECTED))
		return;
	b->chosen = i;
	b->minimised = true;
	b->preemptions = preemptions;
	b->proved = !strcmp(proved, "proved");
	b->attempts = attempts;
}

static void read_found(struct campaign *c, const char *folder, char *text)
{
	char scenario[100] = "", signature[160] = "", *line, *end;
	struct target t;
	struct bug *b;

	if (sscanf(text, "%*[^\n] %*[^\n] scenario %99s signature %159[^\n]",
		   scenario, signature) != 2 || !target_find(scenario, &t))
		return;
	b = new_bug(c, t.scenario, signature);
	snprintf(b->folder, sizeof(b->folder), "%s", folder);
	for (line = text; (end = strchr(line, '\n')); line = end + 1) {
		*end = 0;
		read_sighting(c, b, scenario, line);
		read_min(c, b, line);
		if (!strncmp(line, "title ", 6))
			snprintf(b->title, sizeof(b->title), "%s", line + 6);
	}
	if (!b->nseen) { /* not of this campaign, or without its schedules */
		c->nbugs--;
		free(b);
	}
}

static int by_time(const void *x, const void *y)
{
	const struct bug *a = *(struct bug *const *)x;
	const struct bug *b = *(struct bug *const *)y;
	double d = a->seen[0].when - b->seen[0].when;

	return d < 0 ? -1 : d > 0 ? 1 : strcmp(a->folder, b->folder);
}

void found_load(struct campaign *c)
{
	char path[4096], folder[400], name[420], *text;
	struct dirent *d;
	size_t size;
	DIR *h;

	snprintf(path, sizeof(path), "%s/findings", c->dir);
	h = opendir(path);
	while (h && (d = readdir(h))) {
		if (d->d_name[0] == '.')
			continue;
		snprintf(folder, sizeof(folder), "findings/%s", d->d_name);
		snprintf(name, sizeof(name), "%s/found.txt", folder);
		text = folder_get(c, name, &size);
		if (text)
			read_found(c, folder, text);
		free(text);
	}
	if (h)
		closedir(h);
	if (c->nbugs)
		qsort(c->bug, c->nbugs, sizeof(*c->bug), by_time);
}
