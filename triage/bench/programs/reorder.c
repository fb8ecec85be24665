/* SPDX-License-Identifier: MIT */
/*
 * The shape of SCTBench's CS/reorder_N.  N is the number of threads that main
 * starts, as in SCTBench: N - 1 setters and then one checker.
 *
 * The bug: setters write two variables without a lock.  It fails when the
 * checker runs as a whole while some setters are between their two writes and
 * none has finished.
 *
 * The variables are volatile so that the checker reads them anew in its second
 * half, whatever the compiler optimises: a == 0 and then b == -1 is no failure.
 */
#include <assert.h>
#include <pthread.h>

#ifndef N
#define N 3
#endif

static volatile int a, b;

static void *setter(void *arg)
{
	(void)arg;
	a = 1;
	b = -1;
	return NULL;
}

static void *checker(void *arg)
{
	(void)arg;
	assert((a == 0 && b == 0) || (a == 1 && b == -1));
	return NULL;
}

int main(void)
{
	pthread_t t[N];
	int i;

	for (i = 0; i < N - 1; i++)
		pthread_create(&t[i], NULL, setter, NULL);
	pthread_create(&t[N - 1], NULL, checker, NULL);
	for (i = 0; i < N; i++)
		pthread_join(t[i], NULL);
	return 0;
}
