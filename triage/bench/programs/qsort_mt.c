/* SPDX-License-Identifier: MIT */
/*
 * The shape of Inspect's qsort_mt (FreeBSD's multi-threaded qsort): a pool of
 * threads; one that has split its part gives the left half to an idle one.
 *
 * The bug: allocate() writes the state of an idle worker before it takes the
 * mutex under which that worker looks at it.  A worker that is just before its
 * wait sees "work" too early, runs with the part of last time, goes idle again
 * and waits: the part that it was meant to sort is lost, and the result is not
 * sorted.  To see it a worker must reach its test between these two lines.
 */
#include <assert.h>
#include <pthread.h>

#ifndef N
#define N 2
#endif
#define ITEMS	6
#define FORK	3	/* parts of so many items are worth a thread */

enum state { IDLE, WORK, TERM };

static struct worker {
	pthread_t id;
	pthread_mutex_t lock;
	pthread_cond_t cond;
	enum state state;
	int first, n;
} pool[N];

static pthread_mutex_t pool_lock = PTHREAD_MUTEX_INITIALIZER;
static int idle = N;
static int data[ITEMS] = { 5, 2, 6, 1, 4, 3 };

/* An idle worker, its mutex held, or NULL */
static struct worker *allocate(void)
{
	int i;

	pthread_mutex_lock(&pool_lock);
	for (i = 0; i < N; i++) {
		if (pool[i].state != IDLE)
			continue;
		idle--;
		pool[i].state = WORK;
		pthread_mutex_lock(&pool[i].lock);
		pthread_mutex_unlock(&pool_lock);
		return &pool[i];
	}
	pthread_mutex_unlock(&pool_lock);
	return NULL;
}

static void launch(struct worker *w, int first, int n)
{
	w->first = first;
	w->n = n;
	pthread_cond_signal(&w->cond);
	pthread_mutex_unlock(&w->lock);
}

static void swap(int i, int j)
{
	int tmp = data[i];

	data[i] = data[j];
	data[j] = tmp;
}

static void sort(int first, int n)
{
	struct worker *w = NULL;
	int i, left;

	while (n > 1) {
		for (left = first, i = first; i < first + n - 1; i++)
			if (data[i] < data[first + n - 1])
				swap(i, left++);
		swap(left, first + n - 1);

		if (left - first >= FORK)
			w = allocate();
		if (w)
			launch(w, first, left - first);
		else
			sort(first, left - first);
		w = NULL;
		n -= left - first + 1;
		first = left + 1;
	}
}

static void terminate(void)
{
	int i;

	for (i = 0; i < N; i++) {
		pthread_mutex_lock(&pool[i].lock);
		pool[i].state = TERM;
		pthread_cond_signal(&pool[i].cond);
		pthread_mutex_unlock(&pool[i].lock);
	}
}

static void *work(void *arg)
{
	struct worker *self = arg;
	int all_idle;

	for (;;) {
		pthread_mutex_lock(&self->lock);
		while (self->state == IDLE)
			pthread_cond_wait(&self->cond, &self->lock);
		pthread_mutex_unlock(&self->lock);
		if (self->state == TERM)
			return NULL;

		sort(self->first, self->n);

		pthread_mutex_lock(&pool_lock);
		self->state = IDLE;
		all_idle = ++idle == N;
		pthread_mutex_unlock(&pool_lock);
		if (all_idle)
			terminate();
	}
}

int main(void)
{
	int i;

	for (i = 0; i < N; i++) {
		pthread_mutex_init(&pool[i].lock, NULL);
		pthread_cond_init(&pool[i].cond, NULL);
		pthread_create(&pool[i].id, NULL, work, &pool[i]);
	}
	launch(allocate(), 0, ITEMS);
	for (i = 0; i < N; i++)
		pthread_join(pool[i].id, NULL);
	for (i = 1; i < ITEMS; i++)
		assert(data[i - 1] <= data[i]);
	return 0;
}
