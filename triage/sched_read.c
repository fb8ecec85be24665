/* SPDX-License-Identifier: MIT */
/* Reading schedules: is this a well-formed .sched (format: sched_text.c) or a
 * fuzzer's bytes, and do its anchors still mean what they meant?
 *
 * Anything wrong is one line on stderr with file and line.  An op that moved is
 * found again by its site, edit by edit in the order in which they act, because
 * the run up to an edit depends only on those before it; each such move is
 * told. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "search.h"
#include <errno.h> /* after ours: types.h has the kernel's values */
#include "sym.h"

enum { MAX_WORDS = 16, MAX_FILE = 1 << 20, MAX_PROOFS = 4 };

struct edit_line {
	struct hd_edit e;
	struct anchor a;
	bool anchored;
	u32 line;
};

struct reader {
	const char *path;
	u32 line;
	char *at;        /* rest of the text */
	char *word[MAX_WORDS];
	u32 nwords;
	char whole[512]; /* the line as it was */
	u32 proofs;
	bool done;
	struct sched_file *f;
	struct edit_line edit[HD_MAX_EDITS];
	u32 nedits;
};

static bool wrong(const struct reader *r, const char *what, const char *word)
{
	fprintf(stderr, "%s:%u: %s%s%s\n", r->path, r->line, what,
		word ? ": " : "", word ? word : "");
	return false;
}

/* --- bytes --------------------------------------------------------------- */

static char *slurp(const char *path, size_t *size)
{
	FILE *in = strcmp(path, "-") ? fopen(path, "rb") : stdin;
	char *buf = malloc(MAX_FILE + 1);

	*size = 0;
	if (!in || !buf) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		free(buf);
		return NULL;
	}
	*size = fread(buf, 1, MAX_FILE + 1, in);
	if (ferror(in) || *size > MAX_FILE) {
		fprintf(stderr, "%s: %s\n", path,
			*size > MAX_FILE ? "longer than 1 MiB" :
					   strerror(errno));
		free(buf);
		buf = NULL;
	} else {
		buf[*size] = 0;
	}
	if (in != stdin)
		fclose(in);
	return buf;
}

static bool looks_like_text(const char *path, const char *buf)
{
	size_t n = strlen(path);

	return !strncmp(buf, "heddle ", 7) ||
	       (n > 6 && !strcmp(path + n - 6, ".sched"));
}

/* --- lines --------------------------------------------------------------- */

/* The next line that is not for people, split into words; false at the end. */
static bool next_line(struct reader *r)
{
	for (;;) {
		char *p = r->at, *nl;

		if (!p || !*p)
			return false;
		nl = strchr(p, '\n');
		r->at = nl ? nl + 1 : NULL;
		if (nl)
			*nl = 0;
		p[strcspn(p, "\r")] = 0;
		r->line++;
		if (*p == '#' || !p[strspn(p, " \t")])
			continue;
		snprintf(r->whole, sizeof(r->whole), "%s", p);
		r->nwords = 0;
		for (p = strtok(p, " \t"); p && r->nwords < MAX_WORDS;
		     p = strtok(NULL, " \t"))
			r->word[r->nwords++] = p;
		return true;
	}
}

/* nwords 0: any number. */
static bool header(struct reader *r, const char *word, u32 nwords)
{
	if (!next_line(r))
		return wrong(r, "truncated: no line begins with", word);
	if (strcmp(r->word[0], word) || (nwords && r->nwords != nwords)) {
		char what[64];

		snprintf(what, sizeof(what), "expected a line \"%s ...\", got",
			 word);
		return wrong(r, what, r->whole);
	}
	return true;
}

static bool hex64(const char *s, u64 *v)
{
	*v = 0;
	if (strlen(s) != 16 || strspn(s, "0123456789abcdef") != 16)
		return false;
	*v = strtoull(s, NULL, 16);
	return true;
}

static bool number(struct reader *r, const char *s, u64 max, u64 *v)
{
	return parse_number(s, max, v) ||
	       wrong(r, "not a number in range", s);
}

