/* SPDX-License-Identifier: MIT */
/*
 * The shape of ConVul's CVE-2015-7550: a key is read while another thread
 * revokes it.
 *
 * The bug: the read validates the key before it takes the key's semaphore.
 * When the revocation comes between the two, the payload is gone: NULL
 * dereference.
 */
#include <pthread.h>
#include <stdlib.h>

struct payload {
	int length;
};

static struct key {
	pthread_mutex_t sem;
	int revoked;
	struct payload *payload;
} key = { .sem = PTHREAD_MUTEX_INITIALIZER };

/* volatile: the read must not be optimised away */
static volatile int length_read;

static void *keyctl_read(void *arg)
{
	(void)arg;
	if (key.revoked)
		return NULL;
	pthread_mutex_lock(&key.sem);
	length_read = key.payload->length;
	pthread_mutex_unlock(&key.sem);
	return NULL;
}

static void *keyctl_revoke(void *arg)
{
	struct payload *payload;

	(void)arg;
	pthread_mutex_lock(&key.sem);
	key.revoked = 1;
	payload = key.payload;
	key.payload = NULL;
	pthread_mutex_unlock(&key.sem);
	free(payload);
	return NULL;
}

int main(void)
{
	pthread_t t[2];

	key.payload = malloc(sizeof(*key.payload));
	key.payload->length = 8;
	pthread_create(&t[0], NULL, keyctl_read, NULL);
	pthread_create(&t[1], NULL, keyctl_revoke, NULL);
	pthread_join(t[0], NULL);
	pthread_join(t[1], NULL);
	return 0;
}
