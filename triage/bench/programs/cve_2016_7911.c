/* SPDX-License-Identifier: MIT */
/*
 * The shape of ConVul's CVE-2016-7911: one thread asks for the I/O priority of
 * a task that exits at the same time.
 *
 * The bug: the asking thread reads the task's I/O context without the task's
 * lock.  When the exit takes the context away and frees it in the middle: use
 * after free (or NULL dereference, where the pointer is read twice).
 */
#include <pthread.h>
#include <stdlib.h>

struct io_context {
	int ioprio;
};

static struct task {
	pthread_mutex_t lock;
	struct io_context *io_context;
} task = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* volatile: the read must not be optimised away */
static volatile int prio;

static void *get_task_ioprio(void *arg)
{
	(void)arg;
	if (task.io_context)
		prio = task.io_context->ioprio;
	return NULL;
}

static void *exit_io_context(void *arg)
{
	struct io_context *ioc;

	(void)arg;
	pthread_mutex_lock(&task.lock);
	ioc = task.io_context;
	task.io_context = NULL;
	pthread_mutex_unlock(&task.lock);
	free(ioc);
	return NULL;
}

int main(void)
{
	pthread_t t[2];

	task.io_context = malloc(sizeof(*task.io_context));
	task.io_context->ioprio = 4;
	pthread_create(&t[0], NULL, get_task_ioprio, NULL);
	pthread_create(&t[1], NULL, exit_io_context, NULL);
	pthread_join(t[0], NULL);
	pthread_join(t[1], NULL);
	return 0;
}
