/* SPDX-License-Identifier: MIT */
/* How does a finding get to disk without harming what is there?
 *
 * DIR/<signature as a file name>.sched and its report as .txt, each through a
 * temporary file and a rename.  A .sched of another scenario or variant is
 * never overwritten: then the name begins with ours. */
#include <ctype.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "search.h"
#include <errno.h> /* after ours: types.h has the kernel's values */

/* Signatures that differ only in what a file name cannot hold are told apart
 * by a few digits of their hash. */
void signature_slug(const char *signature, char *buf, size_t size)
{
	u32 hash = 0;
	bool odd = false;
	size_t n = 0;
	const char *p;

	for (p = signature; *p; p++) {
		hash = hash * 31 + (u8)*p;
		odd |= !isalnum((unsigned char)*p) && !strchr("._- ", *p);
		if (n + 6 >= size)
			continue;
		if (isalnum((unsigned char)*p) || strchr("._", *p))
			buf[n++] = *p;
		else if (n && buf[n - 1] != '-')
			buf[n++] = '-';
	}
	while (n && buf[n - 1] == '-')
		n--;
	buf[n] = 0;
	if (odd)
		snprintf(buf + n, size - n, "-%04x", hash & 0xffff);
}

/* Is path a schedule of something else? */
static bool is_foreign(const char *path, const char *target)
{
	char line[200], ours[200];
	FILE *in = fopen(path, "r");
	bool foreign = true;

	if (!in)
		return false;
	snprintf(ours, sizeof(ours), "scenario %s\n", target);
	if (fgets(line, sizeof(line), in) && fgets(line, sizeof(line), in))
		foreign = strcmp(line, ours);
	fclose(in);
	return foreign;
}

static bool cannot(const char *path)
{
	fprintf(stderr, "heddle: cannot write %s: %s\n", path, strerror(errno));
	return false;
}

static void text(FILE *out, const struct report *r)
{
	report_text(out, r, false);
}

static bool save_report(const char *path, const struct report *r,
			void (*print)(FILE *out, const struct report *r))
{
	char tmp[4200];
	FILE *out;

	snprintf(tmp, sizeof(tmp), "%s.%d.tmp", path, (int)getpid());
	out = fopen(tmp, "w");
	if (!out)
		return cannot(path);
	print(out, r);
	if (fflush(out) || ferror(out) || fclose(out) || rename(tmp, path)) {
		cannot(path);
		unlink(tmp);
		return false;
	}
	return true;
}

bool save_finding(const char *dir, struct sched_file *f,
		  const struct report *r)
{
	char base[4100], path[4120], target[160], slug[160];
	struct report saved = *r;

	if (strlen(dir) > 3600) {
		errno = ENAMETOOLONG;
		return cannot(dir);
	}
	if (mkdir(dir, 0777) && errno != EEXIST)
		return cannot(dir);
	signature_slug(f->want, slug, sizeof(slug));
	target_name(&f->target, target, sizeof(target));
	snprintf(base, sizeof(base), "%s/%s", dir, slug);
	snprintf(path, sizeof(path), "%s.sched", base);
	if (is_foreign(path, target)) {
		snprintf(base, sizeof(base), "%s/%s.%s.%s", dir,
			 f->target.scenario->name, f->target.variant->name,
			 slug);
		snprintf(path, sizeof(path), "%s.sched", base);
	}
	if (!sched_write(path, f))
		return false;
	saved.file = path;
	snprintf(base + strlen(base), sizeof(base) - strlen(base), ".txt");
	if (!save_report(base, &saved, text))
		return false;
	printf("saved: %s\n", path);
	return true;
}

/* Like mkdir -p; path is changed and put back. */
static bool make_folders(char *path)
{
	char *p;

	for (p = path + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = 0;
		if (mkdir(path, 0777) && errno != EEXIST)
			return cannot(path);
		*p = '/';
	}
	return true;
}

