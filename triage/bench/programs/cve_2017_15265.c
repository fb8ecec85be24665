/* SPDX-License-Identifier: MIT */
/*
 * The shape of ConVul's CVE-2017-15265: one thread creates a port of an ALSA
 * sequencer client, another deletes the port of that number.
 *
 * The bug: the new port is in the client's list before it is complete, and the
 * creator holds no reference.  When the other thread deletes the port before
 * the creator has filled it in: use after free.
 */
#include <pthread.h>
#include <stdlib.h>

#define NUMBER 1

struct port {
	struct port *next;
	int number, capability, type;
};

static pthread_mutex_t ports_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t ports_lock = PTHREAD_MUTEX_INITIALIZER;
static struct port *ports;
static int num_ports;

static struct port *new_port(int number)
{
	struct port *port = calloc(1, sizeof(*port));

	pthread_mutex_lock(&ports_mutex);
	pthread_mutex_lock(&ports_lock);
	port->number = number;
	port->next = ports;
	ports = port;
	num_ports++;
	pthread_mutex_unlock(&ports_lock);
	pthread_mutex_unlock(&ports_mutex);
	return port;
}

static void *create_port(void *arg)
{
	struct port *port;

	(void)arg;
	port = new_port(NUMBER);
	port->capability = 3;
	port->type = 2;
	return NULL;
}

static void *delete_port(void *arg)
{
	struct port **p, *found;

	(void)arg;
	pthread_mutex_lock(&ports_mutex);
	pthread_mutex_lock(&ports_lock);
	for (p = &ports; *p && (*p)->number != NUMBER; )
		p = &(*p)->next;
	found = *p;
	if (found) {
		*p = found->next;
		num_ports--;
	}
	pthread_mutex_unlock(&ports_lock);
	pthread_mutex_unlock(&ports_mutex);
	free(found);
	return NULL;
}

int main(void)
{
	pthread_t t[2];

	pthread_create(&t[0], NULL, create_port, NULL);
	pthread_create(&t[1], NULL, delete_port, NULL);
	pthread_join(t[0], NULL);
	pthread_join(t[1], NULL);
	return 0;
}
