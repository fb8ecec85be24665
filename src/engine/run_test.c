/* SPDX-License-Identifier: MIT */
/* Is a run a pure function of its schedule, and does each edit do what
 * schedule.h says?  Covers loop.c, choice.c and boot.c. */
#include "../run.h"
#include "small_program.h"

/* --- switch ------------------------------------------------------------- */

/* Edits over run-to-block that make the order of ops in text. */
static void edits_for(struct hd_schedule *to, const char *text)
{
	u32 n[2] = { 0, 0 }, i, cur = A;

	for (i = 0; text[i]; i++) {
		u32 next = (u32)(text[i] - 'a');

		if (next != cur && n[cur] < 3)
			edit(to, HD_EDIT_SWITCH, (u8)cur, n[cur] + 1, next);
		cur = next;
		n[cur]++;
	}
}

static void switches(void)
{
	u32 mask, bad = 0, orders = 0, i;
	struct hd_schedule *x;

	load(2, three_adds);
	run(with(0, 0));
	tap_is_str(trace, "aaabbb", "no edit: each task runs until it blocks");
	for (mask = 0; mask < 64; mask++) {
		char text[7] = "";

		if (__builtin_popcount(mask) != 3)
			continue;
		for (i = 0; i < 6; i++)
			text[i] = mask >> i & 1 ? 'b' : 'a';
		x = with(0, 0);
		edits_for(x, text);
		run(x);
		bad += strcmp(trace, text) != 0;
		orders++;
	}
	tap_is(orders - bad, 20, "switches make each of the 20 interleavings");
	x = with(0, 0);
	edit(x, HD_EDIT_SWITCH, A, 2, B);
	run(x);
	tap_is(W->preemptions, 1, "a switch away from a task that can go on");
	x = with(0, 0);
	edit(x, HD_EDIT_SWITCH, A, 77, B);
	run(x);
	tap_is_str(trace, "aaabbb", "an anchor that is not reached does nothing");
}

/* --- hold ----------------------------------------------------------------- */

/* A: word, word, word.  B: its own twice, then word, then its own. */
static void held_program(void *arg)
{
	u32 me = (u32)(uintptr_t)arg, i;

	for (i = 0; i < 4; i++) {
		bool common = me == A ? i < 3 : i == 2;

		atomic_add_return(1, common ? &s->word : &s->own[me]);
		note(me);
	}
}

static void holds(void)
{
	struct hd_schedule *x = with(0, 0);

	load(2, held_program);
	edit(x, HD_EDIT_HOLD, A, 2, 0);
	edit(x, HD_EDIT_SWITCH, B, 3, A); /* A is held: cannot be chosen by base */
	edit(x, HD_EDIT_SWITCH, B, 4, A);
	run(x);
	tap_ok(!strncmp(trace, "abb", 3), "hold: others run first");
	tap_is(atomic_read(&s->word), 4, "... and the held task goes on later");
	x = with(0, 0);
	edit(x, HD_EDIT_HOLD, A, 1, 0);
	edit(x, HD_EDIT_HOLD, B, 1, 0);
	run(x);
	tap_is(ntrace, 8, "holding everybody is no deadlock: a hold expires");
}

/* --- choose, fail, signal ---------------------------------------------------- */

static void asks(void *arg)
{
	u32 i;

	(void)arg;
	atomic_add_return(1, &s->word);
	for (i = 0; i < 3; i++)
		s->answers[0] = s->answers[0] * 10 + heddle_choose(5);
	for (i = 0; i < 3; i++)
		s->answers[1] = s->answers[1] * 10 + heddle_fail("step");
}

static void waits(void *arg)
{
	(void)arg;
	s->answers[2] = (u64)rcuwait_wait_event(&s->wait, atomic_read(&s->word),
						TASK_INTERRUPTIBLE);
}

static void choices(void)
{
	struct hd_schedule *x = with(0, 0);
	u32 n, interrupted = 0;

	load(1, asks);
	run(x);
	tap_ok(!s->answers[0] && !s->answers[1], "by default 0, and no failure");
	edit(x, HD_EDIT_CHOOSE, A, 2, 3);
	edit(x, HD_EDIT_CHOOSE, A, 3, 6);
	edit(x, HD_EDIT_FAIL, A, 2, 0);
	run(x);
	tap_is((s64)s->answers[0], 31, "choose: the n-th choice, modulo");
	tap_is((s64)s->answers[1], 10, "fail: the n-th fallible operation");
	tap_is(W->choices, 3, "... counted as choices");
	load(1, waits);
	run(with(0, 0));
	tap_ok(W->nverdicts == 1 && W->verdicts[0].kind == HD_V_DEADLOCK,
	       "a sleep that nobody ends is a deadlock");
	for (n = 1; n < 20; n++) {
		x = with(0, 0);
		edit(x, HD_EDIT_SIGNAL, A, n, 0);
		run(x);
		interrupted += !W->nverdicts && (s64)s->answers[2] == -EINTR;
	}
	tap_is(interrupted, 1, "signal: ends it, at the one op that would sleep");
}

/* --- any bytes, again and again ------------------------------------------------ */

static u32 program_seed;

