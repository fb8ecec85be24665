/* SPDX-License-Identifier: MIT */
/*
 * The shape of SCTBench's CS/twostage_N.  N is the number of threads that main
 * starts: N - 1 writers and then one reader; CS/twostage is N = 2.
 *
 * The bug: a writer sets the first value under the first lock and the second,
 * which depends on it, under the second lock, and is not atomic over both.  It
 * fails when the reader sees the first value of one writer and no writer has
 * come to its second stage before the reader comes to its own.
 */
#include <assert.h>
#include <pthread.h>

#ifndef N
#define N 2
#endif

static pthread_mutex_t lock1 = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t lock2 = PTHREAD_MUTEX_INITIALIZER;
static int value1, value2;

static void *writer(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&lock1);
	value1 = 1;
	pthread_mutex_unlock(&lock1);

	pthread_mutex_lock(&lock2);
	value2 = value1 + 1;
	pthread_mutex_unlock(&lock2);
	return NULL;
}

static void *reader(void *arg)
{
	int v1, v2;

	(void)arg;
	pthread_mutex_lock(&lock1);
	v1 = value1;
	pthread_mutex_unlock(&lock1);
	if (v1 == 0)
		return NULL;

	pthread_mutex_lock(&lock2);
	v2 = value2;
	pthread_mutex_unlock(&lock2);
	assert(v2 == v1 + 1);
	return NULL;
}

int main(void)
{
	pthread_t t[N];
	int i;

	for (i = 0; i < N - 1; i++)
		pthread_create(&t[i], NULL, writer, NULL);
	pthread_create(&t[N - 1], NULL, reader, NULL);
	for (i = 0; i < N; i++)
		pthread_join(t[i], NULL);
	return 0;
}
