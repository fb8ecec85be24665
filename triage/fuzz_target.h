/* SPDX-License-Identifier: MIT */
/* What a supervisor of libFuzzer needs: the target, and to read what it tells
 * (fuzz/findings.c says which lines). */
#ifndef TRIAGE_FUZZ_TARGET_H
#define TRIAGE_FUZZ_TARGET_H

#include "triage.h"

/* <dir of this program>/[fuzz/]<scenario>_fuzzer.  False: path has the last one
 * looked for. */
bool fuzz_target_find(const struct heddle_scenario *s, char *path, size_t size);

/* What came through a pipe and is not yet a line. */
struct lines {
	char *text;
	size_t n, room;
};
/* Read what is there, hand on each whole line without its end.  False at the end
 * of the pipe. */
bool lines_read(struct lines *l, int fd, void (*take)(char *line, void *arg),
		void *arg);
void lines_free(struct lines *l);

/* "finding NAME HEX SIGNATURE" */
struct told {
	const char *name, *signature;
	u8 *data; /* malloc()ed; NULL: only the file has it */
	u32 size;
};
/* Takes the line apart; false: it is another one, and unchanged. */
bool told_finding(char *line, struct told *t);
/* Hexadecimal digits, n of them, as bytes in malloc()ed memory. */
u8 *unhex(const char *hex, size_t n);

#endif
