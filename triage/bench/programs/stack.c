/* SPDX-License-Identifier: MIT */
/*
 * The shape of SCTBench's CS/stack: one thread pushes SIZE values, another pops
 * up to SIZE of them; every push and every pop is under the mutex.
 *
 * The bug: "something was pushed once" is taken for "there is something to
 * pop": nobody clears the flag.  It fails when the popping thread runs ahead,
 * for instance one push and then two pops.
 */
#include <assert.h>
#include <pthread.h>

#define SIZE 5

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int slot[SIZE], top, pushed;

static int push(int value)
{
	if (top == SIZE)
		return -1;
	slot[top++] = value;
	return 0;
}

static int pop(void)
{
	if (top == 0)
		return -1;
	return slot[--top];
}

static void *pusher(void *arg)
{
	int i, full;

	(void)arg;
	for (i = 0; i < SIZE; i++) {
		pthread_mutex_lock(&lock);
		full = push(i + 1);
		assert(!full);
		pushed = 1;
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

static void *popper(void *arg)
{
	int i, value = 0;

	(void)arg;
	for (i = 0; i < SIZE; i++) {
		pthread_mutex_lock(&lock);
		if (pushed)
			value = pop();
		assert(value >= 0);
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

int main(void)
{
	pthread_t t[2];

	pthread_create(&t[0], NULL, pusher, NULL);
	pthread_create(&t[1], NULL, popper, NULL);
	pthread_join(t[0], NULL);
	pthread_join(t[1], NULL);
	return 0;
}
