/* SPDX-License-Identifier: MIT */
/*
 * The shape of ConVul's CVE-2016-9806: two threads start dumps on one netlink
 * socket, which has room for one dump at a time.
 *
 * The bug: the end of a dump gives back the mutex and then frees the buffer
 * that the socket names.  When another dump starts in between, that is the
 * new one's buffer, and both free it: double free.
 */
#include <pthread.h>
#include <stdlib.h>

static struct {
	pthread_mutex_t mutex;
	int running;
	char *skb;
} sock = { .mutex = PTHREAD_MUTEX_INITIALIZER };

static void dump(void)
{
	pthread_mutex_lock(&sock.mutex);
	if (!sock.running) {
		pthread_mutex_unlock(&sock.mutex);
		return;
	}
	sock.running = 0;
	pthread_mutex_unlock(&sock.mutex);
	free(sock.skb);
}

static void *dump_start(void *arg)
{
	char *skb = malloc(16);

	(void)arg;
	pthread_mutex_lock(&sock.mutex);
	if (sock.running) {
		pthread_mutex_unlock(&sock.mutex);
		free(skb);
		return NULL;
	}
	sock.skb = skb;
	sock.running = 1;
	pthread_mutex_unlock(&sock.mutex);
	dump();
	return NULL;
}

int main(void)
{
	pthread_t t[2];

	pthread_create(&t[0], NULL, dump_start, NULL);
	pthread_create(&t[1], NULL, dump_start, NULL);
	pthread_join(t[0], NULL);
	pthread_join(t[1], NULL);
	return 0;
}