/* base STRATEGY seed SEED [profile STRATEGY SEED RUNS] */
static bool read_base(struct reader *r, struct hd_origin *of)
{
	struct sched_file *f = r->f;
	int strategy;
	u64 seed, runs;

	if (!header(r, "base", 0))
		return false;
	strategy = r->nwords > 1 ? hd_strategy_id(r->word[1]) : -1;
	if (strategy < 0)
		return wrong(r, "no base strategy is called",
			     r->nwords > 1 ? r->word[1] : "");
	if (r->nwords < 4 || strcmp(r->word[2], "seed"))
		return wrong(r, "expected seed in", r->whole);
	f->schedule.strategy = (u8)strategy;
	if (!number(r, r->word[3], UINT32_MAX, &seed))
		return false;
	f->schedule.seed = (u32)seed;
	*of = HD_USUAL_ORIGIN;
	if (r->nwords == 4)
		return true;
	if (r->nwords != 8 || strcmp(r->word[4], "profile"))
		return wrong(r, "expected profile in", r->whole);
	of->strategy = hd_strategy_id(r->word[5]);
	if (of->strategy < 0 && strcmp(r->word[5], "portfolio"))
		return wrong(r, "no strategy is called", r->word[5]);
	if (!number(r, r->word[6], UINT32_MAX, &seed) ||
	    !number(r, r->word[7], HD_WARM_UP, &runs))
		return false;
	of->seed = (u32)seed;
	of->runs = (u32)runs;
	return true;
}

static bool read_head(struct reader *r)
{
	struct sched_file *f = r->f;
	struct hd_origin of;

	if (!next_line(r) || r->nwords < 2 || strcmp(r->word[0], "heddle") ||
	    strcmp(r->word[1], "schedule"))
		return wrong(r, "not a heddle schedule", NULL);
	if (r->nwords != 3 || strcmp(r->word[2], "1"))
		return wrong(r, "this heddle reads version 1, not",
			     r->nwords > 2 ? r->word[2] : "none");
	if (!header(r, "scenario", 2))
		return false;
	if (!strchr(r->word[1], ':'))
		return wrong(r, "scenario without :VARIANT", r->word[1]);
	if (!target_find(r->word[1], &f->target))
		return wrong(r, "no such scenario or variant", r->word[1]);
	snprintf(f->scenario, sizeof(f->scenario), "%s",
		 f->target.scenario->name);
	snprintf(f->variant, sizeof(f->variant), "%s", f->target.variant->name);
	if (!header(r, "model", 2))
		return false;
	if (strcmp(r->word[1], "-") && !hex64(r->word[1], &f->model_id))
		return wrong(r, "not 16 hexadecimal digits", r->word[1]);
	if (!read_base(r, &of) || !target_open(&f->target))
		return false;
	if (is_program(f->target.scenario))
		hd_profile_search(of);
	return true;
}

/* at FUNCTION#ORDINAL time K op WORD | at end | at ?, from word w on */
static bool read_anchor(struct reader *r, u32 w, struct edit_line *l)
{
	char *hash;
	u64 n;

	if (r->nwords < w + 2 || strcmp(r->word[w], "at"))
		return wrong(r, "anchor without its place (at ...)", r->whole);
	l->anchored = strcmp(r->word[w + 1], "?");
	if (!strcmp(r->word[w + 1], "end"))
		l->a.at_end = true;
	if (!l->anchored || l->a.at_end)
		return r->nwords == w + 2 ||
		       wrong(r, "too many words", r->whole);
	hash = strchr(r->word[w + 1], '#');
	if (r->nwords != w + 6 || strcmp(r->word[w + 2], "time") ||
	    strcmp(r->word[w + 4], "op") || !hash || hash == r->word[w + 1] ||
	    !parse_number(hash + 1, UINT32_MAX, &n))
		return wrong(r, "malformed anchor", r->whole);
	if (!number(r, r->word[w + 3], UINT32_MAX, &n))
		return false;
	l->a.time = (u32)n;
	snprintf(l->a.site, sizeof(l->a.site), "%s", r->word[w + 1]);
	snprintf(l->a.word, sizeof(l->a.word), "%s", r->word[w + 5]);
	return true;
}

static bool task_word(struct reader *r, u32 w, int *task)
{
	*task = r->nwords > w ? task_by_label(r->word[w]) : -1;
	return *task >= 0 || wrong(r, "no task is called",
				   r->nwords > w ? r->word[w] : "?");
}

