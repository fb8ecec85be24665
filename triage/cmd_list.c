/* SPDX-License-Identifier: MIT */
/* heddle list: what can be tested here, and what is each variant expected to
 * show?
 *
 * First the mails that heddle comes from, then the library of real bugs, by
 * the release of the kernel that has them, then what teaches, checks and
 * measures heddle itself.  One line for each variant: what does not fit into 80
 * columns is cut, heddle show has it. */
#include <stdlib.h>
#include <string.h>

#include "declared.h"
#include "options.h"
#include "report.h"

enum { WIDTH = 80 };

/* --- groups -------------------------------------------------------------- */

enum group { SEED, BUG, EXAMPLE, CANARY, BENCH };

static enum group group_of(const struct heddle_scenario *s)
{
	if (s->seed)
		return SEED;
	if (s->bug)
		return BUG;
	if (s->canary)
		return CANARY;
	return strncmp(s->name, "bench_", 6) ? EXAMPLE : BENCH;
}

/* The first release named by a variant: "6.4-6.13" is 6004; none: last. */
static u32 release_of(const struct heddle_scenario *s)
{
	const struct heddle_variant *v;
	u32 major, minor;

	for (v = s->variants; v->name; v++)
		if (v->kernel &&
		    sscanf(v->kernel, "%u.%u", &major, &minor) == 2)
			return major * 1000 + minor;
	return UINT32_MAX;
}

struct entry {
	const struct heddle_scenario *s;
	u32 place; /* on the list of the program */
};

static int compare(u32 a, u32 b)
{
	return a < b ? -1 : a > b;
}

/* Within a seed the scenario that has the most questions goes first: the others
 * are its larger forms. */
static int in_order(const void *x, const void *y)
{
	const struct entry *a = x, *b = y;
	const struct heddle_scenario *s = a->s, *t = b->s;
	enum group group = group_of(s);
	u32 n = 0, m = 0;
	int c = compare(group, group_of(t));

	if (!c && group == SEED)
		c = strcmp(s->seed, t->seed);
	while (s->questions && s->questions[n].question)
		n++;
	while (t->questions && t->questions[m].question)
		m++;
	if (!c && group == SEED)
		c = compare(m, n);
	if (!c)
		c = compare(release_of(s), release_of(t));
	return c ? c : compare(a->place, b->place);
}

/* Ends with s == NULL; the caller frees it. */
static struct entry *all_in_order(void)
{
	struct entry *list;
	u32 i, n = 0;

	while (scenario_at(n))
		n++;
	list = calloc(n + 1, sizeof(*list));
	if (!list) {
		fprintf(stderr, "heddle: out of memory\n");
		exit(EXIT_FAULT);
	}
	for (i = 0; i < n; i++)
		list[i] = (struct entry){ scenario_at(i), i };
	qsort(list, n, sizeof(*list), in_order);
	return list;
}

/* --- text ---------------------------------------------------------------- */

static void head_of_group(struct page *p, const struct heddle_scenario *s)
{
	static const char *const heads[] = {
		[BUG] = "library of real bugs",
		[EXAMPLE] = "examples",
		[CANARY] = "canaries: planted bugs, which a campaign must find",
		[BENCH] = "yardsticks of make bench",
	};

	if (s->seed)
		page_wrap(p, 3, "== seed %s: %s", s->seed,
			  s->source ? s->source : s->name);
	else
		page_line(p, "== %s", heads[group_of(s)]);
}

static void widen(u32 *width, const char *text)
{
	if (text && strlen(text) > *width)
		*width = (u32)strlen(text);
}

/* Up to width columns of text; what is cut, is cut behind a word if one ends
 * near there. */
static void cut_text(const char *text, u32 width, char *buf, size_t size)
{
	u32 n = width < 2 ? 0 : width - 2, near = n < 5 ? 0 : n - 5, i;

	snprintf(buf, size, "%s", text);
	if (strlen(buf) <= width || !n)
		return;
	for (i = n; i > near; i--)
		if (buf[i] == ' ')
			break;
	if (i > near)
		n = i;
	while (n && strchr(" ,:", buf[n - 1]))
		n--;
	snprintf(buf + n, size - n, "..");
}

