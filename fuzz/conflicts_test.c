/* SPDX-License-Identifier: MIT */
/* Does a conflict come the other way round when the mutator reverses it?  Covers
 * conflicts.c and what mutator.c makes of it: mutants are run, and their logs say
 * which op came first. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../src/base/tap.h"

enum { MAX = 4096, MUTANTS = 400, PARENTS = 20 };

static struct hd_schedule a, b;

/* Where in the recorded run was this op?  0: nowhere. */
static u32 step_of(u8 task, u16 n)
{
	u32 i;

	for (i = 0; i < hd_eng.nlog; i++) {
		const struct hd_event *ev = &hd_eng.log[i].ev;

		if (ev->op.kind < HD_EV_ACQUIRE && ev->task == task &&
		    ev->n == n)
			return i + 1;
	}
	return 0;
}

/* Is child parent with one conflict reversed and nothing else?  That one. */
static const struct fuzz_conflict *reversed(const struct hd_schedule *parent,
					    const struct hd_schedule *child,
					    const struct fuzz_trace *t)
{
	u32 i, k;

	if (child->nedits != parent->nedits + 2 ||
	    child->strategy != parent->strategy || child->seed != parent->seed)
		return NULL;
	for (i = 0; i + 1 < child->nedits; i++) {
		const struct hd_edit *go = &child->edit[i], *hold = go + 1;

		if (i < parent->nedits && !memcmp(go, &parent->edit[i],
						  sizeof(*go)))
			continue;
		for (k = 0; k < t->nconflicts; k++) {
			const struct fuzz_conflict *c = &t->conflict[k];

			if (go->kind == HD_EDIT_SWITCH &&
			    hold->kind == HD_EDIT_HOLD &&
			    go->task == c->first && hold->task == c->first &&
			    go->anchor == c->first_n &&
			    hold->anchor == c->first_n && go->arg == c->second)
				return c;
		}
		return NULL;
	}
	return NULL;
}

struct tally {
	u32 mutants, reversals, done, verdicts;
};

/* Mutants of one parent; verdict: of the kind that counts. */
static void one_step(const u8 *parent, size_t size, int verdict,
		     struct tally *y)
{
	static u8 child[MAX];
	struct fuzz_trace t;
	u32 i, k;

	LLVMFuzzerTestOneInput(parent, size);
	t = *fuzz_trace_of(parent, size);
	hd_schedule_decode(&a, parent, size, W->ntasks);
	for (i = 0; i < MUTANTS; i++) {
		const struct fuzz_conflict *c;
		struct hd_outcome o;
		size_t n;

		memcpy(child, parent, size);
		n = LLVMFuzzerCustomMutator(child, size, MAX, i);
		hd_schedule_decode(&b, child, n, W->ntasks);
		c = reversed(&a, &b, &t);
		fuzz_feedback_begin(FUZZ_NONE);
		o = hd_run_with_log(&b);
		y->mutants++;
		for (k = 0; k < o.nverdicts; k++)
			y->verdicts += c && o.verdicts[k].kind == verdict;
		if (!c)
			continue;
		y->reversals++;
		k = step_of(c->second, c->second_n);
		y->done += k && (!step_of(c->first, c->first_n) ||
				 k < step_of(c->first, c->first_n));
	}
}

/* The empty input, or others: bases 1 to 4 and no edits. */
static struct tally of(const char *target, int verdict, u32 parents)
{
	char scenario[80];
	const char *colon = strchr(target, ':');
	struct tally y = { 0 };
	u32 i;

	snprintf(scenario, sizeof(scenario), "%.*s", (int)(colon - target),
		 target);
	if (!fuzz_open(scenario, colon + 1))
		exit(2);
	if (!parents)
		one_step((const u8 *)"", 0, verdict, &y);
	for (i = 0; i < parents; i++) {
		u8 base[HD_HEAD_BYTES] = { (u8)(1 + i % 4), (u8)i, 7, 1, 2 };

		one_step(base, sizeof(base), verdict, &y);
	}
	return y;
}

/* --- one step ------------------------------------------------------------------- */

static void one_reversal_shows_it(const char *buggy, const char *safe,
				  int verdict)
{
	struct tally y = of(buggy, verdict, 0), n = of(safe, verdict, 0);

	tap_ok(y.reversals > MUTANTS / 4 && y.verdicts * 10 > y.reversals,
	       "%s: one step from the empty input, %u of %u reversals show it",
	       buggy, y.verdicts, y.reversals);
	tap_ok(n.reversals > MUTANTS / 4 && !n.verdicts,
	       "%s: of %u none does", safe, n.reversals);
	tap_is(y.reversals - y.done + n.reversals - n.done, 0,
	       "and each is executed the other way round");
}

