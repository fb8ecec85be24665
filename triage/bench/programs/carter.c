/* SPDX-License-Identifier: MIT */
/*
 * The shape of SCTBench's CS/carter01: two groups of threads use a resource,
 * the first member of a group locks it and the last one unlocks it.  Each group
 * has one thread here; two more threads are started that do nothing.
 *
 * The bug: a real deadlock.  The second group waits for the resource and holds
 * the mutex of the counts, which the first group needs to give it back.
 */
#include <pthread.h>

static pthread_mutex_t counts = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t resource = PTHREAD_MUTEX_INITIALIZER;
static int a_count, b_count;

static void enter(int *count)
{
	pthread_mutex_lock(&counts);
	(*count)++;
	if (*count == 1)
		pthread_mutex_lock(&resource);
	pthread_mutex_unlock(&counts);
}

static void leave(int *count)
{
	pthread_mutex_lock(&counts);
	(*count)--;
	if (*count == 0)
		pthread_mutex_unlock(&resource);
	pthread_mutex_unlock(&counts);
}

static void *member_a(void *arg)
{
	(void)arg;
	enter(&a_count);
	leave(&a_count);
	return NULL;
}

static void *member_b(void *arg)
{
	(void)arg;
	enter(&b_count);
	leave(&b_count);
	return NULL;
}

static void *idle(void *arg)
{
	return arg;
}

int main(void)
{
	pthread_t t[4];
	int i;

	pthread_create(&t[0], NULL, member_a, NULL);
	pthread_create(&t[1], NULL, member_b, NULL);
	pthread_create(&t[2], NULL, idle, NULL);
	pthread_create(&t[3], NULL, idle, NULL);
	for (i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	return 0;
}
