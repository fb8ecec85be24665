/* SPDX-License-Identifier: MIT */
/* How do a fuzzer's bytes become a run?
 *
 * One target serves every scenario: its name chooses.  <scenario>_fuzzer runs
 * the first variant, <scenario>-<variant>_fuzzer that one; the targets are
 * links to, or copies of, one program.  Flags, for people and for `heddle
 * fuzz`; they begin with two dashes, so that libFuzzer lets them pass and
 * gives them to the processes that it starts itself (-jobs, -fork, -merge):
 *
 *   --target=SCENARIO[:VARIANT]   --variant=NAME   --want=VERDICT
 *   --targets                     list scenarios and variants, and exit
 *   --mutator=races|bytes         ours, or libFuzzer's own, to compare with
 *   --heddle-findings=DIR         save each new signature and go on
 *   --heddle-report-fd=N          tell the supervisor (see findings.c)
 *   --heddle-mutate               only mutate what standard input says (serve.c)
 *
 * The world is opened with the first input, not before: libFuzzer installs its
 * signal handlers after LLVMFuzzerInitialize() and leaves SIGSEGV alone if it
 * finds a handler there.  This way ours (guard pages of task stacks) stands in
 * front of libFuzzer's and passes on what is not for it. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const struct heddle_scenario *const __start_hd_scenarios[]
	__attribute__((weak));
extern const struct heddle_scenario *const __stop_hd_scenarios[]
	__attribute__((weak));
/* Beside what heddle-cc built: the canary of its campaigns. */
extern const struct heddle_scenario *const __start_hd_canary[]
	__attribute__((weak));
extern const struct heddle_scenario *const __stop_hd_canary[]
	__attribute__((weak));

static const struct heddle_scenario *scenario;
static const struct heddle_variant *variant;
static bool opened;
u64 fuzz_runs;
static enum fuzz_report how = FUZZ_FRESH;

/* --- which scenario ------------------------------------------------------------ */

static bool named(const char *name, const char *s, size_t len)
{
	return strlen(name) == len && !strncmp(name, s, len);
}

static bool choose_among(const struct heddle_scenario *const *from,
			 const struct heddle_scenario *const *to, const char *s,
			 size_t len)
{
	for (; from < to; from++)
		if (named((*from)->name, s, len)) {
			scenario = *from;
			variant = scenario->variants;
			return true;
		}
	return false;
}

static bool choose_scenario(const char *s, size_t len)
{
	if (choose_among(__start_hd_scenarios, __stop_hd_scenarios, s, len) ||
	    choose_among(__start_hd_canary, __stop_hd_canary, s, len))
		return true;
	fprintf(stderr, "heddle: no scenario '%.*s'\n", (int)len, s);
	return false;
}

static bool choose_variant(const char *s, size_t len)
{
	const struct heddle_variant *v;

	for (v = scenario->variants; v->name; v++)
		if (named(v->name, s, len)) {
			variant = v;
			return true;
		}
	fprintf(stderr, "heddle: scenario '%s' has no variant '%.*s'\n",
		scenario->name, (int)len, s);
	return false;
}

/* NAME or NAME<sep>VARIANT */
static bool choose(const char *s, size_t len, char sep)
{
	const char *at = memchr(s, sep, len);
	size_t head = at ? (size_t)(at - s) : len;

	return choose_scenario(s, head) &&
	       (!at || choose_variant(at + 1, len - head - 1));
}

static bool choose_by_program(const char *path)
{
	static const char suffix[] = "_fuzzer";
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	size_t len = strlen(name), cut = sizeof(suffix) - 1;

	if (len > cut && !strcmp(name + len - cut, suffix))
		len -= cut;
	return choose(name, len, '-');
}

bool fuzz_open(const char *name, const char *variant_name)
{
	const char *why;

	if (name && !choose_scenario(name, strlen(name)))
		return false;
	if (variant_name &&
	    !choose_variant(variant_name, strlen(variant_name)))
		return false;
	why = hd_open(scenario, variant);
	if (why) {
		fprintf(stderr, "heddle: %s:%s: %s\n", scenario->name,
			variant->name, why);
		return false;
	}
	fuzz_feedback_start();
	opened = true;
	return true;
}

/* --- flags ------------------------------------------------------------------------ */

struct flags {
	const char *target, *variant, *dir, *want;
	int fd;
	bool serve;
};

static const char *value_of(const char *arg, const char *flag)
{
	size_t n = strlen(flag);

	return strncmp(arg, flag, n) ? NULL : arg + n;
}

