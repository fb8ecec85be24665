/* SPDX-License-Identifier: MIT */
/* Does a sequence counter tell a torn read? */
#include "../base/twin.h"

static struct {
	seqcount_t seq;
	u32 a, b;
	int torn;
} *w;

static void setup(void)
{
	w = heddle_alloc_type("struct twin", sizeof(*w));
	seqcount_init(&w->seq);
}

static void write_pair(void *arg)
{
	(void)arg;
	write_seqcount_begin(&w->seq);
	WRITE_ONCE(w->a, 1);
	WRITE_ONCE(w->b, 1);
	write_seqcount_end(&w->seq);
}

static void read_pair(void *arg)
{
	u32 a, b, seq;

	(void)arg;
	do {
		seq = buggy() ? raw_read_seqcount(&w->seq) & ~1u :
				read_seqcount_begin(&w->seq);
		a = READ_ONCE(w->a);
		b = READ_ONCE(w->b);
		if (a != b)
			heddle_mark("torn");
	} while (!buggy() && read_seqcount_retry(&w->seq, seq));
	heddle_assert(a == b);
}

static const char *const torn_goals[] = { "torn", NULL };
#define torn_setup setup
TWIN_TASKS(torn, { "writer", write_pair }, { "reader", read_pair });
TWIN_VARIANTS(torn, SHOWS(ASSERT));
TWIN(torn, "seqlock/torn read", .goals = torn_goals);

/* --- speculation: begin fails under a writer, retry sees one that came  */

static void speculate(void *arg)
{
	unsigned seq;
	u32 a, b;

	(void)arg;
	if (!raw_seqcount_try_begin(&w->seq, &seq)) {
		heddle_mark("writer inside");
		return;
	}
	a = READ_ONCE(w->a);
	b = READ_ONCE(w->b);
	if (!buggy() && read_seqcount_retry(&w->seq, seq)) {
		heddle_mark("retry");
		return;
	}
	heddle_assert(a == b);
}

static const char *const speculate_goals[] = { "writer inside", "retry",
					       NULL };
#define speculate_setup setup
TWIN_TASKS(speculate, { "writer", write_pair }, { "reader", speculate });
static const struct heddle_variant speculate_variants[] = {
	{ .name = "safe", .goals = speculate_goals },
	{ .name = "buggy", .data = "", .expect = { SHOWS(ASSERT) } },
	{ .name = NULL },
};
TWIN(speculate, "seqlock/speculation");

/* --- two writers must exclude each other ---------------------------- */

static DEFINE_SPINLOCK(writers);

static void one_of_two(void *arg)
{
	if (!buggy())
		spin_lock(&writers);
	write_pair(arg);
	if (!buggy())
		spin_unlock(&writers);
}

static void even_check(void)
{
	heddle_assert(raw_read_seqcount(&w->seq) == 4);
}

#define two_setup setup
TWIN_TASKS(two, { "a", one_of_two }, { "b", one_of_two });
TWIN_VARIANTS(two, SHOWS(ASSERT));
TWIN(two, "seqlock/two writers", .check = even_check);
