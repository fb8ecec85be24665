/* SPDX-License-Identifier: MIT */
/* How fast is one run?  The raw loop behind `make bench`.
 *
 *   bench SCENARIO:VARIANT uniform|few|block RUNS
 *   bench SCENARIO:VARIANT oracles      (bench_oracles.c)
 *
 * uniform: a random walk that decides at every op; few: run-to-block with six
 * random switches; block: no switch but the forced ones.  Prints one line:
 * runs, CPU seconds, runs per second, ops, switches and verdicts per run. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../src/base/hash.h"
#include "../triage.h"
#include "bench.h"

static double cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void few_switches(struct hd_schedule *s, u32 seed, u32 ops)
{
	u32 i, n = W->nuser;

	hd_schedule_clear(s);
	for (i = 0; i < 6; i++) {
		u64 r = hd_draw(seed, i, 0, 9);
		struct hd_edit e = { HD_EDIT_SWITCH, (u8)(r % n),
				     (u16)(1 + hd_below(r, ops / n + 1)),
				     (u16)((r >> 8) % n) };

		hd_schedule_add(s, e);
	}
}

int main(int argc, char **argv)
{
	static struct hd_schedule s;
	double ops = 0, switches = 0, start;
	u64 runs, i, bad = 0;
	struct target t;
	u32 average = 100;

	if (argc == 3 && !strcmp(argv[2], "oracles") &&
	    target_parse(argv[1], &t) && target_open(&t))
		return bench_oracles();
	if (argc != 4 || !target_parse(argv[1], &t) || !target_open(&t))
		return EXIT_USAGE;
	runs = strtoull(argv[3], NULL, 10);
	hd_schedule_clear(&s);
	average = hd_run(&s).ops;
	hd_eng.all_choice = !strcmp(argv[2], "uniform");
	s.strategy = hd_eng.all_choice ? 1 : 0;
	start = cpu_seconds();
	for (i = 0; i < runs; i++) {
		struct hd_outcome o;

		if (!strcmp(argv[2], "few"))
			few_switches(&s, (u32)i, average);
		s.seed = (u32)i;
		o = hd_run(&s);
		ops += o.ops;
		switches += o.switches;
		bad += o.nverdicts != 0;
	}
	start = cpu_seconds() - start;
	printf("runs=%llu cpu=%.3f rate=%.0f ops=%.1f switches=%.1f bad=%.3f\n",
	       (unsigned long long)runs, start, (double)runs / start,
	       ops / (double)runs, switches / (double)runs,
	       (double)bad / (double)runs);
	return EXIT_CLEAN;
}
