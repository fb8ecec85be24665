/* SPDX-License-Identifier: MIT */
/* What becomes of a program's output?
 *
 * Nothing, in the thousands of runs of a search.  When a run is recorded for a
 * report, each line stands there in the column of its thread, where it was
 * printed. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "posix.h"

void *hd_memcpy(void *to, const void *from, size_t size);

/* A text of a recording, which is there until much more has been printed. */
static const char *keep(const char *format, va_list args)
{
	enum { ROOM = 1 << 18, LINE = 200 };
	static char room[ROOM];
	static u32 used;
	char *text;
	int n;

	if (used + LINE > ROOM)
		used = 0;
	text = room + used;
	n = vsnprintf(text, LINE, format, args);
	n = n < LINE ? n : LINE - 1;
	while (n > 0 && text[n - 1] == '\n')
		text[--n] = 0;
	used += (u32)n + 1;
	return text;
}

static int print(u32 pc, const char *format, va_list args)
{
	va_list again;
	const char *text;
	int n;

	va_copy(again, args);
	n = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (!hd_eng.recording)
		return n;
	text = keep(format, args);
	if (*text)
		hd_remark_at(text, pc, NULL, 0);
	return n;
}

#define PRINT(pc, format)                                              \
	do {                                                           \
		va_list args__;                                        \
		va_start(args__, format);                              \
		n = print(pc, format, args__);                         \
		va_end(args__);                                        \
	} while (0)

int hd_printf(const char *format, ...)
{
	int n;

	PRINT(HD_PC(), format);
	return n;
}

int hd_fprintf(FILE *f, const char *format, ...)
{
	int n;

	(void)f;
	PRINT(HD_PC(), format);
	return n;
}

int hd_vprintf(const char *format, va_list args)
{
	return print(HD_PC(), format, args);
}

int hd_vfprintf(FILE *f, const char *format, va_list args)
{
	(void)f;
	return print(HD_PC(), format, args);
}

static int say(u32 pc, const char *format, ...)
{
	int n;

	PRINT(pc, format);
	return n;
}

int hd_puts(const char *s)
{
	return say(HD_PC(), "%s", s);
}

int hd_fputs(const char *s, FILE *f)
{
	(void)f;
	return say(HD_PC(), "%s", s);
}

void hd_perror(const char *s)
{
	say(HD_PC(), "%s: %s", s, strerror(posix_self()->error));
}

int hd_putchar(int c)
{
	return c;
}

int hd_fputc(int c, FILE *f)
{
	(void)f;
	return c;
}

int hd_fflush(FILE *f)
{
	(void)f;
	return 0;
}

void hd_setbuf(FILE *f, char *buf)
{
	(void)f;
	(void)buf;
}

int hd_setvbuf(FILE *f, char *buf, int mode, size_t size)
{
	(void)f;
	(void)buf;
	(void)mode;
	(void)size;
	return 0;
}

/* --- into memory ---------------------------------------------------------------- */

int hd_vsnprintf(char *to, size_t size, const char *format, va_list args)
{
	char text[1024];
	int n = vsnprintf(text, sizeof(text), format, args);
	size_t len = strlen(text);

	if (!size)
		return n;
	if (len >= size)
		len = size - 1;
	text[len] = 0;
	hd_memcpy(to, text, len + 1);
	return n;
}

int hd_snprintf(char *to, size_t size, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = hd_vsnprintf(to, size, format, args);
	va_end(args);
	return n;
}

int hd_sprintf(char *to, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = hd_vsnprintf(to, 1024, format, args);
	va_end(args);
	return n;
}
