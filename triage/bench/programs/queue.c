/* SPDX-License-Identifier: MIT */
/*
 * The shape of SCTBench's CS/queue: two threads hand values through a FIFO in
 * turns (a flag says whose turn it is) and keep a log of what was put in.
 *
 * The bug: the taking thread compares with the log at its own loop counter,
 * which also moves on when it was not its turn and nothing was taken.  It
 * fails when the taker meets the wrong turn and then a right one before the
 * end of its loop.
 */
#include <assert.h>
#include <pthread.h>

#define SIZE 20

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int fifo[SIZE], head, tail;
static int entered[SIZE];
static int turn_put = 1, turn_take;

static void put(int i)
{
	fifo[tail++] = i + 1;
	entered[i] = i + 1;
}

static void *putter(void *arg)
{
	int i, n = 0;

	(void)arg;
	pthread_mutex_lock(&lock);
	put(n++);
	assert(head != tail);
	pthread_mutex_unlock(&lock);
	for (i = 0; i < SIZE - 1; i++) {
		pthread_mutex_lock(&lock);
		if (turn_put) {
			put(n++);
			turn_put = 0;
			turn_take = 1;
		}
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

static void *taker(void *arg)
{
	int i, value;

	(void)arg;
	for (i = 0; i < SIZE; i++) {
		pthread_mutex_lock(&lock);
		if (turn_take) {
			value = fifo[head++];
			assert(value == entered[i]);
			turn_take = 0;
			turn_put = 1;
		}
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

int main(void)
{
	pthread_t t[2];

	pthread_create(&t[0], NULL, putter, NULL);
	pthread_create(&t[1], NULL, taker, NULL);
	pthread_join(t[0], NULL);
	pthread_join(t[1], NULL);
	return 0;
}
