/* SPDX-License-Identifier: MIT */
/*
 * The shape of Chess' WorkStealQueue: the owner (main) pushes and pops at the
 * tail, two thieves steal at the head.  As in the THE protocol of Cilk, the
 * owner takes the lock only if it may be after the same item as a thief.
 *
 * The bug: a thief compares head and tail first and writes its new head
 * afterwards.  When the owner pops the last item in between, it sees the old
 * head, and both get the item.  All accesses are ops of seq_cst atomics.
 */
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>

#define ITEMS	4
#define STEALS	2
#define THIEVES	2

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_int head, tail;
static int queue[ITEMS + 1];
static atomic_int taken[ITEMS + 1];

static void work(int item)
{
	int times = atomic_fetch_add(&taken[item], 1);

	assert(times == 0);
}

static void push(int item)
{
	int t = atomic_load(&tail);

	queue[t] = item;
	atomic_store(&tail, t + 1);
}

/* The owner's pop under the lock: no thief is at work.  0: none left */
static int locked_pop(void)
{
	int t, item = 0;

	pthread_mutex_lock(&lock);
	t = atomic_load(&tail) - 1;
	atomic_store(&tail, t);
	if (atomic_load(&head) <= t)
		item = queue[t];
	else
		atomic_store(&tail, t + 1);
	pthread_mutex_unlock(&lock);
	return item;
}

static int pop(void)
{
	int t = atomic_load(&tail) - 1;

	atomic_store(&tail, t);
	if (atomic_load(&head) <= t)
		return queue[t];
	atomic_store(&tail, t + 1);
	return locked_pop();
}

static int steal(void)
{
	int h, item = 0;

	pthread_mutex_lock(&lock);
	h = atomic_load(&head);
	if (h < atomic_load(&tail)) {
		atomic_store(&head, h + 1);
		item = queue[h];
	}
	pthread_mutex_unlock(&lock);
	return item;
}

static void *thief(void *arg)
{
	int i, item;

	for (i = 0; i < STEALS; i++) {
		item = steal();
		if (item)
			work(item);
	}
	return arg;
}

int main(void)
{
	pthread_t t[THIEVES];
	int i, item;

	for (i = 0; i < THIEVES; i++)
		pthread_create(&t[i], NULL, thief, NULL);
	for (i = 1; i <= ITEMS; i += 2) {
		push(i);
		push(i + 1);
		item = pop();
		if (item)
			work(item);
	}
	while ((item = pop()) != 0)
		work(item);
	for (i = 0; i < THIEVES; i++)
		pthread_join(t[i], NULL);
	return 0;
}
