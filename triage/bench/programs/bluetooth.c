/* SPDX-License-Identifier: MIT */
/*
 * The shape of SCTBench's CS/bluetooth_driver, which is the device extension of
 * a Bluetooth driver as the KISS checker modelled it: a count of requests in
 * flight, a flag that a stop was asked for, and an event for "none left".
 *
 * The bug: a request tests the flag and then takes its reference.  It fails
 * when the whole stop happens between the two: the request works on a driver
 * that has stopped.
 */
#include <assert.h>
#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int pending_io = 1, stopping, no_requests, stopped;

static int io_increment(void)
{
	if (stopping)
		return -1;
	pthread_mutex_lock(&lock);
	pending_io++;
	pthread_mutex_unlock(&lock);
	return 0;
}

static void io_decrement(void)
{
	int pending;

	pthread_mutex_lock(&lock);
	pending = --pending_io;
	pthread_mutex_unlock(&lock);
	if (pending == 0)
		no_requests = 1;
}

static void *stop(void *arg)
{
	(void)arg;
	stopping = 1;
	io_decrement();
	if (no_requests)
		stopped = 1;
	return NULL;
}

static void request(void)
{
	if (io_increment() < 0)
		return;
	assert(!stopped);
	io_decrement();
}

int main(void)
{
	pthread_t t;

	pthread_create(&t, NULL, stop, NULL);
	request();
	pthread_join(t, NULL);
	return 0;
}
