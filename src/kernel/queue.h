/* SPDX-License-Identifier: MIT */
/* Private to src/kernel: the waiters of a lock, first come, first served.
 *
 * A byte per waiter: its task, and QUEUE_WRITER if it wants the lock alone.
 * The queue lies in the lock, behind the 8 bytes that its ops are on; these
 * stand for the queue too. */
#ifndef KERNEL_QUEUE_H
#define KERNEL_QUEUE_H

#include <string.h>

#include "kernel.h"

enum { QUEUE_MAX = 8, QUEUE_WRITER = 0x80 };

/* what: the limit's name if there are too many. */
static inline void queue_join(u8 *queue, u8 *n, u8 kind, const char *what)
{
	if (*n == QUEUE_MAX)
		hd_limit(what);
	queue[(*n)++] = (u8)W->cur->id | kind;
}

static inline void queue_leave(u8 *queue, u8 *n, u8 task)
{
	u32 i;

	for (i = 0; i < *n; i++)
		if ((queue[i] & ~QUEUE_WRITER) == task)
			break;
	if (i == *n)
		return;
	(*n)--;
	memmove(&queue[i], &queue[i + 1], *n - i);
	queue[*n] = 0;
}

static inline bool queue_first_is(const u8 *queue, u8 n, u8 task)
{
	return n && (queue[0] & ~QUEUE_WRITER) == task;
}

#endif
