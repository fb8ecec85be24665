/* SPDX-License-Identifier: MIT */
/* Parts of a campaign that need no process: SHA-1 and the check of a corpus
 * (campaign_corpus.c), the estimate of distinct interleavings (campaign_state.c),
 * the order of jobs (campaign_plan.c).  What it does as a whole is tested by
 * triage/t/campaign.t. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../src/base/hash.h"
#include "../src/base/tap.h"
#include "campaign.h"

static bool hashes_to(const char *text, size_t repeat, const char *want)
{
	size_t n = strlen(text), i;
	char *all = malloc(n * repeat + 1), hex[41];

	for (i = 0; i < repeat; i++)
		memcpy(all + i * n, text, n);
	sha1_hex(all, n * repeat, hex);
	free(all);
	return !strcmp(hex, want);
}

/* Of FIPS 180-4's examples, and around the length of a block. */
static void sha1(void)
{
	tap_ok(hashes_to("", 0, "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
	       "SHA-1 of nothing");
	tap_ok(hashes_to("abc", 1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
	       "... of abc");
	tap_ok(hashes_to("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmno"
			 "mnopnopq", 1,
			 "84983e441c3bd26ebaae4aa1f95129e5e54670f1"),
	       "... of 56 bytes");
	tap_ok(hashes_to("a", 1000000,
			 "34aa973cd4c4daa4f61eeb2bdbad27316534016f"),
	       "... of a million");
	tap_ok(hashes_to("a", 55, "c1c8bbdc22796e28c0e15163d20899b65621d65a"),
	       "... of 55, which fit one block");
	tap_ok(hashes_to("a", 64, "0098ba824b5c16427bd7a1122a5a442a25ec644d"),
	       "... of 64");
}

static void put(const char *dir, const char *name, const char *text)
{
	char path[300];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	out = fopen(path, "w");
	fputs(text, out);
	fclose(out);
}

static void corpus(void)
{
	char dir[] = "/tmp/heddle-corpus-XXXXXX", path[300];
	static const char *const names[] = {
		"a9993e364706816aba3e25717850c26c9cd0d89d",
		"84983e441c3bd26ebaae4aa1f95129e5e54670f1",
		"abba.buggy.deadlock-a-b.bin", ".abba.buggy.deadlock-a-b.7",
	};
	u32 i, left = 0;

	tap_ok(mkdtemp(dir) != NULL, "a folder");
	for (i = 0; i < ARRAY_SIZE(names); i++)
		put(dir, names[i], "abc");
	tap_is(corpus_check(dir), 2, "two of four files are whole");
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		left |= (unlink(path) == 0) << i;
	}
	tap_is(left, 5, "... the others are gone");
	rmdir(dir);
}

static u64 estimate_of(u32 n, u32 times)
{
	u8 *seen = calloc(1, 1 << 15);
	u64 e;
	u32 i, k;

	for (k = 0; k < times; k++)
		for (i = 0; i < n; i++)
			seen_mark(seen, hd_mix(i + 1));
	e = seen_estimate(seen);
	free(seen);
	return e;
}

static void distinct(void)
{
	u64 e = estimate_of(1000000, 1);

	tap_is(estimate_of(0, 1), 0, "nothing seen");
	tap_is(estimate_of(1, 5), 1, "one, five times");
	tap_ok(estimate_of(1000, 2) - 990 < 20, "a thousand, twice, to one per cent");
	tap_ok(e > 980000 && e < 1020000, "a million, to two per cent");
}

static struct campaign *two_and_a_canary(void)
{
	static struct heddle_scenario plain, canary = { .canary = true };
	static struct entry entry[3];
	static struct campaign c = { .entry = entry, .nentries = 3,
				     .budget = 1e9 };
	u32 i;

	memset(entry, 0, sizeof(entry));
	for (i = 0; i < 3; i++) {
		entry[i].target.scenario = i == 2 ? &canary : &plain;
		entry[i].bound = -1;
	}
	return &c;
}

/* The next job as "ENGINE of ENTRY", done. */
static u32 next(struct campaign *c, double *seconds)
{
	struct job job;

	if (!plan_next(c, &job))
		return 99;
	*seconds = job.seconds;
	c->entry[job.entry].effort[job.engine].slices++;
	return 10u * job.engine + job.entry;
}

static void plan(void)
{
	struct campaign *c = two_and_a_canary();
	static const u32 order[] = { 2, 12, 22, 0, 1, 10, 11, 20, 21 };
	u32 i, good = 0;
	double seconds = 0;

	c->before = -seconds_now(); /* this is its first moment */
	for (i = 0; i < ARRAY_SIZE(order); i++)
		good += next(c, &seconds) == order[i] && seconds == 0.5;
	tap_is(good, ARRAY_SIZE(order),
	       "canary first, then engine by engine, half a second each");
	c->entry[2].canary = 7;
	c->entry[0].proof = COMPLETE;
	c->entry[1].effort[PORTFOLIO].busy = true;
	tap_is(next(c, &seconds), 1, "what is complete or found is done");
	tap_ok(seconds == 1, "... and the next slice is twice as long");
	tap_is(next(c, &seconds), 21, "one slice of a search at a time");
	c->entry[1].effort[PORTFOLIO].busy = false;
	c->entry[1].effort[PORTFOLIO].deaths = 3;
	c->entry[1].proof = LIMITED;
	c->entry[1].stuck = true;
	tap_is(next(c, &seconds), 99, "what crashes is left alone");
	tap_is(canary_missing(c), 0, "the canary was found by all that can");
}

int main(void)
{
	tap_plan(19);
	sha1();
	corpus();
	distinct();
	plan();
	return tap_done();
}
