/* SPDX-License-Identifier: MIT */
/* Private to src/posix: threads of a program, and what its calls have in common.
 *
 * A program that heddle-cc built calls these functions in the place of the C
 * library's: heddle-cc renames what the program calls (src/posix/calls lists
 * which).  Threads are tasks; main() is the first one.  What glibc keeps in a
 * pthread_mutex_t, and so on, is kept in the same bytes in a form of our own,
 * because there it is part of the world; all zero, or a static initialiser,
 * means new. */
#ifndef POSIX_POSIX_H
#define POSIX_POSIX_H

#include "program.h"

#include "../engine/engine.h"
#include "../engine/hot.h"

enum { HD_RW = HD_READ | HD_WRITE };
enum { THREAD_KEYS = 16, THREAD_RUNS = 1, THREAD_ENDED = 2,
       THREAD_JOINED = 3 };

/* What a thread runs: fn, or the function of a C11 thread. */
struct start {
	void *(*fn)(void *arg);
	int (*c11)(void *arg);
	void *arg;
};

/* One of each task; an object of the world. */
struct thread {
	u32 state; /* THREAD_*; 0: not made yet */
	u32 detached;
	struct start start;
	void *result;
	int error; /* errno */
	u32 same;  /* times that it spun and saw the same, at: */
	u64 seen;
	u64 looked;    /* what it saw last when it had read for long, */
	u64 looked_at; /* and at which op that was */
	u32 slept;     /* times that it slept, and did nothing else */
	u64 random;
	void *key[THREAD_KEYS];
	u32 cancelled;    /* somebody wants it to end */
	u32 uncancelable; /* which it does not want now, */
	u32 ends;         /* or it does already */
	void *line;       /* the condition whose line it would leave, if it were
			   * cancelled; whoever is signalled there stays */
	struct _pthread_cleanup_buffer *cleanup; /* handlers, newest first */
};

/* What is one for all threads; an object of the world. */
struct process {
	u32 created; /* threads, main included */
	u32 keys;
	void (*destructor[THREAD_KEYS])(void *value);
};

/* Cancellation.  In the op of a point: does the caller see that it is to end? */
bool posix_sees_cancel(void);
/* The same without the touch, for conditions to wait for. */
bool posix_is_cancelled(const struct thread *t);
/* Behind that op: it ends. */
void posix_end_cancelled(u32 pc);
void posix_end(void *result, u32 pc);
void posix_run_cleanup(struct thread *self);
/* In an op of another task: out of the line of a condition. */
void posix_leave_line(void *cond, u32 task);

/* For hd_eng.many_reads. */
void posix_many_reads(struct hd_task *t, u32 pc);

struct process *posix_process(void);
struct thread *posix_thread(u32 task);
/* Of this pthread_t or thrd_t; NULL: of none that was ever made. */
struct thread *posix_of(unsigned long id);
static inline struct thread *posix_self(void)
{
	return posix_thread(W->cur->id);
}

/* An op on [p, p + size), which may lie on a stack, too; the caller does the
 * access and calls hd_did(). */
static inline void posix_begin(u8 kind, const volatile void *p, u32 size,
			       u8 flags, u8 order, u32 pc)
{
	hd_publish(kind, p, size, flags, order, pc);
	hd_judge(p, size, flags, pc);
}

/* A plain store for the program: an op where the memory is part of the world. */
void posix_store(void *p, u32 size, u64 val, u32 pc);

static inline u32 posix_me(void)
{
	return W->cur->id + 1u;
}

/* How the program calls it: the name of a static object, else what. */
const char *posix_name(const volatile void *p, const char *what);
/* A new class for each lock of the program: it is its own key. */
struct lockdep_map;
void posix_map_init(struct lockdep_map *map, const volatile void *lock,
		    const char *what);
/* The program misuses an object: verdict warn, and the run goes on. */
void posix_misuse(const char *what, u32 pc);

/* Until the op returns, the task may also go on when nobody else can. */
static inline void posix_late(bool timed)
{
	if (timed)
		hd_add(&W->late, W->cur->id);
}
/* It has returned.  (Late ones are ordered among each other.) */
void posix_on_time(bool timed);

/* What the program knows by two names. */
#define POSIX_SAME(two, one) \
	__typeof__(one) two __attribute__((alias(#one)))

/* A verdict and the end of the run.  It never returns, and must not say so: ASan
 * would look for the end of the stack. */
void posix_fatal(u8 kind, const char *word, u32 pc);

/* What C11 threads share with pthreads, on behalf of the call at pc. */
void posix_create(unsigned long *id, struct start start, bool detached, u32 pc);
int posix_join(unsigned long id, void **result, u32 pc);
int posix_detach(unsigned long id, u32 pc);
void posix_mutex_init(void *mutex, int kind, u32 pc);
int posix_mutex_lock(void *mutex, bool timed, u32 pc);
int posix_mutex_trylock(void *mutex, u32 pc);
int posix_mutex_destroy(void *mutex, u32 pc);
void posix_cond_init(void *cond, u32 pc);
int posix_cond_wait(void *cond, void *mutex, bool timed, u32 pc);
int posix_cond_wake(void *cond, bool all, u32 pc);
void posix_cond_destroy(void *cond, u32 pc);
int posix_key_create(u32 *key, void (*destructor)(void *value), u32 pc);
/* In one op: give the mutex back, and do what with arg. */
int posix_mutex_unlock(void *mutex, void (*what)(void *arg), void *arg,
		       u32 pc);

void *posix_malloc(size_t size, const char *what, u32 pc);

#endif