static void list_targets(void)
{
	const struct heddle_scenario *const *p;
	const struct heddle_variant *v;

	for (p = __start_hd_scenarios; p < __stop_hd_scenarios; p++)
		for (v = (*p)->variants; v->name; v++)
			printf("%s %s\n", (*p)->name, v->name);
	exit(0);
}

static void read_flag(struct flags *f, const char *arg)
{
	const char *v;

	if (!strcmp(arg, "--targets"))
		list_targets();
	else if ((v = value_of(arg, "--target=")))
		f->target = v;
	else if ((v = value_of(arg, "--variant=")))
		f->variant = v;
	else if ((v = value_of(arg, "--want=")))
		f->want = v;
	else if ((v = value_of(arg, "--heddle-findings=")))
		f->dir = v;
	else if ((v = value_of(arg, "--heddle-report-fd=")))
		f->fd = atoi(v);
	else if (!strcmp(arg, "--heddle-mutate"))
		f->serve = true;
	else if (!strcmp(arg, "--mutator=bytes"))
		fuzz_mutate_bytes = true;
	/* Merging asks what each input covers, not what is new; one that shows a
	 * verdict is as good as others. */
	else if (value_of(arg, "-merge") || value_of(arg, "-set_cover_merge")) {
		how = FUZZ_ALL;
		f->dir = f->dir ? f->dir : "";
	}
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct flags f = { .fd = -1 };
	char kind[40] = "";
	int i, want = 0;

	for (i = 1; i < *argc; i++)
		read_flag(&f, (*argv)[i]);
	if (f.target ? !choose(f.target, strlen(f.target), ':') :
		       !choose_by_program((*argv)[0]))
		exit(2);
	if (f.variant && !choose_variant(f.variant, strlen(f.variant)))
		exit(2);
	/* of a whole signature the first word */
	if (f.want)
		snprintf(kind, sizeof(kind), "%.*s",
			 (int)strcspn(f.want, " "), f.want);
	if (f.want && !(want = hd_verdict_by_name(kind))) {
		fprintf(stderr, "heddle: no verdict is called %s\n", kind);
		exit(2);
	}
	if (f.serve)
		fuzz_serve();
	fuzz_findings_start(f.dir, f.fd, want);
#ifdef HEDDLE_GUARDS
	how = FUZZ_ALL;
#endif
	return 0;
}

/* --- traces of inputs --------------------------------------------------------- */

/* Inputs that reported something new will be parents: their traces are kept.
 * The last run is kept as well: libFuzzer mutates an input several times in a
 * row, each time what it ran before. */
enum { CACHE = 256 };
static struct fuzz_trace cache[CACHE];
static struct fuzz_trace last;
static struct hd_schedule schedule;

u64 fuzz_key(const u8 *data, size_t size)
{
	u64 h = size + 1;
	size_t i;

	for (i = 0; i < size; i++)
		h = (h ^ data[i]) * 0x9fb21c651e98df25ull;
	h ^= h >> 32;
	return h ? h : 1;
}

void fuzz_trace_input(const u8 *data, size_t size, struct fuzz_trace *trace)
{
	static struct hd_schedule s;

	hd_schedule_decode(&s, data, size, W->ntasks);
	fuzz_feedback_begin(FUZZ_NONE);
	hd_run(&s);
	fuzz_runs++;
	fuzz_feedback_end(trace);
	trace->key = fuzz_key(data, size);
}

const struct fuzz_trace *fuzz_trace_of(const u8 *data, size_t size)
{
	u64 key = fuzz_key(data, size);
	struct fuzz_trace *t = &cache[key % CACHE];

	if (last.key == key)
		return &last;
	if (t->key != key)
		fuzz_trace_input(data, size, t);
	return t;
}

/* --- the run ------------------------------------------------------------------- */

static void remember(const u8 *data, size_t size, bool parent)
{
	last.key = fuzz_key(data, size);
	if (parent)
		cache[last.key % CACHE] = last;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct hd_outcome o;
	u32 fresh;

	if (unlikely(!opened) && !fuzz_open(NULL, NULL))
		exit(2);
	hd_schedule_decode(&schedule, data, size, W->ntasks);
	fuzz_feedback_begin(size || how == FUZZ_ALL ? how : FUZZ_UNCOUNTED);
	o = hd_run(&schedule);
	fuzz_runs++;
	fresh = fuzz_feedback_end(&last);
	remember(data, size, fresh && how != FUZZ_ALL);
	fuzz_findings_look(&o, data, size);
	return 0;
}
