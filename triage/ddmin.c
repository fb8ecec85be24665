/* SPDX-License-Identifier: MIT */
/* Which edits of a schedule can go?  Delta debugging: Zeller, Hildebrandt,
 * "Simplifying and Isolating Failure-Inducing Input", TSE 2002.
 *
 * Edits are keyed by (task, n-th op), so that removing one never changes the
 * meaning of another: chunks may be cut anywhere.  Ends when no single edit
 * can be removed. */
#include <string.h>

#include "search.h"

static void without(const struct hd_schedule *s, u32 from, u32 n,
		    struct hd_schedule *out)
{
	out->strategy = s->strategy;
	out->seed = s->seed;
	out->nedits = s->nedits - n;
	memcpy(out->edit, s->edit, from * sizeof(s->edit[0]));
	memcpy(out->edit + from, s->edit + from + n,
	       (s->nedits - from - n) * sizeof(s->edit[0]));
}

/* Cut chunks of n; true if one could go. */
static bool pass(struct hd_schedule *s, u32 n,
		 bool (*keep)(const struct hd_schedule *, void *), void *arg)
{
	static struct hd_schedule try;
	bool cut = false;
	u32 at = 0;

	while (at < s->nedits) {
		u32 len = n < s->nedits - at ? n : s->nedits - at;

		without(s, at, len, &try);
		if (keep(&try, arg)) {
			*s = try;
			cut = true;
		} else {
			at += len;
		}
	}
	return cut;
}

void ddmin(struct hd_schedule *s,
	   bool (*keep)(const struct hd_schedule *s, void *arg), void *arg)
{
	u32 n = s->nedits;

	while (n && s->nedits) {
		if (pass(s, n, keep, arg) && n == 1)
			continue;
		n /= 2;
	}
}
