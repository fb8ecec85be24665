/* SPDX-License-Identifier: MIT */
/* Do the strategies sample what they promise?  Two tasks with three ops each on
 * one word have 20 orders; fixed seeds, generous bounds.
 *
 * Covers strategy.c, strategy_run_to_block.c, strategy_random_walk.c,
 * strategy_pct.c, strategy_pos.c, strategy_surw.c, strategy_urw.c, strategy_rf.c, flows.c,
 * strategy_hold.c, strategy_reluctant.c and holds.h. */
#include <heddle/heddle.h>
#include <heddle/kernel.h>
#include <string.h>

#include "../base/hash.h"
#include "../base/tap.h"
#include "../run.h"
#include "engine.h"

enum { RUN_TO_BLOCK, RANDOM, PCT, POS, SURW, RF, RELUCTANT, URW, HOLD,
       EAGER };
enum { OPS = 3, ORDERS = 20, MASKS = 64, SEEDS = 20000 };

struct shared {
	atomic_t word;
	atomic_t own[2];
};

static struct shared *s;
static u32 order, at;      /* bit i: the i-th op was b's; not of the world */
static u32 private_ops;    /* between two shared ones */

static void setup(void)
{
	s = heddle_alloc(struct shared);
}

static void adds(void *arg)
{
	u32 me = (u32)(uintptr_t)arg, i, k;

	for (i = 0; i < OPS; i++) {
		for (k = 0; k < private_ops * (me + 1); k++)
			atomic_add_return(1, &s->own[me]);
		atomic_add_return(1, &s->word);
		if (at < 2 * OPS) /* the profile's runs are not looked at */
			order |= me << at++;
	}
}

static const struct heddle_task tasks[] = { { "a", adds, (void *)0 },
					    { "b", adds, (void *)1 }, { 0 } };
static const struct heddle_variant variants[] = { { .name = "v" }, { 0 } };
static const struct heddle_scenario scenario = { .name = "three_adds",
						 .tasks = tasks,
						 .variants = variants,
						 .setup = setup };

static u32 run(u8 strategy, u32 seed)
{
	static struct hd_schedule x;

	hd_schedule_clear(&x);
	x.strategy = strategy;
	x.seed = seed;
	order = at = 0;
	hd_run(&x);
	return order;
}

static u32 count[MASKS];

static void sample(u8 strategy)
{
	u32 i;

	memset(count, 0, sizeof(count));
	for (i = 0; i < SEEDS; i++)
		count[run(strategy, i)]++;
}

static u32 orders_seen(void)
{
	u32 i, n = 0;

	for (i = 0; i < MASKS; i++)
		n += count[i] != 0;
	return n;
}

/* Against the uniform distribution over the 20 orders; 19 degrees of freedom:
 * 50 is exceeded once in 10,000 times. */
static double chi_square(void)
{
	double e = (double)SEEDS / ORDERS, sum = 0;
	u32 i;

	for (i = 0; i < MASKS; i++)
		if (__builtin_popcount(i) == OPS)
			sum += (count[i] - e) * (count[i] - e) / e;
	return sum;
}

static void near(u32 got, double share, const char *what)
{
	double want = share * SEEDS;

	tap_ok(got > want * 0.9 && got < want * 1.1, "%s (%u of %u)", what,
	       got, SEEDS);
}

static u32 runs_that_begin_with_b(void)
{
	u32 i, n = 0;

	for (i = 0; i < MASKS; i++)
		n += i & 1 ? count[i] : 0;
	return n;
}

static void simple_ones(void)
{
	sample(RUN_TO_BLOCK);
	tap_is(orders_seen(), 1, "run-to-block: one order whatever the seed");
	sample(RANDOM);
	near(runs_that_begin_with_b(), 0.5, "random: a 2-way choice is even");
	near(count[0x38], 0.125, "random: aaabbb takes three choices");
	near(count[0x07], 0.125, "random: and so does bbbaaa");
	near(count[0x2a], 1 / 32.0, "random: ababab takes five");
	tap_is(orders_seen(), ORDERS, "random: all orders");
	sample(POS);
	tap_is(orders_seen(), ORDERS, "pos: all orders");
	near(runs_that_begin_with_b(), 0.5, "pos: who is first is even");
}

/* URW and SURW, which on one word promise the same; leaves 4 private ops. */
static void uniform(u8 strategy, const char *name)
{
	double x;

	private_ops = 0;
	hd_open(&scenario, &variants[0]);
	sample(strategy);
	x = chi_square();
	tap_ok(orders_seen() == ORDERS, "%s: all orders", name);
	tap_ok(x < 60, "%s: uniform over the orders (chi-square %.1f)", name, x);
	private_ops = 4;
	hd_open(&scenario, &variants[0]);
	sample(strategy);
	x = chi_square();
	tap_ok(x < 60, "%s: also with private ops between (chi-square %.1f)", name,
	       x);
}