struct columns {
	u32 name, kernel, title, verdicts;
};

/* Verdicts get 26 columns if they need them, the title what is left, and
 * verdicts what the titles leave. */
static struct columns columns_of(const struct heddle_scenario *s)
{
	enum { VERDICTS = 26 };
	struct columns c = { 0 };
	const struct heddle_variant *v;
	char text[DECLARED_ROOM];
	u32 used, room;

	for (v = s->variants; v->name; v++) {
		declared_text(v, text, DECLARED_ROOM);
		widen(&c.name, v->name);
		widen(&c.kernel, v->kernel);
		widen(&c.title, v->title);
		widen(&c.verdicts, text);
	}
	used = 3 + c.name + 2 + (c.kernel ? c.kernel + 2 : 0) + 2;
	room = used + VERDICTS + 16 < WIDTH ? WIDTH - used : VERDICTS + 16;
	if (c.verdicts > VERDICTS)
		c.verdicts = VERDICTS;
	if (c.title > room - c.verdicts)
		c.title = room - c.verdicts;
	c.verdicts = room - c.title;
	return c;
}

static void list_variant(struct page *p, const struct columns *c,
			 const struct heddle_variant *v)
{
	char title[200], verdicts[DECLARED_ROOM], kernel[40] = "";

	cut_text(v->title ? v->title : "", c->title, title, sizeof(title));
	declared_text(v, verdicts, c->verdicts);
	if (c->kernel)
		snprintf(kernel, sizeof(kernel), "%-*s  ", (int)c->kernel,
			 v->kernel ? v->kernel : "");
	page_line(p, "  :%-*s  %s%-*s  %s", (int)c->name, v->name, kernel,
		  (int)c->title, title, verdicts);
}

static void list_scenario(struct page *p, const struct heddle_scenario *s)
{
	const struct heddle_variant *v;
	struct columns c = columns_of(s);

	page_wrap(p, 4, "%s%s%s%s: %s", s->name, s->bug ? " (" : "",
		  s->bug ? s->bug : "", s->bug ? ")" : "",
		  s->title ? s->title : "");
	for (v = s->variants; v->name; v++)
		list_variant(p, &c, v);
}

static bool same_group(const struct heddle_scenario *a,
		       const struct heddle_scenario *b)
{
	return group_of(a) == group_of(b) &&
	       (!a->seed || !strcmp(a->seed, b->seed));
}

static void list_text(void)
{
	struct entry *list = all_in_order(), *e;
	struct page p;
	u32 i;

	page_init(&p, WIDTH);
	for (e = list; e->s; e++) {
		if (e != list)
			page_line(&p, "%s", "");
		if (e == list || !same_group(e->s, e[-1].s)) {
			head_of_group(&p, e->s);
			page_line(&p, "%s", "");
		}
		list_scenario(&p, e->s);
	}
	for (i = 0; i < p.n; i++)
		printf("%s\n", p.line[i]);
	page_free(&p);
	free(list);
}

/* --- the verb ------------------------------------------------------------ */

static void list_json(void)
{
	struct entry *list = all_in_order(), *e;
	json_t *array = json_array();

	for (e = list; e->s; e++)
		json_array_append_new(array, scenario_json(e->s, NULL));
	json_dumpf(array, stdout, JSON_INDENT(2));
	printf("\n");
	json_decref(array);
	free(list);
}

int cmd_list(int argc, char **argv)
{
	struct options o;
	int i;

	if (!options_parse(argc, argv, V_LIST, &o))
		return EXIT_USAGE;
	if (o.nargs) {
		fprintf(stderr, "heddle list: takes no argument: %s\n",
			o.args[0]);
		return EXIT_USAGE;
	}
	if (o.verdicts)
		for (i = 1; i < HD_V_COUNT; i++)
			printf("%-20s %s\n", hd_verdict_name(i),
			       hd_verdict_title(i));
	else if (o.json)
		list_json();
	else
		list_text();
	return EXIT_CLEAN;
}
