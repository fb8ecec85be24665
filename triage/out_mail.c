/* SPDX-License-Identifier: MIT */
/* The report for a mail to a list: 72 columns, plain ASCII, no tabs, nothing
 * that a mailer changes.  ("From " at the start of a line gets a '>' from mbox
 * writers, "-- " starts a signature: both are indented.) */
#include <string.h>

#include "report.h"

enum { MAIL_WIDTH = 72 };

static void put_ascii(FILE *out, const char *s)
{
	if (!strncmp(s, "From ", 5) || !strcmp(s, "--"))
		fputc(' ', out);
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '\t')
			fputc(' ', out);
		else if (c < 0x80)
			fputc(c, out);
		else if (c >= 0xc0) /* first byte of a UTF-8 character */
			fputc('?', out);
	}
	fputc('\n', out);
}

void report_mail(FILE *out, const struct report *r)
{
	struct story s;
	struct page p;
	u32 i;

	story_tell(&s, r);
	page_init(&p, MAIL_WIDTH);
	report_page(&s, &p);
	for (i = 0; i < p.n; i++)
		put_ascii(out, p.line[i]);
	page_free(&p);
	story_free(&s);
}
