/* SPDX-License-Identifier: MIT */
/* How does text get into HTML unharmed?  Names come from models and paths from
 * users: markup is escaped, control characters and broken UTF-8 become '?'. */
#include <stdarg.h>

#include "report.h"

/* How many bytes of s are one UTF-8 character; 0: none. */
static u32 utf8_length(const char *s)
{
	u8 c = (u8)s[0];
	u32 i, n = c >= 0xf0 && c < 0xf5 ? 4 : c >= 0xe0 ? 3 : 2;

	if (c < 0xc2 || c >= 0xf5)
		return 0;
	for (i = 1; i < n; i++)
		if (((u8)s[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

static const char *entity(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	}
	return NULL;
}

void html_text(FILE *out, const char *s)
{
	const char *e;
	u32 n;

	while (*s) {
		n = (u8)*s < 0x80 ? 1 : utf8_length(s);
		e = entity(*s);
		if (e)
			fputs(e, out);
		else if (!n || ((u8)*s < ' ' && *s != '\n') || *s == 0x7f)
			fputc('?', out);
		else
			fwrite(s, 1, n, out);
		s += n ? n : 1;
	}
}

void html_printf(FILE *out, const char *fmt, ...)
{
	char text[2000];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	html_text(out, text);
}
