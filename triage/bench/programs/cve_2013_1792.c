/* SPDX-License-Identifier: MIT */
/*
 * The shape of ConVul's CVE-2013-1792: two threads of a user install the user's
 * keyrings on first use.
 *
 * The bug: the test without the mutex looks at the keyring that is stored
 * first.  A thread that comes between the two stores believes that both are
 * there and uses the second: NULL dereference.
 */
#include <pthread.h>
#include <stdlib.h>

struct key {
	int usage;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t usage_lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
	struct key *uid_keyring;
	struct key *session_keyring;
} user;

static void install_user_keyrings(void)
{
	struct key *uid_keyring, *session_keyring;

	if (user.uid_keyring)
		return;

	pthread_mutex_lock(&mutex);
	if (!user.uid_keyring) {
		uid_keyring = calloc(1, sizeof(*uid_keyring));
		session_keyring = calloc(1, sizeof(*session_keyring));
		user.uid_keyring = uid_keyring;
		user.session_keyring = session_keyring;
	}
	pthread_mutex_unlock(&mutex);
}

static void *lookup_user_key(void *arg)
{
	struct key *key;

	(void)arg;
	install_user_keyrings();
	key = user.session_keyring;
	pthread_mutex_lock(&usage_lock);
	key->usage++;
	pthread_mutex_unlock(&usage_lock);
	return NULL;
}

int main(void)
{
	pthread_t t[2];

	pthread_create(&t[0], NULL, lookup_user_key, NULL);
	pthread_create(&t[1], NULL, lookup_user_key, NULL);
	pthread_join(t[0], NULL);
	pthread_join(t[1], NULL);
	free(user.uid_keyring);
	free(user.session_keyring);
	return 0;
}
