/* SPDX-License-Identifier: MIT */
/* When does a sleeping task go on?  States, wake-ups, rcuwait, wait queues.
 *
 * Every task has a state word of its own in the world.  schedule() looks at it
 * when it is called, which is no op of its own: a wake-up just before it and
 * one just after it lead to the same pending op of a runnable task. */
#include <heddle/wait.h>

#include "kernel.h"

struct sleeper {
	u64 state; /* TASK_* */
	u64 on;    /* address of the wait object, for reports */
};

static struct sleeper *sleepers; /* constant during a run, as is their number */
static u32 nsleepers;

enum { WORD = sizeof(u64) };

void hd_boot_wait(u32 ntasks)
{
	nsleepers = ntasks;
	sleepers = hd_heap_new("task", (u32)(ntasks * sizeof(*sleepers)), 0);
	heddle_keep(sleepers);
	hd_eng.cpu_words = (u64 *)sleepers;
}

static struct sleeper *self(void)
{
	return &sleepers[hd_slot(nsleepers)];
}

/* As part of an op on something else. */
static void set_state(struct sleeper *s, unsigned int state, const void *on)
{
	hd_order_range(&s->state, WORD, true);
	s->state = state;
	s->on = (u64)on;
}

void set_current_state(unsigned int state)
{
	struct sleeper *s = self();
	u64 old;

	if (W->probing && state == TASK_RUNNING)
		hd_probe_done(true);
	hd_publish(HD_STORE, &s->state, WORD, HD_WRITE, HD_FULL, HD_PC());
	old = s->state;
	s->state = state;
	hd_did(old, state);
}

static bool wake(u32 id)
{
	struct sleeper *s = &sleepers[id < nsleepers ? id : nsleepers - 1];

	hd_order_range(&s->state, WORD, true);
	if (s->state == TASK_RUNNING)
		return false;
	s->state = TASK_RUNNING;
	hd_sync_release(&s->state, false);
	hd_wake((int)id);
	return true;
}

bool wake_up_process(struct task_struct *task)
{
	struct sleeper *s = &sleepers[task->pid];
	bool woken;
	u64 old;

	hd_publish(HD_WAKE, &s->state, WORD, HD_RW, HD_FULL, HD_PC());
	old = s->state;
	woken = wake((u32)task->pid);
	hd_did(old, s->state);
	return woken;
}

/* Sleep, and set the next state in the same op. */
static void sleep(unsigned int next, u32 pc)
{
	struct hd_task *t = W->cur;
	struct sleeper *s = self();
	void *on = s->on ? (void *)s->on : &s->state;

	hd_might_sleep("schedule", pc);
	hd_settle();
	if (W->probing)
		hd_probe_done(false);
	if (s->state == TASK_RUNNING) {
		hd_publish(HD_WAIT, on, WORD, HD_READ | HD_YIELD, HD_ACQUIRE,
			   pc);
	} else {
		t->sleeping_wait = 1;
		hd_publish_asleep(HD_WAIT, on, WORD, HD_READ | HD_YIELD, pc);
		t->sleeping_wait = 0;
	}
	hd_sync_acquire(&s->state);
	if (next != TASK_RUNNING)
		set_state(s, next, on);
	hd_judge(on, WORD, HD_READ, pc);
	hd_did(hd_get(on, WORD), hd_get(on, WORD));
}

void schedule(void)
{
	sleep(TASK_RUNNING, HD_PC());
}

bool hd_signal_in_state(unsigned int state)
{
	return (state & (TASK_INTERRUPTIBLE | TASK_WAKEKILL)) &&
	       !W->probing && hd_signal_comes();
}

/* --- rcuwait -------------------------------------------------------- */

static void begin(u8 kind, u64 *word, u8 flags, u8 order, u32 pc)
{
	hd_publish(kind, word, WORD, flags, order, pc);
	hd_judge(word, WORD, flags, pc);
}

static void store(u64 *word, u64 val, u32 pc)
{
	u64 old;

	begin(HD_STORE, word, HD_WRITE, HD_RELEASE, pc);
	old = *word;
	*word = val;
	hd_did(old, val);
}

static u64 load(const u64 *word, u32 pc)
{
	begin(HD_LOAD, (u64 *)word, HD_READ, HD_RELAXED, pc);
	hd_did(*word, *word);
	return *word;
}

void rcuwait_init(struct rcuwait *w)
{
	hd_quiet_write(w, sizeof(*w), HD_PC());
	w->task = 0;
}

bool rcuwait_active(struct rcuwait *w)
{
	return load(&w->task, HD_PC());
}

void prepare_to_rcuwait(struct rcuwait *w)
{
	self()->on = (u64)&w->task;
	store(&w->task, hd_me(), HD_PC());
}

void hd_rcuwait_prepare(struct rcuwait *w, unsigned int state)
{
	u32 pc = HD_PC();
	u64 old;

	begin(HD_STORE, &w->task, HD_WRITE, HD_FULL, pc);
	set_state(self(), state, &w->task);
	old = w->task;
	w->task = hd_me();
	hd_did(old, w->task);
}

void hd_rcuwait_schedule(unsigned int state)
{
	sleep(state, HD_PC());
}

void finish_rcuwait(struct rcuwait *w)
{
	u32 pc = HD_PC();
	u64 old;

	hd_settle();
	if (W->probing)
		hd_probe_done(true);
	begin(HD_STORE, &w->task, HD_WRITE, HD_RELAXED, pc);
	set_state(self(), TASK_RUNNING, NULL);
	old = w->task;
	w->task = 0;
	hd_did(old, 0);
}

bool rcuwait_wake_up(struct rcuwait *w)
{
	u32 pc = HD_PC();
	u64 task = load(&w->task, pc);
	bool woken;

	if (!task)
		return false;
	begin(HD_WAKE, &w->task, HD_READ, HD_FULL, pc);
	woken = wake((u32)task - 1);
	hd_did(w->task, w->task);
	return woken;
}

/* --- wait queues ---------------------------------------------------- */

void init_waitqueue_head(wait_queue_head_t *q)
{
	hd_quiet_write(q, sizeof(*q), HD_PC());
	q->tasks = 0;
}

bool waitqueue_active(wait_queue_head_t *q)
{
	return load(&q->tasks, HD_PC());
}

void hd_prepare_to_wait(wait_queue_head_t *q, unsigned int state)
{
	u32 pc = HD_PC();
	u64 old;

	begin(HD_RMW, &q->tasks, HD_RW, HD_FULL, pc);
	set_state(self(), state, &q->tasks);
	old = q->tasks;
	q->tasks |= 1ull << (W->cur->id % HD_KERNEL_TASKS);
	hd_did(old, q->tasks);
}

void hd_finish_wait(wait_queue_head_t *q)
{
	u32 pc = HD_PC();
	u64 old;

	hd_settle();
	if (W->probing)
		hd_probe_done(true);
	begin(HD_RMW, &q->tasks, HD_RW, HD_ACQ_REL, pc);
	set_state(self(), TASK_RUNNING, NULL);
	old = q->tasks;
	q->tasks &= ~(1ull << (W->cur->id % HD_KERNEL_TASKS));
	hd_did(old, q->tasks);
}

void wake_up_all(wait_queue_head_t *q)
{
	u32 pc = HD_PC();
	u64 old;

	begin(HD_WAKE, &q->tasks, HD_RW, HD_FULL, pc);
	old = q->tasks;
	while (q->tasks) {
		wake((u32)__builtin_ctzll(q->tasks));
		q->tasks &= q->tasks - 1;
	}
	hd_did(old, 0);
}
