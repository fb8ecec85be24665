/* SPDX-License-Identifier: MIT */
/* heddle new NAME: write NAME.c, the frame of a scenario outside the tree.
 *
 * The frame builds and runs as it is: one page fault against one munmap, on a
 * VMA lock whose functions stand in the file, to be replaced by a patch's. */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "triage.h"

static const char help[] =
	"usage: heddle new NAME\n"
	"Writes NAME.c, a scenario outside heddle's tree, ready to build:\n"
	"  heddle-cc NAME.c -o NAME && ./NAME run\n"
	"Paste the functions of a patch where the file says so.\n";

/* new_frame.txt, through new_frame.S; NAME in it stands for the name. */
extern const char new_frame[];

static bool good_name(const char *s)
{
	const char *p;

	for (p = s; *p; p++)
		if (!isalnum((unsigned char)*p) && *p != '_')
			return false;
	return *s && !isdigit((unsigned char)*s);
}

static void write_frame(FILE *f, const char *name)
{
	const char *p = new_frame, *q;

	for (; (q = strstr(p, "NAME")); p = q + 4) {
		fwrite(p, 1, (size_t)(q - p), f);
		fputs(name, f);
	}
	fputs(p, f);
}

int cmd_new(int argc, char **argv)
{
	char path[128];
	FILE *f;

	if (argc == 2 && !strcmp(argv[1], "--help")) {
		usage_of(stdout, help);
		return EXIT_CLEAN;
	}
	if (argc != 2 || !good_name(argv[1]) || strlen(argv[1]) > 60) {
		fprintf(stderr, "heddle: new needs one NAME of letters, digits "
				"and underscores\n");
		return EXIT_USAGE;
	}
	snprintf(path, sizeof(path), "%s.c", argv[1]);
	f = fopen(path, "wx"); /* never over an existing file */
	if (!f) {
		fprintf(stderr, "heddle: %s: %s\n", path, strerror(errno));
		return EXIT_USAGE;
	}
	write_frame(f, argv[1]);
	if (fclose(f)) {
		fprintf(stderr, "heddle: %s: %s\n", path, strerror(errno));
		remove(path);
		return EXIT_USAGE;
	}
	printf("%s: paste the patch's functions, then\n"
	       "  heddle-cc %s -o %s && ./%s run && ./%s explore\n",
	       path, path, argv[1], argv[1], argv[1]);
	return EXIT_CLEAN;
}
