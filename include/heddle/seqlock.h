/* SPDX-License-Identifier: MIT */
/* Sequence counters (include/linux/seqlock.h, 6.12; the try_begin form 6.13).
 *
 * Odd while a writer is inside.  The reader's begin is a load-acquire, which
 * spins (cpu_relax) while the value is odd; its retry is one load; the writer's
 * begin and end are a load and a store each.  Writers must exclude each other
 * by other means.  Not modelled: the lockdep map of seqcount_t, and that
 * write_seqcount_begin() may disable preemption.
 *
 * For races (src/oracle/race.c) accesses in a section count as marked, as in
 * KCSAN: the writer's, and the reader's from begin to retry, or 1,000 of them.
 * Deliberately different: raw_read_seqcount() alone begins no section, so that a
 * mere comparison does not silence what follows. */
#ifndef HEDDLE_SEQLOCK_H
#define HEDDLE_SEQLOCK_H

#include <heddle/compiler.h>
#include <heddle/sched.h>

typedef struct seqcount {
	unsigned sequence;
} seqcount_t;

#define SEQCNT_ZERO(name) { .sequence = 0 }
enum { KCSAN_SEQLOCK_REGION_MAX = 1000 };

static __always_inline void seqcount_init(seqcount_t *s)
{
	s->sequence = 0;
}

/* The value, odd or not. */
static __always_inline unsigned raw_read_seqcount(const seqcount_t *s)
{
	return smp_load_acquire(&s->sequence);
}

/* Not waiting for the writer: false if one is inside. */
static __always_inline bool raw_seqcount_try_begin(const seqcount_t *s,
						   unsigned *start)
{
	*start = raw_read_seqcount(s);
	kcsan_atomic_next(KCSAN_SEQLOCK_REGION_MAX);
	return !(*start & 1);
}

static __always_inline unsigned raw_read_seqcount_begin(const seqcount_t *s)
{
	unsigned seq;

	while ((seq = raw_read_seqcount(s)) & 1)
		cpu_relax();
	kcsan_atomic_next(KCSAN_SEQLOCK_REGION_MAX);
	return seq;
}

static __always_inline unsigned read_seqcount_begin(const seqcount_t *s)
{
	return raw_read_seqcount_begin(s);
}

/* Did a writer come in between?  Without the reader's barrier. */
static __always_inline bool do___read_seqcount_retry(const seqcount_t *s,
						     unsigned start)
{
	kcsan_atomic_next(0);
	return READ_ONCE(s->sequence) != start;
}

static __always_inline bool __read_seqcount_retry(const seqcount_t *s,
						  unsigned start)
{
	return do___read_seqcount_retry(s, start);
}

static __always_inline bool read_seqcount_retry(const seqcount_t *s,
						unsigned start)
{
	smp_rmb();
	return do___read_seqcount_retry(s, start);
}

static __always_inline void do_raw_write_seqcount_begin(seqcount_t *s)
{
	kcsan_nestable_atomic_begin();
	WRITE_ONCE(s->sequence, READ_ONCE(s->sequence) + 1);
	smp_wmb();
}

static __always_inline void do_raw_write_seqcount_end(seqcount_t *s)
{
	smp_wmb();
	WRITE_ONCE(s->sequence, READ_ONCE(s->sequence) + 1);
	kcsan_nestable_atomic_end();
}

#define raw_write_seqcount_begin(s) do_raw_write_seqcount_begin(s)
#define raw_write_seqcount_end(s) do_raw_write_seqcount_end(s)
#define do_write_seqcount_begin(s) do_raw_write_seqcount_begin(s)
#define do_write_seqcount_end(s) do_raw_write_seqcount_end(s)
#define write_seqcount_begin(s) do_raw_write_seqcount_begin(s)
#define write_seqcount_end(s) do_raw_write_seqcount_end(s)

/* Make readers that are inside retry. */
static __always_inline void write_seqcount_invalidate(seqcount_t *s)
{
	smp_wmb();
	WRITE_ONCE(s->sequence, READ_ONCE(s->sequence) + 2);
}

#endif
