/* SPDX-License-Identifier: MIT */
/* Are mutants valid, repeatable, and where they should be?  Covers mutator.c,
 * and the conflicts that feedback.c collects for it. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "../src/base/hash.h"
#include "../src/base/tap.h"

enum { MAX = 4096, CHAIN = 3000 };

static struct hd_schedule a, b, c;

static size_t noise(u8 *data, u32 seed)
{
	size_t n = hd_draw(seed, 1, 0, 0) % 120, i;

	for (i = 0; i < n; i++)
		data[i] = (u8)hd_draw(seed, 2, (u32)i, 0);
	return n;
}

static const struct hd_edit *find(const struct hd_schedule *s,
				  const struct hd_edit *e)
{
	u32 i;

	for (i = 0; i < s->nedits; i++)
		if (!memcmp(&s->edit[i], e, sizeof(*e)))
			return &s->edit[i];
	return NULL;
}

/* --- valid and repeatable ------------------------------------------------------ */

static bool canonical(const u8 *data, size_t size)
{
	u8 again[MAX];

	hd_schedule_decode(&a, data, size, W->ntasks);
	return a.nedits <= FUZZ_MAX_EDITS &&
	       hd_schedule_encode(&a, again, sizeof(again)) == size &&
	       !memcmp(again, data, size);
}

static void chain(void)
{
	static u8 data[MAX], copy[MAX];
	u32 i, odd = 0, differ = 0, empty = 0;
	size_t n = 0, m;

	for (i = 0; i < CHAIN; i++) {
		memcpy(copy, data, n);
		m = LLVMFuzzerCustomMutator(copy, n, MAX, i);
		n = LLVMFuzzerCustomMutator(data, n, MAX, i);
		differ += n != m || memcmp(copy, data, n);
		odd += !canonical(data, n);
		empty += !n;
	}
	tap_is(odd, 0, "each of 3000 mutants in a row is a schedule as it is "
	       "written, with few edits");
	tap_is(differ, 0, "the same parent and seed make the same mutant");
	tap_is(empty, 0, "no mutant is empty");
}

static void any_bytes(void)
{
	static u8 data[MAX], other[MAX], out[MAX];
	u32 i, wrong = 0;
	size_t n, m, room;

	for (i = 0; i < 1000; i++) {
		n = noise(data, i);
		m = noise(other, i + 5000);
		room = 1 + i % 40;
		wrong += LLVMFuzzerCustomCrossOver(data, n, other, m, out,
						   room, i) > room;
		n = LLVMFuzzerCustomMutator(data, n > room ? room : n, room, i);
		wrong += !n || n > room;
		LLVMFuzzerTestOneInput(data, n);
	}
	tap_is(wrong, 0, "any bytes can be a parent, and mutants keep to the "
	       "room that they are given");
}

/* --- where edits are added ------------------------------------------------------- */

static bool is_at_conflict(const struct hd_edit *e, const struct fuzz_trace *t)
{
	u32 i;

	for (i = 0; i < t->nconflicts; i++) {
		const struct fuzz_conflict *k = &t->conflict[i];

		if ((e->task == k->first && (e->anchor == k->first_n ||
					     e->anchor == k->first_n + 1)) ||
		    (e->task == k->second && (e->anchor == k->second_n ||
					      e->anchor == k->second_n + 1)))
			return true;
	}
	return false;
}

/* The one edit by which child differs from parent, or NULL. */
static const struct hd_edit *added(const struct hd_schedule *parent,
				   const struct hd_schedule *child)
{
	const struct hd_edit *one = NULL;
	u32 i;

	if (child->nedits != parent->nedits + 1 ||
	    child->strategy != parent->strategy || child->seed != parent->seed)
		return NULL;
	for (i = 0; i < child->nedits; i++) {
		if (find(parent, &child->edit[i]))
			continue;
		if (one)
			return NULL;
		one = &child->edit[i];
	}
	return one;
}

static void seven_of_ten(void)
{
	static u8 parent[MAX], child[MAX];
	static struct fuzz_trace t;
	u32 i, additions = 0, placed = 0, impossible = 0;
	size_t n = 0, m;

	for (i = 0; i < 20000; i++) {
		const struct hd_edit *e;

		if (i % 100 == 0)
			n = LLVMFuzzerCustomMutator(parent, n, MAX, i);
		t = *fuzz_trace_of(parent, n);
		memcpy(child, parent, n);
		m = LLVMFuzzerCustomMutator(child, n, MAX, i + 1000000);
		hd_schedule_decode(&a, parent, n, W->ntasks);
		hd_schedule_decode(&b, child, m, W->ntasks);
		e = added(&a, &b);
		if (!e || !t.nconflicts || e->kind > HD_EDIT_HOLD)
			continue;
		additions++;
		placed += is_at_conflict(e, &t);
		impossible += e->anchor > t.ops[e->task] + 1;
	}
	tap_ok(additions > 300 && placed * 100 >= additions * 62,
	       "%u of %u added switches and holds stand where tasks met",
	       placed, additions);
	tap_ok(placed * 100 <= additions * 97, "but not all of them");
	/* one may be added at the end and then moved, in the same mutant */
	tap_ok(impossible * 1000 <= additions,
	       "hardly any is behind the end of its task (%u)", impossible);
}

