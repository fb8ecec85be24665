/* SPDX-License-Identifier: MIT */
/* A libFuzzer target: does any file crash, hang or bloat what reads texts?
 *
 * Each input is given as a file to the readers of schedules (show, min, replay),
 * lock programs and certificates, all of them, since each knows its own by its
 * first words.  What a schedule says is also run, reported and written again.
 * Only stderr and the exit status may tell what is wrong with a file; a fault of
 * heddle (EXIT_FAULT) is one.  Half of the mutants are made of words and lines,
 * since a change of bytes mostly ends at the first word that nobody knows.  make
 * fuzz-readers builds and runs it. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../src/base/hash.h"
#include "../exploration.h"
#include "../options.h"
#include "../triage.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t max, u32 seed);
size_t LLVMFuzzerMutate(u8 *data, size_t size, size_t max);

static char path[40];

/* The input as a file that can be opened any number of times. */
static bool is_file(const u8 *data, size_t size)
{
	static int fd = -1;

	if (fd < 0) {
		fd = memfd_create("input", 0);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	return !ftruncate(fd, 0) &&
	       pwrite(fd, data, size, 0) == (ssize_t)size;
}

static void verb(int (*cmd)(int, char **), const char *const *words)
{
	char *argv[8] = { NULL };
	int argc = 0;

	while (words[argc]) {
		argv[argc] = (char *)words[argc];
		argc++;
	}
	if (cmd(argc, argv) == EXIT_FAULT)
		abort();
}
#define VERB(name, ...) \
	verb(cmd_##name, (const char *const[]){ #name, __VA_ARGS__, NULL })

static void read_certificate(void)
{
	static struct certificate c;
	struct options o;
	struct target t;

	memset(&o, 0, sizeof(o));
	if (certificate_read(path, &c, &o))
		target_find(c.scenario, &t);
}

/* Most schedules are wrong somewhere; no need to be told by each verb. */
static bool is_schedule(void)
{
	static struct sched_file f;

	memset(&f, 0, sizeof(f));
	target_find("abba", &f.target);
	return sched_read(path, &f);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	if (!is_file(data, size))
		return -1;
	read_certificate();
	VERB(lockdep, "--graph", path);
	VERB(lockdep, "--exact", "--quiet", path);
	if (!is_schedule())
		return 0;
	VERB(replay, "--twice", "--check", "--scenario=abba", path);
	VERB(show, "--format=json", "--scenario=abba", path);
	VERB(min, "--as-is", "--scenario=abba", path);
	return 0;
}

/* --- mutants of texts -------------------------------------------------------- */

struct text {
	u8 *data;
	size_t size, max;
	u64 dice;
};

static size_t below(struct text *t, size_t n)
{
	t->dice = hd_mix(t->dice + 1);
	return n ? t->dice % n : 0;
}

struct piece {
	size_t at, n;
};

static bool begins(const struct text *t, size_t at, const char *ends)
{
	return !at || strchr(ends, t->data[at - 1]);
}

/* One of the words, or of the lines with their ends. */
static struct piece piece(struct text *t, const char *ends)
{
	size_t at, end, n = 0;

	for (at = 0; at < t->size; at++)
		n += begins(t, at, ends);
	n = below(t, n);
	for (at = 0; at < t->size && (!begins(t, at, ends) || n--); at++)
		;
	for (end = at; end < t->size && !strchr(ends, t->data[end]); end++)
		;
	end += end < t->size && ends[1] == 0;
	return (struct piece){ at, end - at };
}

/* with does not overlap the text. */
static void replace(struct text *t, struct piece p, const void *with, size_t n)
{
	if (t->size - p.n + n > t->max)
		return;
	memmove(t->data + p.at + n, t->data + p.at + p.n,
		t->size - p.at - p.n);
	memcpy(t->data + p.at, with, n);
	t->size = t->size - p.n + n;
}

static void put_copy(struct text *t, struct piece to, struct piece from)
{
	static u8 copy[1 << 15];

	if (from.n > sizeof(copy))
		return;
	memcpy(copy, t->data + from.at, from.n);
	replace(t, to, copy, from.n);
}

static void put_number(struct text *t, struct piece word)
{
	static const char *const numbers[] = {
		"0", "1", "2", "9", "16", "17", "64", "65", "128", "255", "256",
		"1024", "65535", "65536", "4294967295", "4294967296",
		"18446744073709551615", "18446744073709551616", "-1",
	};
	const char *s = numbers[below(t, ARRAY_SIZE(numbers))];
	size_t i = 0, n = 0;

	while (i < word.n && (u8)(t->data[word.at + i] - '0') > 9)
		i++;
	while (i + n < word.n && (u8)(t->data[word.at + i + n] - '0') <= 9)
		n++;
	if (n)
		replace(t, (struct piece){ word.at + i, n }, s, strlen(s));
}

static void mutate(struct text *t)
{
	static const char blanks[] = " \t\n", newline[] = "\n";
	struct piece word = piece(t, blanks), line = piece(t, newline);

	switch (below(t, 6)) {
	case 0:
		replace(t, word, "", 0);
		break;
	case 1:
		replace(t, line, "", 0);
		break;
	case 2:
		put_copy(t, (struct piece){ line.at, 0 }, line);
		break;
	case 3:
		put_copy(t, word, piece(t, blanks));
		break;
	case 4:
		put_copy(t, (struct piece){ line.at, 0 }, piece(t, newline));
		break;
	default:
		put_number(t, word);
	}
}

size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t max, u32 seed)
{
	struct text t = { data, size, max, seed };
	size_t i, n = 1 + below(&t, 3);

	if (!size || seed & 1)
		return LLVMFuzzerMutate(data, size, max);
	for (i = 0; i < n && t.size; i++)
		mutate(&t);
	return t.size;
}
