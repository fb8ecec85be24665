/* SPDX-License-Identifier: MIT */
/* How far is the search, and how much of what it sees is new?
 *
 * Progress goes to stderr and only to a terminal.  Distinct interleavings are
 * distinct trace hashes, in a table of fixed size: when that is full the count
 * is a lower limit, and is printed with a plus sign. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "search.h"

enum { SEEN_SLOTS = 1 << 20, SEEN_MAX = SEEN_SLOTS / 4 * 3 };

static u64 seen[SEEN_SLOTS];
static u32 nseen;
static double began, last;
static bool drawn, estimated;
volatile int interrupted;

double seconds_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

bool color_wanted(void)
{
	const char *no = getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) && !(no && *no);
}

void seen_clear(void)
{
	if (nseen)
		memset(seen, 0, sizeof(seen));
	nseen = 0;
}

void seen_add(u64 hash)
{
	u32 i = (u32)(hash >> 32) & (SEEN_SLOTS - 1);

	if (nseen >= SEEN_MAX)
		return;
	hash |= !hash;
	while (seen[i] && seen[i] != hash)
		i = (i + 1) & (SEEN_SLOTS - 1);
	nseen += !seen[i];
	seen[i] = hash;
}

u32 seen_count(bool *full)
{
	*full = nseen >= SEEN_MAX;
	return nseen;
}

static void draw(u64 done, u64 total, u32 verdicts, double now)
{
	double rate = now > began ? (double)done / (now - began) : 0;
	char left[60] = "";

	if (total > done && rate > 0)
		snprintf(left, sizeof(left), ", %s%.0f %%, %.0f s left",
			 estimated ? "about " : "", 100 * (double)done / (double)total,
			 (double)(total - done) / rate);
	fprintf(stderr, "\r%llu schedules, %.0fk/s", (unsigned long long)done,
		rate / 1000);
	if (nseen)
		fprintf(stderr, ", %u%s interleavings", nseen,
			nseen >= SEEN_MAX ? "+" : "");
	fprintf(stderr, ", %u verdicts%s\033[K", verdicts, left);
	fflush(stderr);
	drawn = true;
}

void progress(u64 done, u64 total, u32 verdicts)
{
	static int tty = -1;
	double now;

	if (tty < 0)
		tty = isatty(STDERR_FILENO);
	if (!tty)
		return;
	now = seconds_now();
	if (!began)
		began = last = now;
	if (now - last < 0.2)
		return;
	last = now;
	draw(done, total, verdicts, now);
}

void progress_about(u64 done, double share, u32 verdicts)
{
	estimated = true;
	progress(done, share > 1e-6 ? (u64)((double)done / share) : 0,
		 verdicts);
	estimated = false;
}

void progress_end(void)
{
	if (drawn)
		fprintf(stderr, "\r\033[K");
	drawn = false;
	began = 0;
}

static void on_interrupt(int sig)
{
	(void)sig;
	if (interrupted++)
		_exit(130);
}

/* The first Ctrl-C ends the search, not the program: what was found is still
 * printed and saved.  On the alternative stack, because tasks' are small. */
void catch_interrupt(void)
{
	struct sigaction sa = { .sa_handler = on_interrupt,
				.sa_flags = SA_ONSTACK | SA_RESTART };

	sigaction(SIGINT, &sa, NULL);
}
