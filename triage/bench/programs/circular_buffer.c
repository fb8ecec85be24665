/* SPDX-License-Identifier: MIT */
/*
 * The shape of SCTBench's CS/circular_buffer: a sender and a receiver take
 * turns at a ring buffer, all under one mutex.
 *
 * The bug: the receiver expects the value of its own loop counter, and that
 * counts the rounds in which nothing had been sent, too.  It fails when the
 * receiver runs too early once and still gets a value later.
 */
#include <assert.h>
#include <pthread.h>

#define ROUNDS	7
#define RING	10

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int ring[RING], first, next, used;
static int may_send = 1, may_receive;

static void insert(int value)
{
	assert(used < RING);
	ring[next] = value;
	next = (next + 1) % RING;
	used++;
}

static int take(void)
{
	int value;

	assert(used > 0);
	value = ring[first];
	first = (first + 1) % RING;
	used--;
	return value;
}

static void *sender(void *arg)
{
	int i, n = 0;

	(void)arg;
	for (i = 0; i < ROUNDS; i++) {
		pthread_mutex_lock(&lock);
		if (may_send) {
			insert(n++);
			may_send = 0;
			may_receive = 1;
		}
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

static void *receiver(void *arg)
{
	int i, value;

	(void)arg;
	for (i = 0; i < ROUNDS; i++) {
		pthread_mutex_lock(&lock);
		if (may_receive) {
			value = take();
			assert(value == i);
			may_receive = 0;
			may_send = 1;
		}
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

int main(void)
{
	pthread_t t[2];

	pthread_create(&t[0], NULL, sender, NULL);
	pthread_create(&t[1], NULL, receiver, NULL);
	pthread_join(t[0], NULL);
	pthread_join(t[1], NULL);
	return 0;
}
