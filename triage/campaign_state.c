/* SPDX-License-Identifier: MIT */
/* Where does a campaign go on?
 *
 * DIR/state.txt says how much was done of each variant, replaced as a whole.
 * Findings have files of their own.  What a slice was doing when the campaign was
 * killed is not in it, so it is done again.
 *
 *   heddle campaign 1
 *   model ID              of the models: another build is another campaign
 *   variants N HASH       ... and so are other variants
 *   time SECOND SINCE going|ended    of this night, which began at second SINCE
 *   variant NAME next=N bound=K proof=WORD stuck=N limits=N canary=BITS marks=BITS
 *   effort ENGINE SLICES SCHEDULES SECONDS CRASHES     of the variant above
 *   crash WORDS
 *   point SECOND SCHEDULES INTERLEAVINGS FINDINGS
 *   end
 *
 * DIR/seen/<scenario>.<variant> is a bitmap, 2^18 bits, of the trace hashes that
 * the portfolio's runs had, mapped and shared with the workers.  How many bits are
 * set says how many distinct hashes there were, about (as for coupons that are
 * collected); beyond some three millions it says no more. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../src/base/hash.h"
#include "campaign.h"
#include "sym.h"

enum { SEEN_BITS = 1 << 18, SEEN_BYTES = SEEN_BITS / 8 };

const char *const engine_names[ENGINES] = { "explore", "portfolio", "bounded",
					    "libfuzzer" };
const char *const proof_names[PROOFS] = { "open", "complete", "vacuous",
					  "limited" };

/* --- distinct interleavings ---------------------------------------------------- */

static u8 *map_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	struct stat st;
	void *p = MAP_FAILED;

	if (fd < 0)
		return NULL;
	/* room for all of it: a page without would end the worker that writes it */
	if (!posix_fallocate(fd, 0, SEEN_BYTES) && !fstat(fd, &st) &&
	    st.st_size == SEEN_BYTES)
		p = mmap(NULL, SEEN_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
			 fd, 0);
	else
		unlink(path);
	close(fd);
	return p == MAP_FAILED ? NULL : p;
}

void seen_map(struct campaign *c, struct entry *e)
{
	char path[4096];
	void *p;

	if (e->seen)
		return;
	snprintf(path, sizeof(path), "%s/seen/%s", c->dir, e->slug);
	e->seen = map_file(path);
	if (e->seen)
		return;
	c->unkept = true;
	p = mmap(NULL, SEEN_BYTES, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED) {
		fprintf(stderr, "heddle: out of memory\n");
		exit(EXIT_FAULT);
	}
	e->seen = p;
}

void seen_mark(u8 *seen, u64 hash)
{
	u64 bit = hd_mix(hash) % SEEN_BITS;

	seen[bit / 8] |= (u8)(1u << bit % 8);
}

/* With i of the bits set it takes bits / (bits - i) hashes, on average, until one
 * sets another. */
u64 seen_estimate(const u8 *seen)
{
	static double needed[SEEN_BITS];
	const u64 *word = (const u64 *)seen;
	u32 i, ones = 0;

	for (i = 1; !needed[SEEN_BITS - 1] && i < SEEN_BITS; i++)
		needed[i] = needed[i - 1] +
			    SEEN_BITS / (double)(SEEN_BITS - i + 1);
	for (i = 0; seen && i < SEEN_BYTES / 8; i++)
		ones += (u32)__builtin_popcountll(word[i]);
	return (u64)(needed[ones < SEEN_BITS ? ones : SEEN_BITS - 1] + 0.5);
}

/* --- the plot ------------------------------------------------------------------- */

/* When there is no room left every other point goes. */
static void thin_out(struct campaign *c)
{
	u32 i;

	for (i = 0; 2 * i + 1 < c->npoints; i++)
		c->point[i] = c->point[2 * i + 1];
	c->npoints = i;
	c->every *= 2;
}

void points_add(struct campaign *c)
{
	double now = campaign_now(c);
	double last = c->npoints ? c->point[c->npoints - 1].when : -1e9;

	if (!c->every)
		c->every = c->budget / (MAX_POINTS / 2) + 0.5;
	if (now - last < c->every && !c->ended)
		return;
	if (c->npoints == MAX_POINTS)
		thin_out(c);
	c->point[c->npoints++] = (struct point){
		now, campaign_schedules(c), campaign_distinct(c), c->nbugs };
}

/* --- writing -------------------------------------------------------------------- */

static u64 hash_entries(const struct campaign *c)
{
	const char *p;
	u64 h = 0;
	u32 i;

	for (i = 0; i < c->nentries; i++)
		for (p = c->entry[i].name; *p; p++)
			h = hd_fold(h, (u8)*p);
	return h;
}

static void write_entry(FILE *out, const struct entry *e)
{
	u32 i;

	fprintf(out, "variant %s next=%llu bound=%d proof=%s stuck=%d "
		"limits=%u canary=%u marks=%llu\n", e->name,
		(unsigned long long)e->next, e->bound, proof_names[e->proof],
		e->stuck, e->limits, e->canary, (unsigned long long)e->marks);
	for (i = 0; i < ENGINES; i++)
		if (e->effort[i].slices || e->effort[i].schedules)
			fprintf(out, "effort %s %u %llu %.3f %u\n",
				engine_names[i], e->effort[i].slices,
				(unsigned long long)e->effort[i].schedules,
				e->effort[i].seconds, e->effort[i].deaths);
}

