/* SPDX-License-Identifier: MIT */
/* What happens to a verdict inside a fuzz target?
 *
 * Alone, or under a foreign engine: the first verdict is printed, with its
 * signature as DEDUP_TOKEN, and the process aborts: that is how engines learn
 * of a finding.  Supervised (--heddle-findings=DIR): each new signature is
 * saved to DIR, under a temporary name first, and fuzzing goes on.  A
 * supervisor that gave us a pipe is told, one line each:
 *
 *	runs N M              N more runs, M of them with a verdict
 *	finding NAME HEX SIG  the input, should DIR not take it
 *
 * limit verdicts say that heddle's own room was too small; they are saved, but
 * they abort nothing: they are no bugs of the model. */
#include "fuzz.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../src/base/hash.h"

enum { MAX_SIGNATURES = 256, REPORT_EVERY = 1024, LINE = 4096 /* PIPE_BUF */ };

static const char *dir;
static int fd = -1, want;
static u64 seen[MAX_SIGNATURES];
static u32 nseen;
static u32 runs, failed; /* since the last line */

/* --- the supervisor ------------------------------------------------------------ */

/* One write of at most PIPE_BUF bytes: lines of several processes do not mix. */
static void tell(const char *line, size_t n)
{
	while (write(fd, line, n) < 0 && errno == EINTR)
		;
}

static void tell_runs(void)
{
	char line[64];
	int n;

	if (fd < 0 || !runs)
		return;
	n = snprintf(line, sizeof(line), "runs %u %u\n", runs, failed);
	tell(line, (size_t)n);
	runs = failed = 0;
}

static void tell_finding(const char *name, const char *signature,
			 const u8 *data, size_t size)
{
	char line[LINE];
	size_t at, i;

	if (fd < 0)
		return;
	tell_runs(); /* so that it is known which run this was */
	at = (size_t)snprintf(line, sizeof(line), "finding %s ", name);
	if (size && at + 2 * size + strlen(signature) + 3 < sizeof(line))
		for (i = 0; i < size; i++)
			at += (size_t)snprintf(line + at, 3, "%02x", data[i]);
	else
		line[at++] = '-';
	at += (size_t)snprintf(line + at, sizeof(line) - at, " %s\n",
			       signature);
	tell(line, at);
}

/* --- the disk -------------------------------------------------------------------- */

/* <scenario>.<variant>.<signature>: a binary schedule does not name its
 * scenario.  Signatures that differ only in what a file name cannot hold are
 * told apart by a few digits of their hash. */
static void file_name(const char *signature, char *name, size_t size)
{
	size_t n = (size_t)snprintf(name, size, "%s.%s.",
				    hd_eng.scenario->name,
				    hd_eng.variant->name);
	bool odd = false;
	const char *p;
	u64 h = 0;

	for (p = signature; *p; p++) {
		bool plain = isalnum((unsigned char)*p) || *p == '.' ||
			     *p == '_';

		h = hd_fold(h, (u8)*p);
		odd |= !plain && *p != ' ' && *p != '-';
		if (n + 6 >= size)
			odd = true;
		else if (plain || name[n - 1] != '-')
			name[n++] = plain ? *p : '-';
	}
	name[n] = 0;
	if (odd)
		snprintf(name + n, size - n, "-%04x", (u32)(h & 0xffff));
}

static bool write_all(const char *path, const u8 *data, size_t size)
{
	int out = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	bool ok;

	if (out < 0)
		return false;
	ok = write(out, data, size) == (ssize_t)size;
	return close(out) == 0 && ok;
}

/* What is there already stays: it shows the same signature. */
static void save(const char *name, const u8 *data, size_t size)
{
	char path[4096], temporary[4096];

	snprintf(path, sizeof(path), "%s/%s.bin", dir, name);
	snprintf(temporary, sizeof(temporary), "%s/.%s.%d", dir, name,
		 (int)getpid());
	if (access(path, F_OK) == 0)
		return;
	if (write_all(temporary, data, size) && !rename(temporary, path))
		return;
	fprintf(stderr, "heddle: cannot save %s: %s\n", path, strerror(errno));
	unlink(temporary);
}

/* --- verdicts -------------------------------------------------------------------- */

/* Names are static strings of one process: comparing pointers is enough here,
 * and costs no formatting in runs that show a known signature again. */
static bool is_new(const struct hd_verdict *v)
{
	u64 h = hd_fold(hd_fold(v->kind, v->off), (u64)v->type) | 1;
	u32 i;

	for (i = 0; i < v->nnames; i++)
		h = hd_fold(h, (u64)v->names[i]) | 1;
	for (i = 0; i < nseen; i++)
		if (seen[i] == h)
			return false;
	if (nseen == MAX_SIGNATURES)
		return false;
	seen[nseen++] = h;
	return true;
}

static void print_title(const struct hd_verdict *v)
{
	const char *task = v->task < W->ntasks ? W->tasks[v->task].name :
						 "end check";
	u32 i;

	fprintf(stderr, "heddle: %s", hd_verdict_title(v->kind));
	for (i = 0; i < v->nnames; i++)
		fprintf(stderr, "%s%s", i ? ", " : ": ", v->names[i]);
	if (v->type)
		fprintf(stderr, "%s%s+%u", v->nnames ? " " : ": ", v->type,
			v->off);
	fprintf(stderr, ", task %s\n", task);
}

static void die(const struct hd_verdict *v)
{
	char signature[160];

	hd_verdict_signature(v, NULL, signature, sizeof(signature));
	print_title(v);
	fprintf(stderr, "DEDUP_TOKEN: %s\n", signature);
	fflush(stderr);
	abort();
}

static void keep(const struct hd_verdict *v, const u8 *data, size_t size)
{
	char signature[160], name[200];

	if (!is_new(v))
		return;
	hd_verdict_signature(v, NULL, signature, sizeof(signature));
	file_name(signature, name, sizeof(name));
	save(name, data, size);
	tell_finding(name, signature, data, size);
}

void fuzz_findings_look(const struct hd_outcome *o, const u8 *data,
			size_t size)
{
	u32 i;

	if (++runs >= REPORT_EVERY)
		tell_runs();
	if (likely(!o->nverdicts))
		return;
	failed++;
	for (i = 0; i < o->nverdicts; i++) {
		const struct hd_verdict *v = &o->verdicts[i];

		if (want && v->kind != want)
			continue;
		if (!dir && v->kind != HD_V_LIMIT)
			die(v);
		else if (dir && *dir)
			keep(v, data, size);
	}
}

void fuzz_findings_start(const char *where, int report_fd, int only)
{
	dir = where;
	fd = report_fd;
	want = only;
	if (fd >= 0)
		atexit(tell_runs);
}
