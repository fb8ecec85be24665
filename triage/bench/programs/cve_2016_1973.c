/* SPDX-License-Identifier: MIT */
/*
 * The shape of ConVul's CVE-2016-1973: WebRTC keeps one instance of an object,
 * made by its first user and deleted by the last one; count and pointer are
 * atomic, without a lock.
 *
 * The bug: two threads may both find no user and make an instance.  The loser
 * deletes its own and uses that of the winner, but does not count itself.
 * When one of the two then leaves, the instance is deleted under the other:
 * use after free.  (Rarer: one that leaves takes away the instance that a new
 * first user has stored just now.)
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct trace {
	int level, messages;
};

static atomic_int users;
static _Atomic(struct trace *) instance;

static void create_instance(void)
{
	struct trace *new = calloc(1, sizeof(*new));

	new->level = 1;
	if (atomic_fetch_add(&users, 1) == 0) {
		atomic_store(&instance, new);
	} else {
		atomic_fetch_sub(&users, 1);
		free(new);
	}
}

/* May be NULL while the first user is about to store the instance */
static struct trace *get_instance(void)
{
	if (atomic_load(&users) == 0) {
		create_instance();
	} else if (atomic_fetch_add(&users, 1) == 0) {
		atomic_fetch_sub(&users, 1);
		create_instance();
	}
	return atomic_load(&instance);
}

static void put_instance(void)
{
	if (atomic_fetch_sub(&users, 1) == 1)
		free(atomic_exchange(&instance, NULL));
}

static void *user(void *arg)
{
	struct trace *trace;

	trace = get_instance();
	if (trace && trace->level)
		trace->messages++;
	put_instance();
	return arg;
}

int main(void)
{
	pthread_t t[2];

	pthread_create(&t[0], NULL, user, NULL);
	pthread_create(&t[1], NULL, user, NULL);
	pthread_join(t[0], NULL);
	pthread_join(t[1], NULL);
	return 0;
}