static bool read_edit(struct reader *r, u8 kind)
{
	struct edit_line *l = &r->edit[r->nedits];
	int task, other = 0;
	u64 n, value = 0;
	u32 after = 3;

	if (r->nedits == HD_MAX_EDITS)
		return wrong(r, "too many edits", NULL);
	memset(l, 0, sizeof(*l));
	if (!task_word(r, 1, &task))
		return false;
	if (r->nwords < 3)
		return wrong(r, "edit without its number", r->whole);
	if (!number(r, r->word[2], UINT16_MAX, &n))
		return false;
	if (!n)
		return wrong(r, "ops are numbered from 1, not", r->word[2]);
	if ((kind == HD_EDIT_SWITCH || kind == HD_EDIT_IRQ) &&
	    !task_word(r, after++, &other))
		return false;
	if (kind == HD_EDIT_IRQ && !W->tasks[other].irq)
		return wrong(r, "no interrupt handler", r->word[3]);
	if (kind == HD_EDIT_CHOOSE && r->nwords < 4)
		return wrong(r, "choice without its value", r->whole);
	if (kind == HD_EDIT_CHOOSE &&
	    !number(r, r->word[after++], UINT16_MAX, &value))
		return false;
	l->e = (struct hd_edit){ kind, (u8)task, (u16)n,
				 (u16)(value + (u64)other) };
	l->line = r->line;
	r->nedits++;
	if (kind == HD_EDIT_CHOOSE || kind == HD_EDIT_FAIL)
		return r->nwords == after ||
		       wrong(r, "too many words", r->whole);
	return read_anchor(r, after, l);
}

/* The rest of a line behind its first word. */
static const char *rest(const struct reader *r)
{
	const char *p = r->whole + strspn(r->whole, " \t");

	p += strcspn(p, " \t");
	return p + strspn(p, " \t");
}

static bool read_verdict(struct reader *r)
{
	struct sched_file *f = r->f;

	if (r->nwords < 2 || !hd_verdict_by_name(r->word[1]))
		return wrong(r, "no verdict is called",
			     r->nwords > 1 ? r->word[1] : "?");
	if (f->nsignatures == HD_MAX_VERDICTS)
		return wrong(r, "too many verdicts", NULL);
	snprintf(f->signature[f->nsignatures++], sizeof(f->signature[0]), "%s",
		 rest(r));
	return true;
}

static bool read_proof(struct reader *r)
{
	struct sched_file *f = r->f;
	size_t n = strlen(f->proof);

	if (r->proofs++ == MAX_PROOFS || n + strlen(rest(r)) + 2 >
					 sizeof(f->proof))
		return wrong(r, "too much proof", NULL);
	snprintf(f->proof + n, sizeof(f->proof) - n, "%s%s", n ? "\n" : "",
		 rest(r));
	return true;
}

static bool read_hash(struct reader *r)
{
	if (r->nwords != 2)
		return wrong(r, "truncated: no hash", NULL);
	r->done = true;
	if (!strcmp(r->word[1], "-"))
		return true;
	r->f->has_record = true;
	return hex64(r->word[1], &r->f->hash) ||
	       wrong(r, "not 16 hexadecimal digits", r->word[1]);
}

static bool read_line(struct reader *r)
{
	static const u8 kinds[] = { HD_EDIT_SWITCH, HD_EDIT_HOLD,
				    HD_EDIT_SIGNAL, HD_EDIT_CHOOSE,
				    HD_EDIT_FAIL, HD_EDIT_IRQ };
	const char *word = r->word[0];
	u32 i;

	if (r->done)
		return wrong(r, "a line behind the hash", r->whole);
	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(word, hd_edit_name(kinds[i])))
			return read_edit(r, kinds[i]);
	if (!strcmp(word, "verdict"))
		return read_verdict(r);
	if (!strcmp(word, "proof"))
		return read_proof(r);
	if (!strcmp(word, "hash"))
		return read_hash(r);
	if (strcmp(word, "want"))
		return wrong(r, "unknown line", r->whole);
	if (r->f->want[0])
		return wrong(r, "a second want", r->whole);
	snprintf(r->f->want, sizeof(r->f->want), "%s", rest(r));
	return true;
}