/* least: per cent.  With three tasks the third may let go of the first too early. */
static void really_reversed(const char *target, u32 least)
{
	struct tally y = of(target, 0, PARENTS);

	tap_ok(y.reversals > 300 && y.done * 100 >= y.reversals * least,
	       "%s, parents of all bases: %u of %u are executed the other way "
	       "round", target, y.done, y.reversals);
}

/* --- what is remembered, and what is seen ---------------------------------------- */

static u32 unseen(const struct fuzz_trace *t)
{
	u32 i, n = 0;

	for (i = 0; i < t->nconflicts; i++)
		n += !fuzz_seen_reversed(&t->conflict[i]);
	return n;
}

/* Which conflicts are reversed while no run adds to what was seen? */
static void new_orders_first(void)
{
	static u8 child[MAX], parent[HD_HEAD_BYTES] = { 1, 0, 2, 3, 4 };
	struct fuzz_trace t;
	u32 i, all = 0, new = 0, were;

	if (!fuzz_open("faults_vs_munmap", "v6"))
		exit(2);
	for (i = 0; i < 12; i++) {
		parent[1] = (u8)i;
		LLVMFuzzerTestOneInput(parent, sizeof(parent));
	}
	t = *fuzz_trace_of(parent, sizeof(parent));
	were = unseen(&t);
	hd_schedule_decode(&a, parent, sizeof(parent), W->ntasks);
	for (i = 0; i < 2000; i++) {
		const struct fuzz_conflict *c;
		size_t n = sizeof(parent);

		memcpy(child, parent, n);
		n = LLVMFuzzerCustomMutator(child, n, MAX, i);
		hd_schedule_decode(&b, child, n, W->ntasks);
		c = reversed(&a, &b, &t);
		all += c != NULL;
		new += c && !fuzz_seen_reversed(c);
	}
	tap_ok(were && were < t.nconflicts && new * 100 > all * 85,
	       "%u of %u conflicts were never seen the other way round: they "
	       "are reversed first (%u of %u)", were, t.nconflicts, new, all);
	one_step(parent, sizeof(parent), 0, &(struct tally){ 0 });
	tap_ok(unseen(&t) * 4 < were, "until they were (%u are left)",
	       unseen(&t));
}

/* A conflict of an access behind an object's first word with its kfree(). */
static bool frees(const struct fuzz_conflict *c)
{
	const struct hd_record *x = hd_eng.log + step_of(c->first, c->first_n);
	const struct hd_record *y = hd_eng.log + step_of(c->second, c->second_n);

	return x > hd_eng.log && y > hd_eng.log &&
	       y[-1].ev.op.kind == HD_FREE &&
	       x[-1].ev.op.addr >= y[-1].ev.op.addr + 8;
}

static void whole_objects_are_freed(void)
{
	u32 i, k, met = 0;

	if (!fuzz_open("binder_vs_munmap", "4.20"))
		exit(2);
	for (i = 0; i < 100; i++) {
		u8 base[HD_HEAD_BYTES] = { (u8)(1 + i % 4), (u8)i };
		struct fuzz_trace t = *fuzz_trace_of(base, sizeof(base));

		hd_schedule_decode(&a, base, sizeof(base), W->ntasks);
		hd_run_with_log(&a);
		for (k = 0; k < t.nconflicts; k++)
			met += frees(&t.conflict[k]);
	}
	tap_ok(met, "an object is freed with all its words (%u times)", met);
}

int main(void)
{
	fuzz_findings_start("/nonexistent", -1, HD_V_LIMIT);
	new_orders_first();
	one_reversal_shows_it("abba:buggy", "abba:fixed", HD_V_DEADLOCK);
	one_reversal_shows_it("lost_wakeup:buggy", "lost_wakeup:fixed",
			      HD_V_LOST_WAKEUP);
	really_reversed("fault_vs_munmap:v10", 100);
	really_reversed("fork_vs_write:6.15", 100);
	really_reversed("timer_vs_holder:softirq", 97);
	really_reversed("rcu_use_after_gp:late-use", 100);
	really_reversed("stack_fault_vs_walk:6.1", 100);
	really_reversed("uffd_copies_vs_writers:before", 95);
	really_reversed("faults_vs_munmap:v6", 90);
	whole_objects_are_freed();
	return tap_done();
}
