/* SPDX-License-Identifier: MIT */
/* What scenarios and variants declare about themselves, in words and in JSON:
 * shared by list, show and explore --check. */
#ifndef TRIAGE_DECLARED_H
#define TRIAGE_DECLARED_H

#include <jansson.h>

#include "triage.h"

/* "circular 0, deadlock 1", "clean", "clean to 4 preemptions".  What is over
 * width columns becomes a number: "circular 0, +3".  For a page: the blank
 * between a verdict and its number is a tab, which is not wrapped. */
void declared_text(const struct heddle_variant *v, char *buf, u32 width);
enum { DECLARED_ROOM = 400 }; /* of buf, and the width that cuts nothing */
/* "failures up to 1, signals up to 2", or "" if there are none. */
void declared_events(const struct heddle_variant *v, char *buf, size_t size);
/* The next name of "v4, merged"; false at the end. */
bool evidence_next(const char **list, char *name, size_t size);
/* only: this variant alone, or NULL. */
json_t *scenario_json(const struct heddle_scenario *s,
		      const struct heddle_variant *only);

/* show_scenario.c: the page of a scenario, or of one variant.  format: text,
 * mail, json. */
int show_scenario(const struct target *t, bool one, const char *format);

#endif
