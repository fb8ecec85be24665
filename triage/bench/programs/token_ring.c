/* SPDX-License-Identifier: MIT */
/*
 * The shape of SCTBench's CS/token_ring: three threads pass a value round a
 * ring of variables, a fourth compares them when all three have run.
 *
 * The bug: nothing makes the three run in the order of the ring.  It fails when
 * they all ran before the fourth, but not as 1, 2, 3.
 */
#include <assert.h>
#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int x1 = 1, x2 = 2, x3 = 1;
static int done1, done2, done3;

static void *first(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	x1 = (x3 + 1) % 4;
	done1 = 1;
	pthread_mutex_unlock(&lock);
	return NULL;
}

static void *second(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	x2 = x1;
	done2 = 1;
	pthread_mutex_unlock(&lock);
	return NULL;
}

static void *third(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	x3 = x2;
	done3 = 1;
	pthread_mutex_unlock(&lock);
	return NULL;
}

static void *compare(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	if (done1 && done2 && done3)
		assert(x1 == x2 && x2 == x3);
	pthread_mutex_unlock(&lock);
	return NULL;
}

int main(void)
{
	pthread_t t[4];
	int i;

	pthread_create(&t[0], NULL, first, NULL);
	pthread_create(&t[1], NULL, second, NULL);
	pthread_create(&t[2], NULL, third, NULL);
	pthread_create(&t[3], NULL, compare, NULL);
	for (i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	return 0;
}