void state_save(struct campaign *c)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	u32 i;

	if (!out)
		return;
	fprintf(out, "heddle campaign 1\nmodel %016llx\nvariants %u %016llx\n"
		"time %.3f %.3f %s\n", (unsigned long long)sym_model_id(),
		c->nentries, (unsigned long long)hash_entries(c),
		campaign_now(c), c->night, c->ended ? "ended" : "going");
	for (i = 0; i < c->nentries; i++)
		write_entry(out, &c->entry[i]);
	for (i = 0; i < c->ncrashes && i < MAX_CRASHES; i++)
		fprintf(out, "crash %s\n", c->crash[i]);
	for (i = 0; i < c->npoints; i++)
		fprintf(out, "point %.3f %llu %llu %u\n", c->point[i].when,
			(unsigned long long)c->point[i].schedules,
			(unsigned long long)c->point[i].distinct,
			c->point[i].bugs);
	fprintf(out, "end\n");
	if (!fclose(out))
		folder_put(c, "state.txt", text, size);
	free(text);
}

/* --- reading -------------------------------------------------------------------- */

static struct entry *entry_named(struct campaign *c, const char *name)
{
	u32 i;

	for (i = 0; i < c->nentries; i++)
		if (!strcmp(c->entry[i].name, name))
			return &c->entry[i];
	return NULL;
}

static u32 word_among(const char *word, const char *const *names, u32 n)
{
	u32 i;

	for (i = 0; i < n && strcmp(word, names[i]); i++)
		;
	return i;
}

static struct entry *read_entry(struct campaign *c, const char *line)
{
	char name[160], proof[16];
	unsigned long long next, marks;
	unsigned int limits, canary, p;
	int bound, stuck;
	struct entry *e;

	if (sscanf(line, "variant %159s next=%llu bound=%d proof=%15s stuck=%d "
		   "limits=%u canary=%u marks=%llu", name, &next, &bound, proof,
		   &stuck, &limits, &canary, &marks) != 8)
		return NULL;
	e = entry_named(c, name);
	p = word_among(proof, proof_names, PROOFS);
	if (!e || p == PROOFS)
		return NULL;
	e->next = next;
	e->bound = bound;
	e->proof = (u8)p;
	e->stuck = stuck;
	e->limits = limits;
	e->canary = canary;
	e->marks = marks;
	return e;
}

static void read_effort(struct entry *e, const char *line)
{
	unsigned long long schedules;
	unsigned int slices, deaths, i;
	char engine[16];
	double seconds;

	if (!e || sscanf(line, "effort %15s %u %llu %lf %u", engine, &slices,
			 &schedules, &seconds, &deaths) != 5)
		return;
	i = word_among(engine, engine_names, ENGINES);
	if (i < ENGINES)
		e->effort[i] = (struct effort){ slices, schedules, seconds,
						deaths, false };
}

static void read_point(struct campaign *c, const char *line)
{
	unsigned long long schedules, distinct;
	unsigned int bugs;
	double when;

	if (c->npoints < MAX_POINTS &&
	    sscanf(line, "point %lf %llu %llu %u", &when, &schedules, &distinct,
		   &bugs) == 4)
		c->point[c->npoints++] = (struct point){ when, schedules,
							 distinct, bugs };
}

static void read_line(struct campaign *c, char *line, struct entry **e)
{
	char word[16];

	if (sscanf(line, "time %lf %lf %15s", &c->before, &c->night, word) == 3)
		c->ended = !strcmp(word, "ended");
	else if (!strncmp(line, "variant ", 8))
		*e = read_entry(c, line);
	else if (!strncmp(line, "effort ", 7))
		read_effort(*e, line);
	else if (!strncmp(line, "point ", 6))
		read_point(c, line);
	else if (!strncmp(line, "crash ", 6) && c->ncrashes < MAX_CRASHES)
		snprintf(c->crash[c->ncrashes++], sizeof(c->crash[0]), "%s",
			 line + 6);
}

/* The first lines say of what it is. */
static bool same_campaign(const struct campaign *c, const char *text)
{
	unsigned long long model, variants;
	unsigned int n;

	if (sscanf(text, "heddle campaign 1 model %llx variants %u %llx",
		   &model, &n, &variants) != 3) {
		fprintf(stderr, "heddle campaign: %s/state.txt is none of this "
			"version\n", c->dir);
		return false;
	}
	if (model != sym_model_id())
		fprintf(stderr, "heddle campaign: %s is of another build of the "
			"models; take another --out\n", c->dir);
	else if (n != c->nentries || variants != hash_entries(c))
		fprintf(stderr, "heddle campaign: %s is over other variants; "
			"take the same ones, or another --out\n", c->dir);
	else
		return true;
	return false;
}

/* All engines begin anew, with short slices. */
static void forget_canary(struct entry *e)
{
	u32 k;

	e->canary = 0;
	e->bound = -1;
	e->proof = OPEN;
	e->stuck = false;
	for (k = 0; k < ENGINES; k++)
		e->effort[k].slices = 0;
}

/* A campaign that had ended gets another night, which must find its canary again,
 * and in which what crashed is tried again. */
static void next_night(struct campaign *c)
{
	u32 i, k;

	c->ended = false;
	c->night = c->before;
	c->ncrashes = 0;
	for (i = 0; i < c->nentries; i++) {
		struct entry *e = &c->entry[i];

		if (e->target.scenario->canary)
			forget_canary(e);
		for (k = 0; k < ENGINES; k++)
			e->effort[k].deaths = 0;
	}
}

bool state_load(struct campaign *c)
{
	struct entry *e = NULL;
	char *text, *line, *end;
	size_t size;

	text = folder_get(c, "state.txt", &size);
	if (!text)
		return true;
	if (!same_campaign(c, text))
		return false;
	for (line = text; (end = strchr(line, '\n')); line = end + 1) {
		*end = 0;
		read_line(c, line, &e);
	}
	free(text);
	if (c->ended)
		next_night(c);
	return true;
}
