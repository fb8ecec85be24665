/* SPDX-License-Identifier: MIT */
/* What is done once, and what does each thread have for itself?
 *
 * pthread_once, keys, __thread variables (compiled with -femulated-tls), errno.
 * A thread's own things are no ops: nobody else sees them. */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <string.h>

#include "posix.h"

enum { WORD = sizeof(u32), NEW = 0, RUNS = 1, DONE = 2 };

static bool is_done(const void *arg)
{
	return *(const u32 *)arg == DONE;
}

static void wait_for(u32 *once, u32 pc)
{
	hd_publish_when(HD_ACQUIRED, once, WORD, HD_READ | HD_UNMAPPED, pc,
			is_done, once);
	hd_did(*once, *once);
}

int hd_pthread_once(pthread_once_t *control, void (*routine)(void))
{
	u32 *once = (u32 *)control, pc = HD_PC(), old;

	posix_begin(HD_RMW, once, WORD, HD_RW, HD_ACQUIRE, pc);
	old = *once;
	if (old == NEW)
		*once = RUNS;
	hd_did(old, *once);
	if (old == RUNS)
		wait_for(once, pc);
	if (old != NEW)
		return 0;
	routine();
	posix_begin(HD_STORE, once, WORD, HD_WRITE, HD_RELEASE, pc);
	*once = DONE;
	hd_did(RUNS, DONE);
	return 0;
}

/* --- keys ------------------------------------------------------------------- */

int posix_key_create(u32 *key, void (*destructor)(void *value), u32 pc)
{
	struct process *p = posix_process();
	u32 n;

	posix_begin(HD_RMW, &p->keys, WORD, HD_RW, HD_RELAXED, pc);
	n = p->keys;
	if (n < THREAD_KEYS)
		p->destructor[p->keys++] = destructor;
	hd_did(n, p->keys);
	if (n == THREAD_KEYS)
		return EAGAIN;
	posix_store(key, sizeof(*key), n, pc);
	return 0;
}

int hd_pthread_key_create(pthread_key_t *key, void (*destructor)(void *value))
{
	return posix_key_create(key, destructor, HD_PC());
}

int hd_pthread_key_delete(pthread_key_t key)
{
	if (key >= posix_process()->keys)
		return EINVAL;
	posix_process()->destructor[key] = NULL;
	return 0;
}

int hd_pthread_setspecific(pthread_key_t key, const void *value)
{
	if (key >= posix_process()->keys)
		return EINVAL;
	posix_self()->key[key] = (void *)value;
	return 0;
}

void *hd_pthread_getspecific(pthread_key_t key)
{
	return key < THREAD_KEYS ? posix_self()->key[key] : NULL;
}

POSIX_SAME(hd_call_once, hd_pthread_once);
POSIX_SAME(hd_tss_delete, hd_pthread_key_delete);
POSIX_SAME(hd_tss_get, hd_pthread_getspecific);

static bool run_destructors(struct thread *self)
{
	const struct process *p = posix_process();
	bool any = false;
	void *value;
	u32 i;

	for (i = 0; i < p->keys; i++) {
		value = self->key[i];
		self->key[i] = NULL;
		if (value && p->destructor[i]) {
			p->destructor[i](value);
			any = true;
		}
	}
	return any;
}

/* They may set values anew, and do not go on for ever. */
void posix_run_destructors(struct thread *self)
{
	u32 round;

	for (round = 0; round < PTHREAD_DESTRUCTOR_ITERATIONS; round++)
		if (!run_destructors(self))
			break;
}

int *hd_errno(void)
{
	return &posix_self()->error;
}

/* --- __thread ------------------------------------------------------------------- */

/* What the compiler makes of such a variable; object is the address of a chain
 * of copies here, one a thread that has used it. */
struct emutls {
	u64 size, align;
	struct copy *copies;
	const void *initial;
};

struct copy {
	struct copy *next;
	u64 task;
	char bytes[];
};

void *hd_emutls_get_address(struct emutls *var)
{
	struct copy *c;

	for (c = var->copies; c; c = c->next)
		if (c->task == W->cur->id)
			return c->bytes;
	c = posix_malloc(sizeof(*c) + var->size, "__thread", HD_PC());
	c->task = W->cur->id;
	if (var->initial)
		memcpy(c->bytes, var->initial, var->size);
	c->next = var->copies;
	var->copies = c;
	return c->bytes;
}