bool save_regress(const char *dir, struct sched_file *f, bool replace)
{
	char path[4200], report[4200], slug[160];
	struct report r;
	size_t folder;

	if (strlen(dir) > 3600) {
		errno = ENAMETOOLONG;
		return cannot(dir);
	}
	signature_slug(f->want, slug, sizeof(slug));
	folder = (size_t)snprintf(path, sizeof(path), "%s/%s.%s/%s/", dir,
				  f->target.scenario->name,
				  f->target.variant->name, slug);
	if (!make_folders(path))
		return false;
	snprintf(path + folder, sizeof(path) - folder, "min.sched");
	if (!replace && !access(path, F_OK)) {
		fprintf(stderr, "heddle regress: %s is there already "
			"(--replace)\n", path);
		return false;
	}
	if (!sched_write(path, f))
		return false;
	report_from_file(&r, path, f, NULL);
	snprintf(report, sizeof(report), "%.*sreport.txt", (int)folder, path);
	if (!save_report(report, &r, report_mail))
		return false;
	printf("saved: %s\n", path);
	return true;
}

void min_describe(FILE *out, const struct min_result *m)
{
	fprintf(out, "reduced to %u preemption%s in %u replays, %.0f ms",
		m->reduced, m->reduced == 1 ? "" : "s", m->replays,
		m->reduce_seconds * 1e3);
	if (m->preemptions != m->reduced)
		fprintf(out, "; search found %u", m->preemptions);
	fprintf(out, "\n");
	if (m->proved && !m->preemptions)
		fprintf(out, "no preemption needed\n");
	else if (m->proved)
		fprintf(out, "proved minimal: %u preemption%s exhausted "
			"(%llu runs, %.0f ms)\n", m->exhausted,
			m->exhausted == 1 ? "" : "s",
			(unsigned long long)m->proof_runs,
			m->proof_seconds * 1e3);
	else
		fprintf(out, "not proved (%s)\n", m->why_not);
}

/* No times in the file: it must be the same whenever it is made again. */
void sched_from_min(struct sched_file *f, const struct target *t,
		    const char *signature, const struct min_result *m)
{
	memset(f, 0, sizeof(*f));
	f->target = *t;
	f->schedule = m->schedule;
	snprintf(f->want, sizeof(f->want), "%s", signature);
	if (m->proved && m->preemptions)
		snprintf(f->proof, sizeof(f->proof),
			 "%u preemptions: %u exhausted (%llu runs)",
			 m->preemptions, m->exhausted,
			 (unsigned long long)m->proof_runs);
	else if (m->proved)
		snprintf(f->proof, sizeof(f->proof), "0 preemptions");
	else
		snprintf(f->proof, sizeof(f->proof),
			 "%u preemptions: not proved (%s)", m->preemptions,
			 m->why_not);
}

void report_from_min(struct report *r, const struct target *t,
		     const char *signature, const struct min_result *m)
{
	memset(r, 0, sizeof(*r));
	r->target = *t;
	r->schedule = m->schedule;
	snprintf(r->want, sizeof(r->want), "%s", signature);
	r->min_known = true;
	r->proved = m->proved;
	r->exhausted = m->exhausted;
}

void report_from_file(struct report *r, const char *path,
		      const struct sched_file *f, const char *want)
{
	u32 preemptions, exhausted;

	memset(r, 0, sizeof(*r));
	r->target = f->target;
	r->schedule = f->schedule;
	r->file = strcmp(path, "-") ? path : NULL;
	snprintf(r->want, sizeof(r->want), "%s", want ? want : f->want);
	/* the proof is about the wanted verdict of the file alone */
	if (strcmp(r->want, f->want))
		return;
	if (sscanf(f->proof, "%u preemptions: %u exhausted", &preemptions,
		   &exhausted) == 2) {
		r->min_known = r->proved = true;
		r->exhausted = exhausted;
	} else if (strstr(f->proof, "not proved")) {
		r->min_known = true;
	}
}
