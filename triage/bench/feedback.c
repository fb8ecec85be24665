/* SPDX-License-Identifier: MIT */
/* How many runs does a fuzz target need until the wanted verdict, and what of it
 * is it that finds it?   feedback SCENARIO:VARIANT VERDICT [SEEDS [RUNS]]
 *
 *   guided   libFuzzer, our mutator, feedback: what `heddle fuzz` is
 *   bytes    libFuzzer, its own mutations of bytes, the same feedback; without its
 *            -len_control, which would take some 250 runs to reach the first edit
 *   blind    our mutator five times in a row from the empty input, as libFuzzer
 *            does with a parent; no corpus
 *   random   random bytes, up to 16 edits
 *
 * All decode, run and judge with the code of the target.  A run for the trace of
 * a parent counts as one.  The variant is loaded once; each seed is a process
 * that begins there.  Prints what `heddle run --seeds` does for strategies. */
#include "../../fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../src/base/hash.h"

int LLVMFuzzerRunDriver(int *argc, char ***argv,
			int (*test)(const u8 *data, size_t size));

enum { MAX_SEEDS = 100, MAX_BYTES = 4096, DEPTH = 5, NOT_FOUND = UINT32_MAX };

static int want, answer = -1; /* answer: the pipe of a seed's process */
static u32 most = 20000;
static char target[160];

/* --- in the process of a seed -------------------------------------------------- */

static _Noreturn void tell(u32 runs)
{
	_exit(write(answer, &runs, sizeof(runs)) == sizeof(runs) ? 0 : 1);
}

/* In the place of fuzz/findings.c: the wanted verdict ends the process. */
void fuzz_findings_look(const struct hd_outcome *o, const u8 *data, size_t size)
{
	u32 i;

	(void)data;
	(void)size;
	if (fuzz_runs > most)
		tell(NOT_FOUND);
	for (i = 0; i < o->nverdicts; i++)
		if (o->verdicts[i].kind == want)
			tell((u32)fuzz_runs);
	if (fuzz_runs == most)
		tell(NOT_FOUND);
}

void fuzz_findings_start(const char *dir, int fd, int only)
{
	(void)dir;
	(void)fd;
	(void)only;
}

static void in_libfuzzer(u32 seed, char *mutator)
{
	char number[32];
	char *line[] = { "feedback", target, number, "-entropic=0",
			 "-verbosity=0", mutator, NULL, NULL };
	char **args = line;
	int n = 6;

	snprintf(number, sizeof(number), "-seed=%u", seed);
	LLVMFuzzerRunDriver(&n, &args, LLVMFuzzerTestOneInput);
}

static void guided(u32 seed)
{
	in_libfuzzer(seed, "--mutator=races");
}

static void bytes(u32 seed)
{
	in_libfuzzer(seed, "--mutator=bytes");
}

static void blind(u32 seed)
{
	static u8 data[MAX_BYTES];
	size_t size = 0;
	u32 i;

	LLVMFuzzerTestOneInput(data, 0);
	for (i = 0;; i++) {
		if (i % DEPTH == 0)
			size = 0;
		size = LLVMFuzzerCustomMutator(data, size, MAX_BYTES,
					       (u32)hd_draw(seed, i, 0, 0));
		LLVMFuzzerTestOneInput(data, size);
	}
}

static void random_bytes(u32 seed)
{
	static u8 data[HD_HEAD_BYTES + FUZZ_MAX_EDITS * HD_EDIT_BYTES];
	u32 i, k, size;

	for (i = 0;; i++) {
		size = hd_below(hd_draw(seed, i, 0, 1), sizeof(data) + 1);
		for (k = 0; k < size; k++)
			data[k] = (u8)hd_draw(seed, i, k, 2);
		LLVMFuzzerTestOneInput(data, size);
	}
}

/* --- all seeds ------------------------------------------------------------------- */

static u32 until_wanted(void (*mode)(u32), u32 seed)
{
	u32 runs = 0;
	int ends[2];
	pid_t pid;

	if (pipe(ends) || (pid = fork()) < 0)
		exit(70);
	if (!pid) {
		answer = ends[1];
		if (!freopen("/dev/null", "w", stderr))
			_exit(70);
		mode(seed);
		_exit(70);
	}
	close(ends[1]);
	if (read(ends[0], &runs, sizeof(runs)) != sizeof(runs)) {
		fprintf(stderr, "feedback: %s: seed %u gave no answer\n",
			target, seed);
		exit(70);
	}
	close(ends[0]);
	waitpid(pid, NULL, 0);
	return runs;
}

static int by_number(const void *x, const void *y)
{
	u32 a = *(const u32 *)x, b = *(const u32 *)y;

	return a < b ? -1 : a > b;
}

static void number(u32 runs)
{
	char text[16];

	snprintf(text, sizeof(text), runs == NOT_FOUND ? ">%u" : "%u",
		 runs == NOT_FOUND ? most : runs);
	printf(" %10s", text);
}

static void measure(const char *name, void (*mode)(u32), u32 seeds)
{
	u32 runs[MAX_SEEDS], i, found = 0;
	double sum = 0;

	for (i = 0; i < seeds; i++) {
		runs[i] = until_wanted(mode, i + 1); /* 0: libFuzzer's clock */
		found += runs[i] != NOT_FOUND;
	}
	qsort(runs, seeds, sizeof(runs[0]), by_number);
	for (i = 0; i < found; i++)
		sum += runs[i];
	printf("%-12s", name);
	number(runs[(seeds + 1) / 2 - 1]);
	number(runs[(seeds * 9 + 9) / 10 - 1]);
	printf(" %10.1f %7u/%u\n", found ? sum / found : 0, found, seeds);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	char *colon = argc > 2 ? strchr(argv[1], ':') : NULL;
	u32 seeds = argc > 3 ? (u32)atoi(argv[3]) : 20;

	most = argc > 4 ? (u32)atoi(argv[4]) : most;
	want = argc > 2 ? hd_verdict_by_name(argv[2]) : 0;
	if (!colon || !want || !seeds || seeds > MAX_SEEDS || !most) {
		fprintf(stderr, "usage: feedback SCENARIO:VARIANT VERDICT "
			"[SEEDS [RUNS]]\n");
		return 2;
	}
	snprintf(target, sizeof(target), "--target=%s", argv[1]);
	*colon = 0;
	if (!fuzz_open(argv[1], colon + 1))
		return 2;
	measure("guided", guided, seeds);
	measure("bytes", bytes, seeds);
	measure("blind", blind, seeds);
	measure("random", random_bytes, seeds);
	return 0;
}
