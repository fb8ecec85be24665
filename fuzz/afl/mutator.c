/* SPDX-License-Identifier: MIT */
/* heddle's mutator for AFL++ (custom mutator API of 4.04, afl-fuzz.h):
 *
 *   AFL_CUSTOM_MUTATOR_LIBRARY=$OUT/heddle_afl_mutator.so AFL_CUSTOM_MUTATOR_ONLY=1
 *
 * afl-fuzz loads this; the mutants come from the target itself, which is started
 * once more beside it (fuzz/serve.c).  What the target is stands behind the "--" of
 * afl-fuzz's own command line.  Without an answer the parent goes back as it is,
 * and one line on stderr says why. */
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST = 1 << 20 };

struct server {
	int fd; /* -1: there is none */
	pid_t pid;
	uint32_t seed;
	uint8_t mutant[MOST];
};

void *afl_custom_init(void *afl, unsigned int seed);
size_t afl_custom_fuzz(struct server *s, uint8_t *data, size_t size,
		       uint8_t **out, uint8_t *other, size_t other_size,
		       size_t most);
void afl_custom_deinit(struct server *s);

/* The word behind "--". */
static char *find_target(char *line, size_t size)
{
	char *at = line, *end = line + size, *target = NULL;

	for (; at < end; at += strlen(at) + 1)
		if (!strcmp(at, "--") && at + 3 < end)
			target = at + 3;
	return target;
}

static void run_target(int fd)
{
	char line[65536];
	int in = open("/proc/self/cmdline", O_RDONLY);
	ssize_t n = in < 0 ? -1 : read(in, line, sizeof(line) - 1);
	char *target;

	if (n <= 0)
		_exit(127);
	line[n] = 0;
	target = find_target(line, (size_t)n);
	/* The map of what is covered belongs to afl-fuzz and its own target. */
	unsetenv("__AFL_SHM_ID");
	unsetenv("__AFL_SHM_FUZZ_ID");
	dup2(fd, STDIN_FILENO);
	dup2(fd, STDOUT_FILENO);
	if (target)
		execl(target, target, "--heddle-mutate", (char *)NULL);
	_exit(127);
}

static void start(struct server *s)
{
	int ends[2];

	s->fd = -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		return;
	s->pid = fork();
	if (s->pid == 0)
		run_target(ends[1]);
	close(ends[1]);
	if (s->pid > 0)
		s->fd = ends[0];
	else
		close(ends[0]);
}

static void stop(struct server *s)
{
	if (s->fd < 0)
		return;
	close(s->fd); /* the end of its input ends it */
	waitpid(s->pid, NULL, 0);
	s->fd = -1;
}

static int put(int fd, const void *from, size_t size)
{
	return send(fd, from, size, MSG_NOSIGNAL) == (ssize_t)size;
}

static int get(int fd, void *to, size_t size)
{
	return !size || recv(fd, to, size, MSG_WAITALL) == (ssize_t)size;
}

/* Size of the mutant; 0: no answer. */
static size_t ask(struct server *s, const uint8_t *data, size_t size, size_t most)
{
	uint32_t request[3] = { s->seed++, (uint32_t)(most < MOST ? most : MOST),
				(uint32_t)size }, n;

	if (s->fd < 0 || size > MOST || !put(s->fd, request, sizeof(request)) ||
	    (size && !put(s->fd, data, size)) || !get(s->fd, &n, sizeof(n)) ||
	    n > MOST || !get(s->fd, s->mutant, n))
		return 0;
	return n;
}

void *afl_custom_init(void *afl, unsigned int seed)
{
	struct server *s = calloc(1, sizeof(*s));

	(void)afl;
	if (!s)
		return NULL;
	s->seed = seed;
	start(s);
	return s;
}

size_t afl_custom_fuzz(struct server *s, uint8_t *data, size_t size,
		       uint8_t **out, uint8_t *other, size_t other_size,
		       size_t most)
{
	size_t n = ask(s, data, size, most);

	(void)other;
	(void)other_size;
	*out = n ? s->mutant : data;
	if (n)
		return n;
	if (s->fd >= 0)
		fprintf(stderr, "heddle: the target does not mutate\n");
	stop(s);
	return size;
}

void afl_custom_deinit(struct server *s)
{
	stop(s);
	free(s);
}
