/* SPDX-License-Identifier: MIT */
/* How does a thread let others go first, and when does time pass?
 *
 * sched_yield() and the forms of sleep are a scheduling point where leaving costs
 * no preemption.  A thread that comes back to one having read the same values as
 * the last time is spinning: it is off until one of these changes, or until
 * nobody else can go on; then time passes.  If it sees the same for long although
 * nobody else can go on, that is a livelock.  (A loop that only counts, and reads
 * nothing that others write, is none; but one that does nothing but sleep may wait
 * to be cancelled, and is off after some rounds.)
 *
 * Time does not pass while threads run, so that a run is a function of its
 * schedule; timed waits end as the above.  Random numbers are of the run. */
#include <sched.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "../base/hash.h"
#include "posix.h"

enum { LONG = 200, COUNTS = 16 };

static const u64 TIME = 1ull << 61 | 1; /* the key that late ones are ordered on */

void posix_on_time(bool timed)
{
	if (!timed)
		return;
	hd_remove(&W->late, W->cur->id);
	hd_order_on(TIME, true);
}

/* --- spinning ------------------------------------------------------------------- */

/* Nothing but that it is not cancelled, and not for long. */
static bool only_counts(const struct hd_task *t, struct thread *self)
{
	if (t->nreads > 1 ||
	    hd_read_addr(t->reads[0].addr) != (u64)&self->cancelled) {
		self->slept = 0;
		return false;
	}
	return ++self->slept < COUNTS;
}

/* What it saw since it was here last, as a number; 0: it cannot be told. */
static u64 what_it_saw(const struct hd_task *t, u32 pc)
{
	u64 h = pc;
	u32 i;

	if (!t->nreads || t->nreads > HD_MAX_READS ||
	    only_counts(t, posix_self()))
		return 0;
	for (i = 0; i < t->nreads; i++)
		h = hd_fold(hd_fold(h, t->reads[i].addr), t->reads[i].val);
	return h | 1;
}

static void spin(struct hd_task *t, u32 pc)
{
	u64 last = t->reads[t->nreads - 1].addr;
	bool new;
	u32 i;
	u64 v;

	posix_late(true);
	hd_publish_when(HD_AWAIT, (void *)hd_read_addr(last), hd_read_size(last),
			HD_READ | HD_YIELD, pc, hd_reads_changed, t);
	posix_on_time(true);
	new = hd_reads_changed(t);
	for (i = 0; i < t->nreads; i++)
		hd_order_range((void *)hd_read_addr(t->reads[i].addr),
			       hd_read_size(t->reads[i].addr), false);
	v = hd_peek(hd_read_addr(last), hd_read_size(last));
	hd_did(v, v);
	posix_self()->same = new ? 0 : posix_self()->same + 1;
	if (posix_self()->same > LONG)
		posix_fatal(HD_V_LIVELOCK, "event", pc);
}

/* A loop that waits and never yields: 128 ops that only read, and the same words
 * with the same values.  (The last eight of each half are compared, in whatever
 * order; a loop that reads more words than that is not seen.) */
static u64 last_reads(const struct hd_task *t)
{
	u64 sum = 0;
	u32 i, j;

	for (i = 0; i < HD_MAX_READS; i++) {
		for (j = 0; j < i; j++)
			if (t->reads[j].addr == t->reads[i].addr &&
			    t->reads[j].val == t->reads[i].val)
				break;
		if (j == i)
			sum += hd_fold(t->reads[i].addr, t->reads[i].val);
	}
	return sum;
}

void posix_many_reads(struct hd_task *t, u32 pc)
{
	struct thread *self = posix_self();
	u64 saw = last_reads(t);

	if (self->looked == saw && t->n == self->looked_at + 64) {
		t->nreads = HD_MAX_READS;
		spin(t, pc);
		t->nreads = 0;
	}
	self->looked = saw;
	self->looked_at = t->n;
}

/* The next time, the thread knows that it was not cancelled here. */
static void know(struct hd_task *t, const u32 *cancelled)
{
	hd_note_read(t, (u64)cancelled, sizeof(*cancelled), *cancelled);
}

/* point: also a cancellation point. */
static void yield(bool point, u32 pc)
{
	struct hd_task *t = W->cur;
	struct thread *self = posix_self();
	u32 *word = point ? &self->cancelled : NULL;
	u64 seen;

	hd_settle();
	seen = what_it_saw(t, pc);
	if (seen && seen == self->seen) {
		spin(t, pc);
	} else {
		hd_publish(HD_AWAIT, word, word ? sizeof(*word) : 0,
			   HD_YIELD | (word ? HD_READ : 0), HD_RELAXED, pc);
		hd_did(word ? *word : 0, word ? *word : 0);
		self->same = 0;
	}
	self->seen = seen;
	t->nreads = 0;
	if (word && posix_is_cancelled(self))
		posix_end_cancelled(pc);
	if (word)
		know(t, word);
}

int hd_sched_yield(void)
{
	yield(false, HD_PC());
	return 0;
}

POSIX_SAME(hd_pthread_yield, hd_sched_yield);
POSIX_SAME(hd_thrd_yield, hd_sched_yield);

int hd_usleep(useconds_t us)
{
	(void)us;
	yield(true, HD_PC());
	return 0;
}

unsigned int hd_sleep(unsigned int seconds)
{
	(void)seconds;
	yield(true, HD_PC());
	return 0;
}

int hd_nanosleep(const struct timespec *want, struct timespec *left)
{
	(void)want;
	(void)left;
	yield(true, HD_PC());
	return 0;
}

POSIX_SAME(hd_thrd_sleep, hd_nanosleep);

/* --- the clock, and dice ----------------------------------------------------------- */

int hd_clock_gettime(clockid_t clock, struct timespec *now)
{
	(void)clock;
	*now = (struct timespec){ 0 };
	return 0;
}

int hd_gettimeofday(struct timeval *now, void *zone)
{
	(void)zone;
	*now = (struct timeval){ 0 };
	return 0;
}

time_t hd_time(time_t *now)
{
	if (now)
		*now = 0;
	return 0;
}

/* Each thread has its own, so that nobody's order decides what they throw. */
int hd_rand(void)
{
	struct thread *self = posix_self();

	self->random = hd_mix(self->random + 0x9e3779b97f4a7c15ull + W->cur->id);
	return (int)(self->random >> 33);
}

void hd_srand(unsigned int seed)
{
	posix_self()->random = seed;
}

POSIX_SAME(hd_random, hd_rand);
POSIX_SAME(hd_srandom, hd_srand);

int hd_rand_r(unsigned int *seed)
{
	*seed = (unsigned int)hd_mix(*seed + 0x9e3779b9u);
	return (int)(*seed >> 1);
}