static void with_private_ops(void)
{
	u32 few;

	uniform(URW, "urw");
	uniform(SURW, "surw");
	sample(RANDOM);
	few = count[0x38];
	private_ops = 40;
	hd_open(&scenario, &variants[0]);
	sample(RANDOM);
	near(count[0x38], (double)few / SEEDS,
	     "random: the same with ten times as many");
	private_ops = 0;
	hd_open(&scenario, &variants[0]);
}

/* Depth 2: b's whole add between two of a's, say the second and the third.
 * PCT's bound is 1 / (tasks * decisions). */
static void pct(void)
{
	u32 i, n = 0, hit[2] = { 0, 0 };
	double bound;

	for (i = 0; i < SEEDS; i += 4) { /* these have d = 2 */
		u32 o = run(PCT, i);

		n++;
		hit[0] += o == 0x1c; /* aabbba */
		hit[1] += o == 0x23; /* bbaaab */
	}
	bound = (double)n / (2 * (hd_profile.decisions + 1));
	tap_ok(hit[0] > bound * 0.9 && hit[1] > bound * 0.9,
	       "pct: finds a bug of depth 2 (%u and %u of %u, bound %.0f)",
	       hit[0], hit[1], n, bound);
	sample(PCT);
	tap_is(orders_seen(), ORDERS, "pct: all orders, with its larger depths");
	near(runs_that_begin_with_b(), 0.5, "pct: the first priority is even");
}

/* Eight tasks write one word and then another; the ninth reads both, and shall
 * see the first one only.  Whoever leaves it to chance has to hold back eight. */
enum { WRITERS = 8 };
static struct pair {
	atomic_t one, two;
} *pair;
static u32 seen_one, seen_two;

static void pair_setup(void)
{
	pair = heddle_alloc(struct pair);
}

static void writes_both(void *arg)
{
	(void)arg;
	atomic_add_return(1, &pair->one);
	atomic_add_return(1, &pair->two);
}

static void reads_both(void *arg)
{
	(void)arg;
	seen_one = atomic_read_acquire(&pair->one) != 0;
	seen_two = atomic_read_acquire(&pair->two) != 0;
}

static const struct heddle_task pair_tasks[] = {
	{ "w1", writes_both }, { "w2", writes_both }, { "w3", writes_both },
	{ "w4", writes_both }, { "w5", writes_both }, { "w6", writes_both },
	{ "w7", writes_both }, { "w8", writes_both }, { "r", reads_both }, { 0 },
};
static const struct heddle_scenario pairs = { .name = "pairs",
					      .tasks = pair_tasks,
					      .variants = variants,
					      .setup = pair_setup };

/* Of 1,000 seeds, how many saw this? */
static u32 sees(u8 strategy, u32 one, u32 two)
{
	u32 i, k = 0;

	for (i = 0; i < 1000; i++) {
		run(strategy, i);
		k += seen_one == one && seen_two == two;
	}
	return k;
}

/* Of the pairs of the profile, the share of draws that are this one. */
static u32 draws_of(const struct hd_flow *f)
{
	u32 i, n = 0;

	for (i = 0; i < SEEDS; i++)
		n += hd_flows_draw(hd_draw(i, 0, 0, 0)) == f;
	return n;
}

/* A read of each word by r can see nobody's write or the one place that writes;
 * an add sees the same. */
static void flows(void)
{
	const struct hd_flow *rarest = &hd_flow[0], *f;
	u32 weight = 0, before = 0;

	tap_is(hd_nflows, 8, "flows: two words, two readers, two writers");
	for (f = hd_flow; f < hd_flow + hd_nflows; f++) {
		if (f->upto - before > weight) {
			weight = f->upto - before;
			rarest = f;
		}
		before = f->upto;
	}
	tap_ok(rarest->word == (u64)(uintptr_t)&pair->one && !rarest->writer,
	       "flows: that r reads the first word before anybody wrote is rare");
	near(draws_of(rarest), (double)weight / before, "flows: so it is drawn often");
}

static void rf(void)
{
	u32 steered, chance;

	sample(RF);
	tap_is(orders_seen(), ORDERS, "rf: all orders");
	hd_open(&pairs, &variants[0]);
	flows();
	steered = sees(RF, 1, 0);
	chance = sees(POS, 1, 0);
	tap_ok(steered > 200 && steered > 2 * chance,
	       "rf: a read before all of eight writers (%u of 1000, pos %u)",
	       steered, chance);
	tap_ok(sees(RF, 1, 1) > 50 && sees(RF, 0, 0) > 50 &&
	       sees(RF, 0, 1) > 50, "rf: and whatever else there is to read");
	hd_open(&scenario, &variants[0]);
}

/* One task adds to a word, then writes another one; the second reads that, then the
 * word: how much of it was before the addition? */
static atomic_t *two;
static u32 done_by_second, was_before;

static void two_setup(void)
{
	two = heddle_alloc_type("two", 2 * sizeof(*two));
}

static void adds_once(void *arg)
{
	(void)arg;
	atomic_add_return(1, &two[0]);
	was_before = done_by_second;
	atomic_set_release(&two[1], 1);
}

