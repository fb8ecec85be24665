/* SPDX-License-Identifier: MIT */
/* The main() of tests that consist of scenarios: explore every variant of
 * every scenario that is linked in, and compare the set of verdicts with what
 * the variant expects.  Clean means complete: no limit was hit.  Each kind of
 * verdict must come back when the schedule of its first run is run again. */
#include <string.h>

#include "../engine/explore.h"
#include "../run.h"
#include "tap.h"
#include "twin.h"

extern const struct heddle_scenario *const __start_hd_scenarios[]
	__attribute__((weak));
extern const struct heddle_scenario *const __stop_hd_scenarios[]
	__attribute__((weak));

static u64 seen; /* bit k: verdict kind k */
static struct hd_schedule first_run[HD_V_COUNT];

static bool found(struct hd_explore *x, void *arg)
{
	u32 i, kind;

	(void)x;
	(void)arg;
	for (i = 0; i < W->nverdicts; i++) {
		kind = W->verdicts[i].kind;
		if (!(seen >> kind & 1))
			hd_explore_schedule(&first_run[kind]);
		seen |= 1ull << kind;
	}
	return true;
}

static u64 expected(const struct heddle_variant *v)
{
	u64 mask = 0;
	u32 i;

	for (i = 0; i < HD_MAX_EXPECT && v->expect[i].verdict; i++)
		mask |= 1ull << v->expect[i].verdict;
	return mask;
}

static void print_set(const char *what, u64 mask)
{
	printf("# %s:", what);
	if (!mask)
		printf(" clean");
	for (; mask; mask &= mask - 1)
		printf(" %s", hd_verdict_name(__builtin_ctzll(mask)));
	putchar('\n');
}

static bool goals_reached(u64 marks)
{
	const char *const *g;
	bool all = true;

	for (g = hd_goals(); *g; g++, marks >>= 1)
		if (!(marks & 1)) {
			printf("# not reached: %s\n", *g);
			all = false;
		}
	return all;
}

static bool comes_back(u32 kind)
{
	u32 i;

	hd_run_schedule(&first_run[kind]);
	for (i = 0; i < W->nverdicts; i++)
		if (W->verdicts[i].kind == kind)
			return true;
	printf("# not replayed: %s\n", hd_verdict_name((int)kind));
	return false;
}

static bool replay_all(void)
{
	bool all = true;
	u64 m;

	for (m = seen; m; m &= m - 1)
		all &= comes_back((u32)__builtin_ctzll(m));
	return all;
}

/* Failures, or signals, that the search tries in a run. */
static u32 at_most(int declared)
{
	return declared == TWIN_NONE ? 0 : declared ? (u32)declared : 1;
}

static void test(const struct heddle_scenario *s,
		 const struct heddle_variant *v)
{
	struct hd_explore x = { .bound = v->bound ? v->bound : -1,
				.max_runs = 2000000,
				.max_failures = at_most(v->fail),
				.max_signals = at_most(v->signals),
				.found = found };
	u64 want = expected(v);
	const char *error;
	bool good;

	seen = 0;
	error = hd_open(s, v);
	if (error) {
		tap_ok(false, "%s: %s: %s", s->name, v->name, error);
		return;
	}
	hd_explore_run(&x);
	good = seen == want && x.complete && goals_reached(x.marks) &&
	       replay_all();
	tap_ok(good, "%s: %s %s (%llu runs%s)", s->name, v->name,
	       want ? "as expected" : "clean", (unsigned long long)x.runs,
	       v->bound ? ", bounded" : "");
	if (seen != want) {
		print_set("     got", seen);
		print_set("expected", want);
	}
	if (!x.complete)
		printf("# the search is not complete\n");
}

int main(int argc, char **argv)
{
	const struct heddle_scenario *const *s;
	const struct heddle_variant *v;

	for (s = __start_hd_scenarios; s < __stop_hd_scenarios; s++)
		for (v = (*s)->variants; v->name; v++)
			if (argc < 2 || strstr((*s)->name, argv[1]))
				test(*s, v);
	return tap_done();
}
