/* SPDX-License-Identifier: MIT */
/* <pthread.h> of programs that heddle-cc builds: the C library's, with clean-up
 * handlers as a list.
 *
 * The C library's own macro saves the registers where a handler is pushed, and a
 * cancelled thread jumps back there to run it.  Kept in a list they can run where
 * the thread ends, on top of its stack.  _pthread_cleanup_push() and _pop() are
 * how the C library did it once. */
#ifndef HEDDLE_LIBC_PTHREAD_H
#define HEDDLE_LIBC_PTHREAD_H

#include_next <pthread.h>

void _pthread_cleanup_push(struct _pthread_cleanup_buffer *buffer,
			   void (*routine)(void *arg), void *arg);
void _pthread_cleanup_pop(struct _pthread_cleanup_buffer *buffer, int execute);

#undef pthread_cleanup_push
#define pthread_cleanup_push(routine, arg)                             \
	do {                                                           \
		struct _pthread_cleanup_buffer hd_cleanup__;           \
		_pthread_cleanup_push(&hd_cleanup__, (routine), (arg))
#undef pthread_cleanup_pop
#define pthread_cleanup_pop(execute)                                   \
		_pthread_cleanup_pop(&hd_cleanup__, (execute));        \
	} while (0)

#endif
