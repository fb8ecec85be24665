/* SPDX-License-Identifier: MIT */
/* heddle diff: which interleavings has one variant that another one has not, and do
 * their verdicts differ?  diff_runs.c searches both, diff_classes.c compares,
 * diff_groups.c explains, this file tells. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "diff.h"
#include "report.h"
#include <errno.h> /* after ours: types.h has the kernel's values */

enum { WIDTH = 80, MOST_TOLD = 6, MOST_LEFT = 4 };

static struct options options;
static struct diff diff;
static double began;

static const char *plural(u64 n, const char *one, const char *many)
{
	return n == 1 ? one : many;
}

static const char *name_of(u32 side)
{
	return diff.side[side].target.variant->name;
}

static bool is_complete(void)
{
	return diff.side[0].complete && diff.side[1].complete;
}

__attribute__((format(printf, 2, 3)))
static void say(u32 indent, const char *fmt, ...)
{
	char text[DIFF_TEXT];
	struct page p;
	va_list ap;
	u32 i;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	page_init(&p, WIDTH);
	page_wrap(&p, indent, "%s", text);
	for (i = 0; i < p.n; i++)
		printf("%s\n", p.line[i]);
	page_free(&p);
}

/* --- before the classes --------------------------------------------------------- */

static void tell_left_out(u32 side)
{
	char text[DIFF_TEXT] = "";
	u32 i, k, n = 0;

	for (i = 0; i < diff.naccesses; i++) {
		const struct access *a = &diff.access[i];

		if (!a->seen[side] || a->seen[!side])
			continue;
		for (k = 0; k < diff.naccesses; k++)
			if (diff.access[k].seen[side] &&
			    accesses_conflict(&diff, i, k))
				break;
		if (k == diff.naccesses)
			continue;
		if (n < MOST_LEFT) {
			append(text, "%s", n ? ", " : "");
			access_text(&diff, a, true, text);
		}
		n++;
	}
	if (n > MOST_LEFT)
		append(text, " and %u more", n - MOST_LEFT);
	if (n)
		say(4, "  in conflict only in %s, so not compared: %s",
		    name_of(side), text);
}

static void tell_side(const struct comparison *c, u32 side)
{
	const struct side *s = &diff.side[side];

	say(4, "%s: %llu %s%s, %u %s by that order", name_of(side),
	    (unsigned long long)s->searched,
	    options.preemptions < 0 ? "interleaving" : "run",
	    plural(s->searched, "", "s"), c->side[side].n,
	    plural(c->side[side].n, "class", "classes"));
}

static void tell_compared(const struct comparison *c)
{
	printf("compared: the order of %u access%s to %u word%s that both "
	       "have\n", c->nshared, plural(c->nshared, "", "es"), c->nwords,
	       plural(c->nwords, "", "s"));
	tell_left_out(0);
	tell_left_out(1);
	tell_side(c, 0);
	tell_side(c, 1);
	printf("common: %u %s\n", c->common,
	       plural(c->common, "class", "classes"));
}

/* --- groups ------------------------------------------------------------------------ */

static void tell_group_verdicts(const struct group *g)
{
	u64 some = verdicts_beside(&diff, g->some, g->all);
	char text[DIFF_TEXT] = "";

	if (!g->some)
		return;
	if (g->all)
		append(text, g->nclasses == 1 ? "shows " : "all show ");
	verdicts_text(&diff, g->all, text);
	if (some)
		append(text, "%ssome show ", g->all ? "; " : "");
	verdicts_text(&diff, some, text);
	say(7, "     %s", text);
}

/* The facts of the group, in the order in which they become true in its witness. */
static u32 facts_in_order(const struct comparison *c, const struct side *s,
			  const struct group *g, const struct fact **fact)
{
	u32 when[GROUP_FACTS], i, k, n;

	n = g->nfacts < GROUP_FACTS ? g->nfacts : GROUP_FACTS;
	for (i = 0; i < n; i++) {
		const struct fact *f = &c->fact[g->fact[i]];
		u32 at = fact_moment(s, g->witness, f);

		for (k = i; k && when[k - 1] > at; k--) {
			fact[k] = fact[k - 1];
			when[k] = when[k - 1];
		}
		fact[k] = f;
		when[k] = at;
	}
	return n;
}

