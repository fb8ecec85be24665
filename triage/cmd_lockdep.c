/* SPDX-License-Identifier: MIT */
/* heddle lockdep FILE: what would the kernel's lockdep say to these lock
 * programs, and at which operation?
 *
 * A line is id<TAB>ops, with a verdict and an operation behind it where one is
 * to be compared, or a line of the project's data files as it is. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "lock_program.h"
#include "options.h"
#include "triage.h"

static const char help[] =
	"usage: heddle lockdep FILE [--exact] [--graph] [--quiet]\n"
	"\n"
	"Judge lock programs by the rules of the kernel's lockdep (6.12).  Each\n"
	"line of FILE (-: standard input) is a program:\n"
	"\n"
	"  id<TAB>T1: W(A) W(B) U(B) U(A) ; T2: W(B) W(A) U(A) U(B)\n"
	"\n"
	"W R RR exclusive, reader, recursive reader; T.. trylock, c.. unchecked;\n"
	"U release, DG downgrade, SUB(X/1) set subclass, SYNC SYNCR, FREE INIT,\n"
	"EXIT USER, H held?, cli sti bhoff bhon, hirq{ hirq} sirq{ sirq},\n"
	"@A=mutex wait type.  X1 X2: two locks of one class; X1/2 subclass;\n"
	"Y^X taken with nest_lock X.  Behind it there may be <TAB>verdict\n"
	"<TAB>operation, which are then compared.\n"
	"\n"
	"Printed: id<TAB>verdict<TAB>operation, such as\n"
	"report:circular<TAB>op6=W(A)@T2.\n"
	"\n"
	"  --exact  search strong cycles exactly, and list the programs in which\n"
	"           the kernel stays silent or reports later, with an\n"
	"           interleaving that deadlocks where there is one\n"
	"  --graph  print the recorded dependencies as well, and compare them\n"
	"  --quiet  print differences and the last line only\n"
	"\n"
	"exit status: 0, 1 a difference, 2 usage or unreadable input (lines that\n"
	"are no program are named, and the others judged)\n";

enum { MAX_FIELDS = 9, MAX_COMPLAINTS = 20, MAX_LINE = 1 << 20 };

struct line {
	const char *id, *ops, *verdict, *at, *graph, *held; /* NULL: not given */
};

struct judge {
	bool exact, graph, quiet;
	const char *path;
	struct lock_program program;
	u32 lines, programs, compared, differences, silent, api, bad;
	char api_names[1200];
};

/* --- a line ---------------------------------------------------------------------- */

static u32 split(char *text, char **field)
{
	u32 n = 0;

	text[strcspn(text, "\r\n")] = 0;
	while (n < MAX_FIELDS) {
		field[n++] = text;
		text = strchr(text, '\t');
		if (!text)
			break;
		*text++ = 0;
	}
	return n;
}

/* A line that is no program must not keep the others from being judged. */
static void complain(struct judge *j, const char *why)
{
	if (j->bad++ < MAX_COMPLAINTS)
		fprintf(stderr, "heddle lockdep: %s:%u: %s\n", j->path,
			j->lines, why);
}

/* id ops [verdict at], or id group locktype ops verdict at graph [held]. */
static bool understand(char **f, u32 n, struct line *l)
{
	memset(l, 0, sizeof(*l));
	if (n < 2 || n == 5)
		return false;
	l->id = f[0];
	if (n <= 4) {
		l->ops = f[1];
		l->verdict = n > 2 && *f[2] ? f[2] : NULL;
		l->at = n > 3 ? f[3] : NULL;
		return true;
	}
	l->ops = f[3];
	l->verdict = f[4];
	l->at = f[5];
	l->graph = n > 6 ? f[6] : NULL;
	l->held = n > 7 ? f[7] : NULL;
	return true;
}

