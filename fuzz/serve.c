/* SPDX-License-Identifier: MIT */
/* How does an engine that cannot call our mutator use it?
 *
 * It starts the target with --heddle-mutate and asks through its standard input;
 * answers come on standard output, until the input ends.  All numbers are 32 bits
 * in the machine's order.
 *
 *   request  seed, largest size, size, that many bytes of the parent
 *   answer   size, that many bytes of the mutant
 *
 * A process of its own: the mutator runs the parent, which needs the program's
 * addresses as they are linked, stacks and a signal handler. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>

enum { MOST = 1 << 20 };

static bool read_all(void *to, size_t size)
{
	return fread(to, 1, size, stdin) == size;
}

void fuzz_serve(void)
{
	static u8 data[MOST];
	u32 request[3]; /* seed, largest size, size */
	u32 size;

	if (!fuzz_open(NULL, NULL))
		exit(2);
	while (read_all(request, sizeof(request))) {
		u32 most = request[1] < MOST ? request[1] : MOST;

		if (request[2] > MOST || !read_all(data, request[2]))
			exit(2);
		size = request[2] < most ? request[2] : most;
		size = (u32)LLVMFuzzerCustomMutator(data, size, most, request[0]);
		fwrite(&size, sizeof(size), 1, stdout);
		fwrite(data, 1, size, stdout);
		if (fflush(stdout))
			exit(2);
	}
	exit(0);
}
