/* SPDX-License-Identifier: MIT */
/* What does an exhaustive search claim, so that another run can check it?
 *
 * A certificate is a text of one fact a line: what was searched (scenario, model
 * build, bound, failures, signals, rules), with which reduction, what that took
 * (runs, and a sum of their trace hashes, so that one run more, less or other is
 * seen), what was found, and whether it was complete; and in words what it is
 * relative to.  explore --certificate=FILE writes it; explore --against=FILE
 * searches the same anew and compares line by line. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exploration.h"
#include "sym.h"
#include <errno.h> /* after ours: types.h has the kernel's values */

static const char first_line[] = "heddle certificate 1";

static const char *reduction(const struct exploration *e)
{
	if (e->bound >= 0)
		return "state caching, private ops";
	return hd_eng.handlers ? "sleep sets, private ops" :
				 "source sets, sleep sets, private ops";
}

static void what_was_searched(FILE *out, const struct exploration *e)
{
	char name[160], bound[16] = "none";

	target_name(&e->target, name, sizeof(name));
	if (e->o.preemptions >= 0)
		snprintf(bound, sizeof(bound), "%d", (int)e->o.preemptions);
	fprintf(out, "%s\nscenario %s\nmodel %016llx\nbound %s\nfailures %lld\n"
		"signals %lld\nlockdep %s\ncalls %s\nmax-schedules %llu\n"
		"reduction %s\n", first_line, name,
		(unsigned long long)sym_model_id(), bound,
		(long long)e->o.fail, (long long)e->o.signals,
		e->o.lockdep == LOCKDEP_EXACT ? "exact" : "kernel",
		e->o.calls ? e->o.calls : "-",
		(unsigned long long)e->o.max_schedules, reduction(e));
}

static void write_all(FILE *out, const struct exploration *e)
{
	u32 i, met, goals = count_goals(e, &met, false);

	what_was_searched(out, e);
	fprintf(out, "runs %llu\n", (unsigned long long)e->runs);
	if (e->bound < 0)
		fprintf(out, "classes %llu\n", (unsigned long long)e->runs);
	fprintf(out, "cut %llu\ntransitions %llu\nhashes %016llx\n"
		"goals %u/%u\n", (unsigned long long)e->cut,
		(unsigned long long)e->states, (unsigned long long)e->hashes,
		met, goals);
	for (i = 0; i < e->findings.n; i++)
		fprintf(out, "verdict %s\n", e->findings.at[i].signature);
	fprintf(out, "complete %s\n", !e->complete ? "no" :
		is_vacuous(e) ? "vacuous" : "yes");
	write_relative(out, e->target.scenario, &e->o);
}

static bool cannot(const char *what, const char *path)
{
	fprintf(stderr, "heddle explore: cannot %s %s: %s\n", what, path,
		strerror(errno));
	return false;
}

bool certificate_write(const char *path, const struct exploration *e)
{
	char tmp[4200];
	FILE *out;

	if (!strcmp(path, "-")) {
		write_all(stdout, e);
		return true;
	}
	snprintf(tmp, sizeof(tmp), "%.4000s.%d.tmp", path, (int)getpid());
	out = fopen(tmp, "w");
	if (!out)
		return cannot("write", path);
	write_all(out, e);
	if (fflush(out) || ferror(out) || fclose(out) || rename(tmp, path)) {
		cannot("write", path);
		unlink(tmp);
		return false;
	}
	printf("certificate: %s\n", path);
	return true;
}

/* --- checking ---------------------------------------------------------------- */

static bool bad(const char *path, const char *what)
{
	fprintf(stderr, "heddle explore: %s: %s\n", path, what);
	return false;
}

/* The value of a line of the certificate, "" if there is none. */
static const char *value_of(const struct certificate *c, const char *key)
{
	size_t n = strlen(key);
	u32 i;

	for (i = 0; i < c->n; i++)
		if (!strncmp(c->line[i], key, n) && c->line[i][n] == ' ')
			return c->line[i] + n + 1;
	return "";
}

static bool split(struct certificate *c)
{
	char *p = c->text, *end;

	while ((end = strchr(p, '\n'))) {
		if (c->n == ARRAY_SIZE(c->line))
			return false;
		*end = 0;
		c->line[c->n++] = p;
		p = end + 1;
	}
	return !*p && c->n && !strcmp(c->line[0], first_line) &&
	       *value_of(c, "complete") && *value_of(c, "relative");
}

static bool bound_of(const char *text, s64 *bound)
{
	u64 n;

	if (!strcmp(text, "none")) {
		*bound = -1;
		return true;
	}
	if (!parse_number(text, 64, &n))
		return false;
	*bound = (s64)n;
	return true;
}

static bool options_of(const struct certificate *c, struct options *o)
{
	const char *lockdep = value_of(c, "lockdep");
	u64 fail, signals;

	if (!bound_of(value_of(c, "bound"), &o->preemptions) ||
	    !parse_number(value_of(c, "failures"), 64, &fail) ||
	    !parse_number(value_of(c, "signals"), 64, &signals) ||
	    !parse_number(value_of(c, "max-schedules"), UINT64_MAX,
			  &o->max_schedules) ||
	    (strcmp(lockdep, "exact") && strcmp(lockdep, "kernel")))
		return false;
	o->fail = (s64)fail;
	o->signals = (s64)signals;
	o->lockdep = strcmp(lockdep, "exact") ? LOCKDEP_KERNEL : LOCKDEP_EXACT;
	o->calls = strcmp(value_of(c, "calls"), "-") ? value_of(c, "calls") :
						       NULL;
	return true;
}

bool certificate_read(const char *path, struct certificate *c,
		      struct options *o)
{
	FILE *in = fopen(path, "r");
	size_t n;

	if (!in)
		return cannot("read", path);
	n = fread(c->text, 1, sizeof(c->text) - 1, in);
	c->text[n] = 0;
	c->n = 0;
	if (ferror(in)) {
		fclose(in);
		return cannot("read", path);
	}
	fclose(in);
	if (n == sizeof(c->text) - 1 || strlen(c->text) != n || !split(c) ||
	    !options_of(c, o))
		return bad(path, "not a certificate, or not all of it");
	snprintf(c->scenario, sizeof(c->scenario), "%s",
		 value_of(c, "scenario"));
	return true;
}

static u32 tell_differences(const struct certificate *c, char *now)
{
	u32 i, differences = 0;
	char *p = now, *end;

	for (i = 0; i < c->n || *p; i++) {
		end = strchrnul(p, '\n');
		if (*end)
			*end++ = 0;
		if (i >= c->n || strcmp(c->line[i], p)) {
			printf("certificate: %s\n        now: %s\n",
			       i < c->n ? c->line[i] : "-", *p ? p : "-");
			differences++;
		}
		p = end;
	}
	return differences;
}

bool certificate_holds(const struct certificate *c, const struct exploration *e)
{
	u32 differences = 1;
	char *now = NULL;
	size_t size;
	FILE *out = open_memstream(&now, &size);

	if (out) {
		write_all(out, e);
		if (!fclose(out))
			differences = tell_differences(c, now);
	}
	free(now);
	if (!differences)
		printf("the certificate holds: the same search, run by run\n");
	return !differences;
}