/* --- anchors ------------------------------------------------------------- */

static bool all_match(struct reader *r)
{
	struct anchor now;
	u32 i;

	hd_run_with_log(&r->f->schedule);
	for (i = 0; i < r->nedits; i++) {
		const struct edit_line *l = &r->edit[i];

		if (!l->anchored)
			continue;
		anchor_describe(l->e.task, l->e.anchor, &now);
		if (!anchor_matches(&l->a, &now))
			return false;
	}
	return true;
}

static void tell_drift(const struct reader *r, const struct edit_line *l,
		       const struct anchor *now, u32 n)
{
	char task[64];

	task_label(l->e.task, task, sizeof(task));
	fprintf(stderr, "%s:%u: op %u of %s was %s, is now %s; "
		"moved to op %u (%s)\n", r->path, l->line, l->e.anchor, task,
		l->a.at_end ? "its end" : l->a.word,
		now->at_end ? "its end" : now->word[0] ? now->word : "none", n,
		l->a.at_end ? "its end" : l->a.site);
}

/* The run so far has the edits before l.  Where does l belong now? */
static bool re_anchor(struct reader *r, struct edit_line *l)
{
	struct anchor now;
	char place[200];
	u32 n;

	anchor_describe(l->e.task, l->e.anchor, &now);
	if (anchor_matches(&l->a, &now))
		return true;
	n = anchor_find(l->e.task, &l->a);
	if (n) {
		tell_drift(r, l, &now, n);
		l->e.anchor = (u16)n;
		return true;
	}
	r->line = l->line;
	snprintf(place, sizeof(place), "%s time %u (op %u is %s)",
		 l->a.at_end ? "end" : l->a.site, l->a.time, l->e.anchor,
		 now.word[0] ? now.word : now.at_end ? "its end" : "none");
	return wrong(r, "the task is never at", place);
}

static bool resolve(struct reader *r)
{
	struct hd_schedule *s = &r->f->schedule;
	u32 i;

	for (i = 0; i < r->nedits; i++)
		hd_schedule_add(s, r->edit[i].e);
	if (all_match(r))
		return true;
	s->nedits = 0;
	for (i = 0; i < r->nedits; i++) {
		if (r->edit[i].anchored) {
			hd_run_with_log(s);
			if (!re_anchor(r, &r->edit[i]))
				return false;
		}
		hd_schedule_add(s, r->edit[i].e);
	}
	return true;
}

/* --- files --------------------------------------------------------------- */

static bool read_text(const char *path, char *buf, struct sched_file *f)
{
	static struct reader r;

	memset(&r, 0, sizeof(r));
	r.path = strcmp(path, "-") ? path : "stdin";
	r.at = buf;
	r.f = f;
	if (!read_head(&r))
		return false;
	while (next_line(&r))
		if (!read_line(&r))
			return false;
	if (!r.done)
		return wrong(&r, "truncated: the last line is no hash", NULL);
	f->moved = !resolve(&r);
	return !f->moved;
}

static bool read_binary(const char *path, const char *buf, size_t size,
			struct sched_file *f)
{
	struct target t = f->target;

	if (!t.scenario) {
		fprintf(stderr, "%s: not a heddle schedule (a fuzzer's input "
			"needs --scenario=NAME[:VARIANT])\n", path);
		return false;
	}
	if (!target_open(&t))
		return false;
	snprintf(f->scenario, sizeof(f->scenario), "%s", t.scenario->name);
	snprintf(f->variant, sizeof(f->variant), "%s", t.variant->name);
	hd_schedule_decode(&f->schedule, (const u8 *)buf, size, W->ntasks);
	return true;
}

bool sched_read(const char *path, struct sched_file *f)
{
	struct target t = f->target;
	size_t size;
	char *buf = slurp(path, &size);
	bool ok;

	if (!buf)
		return false;
	memset(f, 0, sizeof(*f));
	f->target = t;
	if (!looks_like_text(path, buf))
		ok = read_binary(path, buf, size, f);
	else if (strlen(buf) != size)
		ok = fprintf(stderr, "%s: not a text: it has zero bytes\n",
			     path) < 0;
	else
		ok = read_text(path, buf, f);
	free(buf);
	return ok;
}