/* One a line. */
static void tell_facts(const struct comparison *c, const struct side *s,
		       u32 number, const struct group *g)
{
	const struct fact *fact[GROUP_FACTS];
	u32 i, n = facts_in_order(c, s, g, fact);
	char text[DIFF_TEXT] = "";

	if (n)
		fact_text(&diff, fact[0], text);
	else
		append(text, "whatever comes first");
	say(7, "%3u. %u %s: %s", number, g->nclasses,
	    plural(g->nclasses, "class", "classes"), text);
	for (i = 1; i < n; i++) {
		text[0] = 0;
		fact_text(&diff, fact[i], text);
		say(7, "     and %s", text);
	}
	if (g->nfacts > n)
		printf("     and %u more\n", g->nfacts - n);
}

static void tell_witness(const struct side *s, const struct run_kept *r)
{
	static struct hd_schedule schedule;
	char text[DIFF_TEXT] = "";
	u8 order[32];
	u32 i, n;

	run_schedule(s, r, &schedule);
	n = edits_in_order(&schedule, order, ARRAY_SIZE(order));
	for (i = 0; i < n; i++) {
		char edit[160];

		edit_text(&schedule.edit[order[i]], edit, sizeof(edit));
		append(text, "%s%s", i ? "; " : "", edit);
	}
	if (schedule.nedits > n)
		append(text, "; ...");
	say(9, "     witness: %s", n ? text :
	    "every task runs on until it blocks");
}

static bool save_witness(u32 side, u32 number, const struct run_kept *r,
			 const char *file)
{
	static struct sched_file f;
	char path[4200];

	memset(&f, 0, sizeof(f));
	f.target = diff.side[side].target;
	run_schedule(&diff.side[side], r, &f.schedule);
	snprintf(path, sizeof(path), "%.3600s/%s-%u.sched", options.out, file,
		 number);
	if (!sched_write(path, &f))
		return false;
	printf("     saved: %s\n", path);
	return true;
}

static bool tell_group(const struct comparison *c, u32 side, u32 number,
		       const struct group *g, const char *file)
{
	tell_facts(c, &diff.side[side], number, g);
	tell_group_verdicts(g);
	if (options.out)
		return save_witness(side, number, g->witness, file);
	tell_witness(&diff.side[side], g->witness);
	return true;
}

/* False: a schedule could not be saved. */
static bool tell_groups(const struct comparison *c, u32 side,
			struct question *q, const char *file)
{
	static struct groups g;
	bool saved = true;
	u32 i, left;

	if (!target_open(&diff.side[side].target))
		return false;
	group(c, q, &g);
	for (i = 0; i < g.n && i < MOST_TOLD; i++)
		saved &= tell_group(c, side, i + 1, &g.at[i], file);
	for (left = g.left; i < g.n; i++)
		left += g.at[i].nclasses;
	if (left)
		printf("     and %u more %s\n", left,
		       plural(left, "class", "classes"));
	free(q->own.at);
	free(q->other.at);
	return saved;
}

static bool tell_changed(const struct comparison *c, u32 side)
{
	char text[DIFF_TEXT] = "", file[400];
	struct question q;
	u64 more = 0;
	u32 i;

	ask_what_more(c, side, &q);
	if (!q.own.n)
		return true;
	for (i = 0; i < q.own.n; i++)
		more |= q.own.at[i].verdicts;
	verdicts_text(&diff, more, text);
	say(4, "changed: %u %s of these, where only %s shows %s", q.own.n,
	    plural(q.own.n, "class", "classes"), name_of(side), text);
	snprintf(file, sizeof(file), "%.200s-changed", name_of(side));
	return tell_groups(c, side, &q, file);
}

static bool tell_only(const struct comparison *c, u32 side)
{
	const char *what = side ? "added" : "removed";
	struct question q;
	char file[500];

	if (!c->only[side]) {
		printf("%s: no class\n", what);
		return true;
	}
	printf("%s: %u %s that only %s %s\n", what, c->only[side],
	       plural(c->only[side], "class", "classes"), name_of(side),
	       is_complete() ? "has" : "has shown so far");
	snprintf(file, sizeof(file), "%.200s-not-%.200s", name_of(side),
		 name_of(!side));
	ask_what_only(c, side, &q);
	return tell_groups(c, side, &q, file);
}

/* --- verdicts and goals -------------------------------------------------------------- */

