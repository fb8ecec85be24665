/* SPDX-License-Identifier: MIT */
/* Which reads of shared words saw which writes, in the runs of the profile?
 *
 * A reads-from pair is a reading place, a writing place (or nobody: what was there
 * at the beginning) and the word.  Steering draws from those that were seen, each
 * with a weight that falls with how often: what happens anyway needs no help, and
 * of what never happened most cannot (a task does not read what it writes later).
 * Over 80 buggy variants rf needs 17.3 schedules so; 17.7 with equal weights,
 * and 20.2 where all pairs, seen or not, were drawn alike. */
#include <string.h>

#include "../base/hash.h"
#include "engine.h"

/* A place that reads or writes (HD_READ, HD_WRITE) a shared word. */
enum { MAX_SITES = 512 };
static struct site {
	u64 word;
	u32 pc, flags;
} site[MAX_SITES];
static u32 nsites;
/* By numbers of words in the profile, who wrote last in this run; by site, how
 * often it saw that writer.  Writers are numbers of sites plus 1, 0: nobody. */
static u16 wrote[HD_MAX_SHARED];
static u16 saw[MAX_SITES][MAX_SITES + 1];

struct hd_flow hd_flow[HD_MAX_FLOWS];
u32 hd_nflows;

void hd_flows_clear(void)
{
	nsites = hd_nflows = 0;
}

void hd_flows_new_run(void)
{
	memset(wrote, 0, sizeof(wrote));
}

/* Number of the site; MAX_SITES: there is no room. */
static u32 site_of(const struct hd_op *op)
{
	u64 word = op->addr & ~3ull;
	u32 i;

	for (i = 0; i < nsites; i++)
		if (site[i].word == word && site[i].pc == op->pc) {
			site[i].flags |= op->flags;
			return i;
		}
	if (i == MAX_SITES)
		return i;
	site[nsites++] = (struct site){ word, op->pc, op->flags };
	memset(saw[i], 0, sizeof(saw[i]));
	return i;
}

void hd_flows_note(const struct hd_op *op, u32 word)
{
	u32 i = site_of(op);
	u16 *times;

	if (i == MAX_SITES)
		return;
	times = &saw[i][wrote[word]];
	if (op->flags & HD_READ && !(op->flags & HD_COMMUTES) &&
	    *times < UINT16_MAX)
		++*times;
	if (op->flags & HD_WRITE)
		wrote[word] = (u16)(i + 1);
}

static void list(const struct site *r, u32 writer, u32 seen)
{
	enum { MOST = 1024 };
	u32 before = hd_nflows ? hd_flow[hd_nflows - 1].upto : 0;

	if (!seen || hd_nflows == HD_MAX_FLOWS)
		return;
	hd_flow[hd_nflows++] = (struct hd_flow){
		r->word, r->pc, writer, before + (seen < MOST ? MOST / seen : 1)
	};
}

void hd_flows_list(void)
{
	u32 r, w;

	hd_nflows = 0;
	for (r = 0; r < nsites; r++) {
		list(&site[r], 0, saw[r][0]);
		for (w = 0; w < nsites; w++)
			list(&site[r], site[w].pc, saw[r][w + 1]);
	}
}

const struct hd_flow *hd_flows_draw(u64 drawn)
{
	u32 low = 0, high = hd_nflows, k;

	if (!hd_nflows)
		return NULL;
	k = hd_below(drawn, hd_flow[hd_nflows - 1].upto);
	while (low < high) { /* the first one with upto > k */
		u32 mid = (low + high) / 2;

		if (hd_flow[mid].upto <= k)
			low = mid + 1;
		else
			high = mid;
	}
	return &hd_flow[low];
}
