/* SPDX-License-Identifier: MIT */
/*
 * The shape of ConVul's CVE-2009-3547: a pipe is opened through its inode
 * while another thread closes the last end.
 *
 * The bug: open takes the inode's mutex but does not ask whether the pipe is
 * still there.  NULL dereference when the release comes first.
 */
#include <pthread.h>
#include <stdlib.h>

struct pipe {
	int readers;
};

static struct inode {
	pthread_mutex_t mutex;
	struct pipe *pipe;
} inode = { .mutex = PTHREAD_MUTEX_INITIALIZER };

static void *pipe_open(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&inode.mutex);
	inode.pipe->readers++;
	pthread_mutex_unlock(&inode.mutex);
	return NULL;
}

static void pipe_release(void)
{
	struct pipe *pipe;

	pthread_mutex_lock(&inode.mutex);
	pipe = inode.pipe;
	if (pipe && --pipe->readers == 0) {
		inode.pipe = NULL;
		free(pipe);
	}
	pthread_mutex_unlock(&inode.mutex);
}

static void *pipe_close(void *arg)
{
	(void)arg;
	pipe_release();
	return NULL;
}

int main(void)
{
	pthread_t t[2];

	inode.pipe = malloc(sizeof(*inode.pipe));
	inode.pipe->readers = 1;
	pthread_create(&t[0], NULL, pipe_open, NULL);
	pthread_create(&t[1], NULL, pipe_close, NULL);
	pthread_join(t[0], NULL);
	pthread_join(t[1], NULL);
	pipe_release();
	return 0;
}