static void tell_verdicts(const char *where, u64 set)
{
	char text[DIFF_TEXT] = "";

	if (!set)
		return;
	signatures_text(&diff, set, text);
	say(4, "verdicts %s: %s", where, text);
}

static void tell_all_verdicts(void)
{
	u64 a = diff.side[0].verdicts, b = diff.side[1].verdicts;
	char where[100];

	snprintf(where, sizeof(where), "only in %.80s", name_of(0));
	tell_verdicts(where, a & ~b);
	snprintf(where, sizeof(where), "only in %.80s", name_of(1));
	tell_verdicts(where, b & ~a);
	tell_verdicts("in both", a & b);
	if (!(a | b))
		printf("verdicts: none\n");
}

static const char *const *goals_of(u32 side)
{
	const struct target *t = &diff.side[side].target;

	return t->variant->goals ? t->variant->goals : t->scenario->goals;
}

/* 1: reached, 0: not reached, -1: the variant does not have that goal. */
static int goal_state(u32 side, const char *name)
{
	const char *const *g = goals_of(side);
	u32 i;

	for (i = 0; g && g[i]; i++)
		if (!strcmp(g[i], name))
			return diff.side[side].marks >> i & 1;
	return -1;
}

/* Goals that both variants have and one reaches. */
static void tell_goals(u32 side)
{
	const char *const *g = goals_of(side);
	char text[DIFF_TEXT] = "";
	u32 i, n = 0;

	for (i = 0; g && g[i]; i++)
		if (goal_state(side, g[i]) == 1 && !goal_state(!side, g[i]))
			append(text, "%s%s", n++ ? ", " : "", g[i]);
	if (n)
		say(4, "goals reached only in %s: %s", name_of(side), text);
}

/* --- the end ------------------------------------------------------------------------- */

static const char *why_incomplete(u32 side)
{
	const struct side *s = &diff.side[side];

	if (s->full)
		return "has more classes, accesses or verdicts than are kept";
	if (s->limited)
		return "has runs that hit a limit";
	return interrupted ? "was interrupted" : "stopped at --max-schedules";
}

/* Then all runs are one class, and that they are says nothing. */
static bool is_vacuous(const struct comparison *c)
{
	return !c->nshared;
}

static void tell_scope(const struct comparison *c)
{
	u32 side;

	if (is_vacuous(c))
		printf("vacuous: no two accesses that both make conflict, so no "
		       "order was compared\n");
	for (side = 0; side < 2; side++)
		if (!diff.side[side].complete)
			printf("incomplete: %s %s\n", name_of(side),
			       why_incomplete(side));
	if (!is_complete())
		say(2, "  so a class of one variant that was not seen in the "
		    "other may be there all the same");
	else if (options.preemptions < 0)
		printf("complete: every interleaving of both\n");
	else
		say(2, "complete: every interleaving of both with at most %lld "
		    "preemption%s; a class that is said to be missing may "
		    "need more", (long long)options.preemptions,
		    plural((u64)options.preemptions, "", "s"));
}

static bool differs(const struct comparison *c)
{
	return c->only[0] || c->only[1] || c->changed ||
	       diff.side[0].verdicts != diff.side[1].verdicts;
}

static void result_line(const struct comparison *c)
{
	char a[160], b[160], bound[24] = "none";

	target_name(&diff.side[0].target, a, sizeof(a));
	target_name(&diff.side[1].target, b, sizeof(b));
	if (options.preemptions >= 0)
		snprintf(bound, sizeof(bound), "%lld",
			 (long long)options.preemptions);
	printf("result: scenario=%s against=%s schedules=%llu common=%u "
	       "changed=%u removed=%u added=%u verdicts-removed=%d "
	       "verdicts-added=%d complete=%s bound=%s seconds=%.3f\n", a, b,
	       (unsigned long long)(diff.side[0].searched +
				    diff.side[1].searched),
	       c->common, c->changed, c->only[0], c->only[1],
	       __builtin_popcountll(diff.side[0].verdicts &
				    ~diff.side[1].verdicts),
	       __builtin_popcountll(diff.side[1].verdicts &
				    ~diff.side[0].verdicts),
	       !is_complete() ? "no" : is_vacuous(c) ? "vacuous" : "yes", bound,
	       seconds_now() - began);
}

