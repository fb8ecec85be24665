/* SPDX-License-Identifier: MIT */
/*
 * The shape of SCTBench's CS/account: a deposit, a withdrawal and an audit,
 * all under one mutex.
 *
 * The bug: the audit subtracts the deposit instead of adding it.  It looks at
 * the balance only when both other threads are done, so it fails in those
 * orders alone in which the audit, which is started first, comes last.
 */
#include <assert.h>
#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int opening = 1, paid_in = 2, paid_out = 4;
static int balance, deposit_done, withdraw_done;

static void *audit(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	if (deposit_done && withdraw_done)
		assert(balance == opening - paid_in - paid_out);
	pthread_mutex_unlock(&lock);
	return NULL;
}

static void *deposit(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	balance += paid_in;
	deposit_done = 1;
	pthread_mutex_unlock(&lock);
	return NULL;
}

static void *withdraw(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	balance -= paid_out;
	withdraw_done = 1;
	pthread_mutex_unlock(&lock);
	return NULL;
}

int main(void)
{
	pthread_t t[3];
	int i;

	balance = opening;
	pthread_create(&t[0], NULL, audit, NULL);
	pthread_create(&t[1], NULL, deposit, NULL);
	pthread_create(&t[2], NULL, withdraw, NULL);
	for (i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	return 0;
}
