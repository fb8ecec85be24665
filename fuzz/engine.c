/* SPDX-License-Identifier: MIT */
/* main() of the targets in build/fuzz: libFuzzer, told what suits heddle.
 *
 * Linked with libclang_rt.fuzzer_no_main.  Flags of the user come later on the
 * line and win.  -entropic=0: entropic weighs inputs by how often features
 * recur, but we report a feature once (feedback.c), so it would only cost.
 * -timeout: a run is bounded by HD_MAX_STEPS, so ten seconds is a hang of
 * heddle itself. */
#include "fuzz.h"

#include <stdlib.h>

int LLVMFuzzerRunDriver(int *argc, char ***argv,
			int (*test)(const u8 *data, size_t size));

int main(int argc, char **argv)
{
	static const char *const ours[] = { "-entropic=0", "-timeout=10" };
	const int n = ARRAY_SIZE(ours);
	char **args = calloc((size_t)(argc + n + 1), sizeof(*args));
	int i, at = 0;

	if (!args)
		return 70;
	args[at++] = argv[0];
	for (i = 0; i < n; i++)
		args[at++] = (char *)ours[i];
	for (i = 1; i < argc; i++)
		args[at++] = argv[i];
	return LLVMFuzzerRunDriver(&at, &args, LLVMFuzzerTestOneInput);
}
