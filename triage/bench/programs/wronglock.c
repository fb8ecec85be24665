/* SPDX-License-Identifier: MIT */
/*
 * The shape of SCTBench's CS/wronglock_N: one thread increments a counter under
 * the right lock and checks the result, N threads increment it under another
 * lock.  CS/wronglock_3 is N = 3, CS/wronglock is N = 7.
 *
 * The bug: two locks do not exclude each other.  It fails when one of the N
 * writes the counter between the first read and the last of the checking
 * thread (volatile, since the check would be optimised away).
 */
#include <assert.h>
#include <pthread.h>

#ifndef N
#define N 3
#endif

static pthread_mutex_t right = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t wrong = PTHREAD_MUTEX_INITIALIZER;
static volatile int counter;

static void *checking(void *arg)
{
	int before;

	(void)arg;
	pthread_mutex_lock(&right);
	before = counter;
	counter++;
	assert(counter == before + 1);
	pthread_mutex_unlock(&right);
	return NULL;
}

static void *disturbing(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&wrong);
	counter++;
	pthread_mutex_unlock(&wrong);
	return NULL;
}

int main(void)
{
	pthread_t t[N + 1];
	int i;

	pthread_create(&t[0], NULL, checking, NULL);
	for (i = 1; i <= N; i++)
		pthread_create(&t[i], NULL, disturbing, NULL);
	for (i = 0; i <= N; i++)
		pthread_join(t[i], NULL);
	return 0;
}