static void words(const struct lock_program *p, const struct lock_outcome *o,
		  char *verdict, char *at, size_t size)
{
	const struct lock_op *op = o->at ? &p->op[o->at - 1] : NULL;

	snprintf(verdict, size, o->verdict ? "report:%s" : "clean",
		 hd_verdict_name(o->verdict));
	snprintf(at, size, "-");
	if (op)
		snprintf(at, size, "op%u=%s@T%u", o->at, op->text, op->task);
}

/* --- dependencies as a set --------------------------------------------------------- */

/* Of the classes the order is an accident; of the edges of one it is not. */
static int by_class(const void *a, const void *b)
{
	const char *x = *(char *const *)a, *y = *(char *const *)b;
	size_t n = strcspn(x, ">"), m = strcspn(y, ">");
	int d = strncmp(x, y, n < m ? n : m);

	return d ? d : n != m ? (int)n - (int)m : x < y ? -1 : 1;
}

static void canonical(const char *graph, char *buf, size_t size)
{
	static char copy[8192];
	char *word[1024], *save;
	u32 n = 0, i;
	size_t at = 0;

	snprintf(copy, sizeof(copy), "%s", strcmp(graph, "-") ? graph : "");
	buf[0] = 0;
	for (save = strtok(copy, " "); save && n < ARRAY_SIZE(word);
	     save = strtok(NULL, " "))
		word[n++] = save;
	qsort(word, n, sizeof(word[0]), by_class);
	for (i = 0; i < n && at < size; i++)
		at += (size_t)snprintf(buf + at, size - at, "%s%s",
				       at ? " " : "", word[i]);
}

static bool same_graph(const char *a, const char *b)
{
	static char x[8192], y[8192];

	canonical(a, x, sizeof(x));
	canonical(b, y, sizeof(y));
	return !strcmp(x, y);
}

/* --- judging ------------------------------------------------------------------------ */

static void compare(struct judge *j, const struct line *l,
		    const struct lock_outcome *o, const char *verdict,
		    const char *at)
{
	bool same = !strcmp(verdict, l->verdict) &&
		    (!l->at || !strcmp(at, l->at));
	bool graph = !j->graph || !l->graph || same_graph(l->graph, o->graph);
	bool held = !j->graph || !l->held || o->verdict ||
		    !strcmp(l->held, *o->held ? o->held : "-");

	j->compared++;
	if (same && graph && held)
		return;
	j->differences++;
	printf("%s\tdiffers: %s %s, expected %s %s\n", l->id, verdict, at,
	       l->verdict, l->at ? l->at : "");
	if (!graph)
		printf("%s\tdiffers: graph %s, expected %s\n", l->id,
		       *o->graph ? o->graph : "-", l->graph);
	if (!held)
		printf("%s\tdiffers: held %s, expected %s\n", l->id,
		       *o->held ? o->held : "-", l->held);
}

/* The kernel's verdict k and the exact one e differ: name what it misses. */
static void tell_silent(struct judge *j, const struct line *l,
			const struct lock_outcome *k,
			const struct lock_outcome *e)
{
	static char witness[8192];
	char verdict[48], at[48];

	if (!e->verdict || (k->verdict && k->at <= e->at))
		return;
	j->silent++;
	words(&j->program, k, verdict, at, sizeof(verdict));
	printf("%s\tkernel: %s %s\n", l->id, verdict, at);
	if (lock_witness(&j->program, e->at, witness, sizeof(witness)))
		printf("%s", witness);
	else
		printf("  no interleaving of its critical sections that "
		       "deadlocks was found\n");
}

