/* SPDX-License-Identifier: MIT */
/* Who gets an rt_mutex?  Whoever came first: see rtmutex.h. */
#include <heddle/rtmutex.h>

#include <heddle/errno.h>

#include "kernel.h"
#include "queue.h"

enum { WORD = 8 };

void hd_rt_mutex_init(struct rt_mutex *m, const char *name,
		      const struct lock_class_key *key)
{
	hd_no_locks_freed(m, sizeof(*m), HD_PC());
	hd_quiet_write(m, sizeof(*m), HD_PC());
	memset(m, 0, sizeof(*m));
	lockdep_init_map_wait(&m->dep_map, name, key, 0, LD_WAIT_SLEEP);
}

static u64 word(const struct rt_mutex *m)
{
	return hd_get(m, WORD);
}

static void begin(struct rt_mutex *m, u8 kind, u8 order, u32 pc)
{
	hd_publish(kind, m, WORD, HD_RW, order, pc);
	hd_judge(m, WORD, HD_RW, pc);
}

/* On the stack of the task that waits. */
struct waiter {
	const struct rt_mutex *m;
	u8 task;
};

static bool my_turn(const void *arg)
{
	const struct waiter *w = arg;

	return !w->m->owner &&
	       queue_first_is(w->m->queue, w->m->nwaiters, w->task);
}

/* In the queue.  A signal makes the wait end at any time; if it is this task's
 * turn then, it gets the mutex all the same. */
static int wait(struct rt_mutex *m, bool killable, u32 pc)
{
	struct waiter w = { m, W->cur->id };
	bool mine;
	u64 old;

	if (killable && hd_signal_comes())
		hd_publish(HD_ACQUIRED, m, WORD, HD_RW, HD_ACQUIRE, pc);
	else
		hd_publish_when(HD_ACQUIRED, m, WORD, HD_RW, pc, my_turn, &w);
	hd_judge(m, WORD, HD_RW, pc);
	old = word(m);
	mine = my_turn(&w);
	queue_leave(m->queue, &m->nwaiters, w.task);
	if (mine)
		m->owner = (u8)hd_me();
	else
		hd_lock_release(&m->dep_map, pc);
	if (!mine)
		hd_gives(HD_RELAXED);
	hd_did(old, word(m));
	return mine ? 0 : -EINTR;
}

static int lock(struct rt_mutex *m, int subclass, bool killable, u32 pc)
{
	bool got;
	u64 old;

	hd_may_sleep("rt_mutex_lock", pc);
	begin(m, HD_LOCK, HD_ACQUIRE, pc);
	hd_lock_acquire(&m->dep_map, subclass, 0, 0, 1, pc);
	old = word(m);
	got = !m->owner && !m->nwaiters;
	if (got)
		m->owner = (u8)hd_me();
	else
		queue_join(m->queue, &m->nwaiters, 0, "rt_mutex waiters");
	if (!got)
		hd_gives(HD_RELAXED);
	hd_did(old, word(m));
	return got ? 0 : wait(m, killable, pc);
}

void rt_mutex_lock(struct rt_mutex *m)
{
	lock(m, 0, false, HD_PC());
}

void rt_mutex_lock_nested(struct rt_mutex *m, int subclass)
{
	lock(m, subclass, false, HD_PC());
}

int rt_mutex_lock_interruptible(struct rt_mutex *m)
{
	return lock(m, 0, true, HD_PC());
}

int rt_mutex_lock_killable(struct rt_mutex *m)
{
	return lock(m, 0, true, HD_PC());
}

bool rt_mutex_trylock(struct rt_mutex *m)
{
	u32 pc = HD_PC();
	bool got;
	u64 old;

	begin(m, HD_TRYLOCK, HD_ACQUIRE, pc);
	old = word(m);
	got = !m->owner && !m->nwaiters;
	if (got) {
		hd_lock_acquire(&m->dep_map, 0, 1, 0, 1, pc);
		m->owner = (u8)hd_me();
	}
	hd_did(old, word(m));
	return got;
}

void rt_mutex_unlock(struct rt_mutex *m)
{
	u32 pc = HD_PC();
	u64 old;

	begin(m, HD_UNLOCK, HD_RELEASE, pc);
	hd_lock_release(&m->dep_map, pc);
	old = word(m);
	if (m->owner == hd_me())
		m->owner = 0;
	hd_did(old, word(m));
}
