/* SPDX-License-Identifier: MIT */
/* heddle mutate FILE: would the clean variants notice if the file were wrong?
 *
 * The work is done by the script heddle-mutate, which lies beside this program
 * as heddle-cc does: it compiles and runs other programs, and takes nothing
 * from this one. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "triage.h"

int cmd_mutate(int argc, char **argv)
{
	static const char script[] = "heddle-mutate";
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path,
			     sizeof(path) - sizeof(script));
	char *name;

	(void)argc;
	if (n <= 0) {
		fprintf(stderr, "heddle: /proc/self/exe: %s\n",
			strerror(errno));
		return EXIT_FAULT;
	}
	path[n] = 0;
	name = strrchr(path, '/') + 1;
	memcpy(name, script, sizeof(script));
	execv(path, argv);
	if (errno == ENOENT)
		fprintf(stderr, "heddle: mutate works on sources: heddle "
				"mutate FILE.c\n");
	else
		fprintf(stderr, "heddle: %s: %s\n", path, strerror(errno));
	return EXIT_USAGE;
}
