/* SPDX-License-Identifier: MIT */
/* heddle run --lockdep=boot: the lock orders of all runs together, and for each
 * order of a cycle one schedule that shows it. */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "boot_graph.h"
#include "boot.h"

static struct lockdep_cycle cycle;
static bool found;

/* Schedules of the runs that brought a new order. */
static struct kept {
	struct kept *next;
	u32 run;
	struct hd_schedule schedule;
	struct hd_origin of; /* of the profile that it ran with */
} *kept;

void boot_start(void)
{
	found = false;
	lockdep_boot_start();
}

static void keep(const struct hd_schedule *s, u32 run)
{
	struct kept *k = malloc(sizeof(*k));

	if (!k) {
		fprintf(stderr, "heddle: out of memory\n");
		exit(EXIT_FAULT);
	}
	k->next = kept;
	k->run = run;
	k->schedule = *s;
	k->of = hd_profile.of;
	kept = k;
}

bool boot_join(const struct hd_schedule *s, u64 run)
{
	bool is_new;

	if (found)
		return true;
	found = !lockdep_boot_join((u32)run, &cycle, &is_new);
	if (is_new)
		keep(s, (u32)run);
	return found;
}

static void print_order(const struct lockdep_order *order,
			const struct target *t, const char *out)
{
	static struct sched_file f;
	const struct kept *k = kept;
	char path[300];

	while (k && k->run != order->run)
		k = k->next;
	printf("  %s --> %s  first in schedule %u%s%s", order->from, order->to,
	       order->run, k ? ", by " : "",
	       k ? hd_strategy_by_id(k->schedule.strategy)->name : "");
	if (k)
		printf(" with seed %u", k->schedule.seed);
	printf("\n");
	if (!out || !k)
		return;
	if (is_program(t->scenario))
		hd_profile_search(k->of);
	f = (struct sched_file){ .target = *t, .schedule = k->schedule };
	snprintf(path, sizeof(path), "%.160s/order-%.50s-%.50s.sched", out,
		 order->from, order->to);
	if ((!mkdir(out, 0777) || errno == EEXIST) && sched_write(path, &f))
		printf("    saved: %s\n", path);
}

u32 boot_tell(const struct target *t, const char *out)
{
	u32 i;

	if (!found)
		return 0;
	printf("lockdep over all runs: %s: %s",
	       hd_verdict_title(cycle.verdict), cycle.n ? "" : cycle.class);
	for (i = 0; i < cycle.n; i++)
		printf("%s%s", i ? ", " : "", cycle.edge[i].from);
	printf("\n  no single run need show all of it; each order, where it "
	       "was first taken:\n");
	for (i = 0; i < cycle.n; i++)
		print_order(&cycle.edge[i], t, out);
	return 1;
}