static void reads_twice(void *arg)
{
	(void)arg;
	atomic_read_acquire(&two[1]);
	done_by_second = 1;
	atomic_read_acquire(&two[0]);
	done_by_second = 2;
}

static const struct heddle_task passed_tasks[] = { { "adds", adds_once },
						   { "reads", reads_twice },
						   { 0 } };
static const struct heddle_scenario passed = { .name = "passed",
					       .tasks = passed_tasks,
					       .variants = variants,
					       .setup = two_setup };
static u32 before[3];

static void sample_passed(u8 strategy)
{
	u32 i;

	memset(before, 0, sizeof(before));
	hd_open(&passed, &variants[0]);
	for (i = 0; i < SEEDS; i++) {
		done_by_second = 0;
		run(strategy, i);
		before[was_before]++;
	}
	hd_open(&scenario, &variants[0]);
}

/* A pending yield against a pending load: how often does it go first? */
static u32 yields_first(void)
{
	u32 i, n = 0;

	W->tasks[0].op = (struct hd_op){ .kind = HD_AWAIT, .flags = HD_YIELD };
	W->tasks[1].op = (struct hd_op){ .kind = HD_LOAD, .flags = HD_READ };
	for (i = 0; i < SEEDS; i++) {
		hd_reluctant.new_run(i);
		n += hd_reluctant.pick(hd_bit(0) | hd_bit(1), 0) == 0;
	}
	return n;
}

/* Passed over by the first read, the addition is held in 3 of 10 runs, and then comes
 * only behind the second, which is in conflict with it. */
static void reluctant(void)
{
	sample(RELUCTANT);
	near(runs_that_begin_with_b(), 0.5, "reluctant: even");
	near(count[0x38], 0.125, "reluctant: and each decision anew");
	sample_passed(RELUCTANT);
	near(before[0], 0.5, "reluctant: an RMW comes first as often as not");
	near(before[1], 0.5 * 0.7 * 0.5, "reluctant: if it is passed over, it may be held");
	near(before[2], 0.5 * (0.3 + 0.7 * 0.5),
	     "reluctant: ... until there is a conflict");
	near(yields_first(), 8 / 9.0, "reluctant: a yield has eight times the weight");
	hd_open(&scenario, &variants[0]);
}

/* URW: in one order of six the addition comes behind both reads, in two between
 * them.  With a chance of 0 to 99 %, it does not come between. */
static void hold(void)
{
	double held = 0.495, between = 0.5 * (1 - held) * 2 / 3;

	sample(HOLD);
	tap_is(orders_seen(), ORDERS, "hold: all orders");
	sample_passed(URW);
	near(before[1], 1 / 3.0, "urw: between two reads");
	sample_passed(HOLD);
	near(before[0], 0.5, "hold: first, as under URW");
	near(before[1], between, "hold: if it is passed over, it may be held");
	near(before[2], 0.5 - between, "hold: ... until there is a conflict");
	between = 0.5 * (1 - held) * 8 / 9;
	sample(EAGER);
	tap_is(orders_seen(), ORDERS, "eager: all orders");
	sample_passed(EAGER);
	near(before[0], 0.5, "eager: first, as under URW");
	near(before[1], between, "eager: who has twice as much left goes 8 of 9 times");
	near(before[2], 0.5 - between, "eager: ... unless it is held");
}

static void names(void)
{
	static const char *const name[] = { "run-to-block", "random", "pct",
					    "pos", "surw", "rf", "reluctant",
					    "urw", "hold", "eager" };
	u32 i, good = 0;

	for (i = 0; i < ARRAY_SIZE(name); i++)
		good += hd_strategy_id(name[i]) == (int)i &&
			!strcmp(hd_strategy_by_id((u8)i)->name, name[i]);
	tap_is(good, 10, "numbers are those of the schedule format");
	tap_is(hd_strategy_id("luck"), -1, "an unknown name");
	tap_ok(hd_strategy_by_id(10) == &hd_run_to_block, "an unknown number");
}

/* A search of a model: four of one, then twelve in turn, each schedule with a seed of
 * its own. */
static void searches(void)
{
	static const u8 turn[] = { HOLD, RF, HOLD, SURW, HOLD, RF,
				   HOLD, PCT, RF, HOLD, EAGER, RF };
	static struct hd_schedule a, b;
	u32 i, good = 0;

	for (i = 0; i < 60; i++) {
		hd_search_schedule(&a, -1, 5, i);
		hd_search_schedule(&b, POS, 5, i);
		good += a.strategy == (i < 4 ? EAGER : turn[(i - 4) % 12]) && b.strategy == POS &&
			a.seed == b.seed && !a.nedits;
		hd_search_schedule(&b, -1, 6, i);
		good += a.seed != b.seed;
		hd_search_schedule(&b, -1, 5, i + 1);
		good += a.seed != b.seed;
	}
	tap_is(good, 180, "a search takes them in turn, or the one that it is told");
}

int main(void)
{
	hd_open(&scenario, &variants[0]);
	simple_ones();
	with_private_ops();
	pct();
	rf();
	reluctant();
	hold();
	names();
	searches();
	return tap_done();
}
