/* SPDX-License-Identifier: MIT */
/* The binary form of schedules: is every byte string valid, and do records
 * behave as schedule.h says?  Covers schedule.c. */
#include "schedule.h"

#include <string.h>

#include "../base/hash.h"
#include "../base/tap.h"

static struct hd_schedule a, b;

static u32 random_bytes(u8 *buf, u32 size, u32 seed)
{
	u32 n = hd_below(hd_draw(seed, 0, 0, 1), size), i;

	for (i = 0; i < n; i++)
		buf[i] = (u8)hd_draw(seed, 1, i, 2);
	return n;
}

static bool sorted(const struct hd_schedule *s)
{
	u32 i;

	for (i = 1; i < s->nedits; i++) {
		const struct hd_edit *x = &s->edit[i - 1], *y = &s->edit[i];

		if (x->task > y->task ||
		    (x->task == y->task && x->anchor > y->anchor) ||
		    (x->task == y->task && x->anchor == y->anchor &&
		     x->kind >= y->kind))
			return false;
	}
	return true;
}

static bool equal(const struct hd_schedule *x, const struct hd_schedule *y)
{
	return x->strategy == y->strategy && x->seed == y->seed &&
	       x->nedits == y->nedits &&
	       !memcmp(x->edit, y->edit, x->nedits * sizeof(x->edit[0]));
}

static void random_inputs(void)
{
	static u8 buf[400], out[8192];
	u32 seed, bad_order = 0, bad_trip = 0, n;
	size_t len;

	for (seed = 0; seed < 2000; seed++) {
		n = random_bytes(buf, sizeof(buf), seed);
		hd_schedule_decode(&a, buf, n, 3);
		bad_order += !sorted(&a);
		len = hd_schedule_encode(&a, out, sizeof(out));
		hd_schedule_decode(&b, out, len, 3);
		bad_trip += !equal(&a, &b);
	}
	tap_is(bad_order, 0, "2,000 random inputs decode to sorted edits");
	tap_is(bad_trip, 0, "... and survive encoding and decoding");
}

static void order_does_not_matter(void)
{
	static const u8 x[] = { 3, 1, 2, 3, 4, 0, 1, 5, 0, 2, 0,
				4, 0, 1, 0, 1, 0 };
	static const u8 y[] = { 3, 1, 2, 3, 4, 4, 0, 1, 0, 1, 0,
				0, 1, 5, 0, 2, 0 };

	hd_schedule_decode(&a, x, sizeof(x), 3);
	hd_schedule_decode(&b, y, sizeof(y), 3);
	tap_ok(equal(&a, &b), "records are order-insensitive");
	tap_is(a.nedits, 2, "two records, two edits");
	tap_is(a.strategy, 3, "byte 0 is the strategy");
	tap_is(a.seed, 0x04030201, "bytes 1-4 are the seed, little endian");
}

/* What a search ran must be the same as a file: the portfolio has all of them. */
static void strategies(void)
{
	u8 buf[HD_HEAD_BYTES], i;
	u32 good = 0;

	for (i = 0; i < 10; i++) {
		hd_schedule_clear(&a);
		a.strategy = i;
		hd_schedule_encode(&a, buf, sizeof(buf));
		hd_schedule_decode(&b, buf, sizeof(buf), 3);
		good += b.strategy == i;
	}
	tap_is(good, 10, "all ten strategies survive");
	buf[0] = 0x1b;
	hd_schedule_decode(&b, buf, sizeof(buf), 3);
	tap_is(b.strategy, 3, "of an unknown number the low 3 bits count");
}

static void equal_keys(void)
{
	static const u8 x[] = { 0, 0, 0, 0, 0, 0, 1, 5, 0, 2, 0,
				0, 1, 5, 0, 1, 0 };

	hd_schedule_decode(&a, x, sizeof(x), 3);
	tap_is(a.nedits, 1, "equal keys: one edit");
	tap_is(a.edit[0].arg, 1, "... the smallest argument wins");
	hd_schedule_decode(&a, x, sizeof(x) - 3, 3);
	tap_is(a.edit[0].arg, 2, "a short tail is ignored");
	hd_schedule_decode(&a, x, 0, 3);
	tap_ok(!a.nedits && !a.strategy && !a.seed, "the empty input is valid");
}

static void full(void)
{
	u32 i, kept = 0;

	hd_schedule_clear(&a);
	for (i = 0; i < 2 * HD_MAX_EDITS; i++) {
		struct hd_edit e = { 0, 0, (u16)(i + 1), 0 };

		kept += hd_schedule_add(&a, e);
	}
	tap_is(kept, HD_MAX_EDITS, "a full list refuses further edits");
	hd_schedule_remove(&a, 0);
	tap_is(a.edit[0].anchor, 2, "remove closes the gap");
}

int main(void)
{
	tap_plan(14);
	random_inputs();
	order_does_not_matter();
	strategies();
	equal_keys();
	full();
	return tap_done();
}
