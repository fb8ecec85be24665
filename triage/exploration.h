/* SPDX-License-Identifier: MIT */
/* One variant, explored: what was found, and is it what the variant declares?
 * Shared by the verb (cmd_explore.c) and its check of a whole scenario
 * (check_scenario.c). */
#ifndef TRIAGE_EXPLORATION_H
#define TRIAGE_EXPLORATION_H

#include "options.h"
#include "search.h"

struct exploration {
	struct target target;
	struct options o;   /* as the variant has it: options_settle() */
	struct findings findings;
	u64 runs, cut, marks;
	u64 states, spared; /* transitions executed, and not executed again */
	u64 hashes;         /* of the runs, summed up */
	int bound;          /* of the search under way; -1: none */
	bool complete, limited, wanted, lost;
	bool differs;       /* from --against */
	u64 first;          /* run that first showed a (the wanted) verdict */
	double began;
};

/* Exhaust this many preemptions (-1: no bound), beside what was done before. */
void explore_bound(struct exploration *e, int bound);
/* Exhaust 0, 1 ... o.preemptions, or all at once without a bound.  told, if not
 * NULL, is called after each number with what that search took. */
void explore_all(struct exploration *e,
		 void (*told)(struct exploration *e, u64 runs, u64 cut));

/* The number with which the variant declares the kind; -1: none. */
int declared_at(const struct heddle_variant *v, u8 kind);
/* Fewest preemptions at which the kind was seen; -1: not seen. */
int seen_at(const struct exploration *e, u8 kind);
/* Does the finding agree with what the variant declares? */
bool finding_agrees(const struct exploration *e, const struct finding *f);
/* Was a declared verdict not seen, or not with its number?  Numbers count where
 * the search had a bound, and what needs more than the bound is not missed. */
bool declared_differs(const struct exploration *e,
		      const struct heddle_expect *x);
/* Is the set of verdicts the variant's own? */
bool as_declared(const struct exploration *e);

/* Number of reach goals; how many were met; say: print those that were not. */
u32 count_goals(const struct exploration *e, u32 *met, bool say);
/* Complete, without a verdict, and no goal was reached. */
bool is_vacuous(const struct exploration *e);
/* What "complete" is relative to; events: failures and signals, in words. */
void tell_relative(const struct heddle_scenario *s, const struct options *o,
		   const char *events);

/* The same as one line of a file. */
void write_relative(FILE *out, const struct heddle_scenario *s,
		    const struct options *o);

/* certificate.c: what the search claims, as a file; --against compares the search
 * with one.  False: one line on stderr has said why not, or, of _holds(), what
 * differs is on stdout. */
struct certificate {
	char scenario[160];
	char text[1 << 16];
	const char *line[1024]; /* in text */
	u32 n;
};
bool certificate_write(const char *path, const struct exploration *e);
/* Takes from it what is to be searched, too. */
bool certificate_read(const char *path, struct certificate *c,
		      struct options *o);
bool certificate_holds(const struct certificate *c,
		       const struct exploration *e);

/* check_scenario.c: hold every variant to what it declares, and print the
 * questions of the scenario with the answers and their evidence. */
int check_scenario(const struct heddle_scenario *s, const struct options *o);

#endif
