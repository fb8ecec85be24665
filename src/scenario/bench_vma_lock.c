/* SPDX-License-Identifier: MIT */
/* Workload (c) of `make bench`: two readers and a writer of a per-VMA lock.
 *
 * A distilled form of src/mm/vma_lock_v10.c: the buggy reader does not look at
 * the sequence again after it took the reference.  Two preemptions. */
#include <heddle/heddle.h>
#include <heddle/kernel.h>

enum { OFFSET = 0x1000 };

struct area {
	refcount_t refcnt;
	int seq;
	int a, b;
};

struct bench_vma_lock_work {
	struct area *slot;
	struct mutex mmap_lock;
	int mm_seq;
};

static struct bench_vma_lock_work *work;

static void setup(void)
{
	struct bench_vma_lock_work *w = heddle_alloc(struct bench_vma_lock_work);

	work = w;
	mutex_init(&w->mmap_lock);
	w->slot = heddle_alloc(struct area);
	refcount_set(&w->slot->refcnt, 1);
	w->slot->seq = -1;
}

static void put(struct area *v, int n)
{
	if (refcount_sub_and_test(n, &v->refcnt))
		heddle_mark("count reaches 0");
}

static struct area *start_read(struct bench_vma_lock_work *w, struct area *v)
{
	int old;

	if (READ_ONCE(v->seq) == READ_ONCE(w->mm_seq))
		return NULL;
	if (!__refcount_inc_not_zero_limited(&v->refcnt, &old, OFFSET - 1))
		return NULL;
	if (heddle_variant_data() &&
	    READ_ONCE(v->seq) == READ_ONCE(w->mm_seq)) {
		heddle_mark("re-check fails");
		put(v, 1);
		return NULL;
	}
	return v;
}

static void reader(void *arg)
{
	struct bench_vma_lock_work *w = work;
	struct area *v = READ_ONCE(w->slot);
	int a, b;

	(void)arg;
	if (!v)
		return;
	v = start_read(w, v);
	if (!v)
		return;
	heddle_mark("read lock granted");
	a = READ_ONCE(v->a);
	b = READ_ONCE(v->b);
	heddle_assert(a == b);
	put(v, 1);
}

static void writer(void *arg)
{
	struct bench_vma_lock_work *w = work;
	struct area *v;
	int seq, old;

	(void)arg;
	mutex_lock(&w->mmap_lock);
	v = w->slot;
	seq = READ_ONCE(w->mm_seq) + 1;
	WRITE_ONCE(w->mm_seq, seq);
	__refcount_add(OFFSET, &v->refcnt, &old);
	if (old == 1) {
		WRITE_ONCE(v->seq, seq);
		put(v, OFFSET);
		WRITE_ONCE(v->a, 1);
		WRITE_ONCE(v->b, 1);
		WRITE_ONCE(w->slot, NULL);
		put(v, 1);
	} else {
		put(v, OFFSET);
	}
	WRITE_ONCE(w->mm_seq, seq + 1);
	mutex_unlock(&w->mmap_lock);
}

static const struct heddle_task tasks[] = {
	{ "reader1", reader, NULL },
	{ "reader2", reader, NULL },
	{ "writer", writer, NULL },
	{ 0 },
};

static const struct heddle_variant variants[] = {
	{ "buggy", "no second look at the sequence", NULL,
	  { { HD_V_ASSERT, 2 } } },
	{ "fixed", "looks again", "fixed" },
	{ 0 },
};

static const char *const goals[] = { "re-check fails", "read lock granted",
				     NULL };

HEDDLE_SCENARIO(bench_vma_lock) = {
	.name = "bench_vma_lock",
	.title = "workload (c): two readers and a writer of a per-VMA lock",
	.source = "a shape that model checkers are commonly measured with",
	.variants = variants,
	.tasks = tasks,
	.setup = setup,
	.goals = goals,
};