static void traces(void)
{
	static u8 data[MAX];
	static struct fuzz_trace one, two;
	u32 i, k, wrong = 0, met = 0;
	size_t n;

	for (i = 0; i < 500; i++) {
		n = noise(data, i);
		fuzz_trace_input(data, n, &one);
		fuzz_trace_input(data, n, &two);
		wrong += one.met != two.met ||
			 memcmp(one.conflict, two.conflict,
				one.nconflicts * sizeof(one.conflict[0]));
		met += one.nconflicts;
		for (k = 0; k < one.nconflicts; k++) {
			const struct fuzz_conflict *x = &one.conflict[k];

			wrong += x->first == x->second ||
				 !x->first_n || !x->second_n ||
				 x->first_n > one.ops[x->first] ||
				 x->second_n > one.ops[x->second];
		}
	}
	tap_ok(met && !wrong, "conflicts are ops that two tasks executed, the "
	       "same each time");
}

/* --- failures and signals ---------------------------------------------------------- */

static u32 count(const struct hd_schedule *s, u8 kind)
{
	u32 i, n = 0;

	for (i = 0; i < s->nedits; i++)
		n += s->edit[i].kind == kind;
	return n;
}

/* A chain of mutants and crossovers from noise, which has edits of all kinds:
 * the most edits of the kind that one has. */
static u32 most_of(u8 kind)
{
	static u8 data[MAX], other[MAX], out[MAX];
	u32 i, n, most = 0;
	size_t size = 0, o;

	for (i = 0; i < CHAIN; i++) {
		if (i % 50 == 0)
			size = noise(data, i);
		size = LLVMFuzzerCustomMutator(data, size, MAX, i);
		hd_schedule_decode(&a, data, size, W->ntasks);
		n = count(&a, kind);
		o = LLVMFuzzerCustomCrossOver(data, size, other,
					      noise(other, i), out, MAX, i);
		hd_schedule_decode(&b, out, o, W->ntasks);
		if (count(&b, kind) > n)
			n = count(&b, kind);
		if (n > most)
			most = n;
	}
	return most;
}

static void declared(void)
{
	static struct heddle_variant v;

	tap_is(hd_eng.variant->fail + hd_eng.variant->signals, 0,
	       "this variant declares neither failures nor signals");
	tap_is(most_of(HD_EDIT_FAIL), 0, "so no mutant has a failure");
	tap_is(most_of(HD_EDIT_SIGNAL), 0, "nor a signal");
	v = *hd_eng.variant;
	v.fail = 1;
	v.signals = 2;
	hd_eng.variant = &v;
	tap_is(most_of(HD_EDIT_FAIL), 1, "with one declared, at most one");
	tap_is(most_of(HD_EDIT_SIGNAL), 2, "with two declared, at most two");
}

/* --- crossover --------------------------------------------------------------------- */

static void crossover(void)
{
	static u8 one[MAX], two[MAX], out[MAX], again[MAX];
	u32 i, k, strange = 0, both = 0, differ = 0, base = 0, made = 0;
	size_t n, m, o;

	for (i = 0; i < 20000; i++) {
		bool from_a = false, from_b = false;

		n = noise(one, i);
		m = noise(two, i + 9000);
		o = LLVMFuzzerCustomCrossOver(one, n, two, m, out, MAX, i);
		differ += LLVMFuzzerCustomCrossOver(one, n, two, m, again, MAX,
						    i) != o ||
			  memcmp(out, again, o);
		if (!o)
			continue;
		made++;
		hd_schedule_decode(&a, one, n, W->ntasks);
		hd_schedule_decode(&b, two, m, W->ntasks);
		hd_schedule_decode(&c, out, o, W->ntasks);
		for (k = 0; k < c.nedits; k++) {
			bool in_a = find(&a, &c.edit[k]);
			bool in_b = find(&b, &c.edit[k]);

			strange += !in_a && !in_b;
			from_a |= in_a;
			from_b |= in_b;
		}
		both += from_a && from_b;
		base += c.seed != a.seed && c.seed != b.seed;
	}
	tap_is(strange, 0, "a crossover has edits of its parents only");
	tap_is(base, 0, "and the base of one of them");
	tap_ok(both * 2 > made, "mostly of both (%u of %u)", both, made);
	tap_ok(made > 1500 && made < 2500, "one of ten is made (%u of 20000)",
	       made);
	tap_is(differ, 0, "and is the same for the same seed");
}

int main(int argc, char **argv)
{
	char dir[] = "--heddle-findings=/nonexistent", *flags[4];
	char **args = flags;
	int n = 3;

	flags[0] = argc ? argv[0] : "mutator_test";
	flags[1] = "--target=fault_vs_munmap:v10";
	flags[2] = dir;
	flags[3] = NULL;
	LLVMFuzzerInitialize(&n, &args);
	LLVMFuzzerTestOneInput((const u8 *)"", 0);
	traces();
	chain();
	any_bytes();
	seven_of_ten();
	crossover();
	declared();
	return tap_done();
}
