/* SPDX-License-Identifier: MIT */
/*
 * The shape of SafeStack, which Dmitry Vyukov posted as a challenge for tools
 * that find concurrency bugs: a lock-free stack whose nodes are an array, with
 * an atomic head and a count that keeps the last node from being popped.
 * Three nodes, three threads, each pops and pushes twice.
 *
 * The bug: a pop takes the successor out of the node by exchange and puts it
 * back when the head has moved.  A late put-back (ABA on head) writes a
 * successor that is out of date, and then two threads own one node.  It needs
 * all three threads and seven preemptions (a switch at sched_yield() or at the
 * end of a thread is none); an exact search of this protocol says so.
 */
#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#define THREADS	3
#define NODES	3
#define ROUNDS	2

static struct {
	atomic_int value, next;
} node[NODES] = { { 0, 1 }, { 0, 2 }, { 0, -1 } };

static atomic_int head, count = NODES;
static int name[THREADS] = { 1, 2, 3 };

static int pop(void)
{
	int old, next;

	while (atomic_load(&count) > 1) {
		old = atomic_load(&head);
		next = atomic_exchange(&node[old].next, -1);
		if (next >= 0) {
			int expected = old;

			if (atomic_compare_exchange_strong(&head, &expected,
							   next)) {
				atomic_fetch_sub(&count, 1);
				return old;
			}
			atomic_exchange(&node[old].next, next);
		}
		sched_yield();
	}
	return -1;
}

static void push(int n)
{
	int old = atomic_load(&head);

	do {
		atomic_store(&node[n].next, old);
	} while (!atomic_compare_exchange_strong(&head, &old, n));
	atomic_fetch_add(&count, 1);
}

static void *user(void *arg)
{
	int i, n, me = *(int *)arg;

	for (i = 0; i < ROUNDS; i++) {
		while ((n = pop()) < 0)
			sched_yield();
		atomic_store(&node[n].value, me);
		assert(atomic_load(&node[n].value) == me);
		push(n);
	}
	return NULL;
}

int main(void)
{
	pthread_t t[THREADS];
	int i;

	for (i = 0; i < THREADS; i++)
		pthread_create(&t[i], NULL, user, &name[i]);
	for (i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	return 0;
}
