/* SPDX-License-Identifier: MIT */
/* heddle dedup DIR: which of these files show the same bug, and which is the
 * smallest of each?
 *
 * Reads .sched files and, with --scenario, fuzzers' binary inputs; runs each
 * once; groups by scenario, variant and signature.  A file with several
 * verdicts counts for the one it wants, else for its first.  Nothing is
 * deleted or changed. */
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "options.h"
#include "search.h"

static const char help[] =
	"usage: heddle dedup DIR [--scenario=NAME[:VARIANT]] [--files]\n"
	"\n"
	"Group the schedules in DIR (and below it) by signature, and\n"
	"print the smallest of each group first.  Nothing is deleted.\n"
	"  --scenario=NAME[:VARIANT]  what binary inputs are to be run on;\n"
	"                             without it they are skipped\n"
	"  --files                    list all files of each group\n";

struct item {
	char path[512];
	char key[400]; /* scenario:variant signature */
	struct cost cost;
};

struct dedup {
	struct item *item;
	u32 n;
	u32 skipped, unreadable;
	const char *scenario;
	bool files;
};

/* --- reading ------------------------------------------------------------- */

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && !strcmp(s + n - m, end);
}

/* What other tools and we ourselves put beside schedules. */
static bool is_no_schedule(const char *name)
{
	return ends_with(name, ".txt") || ends_with(name, ".json") ||
	       ends_with(name, ".log") || ends_with(name, ".tmp") ||
	       name[0] == '.';
}

static void key_of(const struct sched_file *f, const struct hd_outcome *o,
		   char *buf, size_t size)
{
	char sig[160] = "clean", one[160];
	u32 i;

	for (i = 0; i < o->nverdicts; i++) {
		verdict_signature(&o->verdicts[i], one, sizeof(one));
		if (!i || !strcmp(one, f->want))
			snprintf(sig, sizeof(sig), "%s", one);
	}
	snprintf(buf, size, "%s:%s %s", f->target.scenario->name,
		 f->target.variant->name, sig);
}

static void take(struct dedup *d, const char *path, const char *name)
{
	static struct sched_file f;
	struct hd_outcome o;
	struct item *it;

	memset(&f, 0, sizeof(f));
	if (!ends_with(name, ".sched")) {
		if (!d->scenario || !target_find(d->scenario, &f.target)) {
			d->skipped++;
			return;
		}
	}
	if (!sched_read(path, &f) || !target_open(&f.target)) {
		d->unreadable++;
		return;
	}
	if (!(d->n & (d->n + 1)) || !d->item)
		d->item = realloc(d->item, (2 * d->n + 2) * sizeof(*it));
	it = &d->item[d->n++];
	o = hd_run(&f.schedule);
	snprintf(it->path, sizeof(it->path), "%s", path);
	key_of(&f, &o, it->key, sizeof(it->key));
	it->cost = cost_of(&o);
}

static bool walk(struct dedup *d, const char *dir, u32 depth)
{
	DIR *h = opendir(dir);
	struct dirent *e;

	if (!h) {
		fprintf(stderr, "heddle dedup: %s: %s\n", dir,
			strerror(errno));
		return false;
	}
	while ((e = readdir(h))) {
		char path[512];
		struct stat st;

		if (is_no_schedule(e->d_name) ||
		    snprintf(path, sizeof(path), "%s/%s", dir, e->d_name) >=
			    (int)sizeof(path) || stat(path, &st))
			continue;
		if (S_ISDIR(st.st_mode) && depth < 8)
			walk(d, path, depth + 1);
		else if (S_ISREG(st.st_mode))
			take(d, path, e->d_name);
	}
	closedir(h);
	return true;
}

/* --- printing ------------------------------------------------------------ */

/* By group, then the smallest first; by name where nothing else differs, so
 * that the order does not depend on the file system. */
static int compare(const void *x, const void *y)
{
	const struct item *a = x, *b = y;
	int c = strcmp(a->key, b->key);

	if (c)
		return c;
	if (cheaper(&a->cost, &b->cost))
		return -1;
	if (cheaper(&b->cost, &a->cost))
		return 1;
	return strcmp(a->path, b->path);
}

static void print_group(const struct dedup *d, u32 from, u32 to)
{
	const struct cost *c = &d->item[from].cost;
	u32 i;

	printf("%s\n", d->item[from].key);
	printf("  %u file%s; smallest: %s (%u preemption%s, %u switches, "
	       "%u ops)\n", to - from, to - from == 1 ? "" : "s",
	       d->item[from].path, c->preemptions,
	       c->preemptions == 1 ? "" : "s", c->switches, c->ops);
	for (i = from + 1; d->files && i < to; i++)
		printf("    %s\n", d->item[i].path);
}

static u32 print_groups(struct dedup *d, u32 *clean)
{
	u32 i, from = 0, bugs = 0;

	if (d->n)
		qsort(d->item, d->n, sizeof(d->item[0]), compare);
	for (i = 1; i <= d->n; i++) {
		if (i < d->n && !strcmp(d->item[i].key, d->item[from].key))
			continue;
		print_group(d, from, i);
		if (ends_with(d->item[from].key, " clean"))
			*clean += i - from;
		else
			bugs++;
		from = i;
	}
	return bugs;
}

/* --- the verb ------------------------------------------------------------ */

static bool parse(int argc, char **argv, struct dedup *d)
{
	static const struct option options[] = {
		{ "scenario", required_argument, NULL, 's' },
		{ "files", no_argument, NULL, 'f' },
		{ 0 },
	};
	struct target t;
	int c;

	optind = opterr = 0;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 's')
			d->scenario = optarg;
		else if (c == 'f')
			d->files = true;
		else
			return option_unknown(argv);
	}
	if (optind + 1 != argc) {
		fprintf(stderr, "heddle dedup: one DIR, please\n");
		return false;
	}
	return !d->scenario || target_parse(d->scenario, &t);
}

int cmd_dedup(int argc, char **argv)
{
	struct dedup d = { 0 };
	u32 bugs, clean = 0;

	if (argc == 2 && !strcmp(argv[1], "--help")) {
		usage_of(stdout, help);
		return EXIT_CLEAN;
	}
	if (!parse(argc, argv, &d) || !walk(&d, argv[optind], 0))
		return EXIT_USAGE;
	bugs = print_groups(&d, &clean);
	if (d.skipped)
		printf("%u files are no .sched (--scenario= says what to run "
		       "binary inputs on)\n", d.skipped);
	printf("result: files=%u signatures=%u clean=%u skipped=%u "
	       "unreadable=%u\n", d.n, bugs, clean, d.skipped, d.unreadable);
	free(d.item);
	return d.unreadable ? EXIT_USAGE : EXIT_CLEAN;
}
