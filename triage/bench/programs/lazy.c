/* SPDX-License-Identifier: MIT */
/*
 * The shape of SCTBench's CS/lazy01: two threads add 1 and 2 to a sum, a third
 * looks at it, each under the same mutex.
 *
 * The bug: the third thread takes it for granted that it comes before one of
 * the others.  It fails when both additions happened before it looks; it is
 * started first, so that the usual order passes.
 */
#include <assert.h>
#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int data;

static void *look(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	assert(data < 3);
	pthread_mutex_unlock(&lock);
	return NULL;
}

static void *add_one(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	data += 1;
	pthread_mutex_unlock(&lock);
	return NULL;
}

static void *add_two(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	data += 2;
	pthread_mutex_unlock(&lock);
	return NULL;
}

int main(void)
{
	pthread_t t[3];
	int i;

	pthread_create(&t[0], NULL, look, NULL);
	pthread_create(&t[1], NULL, add_one, NULL);
	pthread_create(&t[2], NULL, add_two, NULL);
	for (i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	return 0;
}
