/* SPDX-License-Identifier: MIT */
/*
 * The shape of Inspect's boundedBuffer: two producers and two consumers share a
 * buffer that holds one item.
 *
 * The bug: "not full" and "not empty" are one condition variable, and a change
 * wakes one waiter only.  A real deadlock when the one that is woken waits
 * for the same as the one that wakes it: a consumer takes the only item and
 * wakes the other consumer, while both producers wait for room.
 */
#include <pthread.h>

#define ITEMS 2

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int full, item;

static void put(int value)
{
	pthread_mutex_lock(&lock);
	while (full)
		pthread_cond_wait(&changed, &lock);
	item = value;
	full = 1;
	pthread_cond_signal(&changed);
	pthread_mutex_unlock(&lock);
}

static int get(void)
{
	int value;

	pthread_mutex_lock(&lock);
	while (!full)
		pthread_cond_wait(&changed, &lock);
	value = item;
	full = 0;
	pthread_cond_signal(&changed);
	pthread_mutex_unlock(&lock);
	return value;
}

static void *producer(void *arg)
{
	int i;

	for (i = 0; i < ITEMS; i++)
		put(i);
	return arg;
}

static void *consumer(void *arg)
{
	int i;

	for (i = 0; i < ITEMS; i++)
		get();
	return arg;
}

int main(void)
{
	pthread_t t[4];
	int i;

	pthread_create(&t[0], NULL, producer, NULL);
	pthread_create(&t[1], NULL, producer, NULL);
	pthread_create(&t[2], NULL, consumer, NULL);
	pthread_create(&t[3], NULL, consumer, NULL);
	for (i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	return 0;
}