static int finish(struct comparison *c)
{
	bool saved = true;
	u32 side;

	tell_compared(c);
	for (side = 0; side < 2; side++)
		saved &= tell_changed(c, side);
	for (side = 0; side < 2; side++)
		saved &= tell_only(c, side);
	tell_all_verdicts();
	tell_goals(0);
	tell_goals(1);
	tell_scope(c);
	result_line(c);
	if (!saved)
		return EXIT_USAGE;
	if (!is_complete())
		return EXIT_INCOMPLETE;
	if (differs(c))
		return EXIT_VERDICT;
	return is_vacuous(c) ? EXIT_INCOMPLETE : EXIT_CLEAN;
}

/* --- what is to be compared ---------------------------------------------------------- */

/* The second one may be a variant of the first one's scenario. */
static bool second_target(const char *arg, const struct target *first,
			  struct target *t)
{
	const char *scenario = first->scenario->name;
	char whole[400];

	snprintf(whole, sizeof(whole), "%.150s:%.200s", scenario, arg);
	if (strchr(arg, ':'))
		return target_parse(arg, t);
	if (target_find(whole, t) || target_find(arg, t))
		return true;
	fprintf(stderr, "heddle diff: %s has no variant called '%s', and there "
		"is no such scenario (%s list names them)\n", scenario, arg,
		program);
	return false;
}

static bool same_tasks(const struct target *a, const struct target *b)
{
	const struct heddle_task *x = a->scenario->tasks,
				 *y = b->scenario->tasks;

	if (a->scenario == b->scenario)
		return true;
	for (; x->name && y->name && !strcmp(x->name, y->name); x++, y++)
		;
	if (!x->name && !y->name)
		return true;
	fprintf(stderr, "heddle diff: %s and %s have different tasks\n",
		a->scenario->name, b->scenario->name);
	return false;
}

static bool take_calls(struct target *t)
{
	if (!options.calls || target_calls(t, options.calls))
		return true;
	fprintf(stderr, "heddle diff: --calls=%s: %s does not have them\n",
		options.calls, t->scenario->name);
	return false;
}

static bool take_targets(void)
{
	struct target *a = &diff.side[0].target, *b = &diff.side[1].target;

	if (options.nargs != 2) {
		fprintf(stderr, "heddle diff: two variants, please: "
			"SCENARIO:VARIANT VARIANT\n");
		return false;
	}
	return target_parse(options.args[0], a) &&
	       second_target(options.args[1], a, b) && same_tasks(a, b) &&
	       take_calls(a) && take_calls(b);
}

/* Where the two declare different numbers, the larger one is for both. */
static void settle(void)
{
	struct options o = options;

	options_settle(&o, diff.side[1].target.variant);
	options_settle(&options, diff.side[0].target.variant);
	if (o.fail > options.fail)
		options.fail = o.fail;
	if (o.signals > options.signals)
		options.signals = o.signals;
}

static bool search_both(void)
{
	u32 side;

	diff.o = &options;
	diff.access = hd_map_memory(DIFF_ACCESSES * sizeof(diff.access[0]));
	diff.conflicts = hd_map_memory(DIFF_ACCESSES *
				       sizeof(diff.conflicts[0]));
	for (side = 0; side < 2; side++) {
		if (!target_open(&diff.side[side].target))
			return false;
		diff_search(&diff, side);
	}
	return true;
}

static bool make_out(void)
{
	if (!options.out || !mkdir(options.out, 0777) || errno == EEXIST)
		return true;
	fprintf(stderr, "heddle diff: cannot make %s: %s\n", options.out,
		strerror(errno));
	return false;
}

int cmd_diff(int argc, char **argv)
{
	static struct comparison c;
	char a[160], b[160];

	if (!options_parse(argc, argv, V_DIFF, &options) || !take_targets() ||
	    !make_out())
		return EXIT_USAGE;
	settle();
	catch_interrupt();
	began = seconds_now();
	if (!search_both())
		return EXIT_USAGE;
	target_name(&diff.side[0].target, a, sizeof(a));
	target_name(&diff.side[1].target, b, sizeof(b));
	say(2, "%s -> %s", a, b);
	if (!compare(&c, &diff)) {
		fprintf(stderr, "heddle diff: more accesses or classes than "
			"can be compared (--preemptions=K has fewer)\n");
		return EXIT_INCOMPLETE;
	}
	return finish(&c);
}