static void random_op(u32 me, u64 r)
{
	static const u8 kinds[] = { 0, 0, 0, 1, 2, 2, 3, 4, 5, 6 };
	void *o;

	switch (kinds[r % ARRAY_SIZE(kinds)]) {
	case 0:
		s->answers[me] += (u64)atomic_add_return(1, &s->word);
		break;
	case 1:
		atomic_add_return(1, &s->own[me]);
		break;
	case 2:
		mutex_lock(&s->lock[r >> 8 & 1]);
		if (r >> 9 & 1 && mutex_trylock(&s->lock[~r >> 8 & 1]))
			mutex_unlock(&s->lock[~r >> 8 & 1]);
		mutex_unlock(&s->lock[r >> 8 & 1]);
		break;
	case 3:
		s->answers[me] += heddle_choose(3);
		break;
	case 4:
		o = kzalloc(32, GFP_KERNEL);
		if (o && !heddle_fail("give back"))
			kfree(o);
		break;
	case 5:
		rcu_read_lock();
		atomic_read(&s->word);
		rcu_read_unlock();
		break;
	case 6:
		mutex_lock(&s->lock[0]); /* B takes them the other way */
		mutex_lock(&s->lock[1]);
		mutex_unlock(&s->lock[1]);
		mutex_unlock(&s->lock[0]);
		break;
	}
}

static void random_task(void *arg)
{
	u32 me = (u32)(uintptr_t)arg, i;

	for (i = 0; i < 6; i++)
		random_op(me, hd_draw(program_seed, me, i, 77));
	if (me == B) {
		mutex_lock(&s->lock[1]);
		mutex_lock(&s->lock[0]);
		mutex_unlock(&s->lock[0]);
		mutex_unlock(&s->lock[1]);
	}
}

enum { INPUTS = 2000 };

static u64 summary(const struct hd_outcome *o)
{
	u64 h = hd_fold(o->hash, o->ops | (u64)o->preemptions << 32);
	u32 i;

	h = hd_fold(h, o->switches | (u64)o->choices << 32);
	for (i = 0; i < o->nverdicts; i++)
		h = hd_fold(h, o->verdicts[i].kind |
				       (u64)o->verdicts[i].step << 8);
	return h;
}

static u64 run_bytes(u32 i)
{
	static struct hd_schedule x;
	static u8 bytes[200];
	struct hd_outcome o;
	u32 n = hd_below(hd_draw(i, 0, 0, 1), sizeof(bytes)), k;

	for (k = 0; k < n; k++) {
		bytes[k] = (u8)hd_draw(i, 1, k, 2);
		/* anchors that can be met, mostly */
		if (k >= HD_HEAD_BYTES && (k - HD_HEAD_BYTES) % 6 == 3)
			bytes[k] = 0;
		if (k >= HD_HEAD_BYTES && (k - HD_HEAD_BYTES) % 6 == 2)
			bytes[k] &= 31;
	}
	hd_schedule_decode(&x, bytes, n, 3);
	o = run(&x);
	return summary(&o);
}

static void random_inputs(void)
{
	static u64 first[INPUTS];
	u32 i, bad = 0, differ = 0, stuck = 0;

	program_seed = 3;
	load(3, random_task);
	for (i = 0; i < INPUTS; i++) {
		first[i] = run_bytes(i);
		stuck += W->nverdicts &&
			 W->verdicts[W->nverdicts - 1].kind == HD_V_DEADLOCK;
		differ += i && first[i] != first[i - 1];
	}
	for (i = INPUTS; i-- > 0;)
		bad += run_bytes(i) != first[i];
	tap_is(bad, 0, "2,000 random inputs run twice, in another order: equal");
	tap_ok(stuck > 20 && stuck < INPUTS - 20 && differ > INPUTS / 2,
	       "... and they are not all one run (%u deadlocks)", stuck);
	load(3, random_task);
	for (i = 0; i < INPUTS; i += 10)
		bad += run_bytes(i) != first[i];
	tap_is(bad, 0, "... and equal after the variant was loaded again");
}

/* The base's draw after a task's n-th op depends on (seed, task, n) alone: an
 * edit elsewhere changes none. */
static u32 draws_that_changed(u32 seed)
{
	char next[2][3];
	u32 changed = 0, t, n, i;

	memset(next, 0, sizeof(next));
	for (t = 0; t < 2; t++)
		for (n = 1; n <= 3; n++) {
			struct hd_schedule *x = with(1, seed);
			u32 done[2] = { 0, 0 };

			edit(x, HD_EDIT_SWITCH, (u8)t, n, 1 - t);
			run(x);
			for (i = 0; i + 1 < ntrace; i++) {
				u32 cur = (u32)(trace[i] - 'a');
				u32 k = ++done[cur];

				if (done[0] == 3 || done[1] == 3)
					break; /* no choice is left */
				if (cur == t && k + 1 == n)
					continue; /* the edit's own */
				changed += next[cur][k] &&
					   next[cur][k] != trace[i + 1];
				next[cur][k] = trace[i + 1];
			}
		}
	return changed;
}

static void keyed_draws(void)
{
	u32 seed, changed = 0, same = 0;
	char before[8];

	load(2, three_adds);
	for (seed = 0; seed < 200; seed++)
		changed += draws_that_changed(seed);
	tap_is(changed, 0, "an edit leaves the draws of all other ops alone");
	for (seed = 0; seed < 50; seed++) {
		struct hd_schedule *x = with(1, seed);

		run(x);
		memcpy(before, trace, sizeof(before));
		edit(x, HD_EDIT_SWITCH, A, 2, B);
		hd_schedule_remove(x, 0);
		run(x);
		same += !memcmp(before, trace, sizeof(before));
	}
	tap_is(same, 50, "... and removing it brings the old run back");
}

int main(void)
{
	switches();
	holds();
	choices();
	random_inputs();
	keyed_draws();
	return tap_done();
}
