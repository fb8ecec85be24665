/* SPDX-License-Identifier: MIT */
/*
 * The shape of ConVul's CVE-2017-6346: two threads put one packet socket into a
 * fanout group with rollover, and one then receives a packet.
 *
 * The bug: whether the socket is in a group is asked before the mutex is taken,
 * and the rollover data is stored at once.  When both threads pass the test,
 * the loser frees what the winner uses: use after free, or a NULL dereference
 * if the loser has cleared the pointer, too.
 */
#include <pthread.h>
#include <stdlib.h>

struct rollover {
	int packets;
};

static pthread_mutex_t fanout_mutex = PTHREAD_MUTEX_INITIALIZER;
static int groups;
static struct {
	int in_fanout;
	struct rollover *rollover;
} sock;

static int fanout_add(void)
{
	int err = 0;

	if (sock.in_fanout)
		return -1;
	sock.rollover = calloc(1, sizeof(*sock.rollover));

	pthread_mutex_lock(&fanout_mutex);
	if (groups)
		err = -1;
	else
		groups = sock.in_fanout = 1;
	pthread_mutex_unlock(&fanout_mutex);

	if (err) {
		free(sock.rollover);
		sock.rollover = NULL;
	}
	return err;
}

static void *setsockopt_fanout(void *arg)
{
	(void)arg;
	if (fanout_add() == 0)
		sock.rollover->packets++;
	return NULL;
}

int main(void)
{
	pthread_t t[2];

	pthread_create(&t[0], NULL, setsockopt_fanout, NULL);
	pthread_create(&t[1], NULL, setsockopt_fanout, NULL);
	pthread_join(t[0], NULL);
	pthread_join(t[1], NULL);
	free(sock.rollover);
	return 0;
}
