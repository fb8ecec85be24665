/* SPDX-License-Identifier: MIT */
/* heddle run --seeds=M: how many schedules does each strategy need until the
 * wanted verdict?  Median and 90th percentile over M fixed seeds, where a seed that
 * did not find it counts as more than all schedules; and the mean of those that
 * did.  Of programs these are all runs from which anything is learnt: each seed
 * has a profile of its own.  Of models the runs of the profile stand apart. */
#include <stdlib.h>
#include <string.h>

#include "cmd_run.h"
#include "search.h"

struct tally {
	u64 *needed; /* UINT64_MAX: not found */
	u32 n, found;
};

static u64 until_wanted(const struct options *o, int strategy, u32 seed)
{
	static struct hd_schedule s;
	u64 i;
	u32 v;

	for (i = 0; i < o->schedules && !interrupted; i++) {
		struct hd_outcome out = run_one(&s, strategy, seed, i, o);

		for (v = 0; v < out.nverdicts; v++)
			if (want_matches(o->want, &out.verdicts[v]))
				return i + 1;
	}
	return UINT64_MAX;
}

static int by_number(const void *x, const void *y)
{
	u64 a = *(const u64 *)x, b = *(const u64 *)y;

	return a < b ? -1 : a > b;
}

static void print_number(u64 n, u64 most)
{
	char buf[32];

	if (n == UINT64_MAX)
		snprintf(buf, sizeof(buf), ">%llu", (unsigned long long)most);
	else
		snprintf(buf, sizeof(buf), "%llu", (unsigned long long)n);
	printf(" %10s", buf);
}

/* The p-th per cent: the smallest number that so many seeds do not exceed. */
static u64 percentile(const struct tally *t, u32 p)
{
	return t->needed[(t->n * p + 99) / 100 - 1];
}

static void print_mean(const struct tally *t)
{
	double sum = 0;
	u32 i;

	for (i = 0; i < t->found; i++) /* the smallest ones */
		sum += (double)t->needed[i];
	if (t->found)
		printf(" %10.1f", sum / t->found);
	else
		printf(" %10s", "-");
}

static void measure(struct tally *t, const struct options *o, int strategy)
{
	u32 i;

	t->n = (u32)o->seeds;
	t->found = 0;
	for (i = 0; i < t->n; i++) {
		t->needed[i] = until_wanted(o, strategy, (u32)o->seed + i);
		t->found += t->needed[i] != UINT64_MAX;
	}
	qsort(t->needed, t->n, sizeof(t->needed[0]), by_number);
}

int run_seeds(const struct target *t, const struct options *o, int strategy)
{
	static const char *const names[] = { "pos", "surw", "urw", "hold", "eager",
					     "random", "reluctant", "pct",
					     "rf", "portfolio" };
	double began = seconds_now();
	struct tally x = { calloc(o->seeds, sizeof(u64)), 0, 0 };
	u64 median[ARRAY_SIZE(names)] = { 0 };
	char name[160];
	u32 i, found = 0;

	target_name(t, name, sizeof(name));
	printf("schedules of %s until %s, %llu seeds\n", name, o->want,
	       (unsigned long long)o->seeds);
	if (!is_program(t->scenario))
		printf("%u runs of the profile, when it was loaded\n",
		       hd_profile_runs());
	printf("%-12s %10s %10s %10s %10s\n", "strategy", "median", "p90", "mean",
	       "found");
	for (i = 0; x.needed && i < ARRAY_SIZE(names); i++) {
		int id = hd_strategy_id(names[i]); /* portfolio: -1 */

		if (o->strategy && id != strategy)
			continue;
		measure(&x, o, id);
		median[i] = percentile(&x, 50);
		found += x.found;
		printf("%-12s", names[i]);
		print_number(median[i], o->schedules);
		print_number(percentile(&x, 90), o->schedules);
		print_mean(&x);
		printf(" %7u/%u\n", x.found, x.n);
	}
	free(x.needed);
	printf("result: scenario=%s schedules=%llu verdicts=%d complete=no "
	       "bound=none seeds=%llu", name, (unsigned long long)o->schedules,
	       found > 0, (unsigned long long)o->seeds);
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (median[i] == UINT64_MAX)
			printf(" %s=-", names[i]);
		else if (median[i])
			printf(" %s=%llu", names[i],
			       (unsigned long long)median[i]);
	}
	printf(" seconds=%.3f\n", seconds_now() - began);
	return found ? EXIT_VERDICT : EXIT_CLEAN;
}
