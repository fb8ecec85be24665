/* SPDX-License-Identifier: MIT */
/* Are atomic operations atomic, and plain ones not?  Tests atomic.c and, for
 * what the compiler makes of __atomic builtins, tsan_atomic.c. */
#include "../base/twin.h"

static struct {
	atomic_t a;
	int n;
	u64 flags;
	u64 c11;
} w;

static void nothing_setup(void)
{
}

static void increment(void *arg)
{
	(void)arg;
	if (buggy())
		w.n++;
	else
		atomic_inc(&w.a);
}

static void increment_check(void)
{
	heddle_assert(w.n + atomic_read(&w.a) == 2);
}

#define increment_setup nothing_setup
TWIN_TASKS(increment, { "a", increment }, { "b", increment });
TWIN_VARIANTS(increment, SHOWS(ASSERT), SHOWS(DATA_RACE));
TWIN(increment, "atomic/increment", .check = increment_check);

/* --- a compare-and-exchange loop ------------------------------------ */

static void twice(void *arg)
{
	int old = atomic_read(&w.a);

	(void)arg;
	if (buggy())
		atomic_cmpxchg(&w.a, old, old * 2 + 1);
	else
		while (!atomic_try_cmpxchg(&w.a, &old, old * 2 + 1))
			heddle_mark("retried");
}

static void twice_check(void)
{
	heddle_assert(atomic_read(&w.a) == 3);
}

static const char *const twice_goals[] = { "retried", NULL };
#define twice_setup nothing_setup
TWIN_TASKS(twice, { "a", twice }, { "b", twice });
static const struct heddle_variant twice_variants[] = {
	{ .name = "safe", .goals = twice_goals },
	{ .name = "buggy", .data = "", .expect = { SHOWS(ASSERT) } },
	{ .name = NULL },
};
TWIN(twice, "atomic/cmpxchg loop", .check = twice_check);

/* --- bits ----------------------------------------------------------- */

static void bits(void *arg)
{
	u32 nr = (u32)(u64)arg;

	if (buggy())
		w.flags |= 1ull << nr;
	else
		set_bit(nr, &w.flags);
}

static void bits_check(void)
{
	heddle_assert(test_bit(0, &w.flags) && test_bit(40, &w.flags));
}

#define bits_setup nothing_setup
TWIN_TASKS(bits, { "a", bits, (void *)0 }, { "b", bits, (void *)40 });
TWIN_VARIANTS(bits, SHOWS(ASSERT), SHOWS(DATA_RACE));
TWIN(bits, "atomic/bits", .check = bits_check);

/* --- a lock of one bit: only one gets it ---------------------------- */

static void only_one(void *arg)
{
	bool got;

	(void)arg;
	if (buggy()) {
		got = !test_bit(3, &w.flags);
		set_bit(3, &w.flags);
	} else {
		got = !test_and_set_bit_lock(3, &w.flags);
	}
	if (got)
		atomic_inc(&w.a);
}

static void only_one_check(void)
{
	heddle_assert(atomic_read(&w.a) == 1);
}

#define only_one_setup nothing_setup
TWIN_TASKS(only_one, { "a", only_one }, { "b", only_one });
TWIN_VARIANTS(only_one, SHOWS(ASSERT));
TWIN(only_one, "atomic/test_and_set_bit", .check = only_one_check);

/* --- what the compiler makes of builtins ---------------------------- */

static void c11(void *arg)
{
	(void)arg;
	if (buggy())
		__atomic_store_n(&w.c11,
				 __atomic_load_n(&w.c11, __ATOMIC_ACQUIRE) + 1,
				 __ATOMIC_RELEASE);
	else
		__atomic_fetch_add(&w.c11, 1, __ATOMIC_SEQ_CST);
}

static void c11_check(void)
{
	heddle_assert(w.c11 == 2);
}

#define c11_setup nothing_setup
TWIN_TASKS(c11, { "a", c11 }, { "b", c11 });
TWIN_VARIANTS(c11, SHOWS(ASSERT));
TWIN(c11, "atomic/builtins", .check = c11_check);

/* --- message passing ------------------------------------------------ */

static void send(void *arg)
{
	(void)arg;
	if (buggy()) {
		smp_store_release(&w.flags, 1);
		WRITE_ONCE(w.n, 42);
	} else {
		WRITE_ONCE(w.n, 42);
		smp_store_release(&w.flags, 1);
	}
}

static void receive(void *arg)
{
	(void)arg;
	if (!smp_load_acquire(&w.flags))
		return;
	heddle_mark("message seen");
	heddle_assert(READ_ONCE(w.n) == 42);
}

static const char *const message_goals[] = { "message seen", NULL };
#define message_setup nothing_setup
TWIN_TASKS(message, { "send", send }, { "receive", receive });
TWIN_VARIANTS(message, SHOWS(ASSERT));
TWIN(message, "atomic/message", .goals = message_goals);

/* --- what each returns ---------------------------------------------- */

static void values(void *arg)
{
	atomic_t *v = &w.a;
	int old = 7;

	(void)arg;
	heddle_assert(atomic_add_return(5, v) == 5);
	heddle_assert(atomic_fetch_sub_release(2, v) == 5);
	heddle_assert(atomic_xchg(v, 1) == 3);
	heddle_assert(!atomic_try_cmpxchg(v, &old, 9) && old == 1);
	heddle_assert(atomic_dec_and_test(v));
	heddle_assert(!atomic_inc_not_zero(v));
	heddle_assert(!atomic_add_unless(v, 1, 0));
	heddle_assert(atomic_dec_if_positive(v) == -1);
	heddle_assert(atomic_read(v) == 0);
	heddle_assert(atomic_dec_return_acquire(v) == -1);
	heddle_assert(atomic_dec_if_positive(v) == -2);
	heddle_assert(!atomic_add_unless(v, 1, -1));
	heddle_assert(atomic_inc_and_test(v));
	heddle_assert(atomic_fetch_or(6, v) == 0);
	heddle_assert(atomic_fetch_and(~2, v) == 6);
	heddle_assert(atomic_fetch_xor(5, v) == 4);
	heddle_assert(atomic_sub_and_test(1, v));
	heddle_assert(cmpxchg(&w.flags, 0, 2) == 0 && w.flags == 2);
	heddle_assert(xchg(&w.flags, 5) == 2);
	heddle_assert(test_and_clear_bit(2, &w.flags) && w.flags == 1);
}

#define values_setup nothing_setup
TWIN_TASKS(values, { "a", values });
TWIN_SAFE_ONLY(values);
TWIN(values, "atomic/values");