static void judge_line(struct judge *j, const struct line *l)
{
	static struct lock_outcome kernel, exact;
	char verdict[48], at[48], why[120];

	if (!strncmp(l->ops, "api:", 4)) {
		size_t n = strlen(j->api_names);

		j->api++;
		snprintf(j->api_names + n, sizeof(j->api_names) - n, " %s",
			 l->id);
		return;
	}
	if (!lock_program_parse(&j->program, l->ops, why, sizeof(why))) {
		complain(j, why);
		return;
	}
	j->programs++;
	lock_program_run(&j->program, false, &kernel);
	if (j->exact)
		lock_program_run(&j->program, true, &exact);
	words(&j->program, j->exact ? &exact : &kernel, verdict, at,
	      sizeof(verdict));
	if (!j->quiet)
		printf("%s\t%s\t%s%s%s\n", l->id, verdict, at,
		       j->graph ? "\t" : "",
		       !j->graph ? "" : *kernel.graph ? kernel.graph : "-");
	if (j->exact)
		tell_silent(j, l, &kernel, &exact);
	else if (l->verdict)
		compare(j, l, &kernel, verdict, at);
}

/* False at the end of the file, and behind MAX_LINE bytes without an end. */
static bool next_line(FILE *f, char *text, u32 *size)
{
	int c = 0;

	for (*size = 0; *size < MAX_LINE && c != '\n'; text[(*size)++] = (char)c)
		if ((c = getc(f)) == EOF)
			break;
	text[*size] = 0;
	return *size && *size < MAX_LINE;
}

static bool judge_file(struct judge *j, FILE *f)
{
	static char text[MAX_LINE + 1];
	char *field[MAX_FIELDS];
	struct line l;
	bool fine = true;
	u32 n, size;

	while (next_line(f, text, &size)) {
		j->lines++;
		if (*text == '#' || *text == '\n' || !strcmp(text, "\r\n"))
			continue;
		n = memchr(text, 0, size) ? 0 : split(text, field);
		if (understand(field, n, &l))
			judge_line(j, &l);
		else
			complain(j, "not a lock program (id<TAB>ops)");
	}
	if (size) {
		j->lines++;
		complain(j, "longer than 1 MiB; nothing behind it is read");
	}
	if (j->bad > MAX_COMPLAINTS)
		fprintf(stderr, "heddle lockdep: %s: %u lines are no lock "
			"programs\n", j->path, j->bad);
	if (ferror(f)) {
		fprintf(stderr, "heddle lockdep: %s: %s\n", j->path,
			strerror(errno));
		fine = false;
	}
	free(j->program.op);
	return fine && !j->bad;
}

static int run(struct judge *j)
{
	bool fine, in = !strcmp(j->path, "-");
	FILE *f = in ? stdin : fopen(j->path, "r");

	if (!f) {
		fprintf(stderr, "heddle lockdep: %s: %s\n", j->path,
			strerror(errno));
		return EXIT_USAGE;
	}
	fine = judge_file(j, f);
	if (!in)
		fclose(f);
	if (j->api)
		printf("api only, not lock programs:%s\n", j->api_names);
	printf("result: programs=%u compared=%u differences=%u api=%u",
	       j->programs, j->compared, j->differences, j->api);
	if (j->exact)
		printf(" silent=%u", j->silent);
	printf("\n");
	if (!fine)
		return EXIT_USAGE;
	return j->differences ? EXIT_VERDICT : EXIT_CLEAN;
}

int cmd_lockdep(int argc, char **argv)
{
	static const struct option list[] = {
		{ "exact", no_argument, NULL, 'e' },
		{ "graph", no_argument, NULL, 'g' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	static struct judge j;
	int c;

	memset(&j, 0, sizeof(j));
	optind = opterr = 0;
	while ((c = getopt_long(argc, argv, "", list, NULL)) != -1) {
		switch (c) {
		case 'e':
			j.exact = true;
			break;
		case 'g':
			j.graph = true;
			break;
		case 'q':
			j.quiet = true;
			break;
		case 'h':
			usage_of(stdout, help);
			return EXIT_CLEAN;
		default:
			option_unknown(argv);
			return EXIT_USAGE;
		}
	}
	if (optind + 1 != argc) {
		fprintf(stderr, "heddle lockdep: needs one FILE "
			"(see heddle lockdep --help)\n");
		return EXIT_USAGE;
	}
	j.path = argv[optind];
	return run(&j);
}
