/* SPDX-License-Identifier: MIT */
/* C11 threads: in what do their calls differ from those of pthreads?
 *
 * In what they return, and in nothing else, as in glibc, where the objects are
 * the same as well.  A call that returns nothing, or no error, is a second name
 * of the pthread one beside it (POSIX_SAME). */
#include <errno.h>
#include <pthread.h>
#include <threads.h>

#include "posix.h"

_Static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t), "mtx_t");
_Static_assert(sizeof(cnd_t) == sizeof(pthread_cond_t), "cnd_t");

static int c11(int err)
{
	switch (err) {
	case 0:
		return thrd_success;
	case EBUSY:
		return thrd_busy;
	case ETIMEDOUT:
		return thrd_timedout;
	case ENOMEM:
		return thrd_nomem;
	default:
		return thrd_error;
	}
}

/* --- threads ------------------------------------------------------------------ */

int hd_thrd_create(thrd_t *id, thrd_start_t fn, void *arg)
{
	posix_create(id, (struct start){ .c11 = fn, .arg = arg }, false,
		     HD_PC());
	return thrd_success;
}

int hd_thrd_join(thrd_t id, int *result)
{
	u32 pc = HD_PC();
	void *value;
	int err = posix_join(id, &value, pc);

	if (!err && result)
		posix_store(result, sizeof(*result), (u64)value, pc);
	return c11(err);
}

int hd_thrd_detach(thrd_t id)
{
	return c11(posix_detach(id, HD_PC()));
}

/* --- mutexes ------------------------------------------------------------------ */

int hd_mtx_init(mtx_t *m, int type)
{
	if (type & ~(mtx_recursive | mtx_timed))
		return thrd_error;
	posix_mutex_init(m, type & mtx_recursive ? PTHREAD_MUTEX_RECURSIVE :
						   PTHREAD_MUTEX_NORMAL,
			 HD_PC());
	return thrd_success;
}

int hd_mtx_lock(mtx_t *m)
{
	return c11(posix_mutex_lock(m, false, HD_PC()));
}

int hd_mtx_timedlock(mtx_t *m, const struct timespec *at)
{
	(void)at;
	return c11(posix_mutex_lock(m, true, HD_PC()));
}

int hd_mtx_trylock(mtx_t *m)
{
	return c11(posix_mutex_trylock(m, HD_PC()));
}

int hd_mtx_unlock(mtx_t *m)
{
	return c11(posix_mutex_unlock(m, NULL, NULL, HD_PC()));
}

void hd_mtx_destroy(mtx_t *m)
{
	posix_mutex_destroy(m, HD_PC());
}

/* --- conditions --------------------------------------------------------------- */

int hd_cnd_init(cnd_t *c)
{
	posix_cond_init(c, HD_PC());
	return thrd_success;
}

int hd_cnd_wait(cnd_t *c, mtx_t *m)
{
	return c11(posix_cond_wait(c, m, false, HD_PC()));
}

int hd_cnd_timedwait(cnd_t *c, mtx_t *m, const struct timespec *at)
{
	(void)at;
	return c11(posix_cond_wait(c, m, true, HD_PC()));
}

int hd_cnd_signal(cnd_t *c)
{
	return c11(posix_cond_wake(c, false, HD_PC()));
}

int hd_cnd_broadcast(cnd_t *c)
{
	return c11(posix_cond_wake(c, true, HD_PC()));
}

void hd_cnd_destroy(cnd_t *c)
{
	posix_cond_destroy(c, HD_PC());
}

/* --- keys --------------------------------------------------------------------- */

int hd_pthread_setspecific(pthread_key_t key, const void *value);

int hd_tss_create(tss_t *key, tss_dtor_t destructor)
{
	return c11(posix_key_create(key, destructor, HD_PC()));
}

int hd_tss_set(tss_t key, void *value)
{
	return c11(hd_pthread_setspecific(key, value));
}
