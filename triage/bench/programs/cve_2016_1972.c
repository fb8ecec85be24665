/* SPDX-License-Identifier: MIT */
/*
 * The shape of ConVul's CVE-2016-1972: libvpx runs an initialisation once,
 * under a lock that the first thread allocates and the last one frees.
 *
 * The bug: a thread that saw "not done" long ago can count itself in just after
 * the last one counted itself out, find the old lock still published, and
 * enter it when it is freed: use after free.  Other ends of the same race: it
 * frees the lock as well (double free), or finds no lock (NULL dereference).
 */
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define MAGIC 0x10c4

struct lock {
	int magic;
	pthread_mutex_t mutex;
};

static _Atomic(struct lock *) lock;
static atomic_int waiters;
static int done, initialised;

static void once(void)
{
	struct lock *mine, *expected = NULL;

	if (done)
		return;

	atomic_fetch_add(&waiters, 1);
	mine = malloc(sizeof(*mine));
	pthread_mutex_init(&mine->mutex, NULL);
	mine->magic = MAGIC;
	if (!atomic_compare_exchange_strong(&lock, &expected, mine))
		free(mine);
	mine = atomic_load(&lock);

	assert(mine->magic == MAGIC);
	pthread_mutex_lock(&mine->mutex);
	if (!done) {
		initialised++;
		done = 1;
	}
	pthread_mutex_unlock(&mine->mutex);

	/* The last one out frees the lock: nobody comes back, it is done */
	if (atomic_fetch_sub(&waiters, 1) == 1) {
		free(atomic_load(&lock));
		atomic_store(&lock, NULL);
	}
}

static void *decoder(void *arg)
{
	(void)arg;
	once();
	return NULL;
}

int main(void)
{
	pthread_t t[2];

	pthread_create(&t[0], NULL, decoder, NULL);
	pthread_create(&t[1], NULL, decoder, NULL);
	pthread_join(t[0], NULL);
	pthread_join(t[1], NULL);
	return 0;
}
