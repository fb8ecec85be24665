/* SPDX-License-Identifier: MIT */
/* heddle regress FILE: how does a finding become part of the corpus that every
 * build is held to?
 *
 * The schedule must show its verdict and be the same twice; it is written with
 * its places, verdicts and hash, beside the mail about it. */
#include <string.h>

#include "options.h"
#include "search.h"

static bool same_twice(const struct hd_schedule *s)
{
	u64 hash = hd_run(s).hash;

	if (hd_run(s).hash == hash)
		return true;
	fprintf(stderr, "heddle regress: this schedule does not do the same twice\n");
	return false;
}

/* What the file is to be known for: --want, else what it wants, else the first. */
static bool choose_want(struct sched_file *f, const char *want)
{
	struct hd_outcome o = hd_run(&f->schedule);
	u32 i;

	want = want ? want : f->want;
	for (i = 0; i < o.nverdicts; i++) {
		char signature[160];

		if (*want && !want_matches(want, &o.verdicts[i]))
			continue;
		verdict_signature(&o.verdicts[i], signature, sizeof(signature));
		if (strcmp(f->want, signature))
			f->proof[0] = 0; /* that was of another verdict */
		snprintf(f->want, sizeof(f->want), "%s", signature);
		return true;
	}
	fprintf(stderr, "heddle regress: this schedule does not show %s\n",
		*want ? want : "any verdict");
	return false;
}

int cmd_regress(int argc, char **argv)
{
	static struct sched_file f;
	struct options o;

	if (!options_parse(argc, argv, V_REGRESS, &o) ||
	    !want_check(argv[0], o.want))
		return EXIT_USAGE;
	if (o.nargs != 1) {
		fprintf(stderr, "heddle regress: exactly one FILE, please\n");
		return EXIT_USAGE;
	}
	if (!sched_read(o.args[0], &f))
		return EXIT_USAGE;
	if (!choose_want(&f, o.want) || !same_twice(&f.schedule))
		return EXIT_VERDICT;
	return save_regress(o.out ? o.out : "corpus/regress", &f, o.replace) ?
		       EXIT_CLEAN : EXIT_USAGE;
}
