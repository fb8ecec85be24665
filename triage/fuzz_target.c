/* SPDX-License-Identifier: MIT */
/* Where is the fuzz target of a scenario, and what does it say?  Shared by those
 * who watch one: cmd_fuzz.c, and the campaign, whose own workers speak the same
 * lines. */
#include "fuzz_target.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <errno.h> /* after ours: types.h has an enum of the kernel's values */

/* <dir of this program>/[fuzz/]<scenario>_fuzzer; of what is installed,
 * ../lib/heddle/heddle_fuzzer. */
bool fuzz_target_find(const struct heddle_scenario *s, char *path, size_t size)
{
	static const char *const where[] = { "fuzz/", "", "../lib/heddle/" };
	char self[2048];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	u32 i;

	self[n > 0 ? n : 0] = 0;
	if (strrchr(self, '/'))
		*strrchr(self, '/') = 0;
	for (i = 0; i < ARRAY_SIZE(where) - only_one_scenario(); i++) {
		snprintf(path, size, "%s/%s%s_fuzzer", self, where[i], s->name);
		if (!access(path, X_OK))
			return true;
		snprintf(path, size, "%s/%sheddle_fuzzer", self, where[i]);
		if (!access(path, X_OK))
			return true;
	}
	return false;
}

static bool make_room(struct lines *l)
{
	char *text;

	if (l->n + 4096 < l->room)
		return true;
	text = realloc(l->text, 2 * l->room + 8192);
	if (!text)
		return false;
	l->text = text;
	l->room = 2 * l->room + 8192;
	return true;
}

bool lines_read(struct lines *l, int fd, void (*take)(char *line, void *arg),
		void *arg)
{
	char *end, *at;
	ssize_t n;

	if (!make_room(l))
		return false;
	n = read(fd, l->text + l->n, l->room - l->n);
	if (n < 0)
		return errno == EINTR;
	l->n += (size_t)n;
	for (at = l->text;
	     (end = memchr(at, '\n', l->n - (size_t)(at - l->text)));
	     at = end + 1) {
		*end = 0;
		take(at, arg);
	}
	l->n -= (size_t)(at - l->text);
	memmove(l->text, at, l->n);
	return n > 0;
}

void lines_free(struct lines *l)
{
	free(l->text);
	memset(l, 0, sizeof(*l));
}

static int nibble(char c)
{
	return c >= 'a' ? c - 'a' + 10 : c - '0';
}

u8 *unhex(const char *hex, size_t n)
{
	u8 *data = malloc(n / 2 + 1);
	size_t i;

	for (i = 0; data && i < n / 2; i++)
		data[i] = (u8)(nibble(hex[2 * i]) << 4 | nibble(hex[2 * i + 1]));
	return data;
}

bool told_finding(char *line, struct told *t)
{
	static const char word[] = "finding ";
	char *hex, *signature;

	if (strncmp(line, word, strlen(word)))
		return false;
	line += strlen(word);
	hex = strchr(line, ' ');
	signature = hex ? strchr(hex + 1, ' ') : NULL;
	if (!signature)
		return false;
	*hex++ = 0;
	*signature++ = 0;
	memset(t, 0, sizeof(*t));
	t->name = line;
	t->signature = signature;
	if (*hex == '-')
		return true;
	t->data = unhex(hex, strlen(hex));
	t->size = t->data ? (u32)(strlen(hex) / 2) : 0;
	return true;
}
